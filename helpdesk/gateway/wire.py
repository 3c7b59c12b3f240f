"""The wire: every endpoint of the gateway in one table, from which server and client are driven.

What a desk can be asked and told is a method of `Desk`; here it has an address, the form of what
is sent and of what comes back. No personal data stands in an address: words to search for travel
in the body.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import quote

from msgspec import Meta, Struct

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.errors import BadInput
from helpdesk.domain.feed import Freshness
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Page, Query
from helpdesk.domain.users import At

T = TypeVar("T")

KEY_HEADER: Final = "Idempotency-Key"
SIGN_OUT: Final = "/v1/sign-out"
"""Where who signs out tells it."""

ALARM_HEADER: Final = "helpdesk-alarm"
"""What is wrong with the desk's own log, percent-encoded; not there where nothing is.

In small letters, as the names of an answer's headers are read.
"""
AGENT_HEADER: Final = "Helpdesk-Agent"
"""Whose console asks, where it knows: whoever else signs in there is refused."""
MOST_ROWS: Final = 500
"""Rows of one page, at most."""
BODY_LIMIT: Final = 65_536
"""Bytes of a question, at most."""
MOST_SAID: Final = 64

Word = Annotated[str, Meta(max_length=200)]
Sentence = Annotated[str, Meta(max_length=2_000)]
_OWN: Final = r"[A-Za-z0-9_.:~-]{1,128}"
_LOGIN: Final = r"[A-Za-z0-9_.:~@+'\u00c0-\u1fff\u2c00-\ud7ff -]{1,128}"
UserId = Annotated[str, Meta(pattern=f"^(?:{_OWN}|[a-z0-9][a-z0-9-]{{0,39}}:{_LOGIN})$")]
"""An id, as it may stand in an address; a login may be somebody's mail address.

A provider may know nobody but by their login, so after its name that may stand, too.
"""
Rows = Annotated[int, Meta(ge=1, le=MOST_ROWS)]
Cursor = Annotated[str, Meta(max_length=200, pattern=r"^[A-Za-z0-9_-]*$")]
Said = Annotated[tuple[CallerSaid, ...], Meta(max_length=MOST_SAID)]


class Asks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent: the arguments of the desk's method, some of them in the address."""


class Nothing(Asks, frozen=True, kw_only=True):
    """No arguments."""


class Window(Asks, frozen=True, kw_only=True):
    """A page of a list."""

    cursor: Cursor = ""
    limit: Rows = 100


class Search(Window, frozen=True, kw_only=True):
    """A page of what matches."""

    query: Query = Query()


class Named(Asks, frozen=True, kw_only=True):
    """Somebody by id or login."""

    name: Word


class OfUser(Asks, frozen=True, kw_only=True):
    """Something about one user."""

    user: UserId


class OfEvent(OfUser, frozen=True, kw_only=True):
    """One event of a user's timeline, and whether it is wanted as it was revealed."""

    event: Word
    is_clear: bool = False


class UserSaid(OfUser, frozen=True, kw_only=True):
    """Something about one user, with what the caller said."""

    said: Said = ()


class Measure(OfUser, frozen=True, kw_only=True):
    """Codes read out from an authenticator, the older first."""

    factor: Word = ""
    codes: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=2)]


class AskWays(OfUser, frozen=True, kw_only=True):
    """The ways of proving a caller, for an act and a factor."""

    act: Word = ""
    factor: Word = ""


class AskProof(OfUser, frozen=True, kw_only=True):
    """Over which channel the caller is asked."""

    method: Method
    channel: Word = ""
    ticket: Word = ""


class AnswerProof(OfUser, frozen=True, kw_only=True):
    """What the caller read back."""

    answer: Word
    asking: Word = ""


class Answer(Asks, frozen=True, kw_only=True):
    """The second person's answer to a request."""

    approval: Word
    is_granted: bool
    says: Sentence = ""


class OfHold(Asks, frozen=True, kw_only=True):
    """One act that waits."""

    hold: Word


class OfKey(Asks, frozen=True, kw_only=True):
    """One idempotency key."""

    key: Annotated[str, Meta(min_length=1, max_length=255)]


class After(Asks, frozen=True, kw_only=True):
    """A place in the feed."""

    after: Cursor = ""
    limit: Rows = MOST_ROWS


class Inspect(Asks, frozen=True, kw_only=True):
    """A checkpoint kept elsewhere, and its signer's public key; where the part before ended."""

    checkpoint: Annotated[str, Meta(max_length=8_000)] = ""
    key: Sentence = ""
    so_far: Annotated[str, Meta(max_length=50_000)] = ""


class Export(Asks, frozen=True, kw_only=True):
    """Whether the log leaves with personal data; where the part before ended."""

    is_clear: bool = False
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0


class Erase(Asks, frozen=True, kw_only=True):
    """The moment before which personal data goes."""

    before: At


class Accept(Asks, frozen=True, kw_only=True):
    """Why a log that is not the one that was seen is right."""

    reason: Sentence


class TrayOf(Window, frozen=True, kw_only=True):
    """The notices of one user, or of all."""

    user: Word = ""


class Wanted(Asks, frozen=True, kw_only=True):
    """An act."""

    action: AnyAction


class Listed(Struct, Generic[T], frozen=True, kw_only=True):
    """A window on a list.

    Attributes:
        next: The cursor of the page that follows; empty where there is none.
        is_capped: Whether no more than `total` were counted: there may be more.
    """

    total: int
    offset: int
    rows: tuple[T, ...]
    next: str = ""
    is_capped: bool = False


class Info(Struct, frozen=True, kw_only=True):
    """The desk, and who works at it."""

    label: str
    is_demo: bool
    is_gated: bool
    agent: Agent
    cards: tuple[Product, ...]
    freshness: Freshness
    version: str
    alarm: str = ""


class Text(Struct, frozen=True, kw_only=True):
    """One text."""

    text: str


class Count(Struct, frozen=True, kw_only=True):
    """How many."""

    count: int


class Whose(Struct, frozen=True, kw_only=True):
    """The id of a user."""

    user: str


class Done(Struct, frozen=True, kw_only=True):
    """It was done."""

    is_done: bool = True


class Moved(Struct, frozen=True, kw_only=True):
    """The feed's new cursor."""

    cursor: str


def agent_header(agent: Agent) -> str:
    """Return an agent's id as it may stand in a header."""
    return quote(agent.id, safe="")


def cursor_of(offset: int, sort: str = "") -> str:
    """Return the cursor of a page; empty for the first."""
    if not offset:
        return ""
    return urlsafe_b64encode(f"{offset}.{sort}".encode()).decode().rstrip("=")


def offset_of(cursor: str, sort: str = "") -> int:
    """Return where the page of a cursor begins.

    Raises:
        BadInput: It is no cursor, or one of another order.
    """
    if not cursor:
        return 0
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        text = ""
    found = re.fullmatch(r"(\d{1,9})\.([a-z]*)", text)
    if not found:
        raise BadInput("This is no cursor of a list: begin without one.")
    if found[2] != sort:
        raise BadInput("This cursor is of a list in another order: begin without one.")
    return int(found[1])


def listed(page: Page[T], sort: str = "") -> Listed[T]:
    """Return a page with the cursor of the next."""
    end = page.offset + len(page.rows)
    following = cursor_of(end, sort) if page.rows and end < page.total else ""
    return Listed(
        total=page.total,
        offset=page.offset,
        rows=page.rows,
        next=following,
        is_capped=page.is_capped,
    )


def sort_of(asks: Asks) -> str:
    """Return the order that a cursor is bound to; empty for the list's own."""
    query: Query | None = getattr(asks, "query", None)
    return query.sort.value if query and query.sort else ""


def arguments(asks: Asks) -> dict[str, Any]:
    """Return the arguments of the desk's method: a cursor becomes the offset it stands for."""
    found: dict[str, Any] = {name: getattr(asks, name) for name in asks.__struct_fields__}
    if isinstance(asks, Window):
        found["offset"] = offset_of(found.pop("cursor"), sort_of(asks))
    return found


def placed(path: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a path with its places filled, and the values that had no place in it."""
    names = re.findall(r"\{(\w+)\}", path)
    for name in names:
        path = path.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
    return path, {key: value for key, value in values.items() if key not in names}
