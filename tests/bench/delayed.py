"""A terminal at the far end of a slow line: every byte arrives so much later, either way."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from tests.bench.screen import Screen

AT_ONCE: Final = 1 << 16


class Way:
    """One direction of the line."""

    def __init__(self, source: int, drain: int, delay_s: float) -> None:
        self.source, self._drain, self._delay_s = source, drain, delay_s
        self._under_way: deque[tuple[float, bytes]] = deque()

    def take(self) -> bool:
        """Take what is there on its way; give whether more may come."""
        with suppress(OSError):
            if data := os.read(self.source, AT_ONCE):
                self._under_way.append((time.perf_counter() + self._delay_s, data))
                return True
        return False

    def arrive(self) -> float | None:
        """Hand out what has arrived; give the seconds until the next does, if any is under way."""
        while self._under_way:
            left_s = self._under_way[0][0] - time.perf_counter()
            if left_s > 0:
                return left_s
            left = memoryview(self._under_way.popleft()[1])
            while left:
                left = left[os.write(self._drain, left) :]
        return None


class Delayed(Screen):
    """A program in a terminal so many seconds away; what the terminal answers is as late.

    Args:
        delay_s: Seconds each way.
    """

    def __init__(self, delay_s: float, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._program = self._fd
        os.set_blocking(self._program, True)
        near, far = socket.socketpair()
        self._near, self._far = near, far
        self._fd = near.fileno()
        os.set_blocking(self._fd, False)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN | select.POLLHUP)
        self._ways = [
            Way(self._program, far.fileno(), delay_s),
            Way(far.fileno(), self._program, delay_s),
        ]
        self._relay = threading.Thread(target=self._relayed, daemon=True)
        self._relay.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._near.shutdown(socket.SHUT_RDWR)
        self._fd, inner = self._program, self._fd
        super().__exit__(kind, error, trace)
        self._relay.join()
        assert inner == self._near.detach()
        os.close(inner)
        self._far.close()

    def _relayed(self) -> None:
        open_ = {way.source: way for way in self._ways}
        with suppress(OSError):  # one of the ends is gone: so is the line
            while len(open_) == len(self._ways):
                waits = [left for way in self._ways if (left := way.arrive()) is not None]
                for source in select.select([*open_], [], [], min(waits, default=0.5))[0]:
                    if not open_[source].take():
                        del open_[source]
