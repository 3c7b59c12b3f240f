"""Row against provider: every change the desk made has one row and its notices, and the reverse.

row, done ──── effect in the provider's timeline, by an agent, of that user, within a minute
    └──── notices, numbered from one

No chain shows that every act was recorded; this compares two records that different hands keep.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.audit import ERASED, Result
from helpdesk.domain.chain import Entry, chained, opened
from helpdesk.domain.lacks import Lack, lack_of
from helpdesk.domain.notices import WORDS, Notice, by_row
from helpdesk.domain.text import clean, counted
from helpdesk.domain.timeline import AnyEvent, FactorChange, Other, Reset

WITHIN: Final = timedelta(seconds=60)
"""How far apart a row and its effect may lie: the row is written in the act's own transaction."""

COMPARED: Final = frozenset(name for name, kind in ACTIONS.items() if kind in WORDS)
"""The acts that are compared: those that everybody is told of."""

SILENT: Final = frozenset({"enrol-totp"})
"""Acts that may leave no event: an enrolment that begins does not, its first right code does."""

_RESETS: Final = frozenset({"reset-factor", "reset-all"})

_CHANGES: Final[Mapping[str, frozenset[str]]] = {
    "turned-off": frozenset({"turn-off-mfa"}),
    "turned-on": frozenset({"turn-on-mfa"}),
    "number-changed": frozenset({"change-mobile", "turn-on-mfa"}),
    "address-changed": frozenset({"change-address"}),
    "suspended": frozenset({"suspend-factor"}),
    "resumed": frozenset({"resume-factor"}),
    "enrolled": frozenset({"enrol-totp"}),
}
"""The acts that leave a change of this name."""

_MOST: Final = 50


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What was found, in sentences.

    Attributes:
        rows: Rows of acts that were compared.
        effects: Changes by agents at the provider since the log began.
        does_match: Whether nothing differs.
        differ: Which row, effect or notice has no counterpart.
        unknown: What could not be compared; never empty.
    """

    rows: int
    effects: int
    notices: int
    does_match: bool
    differ: tuple[str, ...] = ()
    agree: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Effect(Struct, frozen=True, kw_only=True):
    """One change an agent made, as the provider tells of it; *acts* are those that leave it."""

    at: datetime
    user: str
    what: str
    acts: frozenset[str]


class Told(Struct, frozen=True, kw_only=True):
    """One act that is done, as the log tells of it; *user* is None where nobody knows any more."""

    seq: int
    at: datetime
    act: str
    user: str | None

    @property
    def words(self) -> str:
        """The row as a sentence begins with it: `Row 7 (reset-all of u2)`."""
        whom = "somebody" if self.user is None else clean(self.user, limit=60)
        return f"Row {self.seq} ({self.act} of {whom})"


def reconcile(
    entries: Sequence[Entry],
    notices: Sequence[Notice],
    effects: Iterable[Effect],
    *,
    old: int,
    users: Iterable[str],
    pseudonym: Callable[[str], str],
    untold: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Reconciliation:
    """Return what of the log, the notices and the provider's changes belongs together.

    *old* counts the rows of the time before the chain, *pseudonym* gives what stands for one of the
    *users* in the chain; *untold* are, by user, the acts that their provider tells no timeline of.
    """
    told = told_acts(entries, users, pseudonym)
    effects = sorted(effects, key=lambda one: one.at)
    pairs = _pairs(told, effects)
    since = _moment(entries[0]) if entries else None
    lone = [one for place, one in enumerate(effects) if place not in pairs.values()]
    unpaired = [one for place, one in enumerate(told) if place not in pairs]
    alone = [one for one in unpaired if one.act not in untold.get(one.user or "", ())]
    late = [one for one in lone if since is not None and one.at >= since]
    before = len(lone) - len(late)
    differ = [
        *_rows_alone(alone),
        *_effects_alone(late),
        *_notices(told, notices, {chained(entry.row).seq for entry in entries}),
    ]
    silent = sum(one.act in SILENT for one in alone)
    hidden = len(unpaired) - len(alone)
    return Reconciliation(
        rows=len(told),
        effects=len(effects) - before,
        notices=len(notices),
        does_match=not differ,
        differ=_few(differ),
        agree=_agree(len(pairs), len(told), len(notices)) if not differ else (),
        unknown=tuple(_unknown(told, before, old, silent, hidden)),
    )


def effects_of(user: str, events: Sequence[AnyEvent]) -> Iterable[Effect]:
    """Return the changes agents made to a user.

    The parts of a reset count as the one reset, and a factor that was switched off with a pass as
    the pass.
    """
    resets = {one.at for one in events if isinstance(one, Reset) and one.by == "agent" and one.ok}
    passes = {one.at for one in events if isinstance(one, Other) and one.kind == "pass"}
    for event in events:
        match event:
            case Reset(ok=True, by="agent"):
                yield Effect(at=event.at, user=user, what="reset", acts=_RESETS)
            case FactorChange(by="agent", change="removed") if event.at in resets:
                continue
            case FactorChange(by="agent", change="suspended") if event.at in passes:
                continue
            case FactorChange(by="agent", change=what):
                acts = _CHANGES.get(what, frozenset())
                yield Effect(at=event.at, user=user, what=what, acts=acts)
            case Other(kind="pass", raw=raw) if raw.get("by") == "agent":
                acts = frozenset({"temporary-pass"})
                yield Effect(at=event.at, user=user, what="temporary pass", acts=acts)


def untold_by(lacks: Sequence[Lack]) -> frozenset[str]:
    """Return the acts that a provider tells no timeline of, by what it says that it lacks."""
    if lack_of(lacks, "told:acts") is not None:
        return COMPARED
    is_silent = lack_of(lacks, "told:pass") is not None
    return frozenset({"temporary-pass"}) if is_silent else frozenset()


def told_acts(
    entries: Iterable[Entry], users: Iterable[str], pseudonym: Callable[[str], str]
) -> list[Told]:
    """Return the acts that are done, as the log tells; of erased rows too, by what is bound."""
    found, names = [], None
    for entry in entries:
        row = opened(entry)
        if row.result is not Result.DONE or row.act not in COMPARED:
            continue
        user: str | None = row.user
        if user == ERASED:
            if names is None:
                names = {pseudonym(one): one for one in users}
            user = names.get(chained(entry.row).user)
        found.append(Told(seq=row.seq, at=_moment(entry), act=row.act, user=user))
    return found


def _moment(entry: Entry) -> datetime:
    return entry.at or opened(entry).at


def _pairs(told: Sequence[Told], effects: Sequence[Effect]) -> dict[int, int]:
    """Return which row, by its place, belongs to which effect: the nearest in time first."""
    moments = [one.at for one in effects]
    near = [
        (abs(row.at - effects[there].at), here, there)
        for here, row in enumerate(told)
        for there in range(
            bisect_left(moments, row.at - WITHIN), bisect_right(moments, row.at + WITHIN)
        )
        if row.act in effects[there].acts and row.user in {None, effects[there].user}
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, here, there in sorted(near):
        if here not in pairs and there not in taken:
            pairs[here] = there
            taken.add(there)
    return pairs


def _rows_alone(rows: Iterable[Told]) -> list[str]:
    return [
        f"{one.words}: the provider tells of no such change at that time."
        for one in rows
        if one.act not in SILENT
    ]


def _effects_alone(effects: Iterable[Effect]) -> list[str]:
    return [
        f"The provider tells of a change by an agent ({clean(one.what, limit=60)} of "
        f"{clean(one.user, limit=60)}, {one.at:%Y-%m-%d %H:%M:%S} UTC), and no row of the log does."
        for one in effects
    ]


def _notices(told: Sequence[Told], notices: Sequence[Notice], rows: set[int]) -> list[str]:
    """Return what is wrong with the notices: none of a row, one missing, one of no act."""
    sent, acts, wrong = by_row(notices), {one.seq: one for one in told}, []
    for seq, row in acts.items():
        of_row = sent.get(seq, ())
        if not of_row:
            wrong.append(f"{row.words}: there is no notice of it; nobody was told.")
            continue
        numbers = {one.id for one in of_row}
        count = max(len(of_row), *(_number(one.id) for one in of_row))
        wrong += [
            f"{row.words}: notice {number} of {count} is not there."
            for number in range(1, count + 1)
            if f"n{seq}-{number}" not in numbers
        ]
        wrong += [
            f"{row.words}: notice {clean(one.id, limit=60)} is of another act or of somebody else."
            for one in of_row
            if one.act != row.act or (row.user and one.user not in {"", row.user})
        ]
    wrong += [
        f"Notice {clean(one.id, limit=60)} ({clean(one.act, limit=60)}) names row {seq}, which "
        f"{'is no such act that was done' if seq in rows else 'is not in the log'}."
        for seq, of_row in sent.items()
        if seq not in acts and not _is_old(seq, rows)
        for one in of_row
    ]
    return wrong


def _number(notice: str) -> int:
    """Return which of its row a notice is, from its id; 0 where that does not say."""
    told = notice.rpartition("-")[2]
    return int(told) if told.isascii() and told.isdigit() and len(told) < 5 else 0


def _is_old(seq: int, rows: set[int]) -> bool:
    """Whether a row is from before the chain."""
    return bool(rows) and seq < min(rows)


def _agree(pairs: int, rows: int, notices: int) -> tuple[str, ...]:
    if not rows:
        return ("No act that would be told of is in the log, and none is at the provider since.",)
    return (
        f"{counted(pairs, 'change')} at the provider and {counted(rows, 'row')} of the log belong "
        f"together, each to one, and everybody was told: {counted(notices, 'notice')}.",
    )


def _unknown(
    told: Sequence[Told], before: int, old: int, silent: int, hidden: int
) -> Iterable[str]:
    """Return what was not compared."""
    nameless = sum(one.user is None for one in told)
    if before:
        yield counted(
            before,
            "change by an agent at the provider is from before the log began.",
            "changes by agents at the provider are from before the log began.",
        )
    if old:
        yield counted(
            old,
            "row is from before the chain and was not compared.",
            "rows are from before the chain and were not compared.",
        )
    if nameless:
        yield (
            f"Of {counted(nameless, 'row')} nobody here knows any more whom it is about: "
            "compared by act and time alone."
        )
    if silent:
        yield (
            f"{counted(silent, 'row is', 'rows are')} of an enrolment that began: the provider "
            "tells only of its first right code."
        )
    if hidden:
        yield (
            f"{counted(hidden, 'row is', 'rows are')} of acts that their provider tells nothing "
            "of: compared with the notices alone."
        )
    yield (
        "Codes sent, locks lifted, sessions ended and notes were not compared: only what changes "
        "how somebody proves who they are."
    )
    yield (
        "Of several notices of one act a last one taken away is not seen; and that the "
        "provider's own record is whole, nobody here can show."
    )


def _few(sentences: list[str]) -> tuple[str, ...]:
    rest = len(sentences) - _MOST
    return (*sentences[:_MOST], *((f"And {rest} more.",) if rest > 0 else ()))
