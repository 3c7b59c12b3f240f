"""What the page is made of, and what is asked of everybody who calls for a part of it.

Every request: the right host (no other name leads here), then the key or the badge, then the right
origin (no other page speaks for it). Anything else is answered 403 with a sentence.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from helpdesk.web.console import Console, cells
from helpdesk.web.door import LINK, Door, Entry

CONSOLES: Final = 20
"""Consoles at once; each is a process of some 100 MB."""

MESSAGE_LIMIT: Final = 1_000_000
"""Bytes of one message from a page; a paste is far below."""

HEARTBEAT_S: Final = 15.0
"""Seconds between two looks whether the browser is still there."""

BADGE: Final = "helpdesk-badge"
"""The cookie's name."""

CONSOLE: Final = "console"
"""The name of the route that leads to a console."""

_HERE = Path(__file__).parent
_THEIRS = Path(textual_serve.__file__).parent / "static"

FILES: Final = {
    "page.css": _HERE / "page.css",
    "page.js": _HERE / "page.js",
    "xterm.css": _THEIRS / "css" / "xterm.css",
    "textual.js": _THEIRS / "js" / "textual.js",
    "mono.ttf": _THEIRS / "fonts" / "RobotoMono-VariableFont_wght.ttf",
}
"""All files that are given away."""

ENTER_AGAIN: Final = (
    "Open the link that helpdesk web said last, in this browser. Each link counts once."
)


class Site:
    """The page, its files and its consoles.

    Args:
        command: What starts a console.
        more: What its environment has besides ours.
        origin: The one address it is heeded by: scheme, host and port.
        tell: Says a link's path to whoever sits at the terminal.
    """

    FORMS, REFERRER = "'none'", "no-referrer"
    """Where forms may lead, and what is said to whom of the address one came from."""

    MAY: tuple[str, ...] = ("allow-scripts", "allow-same-origin")
    """What the page may do in its sandbox."""

    SAME_SITE = "Strict"
    """From where a browser may come with its cookie; consoles and forms name their origin."""

    def __init__(
        self,
        command: Sequence[str],
        more: Mapping[str, str],
        origin: str,
        tell: Callable[[str], None],
    ) -> None:
        self.door = Door(tell)
        self._command, self._more, self._origin = command, more, origin
        self._scheme, _, self._host = origin.partition("://")
        self._socket = f"{'wss' if self._scheme == 'https' else 'ws'}://{self._host}"
        self._files = FILES
        self._pages: set[web.WebSocketResponse] = set()

    def app(self) -> web.Application:
        """Give the application that answers."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get(LINK + "{key}", self._enter, allow_head=False)
        app.router.add_get("/{room}/", self._page, allow_head=False)
        app.router.add_get("/{room}/ws", self._console, name=CONSOLE, allow_head=False)
        app.router.add_get("/{room}/{file}", self._file, allow_head=False)
        app.on_response_prepare.append(self._dress)
        app.on_shutdown.append(self._close)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through who may come in; say to others why they may not."""
        if request.headers.getall("Host", []) != [self._host]:
            return refused(f"This page answers at {self._origin} only.")
        origins = request.headers.getall("Origin", [])
        must_say = request.method != "GET" or request.match_info.route.name == CONSOLE
        if origins != [self._origin] and (origins or must_say):
            return refused("Another page may not speak for this one.")
        room, badge = request.match_info.get("room", ""), request.cookies.get(BADGE, "")
        if "key" not in request.match_info and not self.door.is_in(room, badge):
            return refused(ENTER_AGAIN)
        return await handler(request)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        """Take a key, give a room and the badge for it."""
        is_guess = "prefetch" in request.headers.get("Sec-Purpose", "")  # nobody has opened it yet
        entry = None if is_guess else self.door.enter(request.match_info["key"])
        return self._led(entry) if entry else refused(ENTER_AGAIN)

    def _led(self, entry: Entry) -> web.Response:
        """Lead a browser into its room, with the badge for it."""
        path = f"/{entry.room}/"
        response = web.Response(status=303, headers={"Location": path})
        self._give(response, BADGE, entry.badge, path)
        return response

    def _give(self, response: web.Response, name: str, value: str, path: str) -> None:
        is_secure = self._scheme == "https"
        response.set_cookie(
            name, value, path=path, httponly=True, samesite=self.SAME_SITE, secure=is_secure
        )

    async def _page(self, request: web.Request) -> web.StreamResponse:
        socket = html.escape(f"{self._socket}/{request.match_info['room']}/ws")
        text = (_HERE / "page.html").read_text("utf-8").replace("{socket}", socket)
        return web.Response(text=text, content_type="text/html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.match_info["file"])
        return web.FileResponse(path) if path else refused("There is no such file.", status=404)

    async def _console(self, request: web.Request) -> web.StreamResponse:
        """Start a console and speak with it until one of the two ends."""
        if len(self._pages) >= CONSOLES:
            return refused(f"{CONSOLES} consoles are open; close one first.", status=503)
        page = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_LIMIT)
        return await self._speak(request, page, Console(self._command, self._more, page))

    async def _speak(
        self, request: web.Request, page: web.WebSocketResponse, console: Console
    ) -> web.StreamResponse:
        self._pages.add(page)
        try:
            await page.prepare(request)
            await console.start(*_size(request))
            async for message in page:
                if message.type is WSMsgType.TEXT:
                    await console.heed(message.data)
        finally:
            await console.stop()
            self._pages.discard(page)
        return page

    async def _close(self, _app: web.Application) -> None:
        for page in list(self._pages):
            await page.close(code=1001)

    async def _dress(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Bind every answer to this page: it loads, opens, keeps and is framed by nothing else."""
        response.headers.update(
            {
                "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
                "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:; "
                f"connect-src {self._socket}; base-uri 'none'; form-action {self.FORMS}; "
                f"frame-ancestors 'none'; sandbox {' '.join(self.MAY)}",
                "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Permissions-Policy": "clipboard-read=()",
                "Referrer-Policy": self.REFERRER,
                "Server": "helpdesk",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
            }
        )


def refused(why: str, *, status: int = 403) -> web.Response:
    """Return the answer to whoever may not have what they asked for."""
    return web.Response(status=status, text=f"{why}\n")


def _size(request: web.Request) -> tuple[int, int]:
    width, height = request.query.get("width", ""), request.query.get("height", "")
    if not (width.isdecimal() and height.isdecimal() and len(width + height) < 12):
        return 80, 24
    return cells(int(width), int(height))
