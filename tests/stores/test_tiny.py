from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.domain.shifting import moved
from helpdesk.stores import lock
from helpdesk.stores.installing import install
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.waiting import PATIENCE_S

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from helpdesk.stores.tinyfile import TinyFile

file = TinyFile(Path(sys.argv[1]), lambda: datetime.now(UTC))
who, count = sys.argv[2], int(sys.argv[3])
for number in range(count):
    with file.transaction():
        key = max((key for key, _ in file.rows("log")), default=0) + 1
        file.put("log", key, {"by": who, "number": number, "padding": "x" * (number * 7919 % 3000)})
    print(number, flush=True)
"""


def start_writer(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_a_change_is_whole_and_the_one_before_is_kept(sample_file: Path, clock: Clock) -> None:
    before = sample_file.read_bytes()
    file = TinyFile(sample_file, clock)

    with file.transaction():
        file.put("log", 1, {"by": "me"})

    assert json.loads(sample_file.read_text("utf-8"))["log"] == {"1": {"by": "me"}}
    assert sample_file.with_name("sample.json.bak").read_bytes() == before
    assert sample_file.stat().st_mode & 0o777 == 0o600
    left = {path.name for path in sample_file.parent.iterdir() if path.is_file()}
    assert left <= {"sample.json", "sample.json.bak", "sample.json.lock"}


def test_an_error_in_the_middle_changes_nothing(sample_file: Path, clock: Clock) -> None:
    before = sample_file.read_bytes()
    file = TinyFile(sample_file, clock)

    with pytest.raises(ValueError, match="no"), file.transaction():
        file.put("log", 1, {"by": "me"})
        raise ValueError("no")

    assert sample_file.read_bytes() == before
    assert dict(file.rows("log")) == {}


def test_a_document_is_replaced_whole(sample_file: Path, clock: Clock) -> None:
    file = TinyFile(sample_file, clock)

    with file.transaction():
        file.put("log", 7, {"old": 1, "same": 1})
    with file.transaction():
        file.put("log", 7, {"same": 2})

    assert file.row("log", 7) == {"same": 2}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"null", "not a desk's file"),
        (b"{}", "not a desk's file"),
        (b"[1]", "not a desk's file"),
        (b'{"users": {}}', "not a desk's file"),
        (b'{"meta": {"1": {"format": "other/1"}}}', "not a desk's file"),
        (
            b'{"meta": {"1": {"format": "helpdesk-fixture/1"}}, "users": []}',
            "users: is not a table",
        ),
        (b"\xff\xfe{", "damaged"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_by_name(
    sample_file: Path, clock: Clock, damage: bytes, says: str
) -> None:
    sample_file.write_bytes(damage)
    file = TinyFile(sample_file, clock)

    with pytest.raises(BadFile, match=says) as caught:
        list(file.rows("users"))
    with pytest.raises(BadFile), file.transaction():
        pass

    assert str(sample_file) in str(caught.value)
    assert sample_file.read_bytes() == damage


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_names_the_generation_before(
    sample_file: Path, clock: Clock, share: float
) -> None:
    file = TinyFile(sample_file, clock)
    with file.transaction():
        file.put("log", 1, {})
    data = sample_file.read_bytes()
    sample_file.write_bytes(data[: int(len(data) * share) - 2])

    with pytest.raises(BadFile, match=r"cut short.*sample\.json\.bak"):
        list(TinyFile(sample_file, clock).rows("users"))


def test_a_missing_file_is_unreachable_not_new(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "none.json"

    with pytest.raises(Unreachable, match="No such file"):
        list(TinyFile(path, clock).rows("users"))

    assert not path.exists()


def test_what_another_console_wrote_is_seen(sample_file: Path, clock: Clock) -> None:
    one, other = TinyFile(sample_file, clock), TinyFile(sample_file, clock)
    list(other.rows("log"))
    before = other.generation()

    with one.transaction():
        one.put("log", 1, {"by": "one"})

    assert other.generation() > before
    assert dict(other.rows("log")) == {1: {"by": "one"}}


def test_a_console_that_holds_the_file_is_waited_for_and_then_named(
    sample_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK_WAIT_S", 0.05)
    one, other = TinyFile(sample_file, clock), TinyFile(sample_file, clock)

    with (
        one.transaction(),
        pytest.raises(Unreachable, match="held by another"),
        other.transaction(),
    ):
        pass


def test_the_pen_is_had_at_once_only_where_nobody_holds_it(sample_file: Path, clock: Clock) -> None:
    one, other = TinyFile(sample_file, clock), TinyFile(sample_file, clock)
    for file in (one, other):
        with file.transaction():
            file.put("log", 1, {"by": "before"})

    with one.transaction():
        held = (one.hold(), other.hold())
    is_had = other.hold()
    with other.transaction(is_held=True):
        other.put("log", 2, {"by": "other"})

    assert held == (False, False)
    assert is_had
    assert one.hold()
    assert dict(one.rows("log")) == {1: {"by": "before"}, 2: {"by": "other"}}


async def test_what_is_of_one_table_is_read_again_when_that_was_changed(
    sample_file: Path, clock: Clock
) -> None:
    file, other, read = TinyFile(sample_file, clock), TinyFile(sample_file, clock), list[str]()

    def name(users: list[str]) -> list[str]:
        read.append("users")
        return [str(file.named("users", [user])[user][1]["name"]) for user in users]

    async def given() -> list[str]:
        return await file.read(name, ["u1"], of="users")

    async def renamed(by: TinyFile, to: str) -> list[str]:
        with by.transaction():
            key, row = by.named("users", ["u1"])["u1"]
            by.put("users", key, {**row, "name": to})
        return await given()

    before = await given()
    with file.transaction():
        file.put("log", 1, {"by": "me"})
    same = await given()
    count = len(read)

    assert same == before
    assert count == 1
    assert await renamed(file, "Here") == ["Here"]
    assert await renamed(other, "There") == ["There"]


def test_two_processes_lose_nothing(sample_file: Path) -> None:
    writers = [start_writer(sample_file, who, 60) for who in ("a", "b")]

    codes = [writer.wait(PATIENCE_S) for writer in writers]
    for writer in writers:
        writer.communicate()

    log = json.loads(sample_file.read_text("utf-8"))["log"]
    assert codes == [0, 0]
    assert len(log) == 120
    assert sorted((row["by"], row["number"]) for row in log.values()) == [
        (who, number) for who in ("a", "b") for number in range(60)
    ]


def test_kill_9_leaves_a_whole_file_with_everything_acknowledged(sample_file: Path) -> None:
    acknowledged = 0
    for round_number in range(12):
        writer = start_writer(sample_file, f"w{round_number}", 10_000)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.011 * (round_number % 5))
        writer.send_signal(signal.SIGKILL)
        acknowledged = 1 + len(writer.stdout.readlines())
        writer.wait()
        writer.stdout.close()

        log = json.loads(sample_file.read_text("utf-8"))["log"]
        mine = [row["number"] for row in log.values() if row["by"] == f"w{round_number}"]
        assert mine == list(range(len(mine)))
        assert len(mine) >= acknowledged


def test_what_another_console_wrote_between_is_kept(sample_file: Path, clock: Clock) -> None:
    one, other = TinyFile(sample_file, clock), TinyFile(sample_file, clock)
    with one.transaction():
        one.put("proofs", 1, {"id": "p1", "by": "one"})
    with other.transaction():
        other.put("proofs", 1, {"id": "p1", "by": "other"})
    list(one.rows("proofs"))

    with one.transaction():
        one.put("log", 1, {"by": "one"})

    assert json.loads(sample_file.read_text("utf-8"))["proofs"]["1"]["by"] == "other"


def test_what_was_dropped_is_not_written_with_the_next_change(
    sample_file: Path, clock: Clock
) -> None:
    file = TinyFile(sample_file, clock)
    with file.transaction():
        file.put("proofs", 1, {"id": "p1"})
    with pytest.raises(ValueError, match="dropped"), file.transaction():
        file.put("proofs", 1, {"id": "p2"})
        raise ValueError("dropped")

    with file.transaction():
        file.put("log", 1, {"by": "one"})

    assert json.loads(sample_file.read_text("utf-8"))["proofs"]["1"]["id"] == "p1"


def test_only_what_was_touched_counts_as_changed(sample_file: Path, clock: Clock) -> None:
    file, other = TinyFile(sample_file, clock), TinyFile(sample_file, clock)
    users, log = file.generation("users"), file.generation("log")

    with file.transaction():
        file.put("log", 1, {"by": "one"})
    mine = (file.generation("users"), file.generation("log") > log)
    with other.transaction():
        other.put("log", 2, {"by": "other"})

    assert mine == (users, True)
    assert file.generation("users") > users


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no /dev/full to stand for a full disk"
)
def test_a_full_disk_changes_nothing(
    sample_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sample_file.read_bytes()
    file = TinyFile(sample_file, clock)
    full = lambda **_: (os.open("/dev/full", os.O_WRONLY), str(sample_file) + ".full")  # noqa: E731
    monkeypatch.setattr(tempfile, "mkstemp", full)

    with (
        pytest.raises(Unreachable, match=r"No space left.*nothing was changed"),
        file.transaction(),
    ):
        file.put("log", 1, {})

    assert sample_file.read_bytes() == before


def test_what_is_put_in_the_files_place_is_on_the_disk_before(
    sample_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before, synced = TinyFile(sample_file, clock), sample_file.stat().st_ino, []
    sync = os.fsync

    def seen(handle: int) -> None:
        sync(handle)
        synced.append((os.fstat(handle).st_ino, sample_file.stat().st_ino))

    monkeypatch.setattr(os, "fsync", seen)
    with file.transaction():
        file.put("log", 1, {})

    after = sample_file.stat().st_ino
    assert synced[0] == (after, before)
    assert synced[-1] == (sample_file.parent.stat().st_ino, after)


def test_a_copy_is_installed_over_anything(sample_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "copy.json"
    install(sample_file, target)
    target.write_bytes(b"")

    install(sample_file, target)

    assert json.loads(target.read_text("utf-8")) == json.loads(sample_file.read_text("utf-8"))
    assert target.stat().st_mode & 0o777 == 0o600


def test_only_times_move() -> None:
    document = {
        "at": "2026-05-04T14:00:00Z",
        "from": "+44 •••• 21",
        "note": "2026-05-04T14:00:00Z",
        "events": [{"kind": "lock", "from": "2026-05-04T14:00:00.5+02:00", "until": None}],
        "seen_at": "soon",
    }

    after = moved(document, timedelta(days=1))

    assert after == {
        "at": "2026-05-05T14:00:00Z",
        "from": "+44 •••• 21",
        "note": "2026-05-04T14:00:00Z",
        "events": [{"kind": "lock", "from": "2026-05-05T12:00:00.500000Z", "until": None}],
        "seen_at": "soon",
    }


def test_a_fixture_whose_time_is_none_is_refused(sample_file: Path, clock: Clock) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    tables["meta"]["1"]["now"] = "yesterday"
    sample_file.write_text(json.dumps(tables), "utf-8")

    with pytest.raises(BadFile, match=r"meta\.1\.now: is not a time"):
        list(TinyFile(sample_file, clock).rows("users"))


def test_the_first_look_is_at_the_fixtures_own_present(sample_file: Path) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    file = TinyFile(sample_file, lambda: at)

    rows = dict(file.rows("loops"))

    assert rows[1]["at"] == "2029-12-31T23:56:00Z"
