"""A log is found to be the same whether it is looked at in one go or a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from msgspec.structs import replace

from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.chain import Entry, root, sealed
from helpdesk.domain.checkpoints import ORIGIN, checkpoint_body
from helpdesk.domain.errors import BadInput
from helpdesk.domain.inspection import Inspection, SoFar, packed, unpacked
from helpdesk.domain.inspector import Inspector, is_of
from helpdesk.stores.keys import Keys

ROWS = 23
Log = tuple[list[Entry], list[str]]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """The keys of a console."""
    return Keys(tmp_path)


@pytest.fixture
def log(keys: Keys) -> Log:
    """Some rows, a dangerous act among them, with a checkpoint of every fifth and of all."""
    rows: list[Entry] = []
    for seq in range(1, ROWS + 1):
        row = LogRow(
            seq=seq,
            at=datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=seq),
            agent="dana",
            role=Role.SUPPORT,
            act="reset-all" if seq == 12 else "note",
            user=f"u{seq % 3}",
            result=Result.DONE,
            says="Done.",
        )
        before = rows[-1] if rows else None
        rows.append(sealed(row, before, keys, salt=f"{seq:032x}", log=f"{ORIGIN}1"))
    sizes = [*range(5, ROWS, 5), ROWS]
    texts = [entry.row for entry in rows]
    bodies = [checkpoint_body(f"{ORIGIN}1", size, root(texts[:size])) for size in sizes]
    return rows, [keys.signed(f"{ORIGIN}1", body) for body in bodies]


def inspected(log: Log, keys: Keys, at_once: int, seen: str = "") -> Inspection:
    """Look at a log so many rows at a time, each time by somebody who knows only how far it is."""
    rows, notes = log
    so_far = SoFar(rows=len(rows), notes=len(notes), old=0, seen=seen)
    while not so_far.is_all:
        looking = Inspector(unpacked(packed(so_far)), given=(), macs=keys, vouches=keys.vouches)
        end = min(so_far.done + at_once, len(rows))
        looking.take(rows[so_far.done : end], reached(notes[so_far.noted :], end, len(rows)))
        so_far = looking.so_far
    return Inspector(so_far, given=(), macs=keys, vouches=keys.vouches).found()


def reached(notes: Sequence[str], end: int, rows: int) -> list[str]:
    """The checkpoints of no more rows than these; at the end all."""
    return [*takewhile(lambda note: end == rows or is_of(note, end), notes)]


def as_it_is(log: Log) -> Log:
    """Nothing is wrong."""
    return log


def changed(log: Log) -> Log:
    """A row tells another agent."""
    rows, notes = log
    rows[7] = replace(rows[7], row=rows[7].row.replace("dana", "lee"))
    return rows, notes


def cut(log: Log) -> Log:
    """The last rows are gone."""
    return log[0][:17], log[1]


def without_checkpoints(log: Log) -> Log:
    """Nobody says that the dangerous act was covered."""
    return log[0], log[1][:2]


def other_reason(log: Log) -> Log:
    """The personal data beside a row is another."""
    rows, notes = log
    clear = rows[3].clear
    assert clear is not None
    rows[3] = replace(rows[3], clear=replace(clear, user="u9"))
    return rows, notes


def swapped(log: Log) -> Log:
    """Two checkpoints change their places."""
    return log[0], [log[1][1], log[1][0], *log[1][2:]]


def erased(log: Log) -> Log:
    """The personal data of the first rows is gone."""
    return [replace(one, clear=None) if n < 9 else one for n, one in enumerate(log[0])], log[1]


@pytest.mark.parametrize(
    ("change", "is_seen", "says"),
    [
        (as_it_is, False, ""),
        (as_it_is, True, ""),
        (erased, True, ""),
        (changed, True, "Row 8: it was changed"),
        (cut, False, "is of 20 rows, and the log has 17"),
        (cut, True, "is of 23 rows, and the log has 17"),
        (without_checkpoints, True, ""),
        (without_checkpoints, False, "Row 12 (reset-all) has no checkpoint after it"),
        (other_reason, True, "Row 4: the user beside it"),
        (swapped, False, "stands after one of more rows"),
    ],
    ids=lambda it: getattr(it, "__name__", None),
)
def test_a_few_rows_at_a_time_tell_what_all_of_them_tell(
    log: Log,
    keys: Keys,
    change: Callable[[Log], Log],
    is_seen: bool,
    says: str,
) -> None:
    seen = log[1][-1] if is_seen else ""
    tampered = change(log)

    found = inspected(tampered, keys, 1_000, seen)
    parts = [inspected(tampered, keys, at_once, seen) for at_once in (1, 4, 5, 22)]

    assert says in " ".join(found.broken)
    assert found.is_sound == (not says)
    for part in parts:
        assert (part.is_sound, part.proven, part.unproven) == (
            found.is_sound, found.proven, found.unproven
        )  # fmt: skip
        assert set(part.broken) == set(found.broken)


def test_what_was_never_given_cannot_be_gone_on_with() -> None:
    gone_too_far = packed(SoFar(rows=3, notes=0, old=0, done=4))

    for text in ("nonsense", "e30=", gone_too_far):
        with pytest.raises(BadInput, match="begin it anew"):
            unpacked(text)
