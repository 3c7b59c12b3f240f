"""The debrief of a play, and a trainer's table over a class: both from records alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.exports import cell
from helpdesk.domain.text import clean, counted
from helpdesk.domain.training.recording import (
    Agreed,
    AnyLine,
    Asked,
    Came,
    Did,
    Ended,
    Heard,
    Key,
    Opened,
    Proved,
    Record,
    Said,
    Saw,
    Told,
    Went,
)
from helpdesk.domain.training.scenario import PERSON, Part
from helpdesk.domain.training.scoring import Score
from helpdesk.domain.training.spans import clock_words

FAULTS: Final = {
    "late-mail": ("Mail comes late from now on.", "Mail comes at once again."),
    "too-many": ("The provider takes no more requests.", "The provider takes requests again."),
    "line-down": ("The line to the desk is down.", "The line to the desk is back."),
    "conflict": ("Somebody else works on this case too.", "Nobody else works on it any more."),
}
"""What went wrong, and that it is well again, in words."""

KNOWN: Final = "known"
"""Who speaks where a moment tells what the log gave away from then on."""


class Moment(Struct, frozen=True):
    """One moment of a debrief: when, who (`caller`, `you`, `log`, `known`, `desk`), and what."""

    at: int
    who: str
    says: str


def replay(record: Record) -> tuple[Moment, ...]:
    """Return the play moment by moment, with what was known when."""
    return tuple(_moment(line) for line in record.lines if not isinstance(line, Key | Opened))


def _moment(line: AnyLine) -> Moment:  # noqa: C901  (one branch a kind of line)
    match line:
        case Said(at=at, says=says):
            return Moment(at, "caller", says)
        case Asked(at=at, ask=ask, says=says):
            return Moment(at, "caller", f"Asked about {ask}: {says}")
        case Heard(at=at, ask=ask, reply=reply):
            return Moment(at, "you", f"put down {ask}: {reply or 'not understood'}")
        case Came(at=at, user=user, event=event):
            whose = "" if user == PERSON else f" (another user, {user})"
            return Moment(at, "log", f"{event_words(event)}{whose}")
        case Saw(at=at, causes=causes, ask=ask):
            return Moment(at, KNOWN, _causes(causes, ask))
        case Did():
            return Moment(line.at, "you", _did(line))
        case Proved():
            return _proved(line)
        case Told(at=at, says=says):
            return Moment(at, "you", f"said: {says}")
        case Agreed(at=at, act=act, is_granted=is_granted):
            word = "agreed to" if is_granted else "refused"
            return Moment(at, "desk", f"Your colleague {word}: {_title(act)}.")
        case Went(at=at, fault=fault, is_on=is_on):
            return Moment(at, "desk", FAULTS[fault][0 if is_on else 1])
        case Ended(at=at, cause=cause):
            return Moment(at, "you", f"named {cause}" if cause else "hung up")
    return Moment(0, "desk", "")


def event_words(event: dict[str, Any]) -> str:
    """Return an event of the world in a few words: `answer: refused, superseded`."""
    details = []
    if "ok" in event:
        details.append("good" if event["ok"] else "refused")
    for name in ("reason", "state", "change", "what", "asks", "channel", "rule", "ip", "code"):
        if event.get(name):
            details.append(str(event[name]))
    return f"{event.get('kind', 'event')}{': ' if details else ''}{', '.join(details)}"


def _causes(causes: Sequence[tuple[str, float]], ask: str) -> str:
    found = ", ".join(f"{name} {p:.0%}" for name, p in causes) or "no cause is likely"
    return f"{found}; to ask: {ask}" if ask else found


def _title(act: str) -> str:
    return ACTIONS[act].title if act in ACTIONS else act.capitalize()


def _did(line: Did) -> str:
    became = {
        "done": "done",
        "held": "held",
        "queued": "waits until the line is back",
        "needs": f"needs {', '.join(line.lacks)}",
        "refused": f"refused: {line.why}",
        "failed": f"not done: {line.why}",
    }
    return f"{_title(line.act)}: {became[line.result]}"


def _proved(line: Proved) -> Moment:
    words = {
        "asked": f"Asked to prove it ({line.method}): {line.says}",
        "right": f"proved the caller by {line.method}",
        "wrong": f"{line.method}: not proven",
        "refused": f"{line.method}: it proves nothing here",
    }
    return Moment(line.at, "caller" if line.result == "asked" else "you", words[line.result])


class Result(Struct, frozen=True, kw_only=True):
    """One row of the table over a class: a trainee's best play of one scenario.

    Attributes:
        plays: How often they played it to the end.
        named: The cause they named.
        seconds: By the clock of the play.
        verdict: The marks got for this part, as are the others that follow.
    """

    trainee: str
    scenario: str
    title: str
    difficulty: int
    plays: int
    total: int
    cause: str
    named: str
    seconds: int
    verdict: int
    questions: int
    acts: int
    safety: int
    proof: int
    words: int
    time: int
    keys: int


class Standing(Struct, frozen=True, kw_only=True):
    """Where one trainee of a class is just now.

    Attributes:
        scenario: What they play; empty where they play nothing.
        seconds: By the clock of that call, when something last happened in it.
        calls: How many they played to the end.
        last: The title of the last of those, with its marks; empty and None where there is none.
    """

    trainee: str
    scenario: str
    title: str
    seconds: int
    calls: int
    last: str
    total: int | None


def results(trainee: str, scores: Iterable[Score]) -> list[Result]:
    """Return a trainee's best play of each scenario, by name; the sooner of two as good."""
    played: dict[str, list[Score]] = {}
    for one in scores:
        if one.named:
            played.setdefault(one.scenario, []).append(one)
    found = []
    for name in sorted(played):
        best = max(played[name], key=lambda one: (one.total, -one.seconds))
        marks = {mark.part.value: mark.got for mark in best.marks}
        found.append(
            Result(
                trainee=trainee,
                scenario=name,
                title=best.title,
                difficulty=best.difficulty,
                plays=len(played[name]),
                total=best.total,
                cause=best.cause,
                named=best.named,
                seconds=best.seconds,
                **{part.value: marks[part.value] for part in Part},
            )
        )
    return found


def standings_text(of: Sequence[Standing]) -> str:
    """Return where each trainee is, a line each: `Kim  plays The second mail, 1:20 · 2 calls …`."""
    lines = []
    for one in of:
        now = f"plays {one.title}, {clock_words(one.seconds)}" if one.scenario else "plays nothing"
        many = f"{counted(one.calls, 'call')} ended"
        last = f", the last {one.last}: {one.total} of 100" if one.total is not None else ""
        lines.append(clean(f"{one.trainee:<20} {now} · {many}{last}", limit=400))
    return "\n".join(lines) or "Nobody has joined yet."


def class_csv(rows: Sequence[Result]) -> str:
    """Return a class as a table (RFC 4180) that no spreadsheet takes for formulas."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(Result.__struct_fields__)
    for row in rows:
        values = msgspec.to_builtins(row)
        writer.writerow([cell(str(values[name])) for name in Result.__struct_fields__])
    return text.getvalue()
