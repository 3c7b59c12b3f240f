"""From the record of a play back to its steps, so that it can be shown to others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.errors import BadFile
from helpdesk.domain.proofs import Method
from helpdesk.domain.training import recording as record
from helpdesk.domain.training.recording import AnyLine, Record
from helpdesk.domain.training.scenario import Scenario, Step
from helpdesk.domain.training.spans import Span


def replayed(found: Record, scenario: Scenario, sha256: str, *, file: str = "record") -> Scenario:
    """Return the scenario with what a record tells of in the place of its model answer.

    A record holds what was done, asked and said, not what was typed into a dialog: factor, reason
    and the like are those of the scenario's own answers where they do the same, else the first.

    Raises:
        BadFile: It is of another scenario, or of another version of it, or nobody did anything.
    """
    if found.key.sha256 != sha256:
        says = f"is of another version of {found.key.scenario}, which has changed since"
        raise BadFile(file, "sha256", says)
    steps = tuple(_steps(found.lines, scenario))
    if not steps:
        raise BadFile(file, "", "tells of nothing that was done")
    return replace(scenario, model=steps)


def _steps(lines: Sequence[AnyLine], scenario: Scenario) -> Iterator[Step]:
    bad = scenario.bad.steps if scenario.bad else ()
    known = {step.act: step for step in (*bad, *scenario.model) if step.act}
    for number, line in enumerate(lines):
        at = Span(line.at) if isinstance(line, record.Line) else Span(0)
        match line:
            case record.Asked(ask=ask):
                yield Step(at=at, ask=ask, reply=_reply(ask, lines[number:]))
            case record.Did(act=act) if act in ACTIONS:
                yield replace(known.get(act, Step(at=at, act=act)), at=at)
            case record.Proved(method=method, result="asked" | "refused"):
                yield Step(at=at, prove=Method(method))
            case record.Told(says=says):
                yield Step(at=at, say=says)
            case record.Ended(cause=cause) if cause:
                yield Step(at=at, end=cause)


def _reply(ask: str, later: Sequence[AnyLine]) -> str:
    """What was put down of an answer; empty where nobody understood it, or nobody put it down."""
    return next(
        (one.reply for one in later if isinstance(one, record.Heard) and one.ask == ask), ""
    )
