"""The feed of a desk: read from its log, which has a row for everything that is ever changed.

A cursor is the number of a row with a piece of its hash: rows have no gaps, so nothing is missed,
and a log put in the place of another is noticed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.chain import chained
from helpdesk.domain.errors import BadInput, CursorTooOld
from helpdesk.domain.feed import Change, Changes, Kind
from helpdesk.stores.base import Store

ROWS_MOST: Final = 2**63
"""No log has so many rows: a number that no database takes is no number of one."""

_ALSO: Final = {"prove": Kind.PROOF, "approve": Kind.APPROVAL, "undo": Kind.HOLD}
"""What an act changes beside the user."""

PIECE: Final = 12
"""So much of a row's hash tells it from the row of another log."""


Seen = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Which of these users an agent may see."""


async def newest(store: Store) -> str:
    """Return the cursor after everything there is."""
    ends = await store.ends()
    return _written(ends.seq, ends.last.hash if ends.last else "")


async def changes_after(store: Store, after: str, limit: int, seen: Seen) -> Changes:
    """Return what the rows after a cursor changed, of the users that *seen* lets through.

    Raises:
        BadInput: It is no cursor.
        CursorTooOld: It is of a row that is not in this log.
    """
    if not after:
        return Changes(cursor=await newest(store))
    begin = await _begin(store, after)
    rows = await store.rows(after=begin, limit=limit)
    shown = await seen({row.user for row in rows})
    changes = [one for row in rows if row.user in shown for one in _changed(row)]
    end = rows[-1].seq if rows else begin
    return Changes(
        cursor=_written(end, await _hash(store, end)),
        changes=tuple(dict.fromkeys(changes)),
        is_more=end < (await store.ends()).seq,
    )


def _changed(row: LogRow) -> Sequence[Change]:
    found = [Change(kind=Kind.LOG, id=str(row.seq))]
    if row.act == LOOK:
        return found
    if row.user:
        found.append(Change(kind=Kind.USER, id=row.user))
    if row.ticket or row.act.endswith("-ticket"):
        found.append(Change(kind=Kind.TICKET, id=row.ticket))
    if row.idempotency:
        found.append(Change(kind=Kind.HOLD, id=row.idempotency))
    if row.act in _ALSO:
        found.append(Change(kind=_ALSO[row.act]))
    elif row.user:  # a wish may ask for a second person, or use one up, and proofs with it
        found += [Change(kind=Kind.APPROVAL), Change(kind=Kind.PROOF)]
    return found


def _written(seq: int, hash_: str) -> str:
    """A cursor: the number of a row, with a piece of its hash."""
    return urlsafe_b64encode(f"{seq}.{hash_[:PIECE]}".encode()).decode().rstrip("=")


async def _hash(store: Store, seq: int) -> str:
    """The hash of a row; empty for none, and for a row of the time before the chain."""
    first = (await store.ends()).first
    place = seq - chained(first.row).seq if first else -1
    found = await store.bound(place, limit=1) if place >= 0 else ()
    return found[0].hash if found else ""


async def _begin(store: Store, cursor: str) -> int:
    """The number of the row that a cursor stands after."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        number, dot, piece = text.partition(".")
        seq = int(number) if dot and number.isascii() and number.isdigit() else -1
    except (ValueError, UnicodeError):
        seq, piece = -1, ""
    if not 0 <= seq < ROWS_MOST or len(cursor) > 64:
        raise BadInput("This is no cursor of the feed: begin without one.")
    if seq == 0:
        return 0
    found = await store.rows(after=seq - 1, limit=1)
    if not found or found[0].seq != seq or (await _hash(store, seq))[:PIECE] != piece:
        raise CursorTooOld("What changed since then is no longer known: look at everything anew.")
    return seq
