"""A fixture put in its place, whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.stores.atomic import AtomicStorage


def install(source: Path, target: Path, *, is_first: bool = False) -> None:
    """Put a copy of a fixture in the place of *target*, atomically.

    Its time begins when it is used. The first is put only where nothing is: of two consoles that
    begin at once, the second takes what the first has put and used.

    Raises:
        BadFile: *source* is not a fixture.
        Unreachable: The copy cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tables = AtomicStorage(str(source)).read()
    except OSError as error:
        raise Unreachable(f"{error.filename or source}: {error.strerror}.") from error
    storage = AtomicStorage(str(target))
    if not is_first:
        with contextlib.suppress(BadFile, Unreachable):  # a damaged one is put aside as it is
            storage.settle()
    storage.install(tables, is_first=is_first)
