"""Writing to a terminal: at once what it takes at once, so that no frame waits for a thread.

frame ─▶ the terminal                      while it takes what it is given
frame ─▶ queue ─▶ thread ─▶ the terminal   from the first that it did not take, in order
"""

from __future__ import annotations

import os
import select
import threading
from io import TextIOWrapper
from queue import Queue
from typing import IO

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread


class Pen(WriterThread):
    """Textual's thread that writes, of which only a terminal that is behind has need.

    A thread gets its turn half a millisecond late while what follows a frame is worked out. What
    writes at once has the terminal open for itself, so that nobody else's writing may fail.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(file)
        self._code = "utf-8", "backslashreplace"
        if isinstance(file, TextIOWrapper):
            self._code = file.encoding, file.errors or "strict"
        self._at_once = _opened(file)
        self._waiting: Queue[bytes] = Queue(MAX_QUEUED_WRITES)
        self._given = self._written = 0
        self._writing = threading.RLock()  # what reads the keys answers the terminal also

    def write(self, text: str) -> None:
        """Write, now or after all that waits."""
        data = text.encode(*self._code)
        with self._writing:
            if self._given == self._written:
                data = data[self._taken(data) :]
            if data:
                self._given += 1
                self._waiting.put(data)

    def _taken(self, data: bytes) -> int:
        """Write what is taken now, and say how many bytes that were."""
        try:
            return os.write(self._at_once, data) if self._at_once >= 0 else 0
        except OSError:  # nothing is, or it has gone
            return 0

    def run(self) -> None:
        """Write what waits, until told to stop."""
        place = self._file.fileno()
        while data := self._waiting.get():
            _wholly(place, data)
            self._written += 1

    def stop(self) -> None:
        """Write what waits, and come back once that is done."""
        self._waiting.put(b"")
        self.join()
        if self._at_once >= 0:
            os.close(self._at_once)
            self._at_once = -1


def _wholly(place: int, data: bytes) -> None:
    """Write all of it; to what has gone nothing: whoever reads its keys finds that."""
    while data:
        try:
            data = data[os.write(place, data) :]
        except BlockingIOError:  # so was it left by what ran here before
            select.select((), (place,), ())
        except OSError:
            return


def _opened(file: IO[str]) -> int:
    """Open a terminal once more, so that writing comes back where it would wait; -1 where not."""
    try:
        return os.open(os.ttyname(file.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return -1
