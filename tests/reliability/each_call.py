"""Kill a console at each call to the system that it makes while it writes one note.

    console ready to write ─▶ stopped ─▶ strace attached ─▶ goes on ─▶ SIGKILL at its n-th `write`

Which calls those are is looked up first, in a note that is not disturbed. It needs `strace`, and a
system that lets one process follow another.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.reliability.writers import Writers, lost_or_doubled
from tests.sample import sample, write_sample

CALL: Final = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)
"""Who calls, and what; a call that goes on later is counted where it began."""

MANY: Final = 8_000
"""Accounts that make a file so long that changes are appended beside it."""

WAITS_S: Final = 30.0
EVERY_QUICK: Final = 60
"""Quickly, one call of so many."""


def why_not() -> str:
    """Return why this cannot be tried here; empty where it can."""
    if shutil.which("strace") is None:
        return "there is no strace here"
    followed = subprocess.run(
        ["strace", "-qo", os.devnull, "true"], capture_output=True, check=False
    )
    return "strace may not follow a process here" if followed.returncode else ""


def killed_at_each_call(place: Path, writers: Writers, is_quick: bool) -> tuple[int, list[str]]:
    """Kill at each call of a note; give how many, and what was lost.

    Of three: one that writes a short file whole, the first in a long file, and the next there.
    """
    tried, wrong = 0, []
    for name, file, before in (
        ("whole", write_sample(place / "whole.json"), 0),
        ("first", _long(place / "first.json"), 0),
        ("appended", _long(place / "appended.json"), 1),
    ):
        kept, told, writers.file = file.read_bytes(), [], file
        calls = list(_calls(_followed(writers, f"{name}-free", before)))
        told += writers.told(f"{name}-free")
        for number, (call, nth) in enumerate(calls[:: EVERY_QUICK if is_quick else 1]):
            if name == "first":  # of a file that nobody has written to yet
                for each in place.glob("first.json*"):
                    each.unlink()
                file.write_bytes(kept)
                told.clear()
            one = f"{name}-{number}"
            _followed(writers, one, before, f"{call}:signal=KILL:when={nth}")
            told += (says := writers.told(one))
            tried += says[-1:] != ["end"]  # where it called so often this time, too
            found = lost_or_doubled(file, told)
            wrong += [f"{name}, killed at {call} no. {nth}: {each}" for each in found]
    return tried, wrong


def _long(file: Path) -> Path:
    tables = sample()
    for number in range(MANY):
        account = {"id": f"b{number}", "name": f"Branch {number}", "product": "sms-2fa"}
        tables["accounts"][str(100 + number)] = account
    return write_sample(file, tables)


def _calls(log: str) -> Iterator[tuple[str, int]]:
    """Give each call by its name and its number in its thread, as strace counts them."""
    most: Counter[str] = Counter()
    for (_, call), count in Counter(CALL.findall(log)).items():
        most[call] = max(most[call], count)
    for call, count in sorted(most.items()):
        yield from ((call, nth) for nth in range(1, count + 1))


def _followed(writers: Writers, name: str, before: int, kill: str = "") -> str:
    """Let a console write one note under strace; give what it called."""
    console = writers.begin(name, bound="stop", most=before, notes=before + 1)
    log = writers.file.with_name(f"{name}.calls")
    _until(lambda: _state(console, "State").startswith("T"), name)
    inject = ["-e", f"inject={kill}"] if kill else []
    follower = subprocess.Popen(
        ["strace", "-fqo", log, "-p", str(console), *inject], stderr=subprocess.DEVNULL
    )
    try:
        _until(lambda: _state(console, "TracerPid") != "0", name)
        os.kill(console, signal.SIGCONT)
        follower.wait(WAITS_S)
    finally:
        follower.kill()
        follower.wait()
    return log.read_text("utf-8", "replace")


def _state(process: int, what: str) -> str:
    """Give what the system says of a process; `gone` once it is."""
    try:
        told = Path(f"/proc/{process}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return "gone"
    return next(line.split()[1] for line in told.splitlines() if line.startswith(f"{what}:"))


def _until(is_so: Callable[[], bool], name: str) -> None:
    ends = time.monotonic() + WAITS_S
    while not is_so():
        assert time.monotonic() < ends, f"{name} does not come so far"
        time.sleep(0.001)
