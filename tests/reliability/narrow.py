"""Desks on disks that are full, are mounted read-only, or open no more files; mounted for real.

    small disk (tmpfs, and ext4 in a file) ─▶ notes until nothing more fits ─▶ room ─▶ all there?
    quota (of btrfs, in a file) ────────────▶ notes until no more is allowed ─▶ more ─▶ all there?

A desk's file and a desk in SQLite, with its keys on the same disk. Where this machine lets nobody
mount, or has no `mkfs.btrfs`, that is not tried, and the count says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.search import Query
from helpdesk.hosting import SqlDesks
from helpdesk.service.desk import Desk
from helpdesk.stores.sql.database import Database
from helpdesk.wiring import agent_named
from tests.reliability.process import at_home
from tests.sample import write_sample
from tests.sql import imported
from tests.tui.console import desk_on

USER, TICKET = "u1", "4821"

FILES: Final = Path("/proc/self/fd")
"""What a process has open, where that can be looked at."""

NOTES: Final = 400
"""More than any of these disks holds."""

CHILDREN: Final = multiprocessing.get_context("fork")

Open = Callable[[Path], contextlib.AbstractContextManager[Desk]]


class Disk(NamedTuple):
    """A disk of one kind, and how many bytes of it a desk finds free: on btrfs, by a quota."""

    kind: str
    free: int

    def fill(self, place: Path) -> None:
        """Leave no more than what is free."""
        if self.kind == "btrfs":
            shown = _said("btrfs", "qgroup", "show", "--raw", "--sync", str(place.parent))
            _limit(place, str(int(_USED.findall(shown)[0]) + self.free))
            return
        found = os.statvfs(place)
        (place / "ballast").write_bytes(bytes(max(0, found.f_bavail * found.f_bsize - self.free)))

    def make_room(self, place: Path) -> None:
        """Undo that."""
        if self.kind == "btrfs":
            _limit(place, "none")
        else:
            (place / "ballast").unlink()


_USED: Final = re.compile(r"^0/256\s+(\d+)", re.MULTILINE)
"""How many bytes of a quota are used."""

SIZES: Final = {"tmpfs": 12_000_000, "ext4": 12_000_000, "btrfs": 200_000_000}
"""Bytes of a disk, by its kind; of btrfs the fewest there can be, and those not written."""

FREE: Final = {
    "tmpfs": (300_000, 0, 20_000, 60_000, 100_000, 150_000),
    "btrfs": (300_000, 0, 60_000, 150_000, 600_000, 1_000_000),
    "ext4": (300_000, 0, 20_000, 60_000, 100_000, 150_000),
}
"""Bytes that are free; a copy of what is written takes of a quota, too."""

FULL: Final = tuple(Disk(kind, free) for kind in FREE for free in FREE[kind])


@contextlib.contextmanager
def mounted(place: Path, disk: Disk) -> Iterator[Path | None]:
    """Give a disk of its own; None where this machine mounts none."""
    at, image = place / "disk", place / "image"
    at.mkdir(parents=True)
    how = ["-t", "tmpfs", "-o", f"size={SIZES[disk.kind]}", "none"]
    if disk.kind != "tmpfs":
        with image.open("wb") as file:
            file.truncate(SIZES[disk.kind])
        how = ["-o", "loop", str(image)]
    made = disk.kind == "tmpfs" or _went(f"mkfs.{disk.kind}", "-q", str(image))
    is_there = made and _went("mount", *how, str(at))
    try:
        if is_there and disk.kind == "btrfs":
            _said("btrfs", "quota", "enable", str(at))
            _said("btrfs", "subvolume", "create", str(at / "desk"))
            yield at / "desk"
        else:
            yield at if is_there else None
    finally:
        if is_there:
            _went("umount", "-l", str(at))


def _went(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def _limit(place: Path, bytes_: str) -> None:
    # Said from above: within, a quota that is used up forbids even that it be widened.
    _said("btrfs", "qgroup", "limit", bytes_, "0/256", str(place.parent))


@contextlib.contextmanager
def in_a_file(place: Path) -> Iterator[Desk]:
    """Open a desk in a file."""
    desk = desk_on(place / "desk.json", "support")
    yield desk
    desk.close()


@contextlib.contextmanager
def in_sqlite(place: Path) -> Iterator[Desk]:
    """Open a desk in SQLite, as a gateway has it."""
    with closing(Database(f"sqlite:///{place / 'desk.db'}")) as database:
        desks = SqlDesks(database, Config(), is_dev=False)
        yield desks.desk(agent_named(Role.SUPPORT, desks.agents))
        desks.close()


KINDS: Final[dict[str, Open]] = {"desk.json": in_a_file, "desk.db": in_sqlite}


def _made(place: Path, name: str) -> None:
    """Put a desk there; one in SQLite is made elsewhere, where there is room for it."""
    if name == "desk.json":
        write_sample(place / name)
        return
    with tempfile.TemporaryDirectory() as other:
        sample, made = write_sample(Path(other) / "desk.json"), Path(other) / name
        imported(f"sqlite:///{made}", sample, lambda: datetime.now(UTC)).close()
        shutil.copy(made, place / name)


async def _written(desk: Desk, told: list[str], most: int, bind: Callable[[], None]) -> str:
    """Write notes until one is refused; give the sentence."""
    bind()
    for number in range(len(told), len(told) + most):
        mark = f"mark-{number}"
        try:
            await desk.perform(Note(user=USER, ticket=TICKET, text=mark), key=f"the-key-of-{mark}")
        except HelpdeskError as error:
            return str(error)
        told.append(mark)
    return ""


async def _there(desk: Desk) -> list[str]:
    rows = (await desk.log(Query(), limit=500)).rows
    return [row.says for row in reversed(rows) if row.act == "note" and row.result is Result.DONE]


def full(place: Path, name: str, disk: Disk) -> Iterator[str]:
    """Write to a disk until it is full, make room, and write on; give what went wrong."""
    told: list[str] = []
    with at_home(place):
        _made(place, name)
        disk.fill(place)
        says = (_until_ended if disk.kind == "btrfs" else _until)(place, name, told, NOTES)
        if not says:
            yield "nobody was told of it"
        elif name not in says and "keys" not in says and "seen" not in says:
            yield f"the sentence names no file: {says}"
        disk.make_room(place)
        says = _until(place, name, told, 2)
        if says:
            yield f"with room again: {says}"
        yield from _kept(place, name, told)


def _until(
    place: Path, name: str, told: list[str], most: int, bind: Callable[[], None] = lambda: None
) -> str:
    try:
        with KINDS[name](place) as desk:
            return asyncio.run(_written(desk, told, most, bind))
    except HelpdeskError as error:  # as it is closed: looks and checkpoints that wait
        return str(error)


class _Aloud(list[str]):
    """What was acknowledged, told to another process at once."""

    def __init__(self, told: list[str], line: Connection) -> None:
        super().__init__(told)
        self._line = line

    def append(self, mark: str) -> None:
        """Tell one more."""
        self._line.send(mark)
        super().append(mark)


def _until_ended(place: Path, name: str, told: list[str], most: int) -> str:
    """Do so in a process of its own, which the system may end.

    It does (SIGBUS) where SQLite touches what its connections share and btrfs has no room for a
    copy of it: SQLite has that from the system as memory, and memory refuses nothing.
    """
    here, there = CHILDREN.Pipe(duplex=False)

    def write() -> None:
        there.send([_until(place, name, _Aloud(told, there), most)])

    child = CHILDREN.Process(target=write)
    child.start()
    there.close()
    with contextlib.suppress(EOFError):
        while isinstance(found := here.recv(), str):
            told.append(found)
        child.join()
        return str(found[0])
    child.join()
    return f"{name}: {signal.strsignal(-(child.exitcode or 0))}"


def _kept(place: Path, name: str, told: list[str]) -> Iterator[str]:
    """Give what of that which was acknowledged is not there, or is there twice."""
    with KINDS[name](place) as desk:
        there = asyncio.run(_there(desk))
        if there != told:
            yield f"{len(told)} acknowledged, {len(there)} there"
        if desk.alarm:
            yield desk.alarm
    if name == "desk.db":
        with closing(sqlite3.connect(place / name)) as database:
            if (sound := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                yield sound


def read_only(place: Path, name: str) -> Iterator[str]:
    """Mount a disk read-only under a desk; give what is not said, or read otherwise."""
    told: list[str] = []
    with at_home(place):
        _made(place, name)
        if says := _until(place, name, told, 3):
            yield says
        if not _went("mount", "-o", "remount,ro", str(place)):
            return
        try:
            says = _until(place, name, told, 1)
        finally:
            _went("mount", "-o", "remount,rw", str(place))
        if name not in says and "keys" not in says and "seen" not in says:
            yield f"the sentence names no file: {says or 'nothing was said'}"
        yield from _kept(place, name, told)


def without_files(place: Path, most: int) -> Iterator[str]:
    """Open no more than so many files more, with a desk in SQLite; give what went wrong."""
    place.mkdir()
    told: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with at_home(place):
        _made(place, "desk.db")

        def bind() -> None:
            there = len(list(FILES.iterdir()))
            resource.setrlimit(resource.RLIMIT_NOFILE, (there + most, hard))

        try:
            says = _until(place, "desk.db", told, 3, bind)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if says and not any(word in says for word in ("desk.db", "keys", "seen", "files")):
            yield f"the sentence names no file: {says}"
        yield from _kept(place, "desk.db", told)


def narrow(place: Path, is_quick: bool) -> tuple[int, list[str]]:
    """Try all of it, or one of each; give how many were tried, and what went wrong."""
    tried, wrong = 0, []
    disks = FULL[:1] if is_quick else FULL
    for number, disk in enumerate(disks):
        for name in KINDS:
            with mounted(place / f"full-{number}-{name}", disk) as at:
                tried += at is not None
                wrong += [
                    f"full {disk}, {name}: {one}" for one in (full(at, name, disk) if at else ())
                ]
    for disk in (disks[0], disks[-1])[: 1 if is_quick else 2]:
        for name in KINDS:
            with mounted(place / f"read-only-{disk.kind}-{name}", disk) as at:
                tried += at is not None
                found = read_only(at, name) if at else ()
                wrong += [f"read-only {disk.kind}, {name}: {one}" for one in found]
    for most in range(1 if is_quick else 12):
        tried += 1
        found = without_files(place / f"files-{most}", most)
        wrong += [f"{most} files more, desk.db: {one}" for one in found]
    return tried, wrong
