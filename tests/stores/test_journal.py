"""Changes of a long file: appended, seen by others, whole or not there, and gone once written."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.installing import install
from helpdesk.stores.journal import FROM, SHARE
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock


@pytest.fixture
def long_file(sample_file: Path, clock: Clock) -> Path:
    """A fixture that is too long to be written at every change, changed once."""
    tables = json.loads(sample_file.read_text("utf-8"))
    tables["ballast"] = {"1": {"text": "x" * (FROM + 1)}}
    sample_file.write_text(json.dumps(tables), "utf-8")
    put(TinyFile(sample_file, clock), 1, "first")
    return sample_file


def put(file: TinyFile, key: int, text: str) -> None:
    with file.transaction():
        file.put("remarks", key, {"id": str(key), "text": text})


def texts(path: Path, clock: Clock) -> list[str]:
    """What somebody reads who opens the file now."""
    return [row["text"] for _, row in TinyFile(path, clock).rows("remarks")]


def copy_of(path: Path, other: Path) -> Path:
    """The file alone, without what lies beside it."""
    other.write_bytes(path.read_bytes())
    return other


def journal(path: Path) -> Path:
    return path.with_name(f"{path.name}.journal")


def test_a_change_of_a_long_file_leaves_it_as_it_is_and_is_read_by_all(
    long_file: Path, clock: Clock
) -> None:
    ours, theirs = TinyFile(long_file, clock), TinyFile(long_file, clock)
    assert [*theirs.rows("remarks")]
    generation, before = theirs.generation("remarks"), long_file.read_bytes()

    put(ours, 2, "second")

    assert long_file.read_bytes() == before
    assert theirs.generation("remarks") > generation
    assert [row["text"] for _, row in theirs.rows("remarks")] == ["first", "second"]
    assert texts(long_file, clock) == ["first", "second"]


def test_two_who_write_in_turn_lose_nothing_of_one_another(long_file: Path, clock: Clock) -> None:
    both = TinyFile(long_file, clock), TinyFile(long_file, clock)

    for number in range(2, 8):
        put(both[number % 2], number, f"number {number}")

    assert len(texts(long_file, clock)) == 7


def test_a_journal_cut_at_any_byte_gives_some_whole_number_of_changes(
    long_file: Path, clock: Clock
) -> None:
    ours = TinyFile(long_file, clock)
    ends = [0]
    for number in (2, 3):
        put(ours, number, f"number {number}")
        ends.append(journal(long_file).stat().st_size)
    whole = journal(long_file).read_bytes()

    found = {}
    for cut in {0, 1, *(end + by for end in ends[1:] for by in (-1, 0, 1)), *range(0, ends[2], 37)}:
        journal(long_file).write_bytes(whole[:cut])
        found[cut] = len(texts(long_file, clock)) - 1

    assert found == {cut: sum(cut >= end for end in ends[1:]) for cut in found}


def test_a_change_after_one_that_was_cut_short_takes_its_place(
    long_file: Path, clock: Clock
) -> None:
    ours = TinyFile(long_file, clock)
    put(ours, 2, "second")
    with journal(long_file).open("ab") as file:
        file.write(b'0badc0de {"of":"cut sho')

    put(TinyFile(long_file, clock), 3, "third")

    assert texts(long_file, clock) == ["first", "second", "third"]
    assert [row["text"] for _, row in ours.rows("remarks")] == ["first", "second", "third"]


def test_a_last_line_that_was_altered_does_not_count(long_file: Path, clock: Clock) -> None:
    ours = TinyFile(long_file, clock)
    put(ours, 2, "second")
    data = journal(long_file).read_bytes()

    journal(long_file).write_bytes(data.replace(b"second", b"secund"))

    assert texts(long_file, clock) == ["first"]


def test_a_line_that_was_altered_is_not_passed_over_where_others_follow(
    long_file: Path, clock: Clock
) -> None:
    ours = TinyFile(long_file, clock)
    put(ours, 2, "second")
    put(ours, 3, "third")
    data = journal(long_file).read_bytes()

    journal(long_file).write_bytes(data.replace(b"second", b"secund"))

    with pytest.raises(BadFile, match="is damaged, and whole changes follow it"):
        texts(long_file, clock)
    with pytest.raises(BadFile, match="is damaged"):
        put(TinyFile(long_file, clock), 4, "fourth")
    assert b"third" in journal(long_file).read_bytes()


def test_a_change_that_was_seen_and_taken_back_hides_none_that_comes_after(
    long_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = TinyFile(long_file, clock), TinyFile(long_file, clock)
    seen: list[list[str]] = []

    def is_broken(_: int) -> None:
        seen.append([row["text"] for _, row in theirs.rows("remarks")])
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", is_broken)
        with pytest.raises(Unreachable, match="nothing was changed"):
            put(ours, 2, "taken back")
    put(ours, 3, "third, and longer than what was taken back")

    put(theirs, 4, "fourth")

    assert seen == [["first", "taken back"]]
    assert texts(long_file, clock) == [
        "first",
        "third, and longer than what was taken back",
        "fourth",
    ]


def test_a_change_that_is_taken_back_was_never_shown_where_it_was_made(
    long_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = TinyFile(long_file, clock)
    seen: list[tuple[int, list[str]]] = []

    def look() -> None:
        seen.append((ours.generation(), [row["text"] for _, row in ours.rows("remarks")]))

    def is_broken(_: int) -> None:
        beside = threading.Thread(target=look)
        beside.start()
        beside.join()
        raise OSError(5, "Input/output error")

    look()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", is_broken)
        with pytest.raises(Unreachable, match="nothing was changed"):
            put(ours, 2, "taken back")
    look()

    assert seen == [seen[0]] * 3
    assert seen[0][1] == ["first"]


def test_a_file_that_became_short_takes_in_no_line_that_was_left_beside_it(
    long_file: Path, clock: Clock
) -> None:
    put(TinyFile(long_file, clock), 1, "told to the journal")
    lines = journal(long_file).read_bytes()
    ours = TinyFile(long_file, clock)

    with ours.transaction():
        ours.drop("ballast", beyond=0)
        ours.put("remarks", 1, {"id": "1", "text": "erased"})

    journal(long_file).write_bytes(lines)  # as after a kill before it was removed
    assert long_file.stat().st_size < FROM
    assert texts(long_file, clock) == ["erased"]


def test_what_a_long_file_was_before_it_began_anew_is_whole_in_its_backup(
    long_file: Path, tmp_path: Path, clock: Clock
) -> None:
    put(TinyFile(long_file, clock), 2, "second")

    install(copy_of(long_file, tmp_path / "new.json"), long_file)

    backup = long_file.with_name(f"{long_file.name}.bak")
    assert texts(backup, clock) == ["first", "second"]


def test_a_file_written_whole_has_all_of_it_and_no_line_counts_twice(
    long_file: Path, clock: Clock
) -> None:
    put(TinyFile(long_file, clock), 2, "second")
    lines = journal(long_file).read_bytes()

    AtomicStorage(str(long_file)).settle()

    assert not journal(long_file).exists()
    assert texts(long_file, clock) == ["first", "second"]
    put(TinyFile(long_file, clock), 2, "newer")
    journal(long_file).write_bytes(lines)  # as after a loss of power before it was removed
    AtomicStorage(str(long_file)).settle()
    assert texts(long_file, clock) == ["first", "second"]


def test_a_journal_that_grew_long_is_written_into_its_file(long_file: Path, clock: Clock) -> None:
    ours = TinyFile(long_file, clock)
    most = max(FROM, long_file.stat().st_size // SHARE)

    for number in range(2, 6):
        put(ours, number, str(number) * (most // 2))

    assert not journal(long_file).exists() or journal(long_file).stat().st_size < most
    assert len(texts(long_file, clock)) == 5


def test_what_is_parted_from_personal_data_leaves_none_in_the_journal(
    long_file: Path, clock: Clock
) -> None:
    ours = TinyFile(long_file, clock)
    put(ours, 2, "somebody's name")

    with ours.transaction():
        ours.sweep_again()
        ours.put("remarks", 2, {"id": "2", "text": "erased"})

    assert not journal(long_file).exists()
    assert texts(long_file, clock) == ["first", "erased"]


def test_a_copy_of_a_long_file_has_what_was_appended(
    long_file: Path, tmp_path: Path, clock: Clock
) -> None:
    put(TinyFile(long_file, clock), 2, "second")

    install(long_file, tmp_path / "copy" / "desk.json")

    assert texts(tmp_path / "copy" / "desk.json", clock) == ["first", "second"]


def test_a_file_put_in_the_place_of_another_is_not_changed_by_its_journal(
    long_file: Path, clock: Clock
) -> None:
    earlier = long_file.with_name(f"{long_file.name}.bak").read_bytes()
    put(TinyFile(long_file, clock), 2, "second")

    long_file.write_bytes(earlier)

    assert texts(long_file, clock) == []


def test_a_short_file_is_written_whole(sample_file: Path, clock: Clock) -> None:
    put(TinyFile(sample_file, clock), 1, "first")

    written: dict[str, Any] = json.loads(sample_file.read_text("utf-8"))
    assert written["remarks"]["1"]["text"] == "first"
    assert not journal(sample_file).exists()
