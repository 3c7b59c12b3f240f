"""Kill consoles as they write, starve them of disk and files, and damage what they have written.

    python -m tests.reliability disks [--seed 1] [--quick]

killed     one, two or four consoles write notes to one file; killed (SIGKILL) at random moments,
           and at each call to the system that a note makes: `each_call`
starved    a full disk, a read-only one, a bound on a file's size, too few open files
damaged    a desk's file in so many ways, asked for its users, a case and its log, and written to
spoiled    SQLite and its WAL, cut and with bytes flipped, under a console that saw it whole
narrow     real disks that are full or read-only, and too few open files: `narrow`

Nothing that was acknowledged is lost or there twice, no file is half a file, none that is damaged
is read as an empty one, and the sentence names file, damage and the way back.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from helpdesk.cli import main as helpdesk
from helpdesk.config import Config
from helpdesk.domain.actions import Note
from helpdesk.domain.agents import Role
from helpdesk.domain.errors import HelpdeskError, NoRecord
from helpdesk.domain.search import Query
from helpdesk.hosting import SqlDesks
from helpdesk.service.desk import Desk
from helpdesk.service.inspecting import inspected
from helpdesk.stores.sql.database import Database
from helpdesk.wiring import agent_named
from tests.reliability.each_call import killed_at_each_call, why_not
from tests.reliability.narrow import narrow
from tests.reliability.process import at_home
from tests.reliability.rows import Tried
from tests.reliability.writers import TICKET, USER, WAITS_S, Writers, lost_or_doubled, present
from tests.sample import write_sample
from tests.sql import imported
from tests.tui.console import desk_on

KILLS: Final = (300, 3)
"""Consoles killed: all of them, and in the quick part."""

SPOILED: Final = (400, 6)
"""Databases spoiled."""

LONGEST_S: Final = 0.08
"""The longest a console writes on before it is killed, seconds."""

CONSOLES: Final = (1, 2, 4)


async def _sound(desk: Desk) -> list[str]:
    """Return what a desk itself finds wrong with its log."""
    inspection, reconciliation = await inspected(desk), await desk.reconcile_log()
    return [*inspection.broken, *reconciliation.differ, *([desk.alarm] if desk.alarm else [])]


def killed(place: Path, writers: Writers, kills: int, seed: int) -> Iterator[str]:
    """Kill so many consoles; give what was lost."""
    dice, done, number = random.Random(f"killed/{seed}"), 0, 0
    while done < kills:
        number += 1
        directory = place / f"killed-{number}"
        directory.mkdir()
        writers.file = file = write_sample(directory / "desk.json")
        told: list[str] = []
        for turn in range(min(60, kills - done)):
            names = [f"{turn}-{one}" for one in range(dice.choice(CONSOLES))]
            running = [writers.begin(name) for name in names]
            ends = time.monotonic() + WAITS_S
            while not any(map(writers.told, names)) and time.monotonic() < ends:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, LONGEST_S))
            for one in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            _gone(running)
            told += [line for name in names for line in writers.told(name)]
            done += len(running)
            yield from (f"killed, seed {seed}: {one}" for one in lost_or_doubled(file, told))
            if done >= kills:
                break
        desk = desk_on(file, "lead", clock=present)
        yield from (f"killed, seed {seed}: {one}" for one in asyncio.run(_sound(desk)))


def _gone(processes: list[int]) -> None:
    ends = time.monotonic() + WAITS_S
    for one in processes:
        while os.path.exists(f"/proc/{one}") and time.monotonic() < ends:  # noqa: PTH110  (may end)
            time.sleep(0.001)


# Too little of something


def starved(place: Path, writers: Writers, is_quick: bool) -> tuple[int, list[str]]:
    """Let consoles write until something is used up; give how many did, and what was lost."""
    size = len(write_sample(place / "size.json").read_bytes())
    tries: list[tuple[str, int]] = [("files", most) for most in range(1 if is_quick else 12)]
    tries += [("size", size + more) for more in (100, 2_000) + (() if is_quick else (0, 50, 5_000))]
    tries += [("nobody", 0)]
    wrong = []
    for bound, most in tries:
        directory = place / f"{bound}-{most}"
        wrong += _starve(directory, writers, bound, most)
    full = [] if is_quick else [size * 2 + more for more in (4_096, 20_000, 100_000)]
    for number, most in enumerate(full):
        directory = place / f"full-{number}"
        directory.mkdir()
        with _small_disk(directory, most) as is_small:
            wrong += (
                _starve(directory / f"desk-{number}", writers, "full", most) if is_small else []
            )
            tries += [("full", most)] if is_small else []
    return len(tries), wrong


def _starve(directory: Path, writers: Writers, bound: str, most: int) -> list[str]:
    directory.mkdir(mode=0o755)
    file = write_sample(directory / "desk.json")
    file.chmod(0o644 if bound == "nobody" else 0o600)
    writers.file = file
    writers.begin("one", bound=bound, most=most, notes=400 if bound == "full" else 30)
    told = writers.ended("one")
    wrong = lost_or_doubled(file, told)
    says = next((one for one in told if one.startswith("said")), "")
    may_go_well = bound == "files" or (bound == "nobody" and os.getuid() != 0)
    if not says and not may_go_well:
        wrong.append("nobody was told of it")
    if says and ("desk.json" not in says and "keys" not in says):
        wrong.append(f"the sentence names no file: {says}")
    return [f"{bound} {most}: {one}" for one in wrong]


@contextlib.contextmanager
def _small_disk(directory: Path, most: int) -> Iterator[bool]:
    """Mount a disk of so many bytes, where this machine lets us."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={most}", "none", str(directory)]
    try:
        is_small = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        is_small = False
    try:
        yield is_small
    finally:
        if is_small:
            subprocess.run(["umount", "-l", str(directory)], check=False)


# Damaged files


def _in(table: str, change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Give what changes the first document of a table."""

    def changed(data: bytes) -> bytes:
        tables = json.loads(data)
        name = next(iter(tables[table]))
        tables[table][name] = change(tables[table][name])
        return json.dumps(tables).encode()

    return changed


def _table(table: str, value: object) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps(json.loads(data) | {table: value}).encode()


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share) - 2]


def _with(at: float, new: bytes, over: int = 0) -> Callable[[bytes], bytes]:
    def put(data: bytes) -> bytes:
        place = int(len(data) * at)
        return data[:place] + new + data[place + over :]

    return put


def _instead(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


NINES: Final = b"9" * 5_000

DAMAGES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "empty": lambda _: b"",
    "a blank": lambda _: b" ",
    "blank lines": lambda _: b"\n\n\n",
    "NULs": lambda data: b"\0" * len(data),
    "null": lambda _: b"null",
    "an empty object": lambda _: b"{}",
    "an empty list": lambda _: b"[]",
    "a word": lambda _: b'"desk"',
    "a number": lambda _: b"1",
    "a page": lambda _: b"<!doctype html><title>Sign in</title>",
    "a database": lambda _: b"SQLite format 3\0" + bytes(4_000),
    "packed": lambda _: b"\x1f\x8b\x08\0" + bytes(range(256)),
    "another format": _in("meta", lambda row: row | {"format": "other/1"}),
    "no format": _in("meta", lambda row: {"now": row["now"]}),
    "no time": _in("meta", lambda row: row | {"now": "yesterday"}),
    "no meta": lambda data: json.dumps({**json.loads(data), "meta": {}}).encode(),
    "a mark in front": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "Latin-1": _instead(b"Mayank", b"May\xe9nk"),
    "cut at a tenth": _cut(0.1),
    "cut in the middle": _cut(0.5),
    "cut near the end": _cut(0.99),
    "without its last byte": lambda data: data.rstrip()[:-1],
    "an old tail": lambda data: data + data[-200:],
    "twice": lambda data: data + data,
    "halves swapped": lambda data: data[len(data) // 2 :] + data[: len(data) // 2],
    "a hole of NULs": _with(0.4, b"\0" * 512, 512),
    "NULs behind": lambda data: data + b"\0" * 4_096,
    "a control character": _with(0.5, b"\x01"),
    "half a conflict": _with(0.5, b"\n<<<<<<< HEAD\n"),
    "not a number": _instead(b'"sessions": 2', b'"sessions": NaN'),
    "a number of 5,000 digits": _instead(b'"sessions": 2', b'"sessions": ' + NINES),
    "half a character": _instead(b"Mayank", b"May\\ud800"),
    "100,000 brackets": lambda _: b"[" * 100_000,
    "100,000 braces inside": lambda data: data.rstrip()[:-1] + b',"more":' + b'{"a":' * 100_000,
    "users as a list": _table("users", []),
    "users as null": _table("users", None),
    "users as text": _table("users", "none"),
    "a user as a list": _in("users", lambda _: []),
    "a user without an id": _in("users", lambda row: {k: v for k, v in row.items() if k != "id"}),
    "a login that is a number": _in("users", lambda row: row | {"login": 5}),
    "a role nobody knows": _in("users", lambda row: row | {"role": "king"}),
    "factors that are text": _in("users", lambda row: row | {"factors": "sms"}),
    "a mobile that is a list": _in("users", lambda row: row | {"mobile": []}),
    "a ticket without a time": _in("tickets", lambda row: row | {"opened_at": "soon"}),
    "an agent without a role": _in("agents", lambda row: row | {"role": None}),
    "tickets as a list": _table("tickets", []),
    "a log row that is none": lambda data: json.dumps(
        json.loads(data) | {"log": {"1": {"seq": "one"}}}
    ).encode(),
}  # fmt: skip
"""Ways to damage a file; those that leave it whole must be read as it was."""

ASKED: Final = (("find", "", "--json"), ("case", USER, "--json"), ("log", "--json"))


def damaged(place: Path, names: list[str]) -> Iterator[str]:
    """Damage a file in these ways; give how each went wrong."""
    for number, name in enumerate(names):
        directory = place / f"damaged-{number}"
        directory.mkdir()
        with at_home(directory):
            yield from (f"{name}: {one}" for one in _damage(directory, name))


def _damage(directory: Path, name: str) -> Iterator[str]:
    file = write_sample(directory / "desk.json")
    note = ("perform", "note", USER, "--ticket", TICKET, "--set", "text=kept")
    asked(file, *note)
    users = _users(asked(file, *ASKED[0])[1])
    data = DAMAGES[name](file.read_bytes())
    file.write_bytes(data)
    back = file.with_name("desk.json.bak").read_bytes()
    refused = 0
    for arguments in ASKED:
        code, out, err = asked(file, *arguments)
        says = out + err
        if "Traceback" in says or code == 70:
            yield f"{arguments[0]} broke: {says[-300:]}"
        elif code:
            refused += 1
            if "desk.json" not in says:
                yield f"{arguments[0]} names no file: {says}"
            if ".bak" not in says:
                yield f"{arguments[0]} names no way back: {says}"
        elif arguments == ASKED[0] and _users(out) != users:
            yield f"{len(users)} users silently became {len(_users(out))}"
    code, out, err = asked(file, *note)
    if refused and not code and refused == len(ASKED):
        yield "what cannot be read was written"
    if code and (file.read_bytes() != data or file.with_name("desk.json.bak").read_bytes() != back):
        yield "what was refused was written all the same"


def asked(file: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command on a desk's file; give exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = helpdesk(["--desk", str(file), *arguments])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
    return code, out.getvalue(), err.getvalue()


def _users(out: str) -> list[str]:
    return sorted(set(re.findall(r'"(?:id|user)":\s*"(u\d+)"', out)))


# Databases


def spoiled(place: Path, count: int, seed: int) -> Iterator[str]:
    """Cut and flip a database and its WAL so often; give what was read as if nothing had been."""
    source = place / "sql"
    source.mkdir()
    with at_home(source):
        first = source / "desk.db"
        database = imported(f"sqlite:///{first}", write_sample(source / "sample.json"), present)
        try:
            whole = asyncio.run(_filled(database))
            kept = {one.name: one.read_bytes() for one in source.glob("desk.db*")}
        finally:
            database.close()
    saved = place / "saved"
    shutil.copytree(source, saved, ignore=shutil.ignore_patterns("desk.db*"))
    dice = random.Random(f"spoiled/{seed}")
    for _ in range(count):
        shutil.rmtree(source)
        shutil.copytree(saved, source)  # where it was, so that its gateway knows what it saw
        which = dice.choice(["desk.db", "desk.db-wal"])
        data, does = bytearray(kept[which]), dice.choice(["cut", "flip", "zero"])
        at = dice.randrange(len(data))
        if does == "cut":
            del data[at:]
        elif does == "flip":
            data[at] ^= 1 << dice.randrange(8)
        else:
            data[at : at + 512] = bytes(len(data[at : at + 512]))
        for name in ("desk.db", "desk.db-wal"):
            (source / name).write_bytes(bytes(data) if name == which else kept[name])
        with at_home(source):
            says = _read(source / "desk.db", whole)
        if says:
            yield f"{does} {which} at {at}, seed {seed}: {says}"


async def _filled(database: Database) -> tuple[list[str], list[str]]:
    desk = _desk(database)
    for number in range(12):
        mark = f"mark-{number}"
        await desk.perform(Note(user=USER, ticket=TICKET, text=mark), key=f"key-of-the-note-{mark}")
    return await _held(desk)


def _desk(database: Database) -> Desk:
    desks = SqlDesks(database, Config(), is_dev=False)
    return desks.desk(agent_named(Role.SUPPORT, desks.agents))


async def _held(desk: Desk) -> tuple[list[str], list[str]]:
    users = await desk.find(Query(), limit=500)
    log = await desk.log(Query(), limit=500)
    return sorted(row.id for row in users.rows), [f"{row.seq} {row.says}" for row in log.rows]


def _read(file: Path, whole: tuple[list[str], list[str]]) -> str:
    """Return what is wrong with how a spoiled database is read; empty for nothing."""
    database = Database(f"sqlite:///{file}")
    try:
        desks = SqlDesks(database, Config(), is_dev=False)
        said = asyncio.run(_said_first(desks))
        users, log = asyncio.run(_held(desks.desk(agent_named(Role.SUPPORT, desks.agents))))
        wrong = asyncio.run(_sound(desks.desk(agent_named(Role.LEAD, desks.agents))))
    except HelpdeskError as error:
        return "" if "desk.db" in str(error) else f"the sentence names no file: {error}"
    except Exception as error:  # noqa: BLE001  (a fault: told)
        return f"broke with {type(error).__name__}: {error}"
    finally:
        database.close()
    if users != whole[0]:
        return f"{len(whole[0])} users silently became {len(users)}"
    if log == whole[1]:
        return ""
    there = f"{len(log)} rows of {len(whole[1])}"
    if not wrong:
        return f"{there}, and no console says so"
    if not all(word in said for word in ("desk.db", "rows", "log accept")):
        return f"{there}, and whoever serves it reads neither file nor way back: {said!r}"
    return ""


async def _said_first(desks: SqlDesks) -> str:
    """Give what a gateway that begins tells whoever runs it."""
    try:
        await desks.chores()
    except NoRecord as error:
        return str(error)
    return ""


def row(seed: int, is_quick: bool) -> Tried:
    """Try all five; quickly, a few of each."""
    kills, count = KILLS[is_quick], SPOILED[is_quick]
    names = list(DAMAGES)[::12] if is_quick else list(DAMAGES)
    with tempfile.TemporaryDirectory(prefix="disks-") as made:
        place = Path(made)
        place.chmod(0o755)  # one of the consoles is nobody's
        writers = Writers()
        try:
            wrong = list(killed(place, writers, kills, seed))
            calls, found = (0, []) if why_not() else killed_at_each_call(place, writers, is_quick)
            wrong += found
            starvings, found = starved(place, writers, is_quick)
        finally:
            writers.close()
        wrong += found
        wrong += damaged(place, names)
        wrong += spoiled(place, count, seed)
        narrowed, found = narrow(place / "narrow", is_quick)
        wrong += found
    return Tried(kills + calls + starvings + len(names) + count + narrowed, tuple(wrong))
