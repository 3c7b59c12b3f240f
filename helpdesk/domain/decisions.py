"""What the policy answers.

Allowed, needs something first, or refused with the reason and the way instead.
"""

from enum import StrEnum

from msgspec import Struct


class Weight(StrEnum):
    """How a wish was weighed."""

    ALLOWED = "allowed"
    NEEDS = "needs"
    REFUSED = "refused"


class Need(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something an allowed act still lacks.

    Attributes:
        what: `reason`, `ticket`, `factor`, `wait`, or the action's own field: `mobile`, `address`,
            `code`, `text` …
        says: The sentence that asks for it.
        choices: Ids among which to choose, where there are such: open tickets, factors that fit,
            routes.
        seconds: For `wait`: how long, from the moment of the decision.
    """

    what: str
    says: str
    choices: tuple[str, ...] = ()
    seconds: float = 0


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The policy's answer to one action of one agent.

    Attributes:
        why: The reason, in the product's words; empty where it is simply allowed.
        instead: What to do instead, or first.
        rules: Numbers of the rules it rests on; `source` is the document they stand in.
        documented: False where the source is silent and the desk's own rule stands in.
        route: Id of the card's route to whoever may.
    """

    act: str
    weight: Weight
    why: str = ""
    instead: str = ""
    needs: tuple[Need, ...] = ()
    rules: tuple[str, ...] = ()
    source: str = ""
    documented: bool = True
    route: str | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether it may be carried out as it stands."""
        return self.weight is Weight.ALLOWED

    @property
    def is_refused(self) -> bool:
        """Whether nothing the agent adds would change the answer."""
        return self.weight is Weight.REFUSED
