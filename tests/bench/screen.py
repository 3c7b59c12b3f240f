"""A program on a terminal of its own, and when it painted what: the clock of every row.

with Screen(["htop"]) as htop:
    start = htop.until("F10Quit")          # exec → the frame that shows it
    key = htop.press(DOWN, "▌")            # key → the end of the frame that shows it
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

DOWN, UP, PAGE_DOWN, PAGE_UP = b"\x1b[B", b"\x1b[A", b"\x1b[6~", b"\x1b[5~"
HOME, END, ESCAPE, ENTER, CTRL_Q = b"\x1b[H", b"\x1b[F", b"\x1b", b"\r", b"\x11"

FRAME_END: Final = b"\x1b[?2026l"
"""What a program writes after a frame where the terminal says that it knows such a mark."""

LAST_S: Final = 0.03
"""Seconds of silence after what was waited for that count as the end of a frame without a mark."""

ANSWERS: Final = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # frames can be marked
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
}
"""What a terminal of today answers; a mute one would be painted in pieces."""

_QUESTION = re.compile(b"|".join(map(re.escape, ANSWERS)))
_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b[@-Z=>78]",
    re.DOTALL,
)
_DROPPED = ("LINES", "COLUMNS", "NO_COLOR", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Painted:
    """One stimulus and what came of it: milliseconds on one clock, processor time, bytes."""

    ms: float
    cpu_ms: float
    size: int
    text: str


class Screen:
    """A program in a terminal of 140 columns and 40 lines; use as a context manager.

    Args:
        command: The program and its arguments.
        home: Its home directory, which is also where it begins.
        environment: What is set beside the caller's own.
        size: Columns and lines.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Path | None = None,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (140, 40),
    ) -> None:
        ours = {
            name: value
            for name, value in os.environ.items()
            if name not in _DROPPED and not name.startswith(("XDG_", "TEXTUAL"))
        }
        ours |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        ours |= {"HOME": str(home)} if home else {}
        ours |= environment or {}
        go, gate = os.pipe()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.close(gate)
            os.read(go, 1)  # until the window has its size
            with suppress(OSError):
                os.execvpe(command[0], list(command), ours)
            os._exit(127)
        os.close(go)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.set_blocking(self._fd, False)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN | select.POLLHUP)
        self._tail = b""
        self._is_over = False
        self.written = 0
        self.asked = 0  # questions of the program that were answered
        self._began = time.perf_counter()
        os.write(gate, b"x")
        os.close(gate)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        with suppress(OSError):
            os.close(self._fd)

    def until(self, *wanted: str, patience_s: float = 120.0) -> Painted:
        """Read until the frame that shows all that is wanted has ended; timed from the start."""
        return self._painted(self._began, 0.0, wanted, patience_s)

    def press(self, keys: bytes, *wanted: str, patience_s: float = 60.0) -> Painted:
        """Write keys; read until the frame that shows all that is wanted has ended."""
        cpu_ms = self.cpu_ms()
        began = time.perf_counter()
        os.write(self._fd, keys)
        return self._painted(began, cpu_ms, wanted, patience_s)

    def send(self, keys: bytes) -> None:
        """Write keys, and wait for nothing."""
        os.write(self._fd, keys)

    def press_all(self, keys: bytes, quiet_s: float = 0.025) -> Painted:
        """Write keys; read until nothing is painted any more; timed to the last of it."""
        cpu_ms, began = self.cpu_ms(), time.perf_counter()
        os.write(self._fd, keys)
        size, last = len(self._read(1.0)), time.perf_counter()
        while part := self._read(quiet_s):
            size, last = size + len(part), time.perf_counter()
        return Painted((last - began) * 1e3, self.cpu_ms() - cpu_ms, size, "")

    def rest(self, seconds: float) -> int:
        """Let time pass, read what is painted meanwhile, and give how many bytes that were."""
        before, ends = self.written, time.perf_counter() + seconds
        while (left := ends - time.perf_counter()) > 0 and not self._is_over:
            self._read(left)
        return self.written - before

    def settle(self, quiet_s: float = 0.2) -> None:
        """Read until nothing came for a while."""
        while self._read(quiet_s):
            pass

    def ended(self, keys: bytes, patience_s: float = 30.0) -> Painted:
        """Write keys; wait until the program has gone; timed until then."""
        began = time.perf_counter()
        os.write(self._fd, keys)
        while time.perf_counter() - began < patience_s:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return Painted((time.perf_counter() - began) * 1e3, 0.0, 0, "")
            self._read(0.001)
        raise AssertionError("The program did not end.")

    def cpu_ms(self) -> float:
        """Milliseconds of processor time that the program's threads took so far."""
        total = 0
        with suppress(OSError):
            for thread in Path(f"/proc/{self.pid}/task").iterdir():
                with suppress(OSError):
                    total += int((thread / "schedstat").read_text("ascii").split()[0])
        return total / 1e6

    def memory_mb(self) -> float:
        """Resident memory of the program, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text("utf-8").splitlines()
        return int(next(one for one in lines if one.startswith("VmRSS")).split()[1]) / 1024

    def _painted(
        self, began: float, cpu_ms: float, wanted: Sequence[str], patience_s: float
    ) -> Painted:
        needles = [one.encode() for one in wanted]
        data, seen, ended = bytearray(), 0.0, False
        while not ended and time.perf_counter() - began < patience_s:
            part = self._read(LAST_S if seen else 0.5)
            if not part and (seen or self._is_over):
                break
            data += part
            if not seen and _shows(bytes(data), needles):
                seen = time.perf_counter()
            ended = bool(part and seen) and _shows(_whole_frames(bytes(data)), needles)
            seen = time.perf_counter() if ended else seen
        if not seen:
            end = _SEQUENCE.sub(b"", bytes(data))[-1500:].decode("utf-8", "replace")
            raise AssertionError(f"{wanted} did not come; painted was: {end}")
        text = _SEQUENCE.sub(b"", bytes(data)).decode("utf-8", "replace")
        return Painted((seen - began) * 1e3, self.cpu_ms() - cpu_ms, len(data), text)

    def _read(self, wait_s: float) -> bytes:
        if self._is_over or not self._poll.poll(wait_s * 1e3):
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self._is_over = not data
        self.written += len(data)
        asked = self._tail + data
        end = 0
        for found in _QUESTION.finditer(asked):
            os.write(self._fd, ANSWERS[found.group()])
            self.asked += 1
            end = found.end()
        self._tail = asked[max(end, len(asked) - 10) :]
        return data


def _shows(data: bytes, needles: Sequence[bytes]) -> bool:
    """Whether what was written shows all of these."""
    shown = _SEQUENCE.sub(b"", data)
    return all(one in shown for one in needles)


def _whole_frames(data: bytes) -> bytes:
    """What was written up to the end of the last frame that has ended."""
    return data[: data.rfind(FRAME_END) + 1]
