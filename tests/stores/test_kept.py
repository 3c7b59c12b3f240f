"""What is kept of a long file: only ever what is right, and nobody waits for it twice."""

from __future__ import annotations

import asyncio
import re
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec.structs import replace

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.entries import Entry
from helpdesk.domain.errors import BadFile
from helpdesk.domain.search import Query, parse
from helpdesk.domain.text import folded
from helpdesk.domain.tickets import Ticket
from helpdesk.domain.users import User
from helpdesk.stores import atomic, directory
from helpdesk.stores import kept as keeping
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.everybody import NAMES
from helpdesk.stores.kept import PEOPLE, PLACES, STANDING, Kept
from helpdesk.stores.moment import Moment
from helpdesk.stores.shelf import Handle
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock

USERS = 80

LONG = 100_000
"""Bytes of a file that counts as long here."""

SEARCHES = (
    "", "m", "ma", "mar", "mar a", "#4", "4830", "447700", ".example", "product:sms", "state:off",
    "state:locked", "state:ok mar", "channel:totp", "loop:yes", "ticket:no a",
    *(f"sort:{sort}" for sort in ("heat", "name", "product", "state", "seen")),
)  # fmt: skip

PRODUCTS = [(name, name) for name in ("lead-gen-crm", "partner-portal", "sms-2fa")]


class Counted(TinyFile):
    """A file that counts how many users were read as they stand in it."""

    def __init__(self, path: Path, clock: Clock, kept: Path | None) -> None:
        self.told: list[float] = []
        super().__init__(path, clock, kept, self.told.append)


@pytest.fixture(autouse=True)
def soon_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer users are enough, and are many: nobody waits while they are looked through."""
    monkeypatch.setattr(atomic, "FROM", LONG)
    for name in ("FEW", "AT_ONCE", "QUICK"):
        monkeypatch.setattr(directory, name, USERS // 3)


@pytest.fixture
def long_file(long_file: Path) -> Path:
    """The same, that nobody changed just now."""
    rested()
    return long_file


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where it is kept what was made of files."""
    return tmp_path / "read"


def rested() -> None:
    """Wait until a change of a file shows by its time, and what is made of it is kept."""
    time.sleep(keeping.SETTLED_NS / 1e9)
    for thread in threading.enumerate():
        if thread.name == "keeping":
            thread.join()


async def found(file: TinyFile, clock: Clock) -> dict[str, list[Entry]]:
    """What a directory of the file gives for all kinds of searches."""
    store = TinyStore(file)
    store.load()
    users = TinyDirectory(file, store)
    await users.refresh()
    answers = {}
    for said in SEARCHES:
        query = parse(said, PRODUCTS)
        total, some = await users.find(query, clock.now, account=None, offset=0, limit=USERS)
        assert total >= len(some)
        answers[said] = [*some]
    answers["seen"] = [*await users.seen(clock.now - timedelta(days=1))]
    agent = Agent(id="dana", name="Dana", role=Role.SUPPORT)
    answers["queue"] = [*(await users.queue(agent, clock.now, offset=2, limit=9))[1]]
    user = answers[""][7].user
    answers["named"] = [*await users.named(user.login.upper())]
    answers["doubles"] = [*await users.doubles(user, account=None, limit=9)]
    return answers


async def test_a_file_is_read_once_and_the_next_time_gives_the_same(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    first, second = Counted(long_file, clock, kept), Counted(long_file, clock, kept)
    without = await found(TinyFile(long_file, clock), clock)

    answers = [await found(each, clock) for each in (first, second)]

    assert answers == [without, without]
    assert first.told
    assert max(first.told) <= 1
    assert not second.told
    assert len(without[""]) == USERS
    assert without["named"][0].user.id == without[""][7].user.id


async def test_who_was_seen_since_a_moment_is_the_same_whatever_was_asked_before(
    long_file: Path, clock: Clock
) -> None:
    store = TinyStore(TinyFile(long_file, clock))
    store.load()
    asked, fresh = TinyDirectory(store._file, store), TinyDirectory(store._file, store)

    for hours in (30, 5, 200, 1):
        since = clock.now - timedelta(hours=hours)
        for limit in (3, USERS):
            found = await asked.seen(since, limit=limit)
            fresh._now = None

            assert found == await fresh.seen(since, limit=limit)
            assert all(e.user.seen_at and e.user.seen_at >= since for e in found)


class Busy(int):
    """A place that is looked at while another thread comes to know somebody."""

    others: ClassVar[dict[int, Any]] = {}

    def __hash__(self) -> int:
        self.others[-1 - len(self.others)] = None
        return int(self)


async def test_who_is_known_is_carried_over_while_others_become_known(
    long_file: Path, clock: Clock
) -> None:
    store = TinyStore(TinyFile(long_file, clock))
    known = TinyDirectory(store._file, store)._known
    known._entries = {Busy(0): known.entry(0), 1: known.entry(1)}
    Busy.others = known._entries

    after = Moment(known.people, known.opened, known)

    assert {*after._entries} >= {0, 1}


@pytest.mark.parametrize("typed", ["", "a", "mar", "state:ok a", "okaf"])
async def test_an_order_is_the_same_for_few_and_for_all(
    long_file: Path, clock: Clock, typed: str
) -> None:
    store = TinyStore(TinyFile(long_file, clock))
    store.load()
    users = TinyDirectory(store._file, store)
    await users.refresh()

    async def ids(said: str) -> list[str]:
        query = parse(said, PRODUCTS)
        _, some = await users.find(query, clock.now, account=None, offset=0, limit=USERS)
        return [one.user.id for one in some]

    _, everybody = await users.find(Query(), clock.now, account=None, offset=0, limit=USERS)
    named = sorted(everybody, key=lambda one: folded(one.user.name))
    by_product = sorted(named, key=lambda one: one.user.product)

    found = {*await ids(typed)}

    assert await ids(f"{typed} sort:name") == [e.user.id for e in named if e.user.id in found]
    assert await ids(f"{typed} sort:product") == [
        e.user.id for e in by_product if e.user.id in found
    ]


def test_what_is_kept_is_for_its_owner_alone(long_file: Path, kept: Path, clock: Clock) -> None:
    Counted(long_file, clock, kept).people()

    assert len([*kept.iterdir()]) == 2
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept.iterdir()} == {0o600}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def other_name(data: bytes) -> bytes:
    return data.replace(b'"id":"u7","name":"', b'"id":"u7","name":"Zzyzx ', 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(other_name(path.read_bytes())),
        lambda path: (
            path.with_name("new").write_bytes(other_name(path.read_bytes()))
            and path.with_name("new").replace(path)
        ),
    ],
)
async def test_a_file_that_was_changed_is_read_anew(
    long_file: Path, kept: Path, clock: Clock, change: Callable[[Path], object]
) -> None:
    await found(Counted(long_file, clock, kept), clock)

    change(long_file)
    rested()
    file = Counted(long_file, clock, kept)
    answers = await found(file, clock)

    assert file.told
    assert answers == await found(TinyFile(long_file, clock), clock)
    assert any(entry.user.name.startswith("Zzyzx") for entry in answers[""])


async def test_a_file_that_changed_just_now_is_not_kept(
    long_file: Path, kept: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SETTLED_NS", 10**12)

    Counted(long_file, clock, kept).people()

    assert not kept.exists()


@pytest.mark.parametrize("name", ["places", "people", "standing"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + b"x" + data[101:],
        lambda data: data[: len(data) // 2] + b"\xff\xff" + data[len(data) // 2 + 2 :],
    ],
)
async def test_what_is_damaged_is_made_anew_and_never_believed(
    long_file: Path,
    kept: Path,
    clock: Clock,
    name: str,
    damage: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "LONG", 1)
    await found(Counted(long_file, clock, kept), clock)
    rested()
    right = await found(Counted(long_file, clock, kept), clock)
    path = next(kept.glob(f"*.{name}"))
    assert path.with_name(f"{path.name}.whole").exists()
    path.write_bytes(damage(path.read_bytes()))

    answers = await found(Counted(long_file, clock, kept), clock)
    again = await found(Counted(long_file, clock, kept), clock)

    assert answers == again == right


@pytest.mark.parametrize(
    "name",
    ["open", "rounds", "ends", "theirs", "ticketed", "kinds", "opened", "all kinds", "loops"],
)
async def test_pieces_that_do_not_belong_together_are_made_anew(
    long_file: Path, kept: Path, clock: Clock, name: str
) -> None:
    right = await found(Counted(long_file, clock, kept), clock)
    keeper, source = Kept(kept, long_file), Handle(long_file)
    pieces = keeper.found(STANDING, source) or {}
    whole = {of: piece.read(0, piece.size) for of, piece in pieces.items()}
    keeper.keep(STANDING, source, whole | {name: b"[]" if "all" in name else whole[name][:-8]})

    answers = await found(Counted(long_file, clock, kept), clock)
    again = keeper.found(STANDING, source) or {}

    assert answers == right
    assert {of: piece.read(0, piece.size) for of, piece in again.items()} == whole


async def test_a_piece_that_is_not_there_is_made_anew(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    right = await found(Counted(long_file, clock, kept), clock)
    keeper, source = Kept(kept, long_file), Handle(long_file)
    pieces = keeper.found(STANDING, source) or {}
    whole = {of: piece.read(0, piece.size) for of, piece in pieces.items()}

    for name in whole:
        keeper.keep(STANDING, source, {of: data for of, data in whole.items() if of != name})
        assert await found(Counted(long_file, clock, kept), clock) == right
        assert (keeper.found(STANDING, source) or {}).keys() == whole.keys()


@pytest.mark.parametrize("other", [PEOPLE, STANDING])
async def test_what_is_kept_under_the_name_of_something_else_is_made_anew(
    long_file: Path, kept: Path, clock: Clock, other: str
) -> None:
    right = await found(Counted(long_file, clock, kept), clock)
    places = next(kept.glob(f"*.{PLACES}"))
    whole = places.read_bytes()
    next(kept.glob(f"*.{other}")).replace(places)

    assert await found(Counted(long_file, clock, kept), clock) == right
    assert places.read_bytes() == whole


async def test_rounds_of_a_loop_that_no_piece_can_hold_are_told_all_the_same(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    most = 1 << 63
    text = re.sub('"rounds":[0-9]+', f'"rounds":{most}', long_file.read_text("utf-8"))
    long_file.write_text(text, "utf-8")
    rested()

    answers = await found(Counted(long_file, clock, kept), clock)

    assert {entry.rounds for entry in answers["loop:yes"]} == {most}
    assert answers == await found(TinyFile(long_file, clock), clock)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:1_000], lambda data: re.sub(b'("subject":").', b"\\1\xff", data)],
)
async def test_a_record_that_is_damaged_after_the_file_was_opened_is_named(
    long_file: Path, kept: Path, clock: Clock, damage: Callable[[bytes], bytes]
) -> None:
    await found(Counted(long_file, clock, kept), clock)
    store = TinyStore(Counted(long_file, clock, kept))
    store.load()
    user = TinyFile(long_file, clock).values("tickets", Ticket)[0].user
    long_file.write_bytes(damage(long_file.read_bytes()))

    with pytest.raises(BadFile, match=r"tickets\.\d+"):
        await store.select(Ticket, user=user)


async def test_what_accounts_are_called_is_kept_and_not_believed_where_it_is_damaged(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    right = await found(Counted(long_file, clock, kept), clock)
    keeper, source = Kept(kept, long_file), Handle(long_file)
    pieces = keeper.found(PEOPLE, source) or {}
    whole = {of: piece.read(0, piece.size) for of, piece in pieces.items()}
    called = msgspec.json.decode(whole[NAMES], type=dict[str, str])
    others = {account: name[::-1] for account, name in called.items()}
    keeper.keep(PEOPLE, source, whole | {NAMES: msgspec.json.encode(others)})

    names = {entry.account for entry in (await found(Counted(long_file, clock, kept), clock))[""]}
    path = next(kept.glob(f"*.{PEOPLE}"))
    path.write_bytes(path.read_bytes().replace(b'{"a1":', b'{"a9":'))
    answers = await found(Counted(long_file, clock, kept), clock)

    assert names == {entry.account[::-1] for entry in right[""]}
    assert answers == right


@pytest.fixture
def start_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Say which start of the machine this is; nothing where that is not known."""
    boot = tmp_path / "boot"

    def start(which: str) -> None:
        boot.write_text(which, "ascii")
        monkeypatch.setattr(keeping, "BOOT", boot)
        keeping._boot.cache_clear()

    yield start
    keeping._boot.cache_clear()


def test_a_long_piece_is_looked_through_once_until_the_machine_is_started_anew(
    tmp_path: Path, start_machine: Callable[[str], None]
) -> None:
    path, right = tmp_path / "some.places", zlib.crc32(bytes(keeping.LONG))
    path.write_bytes(bytes(keeping.LONG))

    def look(check: int) -> None:
        handle = Handle(path)
        whole = keeping.Whole(handle)
        keeping.KeptPiece(whole, "keys", handle, 0, keeping.LONG, check).check()

    def is_looked_through() -> bool:
        look(right)
        try:
            look(right + 1)
        except keeping.Damaged:
            return True
        return False

    start_machine("one")
    assert is_looked_through()  # it was written just now: a change would not show
    rested()
    assert not is_looked_through()
    path.write_bytes(b"x" + bytes(keeping.LONG - 1))
    with pytest.raises(keeping.Damaged):
        look(right)
    path.write_bytes(bytes(keeping.LONG))
    rested()
    assert not is_looked_through()
    start_machine("another")
    with pytest.raises(keeping.Damaged):
        look(right + 1)
    start_machine("")
    assert is_looked_through()


async def test_changes_beside_the_file_are_seen_by_all_and_by_who_opens_it_next(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    ours, theirs = Counted(long_file, clock, kept), Counted(long_file, clock, kept)
    with ours.transaction():  # the first change writes the file whole
        ours.put("remarks", 1, {"by": "us"})
    rested()
    await found(Counted(long_file, clock, kept), clock)
    people = theirs.people()
    user = people.user(6)

    with ours.transaction():
        after = replace(user, notification_address="zzyzx@other.example", flagged="odd")
        ours.put("users", 7, msgspec.to_builtins(after))
    fresh = Counted(long_file, clock, kept)
    answers = [await found(each, clock) for each in (theirs, fresh)]

    assert answers[0] == answers[1] == await found(TinyFile(long_file, clock), clock)
    assert theirs.people().user(6) == after != user
    assert theirs.people().place("u7") == 6
    assert not fresh.told


async def test_who_has_another_name_beside_the_file_is_found_by_it(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    ours = Counted(long_file, clock, kept)
    for name in ("Aaron Zzyzx", "Zzyzx"):
        user: User = ours.people().user(6)
        with ours.transaction():
            ours.put("users", 7, msgspec.to_builtins(replace(user, name=name)))

    answers = await found(Counted(long_file, clock, kept), clock)

    assert answers == await found(TinyFile(long_file, clock), clock)
    assert "Zzyzx" in {entry.user.name for entry in answers["sort:name"]}


def test_nothing_is_kept_of_files_that_are_gone(
    long_file: Path, kept: Path, clock: Clock, tmp_path: Path
) -> None:
    Counted(long_file, clock, kept).people()
    other = tmp_path / "other.json"
    other.write_bytes(long_file.read_bytes())
    long_file.unlink()
    rested()

    Counted(other, clock, kept).people()

    assert len([*kept.iterdir()]) == 2


def test_where_nothing_can_be_kept_the_file_is_read_all_the_same(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    kept.write_text("no directory", "utf-8")

    assert len(Counted(long_file, clock, kept).people()) == USERS


async def test_a_file_that_is_written_whole_need_not_be_read_anew(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    ours = Counted(long_file, clock, kept)
    await found(ours, clock)

    with ours.transaction():  # the first change of a file writes it whole
        ours.put("remarks", 1, {"by": "us", "text": "ö\n"})
    rested()
    fresh = Counted(long_file, clock, kept)
    answers = await found(fresh, clock)

    assert not fresh.told
    assert answers == await found(TinyFile(long_file, clock), clock) == await found(ours, clock)
    assert fresh.row("remarks", 1) == {"by": "us", "text": "ö\n"}
    assert [*fresh.rows("timelines")] == [*TinyFile(long_file, clock).rows("timelines")]


async def test_who_wrote_a_file_whole_reads_none_of_it_anew_not_even_meanwhile(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    ours = Counted(long_file, clock, kept)
    await found(ours, clock)
    ours.told.clear()
    generation, people, is_over = ours.generation("users"), ours.people(), Event()

    def reading() -> list[bool]:
        same = []
        while not is_over.is_set():
            same.append(ours.generation("users") == generation and ours.people() is people)
        return same

    read = asyncio.create_task(asyncio.to_thread(reading))
    await asyncio.sleep(0)
    with ours.transaction():
        ours.put("remarks", 1, {"by": "us"})
    is_over.set()
    same = await read

    assert all(same)
    assert not ours.told


async def test_who_was_changed_before_a_file_was_written_whole_is_read_anew(
    long_file: Path, kept: Path, clock: Clock
) -> None:
    ours = Counted(long_file, clock, kept)
    await found(ours, clock)
    user: User = ours.people().user(6)

    with ours.transaction():
        ours.put("users", 7, msgspec.to_builtins(replace(user, mobile="+44 7700 900999")))
    fresh = Counted(long_file, clock, kept)

    assert await found(fresh, clock) == await found(TinyFile(long_file, clock), clock)
    assert fresh.told
    assert fresh.people().user(6).mobile == "+44 7700 900999"
