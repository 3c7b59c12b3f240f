"""The lock of a file that several consoles change, each of them in several threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from helpdesk.domain.errors import Unreachable

if TYPE_CHECKING:
    from filelock import FileLock

LOCK_WAIT_S: Final = 10.0
"""How long a change waits for another console to finish its own."""


class Lock:
    """The lock of one file: one for all threads of this process.

    Args:
        path: That of the file; the lock lies beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()

    def hold(self) -> bool:
        """Take it where it is free at this moment, for `held`."""
        if "_lock" not in vars(self) or not self._turn.acquire(blocking=False):
            return False  # it is not loaded yet, or not free
        try:
            self._lock.acquire(blocking=False)
        except OSError:  # not free, or whoever waits for it hears what is wrong
            self._turn.release()
            return False
        return True

    @contextlib.contextmanager
    def held(self, *, is_held: bool = False) -> Iterator[None]:
        """Hold it, having waited for it unless `hold` gave it.

        Raises:
            Unreachable: Another holds it for too long, or it cannot be taken.
        """
        if not (is_held or self._turn.acquire(timeout=LOCK_WAIT_S)):
            held = f"is held by another change for more than {LOCK_WAIT_S:.0f} s"
            raise Unreachable(f"{self._path} {held}; nothing was changed.")
        try:
            if not is_held:
                self._take()
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self._turn.release()

    @cached_property
    def _lock(self) -> FileLock:
        from filelock import FileLock  # noqa: PLC0415  (who only reads waits for no lock)

        lock = f"{self._path}.lock"
        return FileLock(lock, timeout=LOCK_WAIT_S, thread_local=False, mode=0o600)

    def _take(self) -> None:
        try:
            self._lock.acquire()
        except TimeoutError as error:
            held = f"is held by another console for more than {LOCK_WAIT_S:.0f} s"
            raise Unreachable(f"{self._path} {held}; nothing was changed.") from error
        except OSError as error:
            raise Unreachable(
                f"{self._path} cannot be changed: {error.strerror}; nothing was changed."
            ) from error
