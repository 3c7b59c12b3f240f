"""The commands that say why it keeps asking, and how far a phone's clock is off."""

from __future__ import annotations

import argparse
import asyncio
import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from helpdesk import answers
from helpdesk.commands import bytes_of, opened
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.text import clean
from helpdesk.plain.case import verdict_text
from helpdesk.saying import answer, fail, fault, say
from helpdesk.service.desk import Desk


def why(given: argparse.Namespace) -> int:
    """Say why it keeps asking; exit code 2 where a case file was wrong."""
    if given.case or given.cases:
        if given.said:
            raise BadInput("--said is for a USER; a case file carries its own answers.")
        return _why_files(given)
    with opened(given, reads=not given.json) as desk:
        verdict = asyncio.run(_why_user(desk, given))
    answer(given, verdict, verdict_text(verdict))
    return 0


async def _why_user(desk: Desk, given: argparse.Namespace) -> Verdict:
    said = []
    for pair in given.said:
        ask, equals, reply = pair.partition("=")
        if not equals or not ask or not reply:
            raise BadInput(f"--said {clean(pair)}: say it as D1/D2=later.")
        said.append(CallerSaid(ask=ask, reply=reply))
    return await desk.why(given.user, said)


def _why_files(given: argparse.Namespace) -> int:
    from helpdesk.config import config_directory
    from helpdesk.domain.diagnosis.casefile import case_verdict, decode_case, verdict_line
    from helpdesk.products import load_cards

    cards = load_cards(config_directory() / "products")
    if given.case and not given.json:
        case = decode_case(bytes_of(given.case), file=str(given.case))
        say(verdict_text(case_verdict(case, cards, file=str(given.case))))
        return 0
    if given.case:
        case = decode_case(bytes_of(given.case), file=str(given.case))
        say(answers.as_line(verdict_line(case, cards, file=str(given.case))))
        return 0
    exit_code = 0
    for path in _case_files(given.cases):
        try:
            case = decode_case(bytes_of(path), file=path.name)
            say(answers.as_line(verdict_line(case, cards, file=path.name)))
        except BadInput as error:
            exit_code = fail(error, is_json=False)
        except Exception as error:  # noqa: BLE001  (the rest of the directory still runs)
            exit_code = fault(error)
    return exit_code


def _case_files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise BadFile(str(directory), "", "is not a directory")
    every = {path for path in directory.glob("*.json") if path.is_file()}
    # A bundle lies beside the case file that it holds: one trouble is judged once.
    found = sorted(path for path in every if path.with_suffix(".case.json") not in every)
    if not found:
        raise BadFile(str(directory), "", "holds no case file (*.json)")
    return found


def drift(given: argparse.Namespace) -> int:
    """Measure a phone's clock, and say the reading."""
    codes = given.codes
    if not codes and sys.stdin.isatty():
        codes = [getpass("The code the caller reads out (not shown): ")]
    if not codes:
        raise BadInput("Give the code that the caller reads out: helpdesk drift USER CODE [CODE].")
    with opened(given) as desk:
        reading = asyncio.run(desk.drift(given.user, given.factor, codes))
    answer(given, reading, clean(reading.says))
    return 0


def add_why(to: Any, where: argparse.ArgumentParser) -> None:
    """Add both commands to a parser."""
    says = "Say why it keeps asking: of a user, of a case file, of a directory of them"
    asks = to.add_parser("why", parents=[where], help=says, description=f"{says}.")
    what = asks.add_mutually_exclusive_group(required=True)
    what.add_argument("user", metavar="USER", nargs="?", help="id or login")
    what.add_argument("--case", type=Path, metavar="FILE", help="a case file (helpdesk-case/1)")
    what.add_argument("--cases", type=Path, metavar="DIR", help="case files: one JSON line each")
    asks.add_argument(
        "--said",
        metavar="ASK=REPLY",
        action="append",
        default=[],
        help="what the caller said to a question, such as D1/D2=later; for a USER",
    )
    asks.add_argument("--json", action="store_true", help="answer in JSON")
    asks.set_defaults(run=why)
    says = "Measure how far a phone's clock is off, from codes the caller reads out"
    measures = to.add_parser("drift", parents=[where], help=says, description=f"{says}.")
    measures.add_argument("user", metavar="USER", help="id or login")
    measures.add_argument(
        "codes", metavar="CODE", nargs="*", help="one code, or two in a row; asked for if not given"
    )
    measures.add_argument("--factor", default="", help="the authenticator, where there are several")
    measures.add_argument("--json", action="store_true", help="answer in JSON")
    measures.set_defaults(run=drift)
