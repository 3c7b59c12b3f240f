"""Looking at a log row by row: what is bound, what fits, what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.audit import Result
from helpdesk.domain.chain import (
    PERSONAL,
    ChainedRow,
    Entry,
    Macs,
    Tree,
    canonical,
    chained,
    link,
    log_of,
    personal,
)
from helpdesk.domain.checkpoints import Checkpoint, misfit, read_body, read_checkpoint
from helpdesk.domain.errors import BadInput
from helpdesk.domain.inspection import (
    EVERY_ROWS,
    EVERY_S,
    MINE,
    MOST,
    SAW,
    Held,
    Inspection,
    Sentences,
    SoFar,
)
from helpdesk.domain.text import clean, counted

_BESIDE: Final = "The checkpoint in the file"

_LATE: Final = (
    "Row {seq} ({act}) has no checkpoint after it, though one is made right with it: checkpoints "
    "were taken away."
)

Vouches = Callable[[Checkpoint], bool | None]
"""Whether a known key signed a checkpoint; None where only unknown keys did."""


class Inspector:
    """Looks at a log, some rows at a time.

    Args:
        so_far: Where it goes on; changed as it does.
        given: Checkpoints kept elsewhere, beside the one that this console held.
    """

    def __init__(
        self, so_far: SoFar, *, given: Sequence[Held], macs: Macs, vouches: Vouches
    ) -> None:
        self.so_far = so_far
        mine = (Held(by=MINE, note=so_far.seen),) if so_far.seen else ()
        self._held = [(each.by, _told(each.note)) for each in mine]
        self._held += [(SAW, _told(so_far.saw, read_body))] if so_far.saw else []
        self._held += [(each.by, _told(each.note)) for each in given]
        self._macs, self._key, self._vouches = macs, macs.name, vouches
        self._tree = Tree(so_far.done, so_far.peaks)

    def take(self, entries: Sequence[Entry], notes: Sequence[str]) -> None:
        """Look at the next rows, and at the next checkpoints beside the log.

        These are all that are of no more rows than were looked at then.
        """
        so_far = self.so_far
        if entries and not so_far.done:
            so_far.origin = log_of(entries[0].row)
        beside = [_told(note) for note in notes]
        late = self._followed(entries)
        told = (*beside, *(each for _, each in self._held))
        sizes = {each.size for each in told if isinstance(each, Checkpoint)}
        known = self._tree.extend((entry.row for entry in entries), sizes)
        so_far.done, so_far.peaks = self._tree.size, self._tree.peaks
        newest = so_far.newest
        for each in beside:
            so_far.fits += self._follows(each) and self._fits(each, _BESIDE, known)
        so_far.noted += len(notes)
        self._hold(known)
        if so_far.newest > newest:
            so_far.late = Sentences()
        for place, says in late:
            if place >= so_far.newest:
                so_far.late.add(says)

    def found(self) -> Inspection:
        """Return what is proven and what is broken about the rows that were looked at."""
        so_far = self.so_far
        self._hold({}, is_end=True)
        broken = [so_far.chain, so_far.personal, so_far.checkpoints]
        if not any(one.count for one in broken):
            broken = [_uncovered(so_far)]
        return Inspection(
            rows=so_far.done + so_far.old,
            is_sound=not any(one.count for one in broken),
            broken=_few(broken),
            proven=tuple(_proven(so_far)),
            unproven=tuple(_unproven(so_far, has_held=bool(self._held))),
        )

    def _followed(self, entries: Sequence[Entry]) -> list[tuple[int, str]]:
        """Follow the chain; give the dangerous acts by their place."""
        so_far, grave = self.so_far, []
        for place, entry in enumerate(entries, so_far.done):
            row = _row(entry.row)
            if (
                row is None
                or link(so_far.before, entry.row) != entry.hash
                or (so_far.expected and row.seq != so_far.expected)
            ):
                self._break(place, row, entry)
            so_far.before, so_far.expected = entry.hash, row.seq + 1 if row else 0
            if row is not None:
                self._compare(row, entry)
                if _is_grave(row):
                    grave.append((place, _LATE.format(seq=row.seq, act=clean(row.act))))
        return grave

    def _break(self, place: int, row: ChainedRow | None, entry: Entry) -> None:
        """Say what is wrong with a row's place in the chain."""
        wrong, expected = self.so_far.chain, self.so_far.expected
        name = f"Row {row.seq}" if row else f"The entry at place {place + 1}"
        if row is None:
            wrong.add(f"{name} is not a row as the desk writes them.")
        elif expected and row.seq != expected:
            wrong.add(
                f"{name} stands where row {expected} should: rows were taken away, added or moved."
            )
        if link(self.so_far.before, entry.row) != entry.hash:
            wrong.add(
                f"{name}: it was changed, or one before it was changed, added or taken away; "
                "its hash does not fit."
            )

    def _compare(self, row: ChainedRow, entry: Entry) -> None:
        """Hold the personal data beside a row against what the row binds of it."""
        if entry.clear is None:
            self.so_far.erased += 1
        elif row.key != self._key:
            self.so_far.foreign += 1
        else:
            self.so_far.compared += 1
            for name in PERSONAL:
                if personal(name, entry.clear, self._macs) != getattr(row, name):
                    self.so_far.personal.add(
                        f"Row {row.seq}: the {name} beside it is not the one that was recorded."
                    )

    def _hold(self, known: Mapping[int, bytes], *, is_end: bool = False) -> None:
        """Hold the log against the checkpoints kept elsewhere whose rows were looked at."""
        so_far = self.so_far
        for number, (by, each) in enumerate(self._held):
            is_met = not isinstance(each, Checkpoint) or each.size in known
            if number in so_far.met or not (is_met or is_end):
                continue
            so_far.met.append(number)
            if self._fits(each, by, known, is_named=True) and isinstance(each, Checkpoint):
                rows = counted(each.size, "row is", "rows are")
                so_far.held.append(f"{by} fits: its {rows}, unchanged, the first of this log.")

    def _follows(self, checkpoint: Checkpoint | str) -> bool:
        """Whether a checkpoint beside the log is of no fewer rows than the one before it."""
        if isinstance(checkpoint, str):
            return True  # that it cannot be read is told elsewhere
        if checkpoint.size < self.so_far.last:
            self.so_far.checkpoints.add(
                f"{_BESIDE} ({counted(checkpoint.size, 'row')}) stands after one of more rows: "
                "checkpoints were moved or added."
            )
            return False
        self.so_far.last = checkpoint.size
        return True

    def _fits(
        self,
        checkpoint: Checkpoint | str,
        by: str,
        known: Mapping[int, bytes],
        *,
        is_named: bool = False,
    ) -> bool:
        """Whether a checkpoint is one of this log; a text says why it cannot be read."""
        so_far, wrong = self.so_far, self.so_far.checkpoints
        if isinstance(checkpoint, str):
            wrong.add(f"{by} cannot be read: {checkpoint}")
            return False
        by = by if is_named else f"{by} ({counted(checkpoint.size, 'row')})"
        why = misfit(checkpoint, by, so_far.rows, so_far.origin, known)
        if not checkpoint.signatures:  # what this console saw itself
            if why:
                wrong.add(why)
            return not why
        is_ours = self._vouches(checkpoint)
        if why or is_ours is False:
            wrong.add(why or f"{by}: its signature is not that of the key it names.")
            return False
        so_far.newest = max(so_far.newest, checkpoint.size)
        so_far.unknown += is_ours is None
        return True


def is_of(note: str, rows: int) -> bool:
    """Whether a checkpoint is of no more than so many rows; one that cannot be read is too."""
    told = _told(note)
    return isinstance(told, str) or told.size <= rows


def _row(text: str) -> ChainedRow | None:
    try:
        row = chained(text)
    except msgspec.MsgspecError:
        return None
    return row if canonical(row) == text else None


def _told(note: str, read: Callable[[str], Checkpoint] = read_checkpoint) -> Checkpoint | str:
    """A checkpoint, or why it cannot be read."""
    try:
        return read(note)
    except BadInput as error:
        return str(error)


def _is_grave(row: ChainedRow) -> bool:
    act = ACTIONS.get(row.act)
    return act is not None and act.risk is Risk.HIGH and row.result is Result.DONE


def _uncovered(so_far: SoFar) -> Sentences:
    """Miss the checkpoints that are always there where nobody took them away."""
    after = so_far.done - so_far.newest
    if so_far.late.count or after <= EVERY_ROWS:
        return so_far.late
    return Sentences(
        [
            f"{counted(after, 'row has', 'rows have')} no checkpoint after them, though one is "
            f"made every {EVERY_ROWS}: checkpoints were taken away."
        ],
        1,
    )


def _proven(so_far: SoFar) -> Iterator[str]:
    if so_far.done and not so_far.chain.count:
        yield (
            f"{counted(so_far.done, 'row is', 'rows are')} bound to one another: no single row was "
            "changed, added, moved or taken away without making all after it anew."
        )
    if so_far.compared:
        yield f"Of {counted(so_far.compared, 'row')} the personal data beside was compared."
    if so_far.erased:
        rows = counted(so_far.erased, "row")
        yield f"Of {rows} the personal data was erased; what was done is there."
    yield from so_far.held
    if so_far.fits:
        fit = counted(so_far.fits, "signed checkpoint")
        verb = "fits" if so_far.fits == 1 else "fit"
        yield f"{fit} in the file {verb}, the newest of {counted(so_far.newest, 'row')}."


def _unproven(so_far: SoFar, *, has_held: bool) -> Iterator[str]:
    if so_far.foreign:
        yield (
            f"Of {counted(so_far.foreign, 'row')} the personal data beside was recorded with "
            "another console's key and cannot be compared here."
        )
    if so_far.unknown:
        yield counted(
            so_far.unknown,
            "checkpoint is signed by a key this console does not know.",
            "checkpoints are signed by keys this console does not know.",
        )
    if so_far.old:
        yield counted(
            so_far.old,
            "row is from before the chain: nothing is proven of it.",
            "rows are from before the chain: nothing is proven of them.",
        )
    after = so_far.done - so_far.newest
    if after > 0:
        last, them = ("row", "it") if after == 1 else (f"{after:,} rows", "them")
        yield (
            f"The last {last} came after the newest checkpoint: whoever can write the file could "
            f"still change {them} unseen."
        )
    yield (
        "Rows that came after the newest checkpoint and were cut off again would not be missed but "
        f"by a console that saw them: as a rule those of {EVERY_S} s, and never a dangerous act "
        "that was done."
    )
    if not has_held:
        yield (
            "No checkpoint kept elsewhere was compared: a tail cut off together with its "
            "checkpoints, or an older copy put back, would not be seen."
        )
    yield (
        "Whoever has this console's signing key could write the log anew and sign it: only a "
        "checkpoint they cannot reach shows that. Give them away: helpdesk log checkpoint."
    )
    yield "That every act was recorded, and that the times are right, is not shown by any log."


def _few(kinds: Sequence[Sentences]) -> tuple[str, ...]:
    first = [says for one in kinds for says in one.first][:MOST]
    rest = sum(one.count for one in kinds) - len(first)
    return (*first, *((f"And {rest} more.",) if rest else ()))
