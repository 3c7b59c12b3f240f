"""The command line: reads arguments, opens a desk, hands over.

exit  0 done · 2 usage · 3 refused by policy · 4 not found · 5 unreachable · 6 needs something first
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from helpdesk import __version__
from helpdesk.domain.actions import ACTIONS, AnyAction, own_fields, summary
from helpdesk.domain.errors import BadInput, HelpdeskError
from helpdesk.domain.text import clean
from helpdesk.service.desk import Desk

YES, NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are safe to print, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong and leave with exit code 2."""
        super().error(clean(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, or the console without one; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except HelpdeskError as error:
        return _fail(error, is_json=getattr(given, "json", False))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = Parser(
        prog="helpdesk",
        description="The console for the call that begins: it keeps asking me for a code. "
        "Without a command it opens full-screen on the demo fixture.",
        epilog="exit codes: 0 done, 2 usage, 3 refused by policy, 4 not found, 5 unreachable, "
        "6 needs something first",
    )
    top.add_argument("--version", action="version", version=f"helpdesk {__version__}")
    top.add_argument("--theme", default="", help="dark, light, high-contrast or monochrome")
    where = _where(argparse.SUPPRESS)
    _add_where(top, "")
    top.set_defaults(run=_console)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    _add_lists(commands, where)
    _add_case(commands, where)
    _add_perform(commands, where)
    _add_fixture(commands)
    _add_small(commands)
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
        help="a fixture file or a profile of helpdesk.toml",
    )
    to.add_argument(
        "--as", dest="who", metavar="ROLE|AGENT", default=default, help="work as this role or agent"
    )


def _add_lists(commands: Any, where: argparse.ArgumentParser) -> None:
    from helpdesk.answers import LISTS  # noqa: PLC0415  (the console starts without it)

    for name, (says, _) in LISTS.items():
        command = commands.add_parser(name, parents=[where], help=says, description=f"{says}.")
        command.add_argument(
            "text",
            nargs="*",
            metavar="TEXT",
            help="words and filters: product:partner state:locked loop:yes ticket:yes sort:name",
        )
        command.add_argument("--limit", type=_count, default=50, help="rows to give (50)")
        command.add_argument("--offset", type=_count, default=0, help="rows to skip (0)")
        command.add_argument("--json", action="store_true", help="answer in JSON")
        command.set_defaults(run=_list, command=name)


def _add_case(commands: Any, where: argparse.ArgumentParser) -> None:
    says = "Show everything about one user"
    command = commands.add_parser("case", parents=[where], help=says, description=f"{says}.")
    command.add_argument("user", metavar="USER", help="id or login")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=_case)


def _add_perform(commands: Any, where: argparse.ArgumentParser) -> None:
    acts = "\n".join(f"  {name:<16}{summary(act)}{_sets(act)}" for name, act in ACTIONS.items())
    command = commands.add_parser(
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
    command.set_defaults(run=_perform)


def _add_fixture(commands: Any) -> None:
    says = "Make, check or start over a fixture"
    fixture = commands.add_parser("fixture", help=says, description=f"{says}.")
    steps = fixture.add_subparsers(required=True, metavar="make|check|reset")
    make = steps.add_parser("make", help="make a fixture, the same bytes for the same seed")
    make.add_argument("--users", type=_count, default=240, help="how many (240)")
    make.add_argument("--seed", type=int, default=1, help="(1)")
    make.add_argument("--out", type=Path, required=True, metavar="FILE")
    make.set_defaults(run=_fixture_make)
    check = steps.add_parser(
        "check", help="say whether a fixture is right, or which field is wrong"
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_fixture_check)
    reset = steps.add_parser("reset", help="start the demo over from the bundled fixture")
    reset.set_defaults(run=_fixture_reset)


def _add_small(commands: Any) -> None:
    from helpdesk.answers import SCHEMAS  # noqa: PLC0415

    schema = commands.add_parser("schema", help="Print the JSON Schema of an answer")
    schema.add_argument("name", nargs="?", choices=sorted(SCHEMAS), help="without one: list them")
    schema.set_defaults(run=_schema)
    completion = commands.add_parser("completion", help="Print a completion script for your shell")
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    completion.set_defaults(run=_completion)


def _sets(act: type[AnyAction]) -> str:
    fields = own_fields(act)
    return f" (--set {', '.join(f'{field}=…' for field in fields)})" if fields else ""


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{clean(text)} is not a whole number from 0 up")
    return int(text)


def _open(given: argparse.Namespace) -> Any:
    from helpdesk.config import load_config  # noqa: PLC0415
    from helpdesk.wiring import open_desk  # noqa: PLC0415

    return open_desk(load_config(os.environ), given.desk, given.who)


def _console(given: argparse.Namespace) -> int:
    from helpdesk.config import load_config  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("The console needs a terminal. Without one, use a command: helpdesk --help")
    theme = given.theme or load_config(os.environ).theme
    with _open(given) as desk:
        from helpdesk.tui.app import run  # noqa: PLC0415

        return int(run(desk, theme=theme or None))


def _list(given: argparse.Namespace) -> int:
    from helpdesk import answers  # noqa: PLC0415
    from helpdesk.domain.search import parse  # noqa: PLC0415

    with _open(given) as desk:
        query = parse(
            " ".join(given.text), [(c.id, f"{c.name} {c.short}") for c in desk.cards.values()]
        )
        ask = getattr(desk, given.command)
        page = asyncio.run(ask(query, offset=given.offset, limit=given.limit))
        text = answers.LISTS[given.command][1](page, dict(desk.cards))
    _say(answers.as_json(page) if given.json else text)
    return 0


def _case(given: argparse.Namespace) -> int:
    from helpdesk import answers  # noqa: PLC0415
    from helpdesk.domain.cases import case_data  # noqa: PLC0415

    with _open(given) as desk:
        case = asyncio.run(desk.case(given.user))
        text = answers.case_text(case, desk.cards[case.user.product])
    _say(answers.as_json(case_data(case)) if given.json else text)
    return 0


def _perform(given: argparse.Namespace) -> int:
    with _open(given) as desk:
        return asyncio.run(_perform_on(desk, given))


async def _perform_on(desk: Desk, given: argparse.Namespace) -> int:
    from helpdesk import answers  # noqa: PLC0415

    action = action_of(given)
    action = msgspec.structs.replace(action, user=(await desk.case(action.user)).user.id)
    if given.preview:
        weighed = await desk.weigh(action)
        _say(
            answers.as_json(answers.previewed(weighed))
            if given.json
            else answers.weighed_text(weighed)
        )
        return 0
    outcome = await desk.perform(action)
    if given.json:
        _say(answers.as_json(answers.performed(action.name, outcome)))
        return 0
    _say(clean(outcome.says))
    if action.name == "reveal":
        _say(answers.case_text(outcome.case, desk.cards[outcome.case.user.product]))
    if outcome.handover:
        _say(answers.handover_text(outcome.handover))
        if outcome.handover.uri:
            import segno  # noqa: PLC0415

            segno.make(outcome.handover.uri).terminal(compact=True)
    return 0


def action_of(given: argparse.Namespace) -> AnyAction:
    """Return the action that the arguments of `perform` describe.

    Raises:
        BadInput: A value is not one of the act's own, or not of its form.
    """
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


def _fixture_make(given: argparse.Namespace) -> int:
    from helpdesk.fixture.make import make  # noqa: PLC0415

    make(given.users, given.seed, given.out)
    _say(f"{given.out}: {given.users} users, seed {given.seed}.")
    return 0


def _fixture_check(given: argparse.Namespace) -> int:
    from helpdesk.config import config_directory  # noqa: PLC0415
    from helpdesk.fixture.check import check  # noqa: PLC0415
    from helpdesk.products import load_cards  # noqa: PLC0415

    counts = check(given.file, frozenset(load_cards(config_directory() / "products")))
    told = ", ".join(f"{number} {table}" for table, number in msgspec.to_builtins(counts).items())
    _say(f"{given.file}: right. {told}.")
    return 0


def _fixture_reset(given: argparse.Namespace) -> int:
    from helpdesk.wiring import reset_demo  # noqa: PLC0415

    _say(f"{reset_demo()}: as it was at the start. The one before is beside it, as .bak.")
    return 0


def _schema(given: argparse.Namespace) -> int:
    from helpdesk import answers  # noqa: PLC0415

    _say(
        answers.as_json(answers.schema(given.name))
        if given.name
        else "\n".join(sorted(answers.SCHEMAS))
    )
    return 0


def _completion(given: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415

    _say(shtab.complete(parser(), shell=given.shell))
    return 0


def _fail(error: HelpdeskError, *, is_json: bool) -> int:
    from helpdesk import answers  # noqa: PLC0415

    if is_json:
        _say(answers.as_json(answers.failure(error)))
    else:
        sys.stderr.write(f"helpdesk: {clean(str(error))}\n")
    return error.exit_code


def _say(text: str) -> None:
    """Write to standard output; the one place where the command line speaks."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
