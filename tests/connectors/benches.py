"""Providers to hold to the contract, each with people of the test's own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pyotp

from helpdesk.connectors.base import Connector
from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.exchange import Answer, Request
from helpdesk.connectors.http import Http
from helpdesk.connectors.privacyidea.connector import PrivacyIdea
from helpdesk.connectors.privacyidea.line import WHO, PiLine, error_of
from helpdesk.domain.users import FactorState, User
from helpdesk.service.provided import ProvidedDirectory
from helpdesk.stores.base import Directory, Store
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.own import own_record
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.labs.privacyidea.people import PASSWORD
from tests.labs.privacyidea.running import Lab


class Bench(Protocol):
    """A provider, and the other side of it: the customer's."""

    @property
    def connector(self) -> Connector:
        """The provider."""
        ...

    @property
    def store(self) -> Store:
        """The desk's own record."""
        ...

    @property
    def directory(self) -> Directory:
        """How people are found."""
        ...

    @property
    def file(self) -> Path:
        """Where the desk's own record lies."""
        ...

    @property
    def product(self) -> str:
        """The product people are of."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of factors that people here can have, of e-mail, SMS and authenticator."""
        ...

    def asked(self) -> int:
        """Give how many requests reached the provider so far; 0 where none ever travels."""
        ...

    def person(self, *kinds: str) -> str:
        """Give a user nobody else has, with factors of these kinds that are a year old."""
        ...

    async def code(self, user: User, asked: Any = None) -> str:
        """Give the newest code that reached a user's telephone or mailbox."""
        ...

    def app_code(self, factor: str, ahead_s: int = 0) -> str:
        """Give what an authenticator shows, now or so many seconds from now."""
        ...

    async def lock(self, user: str) -> None:
        """Let a user be wrong until they are locked."""
        ...

    def sent_to(self, address: str) -> int:
        """Give how many messages went to an address so far."""
        ...


def clock() -> datetime:
    """Give the present."""
    return datetime.now(UTC)


def record_at(path: Path) -> Store:
    """Give the own record of a desk whose people are kept elsewhere."""
    store = TinyStore(own_record(path, (), clock))
    store.load()
    return store


class DemoBench:
    """A fixture of the test's own."""

    product = "sms-2fa"
    kinds = ("email", "sms", "totp")

    def __init__(self, sample: Path) -> None:
        self.file = sample
        self._tiny = TinyFile(sample, clock)
        store = TinyStore(self._tiny)
        store.load()
        self.store, self.connector = store, DemoConnector(self._tiny)
        self.directory = TinyDirectory(self._tiny, store)
        self._numbers = itertools.count(900)
        self._keys: dict[str, str] = {}

    def asked(self) -> int:
        return 0

    def person(self, *kinds: str) -> str:
        number = next(self._numbers)
        name, since = f"p{number}", clock() - timedelta(days=365)
        to = {"email": f"{name}@example.test", "sms": f"+4477009{number:05}", "totp": "App"}
        factors = [
            {"id": f"{name}-f{n}", "kind": kind, "state": "active", "since": since.isoformat(),
             "to": to[kind]}
            for n, kind in enumerate(kinds, 1)
        ]  # fmt: skip
        user = {
            "id": name, "name": f"Pat Number{number}", "login": f"{name}@example.test",
            "account": "a1", "product": self.product, "role": "main-user", "mobile": to["sms"],
            "notification_address": to["email"], "factors": factors,
            "mfa": "on" if kinds else "off",
        }  # fmt: skip
        with self._tiny.transaction():
            self._tiny.put("users", number, user)
            self._tiny.put("timelines", number, {"user": name, "events": []})
            for n, factor in enumerate(factors):
                if factor["kind"] == "totp":
                    key = self._keys[str(factor["id"])] = pyotp.random_base32()
                    secret = {"user": name, "factor": factor["id"], "totp": key}
                    self._tiny.put("secrets", number * 10 + n, secret)
        return name

    async def code(self, user: User, asked: Any = None) -> str:
        shown = await self.connector.shown(user, [asked], clock())
        return shown[0].secret

    def app_code(self, factor: str, ahead_s: int = 0) -> str:
        return pyotp.TOTP(self._keys[factor]).at(int(time.time()) + ahead_s)

    async def lock(self, user: str) -> None:
        async with self.store.transaction():
            found = (await self.connector.people([user]))[user]
            locked = msgspec.structs.replace(found.factors[0], state=FactorState.LOCKED, failures=5)
            after = msgspec.structs.replace(found, factors=(locked, *found.factors[1:]))
            key = self._tiny.key_of("users", user)
            assert key is not None
            await self._tiny.step(self._tiny.put, "users", key, msgspec.to_builtins(after))

    def sent_to(self, address: str) -> int:
        rows = [row for _, row in self._tiny.rows("timelines")]
        sends = [e for row in rows for e in row["events"] if e["kind"] == "send"]
        return sum(address[:1] == str(e["to"])[:1] or address[-2:] in e["to"] for e in sends)


class PiBench:
    """A privacyIDEA that runs, asked as its console does."""

    product = "own"
    kinds = ("email", "sms", "totp")

    def __init__(self, lab: Lab, place: Path, people: Iterator[int], user: str = "desk") -> None:
        self.lab, self._people = lab, people
        self._asked = 0
        http = Http(lab.url, WHO, errs=error_of, hooks=self._count)
        line = PiLine(http, f"{user}@desks", lambda: lab.desk_password, clock)
        self.connector = PrivacyIdea("lab", line, {"corp": self.product}, clock, fresh_s=0)
        self.file = place / "own" / "lab.json"
        self.store = record_at(self.file)
        self.directory = ProvidedDirectory(self.connector, self.store)
        self._keys: dict[str, str] = {}

    def close(self) -> None:
        self.connector.close()

    def asked(self) -> int:
        return self._asked

    def _count(self, request: Request, answer: Answer) -> None:
        self._asked += 1

    def person(self, *kinds: str) -> str:
        number = next(self._people)
        login = f"p{number:03}"
        to: dict[str, dict[str, Any]] = {
            "email": {"email": f"{login}@example.test"},
            "sms": {"phone": f"+4477009{number:05}"},
            "totp": {"genkey": 1},
        }
        for kind in kinds:
            made = self.lab.enrol(login, kind, **to[kind])
            if kind == "totp":
                self._keys[made["serial"]] = made["otpkey"]["value_b32"]
        return f"lab:{login}@corp"

    async def code(self, user: User, asked: Any = None) -> str:
        addresses = {user.notification_address, user.mobile, *(f.to for f in user.factors)}
        told = [m["text"] for m in self.lab.messages() if m["to"] in addresses]
        return "".join(c for c in told[-1] if c.isdigit())

    def app_code(self, factor: str, ahead_s: int = 0) -> str:
        return pyotp.TOTP(self._keys[factor]).at(int(time.time()) + ahead_s)

    async def lock(self, user: str) -> None:
        login = user.partition(":")[2].partition("@")[0]
        for _ in range(6):
            self.lab.sign_in(login, f"{PASSWORD}000000")

    def sent_to(self, address: str) -> int:
        return sum(message["to"] == address for message in self.lab.messages())
