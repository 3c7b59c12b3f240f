"""What is written to a terminal comes there whole and in order, however slowly it reads."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable

import pytest

from helpdesk.tui.pen import Pen
from tests.tui.pseudo import needs_pty

LINES = [f"{number:06}│" * 90 for number in range(250)]


def _piped() -> tuple[int, int]:
    return os.pipe()


def _terminal() -> tuple[int, int]:
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, slave


def _read_late(source: int, sink: int) -> str:
    """Write all lines before anybody reads them; give what is read then."""
    found, wanted = bytearray(), len("".join(LINES).encode())

    def read() -> None:
        while len(found) < wanted and (data := os.read(source, 1 << 16)):
            found.extend(data)

    with os.fdopen(sink, "w", encoding="utf-8") as file:
        pen = Pen(file)
        pen.start()
        reader = threading.Timer(0.05, read)  # meanwhile more is written than is taken
        reader.start()
        for line in LINES:
            pen.write(line)
        pen.stop()
    reader.join()
    os.close(source)
    return found.decode()


@needs_pty
@pytest.mark.parametrize("made", [_piped, _terminal])
def test_what_is_not_taken_at_once_comes_later_and_in_order(
    made: Callable[[], tuple[int, int]],
) -> None:
    source, sink = made()

    assert _read_late(source, sink) == "".join(LINES)


@needs_pty
def test_what_a_terminal_takes_is_there_without_a_thread() -> None:
    source, sink = _terminal()

    with os.fdopen(sink, "w", encoding="utf-8") as file:
        pen = Pen(file)
        pen.write("│")  # its thread was never started
        found = os.read(source, 10)
        os.close(pen._at_once)
    os.close(source)

    assert found == "│".encode()


class Halting(Pen):
    """Of the first that is written a terminal takes three bytes; then another thread writes."""

    answering: threading.Thread | None = None

    def _taken(self, data: bytes) -> int:
        """Write what is taken."""
        if self.answering is not None:
            return super()._taken(data)
        taken = super()._taken(data[:3])
        self.answering = threading.Thread(target=self.write, args=["answer"])
        self.answering.start()
        self.answering.join(0.05)  # it waits, unless it may write
        return taken


@needs_pty
def test_what_two_threads_write_at_once_is_not_mixed() -> None:
    source, sink = _terminal()

    with os.fdopen(sink, "w", encoding="utf-8") as file:
        pen = Halting(file)
        pen.start()
        pen.write("frame ")
        assert pen.answering is not None
        pen.answering.join()
        pen.stop()
        found = b""
        while len(found) < len("frame answer"):
            found += os.read(source, 100)
    os.close(source)

    assert found == b"frame answer"


@needs_pty
def test_what_has_gone_holds_nobody_up() -> None:
    source, sink = _piped()
    os.close(source)

    with os.fdopen(sink, "w", encoding="utf-8") as file:
        pen = Pen(file)
        pen.start()
        for line in LINES[:3]:
            pen.write(line)

        pen.stop()

    assert pen._given == pen._written == 3


@needs_pty
def test_what_was_left_so_that_nobody_waits_for_it_is_waited_for() -> None:
    source, sink = _piped()
    os.set_blocking(sink, False)

    assert _read_late(source, sink) == "".join(LINES)
