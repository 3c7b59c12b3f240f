"""What a change gives back, as sentences, as errors and as it is kept."""

from __future__ import annotations

from helpdesk.domain.audit import Result
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import HelpdeskError, NeedsMore, Refused
from helpdesk.domain.operations import Answered
from helpdesk.service.once import again, ended
from helpdesk.service.steps import Done


def answered(done: Done | None, decision: Decision) -> Answered:
    """How a change is kept as an answer: without the secret it gave."""
    if done is None:
        return ended(error_of(decision))
    return Answered(says=done.says, was_once=done.handover is not None)


def repeated(before: Answered) -> Done:
    """What a change gave before, as if it were done now; its error is raised again."""
    if before.error:
        again(before, object)
    says = f"{before.says} It was shown once and is not shown again."
    return Done(says=says if before.was_once else before.says)


def error_of(decision: Decision) -> HelpdeskError:
    """The error that a decision is, for the agent."""
    return Refused(decision) if decision.is_refused else NeedsMore(decision)


def result_of(decision: Decision) -> Result:
    """How the log calls a decision's end."""
    if decision.is_allowed:
        return Result.DONE
    return Result.REFUSED if decision.is_refused else Result.NEEDS


def said(decision: Decision) -> str:
    """What a decision says, in one line."""
    if decision.is_refused:
        return decision.why
    return " ".join(need.says for need in decision.needs)
