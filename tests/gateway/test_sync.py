"""What is brought over and sent by processes of their own, killed in the middle and begun anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.audit import LogRow
from helpdesk.domain.offline import Late, State, Wish
from helpdesk.domain.search import Query
from helpdesk.fixture.cast import AGENTS
from helpdesk.gateway.devissuer import DevIssuer
from helpdesk.gateway.server import Gateway
from helpdesk.gateway.watch import App
from helpdesk.service.local import LocalDesk
from helpdesk.stores.replica import Mark, Replica, replica_directory
from tests.gateway.devserve import PATIENCE_S, DevServe, helpdesk, places
from tests.gateway.serving import PLENTY, SomeDesks, free_port, served
from tests.tui.console import demo_desk
from tests.tui.pseudo import Terminal, needs_pty, python


class Held:
    """An application that holds some questions up: before they are asked, or before the answer.

    Attributes:
        asked: Method and path of every question, in order.
        before: A question to this path is not carried out.
        after: A question to this path is carried out, and its answer kept back.
        reached: Set once one of these was.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.asked: list[tuple[str, str]] = []
        self.before = self.after = ""
        self.reached = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        self.asked.append((scope.get("method", ""), path))
        if path and path == self.before:
            self.reached.set()
            await _gone(receive)
            return
        if path and path == self.after:
            await self._app(scope, receive, _nobody)
            self.reached.set()
            await _gone(receive)
            return
        await self._app(scope, receive, send)

    def let_go(self) -> None:
        """Hold nothing up from now on."""
        self.before = self.after = ""
        self.reached.clear()


async def _gone(receive: Any) -> None:
    """Wait until whoever asked has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nobody(_message: Any) -> None:
    """Send nothing."""


class Far:
    """A demo behind a gateway in this process, whose issuer tells one-time codes.

    Attributes:
        url: Its address.
        line: What holds questions up.
        desk: The desk itself, as a support agent.
    """

    def __init__(self, place: Path, url: str) -> None:
        self.url = url
        self._codes: dict[str, list[str]] = {}
        dev = DevIssuer(f"{url}/issuer", AGENTS, tell=self._tell)
        place.mkdir()
        self._place = place
        self.desk = self._open("dana")
        self.desks = SomeDesks(self._open)
        made = Gateway(
            self.desks,
            dev.tokens(),
            allowance=PLENTY,
            pages=[dev.router()],
            described=dev.issuer.described(url),
        )
        self.line = Held(made.app())

    def code(self) -> str:
        """Give a one-time code that was not given before."""
        return self._codes["dana"].pop()

    async def notes(self) -> list[LogRow]:
        """Give the notes that were written."""
        rows = (await self.desk.log(Query(), limit=500)).rows
        return [row for row in rows if row.act == "note"]

    def _open(self, who: str) -> LocalDesk:
        return demo_desk(self._place, who, clock=lambda: datetime.now(UTC))

    def _tell(self, agent: Any, code: str) -> None:
        self._codes.setdefault(agent.id, []).append(code)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    """A demo behind a gateway."""
    with contextlib.ExitStack() as stack:
        listener = free_port()
        found = Far(tmp_path / "far", f"http://127.0.0.1:{listener.getsockname()[1]}")
        stack.callback(found.desk.close)
        stack.callback(found.desks.close)
        stack.enter_context(served(found.line, listener))
        yield found


def replica_of(home: Path, url: str) -> Replica:
    """Give what a machine keeps of a desk for Dana."""
    return Replica(replica_directory(home / "data", url, "dana"))


def begin(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "helpdesk", *arguments],
        env=os.environ | places(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def types(process: subprocess.Popen[str], code: str) -> None:
    """Type a one-time code."""
    assert process.stdin is not None
    process.stdin.write(f"{code}\n")
    process.stdin.flush()


def wish(number: int) -> Wish:
    return Wish(
        key=f"k-0123456789abcdef-{number}",
        agent="dana",
        title="Note",
        user="u1",
        at=datetime.now(UTC),
        state=State.QUEUED,
        late=Late.QUEUED,
        action=Note(user="u1", text=f"Call {number}"),
    )


async def mark(home: Path, url: str) -> Mark:
    return await replica_of(home, url).mark()


async def test_what_was_brought_over_is_not_brought_over_again(far: Far, tmp_path: Path) -> None:
    first = helpdesk(tmp_path, "sync", "--desk", far.url, types=f"{far.code()}\n")
    again = helpdesk(tmp_path, "sync", "--desk", far.url, types=f"{far.code()}\n")

    assert (first.returncode, again.returncode) == (0, 0)
    assert int(first.stdout.split()[3]) > 2
    assert again.stdout == "Up to date: 0 steps; 0 of your changes wait.\n"


async def test_killed_in_the_middle_it_goes_on_where_it_was(far: Far, tmp_path: Path) -> None:
    far.line.before = "/v1/loops"
    process = begin(tmp_path, "sync", "--desk", far.url)
    types(process, far.code())
    assert await asyncio.to_thread(far.line.reached.wait, PATIENCE_S)
    process.kill()
    process.communicate()
    broken_off = await mark(tmp_path, far.url)
    far.line.let_go()
    far.line.asked.clear()

    done = helpdesk(tmp_path, "sync", "--desk", far.url, types=f"{far.code()}\n")

    ended = await mark(tmp_path, far.url)
    assert done.returncode == 0
    assert (broken_off.steps, broken_off.cursor) == (("queue",), "")
    assert (ended.steps, bool(ended.cursor)) == ((), True)
    assert ("GET", "/v1/queue") not in far.line.asked
    assert ("POST", "/v1/loops") in far.line.asked


async def test_two_at_once_on_one_directory_send_each_wish_once(far: Far, tmp_path: Path) -> None:
    helpdesk(tmp_path, "sync", "--desk", far.url, types=f"{far.code()}\n")
    replica = replica_of(tmp_path, far.url)
    for number in range(8):
        await replica.put(wish(number))

    both = [begin(tmp_path, "sync", "--desk", far.url) for _ in range(2)]
    for process in both:
        types(process, far.code())
        # A code counts once, and the next is told when it was used.
        await asyncio.to_thread(_told, far)
    ended = [await asyncio.to_thread(process.communicate) for process in both]

    assert [process.returncode for process in both] == [0, 0], ended
    assert sorted(row.says for row in await far.notes()) == [f"Call {n}" for n in range(8)]
    assert {one.state for one in await replica.wishes()} == {State.DONE}


def _told(far: Far) -> None:
    """Wait until a code is there that nobody has used."""
    for _ in range(int(PATIENCE_S / 0.05)):
        if far._codes["dana"]:
            return
        threading.Event().wait(0.05)
    raise AssertionError("no new code was told")


def test_it_follows_the_desk_over_the_end_of_its_line(tmp_path: Path) -> None:
    with DevServe(tmp_path / "far") as desk:
        process = begin(tmp_path, "sync", "--follow", "--desk", desk.url)
        assert process.stdout is not None
        assert process.stderr is not None
        types(process, desk.code())
        first = process.stdout.readline()
        helpdesk(
            tmp_path / "other",
            *("perform", "note", "u1", "--set", "text=x", "--desk", desk.url),
            types=f"{desk.code('greta')}\n",
        )
        second = process.stdout.readline()
        desk.kill()
        warned = _read_until(process.stderr, "WARNING")
        desk.begin()
        types(process, desk.code())
        third = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate()

    said = (first, second, third)
    assert [line.startswith("Up to date: ") for line in said] == [True] * 3, (said, warned, rest)
    assert "It is tried again until the desk answers." in warned
    assert process.returncode == 130


def _read_until(stream: Any, wanted: str) -> str:
    line = ""
    while wanted not in line:
        line = stream.readline()
        assert line, f"{wanted} never came"
    return str(line)


@needs_pty
async def test_a_console_killed_before_its_answer_came_asks_for_it_when_it_is_begun_anew(
    far: Far, tmp_path: Path
) -> None:
    def console() -> Terminal:
        return Terminal(
            python("helpdesk", "--desk", far.url),
            tmp_path,
            environment=places(tmp_path),
            size=(130, 34),
            patience_s=PATIENCE_S,
        )

    def write_a_note(begun: Terminal) -> None:
        with begun as terminal:
            terminal.until("not shown")
            terminal.send(f"{far.code()}\r".encode())
            terminal.until("in your queue")
            terminal.until("May I")
            far.line.after = "/v1/actions"
            terminal.send(b"n")
            terminal.until("Write the note.")
            terminal.rest(1.0)  # a dialog hears no key for 0.8 s
            terminal.send(b"Called back.\r")
            terminal.rest(1.0)
            terminal.send(b"\r")
            terminal.until(far.line.reached.is_set)
            terminal.signal(signal.SIGKILL)
            terminal.end()

    def come_back(begun: Terminal) -> None:
        with begun as terminal:
            terminal.until("Sign in again")
            terminal.rest(1.0)
            terminal.send(f"{far.code()}\r".encode())
            terminal.until("Note: ✓ done.")
            terminal.send(b"\x11")
            assert terminal.end() == 0

    await asyncio.to_thread(write_a_note, console())
    before = [one.state for one in await replica_of(tmp_path, far.url).wishes()]
    far.line.let_go()
    far.line.asked.clear()
    await asyncio.to_thread(come_back, console())

    after = await replica_of(tmp_path, far.url).wishes()
    assert before == [State.SENT]
    assert [one.state for one in after] == [State.DONE]
    assert len(await far.notes()) == 1
    assert ("POST", "/v1/actions") not in far.line.asked
    assert ("GET", f"/v1/operations/{after[0].key}") in far.line.asked
