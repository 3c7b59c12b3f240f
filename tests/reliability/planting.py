"""Customers whose secrets are known, an agent who serves them, and what is left on the disk."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyotp
from sqlalchemy import select

from helpdesk.domain.actions import AnyAction, EnrolTotp, SendCode, TemporaryPass
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.originals import ROW
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.desk import Desk
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.schema import metadata
from tests.reliability.canaries import Canaries
from tests.sample import NOW, sample

AGENT = "dana"
LEAD = "lee"

NAMED = (
    "stateToken", "access_token", "passcode", "otp", "client_secret", "recovery_code", "pin",
    "sessionToken", "password", "seed", "otpauth", "authorization", "verificationCode", "assertion",
)  # fmt: skip
"""Fields in which providers write what lets somebody in, in the rows of their own logs."""


class Customers:
    """A fixture with customers of our own, each with an authenticator whose key is known.

    Attributes:
        ids: Their ids, `c0` and so on; the ticket of `c0` is `9000`.
    """

    def __init__(self, seen: Canaries, chance: random.Random, count: int) -> None:
        self.ids = [f"c{number}" for number in range(count)]
        self._tables = sample()
        self._tables["meta"]["1"]["key"] = key = f"{chance.getrandbits(128):032x}"
        seen.plant("key of the demo telephone", key)
        for number, name in enumerate(self.ids):
            seed = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=32))
            seen.plant("authenticator key", seed)
            rows = {each: f"{chance.getrandbits(96):024x}" for each in NAMED}
            seen.plant("secret in a provider's row", *rows.values())
            rows["otpauth"] = f"otpauth://totp/x?secret={rows['otpauth']}&issuer=y"
            self._add(number, name, seed, rows)

    def _add(self, number: int, name: str, seed: str, row: dict[str, str]) -> None:
        since, mobile = "2026-01-04T09:00:00Z", f"+4477009{number:05}"
        place = str(100 + number)
        self._tables["users"][place] = {
            "id": name, "name": f"Pat Number{number}", "login": f"{name}@lakes.example",
            "account": "a2", "product": "constant-contact", "role": "user", "mobile": mobile,
            "factors": [
                {"id": f"{name}-f1", "kind": "sms", "state": "active", "to": mobile,
                 "since": since},
                {"id": f"{name}-f2", "kind": "totp", "state": "active", "to": "Authenticator",
                 "since": since},
            ],
        }  # fmt: skip
        events = [
            {"id": f"e{n}", "at": NOW, "kind": "native", ROW: {"uuid": f"n{n}", **held}}
            for n, held in enumerate([{key: value} for key, value in row.items()])
        ]
        self._tables["timelines"][place] = {"user": name, "events": events}
        self._tables["secrets"][place] = {"user": name, "factor": f"{name}-f2", "totp": seed}
        self._tables["tickets"][place] = {
            "id": str(9000 + number), "user": name, "subject": "Lost it", "agent": AGENT,
            "opened_at": NOW, "complaint": "lost-factor",
        }  # fmt: skip

    def write(self, path: Path) -> Path:
        """Write the fixture; what is in it is the provider's own, as its secrets are."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._tables), "utf-8")
        return path

    def key_of(self, user: str) -> str:
        """Give what a customer's authenticator makes its codes from."""
        return str(self._tables["secrets"][str(100 + self.ids.index(user))]["totp"])


def clock() -> datetime:
    """Give a time of whole seconds, whose fractions are no codes by chance."""
    return datetime.now(UTC).replace(microsecond=0)


# -- any desk --------------------------------------------------------------------------------------


class Caller:
    """An agent at a desk who does all that has to do with secrets, and keeps what it is told."""

    def __init__(self, seen: Canaries, place: str, desk: Desk, lead: Desk) -> None:
        self._seen, self._place, self._desk, self._lead = seen, place, desk, lead

    async def serve(self, user: str, ticket: str, key: str) -> None:
        """Send, prove wrongly and rightly, enrol, make a pass, measure, and look at everything."""
        seen = self._seen
        await self._told(self._desk.perform(SendCode(user=user, factor=f"{user}-f1")))
        for method, channel in ((Method.CODE, f"{user}-f1"), (Method.TOTP, f"{user}-f2")):
            with contextlib.suppress(HelpdeskError):
                await self._desk.ask_proof(user, method, channel=channel, ticket=ticket)
                shown = await self._desk.phone(user)  # the customer's own: the other side
                codes = [one.secret for one in shown]
                seen.plant("code of the demo telephone", *codes)
                wrong = f"{(int(codes[-1]) + 1) % 10**6:06}"
                seen.plant("wrong answer of a caller", wrong)
                await self._told(self._desk.answer_proof(user, wrong))
                for code in reversed(codes):
                    await self._told(self._desk.answer_proof(user, code))
        two = [pyotp.TOTP(key).at(clock() - timedelta(seconds=s)) for s in (60, 30)]
        seen.plant("code read out for a clock", *two)
        await self._told(self._desk.drift(user, f"{user}-f2", two))
        made = await self._hand(EnrolTotp(user=user, reason="new phone", ticket=ticket))
        if made:
            code = pyotp.TOTP(made).at(clock())
            seen.plant("first code of an authenticator", code)
            first = EnrolTotp(user=user, reason="new phone", ticket=ticket, code=code)
            await self._told(self._desk.perform(first))
        await self._hand(TemporaryPass(user=user, reason="lost phone", ticket=ticket))
        for each in (self._desk, self._lead):
            await self._look(each, user)

    async def _hand(self, action: AnyAction) -> str:
        """Do what hands something over, twice with one key; give it."""
        kept = f"{random.getrandbits(128):032x}"
        try:
            outcome = await self._desk.perform(action, key=kept)
        except HelpdeskError as error:
            self._seen.keep(self._place, str(error), repr(error))
            self._seen.failures.append(f"{self._place}: nothing was handed over: {error}")
            return ""
        handed = outcome.handover
        assert handed is not None
        self._seen.plant(f"handed over by {action.name}", handed.secret)
        if not self._seen.holds(handed.secret, handed.secret):
            self._seen.failures.append(f"{self._place}: {action.name} handed another secret over")
        self._keep(msgspec.structs.replace(outcome, handover=None))
        self._keep(handed.title, handed.says)
        await self._told(self._desk.operation(kept))
        with contextlib.suppress(HelpdeskError):
            again = await self._desk.perform(action, key=kept)
            if again.handover is not None:
                self._seen.failures.append(f"{self._place}: {action.name} handed it over twice")
        return handed.secret

    async def _look(self, desk: Desk, user: str) -> None:
        case = await desk.case(user)
        self._keep(case, repr(case))
        for event in case.timeline:
            await self._told(desk.original(user, event.id or ""))
        for asked in (
            desk.why(user), desk.bundle(user), desk.tray(user), desk.ways(user, "reset-all"),
            desk.log(Query(), limit=500), desk.export_log(), desk.inspect_log(), desk.approvals(),
            desk.reconcile_log(), desk.checkpoint(), desk.checkpoint_key(), desk.alarms(),
            desk.changes(), desk.queue(), desk.find(Query()), desk.challenges(Query()),
            desk.loops(Query()), desk.tickets(Query()), desk.fleet(), desk.holds(),
        ):  # fmt: skip
            await self._told(asked)

    async def _told(self, asked: Any) -> None:
        try:
            self._keep(await asked)
        except HelpdeskError as error:
            self._keep(str(error), repr(error))

    def _keep(self, *told: object) -> None:
        for one in told:
            text = one if isinstance(one, str) else msgspec.json.encode(one, enc_hook=str)
            self._seen.keep(self._place, text)


# -- what lies on the disk -------------------------------------------------------------------------

OWN = (
    "authenticator key", "handed over by enrol-totp", "key of the demo telephone",
    "secret in a provider's row",
)  # fmt: skip
"""What is the provider's own: a desk on a file or a database plays the provider too."""


def seen_files(seen: Canaries, place: Path) -> None:
    """Keep every byte below a directory; of a fixture without the provider's own."""
    for file in sorted(place.rglob("*")):
        if not file.is_file():
            continue
        raw = file.read_bytes()
        if file.name.startswith(("demo.json", "desk.json")) and raw[:1] == b"{":
            raw = _without_own(raw)
        name = "bytes of a database" if ".db" in file.name else f"files: {file.suffix or file.name}"
        seen.keep(name, raw)


def _without_own(raw: bytes) -> bytes:
    tables = json.loads(raw)
    tables.pop("secrets", None)
    for meta in tables.get("meta", {}).values():
        meta.pop("key", None)
    for line in tables.get("timelines", {}).values():
        for event in line["events"]:
            event.pop(ROW, None)
    return json.dumps(tables, ensure_ascii=False).encode()


def seen_database(seen: Canaries, database: Database) -> None:
    """Keep every row of a database, but those of the provider's own."""
    with database.connection() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                if table.name == "documents" and row["kind"] in {"secrets", "meta"}:
                    continue
                if table.name == "events" and f'"{ROW}"'.encode() in row["body"]:
                    continue
                seen.keep("rows of a database", *(_bytes(value) for value in row.values()))


def _bytes(value: object) -> bytes | str:
    return value if isinstance(value, bytes) else str(value)
