"""Small apps to be attacked in a real terminal: `python -m tests.tui.victim KIND NOTES`.

Each writes what reached it as JSON lines to the file NOTES.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import sys
import termios
import threading
from pathlib import Path
from typing import Any

from rich.style import Style as RichStyle
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import DataTable, Input, Static

from helpdesk.tui.running import run_safely
from helpdesk.tui.terminal import SafeApp

OTP = "739102"
HOSTILE = "Al\x1b]52;c;Y3VybA==\x07ice\x1b[2J\x9b31m\x00\x7fend"
LEFTWARDS = "مايا أوكافور"

NOTES = Path(sys.argv[2] if len(sys.argv) > 2 else "/dev/null")


def note(**words: Any) -> None:
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")


class Field(Input):
    def on_key(self, event: events.Key) -> None:
        note(key=event.key)

    def on_paste(self, event: events.Paste) -> None:
        note(paste=event.text)


class Plain(App[None]):
    """What happens without us."""

    def compose(self) -> ComposeResult:
        yield Static("READY")
        yield Field()

    def on_mount(self) -> None:
        self.query_one(Field).focus()


class Victim(SafeApp):
    def compose(self) -> ComposeResult:
        yield Static("READY")
        yield Field()

    def on_mount(self) -> None:
        self.query_one(Field).focus()


class Shows(SafeApp):
    CSS = "#frame { border: solid red; height: 3; } .loud { background: white; color: black; }"

    def compose(self) -> ComposeResult:
        yield Static(Content(HOSTILE), id="frame", classes="loud")
        yield Static(Text(HOSTILE, style=RichStyle(link="https://evil.example/\x07")))
        yield Input(HOSTILE, placeholder=HOSTILE)
        yield DataTable()
        yield Static(f"{LEFTWARDS}  12")
        yield Static("READY")

    def on_mount(self) -> None:
        frame = self.query_one("#frame")
        frame.border_title = Content(HOSTILE).markup
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column(Text(HOSTILE))
        table.add_row(Text(HOSTILE))
        self.notify(f"{HOSTILE} [@click=app.bell]press[/]", title=HOSTILE)


class Copies(SafeApp):
    def compose(self) -> ComposeResult:
        yield Static("READY")

    def on_key(self) -> None:
        self.copy_to_clipboard("one\x1b]0;x\x07\nAli\u202ece\ud800")
        self.exit(message=f"bye {HOSTILE}")


class Breaks(Victim):
    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def on_mount(self) -> None:
        match self._where:
            case "mount":
                self._break()
            case "timer":
                self.set_timer(0.05, self._break)
            case "worker":
                self.run_worker(self._work(), exit_on_error=True)
            case "thread":
                threading.Thread(target=self._break).start()
                self.set_timer(0.3, self.exit)
            case "task":
                asyncio.get_running_loop().create_task(self._work())
                self.set_timer(0.3, self.exit)

    async def _work(self) -> None:
        self._break()

    def _break(self) -> None:
        otp = OTP
        try:
            int(f"x{otp}")
        except ValueError as error:
            raise LookupError(f"no code {otp} for +84 90 555 0142") from error


class Floods(Victim):
    """Draws without pause, so that the terminal's buffer is full at once."""

    def on_mount(self) -> None:
        self.set_interval(0.01, self._flood)

    def _flood(self) -> None:
        note(flood=True)
        assert self._driver is not None
        self._driver.write("x" * 20_000)


def app(kind: str) -> App[None]:
    if kind.startswith("breaks-"):
        return Breaks(kind.removeprefix("breaks-"))
    kinds: dict[str, type[App[None]]] = {
        "plain": Plain,
        "victim": Victim,
        "nohup": Victim,
        "shows": Shows,
        "copies": Copies,
        "floods": Floods,
    }
    return kinds[kind]()


if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if sys.argv[1] == "nohup":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    victim = app(sys.argv[1])
    if isinstance(victim, SafeApp):
        raise SystemExit(run_safely(victim))
    victim.run()
    raise SystemExit(victim.return_code)
