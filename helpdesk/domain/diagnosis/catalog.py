"""The catalogue of causes: each is one small predicate, giving what speaks for it and against.

A cause is added by writing one more function under `@cause(…)`; nothing else must know of it but
its words and, where it has them, its questions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from helpdesk.domain.diagnosis.crowd import Crowd
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.timeline import AnyEvent

DECISIVE: Final = 7.0
"""The fact that tells this cause from its neighbours is in the log."""
STRONG: Final = 4.5
"""Hardly anything else looks like this."""
FAIR: Final = 2.5
"""It fits, and so does a neighbour."""
HINT: Final = 1.0
"""It fits a little better than not."""


class Scene(Struct, frozen=True):
    """What a predicate looks at: the user's own facts, and what happened to others meanwhile."""

    facts: Facts
    crowd: Crowd


Find = Callable[[Scene], "list[Evidence]"]


class Cause(Struct, frozen=True, kw_only=True):
    """One cause and the predicate that looks for it.

    Attributes:
        needs: Factor kinds of which the product must have one for the cause to occur; empty for
            any.
        rules: Rules of which the product must ask by one; empty for any.
    """

    id: str
    title: str
    find: Find
    prior: float = 0.0
    needs: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


CAUSES: dict[str, Cause] = {}
"""All causes by id, group by group."""


def cause(
    cause_id: str, title: str, *, prior: float = 0.0, needs: str = "", rules: str = ""
) -> Callable[[Find], Find]:
    """Enter a predicate into the catalogue."""

    def enter(find: Find) -> Find:
        CAUSES[cause_id] = Cause(
            id=cause_id,
            title=title,
            find=find,
            prior=prior,
            needs=frozenset(needs.split()),
            rules=frozenset(rules.split()),
        )
        return find

    return enter


class Lines:
    """Collects the lines of one predicate."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.found: list[Evidence] = []

    def add(self, weight: float, says: str, *events: AnyEvent | None) -> None:
        """Note one line; a negative weight speaks against."""
        self.found.append(Evidence(says=says, weight=weight, events=self.facts.refs(*events)))

    def note(self, weight: float, says: str, source: Source) -> None:
        """Note a line that does not come from this user's own log."""
        self.found.append(Evidence(says=says, weight=weight, source=source))
