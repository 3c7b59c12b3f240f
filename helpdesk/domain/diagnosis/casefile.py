"""The case file (`helpdesk-case/1`): one trouble, self-contained, and its verdict as one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from helpdesk.domain import diagnosis
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import BadFile
from helpdesk.domain.events import decode_timeline
from helpdesk.domain.products import Product
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.timeline import FIRST, KINDS, LAST, AnyEvent
from helpdesk.domain.users import At, Factor, FactorKind, FactorState, User

FORMAT = "helpdesk-case/1"
BUNDLE = "helpdesk-bundle/1"
"""What a bundle calls itself; it holds a case file."""


class CaseFactor(Struct, frozen=True, kw_only=True):
    """A factor as a case file tells it; a kind nobody here knows is left out of the judging."""

    id: str | None = None
    kind: str | None = None
    state: str | None = None
    since: At | None = None
    to: str | None = None


class CaseUser(Struct, frozen=True, kw_only=True):
    """The user as a case file tells it; everything may be absent."""

    id: str | None = None
    name: str | None = None
    login: str | None = None
    account: str | None = None
    role: str | None = None
    notification_address: str | None = None
    mobile: str | None = None
    factors: tuple[CaseFactor, ...] | None = None


class Bystander(Struct, frozen=True, kw_only=True):
    """Another user and what happened to them in the same hours."""

    user: CaseUser | None = None
    timeline: tuple[AnyEvent, ...] = ()


class CaseFile(Struct, frozen=True, kw_only=True):
    """One case file, decoded.

    Attributes:
        now: When the customer asked; the newest event where the file does not say.
        account_products: Ids of the products the account has; empty where the file does not say.
        truth: Cause ids of a labelled set; the verdict never reads it.
    """

    product: str
    now: At
    complaint: Complaint | None = None
    user: CaseUser = CaseUser()
    timeline: tuple[AnyEvent, ...] = ()
    others: tuple[Bystander, ...] = ()
    answers: tuple[CallerSaid, ...] = ()
    account_products: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()


class AnswerDocument(Struct):
    """A reply of the caller as a case file writes it."""

    ask: str | None = None
    reply: str | None = None


class OtherDocument(Struct):
    """Another user as a case file writes them."""

    user: CaseUser | None = None
    timeline: list[Any] | None = None


class CaseDocument(Struct):
    """A case file as it is written."""

    product: str
    form: Literal["helpdesk-case/1"] | None = field(default=None, name="format")
    now: At | None = None
    complaint: Complaint | None = None
    user: CaseUser | None = None
    timeline: list[Any] | None = None
    others: list[OtherDocument] | None = None
    answers: list[AnswerDocument] | None = None
    account_products: list[str] | None = None
    truth: list[str] | None = None


EPOCH = msgspec.convert("1970-01-01T00:00:00Z", datetime)


def decode_case(data: bytes | str | Mapping[str, Any], *, file: str = "case") -> CaseFile:
    """Return the case that a document describes, or that a bundle holds.

    The *file* is its name, for the error.

    Raises:
        BadFile: It is not JSON, lacks a required key, or a value has the wrong type; the error
            names the place.
    """
    try:
        raw = msgspec.json.decode(data) if isinstance(data, bytes | str) else dict(data)
        if isinstance(raw, dict) and raw.get("format") == BUNDLE:
            raw = raw.get("case")
        case = msgspec.convert(raw, CaseDocument)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at `$")
        raise BadFile(file, place.rstrip("`").lstrip("."), says) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFile(file, "", f"is not JSON: {error}") from error
    if case.now is not None and not FIRST < case.now < LAST:
        raise BadFile(file, "now", f"is not between {FIRST.year} and {LAST.year}")
    timeline = _events(case.timeline, "timeline", file)
    others = tuple(
        Bystander(user=other.user, timeline=_events(other.timeline, f"others[{n}].timeline", file))
        for n, other in enumerate(case.others or ())
    )
    return CaseFile(
        product=case.product,
        now=case.now or (timeline[-1].at if timeline else EPOCH),
        complaint=case.complaint,
        user=case.user or CaseUser(),
        timeline=timeline,
        others=others,
        answers=tuple(
            CallerSaid(ask=said.ask, reply=said.reply)
            for said in case.answers or ()
            if said.ask and said.reply
        ),
        account_products=tuple(case.account_products or ()),
        truth=tuple(case.truth or ()),
    )


def _events(raws: list[Any] | None, place: str, file: str) -> tuple[AnyEvent, ...]:
    try:
        return decode_timeline(raws or ())
    except msgspec.ValidationError as error:
        says, _, path = str(error).partition(" - at `$")
        raise BadFile(file, f"{place}{path.rstrip('`')}", says) from error


def user_of(told: CaseUser | None, product: str) -> User:
    """Return the user a case file tells of, with what it leaves out empty."""
    told = told or CaseUser()
    return User(
        id=told.id or "",
        name=told.name or "",
        login=told.login or "",
        account=told.account or "",
        product=product,
        role=told.role or "",
        notification_address=told.notification_address,
        mobile=told.mobile,
        factors=tuple(_factors(told)),
    )


_KINDS = {kind.value for kind in FactorKind}
_STATES = {state.value for state in FactorState}


def _factors(told: CaseUser) -> list[Factor]:
    return [
        Factor(
            id=one.id or f"f{number}",
            kind=FactorKind(one.kind),
            state=FactorState(one.state if one.state in _STATES else "active"),
            since=one.since,
            to=one.to,
        )
        for number, one in enumerate(told.factors or (), 1)
        if one.kind in _KINDS
    ]


def case_verdict(case: CaseFile, cards: Mapping[str, Product], *, file: str = "case") -> Verdict:
    """Return the verdict on a case file.

    Raises:
        BadFile: There is no card for its product.
    """
    card = cards.get(case.product)
    if card is None:
        known = ", ".join(cards)
        raise BadFile(file, "product", f"there is no product {case.product!r}; there is {known}")
    return diagnosis.diagnose(
        card,
        user_of(case.user, card.id),
        case.timeline,
        case.now,
        complaint=case.complaint,
        others=[(user_of(one.user, card.id), one.timeline) for one in case.others],
        answers=case.answers,
        account_products=case.account_products,
        cards=cards.values(),
    )


def verdict_line(
    case: CaseFile, cards: Mapping[str, Product], *, file: str = "case"
) -> dict[str, Any]:
    """Return the verdict as the one JSON line by which anybody can score it.

    Raises:
        BadFile: There is no card for its product.
    """
    verdict = case_verdict(case, cards, file=file)
    return {
        "file": file,
        "causes": [
            {"id": one.id, "p": one.p, "strength": one.strength.value} for one in verdict.causes
        ],
        "ask": verdict.ask.pair if verdict.ask else None,
        "act": verdict.act,
        "not": [no.act for no in verdict.will_not_help],
        "say": verdict.say,
    }


def case_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a case file."""
    (case_ref,), parts = msgspec.json.schema_components(
        [CaseDocument], ref_template="#/$defs/{name}"
    )
    known, events = msgspec.json.schema_components(
        list(KINDS.values()), ref_template="#/$defs/{name}"
    )
    for part in events.values():
        properties = part.get("properties", {})
        properties.pop("+", None)
        part.pop("additionalProperties", None)  # what a kind does not name is kept
    other = {
        "type": "object",
        "required": ["at", "kind"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "kind": {"type": "string", "not": {"enum": list(KINDS)}},
            "id": {"type": ["string", "null"]},
        },
    }
    event = {"anyOf": [*known, other]}
    defs = {**parts, **events, "Event": event}
    items = {"$ref": "#/$defs/Event"}
    for name in ("CaseDocument", "OtherDocument"):
        defs[name]["properties"]["timeline"]["anyOf"][0]["items"] = items
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        **case_ref,
        "$defs": defs,
    }
