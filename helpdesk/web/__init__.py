"""The console on a page: `helpdesk web`, for those who may not install anything.

    link, counts once ─▶ Door ─▶ room and cookie ─▶ page ─▶ websocket ─▶ one console process a tab

A class has a page of its own kind, in `classroom`: one link for all, and rehearsals behind it.

The page is answered on this machine only. Others reach it through a proxy on this machine that has
a certificate; its address is then the only one that is heeded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.text import clean

if TYPE_CHECKING:
    from helpdesk.stores.classes import Classbook
    from helpdesk.web.classroom import Plan
    from helpdesk.web.site import Site

PORT: Final = 8766

LAST_S: Final = 8.0
"""Seconds that the consoles have to end when the page is told to stop."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        host: Where to answer: a name or an address of this machine's own.
        port: 0 for any that is free.
        url: The address of the proxy that others reach it by; empty where there is none.
        desk: The desk of every console, as `--desk` takes it; empty for that of the settings.
        who: The role or agent of every console; empty for that of the settings.
        theme: How the consoles look; empty for the theme of the settings.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    url: str = ""
    desk: str = ""
    who: str = ""
    theme: str = ""


def serve(wanted: Wanted, who: str, say: Callable[[str], None]) -> None:
    """Answer until it is told to stop.

    Args:
        wanted: What the command line asks for.
        who: What whoever opens the link does: `works as …`, `signs in at …`.
        say: Tells the person at the terminal.

    Raises:
        BadInput: It would answer others than this machine; an address or port is none.
        Unreachable: The port is not free.
    """
    from helpdesk.web.site import Site  # noqa: PLC0415  (only where it serves)

    _check(wanted)
    with _listener(wanted) as listener:
        origin = origin_of(wanted, listener.getsockname()[1])

        def tell(path: str) -> None:
            say(f"  {origin}{path}")

        beyond = "on this machine only" if not wanted.url else "through the proxy"
        say(
            f"The console answers at {origin}, {beyond}. Whoever opens the link "
            f"{clean(who, limit=300)}. A link counts once; the next is then said here."
        )
        site = Site(command(wanted), surroundings(), origin, tell)
        asyncio.run(_answer(site, listener))


def serve_class(
    wanted: Wanted, plan: Plan, book: Classbook, settings: Path, say: Callable[[str], None]
) -> None:
    """Answer a class until it is told to stop.

    Args:
        wanted: What the command line asks for; its desk and its agent are none.
        plan: What the class may do.
        book: Where the places and the records of the class are.
        settings: The directory with the trainer's own scenarios and cards.
        say: Tells the trainer at the terminal.

    Raises:
        BadInput, Unreachable: As `serve`.
    """
    from helpdesk.web.classroom import Classroom  # noqa: PLC0415

    _check(wanted)
    with _listener(wanted) as listener:
        origin = origin_of(wanted, listener.getsockname()[1])

        def tell(path: str) -> None:
            say(f"  {origin}{path}  for you: who plays what; it counts once")

        def play(trainee: str, call: str) -> list[str]:
            return [
                *command(Wanted(theme=wanted.theme)),
                "train",
                "--trainee",
                trainee,
                "play",
                call,
            ]

        more = surroundings() | {"HELPDESK_CONFIG_DIR": str(settings)}
        room = Classroom(play, more, origin, tell, book, plan)
        beyond = "on this machine only" if not wanted.url else "through the proxy"
        say(
            f"Class {book.name} answers at {origin}, {beyond}, until this ends (Ctrl+C). "
            f"Places for {plan.seats}; invented data only."
        )
        say(f"  {origin}{room.link.path}  for the class: all may use it")
        asyncio.run(_answer(room, listener))


def origin_of(wanted: Wanted, port: int) -> str:
    """Return the one address that browsers may use, as they write it in `Origin`.

    Raises:
        BadInput: The proxy's address is not https, or more than a host.
    """
    if not wanted.url:
        host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
        return f"http://{host}" if port == 80 else f"http://{host}:{port}"
    try:
        parts = urlsplit(wanted.url)
        host, at = parts.hostname or "", parts.port
    except ValueError:
        parts, host, at = urlsplit(""), "", None
    beyond = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme != "https" or not host or beyond or not host.isascii():
        shown = clean(wanted.url, limit=200)
        raise BadInput(f"--url {shown}: say the proxy's address as https://desk.example.")
    host = f"[{host}]" if ":" in host else host
    return f"https://{host}" if at in {None, 443} else f"https://{host}:{at}"


def command(wanted: Wanted) -> list[str]:
    """Return the arguments that start one console: this very Python and this very package."""
    given = {"--desk": wanted.desk, "--as": wanted.who, "--theme": wanted.theme}
    options = [f"{name}={value}" for name, value in given.items() if value]
    # -P: what lies in the working directory is never taken for a part of the program.
    return [sys.executable, "-P", "-m", "helpdesk", *options]


def surroundings() -> dict[str, str]:
    """Return what the environment of a console has besides ours, to find this very package."""
    root = str(Path(__file__).resolve().parent.parent.parent)
    if root in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        return {}
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [root, before]))}


def _check(wanted: Wanted) -> None:
    from helpdesk.domain.addresses import is_loopback  # noqa: PLC0415

    if not is_loopback(wanted.host):
        raise BadInput(
            f"{clean(wanted.host, limit=80)}: helpdesk web answers on this machine only. For "
            "others, put a proxy with a certificate before it, and name its address with --url."
        )


def _listener(wanted: Wanted) -> socket.socket:
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    try:
        return socket.create_server((wanted.host, wanted.port), family=family)
    except OSError as error:
        where = f"{wanted.host}, port {wanted.port}"
        says = os.strerror(error.errno) if error.errno else str(error)
        raise Unreachable(
            f"{where}: cannot be listened at: {says}. Another port: --port."
        ) from error


async def _answer(site: Site, listener: socket.socket) -> None:
    from aiohttp import web  # noqa: PLC0415

    # No access log: the path of a link is the way in.
    runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=LAST_S)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        site.door.renew()
        await _told_to_stop()
    finally:
        await runner.cleanup()


async def _told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows, where Ctrl+C ends the run itself
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            loop.add_signal_handler(signal.Signals[name], told.set)
    await told.wait()
