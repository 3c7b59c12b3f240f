"""Inspecting the log: what is proven about it, what is broken, and what no log can prove.

rows bound to one another      edited, deleted, added, swapped rows
+ checkpoints in the file        a chain made anew without the key
+ a checkpoint held elsewhere    a cut tail, an older copy, a chain made anew with it
+ nothing                        rows after the last checkpoint, acts never recorded
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.audit import Result
from helpdesk.domain.chain import (
    PERSONAL,
    START,
    ChainedRow,
    Entry,
    Macs,
    canonical,
    chained,
    link,
    log_of,
    personal,
    roots,
)
from helpdesk.domain.checkpoints import Checkpoint, read_checkpoint
from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean

EVERY_ROWS: Final = 64
"""A checkpoint is due after so many rows."""

EVERY_S: Final = 60
"""A checkpoint is due when the last is older, with the next row or when the desk is closed."""

_MOST: Final = 20
"""Sentences of one kind; whoever rewrote a whole log need not be told row by row."""

Vouches = Callable[[Checkpoint], bool | None]
"""Whether a known key signed a checkpoint; None where only unknown keys did."""


class Inspection(Struct, frozen=True, kw_only=True):
    """What was found about a log, in sentences.

    Attributes:
        rows: How many rows were looked at, those before the chain included.
        is_sound: Whether nothing is broken.
        proven: What holds, and by what.
        unproven: What this cannot show; never empty.
    """

    rows: int
    is_sound: bool
    broken: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


class Held(Struct, frozen=True, kw_only=True):
    """A checkpoint kept away from the log, and by whom, in words."""

    by: str
    note: str


class _Findings:
    def __init__(self) -> None:
        self.broken: list[str] = []
        self.proven: list[str] = []
        self.unproven: list[str] = []


def inspect(
    entries: Sequence[Entry],
    *,
    old: int,
    notes: Sequence[str],
    held: Sequence[Held],
    macs: Macs,
    vouches: Vouches,
) -> Inspection:
    """Return what is proven and what is broken about a log.

    *old* counts the rows of the time before the chain; *notes* are the checkpoints kept in the file
    beside the log, *held* those kept elsewhere.
    """
    found = _Findings()
    rows = _chain(entries, found)
    _personal(entries, rows, macs, found)
    newest = _checkpoints(entries, notes, held, vouches, found)
    if not found.broken:
        _coverage(rows, newest, found)
    _limits(len(entries) - newest, old, held, found)
    return Inspection(
        rows=len(entries) + old,
        is_sound=not found.broken,
        broken=_few(found.broken),
        proven=tuple(found.proven),
        unproven=tuple(found.unproven),
    )


def misfit(
    checkpoint: Checkpoint, by: str, there: int, origin: str, known: Mapping[int, bytes]
) -> str:
    """Return why a log of *there* rows is not the one of a checkpoint; empty if it is.

    *known* are its roots by size, that of the checkpoint's size among them if it is as long.
    """
    size = checkpoint.size
    if size > there:
        return (
            f"{by} is of {size} rows, and the log has {there}: rows were cut off, an older copy "
            "was put back, or another log was put in its place."
        )
    if size and checkpoint.origin != origin:
        return (
            f"{by} is of the log {clean(checkpoint.origin, limit=60)}, and this is "
            f"{clean(origin, limit=60) or 'one without a name'}: another log was put in its place."
        )
    if known[size] != checkpoint.root:
        return (
            f"{by} is of other rows: at least one of the first {size} was changed, added or "
            "taken away since, and what follows was made to fit."
        )
    return ""


def _chain(entries: Sequence[Entry], found: _Findings) -> list[ChainedRow | None]:
    """Follow the chain; give the rows."""
    rows: list[ChainedRow | None] = []
    before, expected = START.hex(), None
    for number, entry in enumerate(entries, 1):
        row = _row(entry.row)
        rows.append(row)
        name = f"Row {row.seq}" if row else f"The entry at place {number}"
        if row is None:
            found.broken.append(f"{name} is not a row as the desk writes them.")
        elif expected is not None and row.seq != expected:
            found.broken.append(
                f"{name} stands where row {expected} should: rows were taken away, added or moved."
            )
        if link(before, entry.row) != entry.hash:
            found.broken.append(
                f"{name}: it was changed, or one before it was changed, added or taken away; "
                "its hash does not fit."
            )
        before = entry.hash
        expected = row.seq + 1 if row else None
    if entries and not found.broken:
        found.proven.append(
            f"{len(entries)} rows are bound to one another: no single row was changed, added, "
            "moved or taken away without making all after it anew."
        )
    return rows


def _row(text: str) -> ChainedRow | None:
    try:
        row = chained(text)
    except msgspec.MsgspecError:
        return None
    return row if canonical(row) == text else None


def _personal(
    entries: Sequence[Entry], rows: list[ChainedRow | None], macs: Macs, found: _Findings
) -> None:
    checked = erased = foreign = 0
    for entry, row in zip(entries, rows, strict=True):
        if row is None:
            continue
        if entry.clear is None:
            erased += 1
        elif row.key != macs.name:
            foreign += 1
        else:
            checked += 1
            wrong = [f for f in PERSONAL if personal(f, entry.clear, macs) != getattr(row, f)]
            found.broken += [
                f"Row {row.seq}: the {field} beside it is not the one that was recorded."
                for field in wrong
            ]
    if checked:
        found.proven.append(f"Of {checked} rows the personal data beside was compared.")
    if erased:
        found.proven.append(f"Of {erased} rows the personal data was erased; the rows are there.")
    if foreign:
        found.unproven.append(
            f"Of {foreign} rows the personal data beside was recorded with another console's key "
            "and cannot be compared here."
        )


def _checkpoints(
    entries: Sequence[Entry],
    notes: Sequence[str],
    held: Sequence[Held],
    vouches: Vouches,
    found: _Findings,
) -> int:
    """Hold the log against every checkpoint; give the size of the newest that fits."""
    told = [*(Held(by="The checkpoint in the file", note=note) for note in notes), *held]
    read = [(each, _read(each, found)) for each in told]
    rows = [entry.row for entry in entries]
    known = roots(rows, {checkpoint.size for _, checkpoint in read if checkpoint})
    origin = log_of(rows[0]) if rows else ""
    newest, unknown, fits = 0, 0, 0
    for each, checkpoint in read:
        if checkpoint is None:
            continue
        by = f"{each.by} ({checkpoint.size} rows)" if each not in held else each.by
        why = misfit(checkpoint, by, len(rows), origin, known)
        is_ours = vouches(checkpoint)
        if why or is_ours is False:
            found.broken.append(why or f"{by}: its signature is not that of the key it names.")
            continue
        newest = max(newest, checkpoint.size)
        unknown += is_ours is None
        fits += each not in held
        if each in held:
            found.proven.append(
                f"{each.by} fits: its {checkpoint.size} rows are, unchanged, the first of this log."
            )
    if fits:
        found.proven.append(f"{fits} signed checkpoints in the file fit, the newest of {newest}.")
    if unknown:
        found.unproven.append(
            f"{unknown} checkpoints are signed by keys this console does not know."
        )
    return newest


def _read(held: Held, found: _Findings) -> Checkpoint | None:
    try:
        return read_checkpoint(held.note)
    except BadInput as error:
        found.broken.append(f"{held.by} cannot be read: {error}")
        return None


def _coverage(rows: list[ChainedRow | None], newest: int, found: _Findings) -> None:
    """Miss the checkpoints that are always there where nobody took them away."""
    late = [row for row in rows[newest:] if row and _is_grave(row)]
    found.broken += [
        f"Row {row.seq} ({clean(row.act)}) has no checkpoint after it, though one is made right "
        "with it: checkpoints were taken away."
        for row in late
    ]
    if not late and len(rows) - newest > EVERY_ROWS:
        found.broken.append(
            f"{len(rows) - newest} rows have no checkpoint after them, though one is made every "
            f"{EVERY_ROWS}: checkpoints were taken away."
        )


def _is_grave(row: ChainedRow) -> bool:
    act = ACTIONS.get(row.act)
    return act is not None and act.risk is Risk.HIGH and row.result is Result.DONE


def _limits(after: int, old: int, held: Sequence[Held], found: _Findings) -> None:
    if old:
        found.unproven.append(f"{old} rows are from before the chain: nothing is proven of them.")
    if after > 0:
        found.unproven.append(
            f"The last {after} rows came after the newest checkpoint: whoever can write the file "
            "could still change them unseen."
        )
    found.unproven.append(
        "Rows that came after the newest checkpoint and were cut off again would not be missed: as "
        f"a rule those of {EVERY_S} s, and never a dangerous act that was done."
    )
    if not held:
        found.unproven.append(
            "No checkpoint kept elsewhere was compared: a tail cut off together with its "
            "checkpoints, or an older copy put back, would not be seen."
        )
    found.unproven.append(
        "Whoever has this console's signing key could write the log anew and sign it: only a "
        "checkpoint they cannot reach shows that. Give them away: helpdesk log checkpoint."
    )
    found.unproven.append(
        "That every act was recorded, and that the times are right, is not shown by any log."
    )


def _few(sentences: list[str]) -> tuple[str, ...]:
    rest = len(sentences) - _MOST
    return (*sentences[:_MOST], *((f"And {rest} more.",) if rest > 0 else ()))
