"""What draws the console on a terminal, and reads its keys.

It takes over what was painted before it came, looks at the keyboard only when something was struck,
and ends at once.
"""

from __future__ import annotations

import os
import selectors
from contextlib import suppress
from typing import Any, Final

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message

from helpdesk import opening
from helpdesk.tui.filters import in_order, in_place
from helpdesk.tui.paste import SafeParser, forgiving_decoder
from helpdesk.tui.pen import Pen
from helpdesk.tui.terminal import SafeApp

TICK_S: Final = 0.1
"""Seconds between two looks whether what was begun, such as a lone Escape, goes on."""

REST_S: Final = 1.0
"""Seconds between two looks while nothing is begun; Textual's own driver looks ten times."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, on a terminal on which the empty frame may be painted.

    The screen that frame is on is not entered anew, so nothing blinks; at the end the terminal is
    set as it was before.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_entered = False
        self._frame: list[str] = []  # as far as it was written
        self._woken = self._waker = -1

    @property
    def _writer_thread(self) -> WriterThread | None:
        """What writes: our own where Textual makes one."""
        return self._pen

    @_writer_thread.setter
    def _writer_thread(self, made: WriterThread | None) -> None:
        self._pen = Pen(made._file) if made is not None else None

    def start_application_mode(self) -> None:
        """Draw and read from now on, also after it was stopped and goes on."""
        if self._woken < 0:
            self._woken, self._waker = os.pipe()
            os.set_blocking(self._woken, False)
        before = opening.take()
        self._is_entered = before is not None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_entered = False
        if before is not None:
            self.attrs_before = before

    def resume_application_mode(self) -> None:
        """Go on; after a stop that nobody hears of it is stopped in order first."""
        if self._woken >= 0:
            self._must_signal_resume = True
            self.suspend_application_mode()
        super().resume_application_mode()

    def write(self, data: str) -> None:
        """Write to the terminal, but for entering the screen that is shown; a frame as one."""
        if self._is_entered and data == opening.ENTER:
            return
        if data == SYNC_START or self._frame:
            self._frame.append(data)
            if data != SYNC_END:
                return
            data, self._frame = "".join(self._frame), []
        super().write(in_order(in_place(data)))

    def send_message(self, message: Message) -> None:
        """Hand over what was struck; Textual makes a task of each."""
        if isinstance(self._app, SafeApp) and isinstance(message, Key):
            self._app.has_key = True
        self._loop.call_soon_threadsafe(self._app.post_message, message)

    def disable_input(self) -> None:
        """Read no more, from this moment on."""
        if not self.exit_event.is_set():
            with suppress(OSError):
                os.write(self._waker, b"!")  # the thread that reads is asleep
        super().disable_input()

    def close(self) -> None:
        """Let go of what was needed."""
        super().close()
        if self._woken >= 0:
            os.close(self._woken)
            os.close(self._waker)
        self._woken = self._waker = -1

    def run_input_thread(self) -> None:
        """Read until `disable_input` is called, and give the app what was struck."""
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)  # of the last end, where it goes on after one
        parser = SafeParser(self._debug)
        decode = forgiving_decoder("utf-8")().decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(TICK_S if parser.is_waiting else REST_S)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = os.read(self.fileno, 4096)
                    if not data:
                        return  # the terminal has gone
                    struck = decode(data)
                    for message in parser.feed(struck) if struck else ():
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
