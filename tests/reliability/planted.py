"""Codes stay secret: known ones planted in every flow, and every byte that leaves it searched.

    python -m tests.reliability planted [--quick]

A flow plants what it makes and keeps what it says; the search comes at the end, for all secrets in
all that was said, so that what one flow knew is looked for in what another one wrote. The one place
where a secret is handed over is looked at by itself: it has to show that secret and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pyotp

from helpdesk import crashes
from helpdesk.cli import main
from helpdesk.config import config_directory
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.actions import Note, TemporaryPass
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.local import LocalDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica
from helpdesk.stores.sql.database import Database
from tests import postgres
from tests.connectors.plants import ACTS, PLANTS, QUESTIONS, Plant, planted
from tests.gateway.serving import Spoken
from tests.reliability.canaries import Canaries
from tests.reliability.overheard import gateway, logged
from tests.reliability.planted_elsewhere import (
    PLAYED,
    dumped,
    enrolled,
    in_a_keyring,
    in_class,
    rehearsed,
)
from tests.reliability.planting import (
    AGENT,
    LEAD,
    NAMED,
    OWN,
    Caller,
    Customers,
    clock,
    seen_database,
    seen_files,
)
from tests.reliability.process import at_home
from tests.reliability.rows import Tried
from tests.reliability.screens import screens
from tests.sql import desks_on, imported
from tests.tui.console import desk_on

QUICK, FULL, SCREENS = 2, 24, 3
"""Customers of each flow, each with all its secrets."""


# -- flows -----------------------------------------------------------------------------------------


async def local(seen: Canaries, chance: random.Random, place: Path, count: int) -> None:
    """A desk on a file: its replies, and every byte it writes but the provider's own tables."""
    people = Customers(seen, chance, count)
    file = people.write(place / "demo.json")
    desk, lead = (desk_on(file, who, is_gated=False, clock=clock) for who in (AGENT, LEAD))
    for number, user in enumerate(people.ids):
        await Caller(seen, "replies of a desk on a file", desk, lead).serve(
            user, str(9000 + number), people.key_of(user)
        )
    await lead.erase_log(clock() + timedelta(seconds=1))
    for each in (desk, lead):
        await each.settle()
        await each.aclose()
    seen_files(seen, place)


async def shared(
    seen: Canaries, chance: random.Random, place: Path, count: int, address: str = ""
) -> None:
    """A gateway on a database: raw replies, its log, the database, and a console's own files."""
    people = Customers(seen, chance, count)
    source = people.write(place / "source" / "demo.json")
    database = imported(address or f"sqlite:///{place / 'desk.db'}", source, clock)
    open_as = desks_on(database, clock, place)
    log = io.StringIO()
    with logged(log), gateway(seen, lambda who: open_as(who, is_gated=False)) as (url, sign_in):
        desks = [RemoteDesk(Line(url, Spoken(sign_in(who)))) for who in (AGENT, LEAD)]
        replica = OfflineDesk(desks[0], Replica(place / "replica"), clock)
        await replica.open()
        for number, user in enumerate(people.ids):
            caller = Caller(seen, "replies of a gateway", replica, desks[1])
            await caller.serve(user, str(9000 + number), people.key_of(user))
        await desks[1].erase_log(clock() + timedelta(seconds=1))
        await replica.case(people.ids[0])
        await replica.perform(Note(user=people.ids[0], text="as it was"))
        for each in desks:
            each.close()
    seen.keep("the log of a gateway", log.getvalue())
    source.unlink()
    seen_database(seen, database)
    database.close()
    seen_files(seen, place)


def on_postgres(seen: Canaries, chance: random.Random, place: Path, count: int) -> None:
    """The same gateway on PostgreSQL, where there is one; and all that a dump tells of it."""
    if postgres.programs() is None:
        return
    seen.own("dump of PostgreSQL", OWN)
    with postgres.server() as server, postgres.database(server) as address:
        asyncio.run(shared(seen, chance, place, count, address))
        dumped(seen, address)


async def providers(seen: Canaries, chance: random.Random, *, is_quick: bool) -> None:
    """Each connector, with a right secret that is known and with a wrong one; each fault too."""
    for name in PLANTS:
        for act in ("", *(one for one in ACTS[name] if one in HANDING or not is_quick)):
            async with planted(name) as plant:
                seen.plant(f"secret of the desk at {plant.who}", plant.secret)
                await _at_a_provider(seen, plant, act)
        wrong = f"wr0ng-{chance.getrandbits(120):030x}"
        seen.plant(f"secret that {name} refuses", wrong)
        async with planted(name, wrong) as plant:
            with contextlib.suppress(HelpdeskError):
                await plant.person()
            for ask in QUESTIONS.values():
                await _asked(seen, plant, lambda ask=ask: ask(plant.connector, None))  # type: ignore[misc]


async def _at_a_provider(seen: Canaries, plant: Plant, name: str) -> None:
    """Ask everything, or do this act and look at what the provider tells of it."""
    user, on = await plant.person(), plant.connector
    for ask in () if name else QUESTIONS.values():
        await _asked(seen, plant, lambda ask=ask: ask(on, user))  # type: ignore[misc]
    if name:
        act = ACTS[plant.name][name]
        seen.plant(f"made by {plant.who}", *await _asked(seen, plant, lambda: act(on, user), name))
    _plant_sent(seen, plant)
    with contextlib.suppress(HelpdeskError):
        for event in await on.timeline(user.id):
            seen.keep(f"events of {plant.who}", msgspec.json.encode(event, enc_hook=str))


HANDING = frozenset({"temporary-pass", "replace-lost", "enrol"})


async def _asked(seen: Canaries, plant: Plant, ask: Callable[[], Any], name: str = "") -> list[str]:
    """Ask; keep what is told, unless it is what this act hands over: give that."""
    place = f"replies of {plant.who}"
    try:
        told = await ask()
    except HelpdeskError as error:
        seen.keep(place, str(error), repr(error))
        return []
    except Exception as error:  # noqa: BLE001  (asked about nobody: it is told as a fault)
        seen.keep("the log of faults", crashes.report(error))
        return []
    if name in HANDING and told:
        return [told] if isinstance(told, str) else [str(told[0])]
    seen.keep(place, msgspec.json.encode(told, enc_hook=str))
    return []


def _plant_sent(seen: Canaries, plant: Plant) -> None:
    """Plant the codes that the provider sent, as its server keeps them."""
    server = plant.server
    if plant.name == "okta":
        seen.plant("code sent by Okta", *(str(code) for _, _, code in server.tenant.outbox))
    elif plant.name == "duo":
        seen.plant("code made by Duo", *(str(one) for one in _strings(server.codes)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str) and len(value) >= 6:
        yield value


def commands(seen: Canaries, chance: random.Random, place: Path, *, is_quick: bool) -> None:
    """The command line, as text and as JSON: output, errors, exports, bundles and all files."""
    people = Customers(seen, chance, 2)
    file = people.write(place / "desk.json")
    config = config_directory() / "helpdesk.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("prove_callers = false\n", "utf-8")
    hush = {
        name: f"{chance.getrandbits(120):030x}"
        for name in ("HELPDESK_MAIL_PASSWORD", "HELPDESK_SECRET_TICKETS", "HELPDESK_SECRET_CC")
    }
    seen.plant("secret of the environment", *hush.values())
    with mock.patch.dict(os.environ, hush):
        forms = itertools.cycle([(), ("--json",)])
        for user in people.ids[: 1 if is_quick else 2]:
            run_one = Commands(seen, str(file), forms)
            _serve(seen, run_one, user, str(9000 + people.ids.index(user)), people.key_of(user))
            next(forms)  # the next user in the other form
            _look(run_one, user, place)
    _refused_addresses(seen, chance)
    seen_files(seen, place)


class Commands:
    """Runs commands and keeps what they say; each in the next form: text, JSON, text …"""

    def __init__(self, seen: Canaries, desk: str, forms: Iterator[Sequence[str]]) -> None:
        self._seen, self._desk, self._forms = seen, desk, forms

    def say(self, *given: str) -> None:
        """Run one, and keep what it says."""
        self._seen.keep("output at the command line", self.give(*given, *next(self._forms)))

    def give(self, *given: str) -> str:
        """Run one that says a secret on purpose; give what it says."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.suppress(SystemExit),
        ):
            main(["--desk", self._desk, *given])
        self._seen.keep("errors at the command line", err.getvalue())
        return out.getvalue()


def _serve(seen: Canaries, run_one: Commands, user: str, ticket: str, key: str) -> None:
    """Send, prove, measure, enrol and make a pass, at the command line."""
    run_one.say("perform", "send-code", user, "--factor", f"{user}-f1")
    run_one.say("prove", user, "--method", "code", "--ticket", ticket)
    codes = [one["secret"] for one in json.loads(run_one.give("phone", user, "--json"))]
    seen.plant("code of the demo telephone", *codes)
    wrong = f"{(int(codes[0]) + 1) % 10**6:06}"
    seen.plant("wrong answer of a caller", wrong)
    for answer in (wrong, codes[0]):
        run_one.say("prove", user, "--answer", answer)
    two = [pyotp.TOTP(key).at(clock() - timedelta(seconds=s)) for s in (60, 30)]
    seen.plant("code read out for a clock", *two)
    run_one.say("drift", user, *two)
    for act in ("temporary-pass", "enrol-totp"):
        why = ("--reason", "lost phone", "--ticket", ticket)
        handed = run_one.give("perform", act, user, *why, "--json")
        found = json.loads(handed).get("handover", {}).get("secret", "")
        seen.plant(f"handed over by {act}", found)
        if not seen.holds(handed, found):
            seen.failures.append(f"the command line: {act} hands over something else")


def _look(run_one: Commands, user: str, place: Path) -> None:
    """Look at everything at the command line, export it, and erase it."""
    for given in (
        ("find", "pat"), ("challenges",), ("loops",), ("tickets",), ("log",), ("log", "look"),
        ("case", user), ("why", user), ("approvals",), ("alarms",), ("holds",), ("tray",),
        ("bundle", user), ("doctor",), ("log", "verify"), ("log", "reconcile"),
    ):  # fmt: skip
        run_one.say(*given, "--as", LEAD)
    for n in range(len(NAMED)):
        run_one.say("case", user, "--event", f"e{n}")
    run_one.give("bundle", user, "--out", str(place / "bundles"))
    for form in ("csv", "jsonl"):
        for clear in ((), ("--clear",)):
            out = str(place / f"log{len(clear)}.{form}")
            run_one.give("log", "export", "--format", form, *clear, "--as", LEAD, "--out", out)
    run_one.give("log", "erase", "--before", "2030-01-01", "--as", LEAD)


def _refused_addresses(seen: Canaries, chance: random.Random) -> None:
    """Passwords in addresses of databases and providers that are wrong: the sentence has none."""
    for address in (
        "postgresql://desk:{}@127.0.0.1:1/calls", "postgresql://desk:{}@a:1,b:2/calls",
        "mysql://desk:{}@one/calls", "postgresql://127.0.0.1:1/calls?password={}",
        "sqlite://desk:{}@",
    ):  # fmt: skip
        password = f"{chance.getrandbits(96):024x}"
        seen.plant("password of a database", password)
        try:
            database = Database(address.format(password))
            seen.keep("sentences about a database", database.name)
            asyncio.run(database.ask(lambda: None))
        except HelpdeskError as error:
            seen.keep("sentences about a database", str(error))


def faults(seen: Canaries, chance: random.Random, place: Path, count: int) -> None:
    """Errors raised while a secret is in a local variable, in the message and in the cause."""
    for n in range(count):
        held = f"{chance.getrandbits(120):030x}"
        seen.plant("secret in a traceback", held)
        try:
            _break(held, n)
        except Exception as error:  # noqa: BLE001  (whatever it is)
            seen.keep("the log of faults", crashes.report(error))
    seen.keep("the log of faults", crashes.log_path().read_bytes())


def _break(held: str, n: int) -> None:
    try:
        if n % 3:
            raise KeyError(held)
        json.loads(f'{{"{held}"')
    except (KeyError, ValueError) as error:
        error.add_note(held)
        if n % 2:
            raise RuntimeError(f"with {held}") from error
        raise


class Breaking(DemoConnector):
    """A provider whose part of an act breaks when the secret is there already."""

    made: list[str] = []  # noqa: RUF012  (of all desks of one flow)

    async def make_pass(self, *given: Any) -> str:
        """Make a pass, and break."""
        secret = await super().make_pass(*given)
        self.made.append(secret)
        raise RuntimeError(f"it broke with {secret}")


async def broken(seen: Canaries, chance: random.Random, place: Path) -> None:
    """A gateway whose provider breaks with a pass in its hands: replies, log and files."""
    people = Customers(seen, chance, 1)
    file = people.write(place / "demo.json")
    log = io.StringIO()

    def opened(who: str) -> LocalDesk:
        return desk_on(file, who, is_gated=False, clock=clock, connector=Breaking)

    with logged(log), gateway(seen, opened) as (url, sign_in):
        desk = RemoteDesk(Line(url, Spoken(sign_in(AGENT))))
        await desk.case("c0")
        wish = TemporaryPass(user="c0", reason="lost", ticket="9000")
        with contextlib.suppress(HelpdeskError):
            await desk.perform(wish, key=f"{1:032}")
        desk.close()
    seen.plant("pass that was made as it broke", *Breaking.made)
    if not Breaking.made or '"fault"' not in log.getvalue():
        seen.failures.append("the provider that breaks was not asked")
    seen.keep("the log of a gateway", log.getvalue())
    seen_files(seen, place)


def row(seed: int, is_quick: bool) -> Tried:
    """Try all flows; each secret is one that was tried."""
    seen = run(seed, is_quick=is_quick)
    return Tried(len(seen), tuple(seen.failures))


def run(seed: int, *, is_quick: bool) -> Canaries:
    """Let all flows happen, and search all of it; give what was planted and found."""
    seen, chance = Canaries(), random.Random(seed)
    seen.own("bytes of a database", OWN)
    count = QUICK if is_quick else FULL
    Breaking.made.clear()
    with (
        tempfile.TemporaryDirectory() as kept,
        mock.patch.dict(os.environ, {"XDG_STATE_HOME": f"{kept}/state"}),
        at_home(Path(kept)),
    ):
        place = Path(kept)
        asyncio.run(local(seen, chance, place / "local", count))
        asyncio.run(shared(seen, chance, place / "shared", count))
        if not is_quick:  # in CI `tests.tui.test_canaries` looks at every frame
            asyncio.run(screens(seen, chance, place / "screens", SCREENS))
            asyncio.run(enrolled(seen, chance, place / "enrolled", SCREENS))
            rehearsed(seen, place / "rehearsed", len(PLAYED))
            on_postgres(seen, chance, place / "postgres", count)
        asyncio.run(in_class(seen, place / "class"))
        asyncio.run(in_a_keyring(seen, place / "keyring"))
        asyncio.run(broken(seen, chance, place / "broken"))
        asyncio.run(providers(seen, chance, is_quick=is_quick))
        commands(seen, chance, place / "commands", is_quick=is_quick)
        faults(seen, chance, place, 4 * count)
        seen_files(seen, place / "state")
        seen_files(seen, place / "data")
    seen.search()
    return seen
