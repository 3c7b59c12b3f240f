"""A program in a terminal of its own: what it drew, what it was sent, how it ended."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.waiting import PATIENCE_S

needs_pty = pytest.mark.skipif(
    importlib.util.find_spec("pty") is None or not Path("/dev/ptmx").exists(),
    reason="there is no pseudo terminal on this machine",
)


class Terminal:
    """A pseudo terminal with a program in it; use as a context manager.

    Args:
        command: The program and its arguments.
        home: The directory it takes for its home and its settings.
        environment: What is set beside the caller's own.
        size: Columns and lines.
        patience_s: How long anything is waited for.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        *,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (100, 30),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.output = b""
        self._patience_s = patience_s
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "TEXTUAL"))}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            ours.pop(name, None)
        ours |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": str(home)}
        with _heard():
            self.process = subprocess.Popen(
                list(command),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=ours | dict(environment or {}),
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for handle in (self._master, self.slave):
            with contextlib.suppress(OSError):
                os.close(handle)

    @property
    def shown(self) -> str:
        """All that was drawn, without the sequences that place and colour it."""
        text = self.output.decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[=>]", "", text)

    @property
    def settings(self) -> list[object]:
        """How the terminal is set now; compare with `before`."""
        return termios.tcgetattr(self.slave)

    def send(self, data: bytes) -> None:
        """Type, paste or click."""
        while data:
            data = data[os.write(self._master, data) :]

    def until(self, wanted: str | Callable[[], bool]) -> None:
        """Read until a text was drawn, or until something is true."""
        for _ in self._reading():
            if wanted in self.shown if isinstance(wanted, str) else wanted():
                return
        raise AssertionError(f"{wanted!r} did not come; drawn was: {self.shown[-2000:]}")

    def rest(self, seconds: float) -> None:
        """Let time pass, and read what is drawn meanwhile."""
        last = time.monotonic() + seconds
        while (left := last - time.monotonic()) > 0:
            self._read(left)

    def end(self) -> int:
        """Read until the program has ended, and give its exit code."""
        for _ in self._reading():
            if self.process.poll() is not None:
                self._read(0)
                return self.process.returncode
        raise AssertionError(f"it did not end; drawn was: {self.shown[-2000:]}")

    def hang_up(self) -> None:
        """Close the terminal as a window is closed."""
        os.close(self.slave)
        os.close(self._master)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def _reading(self) -> Iterator[None]:
        last = time.monotonic() + self._patience_s
        while time.monotonic() < last:
            yield
            self._read(0.05)

    def _read(self, wait_s: float) -> None:
        while select.select([self._master], [], [], wait_s)[0]:
            try:
                self.output += os.read(self._master, 65_536)
            except OSError:
                return
            wait_s = 0


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Let a program that is started meanwhile hear what ends it.

    Whoever is started in the background, or by `nohup`, has signals ignored, and what it starts
    ignores them as well.
    """
    ends = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    ignored = [one for one in ends if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    try:
        yield
    finally:
        for one in ignored:
            signal.signal(one, signal.SIG_IGN)


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this Python."""
    return [sys.executable, "-m", module, *arguments]
