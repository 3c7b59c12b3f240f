"""A pair of causes that look alike: what it lacks, what is asked, and what a reply means."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.verdicts import Question, Reply

YES = r"^(yes|yeah|yep|ja|oui|si|right|correct|indeed|true|it (does|did|has|is|works))\b"
NO = r"^(no|nope|never|not|nein|non|nothing|none|it (does not|did not|doesn.t|didn.t|is not))\b"


class Meaning(Struct, frozen=True, kw_only=True):
    """One canonical reply: its words, how else it is said, and what it speaks for and against."""

    id: str
    text: str
    like: str
    speaks: dict[str, float]


class Pair(Struct, frozen=True, kw_only=True):
    """Two causes to tell apart.

    Attributes:
        lacks: Gives what the log lacks to decide; empty where it holds the deciding fact.
        ask: Gives the question; empty where only the log or the fleet can decide.
    """

    id: str
    lacks: Callable[[Facts], str]
    ask: Callable[[Facts], str] = lambda facts: ""
    meanings: tuple[Meaning, ...] = ()

    @property
    def ends(self) -> tuple[str, str]:
        """The two cause ids."""
        first, _, second = self.id.partition("/")
        return first, second

    def question(self, facts: Facts) -> Question | None:
        """What to ask, or None where no caller can know."""
        text = self.ask(facts)
        if not text:
            return None
        replies = tuple(Reply(id=meaning.id, text=meaning.text) for meaning in self.meanings)
        return Question(pair=self.id, text=text, lacks=self.lacks(facts), replies=replies)
