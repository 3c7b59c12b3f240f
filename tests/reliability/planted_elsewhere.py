"""Secrets planted where no agent works: a dump, a rehearsal and its film, a class, a keyring."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.flows import Way
from helpdesk.gateway.keyrings import SafeKeeping
from helpdesk.staging import open_stage
from helpdesk.tui.demo.filming import filmed
from helpdesk.tui.dialogs.guarded import Guarded
from helpdesk.tui.film.cast import recorded
from helpdesk.tui.film.strip import drawn
from tests import postgres
from tests.conftest import Clock
from tests.factories import CARDS
from tests.gateway.people import Demonstration
from tests.gateway.test_signin import Ring
from tests.reliability.canaries import Canaries
from tests.reliability.planting import AGENT, Customers, clock
from tests.reliability.screens import BOX, handed_over
from tests.test_class import opened
from tests.training.stage import Played, bundled
from tests.tui.console import console, desk_on, painted

PLAYED = (
    "truly-a-lost-phone", "read-me-two-numbers", "the-director-has-no-time", "turn-it-off",
    "the-helpful-colleague", "between-two-tunnels", "the-fast-phone",
)  # fmt: skip
"""Scenarios whose model answers have to do with secrets."""

FILMED = 2


def dumped(seen: Canaries, address: str) -> None:
    """What `pg_dump` writes of a database, as it is and with its bytes read."""
    programs = postgres.programs()
    assert programs is not None
    run = [str(programs / "pg_dump"), "--dbname", address]
    ended = subprocess.run(run, capture_output=True, check=True)
    seen.keep("dump of PostgreSQL", ended.stdout)
    for found in re.finditer(rb"\\\\x([0-9a-f]+)", ended.stdout):
        seen.keep("dump of PostgreSQL", bytes.fromhex(found[1].decode()))


def rehearsed(seen: Canaries, place: Path, count: int) -> None:
    """Model answers as they are played and filmed: records, strips, casts, and what is left."""
    for number, name in enumerate(PLAYED[:count]):
        world = place / name
        world.mkdir(parents=True)
        with _passes(seen):
            played = Played(world / "played", bundled(name), bundled(name).scenario.model)
            _plant_world(seen, world / "played")
            seen.keep("records of plays", played.record, repr(played.score))
            if number < FILMED:
                _film(seen, name, world / "filmed")


def _film(seen: Canaries, name: str, world: Path) -> None:
    world.mkdir()
    lines: list[bytes] = []
    stage = open_stage(bundled(name), CARDS, world, lines.append)
    try:
        film = asyncio.run(filmed(stage))
    finally:
        stage.close()
    _plant_world(seen, world)
    seen.keep("records of plays", *lines)
    title = stage.scenario.title
    seen.keep("film strips", drawn(film.looks, title=title))
    seen.keep("casts", recorded(film.frames, film.seconds, title=title))


@contextlib.contextmanager
def _passes(seen: Canaries) -> Iterator[None]:
    """Plant each pass and each code that is made meanwhile."""
    make, code_of = DemoConnector.make_pass, DemoConnector._code_of

    async def made(self: Any, *given: Any, **more: Any) -> str:
        secret = await make(self, *given, **more)
        seen.plant("pass of a rehearsal", secret)
        return secret

    def read(self: Any, *given: Any) -> str:
        code = code_of(self, *given)
        seen.plant("code of a rehearsal", code)
        return code

    with (
        mock.patch.object(DemoConnector, "make_pass", made),
        mock.patch.object(DemoConnector, "_code_of", read),
    ):
        yield


def _plant_world(seen: Canaries, world: Path) -> None:
    """Plant what the private world of a play makes its codes from."""
    tables = json.loads((world / "world.json").read_text("utf-8"))
    for row in tables["secrets"].values():
        seen.plant("authenticator key of a rehearsal", row["totp"])
    for row in tables["meta"].values():
        if "key" in row:
            seen.plant("key of a rehearsal's telephone", row["key"])


async def in_class(seen: Canaries, place: Path) -> None:
    """A class on a page: its links and badges, in what is shown to others and in what is kept."""
    place.mkdir()
    seen.own("the trainer's pages", ["link of a class"])
    async with opened(place) as of:
        seen.plant("link of a class", of.room.link.path.rpartition("/")[2])
        kim, robin = await of.joined("Kim"), await of.joined("Robin")
        trainer = await of.trainer()
        for who in (kim, robin, trainer):
            seen.plant("room in a class", who.room.rstrip("/").rpartition("/")[2])
            for cookie in who.session.cookie_jar:
                seen.plant("badge in a class", cookie.value)
        seen.plant("link of a trainer", *(one.rpartition("/")[2] for one in of.links))
        for who, parts in (
            (kim, ("", "call-the-second-mail", "class.js", "x")),
            (trainer, ("", "class.csv", "class.json", "x")),
        ):
            for part in parts:
                _, text = await who.ask(f"{who.room}{part}")
                whose = "the trainer's pages" if who is trainer else "pages of a class"
                seen.keep(whose, text.replace(who.room.split("/")[-2], ""))
        for path in ("/", "/class/x", "/open/x", f"{robin.room}x"):
            seen.keep("pages of a class", (await kim.ask(f"{of.origin}/{path.lstrip('/')}"))[1])
    for file in place.rglob("*"):
        if file.is_file():
            seen.keep("files of a class", file.read_bytes())


async def in_a_keyring(seen: Canaries, place: Path) -> None:
    """A sign-in that a keyring keeps: what the keyring is not given, files, and what is said."""
    place.mkdir()
    seen.own("entries of a keyring", ["refresh token at a keyring"])
    demo, ring = Demonstration(Clock()), Ring()
    for trouble in ("", "small", "locked", ""):
        ring.limit, ring.is_locked = (20 if trouble == "small" else 10_000), trouble == "locked"
        keeping = SafeKeeping("dev", ring, place / "sign-in.lock")
        console = demo.sign_in(Way.ONE_TIME, keeping)
        seen.plant("one-time code at a keyring", demo.codes[AGENT])
        for _ in range(3):
            with contextlib.suppress(HelpdeskError):
                token = await console.token()
                seen.plant("access token at a keyring", token)
                seen.keep("entries of a keyring", *map(str, ring.entries.values()))
            demo.clock.go_on(minutes=6)
        kept = None if ring.is_locked else await keeping.read()
        if kept is not None:
            seen.plant("refresh token at a keyring", kept.refresh)
            seen.keep("what is said of a keyring", repr(kept))
        seen.keep("what is said of a keyring", repr(vars(console)), repr(vars(keeping)))
        try:
            ring.is_locked = True
            await console.sign_out()
        except HelpdeskError as error:
            seen.keep("what is said of a keyring", str(error), repr(error))
        ring.is_locked = False
    for file in place.rglob("*"):
        seen.keep("files beside a keyring", file.read_bytes())


async def enrolled(seen: Canaries, chance: random.Random, place: Path, count: int) -> None:
    """Enrolling at the console: every frame; only those with the key in a box may have it."""
    people = Customers(seen, chance, count)
    desk = desk_on(people.write(place / "demo.json"), AGENT, is_gated=False, clock=clock)
    with mock.patch.object(Guarded, "guard_s", 0.0):
        async with console(desk, clock=clock) as agent:
            for number, user in enumerate(people.ids):
                with painted(agent) as before:
                    await agent.find(f"{user}@lakes", user)
                    await agent.press("t")
                    await agent.sees("Enrol authenticator")
                    await agent.press("1", "shift+tab")
                    await agent.type(str(9000 + number))
                with painted(agent) as during:
                    secret = await handed_over(agent, "Authenticator key")
                found = re.search(r"secret=([A-Z2-7]+)", secret)
                key = found[1] if found else secret
                seen.plant("handed over by enrol-totp at the console", key)
                with painted(agent) as after:
                    await agent.press("enter")
                    await agent.sees("First code")
                    await agent.type("000000")
                    await agent.confirm()
                    await agent.sees("That code does not fit")
                    await agent.press("escape")
                    await agent.stands_on_desk()
                    await agent.press("5")
                    await agent.sees("enrol")
                    await agent.press("1")
                    await agent.settles()
                for frame in (*before, *during, *after):
                    if BOX not in frame:
                        seen.keep("frames of enrolling", frame)
                    elif {one for one, _ in seen.found(frame.encode())} - {key}:
                        seen.failures.append("the box of a handover shows another secret")
    await desk.aclose()
