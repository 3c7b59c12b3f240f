"""Which people are asked for, as SQL that reads no more of them than it gives.

query ─▶ parts (disjoint, each in the order of an index) ─▶ stages (one after the other) ─▶ window

What holds now only, a lock that ends, is no part of an index: the few it is true of are a part of
their own, merged with all others.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    union_all,
)

from helpdesk.domain.search import Query, Sort, UserState, is_beginning
from helpdesk.stores.sql.schema import LOCKED_HEAT, users
from helpdesk.stores.sql.staged import COUNTED, Asked, Part, Stage, keys_of
from helpdesk.stores.sql.worded import (
    TRIGRAM,
    alike,
    left_open,
    number_of,
    pieces_of,
    sought,
    values_of,
)

Now = datetime | BindParameter[datetime]
"""The present, or the place where it will stand."""

FEW: Final = 500
"""So many are put in order in one go."""

FOUND: Final = table("found", column("rowid"))
"""SQLite's index of all parts of three letters."""

BEGUN: Final = table("begun", column("rowid"))
"""SQLite's index of the beginnings of words."""

NAMED: Final = table("named", column("rowid"))
"""SQLite's index of the beginnings of names."""


def asked_for(query: Query, now: datetime, account: str | None, *, is_sqlite: bool) -> Asked:
    """Return what is asked for users; what does not rest on the moment is put together once.

    For all words of a kind, too: which they are is left open.
    """
    if query.state in _OF_NOW_STATES or query.sort in _OF_NOW_SORTS:
        return Finding(query, now, account, is_sqlite=is_sqlite).asked()
    asked, words = _asked_always(alike(query), account, is_sqlite), sought(query)
    return asked._replace(given=values_of(words), piece=words[0] if asked.piece else "")


@functools.lru_cache(maxsize=256)
def _asked_always(query: Query, account: str | None, is_sqlite: bool) -> Asked:
    return Finding(query, datetime.min.replace(tzinfo=UTC), account, is_sqlite=is_sqlite).asked()


_OF_NOW_STATES: Final = frozenset({UserState.LOCKED, UserState.OK})
_OF_NOW_SORTS: Final = frozenset({Sort.HEAT, Sort.STATE})


class Finding:
    """A query for users at one moment."""

    def __init__(self, query: Query, now: datetime, account: str | None, *, is_sqlite: bool):
        self._query, self._now, self._is_sqlite = query, now, is_sqlite
        self._words = sought(query)
        self._values = values_of(self._words)
        self._filters = [of_account(account), *self._plain_filters()]
        self._is_bare = len(self._filters) == 1 and account is None and query.state is None

    def asked(self) -> Asked:
        """Return what is asked for them."""
        parts = self._each((users.c.key,))
        is_indexed = all(part.alone is not None for part in parts) and self._query.sort is None
        known: dict[int, Sequence[Any]] = {}

        def stages(total: int) -> Sequence[Any]:
            about = next((most for most in (FEW, COUNTED) if total < most), COUNTED + 1) - 1
            if about not in known:
                known[about] = [keys_of(stage) for stage in self._stages(about)]
            return known[about]

        return Asked(
            [part.counted() for part in parts],
            stages,
            is_quick=is_indexed or self._query == Query(),
            piece=self._piece(),
            few=self._few(),
        )

    def _piece(self) -> str:
        """The one short word that is asked for, where PostgreSQL keeps who has it."""
        is_alone = self._is_bare and len(self._words) == 1 and self._query.sort is None
        is_kept = is_alone and not self._is_sqlite and is_beginning(self._words[0])
        return self._words[0] if is_kept else ""

    def _few(self) -> Select[Any] | None:
        """Those of a few words, where PostgreSQL would read each to count them, and again."""
        is_by_name = self._words and self._query.sort is None and all(map(pieces_of, self._words))
        if self._is_sqlite or not is_by_name or len(each := self._alternatives()) > 1:
            return None
        return self._part(each[0], self._begins_first()).few()

    def ids(self) -> Select[Any]:
        """Return the question for the ids of all of them, in no order."""
        each = [
            select(users.c.id).select_from(part.source).where(part.holds)
            for part in self._each((users.c.key,))
        ]
        return each[0] if len(each) == 1 else select(union_all(*each).subquery())

    def inside(self) -> ColumnElement[bool]:
        """Return whether a user, looked at alone, is one of them."""
        return and_(or_(*self._alternatives()), *self._filters, *self._inside())

    def _stages(self, total: int) -> list[Stage]:
        """Return the parts to read in turn, where *total* were counted."""
        sort = self._query.sort
        if sort is None:
            return self._by_name_first(total)
        order = _ORDERS[sort]
        if sort in {Sort.HEAT, Sort.STATE}:
            return [self._merged(sort, order, total)]
        return [[self._sorted(holds, order, total) for holds in self._alternatives()]]

    def _merged(self, sort: Sort, order: tuple[Any, ...], total: int) -> Stage:
        """Return all in an order in which those who are locked for a time stand higher."""
        now, state = self._now, self._query.state
        higher = users.c.heat - literal_column(str(LOCKED_HEAT))
        first = higher if sort is Sort.HEAT else users.c.rank * literal_column("0")
        urgent = (first, *order[1:])
        holds, *_ = self._alternatives()
        if state is UserState.LOCKED:
            return [self._sorted(holds, order, total), self._locking(true(), urgent)]
        if state is UserState.OK:
            return [self._sorted(holds, order, total)]
        others = and_(holds, locks_no_more(now))
        return [self._sorted(others, order, total), self._locking(holds, urgent)]

    def _plain_filters(self) -> list[ColumnElement[bool]]:
        query = self._query
        holds: list[ColumnElement[bool]] = []
        if query.product:
            # Whatever else is asked for finds fewer than a fifth of all.
            is_more = self._words or query.state or query.loop or query.ticket
            is_plus = self._is_sqlite and bool(is_more)
            product = literal_column("+users.product") if is_plus else users.c.product
            holds.append(product.in_(query.product))
        if query.loop is not None:
            holds.append(_LOOPS if query.loop else users.c.rounds == literal_column("0"))
        if query.ticket is not None:
            has_one = users.c.ticket_at.is_not(None)
            holds.append(has_one if query.ticket else not_(has_one))
        if query.channel is not None:
            holds.append(users.c.kinds.contains(f",{query.channel.value},", autoescape=True))
        if query.sort is Sort.SEEN:
            holds.append(users.c.seen.is_not(None))
        return holds

    def _alternatives(self) -> list[ColumnElement[bool]]:
        """The state that is asked for, in disjoint parts."""
        match self._query.state:
            case None:
                return [true()]
            case UserState.LOCKED:
                return [users.c.is_locked, locks_now(self._now)]
            case UserState.OK:
                return [and_(_FINE, locks_no_more(self._now))]
            case other:
                return [_STATES[other]]

    def _each(self, order: tuple[Any, ...]) -> Stage:
        """All, in disjoint parts."""
        if self._query.state is UserState.LOCKED:
            first = (*order[:-1], users.c.key)
            return [self._part(users.c.is_locked, order), self._locking(true(), first)]
        return [self._part(holds, order) for holds in self._alternatives()]

    def _locking(self, holds: ColumnElement[bool], order: tuple[Any, ...]) -> Part:
        """Of those who are locked for a time: so few that words are looked for in each."""
        return Part(
            users, and_(locks_now(self._now), holds, *self._filters, *self._inside()), order
        )

    def _part(self, holds: ColumnElement[bool], order: tuple[Any, ...]) -> Part:
        """Found by whatever finds the fewest."""
        source, words = self._matching()
        all_hold = and_(holds, *self._filters, *words)
        index = next((one for one in (FOUND, BEGUN) if source.is_derived_from(one)), None)
        return Part(source, all_hold, order, index if self._is_bare and len(words) == 1 else None)

    def _sorted(self, holds: ColumnElement[bool], order: tuple[Any, ...], total: int) -> Part:
        """All put in order, where they are few, else read in the order of its index.

        PostgreSQL knows by itself which is less work.
        """
        is_all = replace(self._query, sort=None).is_empty
        if is_all or not self._is_sqlite:
            return self._part(holds, order)
        if total < COUNTED:
            return self._part(holds, _UNORDERED[self._query.sort or Sort.NAME])
        together = and_(holds, *self._filters, *self._inside())
        return Part(users, case((together, 1), else_=0) == 1, order)

    def _by_name_first(self, total: int) -> list[Stage]:
        """Those first whose name begins with each of the words, then all others."""
        each = self._alternatives()
        key = self._key(self._matching()[0])
        if not self._words or not all(map(pieces_of, self._words)):
            return [self._each((key,))]
        if total < FEW:
            return [self._each(self._begins_first())]
        begins = self._begins()
        if self._query.state is UserState.LOCKED:
            each = [users.c.is_locked]
        stages = [
            [self._named(and_(holds, begins)) for holds in each],
            [self._part(and_(holds, not_(begins)), (key,)) for holds in each],
        ]
        if self._query.state is UserState.LOCKED:
            for stage, which in zip(stages, (begins, not_(begins)), strict=True):
                stage.append(self._locking(which, (users.c.key,)))
        return [*stages]

    def _begins_first(self) -> tuple[Any, ...]:
        """The order in which those stand first whose name begins with each of the words."""
        return case((self._begins(), 0), else_=1), users.c.key

    def _begins(self) -> ColumnElement[bool]:
        """Whether each of the words begins a word of the name."""
        each = []
        for place in range(len(self._words)):
            first, later = self._open(f"part{place}"), self._open(f"later{place}")
            each.append(or_(users.c.name.startswith(first, escape="/"), _contains("name", later)))
        return and_(true(), *each)

    def _named(self, holds: ColumnElement[bool]) -> Part:
        """Found by the beginnings of words of their names, which are in their text, too."""
        if not self._is_sqlite:
            named = _vector(users.c.name).op("@@")(_tsquery(self._open("pieces")))
            return Part(users, and_(holds, named, *self._filters), (users.c.key,))
        source = NAMED.join(users, users.c.key == NAMED.c.rowid)
        holds = and_(self._matches("named"), holds, *self._filters)
        return Part(source, holds, (NAMED.c.rowid,))

    def _matching(self) -> tuple[FromClause, list[ColumnElement[bool]]]:
        """Where the words are looked up, and what must hold of them."""
        if not self._is_sqlite or not self._words:
            return users, self._inside()
        rest = [place for place, word in enumerate(self._words) if len(word) < TRIGRAM]
        if len(rest) < len(self._words):
            source = FOUND.join(users, users.c.key == FOUND.c.rowid)
            return source, [self._matches("found"), *map(self._word, rest)]
        if all(map(is_beginning, self._words)):
            return BEGUN.join(users, users.c.key == BEGUN.c.rowid), [self._matches("begun")]
        return users, self._inside()

    def _inside(self) -> list[ColumnElement[bool]]:
        """Whether the words are in a user's text, or numbers, looked at one by one."""
        places = range(len(self._words))
        longer = [place for place in places if not is_beginning(self._words[place])]
        if self._is_sqlite or len(places) - len(longer) < 2:
            return [self._word(place) for place in places]
        together = _tsquery(self._open("shorts"))
        return [*map(self._word, longer), _vector(users.c.words).op("@@")(together)]

    def _word(self, place: int) -> ColumnElement[bool]:
        word = self._words[place]
        if is_beginning(word):
            if self._is_sqlite:
                words = literal(" ") + users.c.words
                return words.contains(self._open(f"later{place}"), escape="/")
            return _vector(users.c.words).op("@@")(_tsquery(self._open(f"prefix{place}")))
        holds = _contains("blob", self._open(f"part{place}"))
        if not number_of(word):
            return holds
        return or_(holds, _contains("numbers", self._open(f"number{place}")))

    def _matches(self, index: str) -> ColumnElement[bool]:
        """Whether one of SQLite's indexes has the words."""
        return literal_column(index).op("MATCH")(self._open(index))

    def _open(self, name: str) -> BindParameter[Any]:
        return left_open(name, self._values)

    @staticmethod
    def _key(source: FromClause) -> ColumnElement[Any]:
        """The key, as the index gives it in order."""
        for index in (FOUND, BEGUN):
            if source.is_derived_from(index):
                return index.c.rowid
        return users.c.key


def of_account(account: str | None) -> ColumnElement[bool]:
    """Return whether a user is of an account; None is everybody."""
    return true() if account is None else users.c.account == account


_LOOPS: Final = users.c.rounds > literal_column("0")
_FINE: Final = users.c.rank + literal_column("0") == literal_column("7")
_STATES: Final[dict[UserState, ColumnElement[bool]]] = {
    UserState.FLAGGED: users.c.is_flagged,
    UserState.LOOP: _LOOPS,
    UserState.PENDING: users.c.is_pending,
    UserState.SUSPENDED: users.c.is_suspended,
    UserState.OFF: users.c.mfa == literal_column("'off'"),
    UserState.NONE: users.c.mfa == literal_column("'none'"),
}

_ORDERS: Final[dict[Sort, tuple[Any, ...]]] = {
    Sort.NAME: (users.c.name, users.c.key),
    Sort.PRODUCT: (users.c.product, users.c.name, users.c.key),
    Sort.STATE: (users.c.rank, users.c.name, users.c.key),
    Sort.SEEN: (users.c.seen.desc(), users.c.key),
    Sort.HEAT: (users.c.heat, users.c.key),
}

_UNORDERED: Final[dict[Sort, tuple[Any, ...]]] = {
    sort: tuple(
        literal_column(f"+users.{column}").desc() if column == "seen"
        else literal_column(f"+users.{column}")
        for column in columns
    )
    for sort, columns in {
        Sort.NAME: ("name", "key"),
        Sort.PRODUCT: ("product", "name", "key"),
        Sort.STATE: ("rank", "name", "key"),
        Sort.SEEN: ("seen", "key"),
        Sort.HEAT: ("heat", "key"),
    }.items()
}  # fmt: skip
"""The same, as SQLite reads no index for."""


def locks_now(now: Now) -> ColumnElement[bool]:
    """Whether somebody is locked for a time, and by nothing else."""
    return and_(users.c.locked_until > now, not_(users.c.is_locked))


def locks_no_more(now: Now) -> ColumnElement[bool]:
    """Whether that is not so."""
    return or_(func.coalesce(users.c.locked_until <= now, True), users.c.is_locked)


def _contains(column: str, part: BindParameter[Any]) -> ColumnElement[bool]:
    return users.c[column].contains(part, escape="/")


def _vector(text: ColumnElement[str]) -> ColumnElement[Any]:
    return func.to_tsvector(literal_column("'simple'"), text)


def _tsquery(said: BindParameter[Any]) -> ColumnElement[Any]:
    return func.to_tsquery(literal_column("'simple'"), said)
