"""What a presenter is told about each step of a model answer: why, what to show, what the trap is.

The audience sees `does`; the rest is for the presenter's own eyes.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, summary
from helpdesk.domain.diagnosis import CAUSES
from helpdesk.domain.training.scenario import Scenario, Step

OPEN: Final = "Open the case of the caller"


class Note(Struct, frozen=True, kw_only=True):
    """One step, and what the presenter is told about it.

    Attributes:
        does: What is done, in words that give nothing away.
        came: What was done, once that is known.
        why: Why it is done now.
        points: What to point out.
        trap: What goes wrong here; empty where nothing does.
    """

    does: str
    came: str
    why: str = ""
    points: str = ""
    trap: str = ""


class Prompt(Struct, frozen=True, kw_only=True):
    """Where a demo stands: what its presenter's second terminal shows.

    Attributes:
        pid: The process that plays it.
        done: How many steps were played, of so many.
        seconds: Of the play's own clock.
        is_playing: Whether a step is being played just now.
        told: What the console said last.
        last: The step that was played last, or is being played; None before the first.
        next: The step the key plays next; None after the last.
    """

    pid: int
    title: str
    done: int
    of: int
    seconds: int
    is_playing: bool = False
    told: str = ""
    last: Note | None = None
    next: Note | None = None


def notes(scenario: Scenario) -> tuple[Note, ...]:
    """Return the notes of opening the case and of each step of the model answer, in order."""
    return (_opening(scenario), *(_note(step, scenario) for step in scenario.model))


def _opening(scenario: Scenario) -> Note:
    caller = scenario.caller
    who = "is not who they say" if caller.is_attacker else "is who they say"
    why = "The case answers who this is and what happened, before anybody is asked anything."
    return Note(
        does=OPEN,
        came=f"The case of {scenario.person.name}, and why it keeps asking",
        why=f"{why} The caller sounds {caller.mood} and {who}.",
        points=f"They say: “{caller.says}” It is {_cause(scenario.cause)}.",
        trap=_bad(scenario),
    )


def _bad(scenario: Scenario) -> str:
    """The usual mistake, as the scenario's bad answer makes it."""
    if scenario.bad is None:
        return ""
    deeds = [_deed(step) for step in scenario.bad.steps]
    lost = ", ".join(part.value for part in scenario.bad.loses)
    return f"The usual mistake: {'; then '.join(deeds)}. It loses {lost}."


def _deed(step: Step) -> str:
    if step.prove is not None:
        return f"prove by {step.prove.words}"
    if step.act:
        return ACTIONS[step.act].title.lower() if step.act in ACTIONS else step.act
    says = {"ask": f"ask {step.ask}", "say": f"say “{step.say}”", "end": f"call it {step.end}"}
    return next(says[name] for name in step.deeds)


def _note(step: Step, scenario: Scenario) -> Note:
    if step.ask:
        found = _asking(step, scenario)
    elif step.prove is not None:
        found = _proving(step, scenario)
    elif step.act:
        found = _acting(step, scenario)
    elif step.say:
        found = _saying(step, scenario)
    else:
        found = _ending(scenario)
    points = f"{step.note} {found.points}".strip() if step.note else found.points
    return replace(found, points=points)


def _asking(step: Step, scenario: Scenario) -> Note:
    ends = " from ".join(_cause(end) if end in CAUSES else end for end in step.ask.split("/"))
    reply = next((one for one in scenario.caller.answers if one.ask == step.ask), None)
    lie = "That is not true: the log says otherwise." if reply and reply.is_lie else ""
    return Note(
        does="Ask the caller the question that decides",
        came=f"What the caller answered: “{reply.says}”" if reply else "What the caller answered",
        why=f"It tells {ends}.",
        points=f"They answer: “{reply.says}”" if reply else "They cannot tell.",
        trap=lie,
    )


def _proving(step: Step, scenario: Scenario) -> Note:
    told = next((one for one in scenario.caller.proofs if one.method is step.prove), None)
    can = told.can if told else not scenario.caller.is_attacker
    needs = ", ".join(ACTIONS[act].title.lower() for act in scenario.acts.proof if act in ACTIONS)
    return Note(
        does=f"Verify the caller: {step.prove.words if step.prove else ''}",
        came="Whether the caller is proven",
        why=f"Before this the caller must be proven: {needs}." if needs else "Who is on the line?",
        points=f"They answer: “{told.says}”" if told else "",
        trap="" if can else "They cannot. Whoever goes on from here helps the thief.",
    )


def _acting(step: Step, scenario: Scenario) -> Note:
    kind, acts = ACTIONS[step.act], scenario.acts
    why = f"{summary(kind)}."
    why += " It mends it, or is the way out." if step.act in acts.right else ""
    bad = ", ".join(ACTIONS[act].title.lower() for act in acts.dangerous if act in ACTIONS)
    proof = "Only after the caller is proven. " if step.act in acts.proof else ""
    return Note(
        does=kind.title,
        came=f"{kind.title}: what came of it",
        why=why,
        points=f"{proof}The dialog says what will happen before it does.",
        trap=f"Dangerous here: {bad}." if bad else "",
    )


def _saying(step: Step, scenario: Scenario) -> Note:
    never = ", ".join(f"“{words.replace('|', '” or “')}”" for words in scenario.words.never)
    must = ", ".join(f"“{words.replace('|', '” or “')}”" for words in scenario.words.must)
    return Note(
        does="Tell the customer",
        came=f"The customer is told: “{step.say}”",
        why=f"The customer must hear {must}." if must else "The customer wants to know what to do.",
        points=f"Said: “{step.say}”",
        trap=f"Never say {never}." if never else "",
    )


def _ending(scenario: Scenario) -> Note:
    also = f", or {', '.join(scenario.also)}" if scenario.also else ""
    return Note(
        does="Hang up and name the cause",
        came="The marks",
        why=f"It is {_cause(scenario.cause)}{also}.",
        points=scenario.points_out,
        trap="",
    )


def _cause(name: str) -> str:
    return f"{name}, {CAUSES[name].title}" if name in CAUSES else name
