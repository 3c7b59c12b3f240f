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


@needs_pty
@pytest.mark.parametrize("made", [_piped, _terminal])
def test_what_is_not_taken_at_once_comes_later_and_in_order(
    made: Callable[[], tuple[int, int]],
) -> None:
    source, sink = made()
    found = bytearray()
    wanted = "".join(LINES).encode()

    def read() -> None:
        while len(found) < len(wanted):
            found.extend(os.read(source, 1 << 16))

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

    assert bytes(found) == wanted


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
