"""The command line: reads arguments, opens a desk, hands over.

exit  0 done · 2 usage · 3 refused by policy · 4 not found · 5 unreachable · 6 needs something first
      7 the log is not what it was · 8 not signed in
"""

from __future__ import annotations

import argparse
import errno
import gc
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from helpdesk import (
    __version__,
    classes,
    commands,
    explaining,
    proving,
    record,
    saying,
    serving,
    showing,
    training,
)
from helpdesk.answers import SCHEMA_NAMES
from helpdesk.assets import THEMES
from helpdesk.domain.actions import ACTIONS, AnyAction, own_fields, summary
from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean, is_text
from helpdesk.plain.lists import LISTS
from helpdesk.record import LOG

HIGHEST_PORT: Final = 65_535


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are safe to print, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong and leave with exit code 2."""
        super().error(clean(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, or the console without one; return the exit code."""
    saying.forgive()
    top, words = parser(), joined(sys.argv[1:] if arguments is None else arguments)
    for word in words:
        if word.startswith("--") and word.endswith("=--"):  # Python would make a list of it
            top.error(f"argument {word[:-3]}: -- is no value")
    given = top.parse_args(words)
    if given.run is not commands.console:  # which goes on without until it is shown
        gc.enable()

    def run() -> int:
        check_text(given)
        return int(given.run(given))

    return saying.ended(given, run)


def check_text(given: argparse.Namespace) -> None:
    """Raise `BadInput` where something typed is no text, or can be the name of no file."""
    for name, value in vars(given).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_text(text):
                raise BadInput(f"{name}: {clean(text, limit=200)} is not UTF-8, so it is no text.")
            if isinstance(text, Path) and not _can_be(text):
                raise BadInput(f"{name}: {clean(str(text), limit=200)} can be the name of no file.")


def _can_be(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError) as error:  # a name that holds a NUL, or is too long
        return isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG
    return True


def joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `log verify` and its like as the one command they are.

    Any other word after `log` is looked for in it.
    """
    found, place = list(arguments), 0
    while place < len(found) and found[place].startswith("-"):
        place += 2 if found[place] in {"--desk", "--as", "--theme"} else 1
    if found[place : place + 1] == ["log"] and found[place + 1 : place + 2] in [[w] for w in LOG]:
        found[place : place + 2] = [f"log {found[place + 1]}"]
    return found


def parser(*, is_whole: bool = True) -> argparse.ArgumentParser:
    """Return the parser of all commands; not whole, without those of two words.

    A shell completes word by word and cannot offer them.
    """
    top = Parser(
        prog="helpdesk",
        description="The console for the call that begins: it keeps asking me for a code. "
        "Without a command it opens full-screen on the demo fixture.",
        epilog="exit codes: 0 done, 2 usage, 3 refused by policy, 4 not found, 5 unreachable, "
        "6 needs something first, 7 the log is not what it was, 8 not signed in",
    )
    top.add_argument("--version", action="version", version=f"helpdesk {__version__}")
    top.add_argument("--theme", default="", choices=THEMES, help="how the console looks")
    where = _where(argparse.SUPPRESS)
    _add_where(top, "")
    top.set_defaults(run=commands.console)
    to = top.add_subparsers(title="commands", metavar="COMMAND")
    _add_lists(to, where)
    if is_whole:
        record.add_log(to, where)
    _add_case(to, where)
    _add_perform(to, where)
    explaining.add_why(to, where)
    proving.add_proving(to, where)
    record.add_tray(to, where, _count)
    record.add_bundle(to, where)
    serving.add_serve(to, _port, _seconds)
    serving.add_withdraw(to)
    _add_sync(to, where)
    _add_web(to, where)
    _add_fixture(to)
    showing.add_export(training.add_train(to))
    showing.add_demo(to)
    _add_doctor(to, where)
    _add_small(to)
    return top


def _where(default: str) -> argparse.ArgumentParser:
    """The options that say which desk and as whom; allowed before and after the command."""
    where = Parser(add_help=False)
    _add_where(where, default)
    return where


def _add_where(to: argparse.ArgumentParser, default: str) -> None:
    to.add_argument(
        "--desk",
        metavar="URI",
        default=default,
        help="a fixture file, https://…, privacyidea+https://…, connectors, or a profile of "
        "helpdesk.toml",
    )
    to.add_argument(
        "--as", dest="who", metavar="ROLE|AGENT", default=default, help="work as this role or agent"
    )


def _add_lists(to: Any, where: argparse.ArgumentParser) -> None:
    for name, (says, _) in LISTS.items():
        command = to.add_parser(name, parents=[where], help=says, description=f"{says}.")
        command.add_argument(
            "text",
            nargs="*",
            metavar="TEXT",
            help="words and filters: product:partner state:locked channel:sms went:refused "
            "loop:yes ticket:yes sort:name",
        )
        command.add_argument("--limit", type=_count, default=50, help="rows to give (50)")
        command.add_argument("--offset", type=_count, default=0, help="rows to skip (0)")
        command.add_argument("--json", action="store_true", help="answer in JSON")
        command.set_defaults(run=commands.listing, command=name)


def _add_case(to: Any, where: argparse.ArgumentParser) -> None:
    says = "Show everything about one user"
    command = to.add_parser("case", parents=[where], help=says, description=f"{says}.")
    command.add_argument("user", metavar="USER", help="id or login")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.add_argument(
        "--event", metavar="ID", default="", help="one event as its provider told it, masked"
    )
    command.set_defaults(run=commands.case)


def _add_perform(to: Any, where: argparse.ArgumentParser) -> None:
    acts = "\n".join(f"  {name:<16}{summary(act)}{_sets(act)}" for name, act in ACTIONS.items())
    command = to.add_parser(
        "perform",
        parents=[where],
        help="Change something: weighed by the product's card and your role",
        description="Carry out one act on one user.",
        epilog=f"acts:\n{acts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("act", metavar="ACT", choices=list(ACTIONS), help="see below")
    command.add_argument("user", metavar="USER", help="id or login")
    command.add_argument("--factor", default="", help="the factor it is about")
    command.add_argument("--reason", default="", help="why")
    command.add_argument("--ticket", default="", help="the ticket it belongs to")
    command.add_argument(
        "--set", dest="sets", metavar="K=V", action="append", default=[], help="a value of the act"
    )
    command.add_argument(
        "--preview", action="store_true", help="say what it would do; change nothing"
    )
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=commands.perform)


def _add_web(to: Any, where: argparse.ArgumentParser) -> None:
    says = "Put the console on a page, for a browser of this machine"
    web = to.add_parser(
        "web",
        parents=[where],
        help=says,
        description=f"{says}. Needs the extra web. Whoever opens the link it says works as the "
        "agent it is started as, or signs in as themselves where the desk is elsewhere; a link "
        "counts once. It answers on this machine only: for others, put a proxy with a certificate "
        "before it.",
    )
    web.add_argument("--host", default="127.0.0.1", help="where to answer (127.0.0.1)")
    web.add_argument("--port", type=_port, default=8766, help="(8766; 0 for any)")
    web.add_argument(
        "--url", default="", metavar="URL", help="the proxy's address, as https://desk.example"
    )
    says = "a class: everybody rehearses, in a place of their own, by one link"
    web.add_argument("--training", action="store_true", help=says)
    says = "with --training: the call to play (all); may be said several times"
    web.add_argument("--scenario", action="append", default=[], metavar="NAME", help=says)
    says = f"with --training: trainees at once ({classes.SEATS})"
    web.add_argument("--seats", type=_count, default=classes.SEATS, metavar="N", help=says)
    says = f"with --training: minutes without a key that end a play ({classes.IDLE_MIN})"
    web.add_argument("--idle", type=_count, default=classes.IDLE_MIN, metavar="MIN", help=says)
    web.set_defaults(run=classes.on_a_page)


def _add_fixture(to: Any) -> None:
    says = "Make, check or start over a fixture"
    fixture = to.add_parser("fixture", help=says, description=f"{says}.")
    steps = fixture.add_subparsers(required=True, metavar="make|check|reset")
    make = steps.add_parser("make", help="make a fixture, the same bytes for the same seed")
    make.add_argument("--users", type=_count, default=240, help="how many (240)")
    make.add_argument("--seed", type=int, default=1, help="(1)")
    make.add_argument("--out", type=Path, required=True, metavar="FILE")
    make.set_defaults(run=commands.fixture_make)
    check = steps.add_parser(
        "check", help="say whether a fixture is right, or which field is wrong"
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=commands.fixture_check)
    reset = steps.add_parser("reset", help="start the demo over from the bundled fixture")
    reset.set_defaults(run=commands.fixture_reset)


def _add_sync(to: Any, where: argparse.ArgumentParser) -> None:
    says = "Send what waits, and bring over what you work with, from a desk over HTTP"
    sync = to.add_parser("sync", parents=[where], help=says, description=f"{says}.")
    sync.add_argument("--follow", action="store_true", help="go on for ever")
    sync.add_argument("--forget", action="store_true", help="forget all that this machine keeps")
    sync.set_defaults(run=commands.sync)


def _add_doctor(to: Any, where: argparse.ArgumentParser) -> None:
    says = "Examine a desk and what it stands on: rights, clocks, versions, what is not possible"
    doctor = to.add_parser("doctor", parents=[where], help=says, description=f"{says}.")
    doctor.add_argument("--json", action="store_true", help="answer in JSON")
    doctor.set_defaults(run=commands.doctor)


def _add_small(to: Any) -> None:
    schema = to.add_parser("schema", help="Print the JSON Schema of an answer")
    schema.add_argument(
        "name", nargs="?", choices=sorted(SCHEMA_NAMES), help="without one: list them"
    )
    schema.set_defaults(run=commands.schema)
    completion = to.add_parser("completion", help="Print a completion script for your shell")
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    completion.set_defaults(run=commands.completion, parser=partial(parser, is_whole=False))


def _sets(act: type[AnyAction]) -> str:
    fields = own_fields(act)
    return f" (--set {', '.join(f'{field}=…' for field in fields)})" if fields else ""


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{clean(text)} is not a number of seconds from 0 up")
    return float(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{clean(text)} is not a whole number from 0 up")
    return int(text)


def _port(text: str) -> int:
    port = _count(text)
    if port > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{port}: ports go up to {HIGHEST_PORT}")
    return port
