"""Consoles in processes of their own that write notes to a file, and what is wrong with it after.

Each is forked from a process that has read its code, and tells every note that was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from helpdesk.domain.actions import Note
from helpdesk.domain.errors import HelpdeskError
from helpdesk.service.desk import Desk
from helpdesk.stores.form import tables_of
from helpdesk.stores.journal import Journal, applied, journal_of
from tests.tui.console import desk_on

WAITS_S: Final = 60.0
FILES: Final = Path("/proc/self/fd")
NOBODY: Final = 65_534
"""Somebody who may write nowhere."""

USER: Final = "u1"
TICKET: Final = "4821"


def present() -> datetime:
    """Give the present."""
    return datetime.now(UTC)


class Writers:
    """Consoles that write notes to a file, forked from a process that has read its code.

    Attributes:
        file: What they write to.
    """

    def __init__(self) -> None:
        self.file = Path()
        self._place = tempfile.TemporaryDirectory()  # on no disk that is full
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.writers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, name: str, *, bound: str = "", most: int = 0, notes: int = 10**6) -> int:
        """Begin a console; give its process.

        Args:
            name: What it is told by; its notes are marked with it.
            bound: What it has too little of: `files`, `size` or `nobody`'s rights; or `stop`, for
                one that stops itself (SIGSTOP) before a note.
            most: How many files, or bytes; or how many notes are written before it stops.
            notes: How many it writes, if it may.
        """
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(
            f"{json.dumps([str(self.file), str(self._told(name)), name, bound, most, notes])}\n"
        )
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def told(self, name: str) -> list[str]:
        """Give what a console was told: the marks that were acknowledged, or a sentence."""
        path = self._told(name)
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def ended(self, name: str) -> list[str]:
        """Wait for a console's end; give what it was told."""
        ends = time.monotonic() + WAITS_S
        while not (told := self.told(name)) or not told[-1].startswith("end"):
            assert time.monotonic() < ends, f"{name} does not end"
            time.sleep(0.01)
        return told[:-1]

    def _told(self, name: str) -> Path:
        return Path(self._place.name) / f"{name}-of-{self.file.parent.name}"

    def close(self) -> None:
        """End all."""
        self._parent.kill()
        self._parent.communicate()
        self._place.cleanup()


def main() -> None:
    """Fork a console for each line on standard input; tell its process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are nobody's
    for line in sys.stdin:
        file, told, name, bound, most, notes = json.loads(line)
        child = os.fork()
        if child == 0:
            _write(Path(file), Path(told), name, bound, most, notes)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _write(file: Path, tells: Path, name: str, bound: str, most: int, notes: int) -> None:
    """Write notes, and tell each that was acknowledged; the line is there whatever comes then."""
    told = os.open(tells, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
    try:
        desk = desk_on(file, "support", clock=present)
        asyncio.run(_notes(desk, told, name, bound, most, notes))
    except HelpdeskError as error:
        os.write(told, f"said {error}\n".encode())
    except BaseException as error:  # noqa: BLE001  (a fault: told, and looked for)
        os.write(told, f"fault {type(error).__name__}: {error}\n".encode())
    os.write(told, b"end\n")


async def _notes(desk: Desk, told: int, name: str, bound: str, most: int, notes: int) -> None:
    await desk.case(USER)
    _bind(bound, most)
    for number in range(notes):
        if bound == "stop" and number == most:
            os.kill(os.getpid(), signal.SIGSTOP)
        mark = f"{name}.{number}"
        note = Note(user=USER, ticket=TICKET, text=mark)
        await desk.perform(note, key=f"key-of-the-note-{mark}")
        os.write(told, f"{mark}\n".encode())


def _bind(bound: str, most: int) -> None:
    if bound == "files":
        opened = len(list(FILES.iterdir())) if FILES.exists() else 8
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened + most, opened + most))
    elif bound == "size":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    elif bound == "nobody" and os.getuid() == 0:
        import filelock  # noqa: F401, PLC0415  (loaded while this may still be read)

        os.setuid(NOBODY)


def lost_or_doubled(file: Path, told: list[str]) -> list[str]:
    """Return what is wrong with a file that nobody writes to any more."""
    try:
        tables = tables_of(file.read_bytes(), str(file))
        tables = applied(tables, Journal(file).read(journal_of(tables))[0])
    except HelpdeskError as error:
        return [f"corrupt: {error}"]
    found = Counter(note for row in tables["tickets"].values() for note in row.get("notes", ()))
    rows = Counter(row.get("says", "") for row in tables["log"].values())
    marks = [one for one in told if one.partition(" ")[0] not in {"said", "fault", "end"}]
    wrong = [f"lost: {mark}" for mark in marks if not found[mark]]
    wrong += [f"twice: {mark}" for mark, count in found.items() if count > 1]
    wrong += [f"{sum(found.values())} notes, {len(tables['log'])} rows"] * (
        sum(found.values()) > sum(rows.values())
    )
    return wrong + [one for one in told if one.startswith("fault")]


if __name__ == "__main__":
    main()
