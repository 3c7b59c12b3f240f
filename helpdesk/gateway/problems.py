"""Problems: our errors as RFC 9457 answers, and such answers as our errors again."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import (
    BadFile,
    BadInput,
    BrokeOff,
    Conflict,
    CursorTooOld,
    DeskRefused,
    Disowned,
    HelpdeskError,
    KeyExpired,
    KeyTaken,
    NeedsMore,
    NoRecord,
    NotFound,
    OfProvider,
    OtherAgent,
    Refused,
    SignInAgain,
    Stale,
    StillRunning,
    Tampered,
    Unauthorised,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.text import clean

MEDIA_TYPE: Final = "application/problem+json"
SPACE: Final = "urn:helpdesk:"
"""What the types of our problems begin with."""

STATUS: Final[dict[type[HelpdeskError], int]] = {
    BadFile: 503,  # the desk's own file: nothing the asker could send would mend it
    Disowned: 422,
    BadInput: 422,
    SignInAgain: 401,
    OtherAgent: 403,
    Unauthorised: 401,
    Refused: 403,
    NotFound: 404,
    Stale: 412,
    CursorTooOld: 410,
    KeyTaken: 422,
    StillRunning: 409,
    KeyExpired: 409,
    Conflict: 409,
    Tampered: 409,
    NeedsMore: 422,
    DeskRefused: 503,
    BrokeOff: 503,
    Unsettled: 503,
    OfProvider: 503,
    Unreachable: 503,
    HelpdeskError: 400,
}
"""The status of each error, the narrower class first."""

TITLES: Final = {
    400: "It is not of the form that is asked for",
    401: "Sign in",
    403: "Refused",
    404: "Not found",
    405: "Not in this way",
    406: "Not in this form",
    409: "Conflict",
    410: "No longer known",
    412: "Changed since you looked",
    413: "Too much",
    415: "Not in this form",
    422: "It cannot be done as it stands",
    428: "Say what you saw",
    429: "Too often",
    500: "A fault of the desk",
    503: "Not now",
}


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457).

    Attributes:
        type: The error's name in our tree, in a space of its own.
        detail: The sentence for the agent.
        decision: The policy's answer, where it was that.
    """

    type: str
    title: str
    status: int
    detail: str
    decision: Decision | None = None


def slug(error: type[HelpdeskError]) -> str:
    """Return the stable name of an error: `key-taken`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


KINDS: Final = {slug(kind): kind for kind in STATUS}


def problem_of(error: HelpdeskError) -> Problem:
    """Return what is answered where the desk raised an error."""
    kind = next(kind for kind in STATUS if isinstance(error, kind))
    status = STATUS[kind]
    detail = str(error)
    if isinstance(error, NoRecord):
        detail = "The desk's own record cannot be reached now: nothing was changed."
    if kind is BadFile:
        detail = "The desk's own record cannot be read; whoever runs it sees why."
    return Problem(
        type=SPACE + slug(kind),
        title=TITLES[status],
        status=status,
        detail=clean(detail, limit=2_000),
        decision=getattr(error, "decision", None),
    )


def other_problem(status: int, name: str, detail: str) -> Problem:
    """Return a problem that is of the transport, not of the desk."""
    title = TITLES.get(status, "It could not be answered")
    return Problem(type=SPACE + name, title=title, status=status, detail=detail)


def error_of(status: int, body: bytes) -> HelpdeskError:
    """Return the error that an answer stands for: the same class the desk raised."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unreachable(f"The desk answered {status}, in a form that is not its own.")
    kind = KINDS.get(problem.type.removeprefix(SPACE))
    says = clean(problem.detail, limit=2_000)
    if kind in {Refused, NeedsMore} and problem.decision is not None:
        return NeedsMore(problem.decision) if kind is NeedsMore else Refused(problem.decision)
    if kind is None or kind in {BadFile, Refused, NeedsMore}:
        is_ours = 400 <= status < 500
        return BadInput(says) if is_ours else Unreachable(says)
    return kind(says)
