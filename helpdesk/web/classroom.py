"""A class on a page: one link for all, and behind it rehearsals only, each in a place of its own.

    class link, a name ─▶ seat: room, badge, data directory ─▶ list of calls ─▶ one play at a time
    trainer's link, counts once ─▶ who plays what, marks, CSV and JSON

Whoever has the class link may play, and nothing else: no desk of the settings is opened, the
processes know no secret of ours, and what they write lies in the place of their seat.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean
from helpdesk.domain.training.debriefing import class_csv
from helpdesk.stores.classes import Classbook
from helpdesk.web import pages
from helpdesk.web.door import LINK, ClassLink, Entry
from helpdesk.web.play import PlayConsole
from helpdesk.web.site import (
    CONSOLE,
    FILES,
    HEARTBEAT_S,
    MESSAGE_LIMIT,
    Site,
    refused,
)

LONGEST_NAME: Final = 40
"""Characters of a trainee's name."""

FORM_LIMIT: Final = 4_096
"""Bytes of what a browser may send at once besides keys."""

KNOWN: Final = "helpdesk-class"
"""The cookie by which a browser that opens the class link anew is led to its room."""

LOOK_S: Final = 5.0
"""Seconds between two looks who is idle."""

JOIN_AGAIN: Final = "Open the link of the class again, in this browser."


class Plan(Struct, frozen=True, kw_only=True):
    """What a class may do.

    Attributes:
        calls: What there is to choose from; one alone where the trainer set it.
        seats: How many may be in at once.
        idle_s: Seconds without a key after which a play is ended, and a name is free again.
        memory: Bytes of data one play may have; 0 for as many as there are.
    """

    calls: tuple[pages.Call, ...]
    seats: int
    idle_s: float
    memory: int


class Seat:
    """One trainee who is in.

    Attributes:
        entry: The room and the badge of their browser.
        page: The websocket of the play that is on; None where they choose.
    """

    def __init__(self, number: int, name: str, place: Path, entry: Entry) -> None:
        self.number, self.name, self.place, self.entry = number, name, place, entry
        self.page: web.WebSocketResponse | None = None
        self.console: PlayConsole | None = None
        self.seen_at = time.monotonic()

    def idle_s(self) -> float:
        """Give the seconds since they last pressed a key or opened a page."""
        heard_at = self.console.heard_at if self.console else 0.0
        return time.monotonic() - max(self.seen_at, heard_at)


class Classroom(Site):
    """The page of a class.

    Args:
        command: What starts a play, less who plays what: the seat's and the call's name follow.
        more: What the environment of a play has besides what every program needs.
        origin: The one address it is heeded by.
        tell: Says the path of a trainer's link to whoever sits at the terminal.
        book: Where the places and the records are.
        plan: What the class may do.
    """

    FORMS, REFERRER = "'self'", "same-origin"  # a form without a referrer names no origin
    MAY = (*Site.MAY, "allow-forms", "allow-downloads")
    SAME_SITE = "Lax"  # the link of a class is opened from letters and chats, again and again

    def __init__(
        self,
        command: Callable[[str, str], Sequence[str]],
        more: Mapping[str, str],
        origin: str,
        tell: Callable[[str], None],
        book: Classbook,
        plan: Plan,
    ) -> None:
        super().__init__((), more, origin, tell)
        self.link = ClassLink()
        self._play, self._book, self._plan = command, book, plan
        self._calls = {call.name: call for call in plan.calls}
        self._files = FILES | pages.FILES
        self._seats: dict[str, Seat] = {}
        self._by_name: dict[str, int] = {}

    def app(self) -> web.Application:
        """Give the application that answers."""
        app = web.Application(middlewares=[self._guard], client_max_size=FORM_LIMIT)
        app.router.add_get(ClassLink.PATH + "{key}", self._ask_name, allow_head=False)
        app.router.add_post(ClassLink.PATH + "{key}", self._join)
        app.router.add_get(LINK + "{key}", self._enter, allow_head=False)
        app.router.add_get("/{room}/", self._page, allow_head=False)
        app.router.add_get("/{room}/call-{call}", self._call, allow_head=False)
        app.router.add_get("/{room}/call-{call}/ws", self._console, name=CONSOLE, allow_head=False)
        app.router.add_get("/{room}/class.{form:csv|json}", self._table, allow_head=False)
        app.router.add_get("/{room}/{file}", self._file, allow_head=False)
        app.on_response_prepare.append(self._dress)
        app.on_shutdown.append(self._close)
        app.cleanup_ctx.append(self._look_after)
        return app

    # Coming in

    async def _ask_name(self, request: web.Request) -> web.StreamResponse:
        """Ask whoever has the link for a name; a browser that is in already is led to its room."""
        if not self.link.fits(request.match_info["key"]):
            return refused(JOIN_AGAIN)
        room, _, badge = request.cookies.get(KNOWN, "").partition(".")
        if room in self._seats and self.door.is_in(room, badge):
            return self._led(self._seats[room].entry)
        return _shown(pages.joining(""))

    async def _join(self, request: web.Request) -> web.StreamResponse:
        """Give a seat to a name, or say what is wrong with it."""
        if not self.link.fits(request.match_info["key"]):
            return refused(JOIN_AGAIN)
        if request.content_type != "application/x-www-form-urlencoded":
            return refused("A name is sent by the form of this page.", status=400)
        try:
            seat = self._seated(str((await request.post()).get("name", "")))
        except BadInput as error:
            return _shown(pages.joining(str(error)))
        response = self._led(seat.entry)
        known = f"{seat.entry.room}.{seat.entry.badge}"
        self._give(response, KNOWN, known, ClassLink.PATH)
        return response

    def _seated(self, typed: str) -> Seat:
        """The seat of a name.

        Raises:
            BadInput: It is no name, it is taken, or the class is full.
        """
        name = name_of(typed)
        live = [seat for seat in self._seats.values() if self._is_live(seat)]
        if any(seat.name.casefold() == name.casefold() for seat in live):
            raise BadInput(f"{name} is taken. Add something, such as {name} 2.")
        if len(live) >= self._plan.seats:
            raise BadInput(f"The class is full: {self._plan.seats} are in. Tell your trainer.")
        number = self._by_name.setdefault(name.casefold(), len(self._by_name) + 1)
        before = [seat for seat in self._seats.values() if seat.number == number]
        seat = Seat(number, name, self._book.place(number, name), self.door.admit())
        for old in before:
            self.door.dismiss(old.entry.room)
            del self._seats[old.entry.room]
            seat.page = old.page  # a play that was left open ends when the next one begins
        self._seats[seat.entry.room] = seat
        return seat

    def _is_live(self, seat: Seat) -> bool:
        return seat.idle_s() < self._plan.idle_s

    # What is shown

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Show a trainee the calls, and the trainer the class."""
        seat = self._seat(request)
        if seat is None:
            now = await asyncio.to_thread(self._book.standings)
            marks = await asyncio.to_thread(self._book.results)
            link = f"{self._origin}{self.link.path}"
            return _shown(pages.overview(self._book.name, link, now, marks))
        best = {row.scenario: row for row in self._book.results(seat.number)}
        return _shown(pages.calls(seat.name, self._plan.calls, best))

    async def _table(self, request: web.Request) -> web.StreamResponse:
        """Give the trainer the class as a file."""
        if self._seat(request) is not None:
            return refused("The table is the trainer's.")
        marks = await asyncio.to_thread(self._book.results)
        form = request.match_info["form"]
        text = class_csv(marks) if form == "csv" else ""
        if not text:
            now = await asyncio.to_thread(self._book.standings)
            told = {"class": self._book.name, "standings": now, "results": marks}
            text = msgspec.json.format(msgspec.json.encode(told)).decode()
        name = f"class-{self._book.name}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        kind = "text/csv" if form == "csv" else "application/json"
        return web.Response(text=text, content_type=kind, headers=headers)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        """Show the page on which a call is played."""
        seat, call = self._seat(request), self._calls.get(request.match_info["call"])
        if seat is None or call is None:
            return refused("There is no such call.", status=404)
        socket = f"{self._socket}/{seat.entry.room}/call-{call.name}/ws"
        return _shown(pages.playing(socket))

    async def _console(self, request: web.Request) -> web.StreamResponse:
        """Start a play and speak with it until one of the two ends; a seat has one at a time."""
        seat, call = self._seat(request), self._calls.get(request.match_info["call"])
        if seat is None or call is None:
            return refused("There is no such call.", status=404)
        before = seat.page
        page = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_LIMIT)
        command = self._play(seat.place.name, call.path or call.name)
        console = PlayConsole(command, self._more, page, seat.place, self._plan.memory)
        seat.page, seat.console = page, console
        if before is not None:
            await before.close()
        try:
            return await self._speak(request, page, console)
        finally:
            seat.seen_at = time.monotonic()
            if seat.page is page:
                seat.page = seat.console = None

    def _seat(self, request: web.Request) -> Seat | None:
        """Whose room it is; None for the trainer's."""
        seat = self._seats.get(request.match_info["room"])
        if seat is not None:
            seat.seen_at = time.monotonic()
        return seat

    # Who does nothing

    async def _look_after(self, _app: web.Application) -> AsyncIterator[None]:
        """End the plays of those who do nothing, as long as the class lasts."""
        looking = asyncio.create_task(self._look())
        yield
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._plan.idle_s / 2))
            for seat in list(self._seats.values()):
                if seat.page is not None and not self._is_live(seat):
                    await seat.page.close()


def name_of(typed: str) -> str:
    """Return a name as it is shown: one line, bounded, nothing invisible.

    Raises:
        BadInput: There is no letter or digit in it, or it is too long.
    """
    name = " ".join(typed.split())
    if len(name) > LONGEST_NAME:
        raise BadInput(f"That is too long for a name: {LONGEST_NAME} characters at most.")
    if not any(character.isalnum() for character in name):
        raise BadInput("Type your name: it needs a letter or a digit.")
    return clean(name, limit=2 * LONGEST_NAME)


def _shown(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")
