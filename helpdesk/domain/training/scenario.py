"""A scenario: a product, a person, a caller with a script, a world that moves, a known cause.

What a trainer writes is strict: whatever is not a key of these tables is refused, and times are
spans, counted from the beginning (`then`, `at`) or back from it (`past`, `ago`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from helpdesk.domain.agents import Role
from helpdesk.domain.events import decode_event
from helpdesk.domain.proofs import Method
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.training.spans import Span, span_of
from helpdesk.domain.users import FactorKind, FactorState, MfaState

FORMAT: Final = "helpdesk-training/1"
BEGINS: Final = datetime(2026, 5, 4, 14, 5, tzinfo=UTC)
"""When every play begins, by the clock of its own world."""

PERSON: Final = "t1"
"""The id of the scenario's person in the world; the others follow: `t2`, `t3` …"""

TICKET: Final = "4821"
"""The number of the ticket under which the person called."""

Words = Annotated[str, Meta(min_length=1, max_length=2_000)]
Short = Annotated[str, Meta(min_length=1, max_length=200)]


class Part(StrEnum):
    """One thing that is marked."""

    VERDICT = "verdict"
    QUESTIONS = "questions"
    ACTS = "acts"
    SAFETY = "safety"
    PROOF = "proof"
    WORDS = "words"
    TIME = "time"
    KEYS = "keys"


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a scenario file; what is none of its keys is refused."""


class PersonFactor(Table, frozen=True, kw_only=True):
    """One factor of the person.

    Attributes:
        since: How long they have had it.
    """

    kind: FactorKind
    state: FactorState = FactorState.ACTIVE
    to: str | None = None
    since: Span = Span(200 * 86_400)
    failures: Annotated[int, Meta(ge=0)] = 0


class Person(Table, frozen=True, kw_only=True):
    """Who the case is about.

    Attributes:
        company: The account's name.
        administrator: Who administers the account in the product; empty where nobody does.
        locked: Until when they are locked, counted from the beginning; None for not.
    """

    name: Short
    login: Short
    role: Short
    company: Short
    mobile: str | None = None
    mobile_confirmed: bool = True
    notification_address: str | None = None
    mfa: MfaState = MfaState.ON
    factors: tuple[PersonFactor, ...] = ()
    administrator: str = ""
    locked: Span | None = None
    sessions: Annotated[int, Meta(ge=0)] = 0


class Reply(Table, frozen=True, kw_only=True):
    """What the caller answers to a question of the verdict.

    Attributes:
        ask: The pair of causes that the question decides, such as `D1/D2`.
        reply: The reply it comes to, by its id.
        says: The caller's own words.
        is_lie: Whether it is not true; only an attacker lies.
    """

    ask: Short
    reply: Short
    says: Words
    is_lie: bool = False


class Aside(Table, frozen=True, kw_only=True):
    """What the caller says unasked: at a moment, or so long after an act of the trainee.

    Attributes:
        after: The act's name, or `prove`.
        lag: How long after it; in the file `in`.
    """

    says: Words
    at: Span | None = None
    after: str = ""
    lag: Span = field(default=Span(0), name="in")


class Proving(Table, frozen=True, kw_only=True):
    """How the caller answers to one way of being proven.

    Attributes:
        can: Whether what they read back is right.
    """

    method: Method
    says: Words
    can: bool


class Caller(Table, frozen=True, kw_only=True):
    """Who is on the line, and their script.

    Attributes:
        says: The opening words.
        mood: One word or two for the trainee.
        is_attacker: Whether they are not who they say.
        ahead: By how much the clock of their phone is ahead. `{code}` and `{next}` in an answer
            are the numbers that their authenticator shows then, and half a minute later.
        proofs: What they do when they are to be proven; in any other way the person answers
            rightly, and an attacker cannot.
    """

    says: Words
    mood: Short
    is_attacker: bool = False
    ahead: Span = Span(0)
    answers: tuple[Reply, ...] = ()
    meanwhile: tuple[Aside, ...] = ()
    proofs: tuple[Proving, ...] = ()


class Bystander(Table, frozen=True, kw_only=True):
    """Another user of the product and what happens to them in the same hours."""

    name: Short
    is_colleague: bool = False
    past: tuple[dict[str, Any], ...] = ()
    then: tuple[dict[str, Any], ...] = ()


class Fault(Table, frozen=True, kw_only=True):
    """Something that goes wrong on cue.

    Attributes:
        kind: Mail that the desk sends comes late; the provider answers 429; the line to the desk
            is down; the first act is refused because somebody else changed the case meanwhile.
        lasts: For how long.
        delay: By how much late mail is late.
    """

    kind: Literal["late-mail", "too-many", "line-down", "conflict"]
    at: Span
    lasts: Span = Span(120)
    delay: Span = Span(90)


class Acts(Table, frozen=True, kw_only=True):
    """What may be done here, by the acts' names.

    Attributes:
        right: All of these mend it, or are the way out.
        fine: Not needed, and no harm.
        dangerous: These hurt the customer or help the thief; the rest is needless.
        proof: Before these the caller must be proven.
        by: Ways of proving, of which one must be tried; empty for any that does.
    """

    right: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()
    dangerous: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    by: tuple[Method, ...] = ()


class Telling(Table, frozen=True, kw_only=True):
    """What the customer must hear, and must not; `newest|latest` is met by either word."""

    must: tuple[Short, ...] = ()
    never: tuple[Short, ...] = ()


class Colleague(Table, frozen=True, kw_only=True):
    """The second person, who answers requests."""

    agrees: bool = True
    after: Span = Span(20)
    says: str = ""


class Step(Table, frozen=True, kw_only=True):
    """One thing a trainee does at a moment: exactly one of ask, act, prove, say and end.

    Attributes:
        ask: A pair; the caller's reply is put down as it was meant, or as `reply` where given.
        act: An act's name, with `factor`, `reason` and `set`; the ticket is the person's.
        prove: A way of proving the caller, over `channel`.
        say: Words to the customer.
        end: The cause that is named in the end; it ends the play.
        note: What the trainer wants to remember here; only their own notes show it.
    """

    at: Span
    note: Annotated[str, Meta(max_length=1_000)] = ""
    ask: str = ""
    reply: str = ""
    act: str = ""
    factor: str = ""
    reason: str = ""
    set: dict[str, str | bool] = {}
    prove: Method | None = None
    channel: str = ""
    say: str = ""
    end: str = ""

    @property
    def deeds(self) -> list[str]:
        """The names of what is done in it; one, where it is right."""
        return [name for name in ("ask", "act", "prove", "say", "end") if getattr(self, name)]


class Bad(Table, frozen=True, kw_only=True):
    """A bad answer, and the parts in which it loses marks: for the scenario's own test."""

    loses: tuple[Part, ...]
    steps: tuple[Step, ...]


class Loop(Table, frozen=True, kw_only=True):
    """A login-loop report: so many rounds in so long, reported so long ago."""

    rounds: Annotated[int, Meta(ge=1)]
    within: Span
    ago: Span


class Scenario(Table, frozen=True, kw_only=True):
    """One scenario, as its file tells it.

    Attributes:
        cause: The known cause, `A1` … `F4`; `also` are others that count as right.
        seed: What the chance in the world falls by.
        agent: In which role the trainee sits at the desk; in the file `as`.
        asks: The pairs whose question a good agent puts.
        par: How long a good agent takes, and `par_keys` with how many keys.
        points_out: What the trainer says afterwards.
    """

    form: Literal["helpdesk-training/1"] = field(name="format")
    title: Short
    product: Short
    cause: Short
    also: tuple[Short, ...] = ()
    difficulty: Annotated[int, Meta(ge=1, le=3)]
    seed: Annotated[int, Meta(ge=0)]
    agent: Role = field(default=Role.SUPPORT, name="as")
    complaint: Complaint | None = None
    subject: Short
    points_out: Words
    person: Person
    caller: Caller
    loop: Loop | None = None
    past: tuple[dict[str, Any], ...] = ()
    then: tuple[dict[str, Any], ...] = ()
    others: tuple[Bystander, ...] = ()
    faults: tuple[Fault, ...] = ()
    colleague: Colleague = Colleague()
    asks: tuple[Short, ...] = ()
    acts: Acts = Acts()
    words: Telling = Telling()
    par: Span
    par_keys: Annotated[int, Meta(ge=1)] = 60
    model: tuple[Step, ...] = ()
    bad: Bad | None = None

    @property
    def others_ids(self) -> list[str]:
        """The ids of the bystanders in the world, in their order."""
        return [f"t{number}" for number in range(2, 2 + len(self.others))]


TIME_KEYS: Final = {
    "challenge": ("trust_since",),
    "send": ("expires_at",),
    "lock": ("from", "until"),
}
"""By event kind: keys that are moments; in a scenario they are spans from the event's moment."""

WHEN: Final = frozenset({"ago", "at", "after", "in"})


class When(Struct, frozen=True, kw_only=True):
    """When an event of a script comes: at a moment, or so long after an act."""

    at: Span | None = None
    after: str = ""
    lag: Span = Span(0)


def when(raw: dict[str, Any]) -> When:
    """Return when a scripted event comes; what lies in the past is negative.

    Raises:
        ValueError: It says no moment, or two.
    """
    told = [key for key in ("ago", "at", "after") if key in raw]
    if len(told) != 1:
        raise ValueError("Expected exactly one of `ago`, `at` and `after`")
    if "in" in raw and told != ["after"]:
        raise ValueError("Expected `in` only beside `after`")
    if told == ["after"]:
        return When(after=str(raw["after"]), lag=span_of(raw.get("in", "0s")))
    at = span_of(raw[told[0]])
    return When(at=Span(-at) if told == ["ago"] else at)


def event_at(raw: dict[str, Any], moment: datetime, name: str) -> AnyEvent:
    """Return the event that a script tells of, as it happens at *moment*, with *name* as its id.

    Raises:
        ValueError, msgspec.ValidationError: It is not of its kind's form.
    """
    kind = raw.get("kind")
    event: dict[str, Any] = {key: value for key, value in raw.items() if key not in WHEN}
    for key in TIME_KEYS.get(str(kind), ()):
        if event.get(key) is not None:
            event[key] = _stamp(moment + span_of(event[key]).delta)
    return decode_event({**event, "at": _stamp(moment), "id": name})


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def scenario_of(data: dict[str, Any]) -> Scenario:
    """Return the scenario that a parsed file describes; `faults` says what is wrong inside it.

    Raises:
        msgspec.ValidationError: A key is missing, unknown or of the wrong type.
    """
    return msgspec.convert(data, Scenario, dec_hook=_hook)


def _hook(kind: type, value: Any) -> Any:
    if kind is Span:
        return span_of(value)
    raise NotImplementedError
