"""The commands that put a desk or a console where others reach it, until they are told to stop."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpdesk.commands import opened
from helpdesk.domain.errors import BadInput
from helpdesk.extras import lacks
from helpdesk.saying import say


def serve(given: argparse.Namespace) -> int:
    """Put a desk behind HTTP, until it is told to stop."""
    from helpdesk.config import load_config

    try:
        import litestar
        import uvicorn
    except ImportError as error:
        raise lacks("serve", "gateway", error) from error
    del litestar, uvicorn
    from helpdesk.hosting import Wanted
    from helpdesk.listening import serve as listen

    wanted = Wanted(
        desk=given.desk,
        store=given.store,
        read_from=given.read_from,
        read_lag_s=given.read_lag,
        imported=given.imported,
        host=given.host,
        port=given.port,
        is_dev=given.dev,
    )
    listen(wanted, load_config(os.environ), say)
    return 0


def withdraw(given: argparse.Namespace) -> int:
    """Take an agent off a desk that is served, or say who is."""
    try:
        from helpdesk.withdrawing import Wish, carry_out
    except ImportError as error:
        raise lacks("withdraw", "gateway", error) from error
    wish = Wish(
        agent=given.agent,
        store=given.store,
        reason=given.reason,
        ends_sign_ins=given.sign_ins,
        lets_in=given.again,
    )
    for line in carry_out(wish):
        say(line)
    return 0


def web(given: argparse.Namespace) -> int:
    """Put the console on a page, until it is told to stop."""
    check_web()
    from helpdesk.config import load_config
    from helpdesk.reaching import checked, elsewhere
    from helpdesk.web import Wanted
    from helpdesk.web import serve as serve_page

    config = load_config(os.environ)
    address = elsewhere(config, given.desk)
    if address and given.who:
        raise BadInput("At a desk over HTTP you work as whoever signs in, not as somebody.")
    if address:
        who = f"signs in at {checked(address)}, as themselves"
    else:
        with opened(given) as desk:  # what is wrong with it is said here, not on every page
            agent = f"{desk.agent.name} ({desk.agent.id}), {desk.agent.role.words}"
            who = f"works as {agent}, at {desk.label}"
    wanted = Wanted(
        host=given.host,
        port=given.port,
        url=given.url,
        desk=given.desk,
        who=given.who,
        theme=given.theme,
    )
    serve_page(wanted, who, say)
    return 0


def check_web() -> None:
    """Raise `BadInput` where what puts pages on the web is not installed."""
    try:
        import aiohttp
        import textual_serve
    except ImportError as error:
        raise lacks("web", "web", error) from error
    del aiohttp, textual_serve


def add_serve(to: Any, port: Callable[[str], int], seconds: Callable[[str], float]) -> None:
    """Add the command to a parser; *port* and *seconds* read numbers that are typed."""
    says = "Put a desk behind HTTP, for many agents"
    hosts = to.add_parser("serve", help=says, description=f"{says}. Needs the extra gateway.")
    hosts.add_argument(
        "--import", dest="imported", type=Path, metavar="FILE", help="a fixture to begin with"
    )
    provider = "where people are kept: privacyidea+https://…, connectors, or a profile of those"
    hosts.add_argument("--desk", metavar="URI", default=argparse.SUPPRESS, help=provider)
    hosts.add_argument("--store", default="", metavar="URL", help="where its record is kept")
    replica = "a replica that lists may be read from, postgresql://…"
    hosts.add_argument("--read-from", default="", metavar="URL", help=replica)
    hosts.add_argument(
        "--read-lag", type=seconds, default=2.0, metavar="S", help="how old they may be (2)"
    )
    hosts.add_argument("--host", default="127.0.0.1", help="where to answer (127.0.0.1)")
    hosts.add_argument("--port", type=port, default=8765, help="(8765; 0 for any)")
    hosts.add_argument(
        "--dev", action="store_true", help="sign agents in here, by codes, on this machine only"
    )
    hosts.set_defaults(run=serve)


def add_withdraw(to: Any) -> None:
    """Add the command that takes agents off a desk to a parser."""
    says = "Take an agent off a desk that is served, at once, whatever their issuer says"
    command = to.add_parser(
        "withdraw",
        help=says,
        description=f"{says}. Run it where the desk's store is reached from. Without AGENT it "
        "lists who is withdrawn.",
    )
    command.add_argument("agent", nargs="?", default="", metavar="AGENT", help="the agent's id")
    command.add_argument("--store", default="", metavar="URL", help="where the record is kept")
    command.add_argument("--reason", default="", help="why")
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--sign-ins", action="store_true", help="only end the sign-ins there are; a new one counts"
    )
    which.add_argument("--again", action="store_true", help="let a withdrawn agent sign in again")
    command.set_defaults(run=withdraw)
