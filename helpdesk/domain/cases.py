"""The case: everything an agent must see of one user, and what an act gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.agents import Agent
from helpdesk.domain.alike import Double
from helpdesk.domain.audit import LogRow
from helpdesk.domain.challenges import ChallengeLine
from helpdesk.domain.codes import Code, CodeClock
from helpdesk.domain.decisions import Decision
from helpdesk.domain.events import decode_timeline, encode_event
from helpdesk.domain.lacks import Lack
from helpdesk.domain.proofs import Proof
from helpdesk.domain.text import mask, mask_mail, mask_phone
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.timeline import AnyEvent, Call, Other, Send
from helpdesk.domain.users import Account, At, User

T = TypeVar("T", Code, ChallengeLine)

DOUBLES: Final = 5
"""So many users who look alike are named; more say no more."""


class Person(Struct, frozen=True, kw_only=True):
    """Somebody the agent may have to name: an administrator of the account."""

    id: str
    name: str


class Case(Struct, frozen=True, kw_only=True):
    """One user as the desk sees them at `at`.

    Attributes:
        administrators: Who administers the account in the product.
        manager: The account's manager at this desk, or None.
        timeline: Oldest first.
        challenges: Oldest first, made from the timeline.
        log: What the desk did for this user, newest first.
        proofs: Proofs of this caller that count: the fresh ones of the agent who looks, and those
            that open or granted requests for a second person rest on.
        decisions: The answer to each act, in the order of `ACTIONS`; empty until the desk has
            asked the policy.
        is_masked: Whether personal data is masked.
        lacks: What the provider behind the desk cannot do.
        doubles: Others who could be taken for this user, at most `DOUBLES`.
    """

    at: At
    user: User
    account: Account
    administrators: tuple[Person, ...] = ()
    manager: Agent | None = None
    timeline: tuple[AnyEvent, ...] = ()
    codes: CodeClock = CodeClock()
    challenges: tuple[ChallengeLine, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    loops: tuple[LoopReport, ...] = ()
    log: tuple[LogRow, ...] = ()
    proofs: tuple[Proof, ...] = ()
    decisions: tuple[Decision, ...] = ()
    is_masked: bool = False
    lacks: tuple[Lack, ...] = ()
    doubles: tuple[Double, ...] = ()

    @property
    def open_tickets(self) -> tuple[Ticket, ...]:
        """Tickets of the user that are open, newest first."""
        return tuple(
            sorted((t for t in self.tickets if t.is_open), key=lambda t: t.opened_at, reverse=True)
        )

    def decision(self, act: str) -> Decision | None:
        """The answer to one act, or None where it was not asked."""
        return next((decision for decision in self.decisions if decision.act == act), None)


class Preview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly what an act will do, said before it is done.

    Attributes:
        goes: What is removed or changed.
        stays: What is left as it is.
        signed_out: What happens to open sessions and remembered browsers.
        told: Who is told.
        then: What the customer must do next.
        vain: Why it would be of no use, by the verdict; empty where nothing says so.
    """

    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    signed_out: str = ""
    told: str = ""
    then: str = ""
    vain: str = ""


class Weighed(Struct, frozen=True, kw_only=True):
    """An action held against the policy, and what it would do."""

    decision: Decision
    preview: Preview


class Handover(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A secret read aloud once and kept nowhere.

    Attributes:
        secret: What to read out, or the key to type.
        uri: An `otpauth://` address for the QR code; empty for a pass.
    """

    title: str
    secret: str
    says: str
    uri: str = ""
    until: At | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What an act gave back: the new case, a sentence, and at most one handover."""

    case: Case
    says: str
    handover: Handover | None = None


def masked(case: Case) -> Case:
    """Return the case with mail addresses and telephone numbers masked.

    Names stay, they are how people are told apart.
    """
    events: Sequence[Any] = case.timeline
    hidden = cache(mask)  # a long timeline tells of the same few addresses again and again
    codes = tuple(_masked_to(code, hidden) for code in case.codes.codes)
    return replace(
        case,
        is_masked=True,
        timeline=tuple(
            masked_event(event, hidden) if type(event) in _TELLING or event.extra else event
            for event in events
        ),
        codes=replace(case.codes, codes=codes),
        challenges=tuple(_masked_to(line, hidden) for line in case.challenges),
        user=masked_user(case.user),
        doubles=tuple(replace(one, login=masked_login(one.login)) for one in case.doubles),
    )


def masked_user(user: User) -> User:
    """Return a user with mail addresses and telephone numbers masked, and without passes."""
    factors = tuple(
        replace(factor, to=mask(factor.to) if factor.to else factor.to) for factor in user.factors
    )
    return replace(
        user,
        login=masked_login(user.login),
        notification_address=user.notification_address and mask_mail(user.notification_address),
        mobile=user.mobile and mask_phone(user.mobile),
        factors=factors,
        passes=(),
    )


def masked_login(login: str) -> str:
    """Return a login as it is shown where personal data is masked."""
    return mask_mail(login) if "@" in login else "•••"


HIDDEN: Final = "•••"
"""Stands for what an event carries under a name nobody here knows: it could be anything."""


_TELLING: Final = frozenset({Other, Send, Call})
"""The kinds of events that tell where something went, or could tell anything."""


def _masked_to(sent: T, hidden: Callable[[str], str]) -> T:
    """Return a code or a challenge with its destination masked."""
    to = hidden(sent.to)
    return sent if to == sent.to else replace(sent, to=to)


def masked_event(event: AnyEvent, hidden: Callable[[str], str] = mask) -> AnyEvent:
    """Return an event with its destination masked and what nobody here knows hidden."""
    if isinstance(event, Other):
        known = {"at", "kind", "id"}
        raw = {key: v if key in known else HIDDEN for key, v in event.raw.items()}
        return replace(event, raw=raw)
    if isinstance(event, Send) and event.to:
        event = replace(event, to=hidden(event.to))
    elif isinstance(event, Call) and event.origin:
        event = replace(event, origin=hidden(event.origin))
    return replace(event, extra=dict.fromkeys(event.extra, HIDDEN)) if event.extra else event


def explicit(value: Any) -> Any:
    """Return a value as plain JSON values with every field there.

    Also those that have their default.
    """
    if isinstance(value, Struct):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return {called: explicit(getattr(value, name)) for called, name in names}
    if isinstance(value, list | tuple):
        return [explicit(part) for part in value]
    if isinstance(value, dict):
        return {key: explicit(part) for key, part in value.items()}
    return msgspec.to_builtins(value)


def case_data(case: Case) -> dict[str, Any]:
    """Return the case as plain JSON values, each event in the words of the case format."""
    data: dict[str, Any] = explicit(replace(case, timeline=()))
    data["timeline"] = [encode_event(event) for event in case.timeline]
    return data


_BARE: Final = msgspec.defstruct(
    "_BARE",
    [(f.name, f.type) for f in msgspec.structs.fields(Case) if f.name != "timeline"],
    frozen=True,
    kw_only=True,
)
"""A case without its timeline, whose events are told apart by their own decoder."""


FORMS: Final = (_BARE,)
"""The forms a case is read by."""


def case_data_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `case_data` writes; an event is told apart by its kind."""
    schema: dict[str, Any] = msgspec.json.schema(_BARE)
    case = schema["$defs"].pop("_BARE") | {"title": "Case"}
    event = {
        "type": "object",
        "required": ["at", "kind"],
        "properties": {"at": {"type": "string"}, "kind": {"type": "string"}},
    }
    case["properties"] |= {"timeline": {"type": "array", "items": event}}
    case["required"] = sorted({*case["required"], "timeline"})
    return {**case, "$defs": schema["$defs"]}


def case_of(data: dict[str, Any]) -> Case:
    """Return the case that `case_data` wrote.

    Raises:
        msgspec.ValidationError: It is not of that form; the text names the place.
    """
    parts = msgspec.convert({k: v for k, v in data.items() if k != "timeline"}, _BARE)
    timeline = decode_timeline(data.get("timeline", ()))
    return Case(
        timeline=timeline, **{name: getattr(parts, name) for name in _BARE.__struct_fields__}
    )
