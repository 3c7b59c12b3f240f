"""Running the console in a real terminal, and seeing it out whatever ends it.

SIGTERM, SIGHUP, SIGQUIT, terminal gone ─▶ orderly exit with 128 + n
a fault nobody caught ─▶ terminal restored, one sentence, exit 1
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, Final

from helpdesk import opening
from helpdesk.crashes import report
from helpdesk.tui.terminal import SafeApp, tell

if sys.platform != "win32":  # which lacks it
    import termios

GRACE_S: Final = 3.0
"""Seconds an orderly exit may take before the terminal is restored the hard way."""

SWITCH_S: Final = 0.0005
"""How long a thread that computes may keep a key waiting; Python's own rule is ten times that."""

WATCH_S: Final = 1.0
"""Seconds between two looks whether the terminal is still there."""

RESTORE: Final = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""What takes back all that the driver asked of a terminal."""


def run_safely(app: SafeApp) -> int:
    """Run *app* in this process's terminal and return the exit code.

    Whatever the app gives; 128 + n after signal n or when the terminal has gone (129); 1 after a
    fault, which one sentence on the standard error tells.
    """
    watch = _Watch(app)
    with _heeding(watch.leave), _quiet_threads(), _swift(), asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(_note)
        watch.start()
        try:
            runner.run(app.run_async())
        except Exception as error:  # noqa: BLE001 - the last place where one can be caught
            tell(report(error))
            return 1
        finally:
            watch.over.set()
            _let_go_of_what_was_not_written()
    code = watch.code if watch.code is not None else app.return_code
    return 1 if code is None else code


class _Watch(threading.Thread):
    """Waits beside the app for a signal or the end of the terminal, then sees the app out.

    A thread, since the event loop stands still when the terminal stops reading.
    """

    def __init__(self, app: SafeApp) -> None:
        super().__init__(name="helpdesk-watch", daemon=True)
        self.over = threading.Event()
        self.code: int | None = None
        self._app = app
        self._asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._before = _attributes()
        self._has_end = self._before is not None or bool(os.environ.get("TEXTUAL_DRIVER"))

    def leave(self, number: int, _frame: FrameType | None = None) -> None:
        """Ask for the end with 128 + *number*; may be called from a signal handler."""
        self._asked.put(128 + number)

    def run(self) -> None:
        """Watch until the app is over."""
        code = self._next()
        if code is None:
            return
        self.code = code
        loop = self._app._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(partial(self._app.exit, return_code=code))
        if not self.over.wait(GRACE_S):
            _end_by_force(self._before, code)

    def _next(self) -> int | None:
        while not self.over.is_set():
            try:
                return self._asked.get(timeout=WATCH_S)
            except queue.Empty:
                if self._has_end and _terminal_is_gone():
                    return 128 + int(signal.Signals["SIGHUP"])
        return None


@contextmanager
def _heeding(leave: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Heed the signals that ask for the end, but those the caller had ignored."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Let a fault in a thread go to the log, where Python would print it over the screen."""
    before = threading.excepthook
    threading.excepthook = lambda args: _log_only(args.exc_value)
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def _swift() -> Iterator[None]:
    """Let no thread that computes keep the screen waiting for as long as Python's rule is."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log_only(context.get("exception"))


def _log_only(error: BaseException | None) -> None:
    if error is not None:
        report(error)


def _let_go_of_what_was_not_written() -> None:
    """Leave nothing for a terminal that has gone: Python would end with a code of its own."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _terminal_is_gone() -> bool:
    if sys.platform == "win32" or sys.__stdin__ is None:
        return False
    poll = select.poll()
    poll.register(sys.__stdin__.fileno(), select.POLLHUP)
    return any(mask & (select.POLLHUP | select.POLLERR) for _, mask in poll.poll(0))


def _attributes() -> list[Any] | None:
    """Return how the terminal is set, or None where there is none."""
    if sys.platform == "win32" or sys.__stdin__ is None:
        return None
    if before := opening.before():
        return before
    try:
        return termios.tcgetattr(sys.__stdin__.fileno())
    except (termios.error, ValueError):
        return None


def _end_by_force(attributes: list[Any] | None, code: int) -> None:
    """Set the terminal back as far as it lets us within half a second, and end the process."""
    if sys.platform != "win32" and attributes is not None and sys.__stdin__ is not None:
        with suppress(termios.error):
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes)
    writer = threading.Thread(target=os.write, args=(2, RESTORE.encode()), daemon=True)
    writer.start()
    writer.join(0.5)
    os._exit(code)
