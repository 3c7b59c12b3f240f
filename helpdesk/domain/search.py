"""Finding people: what an agent types, and the rows it gives.

maya product:partner state:locked loop:yes sort:seen
│    └ filters, in any order                └ order of the rows
└ words, each of which must be found in name, login, telephone, notification address, account or
ticket number
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from helpdesk.domain.challenges import ChallengeLine, ChallengeState
from helpdesk.domain.diagnosis.verdicts import RankedCause
from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean, digits, folded
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import At, FactorKind

T = TypeVar("T")


class UserState(StrEnum):
    """A user in one word, the most urgent first."""

    LOCKED = "locked"
    FLAGGED = "flagged"
    LOOP = "loop"
    PENDING = "pending"
    SUSPENDED = "suspended"
    OFF = "off"
    NONE = "none"
    OK = "ok"


WORDS_MOST: Final = 32
"""Words of a search from elsewhere, at most: each is one more condition on everybody."""

Word = Annotated[str, Meta(max_length=200)]


class Sort(StrEnum):
    """The order of a list."""

    HEAT = "heat"
    """Loops, locks and callers on the phone first, then by ticket age."""
    NAME = "name"
    PRODUCT = "product"
    STATE = "state"
    SEEN = "seen"


class Query(Struct, frozen=True, kw_only=True):
    """A search, parsed.

    Attributes:
        words: Folded; all must be found.
        product: Card ids; empty for all.
        loop: Whether an open loop report must be there, must not, or is no matter.
        ticket: Whether an open ticket must be there, must not, or is no matter.
        channel: How codes travel: of users a factor of that kind, of challenges the code's way.
        went: How a challenge went; no matter for users.
    """

    words: Annotated[tuple[Word, ...], Meta(max_length=WORDS_MOST)] = ()
    product: Annotated[tuple[Word, ...], Meta(max_length=WORDS_MOST)] = ()
    state: UserState | None = None
    loop: bool | None = None
    ticket: bool | None = None
    channel: FactorKind | None = None
    went: ChallengeState | None = None
    sort: Sort | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return self == Query(sort=self.sort)


class UserRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a list of users.

    Attributes:
        product: The card's id; `login` is masked.
        rounds: Rounds of the worst open loop report; 0 for none.
        ticket: The newest open ticket, or None.
        off_since: Since when MFA is off; None where it is on, or where the log does not say.
        off_until: The day on which it should be turned on again, or None.
    """

    id: str
    name: str
    product: str
    account: str
    login: str
    state: UserState
    rounds: int = 0
    ticket: Ticket | None = None
    seen_at: At | None = None
    off_since: At | None = None
    off_until: At | None = None


class ChallengeRow(Struct, frozen=True, kw_only=True):
    """One line of the list of challenges, with whose it is."""

    line: ChallengeLine
    name: str
    product: str
    account: str


class LoopRow(Struct, frozen=True, kw_only=True):
    """One line of the list of loop reports, with whose it is, who has the ticket, and why it loops.

    Attributes:
        cause: The likeliest cause of the verdict, or None where the log says nothing.
    """

    report: LoopReport
    name: str
    product: str
    account: str
    ticket: Ticket | None = None
    cause: RankedCause | None = None


class TicketRow(Struct, frozen=True, kw_only=True):
    """One line of the list of tickets, with whose it is."""

    ticket: Ticket
    name: str
    product: str
    account: str


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A window on a list: `rows` begin at `offset`; `total` is how many there are in all.

    Attributes:
        says: Why there may be more than these, in a sentence; empty where these are all.
        is_capped: Whether no more than `total` were counted: there may be more.
    """

    total: int
    offset: int
    rows: tuple[T, ...]
    says: str = ""
    is_capped: bool = False


def parse(text: str, products: Sequence[tuple[str, str]]) -> Query:
    """Return the search that *text* asks for.

    Args:
        text: What was typed.
        products: Pairs of (card id, all its names in one text), to find `product:partner` by any
            part of them.

    Raises:
        BadInput: A filter has a value that is none of its own; the sentence lists those it has.
    """
    words: list[str] = []
    found = Query()
    for part in text.split():
        key, colon, value = part.partition(":")
        if colon and key.casefold() in _FILTERS:
            if value:
                found = _FILTERS[key.casefold()](found, folded(value), products)
        elif words and words[-1].startswith("+") and _is_number(part):
            words[-1] += part  # a telephone number, written with its spaces
        else:
            words.append(folded(part))
    return replace(found, words=(*found.words, *filter(None, words)))


def matches(blob: str, numbers: str, words: tuple[str, ...]) -> bool:
    """Whether all *words* are in a user's folded text or, where they are numbers, in the digits.

    One or two letters are the beginning of a word, more of them any part of one.
    """
    return all(_is_in(w.lstrip("#"), blob) or _is_number_in(w, numbers) for w in words)


def number_in(word: str) -> str:
    """Return the digits that are looked for among the numbers; empty where it is no such word."""
    found = digits(word) if _is_number(word) else ""
    return found if len(found) >= 3 else ""


def is_beginning(word: str) -> bool:
    """Whether a word is so short that it is looked for at the beginnings of words only."""
    return len(word) < 3 and word.isascii() and word.isalnum()


def _is_number_in(word: str, numbers: str) -> bool:
    number = number_in(word)
    return bool(number) and number in numbers


def _is_in(word: str, blob: str) -> bool:
    if not is_beginning(word):
        return word in blob
    return re.search(rf"(?<![^\W_]){word}", blob) is not None


def _is_number(word: str) -> bool:
    return all(c in "+0123456789-./()" for c in word)


def _product(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    found = tuple(card for card, names in products if value == card)
    found = found or tuple(card for card, names in products if value in folded(names))
    if not found:
        there = ", ".join(card for card, _ in products)
        raise BadInput(f"product:{clean(value)}: no such product. There are {there}.")
    return replace(query, product=found)


def _state(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    found = next((state for state in UserState if state.value.startswith(value)), None)
    if found is None:
        raise BadInput(f"state:{clean(value)}: no such state. There are {', '.join(UserState)}.")
    return replace(query, state=found)


def _sort(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    found = next((sort for sort in Sort if sort.value.startswith(value)), None)
    if found is None:
        raise BadInput(f"sort:{clean(value)}: no such order. There are {', '.join(Sort)}.")
    return replace(query, sort=found)


def _yes(name: str, value: str) -> bool:
    if value and ("yes".startswith(value) or "no".startswith(value)):
        return "yes".startswith(value)
    raise BadInput(f"{name}:{clean(value)}: say yes or no.")


def _loop(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    return replace(query, loop=_yes("loop", value))


def _ticket(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    if value.lstrip("#").isdecimal():
        return replace(query, words=(*query.words, value))
    return replace(query, ticket=_yes("ticket", value))


def _channel(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    found = next((kind for kind in FactorKind if kind.value == value), None)
    if found is None:
        there = ", ".join(FactorKind)
        raise BadInput(f"channel:{clean(value)}: no such channel. There are {there}.")
    return replace(query, channel=found)


def _went(query: Query, value: str, products: Sequence[tuple[str, str]]) -> Query:
    found = next((state for state in ChallengeState if state.value.startswith(value)), None)
    if found is None:
        there = ", ".join(ChallengeState)
        raise BadInput(f"went:{clean(value)}: no such end. There are {there}.")
    return replace(query, went=found)


_FILTERS = {
    "product": _product,
    "state": _state,
    "sort": _sort,
    "loop": _loop,
    "ticket": _ticket,
    "channel": _channel,
    "went": _went,
}
