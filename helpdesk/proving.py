"""The commands of proving a caller, of the second person, and of what waits or rings meanwhile."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from helpdesk.commands import opened
from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.proofs import Method
from helpdesk.domain.text import clean
from helpdesk.plain.case import handover_text
from helpdesk.plain.proving import approvals_text, asking_text, holds_text, proof_text, ways_text
from helpdesk.saying import answer
from helpdesk.service.desk import Desk


def prove(given: argparse.Namespace) -> int:
    """List the ways of proving a caller, ask over one, or check what was read back."""
    with opened(given) as desk:
        return asyncio.run(_prove_on(desk, given))


async def _prove_on(desk: Desk, given: argparse.Namespace) -> int:
    if given.answer is not None:
        proof = await desk.answer_proof(given.user, given.answer)
        answer(given, proof, proof_text(proof))
    elif given.method:
        method = Method(given.method)
        asking = await desk.ask_proof(
            given.user, method, channel=given.channel, ticket=given.ticket
        )
        answer(given, asking, asking_text(asking))
    else:
        ways = await desk.ways(given.user, given.act)
        answer(given, ways, ways_text(ways))
    return 0


def approvals(given: argparse.Namespace) -> int:
    """Say what waits for a second person, and what became of the rest of the day."""
    with opened(given) as desk:
        found = asyncio.run(desk.approvals())
    answer(given, found, approvals_text(found))
    return 0


def approve(given: argparse.Namespace) -> int:
    """Agree to a request, or refuse it."""
    with opened(given) as desk:
        found = asyncio.run(
            desk.approve(given.request, is_granted=not given.refuse, says=given.says)
        )
    answer(given, found, approvals_text((found,)))
    return 0


def alarms(given: argparse.Namespace) -> int:
    """Say what in the log of the last day a lead should look at."""
    with opened(given) as desk:
        found = asyncio.run(desk.alarms())
    text = "\n".join(clean(f"{one.at:%H:%M:%S}  {one.what}  {one.says}") for one in found)
    answer(given, found, text or "Nothing.")
    return 0


def holds(given: argparse.Namespace) -> int:
    """Say which resets wait and can be undone."""
    with opened(given) as desk:
        found = asyncio.run(desk.holds())
    answer(given, found, holds_text(found))
    return 0


def undo(given: argparse.Namespace) -> int:
    """Undo a reset that waits."""
    with opened(given) as desk:
        found = asyncio.run(desk.undo(given.hold))
    answer(given, found, holds_text((found,)))
    return 0


def phone(given: argparse.Namespace) -> int:
    """Say what a demo customer's devices show now."""
    with opened(given) as desk:
        shown = asyncio.run(desk.phone(given.user))
    text = "\n".join(map(handover_text, shown)) or "Nothing is shown."
    answer(given, shown, f"DEMO: the customer's devices\n{text}")
    return 0


def add_proving(to: Any, where: argparse.ArgumentParser) -> None:
    """Add the commands to a parser: who is on the line, and who agrees."""
    ways = " ".join(method.value for method in Method)
    proves = to.add_parser(
        "prove",
        parents=[where],
        help="Prove the caller: ask over a channel on record, then check what they read back",
        description="Without --method: list the ways. With it: ask. With --answer: check.",
    )
    proves.add_argument("user", metavar="USER", help="id or login")
    proves.add_argument("--method", choices=[method.value for method in Method], help=ways)
    proves.add_argument("--channel", default="", help="the factor, or who vouches, if several fit")
    proves.add_argument("--ticket", default="", help="the ticket it belongs to")
    proves.add_argument(
        "--answer", default=None, help="what the caller read back, or what was seen"
    )
    proves.add_argument(
        "--for",
        dest="act",
        default="",
        choices=["", *ACTIONS],
        help="mark what rules itself out for an act",
    )
    proves.add_argument("--json", action="store_true", help="answer in JSON")
    proves.set_defaults(run=prove)
    asked = to.add_parser("approvals", parents=[where], help="List what waits for a second person")
    asked.add_argument("--json", action="store_true", help="answer in JSON")
    asked.set_defaults(run=approvals)
    agrees = to.add_parser(
        "approve", parents=[where], help="Agree to a request as second person, or refuse"
    )
    agrees.add_argument("request", metavar="REQUEST", help="its id, from approvals")
    agrees.add_argument("--refuse", action="store_true", help="refuse it")
    agrees.add_argument("--says", default="", help="why")
    agrees.add_argument("--json", action="store_true", help="answer in JSON")
    agrees.set_defaults(run=approve)
    rings = to.add_parser(
        "alarms", parents=[where], help="List what a lead should look at in the log"
    )
    rings.add_argument("--json", action="store_true", help="answer in JSON")
    rings.set_defaults(run=alarms)
    waits = to.add_parser("holds", parents=[where], help="List resets that wait and can be undone")
    waits.add_argument("--json", action="store_true", help="answer in JSON")
    waits.set_defaults(run=holds)
    undoes = to.add_parser("undo", parents=[where], help="Undo a reset that waits")
    undoes.add_argument("hold", metavar="HOLD", help="its id, from holds")
    undoes.add_argument("--json", action="store_true", help="answer in JSON")
    undoes.set_defaults(run=undo)
    shows = to.add_parser(
        "phone", parents=[where], help="Demo only: what the customer's telephone shows"
    )
    shows.add_argument("user", metavar="USER", help="id or login")
    shows.add_argument("--json", action="store_true", help="answer in JSON")
    shows.set_defaults(run=phone)
