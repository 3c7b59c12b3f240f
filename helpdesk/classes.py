"""The command that puts a class on a page: many trainees, rehearsals only, one trainer."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from helpdesk.config import config_directory, data_directory
from helpdesk.domain.errors import BadInput, NotFound
from helpdesk.domain.text import clean
from helpdesk.saying import say, warn
from helpdesk.serving import check_web, web
from helpdesk.training import LEVELS, named, scenarios

if TYPE_CHECKING:
    from helpdesk.fixture.training import Told
    from helpdesk.web.pages import Call

SEATS: Final = 20
"""Trainees at once, where nothing else is asked for."""

MOST: Final = 40
"""Trainees at once, whatever is asked for: each is a process."""

IDLE_MIN: Final = 15
"""Minutes without a key after which a play is ended, where nothing else is asked for."""

MEMORY: Final = 512 << 20
"""Bytes of data that one play may have."""


def on_a_page(given: argparse.Namespace) -> int:
    """Answer a class where one is asked for, else put the console on a page."""
    if given.training:
        return serve(given)
    if given.scenario or (given.seats, given.idle) != (SEATS, IDLE_MIN):
        raise BadInput("--scenario, --seats and --idle are for a class: say --training, too.")
    return web(given)


def serve(given: argparse.Namespace) -> int:
    """Answer a class until it is told to stop."""
    check_web()
    if given.desk or given.who:
        raise BadInput("A class plays on invented data: leave --desk and --as out.")
    if not 1 <= given.seats <= MOST:
        raise BadInput(f"--seats {given.seats}: a class has 1 to {MOST} seats.")
    if not given.idle:
        raise BadInput("--idle 0: give at least one minute.")
    from helpdesk.stores.classes import begun
    from helpdesk.web import Wanted, serve_class
    from helpdesk.web.classroom import Plan

    wanted = Wanted(host=given.host, port=given.port, url=given.url, theme=given.theme)
    calls = tuple(_calls(given.scenario))
    plan = Plan(calls=calls, seats=given.seats, idle_s=60.0 * given.idle, memory=MEMORY)
    with begun(data_directory().absolute(), datetime.now(UTC)) as book:
        serve_class(wanted, plan, book, config_directory().absolute(), say)
        say(f"The class has ended. Its marks: helpdesk train class --of {book.name}")
    return 0


def _calls(wanted: list[str]) -> list[Call]:
    """What there is to choose from: what the trainer named, or all that can be named in a page.

    Raises:
        NotFound, BadFile: A scenario that is named is not there, or is wrong.
    """
    if wanted:
        return [_call(named(name), name) for name in dict.fromkeys(wanted)]
    found = []
    for told in scenarios().values():
        try:
            found.append(_call(told, told.name))
        except BadInput as error:
            warn(f"left out: {error}")
    return sorted(found, key=lambda call: (LEVELS.index(call.level), call.title))


def _call(told: Told, name: str) -> Call:
    from helpdesk.stores.plays import named as file_name
    from helpdesk.web.pages import Call

    file_name(told.name, "scenario")
    one = told.scenario
    path = str(Path(name).absolute()) if name != told.name else ""
    if path and not Path(path).exists():
        raise NotFound(f"{clean(name)}: there is no such file.")
    return Call(
        name=told.name,
        title=one.subject,  # the scenario's own title would give the cause away
        level=LEVELS[one.difficulty],
        product=one.product,
        path=path,
    )
