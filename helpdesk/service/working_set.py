"""The working set: what this machine remembers of a desk, and the answers that can be made of it.

Only what the agent was shown is here, as it was shown: masked. A search finds those users and
nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain import entries
from helpdesk.domain.cases import FORMS as CASE_FORMS
from helpdesk.domain.cases import Case, case_of, masked
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.events import FORMS as EVENT_FORMS
from helpdesk.domain.events import encode_event
from helpdesk.domain.learning import learn
from helpdesk.domain.search import LoopRow, Page, Query, Sort, TicketRow, UserRow, matches
from helpdesk.domain.text import digits, folded
from helpdesk.domain.users import At
from helpdesk.stores.replica import Kept, Replica

T = TypeVar("T")

ROWS_MOST: Final = 500
"""Rows kept of each list."""


class Shown(Struct, Generic[T], frozen=True, kw_only=True):
    """An answer from this machine, and when it was true."""

    value: T
    at: At


class WorkingSet:
    """What this machine remembers of a desk; every answer may be None: then it does not know.

    Attributes:
        is_gathering: Whether what is remembered is written with the next mark only.
    """

    def __init__(self, replica: Replica) -> None:
        learn((*CASE_FORMS, *EVENT_FORMS, Verdict, Page[UserRow], Page[LoopRow], Page[TicketRow]))
        self._replica = replica
        self.is_gathering = False

    async def case(self, user: str) -> Shown[Case] | None:
        """Give a case as it was last seen."""
        kept = await self._replica.kept(f"case {user}")
        case = _case(kept) if kept else None
        return Shown(value=case, at=kept.at) if kept and case else None

    async def why(self, user: str) -> Shown[Verdict] | None:
        """Give a verdict as it was last seen, with nothing said by the caller."""
        return _read(await self._replica.kept(f"why {user}"), Verdict)

    async def queue(self, offset: int, limit: int) -> Shown[Page[UserRow]] | None:
        """Give a window of the queue."""
        return _window(_read(await self._replica.kept("queue"), Page[UserRow]), offset, limit)

    async def find(
        self, query: Query, offset: int, limit: int, now: datetime
    ) -> Shown[Page[UserRow]] | None:
        """Give a window of those users here that match, in the query's order."""
        queue = _read(await self._replica.kept("queue"), Page[UserRow])
        kept = await self._replica.cases()
        rows: dict[str, tuple[UserRow, entries.Entry | None]] = {}
        for row in queue.value.rows if queue else ():
            rows[row.id] = (row, None)
        for case in filter(None, map(_case, kept)):
            entry = _entry(case)
            rows[case.user.id] = (entries.row_of(entry, now), entry)
        if not rows:
            return None
        found = [row for row, entry in rows.values() if _is_found(row, entry, query, now)]
        page = Page(total=len(found), offset=0, rows=tuple(_ordered(found, query)))
        oldest = min([one.at for one in kept] + ([queue.at] if queue else []))
        return _window(Shown(value=page, at=oldest), offset, limit)

    async def loops(self, query: Query, offset: int, limit: int) -> Shown[Page[LoopRow]] | None:
        """Give a window of the loop reports."""
        shown = _read(await self._replica.kept("loops"), Page[LoopRow])
        return _window(_searched(shown, query), offset, limit)

    async def tickets(self, query: Query, offset: int, limit: int) -> Shown[Page[TicketRow]] | None:
        """Give a window of the tickets."""
        shown = _read(await self._replica.kept("tickets"), Page[TicketRow])
        return _window(_searched(shown, query), offset, limit)

    async def remember(self, name: str, value: Any, now: datetime) -> None:
        """Keep an answer under its name; personal data that is not masked is masked."""
        await self._keep(Kept(name=name, at=now, value=plain(value)))

    async def remember_page(self, name: str, page: Page[Any], now: datetime) -> None:
        """Keep the beginning of a list, and of the one before what lies below."""
        old = await self._replica.kept(name)
        if old is not None and page.total > len(page.rows):
            known = {_id(row) for row in plain(page.rows)}
            below = [row for row in old.value["rows"] if _id(row) not in known]
            rows = [*plain(page.rows), *below][: min(page.total, ROWS_MOST)]
        else:
            rows = plain(page.rows)[:ROWS_MOST]
        value = {"total": page.total, "offset": 0, "rows": rows}
        await self._keep(Kept(name=name, at=now, value=value))

    async def _keep(self, answer: Kept) -> None:
        if self.is_gathering:
            self._replica.gather(answer)
        else:
            await self._replica.keep(answer)


def plain(value: Any) -> Any:
    """Return a value as plain JSON values; a case is masked."""
    if not isinstance(value, Case):
        return msgspec.to_builtins(value)
    shown = value if value.is_masked else masked(value)
    timeline = [encode_event(event) for event in shown.timeline]
    return msgspec.to_builtins(replace(shown, timeline=())) | {"timeline": timeline}


def _case(kept: Kept) -> Case | None:
    """The case of an answer; None where it is a verdict, or was written by another version."""
    if not kept.name.startswith("case "):
        return None
    try:
        return case_of(kept.value)
    except (msgspec.ValidationError, TypeError):
        return None


def _read(kept: Kept | None, kind: Any) -> Shown[Any] | None:
    """A kept answer as a value; what another version wrote is no answer."""
    try:
        return Shown(value=msgspec.convert(kept.value, kind), at=kept.at) if kept else None
    except msgspec.ValidationError:
        return None


def _window(shown: Shown[Any] | None, offset: int, limit: int) -> Shown[Any] | None:
    if shown is None:
        return None
    page = shown.value
    rows = page.rows[offset : offset + limit]
    # What lies below the rows that are here is not known here: a list must not ask for it for ever.
    return Shown(value=Page(total=len(page.rows), offset=offset, rows=rows), at=shown.at)


def _searched(shown: Shown[Any] | None, query: Query) -> Shown[Any] | None:
    if shown is None or query.is_empty:
        return shown
    rows = tuple(
        row
        for row in shown.value.rows
        if matches(
            "\n".join(map(folded, (row.name, row.account, _user(row), _ticket(row)))),
            digits(_ticket(row)),
            query.words,
        )
        and (not query.product or row.product in query.product)
    )
    return Shown(value=Page(total=len(rows), offset=0, rows=rows), at=shown.at)


def _user(row: LoopRow | TicketRow) -> str:
    return row.report.user if isinstance(row, LoopRow) else row.ticket.user


def _ticket(row: LoopRow | TicketRow) -> str:
    return row.ticket.id if row.ticket else ""


def _id(row: Mapping[str, Any]) -> str:
    """What tells a row of any list from the others."""
    inner = row.get("report") or row.get("ticket") or row
    return str(row.get("id") or inner.get("id"))


def _entry(case: Case) -> entries.Entry:
    accounts = {case.account.id: case.account}
    return entries.build([case.user], accounts, case.tickets, case.loops)[case.user.id]


def _is_found(row: UserRow, entry: entries.Entry | None, query: Query, now: datetime) -> bool:
    """Whether a user is what the query asks for; what a row alone does not say, it is not."""
    if entry is not None:
        return entries.is_found(entry, query, now)
    number = row.ticket.id if row.ticket else ""
    blob = "\n".join(map(folded, (row.name, row.id, row.account, row.login, number)))
    return (
        query.channel is None
        and (not query.product or row.product in query.product)
        and (query.loop is None or query.loop is (row.rounds > 0))
        and (query.ticket is None or query.ticket is (row.ticket is not None))
        and (query.state is None or query.state is row.state)
        and matches(blob, digits(number), query.words)
    )


def _ordered(rows: Iterable[UserRow], query: Query) -> Sequence[UserRow]:
    found = list(rows)
    match query.sort:
        case Sort.NAME:
            return sorted(found, key=lambda row: folded(row.name))
        case Sort.PRODUCT:
            return sorted(found, key=lambda row: (row.product, folded(row.name)))
        case Sort.STATE:
            return sorted(found, key=lambda row: (row.state.value, folded(row.name)))
        case Sort.SEEN:
            seen = [row for row in found if row.seen_at]
            return sorted(seen, key=lambda row: str(row.seen_at), reverse=True)
    words = query.words
    return sorted(found, key=lambda row: not _begins(row, words)) if words else found


def _begins(row: UserRow, words: Sequence[str]) -> bool:
    names = folded(row.name).split()
    return all(any(name.startswith(word) for name in names) for word in words)
