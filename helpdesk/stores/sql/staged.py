"""A window on people as a database is asked for it: in parts, one stage after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    TableClause,
    UnaryExpression,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql import operators

from helpdesk.stores.sql.opening import PLAN_ANEW
from helpdesk.stores.sql.schema import users

COUNTED: Final = 10_000
"""So many are counted; whoever finds more looks closer anyway."""

_LIMIT: Final[BindParameter[int]] = bindparam("limit", type_=BigInteger)
_OFFSET: Final[BindParameter[int]] = bindparam("offset", type_=BigInteger)
_REACH: Final[BindParameter[int]] = bindparam("reach", type_=BigInteger)
"""Offset and limit together."""


class Part(NamedTuple):
    """People that are found in one way.

    Attributes:
        source: Where they are read from; holds `users`.
        order: By what they are put in order, the key last.
        alone: The index that says all there is to know of who they are; None where none does.
    """

    source: FromClause
    holds: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]
    alone: TableClause | None = None

    def keys(self) -> Select[Any]:
        """Return the question for their keys, in order."""
        bare = (one.element if _falls(one) else one for one in self.order)
        columns = [one.label(f"o{place}") for place, one in enumerate(bare)]
        chosen = select(users.c.key, *columns).select_from(self.source).where(self.holds)
        return chosen.order_by(*self.order)

    def counted(self) -> Select[Any]:
        """Return the question for how many they are, up to `COUNTED`."""
        source = self.source if self.alone is None else self.alone
        key = users.c.key if self.alone is None else self.alone.c.rowid
        some = select(key).select_from(source).where(self.holds).limit(COUNTED)
        return select(func.count()).select_from(some.subquery()).execution_options(**PLAN_ANEW)

    def few(self) -> Select[Any]:
        """Return the question for their keys in order, and how many they are, up to `COUNTED`.

        They are gathered once for both.
        """
        some = self.keys().order_by(None).limit(COUNTED).subquery()
        order = [some.c[f"o{place}"] for place in range(len(self.order))]
        counted = select(some.c.key, func.count().over())
        whole = counted.order_by(*order).limit(_LIMIT).offset(_OFFSET)
        return whole.execution_options(**PLAN_ANEW)


Stage = Sequence[Part]
"""Disjoint parts in one order; what one stage does not fill, the next one does."""


class Asked(NamedTuple):
    """What is asked for a window on people.

    Attributes:
        counted: How many they are, part by part.
        stages: Their keys in order, from an `offset` up to a `limit` (`reach` is both together),
            for how many were counted; each is asked for what those before it did not fill.
        given: The other values that the questions leave open.
        is_quick: Whether little is read for it, whoever is there.
        piece: The one or two letters that some word of theirs begins with, where that is all that
            is asked and the database keeps who these are; else empty.
        few: Where that is less work, keys in order from an `offset` up to a `limit`, each with how
            many there are: for whoever has fewer than `COUNTED`, all that need be asked.
    """

    counted: Sequence[Select[Any]]
    stages: Callable[[int], Sequence[Any]]
    given: Mapping[str, Any] = {}
    is_quick: bool = False
    piece: str = ""
    few: Select[Any] | None = None


def keys_of(stage: Stage) -> Any:
    """Return the question for the keys of a stage, in order."""
    if len(stage) == 1:
        return stage[0].keys().limit(_LIMIT).offset(_OFFSET).execution_options(**PLAN_ANEW)
    each = [part.keys().limit(_REACH) for part in stage]
    together = union_all(*(select(one.subquery()) for one in each))
    order: list[ColumnElement[Any]] = []
    for place, one in enumerate(stage[0].order):
        name: ColumnElement[Any] = literal_column(f"o{place}")
        order.append(name.desc() if _falls(one) else name)
    whole = together.order_by(*order).limit(_LIMIT).offset(_OFFSET)
    return whole.execution_options(**PLAN_ANEW)


def _falls(order: ColumnElement[Any]) -> TypeGuard[UnaryExpression[Any]]:
    return isinstance(order, UnaryExpression) and order.modifier is operators.desc_op


class Ahead(NamedTuple):
    """Keys of a list in order, from a place on; whether they go on to its end."""

    begin: int
    keys: Sequence[int]
    is_end: bool

    def window(self, offset: int, limit: int) -> Sequence[int] | None:
        """Give those of a window; None where it is not whole here."""
        at = offset - self.begin
        is_whole = at >= 0 and (at + limit <= len(self.keys) or self.is_end)
        return self.keys[at : at + limit] if is_whole else None
