"""What is given where a question is not answered: each error as the problem it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from litestar.exceptions import HTTPException

from helpdesk.domain.errors import (
    HelpdeskError,
    NoRecord,
    OtherAgent,
    SignInAgain,
    Unauthorised,
    Unreachable,
)
from helpdesk.gateway import problems
from helpdesk.gateway.bounds import TooOften
from helpdesk.gateway.calls import TOO_MUCH, Given, Malformed
from helpdesk.gateway.problems import Problem, other_problem, problem_of
from helpdesk.gateway.tokens import CHALLENGE, STEP_UP_CHALLENGE
from helpdesk.gateway.watch import Numbers, tell_fault

_NAMES: Final = {404: "no-such-address", 405: "not-in-this-way", 413: "too-much"}
_SAYS: Final = {
    404: "There is nothing at this address.",
    405: "This address is not used in this way.",
    413: TOO_MUCH,
}


class NotInThisWay(Malformed):
    """An address that is used in other ways.

    Args:
        ways: The methods in which it is.
    """

    def __init__(self, ways: Iterable[str]) -> None:
        super().__init__(_SAYS[405], status=405, name=_NAMES[405])
        self.allow = ", ".join(ways)


def refusal(error: Exception, numbers: Numbers) -> Given:
    """Return what is given where something went wrong; a fault of our own is counted and logged."""
    headers: dict[bytes, bytes] = {}
    problem = _problem(error, headers, numbers)
    body, media = msgspec.json.encode(problem), problems.MEDIA_TYPE.encode()
    return Given(body, status=problem.status, media=media, headers=[*headers.items()])


def _problem(error: Exception, headers: dict[bytes, bytes], numbers: Numbers) -> Problem:
    match error:
        case TooOften():
            headers[b"retry-after"] = b"%d" % error.seconds
            return other_problem(429, "too-often", str(error))
        case Malformed():
            if isinstance(error, NotInThisWay):
                headers[b"allow"] = error.allow.encode()
            return other_problem(error.status, error.name, str(error))
        case TimeoutError():
            headers[b"retry-after"] = b"1"
            return problem_of(Unreachable("The desk took too long to answer."))
        case HelpdeskError():
            if isinstance(error, Unauthorised) and not isinstance(error, OtherAgent):
                is_late = isinstance(error, SignInAgain)
                challenge = STEP_UP_CHALLENGE if is_late else CHALLENGE
                headers[b"www-authenticate"] = challenge.encode()
            if isinstance(error, NoRecord):
                tell_fault(error)
            return problem_of(error)
        case HTTPException():
            allow = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow")
            if allow:
                headers[b"allow"] = allow.encode()
            name = _NAMES.get(error.status_code, "not-answered")
            return other_problem(error.status_code, name, _SAYS.get(error.status_code, ""))
    tell_fault(error)
    numbers.faults.inc()
    return other_problem(500, "fault", "The desk is at fault; whoever runs it sees where.")
