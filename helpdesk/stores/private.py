"""Small files that nobody else may read: keys, and what this console has seen."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write_private(path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Write a file of mode 0600 whole, in a directory of mode 0700.

    Where it need not be durable, the older one may be back after a loss of power.

    Raises:
        OSError: It cannot be written; what was there before is still there.
    """
    with private_file(path, is_durable=is_durable) as file:
        file.write(data)


@contextlib.contextmanager
def private_file(path: Path, *, is_durable: bool = True) -> Iterator[IO[bytes]]:
    """Give a file to write into that takes its name, of mode 0600, when the block ends well.

    Raises:
        OSError: It cannot be written; what was there before is still there.
    """
    beside = path.parent.joinpath(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(beside, NEW, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, NEW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
