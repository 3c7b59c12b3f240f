"""What `helpdesk serve` does: it listens, signs agents in and answers, by the settings.

helpdesk serve ─▶ desks_at (which store?) + sign-ins (an issuer, or --dev's own) ─▶ Gateway
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from helpdesk.config import Config
from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import BadFile, BadInput, Unreachable
from helpdesk.domain.text import clean
from helpdesk.hosting import SqlDesks, Wanted, desks_at

if TYPE_CHECKING:
    from litestar import Router

    from helpdesk.gateway.devissuer import DevIssuer
    from helpdesk.gateway.server import SignIns

SWITCH_S: Final = 0.0005
"""How long a thread that computes keeps the others waiting: the loop is one of those."""

YOUNG: Final = 50_000
"""So many new values before the garbage collector looks; most of an answer is let go without it."""

ISSUER: Final = "/issuer"
"""Where the issuer of `--dev` is mounted."""


def serve(wanted: Wanted, config: Config, say: Callable[[str], None]) -> None:
    """Answer until it is told to stop.

    Raises:
        BadInput: The settings name no issuer, or it would answer others than this machine in clear.
    """
    from helpdesk.domain.addresses import is_loopback  # noqa: PLC0415  (only where it serves)

    serving = config.serve
    is_secure = bool(serving.certificate and serving.key)
    if not is_loopback(wanted.host) and (wanted.is_dev or not is_secure):
        why = "--dev signs in on this machine only" if wanted.is_dev else _CLEAR
        raise BadInput(f"{clean(wanted.host, limit=80)}: {why}.")
    with _listener(wanted) as listener:
        port = listener.getsockname()[1]
        host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
        url = f"{'https' if is_secure else 'http'}://{host}:{port}"
        desks = desks_at(wanted, config)
        try:
            _run(desks, wanted, config, listener, url, say)
        finally:
            desks.close()


_CLEAR: Final = (
    "beyond this machine a certificate is needed: certificate and key under [serve] in "
    "helpdesk.toml, or a proxy on this machine that has one"
)


def _listener(wanted: Wanted) -> socket.socket:
    try:
        return socket.create_server((wanted.host, wanted.port), family=_family(wanted.host))
    except OSError as error:
        where = f"{clean(wanted.host, limit=80)}, port {wanted.port}"
        says = os.strerror(error.errno) if error.errno else str(error)
        raise Unreachable(
            f"{where}: cannot be listened at: {says}. Another port: --port."
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _run(
    desks: SqlDesks,
    wanted: Wanted,
    config: Config,
    listener: socket.socket,
    url: str,
    say: Callable[[str], None],
) -> None:
    from helpdesk.gateway.running import Server, run  # noqa: PLC0415
    from helpdesk.gateway.server import Gateway  # noqa: PLC0415
    from helpdesk.gateway.watch import log_to  # noqa: PLC0415

    sign_ins, pages, described = _sign_ins(wanted, config, desks.agents, url, say)
    gateway = Gateway(desks, sign_ins, pages=pages, described=described)
    log_to(sys.stderr)
    settle_in()
    server = Server(gateway, certificate=config.serve.certificate, key=config.serve.key)
    say(f"The desk answers at {url}. Open it elsewhere with: helpdesk --desk {url}")
    run(server, listener)


def settle_in() -> None:
    """Let threads and garbage collector of this process do what suits one that answers for long.

    What was loaded by now stays, and is not looked through again and again.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()
    gc.set_threshold(YOUNG)


def _sign_ins(
    wanted: Wanted,
    config: Config,
    agents: Sequence[Agent],
    url: str,
    say: Callable[[str], None],
) -> tuple[SignIns, list[Router], dict[str, Any]]:
    """Return who reads the tokens, the pages that come with it, and what consoles are told."""
    if wanted.is_dev:
        dev = _dev_issuer(url, agents, say)
        return dev.tokens(), [dev.router()], dev.issuer.described(url)
    from helpdesk.gateway.issuers import Issuer  # noqa: PLC0415
    from helpdesk.gateway.tokens import Tokens  # noqa: PLC0415

    if not config.serve.issuer:
        raise BadInput(
            "Who signs agents in? Name it under [serve.issuer] in helpdesk.toml (url, audience, "
            "client_id), or try it on this machine with --dev."
        )
    try:
        issuer = msgspec.convert(config.serve.issuer, Issuer)
    except msgspec.ValidationError as error:
        says = str(error).replace("`$.", "`")
        raise BadFile("helpdesk.toml", "[serve.issuer]", clean(says)) from error
    return Tokens(issuer), [], issuer.described(url)


def _dev_issuer(url: str, agents: Sequence[Agent], say: Callable[[str], None]) -> DevIssuer:
    from helpdesk.gateway.devissuer import DevIssuer  # noqa: PLC0415

    say("Anybody with one of these codes works as that agent. Each counts once; the next is said.")
    return DevIssuer(
        f"{url}{ISSUER}",
        agents,
        tell=lambda agent, code: say(
            clean(f"  {code}  {agent.name} ({agent.id}), {agent.role.words}")
        ),
    )
