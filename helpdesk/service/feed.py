"""The feed of a desk: read from its log, which has a row for everything that is ever changed.

A cursor is the number of a row with a piece of its hash: rows have no gaps, so nothing is missed,
and a log put in the place of another is noticed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Final

from helpdesk.domain.audit import LOOK, LogRow
from helpdesk.domain.errors import BadInput, CursorTooOld
from helpdesk.domain.feed import Change, Changes, Kind
from helpdesk.stores.base import Store

_ALSO: Final = {"prove": Kind.PROOF, "approve": Kind.APPROVAL, "undo": Kind.HOLD}
"""What an act changes beside the user."""


def newest(store: Store) -> str:
    """Return the cursor after everything there is."""
    return _cursor(store, len(store.log))


def changes_after(store: Store, after: str, limit: int, is_seen: Callable[[str], bool]) -> Changes:
    """Return what the rows after a cursor changed, of users that *is_seen* lets through.

    Raises:
        BadInput: It is no cursor.
        CursorTooOld: It is of a row that is not in this log.
    """
    if not after:
        return Changes(cursor=newest(store))
    begin = _place(store, after)
    rows = store.log[begin : begin + limit]
    changes = [one for row in rows for one in _changed(row) if is_seen(row.user)]
    end = begin + len(rows)
    return Changes(
        cursor=_cursor(store, end),
        changes=tuple(dict.fromkeys(changes)),
        is_more=end < len(store.log),
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


def _cursor(store: Store, end: int) -> str:
    seq, piece = (store.log[end - 1].seq, _piece(store, end - 1)) if end else (0, "")
    return urlsafe_b64encode(f"{seq}.{piece}".encode()).decode().rstrip("=")


def _piece(store: Store, place: int) -> str:
    """A piece of a row's hash; empty for a row of the time before the chain."""
    bound = place - (len(store.log) - len(store.entries))
    return store.entries[bound].hash[:12] if bound >= 0 else ""


def _place(store: Store, cursor: str) -> int:
    """Where the rows after a cursor begin."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        number, dot, piece = text.partition(".")
        seq = int(number) if dot and number.isascii() and number.isdigit() else -1
    except (ValueError, UnicodeError):
        seq, piece = -1, ""
    if seq < 0 or len(cursor) > 64:
        raise BadInput("This is no cursor of the feed: begin without one.")
    if seq == 0:
        return 0
    log = store.log
    place = seq - (log[0].seq if log else 0)
    if not 0 <= place < len(log) or log[place].seq != seq or _piece(store, place) != piece:
        raise CursorTooOld("What changed since then is no longer known: look at everything anew.")
    return place + 1
