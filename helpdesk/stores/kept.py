"""What was made of a long file, kept so that it is made once: numbers and texts in pieces.

    data/read/7be0….places   mode 0600; says of which file, and of which state of it, it was made

What is kept of another state counts for nothing, and so does what is damaged: it is made anew.
Nothing in it is not in the file itself. A long piece is looked through once while the machine is
on: beside it stands which were whole, and of which state of the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Final

import msgspec

from helpdesk.domain.learning import learn
from helpdesk.stores.private import private_file, write_private
from helpdesk.stores.shelf import Handle, Places, Shelf, Tell, has_put, laid_out

VERSION: Final = f"helpdesk-kept/1 {sys.byteorder}"
"""Another form, or another machine, begins with other words."""

SETTLED_NS: Final = 50_000_000
"""A file that was changed less than this ago may change again without a later time to show it."""

AT_ONCE: Final = 1 << 20
HEAD: Final = 16 * 1024
"""Bytes before the pieces: what they are, and of what they were made."""

LONG: Final = 1 << 16
"""A piece of fewer bytes is looked through each time."""

WHOLE: Final = ".whole"
"""How the name ends of what says so beside it."""

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""Says which start of the machine this is; where there is none, all is looked through each time."""


class Damaged(Exception):
    """A piece is not what was kept."""


class Piece:
    """A piece in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def check(self) -> None:
        """Look, the first time, whether it is what it was.

        Raises:
            Damaged: It is not.
        """

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another."""
        return self._data[start:end]

    def numbers(self, form: str) -> memoryview:
        """Give it as numbers of one form, as `array` names it."""
        return memoryview(self._data).cast(form)  # type: ignore[call-overload,no-any-return]


class Whole:
    """Which pieces of a file were found whole since the machine was started.

    Until it is started anew a file that shows no change holds what was read in it.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle, self._is_settled = handle, _is_settled(handle)
        self._mark = f"{_boot()} {handle.mark}"

    def has(self, name: str) -> bool:
        """Return whether a piece was, and nothing changed since."""
        return name in self._names

    def add(self, name: str) -> None:
        """Note that a piece was, where a change since it was begun with would show."""
        if _boot() and self._is_settled and self._handle.mark == self._handle.mark_now():
            self._names.add(name)
            text = "\n".join([self._mark, *sorted(self._names)])
            with contextlib.suppress(OSError):
                write_private(_beside(self._handle.path), text.encode(), is_durable=False)

    @cached_property
    def _names(self) -> set[str]:
        try:
            mark, *names = _beside(self._handle.path).read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return set()
        return set(names) if _boot() and mark == self._mark else set()


class KeptPiece(Piece):
    """A piece in a file."""

    def __init__(
        self, whole: Whole, name: str, handle: Handle, start: int, size: int, check: int
    ) -> None:
        self._handle, self._start, self.size, self._check = handle, start, size, check
        self._whole, self._name = whole, name
        self._is_checked = False
        self._map: mmap.mmap | None = None

    def check(self) -> None:
        """Look, the first time, whether it is what it was."""
        if self._is_checked or (self.size >= LONG and self._whole.has(self._name)):
            return
        check = 0
        for start in range(0, self.size, AT_ONCE):
            end = min(start + AT_ONCE, self.size)
            check = zlib.crc32(self._handle.read(self._start + start, self._start + end), check)
        if check != self._check:
            raise Damaged(self._handle.path)
        self._is_checked = True
        if self.size >= LONG:
            self._whole.add(self._name)

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another."""
        return self._handle.read(self._start + start, self._start + min(end, self.size))

    def numbers(self, form: str) -> memoryview:
        """Give it as numbers of one form; what is not looked at is not read."""
        if not self.size:
            return memoryview(b"").cast(form)  # type: ignore[call-overload,no-any-return]
        if self._map is None:
            begin = self._start - self._start % mmap.ALLOCATIONGRANULARITY
            length = self._start - begin + self.size
            self._map = mmap.mmap(self._handle.number, length, prot=mmap.PROT_READ, offset=begin)
        offset = self._start % mmap.ALLOCATIONGRANULARITY
        return memoryview(self._map)[offset : offset + self.size].cast(form)  # type: ignore[call-overload,no-any-return]


class _Head(msgspec.Struct, frozen=True):
    """What is kept: of which file, of which state of it, and where each piece lies."""

    path: str
    mark: str
    pieces: dict[str, tuple[int, int, int]]


class Kept:
    """What is kept of one file.

    Args:
        directory: Where; None keeps nothing.
        path: The file.
    """

    def __init__(self, directory: Path | None, path: Path) -> None:
        learn((_Head,))
        self._directory, self._path = directory, path

    @property
    def is_kept(self) -> bool:
        """Whether anything is."""
        return self._directory is not None

    def found(self, name: str, source: Handle) -> Mapping[str, Piece] | None:
        """Give the pieces of this name that were made of the file as it is; None without."""
        path = self._place(name)
        if path is None or not path.exists():
            return None
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            handle = Handle(path)
            head = _head(handle)
            ends = max((start + size for start, size, _ in head.pieces.values()), default=0)
            if head.mark == source.mark and ends <= handle.size:
                whole = Whole(handle)
                return {
                    of: KeptPiece(whole, of, handle, *place) for of, place in head.pieces.items()
                }
        return None

    def keep(self, name: str, source: Handle, made: Mapping[str, bytes]) -> None:
        """Keep pieces that were made of a file; where that cannot be, they are made again."""
        path = self._place(name)
        if path is None or source.mark != source.mark_now() or not _is_settled(source):
            return
        places, at = {}, HEAD
        for of, data in made.items():
            places[of] = (at, len(data), zlib.crc32(data))
            at += len(data) + -len(data) % 8
        head = self._headed(source, places)
        if len(head) <= HEAD:
            with contextlib.suppress(OSError):
                with private_file(path, is_durable=False) as file:  # each piece has its check
                    file.writelines(_padded(head, made))
                self._forget_others(path.parent)

    def carry(self, name: str, source: Handle, target: Handle) -> None:
        """Keep of another file what was made of one, and is the same of both.

        Only of which file it was made is written anew; where that is cut short, nothing is kept.
        """
        path = self._place(name)
        if path is None or target.mark != target.mark_now() or not _is_settled(target):
            return
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            before = _head(Handle(path))
            head = self._headed(target, before.pieces)
            if before.mark == source.mark and len(head) <= HEAD:
                with path.open("r+b") as file:
                    file.write(head.ljust(HEAD, b"\0"))

    def _headed(self, source: Handle, pieces: dict[str, tuple[int, int, int]]) -> bytes:
        text = msgspec.json.encode(_Head(str(self._path.absolute()), source.mark, pieces))
        return b"%b\n%b" % (_begin(text), text)

    def forget(self, name: str) -> None:
        """Keep pieces no longer."""
        path = self._place(name)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                _beside(path).unlink(missing_ok=True)

    def _place(self, name: str) -> Path | None:
        if self._directory is None:
            return None
        whose = hashlib.sha256(str(self._path.absolute()).encode()).hexdigest()[:16]
        return self._directory / f"{whose}.{name}"

    def _forget_others(self, directory: Path) -> None:
        """Keep nothing of files that are gone."""
        for one in directory.iterdir():
            if one.name.startswith(".") or one.suffix == WHOLE:  # it is being written, or goes with
                continue
            try:
                is_gone = not Path(_head(Handle(one)).path).exists()
            except (ValueError, msgspec.MsgspecError):
                is_gone = True
            if is_gone:
                one.unlink(missing_ok=True)
                _beside(one).unlink(missing_ok=True)


@cache
def _boot() -> str:
    """Return which start of the machine this is; empty where nothing says so."""
    try:
        return BOOT.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _beside(path: Path) -> Path:
    """Return where it stands which pieces of a file were whole."""
    return path.with_name(f"{path.name}{WHOLE}")


PLACES: Final = "places"
PEOPLE: Final = "people"
STANDING: Final = "standing"
"""What is kept: where documents lie, what people are found by, and what is open of whom."""

_FORMS: Final = {"keys": "q", "starts": "Q", "ends": "Q"}


def keep_places(kept: Kept, source: Handle, places: Mapping[str, Places]) -> None:
    """Keep where the documents of a file lie."""
    made = {
        f"{part} {table}": memoryview(getattr(each, part)).tobytes()
        for table, each in places.items()
        for part in _FORMS
    }
    kept.keep(PLACES, source, made)


def kept_places(kept: Kept, source: Handle) -> dict[str, Places] | None:
    """Give where the documents of a file lie, if it is kept."""
    found = kept.found(PLACES, source)
    if found is None:
        return None
    try:
        for piece in found.values():
            piece.check()
        tables = dict.fromkeys(name.partition(" ")[2] for name in found)
        return {
            table: Places(
                *(found[f"{part} {table}"].numbers(form) for part, form in _FORMS.items())
            )
            for table in tables
        }
    except (Damaged, KeyError, TypeError):  # or it is something else under their name
        kept.forget(PLACES)
        return None


def places_of(kept: Kept, source: Handle, tell: Tell | None) -> dict[str, Places] | None:
    """Return where the documents of a file lie: as it is kept, else by reading all of them."""
    found = kept_places(kept, source)
    if found is None:
        found = laid_out(source, tell)
        if found is not None:
            keep_places(kept, source, found)
    return found


def keep_written(
    kept: Kept, path: Path, tables: Mapping[str, object], places: Mapping[str, Places]
) -> None:
    """Keep of a file that was just written, under its lock, what was kept of the one before.

    In a thread of its own, when a change of the file would show: no act waits for that.
    """
    if not kept.is_kept:
        return
    with contextlib.suppress(OSError):
        handle = Handle(path)  # under the lock: of no other file are these the places
        keeping = partial(_keep_settled, kept, handle, tables, places)
        threading.Thread(target=keeping, name="keeping").start()


def _keep_settled(
    kept: Kept, written: Handle, tables: Mapping[str, object], places: Mapping[str, Places]
) -> None:
    time.sleep(SETTLED_NS / 1e9)
    with contextlib.suppress(OSError):
        keep_places(kept, written, places)
        users = tables.get("users")
        if isinstance(users, Shelf) and not (users.put or has_put(tables.get("accounts"))):
            kept.carry(PEOPLE, users.handle, written)
            if not (has_put(tables.get("tickets")) or has_put(tables.get("loops"))):
                kept.carry(STANDING, users.handle, written)


def _is_settled(handle: Handle) -> bool:
    """Whether a change of the file would show by its times."""
    found = os.fstat(handle.number)
    return time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) >= SETTLED_NS


def _head(handle: Handle) -> _Head:
    """Return what a file says that it keeps.

    Raises:
        ValueError: It is none of ours.
    """
    begin, _, text = handle.read(0, HEAD).rstrip(b"\0").partition(b"\n")
    if begin != _begin(text):
        raise ValueError(handle.path)
    return msgspec.json.decode(text, type=_Head)


def _begin(text: bytes) -> bytes:
    return f"{VERSION} {zlib.crc32(text):08x}".encode()


def _padded(head: bytes, made: Mapping[str, bytes]) -> Iterator[bytes]:
    yield head.ljust(HEAD, b"\0")
    for data in made.values():
        yield data
        yield bytes(-len(data) % 8)
