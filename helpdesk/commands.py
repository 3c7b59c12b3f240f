"""What each command does: asks the desk or tells it, and says the answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from helpdesk import opening
from helpdesk.domain.errors import BadFile, BadInput, CursorTooOld, HelpdeskError, Unreachable
from helpdesk.domain.text import clean, counted
from helpdesk.saying import answer, say, warn

if TYPE_CHECKING:  # the console is a command too, and waits for none of these
    import argparse

    from helpdesk.domain.actions import AnyAction
    from helpdesk.domain.signing import AskSignIn
    from helpdesk.service.desk import Desk
    from helpdesk.service.offline import OfflineDesk

UNPROVEN = "Callers are not proven at this desk: prove_callers is false in helpdesk.toml."

YES, NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}


@contextlib.contextmanager
def opened(
    given: argparse.Namespace | opening.Wish, *, keeps: bool = False, reads: bool = False
) -> Iterator[Desk]:
    """Give the desk that the arguments name; at its end, say what is wrong with it."""
    from helpdesk.config import load_config
    from helpdesk.door import open_desk
    from helpdesk.reaching import Wanted

    wanted = Wanted(keeps=keeps, reads=reads)
    with open_desk(load_config(os.environ), given.desk, given.who, wanted) as desk:
        yield desk
        if reads and not desk.freshness.is_live:
            warn(
                f"The desk cannot be reached. This is what this machine keeps of it: "
                f"{desk.freshness.says}."
            )
        if not desk.is_gated:
            warn(UNPROVEN)
        if desk.alarm:
            warn(desk.alarm)


def console(given: argparse.Namespace | opening.Wish) -> int:
    """Open the console; return its exit code, with the terminal given back whatever happens."""
    try:
        return _console(given)
    finally:
        opening.give_back()


def _console(given: argparse.Namespace | opening.Wish) -> int:
    from helpdesk.config import load_config
    from helpdesk.reaching import elsewhere

    is_on_a_page = bool(os.environ.get("TEXTUAL_DRIVER"))  # helpdesk web
    if not (is_on_a_page or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise BadInput("The console needs a terminal. Without one, use a command: helpdesk --help")
    config = load_config(os.environ)
    theme, lock_s = given.theme or config.theme, config.lock_minutes * 60
    address = elsewhere(config, given.desk)
    if is_on_a_page and address:
        return _console_on_a_page(given, address, theme, lock_s)
    with opened(given, keeps=True) as desk:
        from helpdesk.tui.app import run

        return int(run(desk, theme=theme or None, lock_s=lock_s))


def _console_on_a_page(
    given: argparse.Namespace | opening.Wish, address: str, theme: str, lock_s: float
) -> int:
    """Open the console for somebody in a browser, who signs in on its screen."""
    from helpdesk.config import load_config
    from helpdesk.door import open_desk
    from helpdesk.reaching import Wanted
    from helpdesk.tui.entry import run_entry

    with contextlib.ExitStack() as stack:

        def opening(ask: AskSignIn) -> Desk:
            wanted = Wanted(keeps=True, is_shared=True, ask=ask)
            config = load_config(os.environ)
            return stack.enter_context(open_desk(config, given.desk, given.who, wanted))

        return int(run_entry(opening, clean(address), theme=theme or None, lock_s=lock_s))


def sync(given: argparse.Namespace) -> int:
    """Send what waits and bring the working set up to date, once or for ever; or forget it all."""
    if given.forget:
        from helpdesk.wiring import forget_replicas

        count = forget_replicas()
        say(f"Forgotten: what this machine kept of {count} desk{'s' * (count != 1)}.")
        return 0
    from helpdesk.service.offline import OfflineDesk

    with opened(given, keeps=True) as desk:
        if not isinstance(desk, OfflineDesk):
            raise BadInput("This desk is on this machine: there is nothing to bring over.")
        return asyncio.run(_synchronise(desk, follows=given.follow))


async def _synchronise(desk: OfflineDesk, *, follows: bool) -> int:
    from helpdesk.progress import progress
    from helpdesk.service.reading import RETRY_S
    from helpdesk.service.syncing import synchronise

    desk.is_live_only = True
    is_told = False
    while True:
        try:
            before = (await desk.changes()).cursor
            count = await synchronise(desk, progress)
            await desk.settle()
            waits = sum(one.is_waiting for one in desk.wishes)
            say(
                f"Up to date: {counted(count, 'step')}; {waits} of your changes "
                f"{'waits' if waits == 1 else 'wait'}."
            )
            is_told = False
            if not follows:
                return 0
            await desk.changed(before)
        except (Unreachable, CursorTooOld) as error:
            if not follows:
                raise
            if isinstance(error, Unreachable) and not is_told:
                warn(f"{error} It is tried again until the desk answers.")
                is_told = True
            await asyncio.sleep(RETRY_S)


def listing(given: argparse.Namespace) -> int:
    """Say one page of a list."""
    from helpdesk.domain.search import parse
    from helpdesk.plain.lists import LISTS

    with opened(given, reads=not given.json) as desk:
        query = parse(" ".join(given.text), [(c.id, c.names) for c in desk.cards.values()])
        ask = getattr(desk, given.command)
        page = asyncio.run(ask(query, offset=given.offset, limit=given.limit))
        text = LISTS[given.command][1](page, dict(desk.cards))
    answer(given, page, text)
    return 0


def case(given: argparse.Namespace) -> int:
    """Say everything about one user."""
    from helpdesk import answers
    from helpdesk.domain.cases import case_data
    from helpdesk.domain.originals import original_lines
    from helpdesk.plain.case import case_text

    with opened(given, reads=not given.json) as desk:
        case = asyncio.run(desk.case(given.user))
        if given.event:
            told = asyncio.run(desk.original(case.user.id, given.event))
            say(answers.as_json(told) if given.json else "\n".join(original_lines(told)))
            return 0
        text = case_text(case, desk.cards[case.user.product])
    answer(given, case_data(case), text)
    return 0


def perform(given: argparse.Namespace) -> int:
    """Carry out one act, or say what it would do."""
    with opened(given) as desk:
        return asyncio.run(_perform_on(desk, given))


async def _perform_on(desk: Desk, given: argparse.Namespace) -> int:
    from helpdesk import answers
    from helpdesk.plain.case import case_text, handover_text, weighed_text

    action = action_of(given)
    action = msgspec.structs.replace(action, user=(await desk.case(action.user)).user.id)
    if given.preview:
        weighed = await desk.weigh(action)
        answer(given, answers.previewed(weighed), weighed_text(weighed))
        return 0
    outcome = await desk.perform(action)
    if given.json:
        say(answers.as_json(answers.performed(action.name, outcome)))
        return 0
    say(clean(outcome.says))
    if action.name == "reveal":
        say(case_text(outcome.case, desk.cards[outcome.case.user.product]))
    if outcome.handover:
        say(handover_text(outcome.handover))
        if outcome.handover.uri:
            import segno

            with contextlib.suppress(ValueError):  # it fits into none; the words are there
                segno.make(outcome.handover.uri).terminal(compact=True)
    return 0


def action_of(given: argparse.Namespace) -> AnyAction:
    """Return the action that the arguments of `perform` describe.

    Raises:
        BadInput: A value is not one of the act's own, or not of its form.
    """
    from helpdesk.domain.actions import ACTIONS, own_fields

    kind = ACTIONS[given.act]
    names = own_fields(kind)
    values: dict[str, Any] = {"user": given.user, "reason": given.reason, "ticket": given.ticket}
    for pair in given.sets:
        key, equals, value = pair.partition("=")
        if key not in names or not equals:
            there = (
                f"It takes {', '.join(f'{name}=…' for name in names)}."
                if names
                else "It takes none."
            )
            raise BadInput(f"--set {clean(pair)}: {given.act} has no such value. {there}")
        is_bool = kind.__annotations__[key] == "bool"
        values[key] = _yes_or_no(key, value) if is_bool else value
    if given.factor:
        if "factor" not in kind.__struct_fields__:
            raise BadInput(f"--factor: {given.act} is not about one factor.")
        values["factor"] = given.factor
    try:
        return msgspec.convert({"act": given.act, **values}, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{given.act}: {clean(str(error))}") from error


def _yes_or_no(key: str, value: str) -> bool:
    if value.casefold() in YES | NO:
        return value.casefold() in YES
    raise BadInput(f"--set {key}={clean(value)}: say yes or no.")


def bytes_of(path: Path) -> bytes:
    """Return what a file holds, or raise `BadFile`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadFile(str(path), "", "is no name of a file") from error


def doctor(given: argparse.Namespace) -> int:
    """Say what holds of a desk and of what it stands on."""
    from helpdesk.answers import Examined
    from helpdesk.config import load_config
    from helpdesk.domain.search import Query
    from helpdesk.ticketed import ticketed
    from helpdesk.wiring import examined, takes_tickets

    config, wrong = load_config(os.environ), 0
    with examined(config, given.desk) as provider:
        found = [*asyncio.run(provider.inspect())] if provider else []
    if not found:
        with opened(given) as desk:
            people = asyncio.run(desk.find(Query(), limit=1)).total
            found = [f"The desk {desk.label} opens; {counted(people, 'user')} can be found at it."]
    if takes_tickets(config, given.desk):
        with ticketed(config) as system:
            try:
                found += asyncio.run(system.inspect()) if system else []
            except HelpdeskError as error:
                found, wrong = [*found, str(error)], error.exit_code
    says = tuple(map(clean, found))
    answer(given, Examined(says=says), "\n".join(says))
    return wrong


def fixture_make(given: argparse.Namespace) -> int:
    """Make a fixture."""
    from helpdesk.fixture.make import make

    make(given.users, given.seed, given.out)
    say(f"{clean(str(given.out))}: {counted(given.users, 'user')}, seed {given.seed}.")
    return 0


def fixture_check(given: argparse.Namespace) -> int:
    """Say that a fixture is right, or raise what is wrong."""
    from helpdesk.config import config_directory
    from helpdesk.fixture.check import check
    from helpdesk.products import load_cards
    from helpdesk.stores.atomic import AtomicStorage

    AtomicStorage(str(given.file)).settle()
    counts = check(given.file, frozenset(load_cards(config_directory() / "products")))
    told = ", ".join(f"{number} {table}" for table, number in msgspec.to_builtins(counts).items())
    say(f"{clean(str(given.file))}: right. {told}.")
    return 0


def fixture_reset(given: argparse.Namespace) -> int:
    """Start the demo over."""
    from helpdesk.wiring import reset_demo

    say(
        f"{clean(str(reset_demo()))}: as it was at the start. The one before is beside it, as .bak."
    )
    return 0


def schema(given: argparse.Namespace) -> int:
    """Say the schema of one answer, or the names of all."""
    from helpdesk import answers

    say(
        answers.as_json(answers.schema(given.name))
        if given.name
        else "\n".join(sorted(answers.SCHEMA_NAMES))
    )
    return 0


def completion(given: argparse.Namespace) -> int:
    """Say the completion script of a shell."""
    import shtab

    say(shtab.complete(given.parser(), shell=given.shell))
    return 0
