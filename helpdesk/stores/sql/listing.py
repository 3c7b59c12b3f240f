"""Open tickets and loop reports in the order of their lists, as SQL that reads a window of them.

what is open, part by part, each in the order of an index ─▶ whose, one by one ─▶ names
where few people are found: what is open of those few, put in order               ─▶ names
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    UnaryExpression,
    and_,
    case,
    literal_column,
    not_,
    select,
    true,
)

from helpdesk.domain.agents import Agent
from helpdesk.stores.sql.finding import Finding
from helpdesk.stores.sql.schema import records, users
from helpdesk.stores.sql.staged import COUNTED

_ONE: Final[ColumnElement[Any]] = literal_column("1")

_Order = ColumnElement[Any] | UnaryExpression[Any]

MANY: Final = 2_000
"""What is open of so many people is not looked up for each of them."""


class Listing(NamedTuple):
    """A list of what is open of one kind.

    Attributes:
        parts: The list in disjoint parts, one after the other.
        order: The order of each.
    """

    kind: str
    parts: Sequence[ColumnElement[bool]]
    order: Sequence[_Order]


def tickets_of(agent: Agent) -> Listing:
    """Return the open tickets: an agent's own, then nobody's, then others'; the oldest first."""
    whose = records.c.agent
    others = and_(whose.is_not(None), whose != agent.id)
    parts = [whose == agent.id, whose.is_(None), others]
    return Listing("tickets", parts, [records.c.at, records.c.n])


def loops_of(first: Collection[str]) -> Listing:
    """Return the open loops: those of some users *first*; the worst first, of these the newest."""
    order = [records.c.rounds.desc(), records.c.at.desc(), records.c.n]
    theirs = records.c.user.in_([*first])
    return Listing("loops", [theirs, not_(theirs)] if first else [true()], order)


def names(
    connection: Connection, listing: Listing, finding: Finding, *, is_all: bool
) -> Sequence[str]:
    """Return the names of what is in a list of people who are found, in order, up to `COUNTED`.

    Where it *is_all*, everybody is found: nobody need be looked for.
    """
    few = None if is_all else _few(connection, finding)
    found: list[str] = []
    for wanted in gone_by(listing, finding) if few is None else looked_up(listing, few):
        if (lacks := COUNTED - len(found)) > 0:
            found += connection.execute(wanted.limit(lacks)).scalars()
    return found


def _few(connection: Connection, finding: Finding) -> Sequence[str] | None:
    """Return the ids of those who are found; None where they are many."""
    found = connection.execute(finding.ids().limit(MANY)).scalars().all()
    return found if len(found) < MANY else None


def looked_up(listing: Listing, few: Sequence[str]) -> Iterator[Select[Any]]:
    """Return the question for what is open of a few people."""
    if few:
        part = case(*((part, place) for place, part in enumerate(listing.parts)))
        # The kind is left open, so that no index of all that is open is gone through for it.
        theirs = and_(records.c.kind == listing.kind, records.c.user.in_(few), records.c.is_open)
        yield select(records.c.name).where(theirs).order_by(part, *listing.order)


def gone_by(listing: Listing, finding: Finding) -> Iterator[Select[Any]]:
    """Return questions that go through all that is open, and look at each of whom it is.

    No database reads everybody for it.
    """
    theirs = select(_ONE).where(users.c.id == records.c.user, finding.inside())
    whose = theirs.correlate(records).scalar_subquery() == _ONE
    # The kind is written out, as the indexes of what is open have it.
    is_open = and_(records.c.kind == literal_column(f"'{listing.kind}'"), records.c.is_open)
    for part in listing.parts:
        yield select(records.c.name).where(is_open, part, whose).order_by(*listing.order)
