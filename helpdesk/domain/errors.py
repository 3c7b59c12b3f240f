"""What can go wrong, as sentences for the agent.

HelpdeskError
├── BadInput        the person asked for something malformed                    exit 2
│   ├── BadFile     a file from outside is wrong: which one, where, and why     exit 2
│   └── Disowned    the customer said on their device that it is not they       exit 2
├── Refused         the policy said no, and what to do instead                  exit 3
├── NotFound        no such user, factor, ticket …                              exit 4
├── Unreachable     the desk, its file or its provider cannot be reached        exit 5
│   ├── Unknown     a write was sent and its answer lost: done or not           exit 5
│   └── OfProvider  the desk was reached, and its provider is the matter        exit 5
│       ├── DeskRefused  it does not take the desk's own account
│       ├── BrokeOff     an act of several parts was done in part: do it again
│       └── Unsettled    its answer to an act was lost; an `Unknown` too
├── NeedsMore       allowed, once something else is there                       exit 6
├── Conflict        it cannot be taken as it was sent                           exit 1
│   ├── KeyTaken        the same idempotency key, another wish
│   ├── StillRunning    the same key, and the first is under way
│   ├── KeyExpired      the same key, after seven days
│   ├── Stale           somebody changed the case since it was looked at
│   └── CursorTooOld    what changed since then is no longer known: look at everything anew
├── Tampered        the log is not the one it was                               exit 7
└── Unauthorised    the sign-in is not taken, was refused or has ended          exit 8
    ├── SignInAgain     this act asks for a sign-in of the last minutes         exit 8
    ├── OtherAgent      somebody else signed in than whose console asks         exit 8
    └── GaveUp          the agent was asked to sign in, and did not go on       exit 8
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from helpdesk.domain.decisions import Decision


class HelpdeskError(Exception):
    """An error whose `str()` is a sentence for the agent."""

    exit_code: ClassVar[int] = 1


class BadInput(HelpdeskError):
    """The words given are not of the form that is asked for."""

    exit_code = 2


class BadFile(BadInput):
    """A file from outside cannot be used.

    Attributes:
        file: The file's name as the person gave it.
        place: Where in it: a line, or a path such as `users.17.factors.0.kind`; may be empty.
        reason: What is wrong there.
    """

    def __init__(self, file: str, place: str, reason: str) -> None:
        self.file, self.place, self.reason = file, place, reason
        super().__init__(f"{file}{f', {place}' if place else ''}: {reason}")


class Disowned(BadInput):
    """The customer said on their own device that it is not they who call."""


class Refused(HelpdeskError):
    """The policy said no; `decision` says why and what to do instead."""

    exit_code = 3

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        super().__init__(" ".join(part for part in (decision.why, decision.instead) if part))


class NotFound(HelpdeskError):
    """There is no such user, factor, ticket, product or agent here."""

    exit_code = 4


class Unreachable(HelpdeskError):
    """The desk, its file or its provider cannot be reached now."""

    exit_code = 5


class NoRecord(Unreachable):
    """The desk's own record cannot be reached; the sentence says where it is and what is wrong.

    That is for whoever runs the desk, not for everybody who asks it from elsewhere.
    """


class Unknown(Unreachable):
    """A write was sent and its answer lost: it may have been done or not; it is not sent anew.

    Attributes:
        key: The idempotency key under which the desk can be asked what became of it.
    """

    def __init__(self, says: str, key: str = "") -> None:
        self.key = key
        super().__init__(says)


class OfProvider(Unreachable):
    """The desk was reached and answers; what it says is about the provider behind it."""


class DeskRefused(OfProvider):
    """The provider refused the desk's own account; nothing was done, and no agent's sign-in helps.

    It is not `Unauthorised`: nobody is asked to sign in anew for it.
    """


class BrokeOff(OfProvider):
    """An act of several parts was done in part; done again, it does the rest and none twice.

    Attributes:
        whole: What is done and what is left, each by name, for the log; the sentence may count.
    """

    def __init__(self, says: str, whole: str = "") -> None:
        self.whole = whole or says
        super().__init__(says)


class Unsettled(OfProvider, Unknown):
    """The provider was told an act and its answer was lost; the log says so, and its key does."""


class Conflict(HelpdeskError):
    """It cannot be taken as it was sent, by what was sent before."""


class KeyTaken(Conflict):
    """The idempotency key stands for another wish already."""


class StillRunning(Conflict):
    """The write with this idempotency key is under way."""


class KeyExpired(Conflict):
    """The idempotency key is too old to answer for; nothing was done."""


class Stale(Conflict):
    """Somebody changed the case since it was looked at; nothing was done."""


class CursorTooOld(Conflict):
    """What changed since this cursor is no longer known: look at everything anew."""


class NeedsMore(HelpdeskError):
    """The act is allowed once `decision.needs` are given."""

    exit_code = 6

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        super().__init__(" ".join(need.says for need in decision.needs))


class Tampered(HelpdeskError):
    """The log is not the one it was; the sentence says what does not fit."""

    exit_code = 7


class Unauthorised(HelpdeskError):
    """The agent is not signed in at this desk; the sentence says why, and shows no token."""

    exit_code = 8


class SignInAgain(Unauthorised):
    """The agent is signed in, but too long for an act that cannot be taken back; not done."""


class OtherAgent(Unauthorised):
    """Somebody else is signed in than the agent whose console asks; nothing was done."""


class GaveUp(Unauthorised):
    """The agent was asked to sign in and gave up; nothing was done."""

    def __init__(self, says: str = "You did not sign in: nothing was done.") -> None:
        super().__init__(says)
