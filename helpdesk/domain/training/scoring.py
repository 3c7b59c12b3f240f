"""Marks from the record alone: each part with a sentence that says what earned or lost it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.text import folded
from helpdesk.domain.training.recording import (
    Asked,
    Did,
    Ended,
    Heard,
    Proved,
    Record,
    Told,
    read_record,
)
from helpdesk.domain.training.scenario import Part
from helpdesk.domain.training.spans import clock_words

OF: Final = {
    Part.VERDICT: 25,
    Part.QUESTIONS: 15,
    Part.ACTS: 20,
    Part.SAFETY: 15,
    Part.PROOF: 10,
    Part.WORDS: 10,
    Part.TIME: 3,
    Part.KEYS: 2,
}
"""The marks there are for each part; 100 in all."""

NEUTRAL: Final = frozenset({"note", "take-ticket", "close-ticket", "reveal", "drift"})
"""Acts that change nothing for the customer: never needless."""

NEEDLESS: Final = 5
"""What a needless act, a dangerous one that the desk stopped, or a wrong word costs."""

NEAR: Final = 8
"""What a cause of the right group is worth."""


class Mark(Struct, frozen=True, kw_only=True):
    """The marks of one part, and why."""

    part: Part
    got: int
    of: int
    says: str


class Score(Struct, frozen=True, kw_only=True):
    """The marks of one play.

    Attributes:
        sha256: Of the scenario's file, as it was when it was played.
        seconds: How long it took, by the clock of the play.
    """

    scenario: str
    sha256: str
    title: str
    difficulty: int
    marks: tuple[Mark, ...]
    cause: str
    named: str
    seconds: int
    points_out: str

    @property
    def total(self) -> int:
        """All marks together, 0 to 100."""
        return sum(mark.got for mark in self.marks)

    @property
    def lost(self) -> tuple[Part, ...]:
        """The parts in which marks were lost."""
        return tuple(mark.part for mark in self.marks if mark.got < mark.of)


def score(data: bytes, *, file: str = "record") -> Score:
    """Return the marks of a recorded play.

    Raises:
        BadFile: It is no record, as `read_record`.
    """
    record = read_record(data, file=file)
    marks = []
    for part, mark in _MARKED.items():
        got, says = mark(record)
        marks.append(Mark(part=part, got=max(0, min(OF[part], got)), of=OF[part], says=says))
    end = _end(record)
    return Score(
        scenario=record.key.scenario,
        sha256=record.key.sha256,
        title=record.key.title,
        difficulty=record.key.difficulty,
        marks=tuple(marks),
        cause=record.key.cause,
        named=end.cause if end else "",
        seconds=end.at if end else max((getattr(one, "at", 0) for one in record.lines), default=0),
        points_out=record.key.points_out,
    )


def _end(record: Record) -> Ended | None:
    return next((one for one in record.lines if isinstance(one, Ended)), None)


def _verdict(record: Record) -> tuple[int, str]:
    end, key = _end(record), record.key
    if end is None:
        return 0, f"No cause was named; it was {key.cause}."
    if end.cause == key.cause:
        return OF[Part.VERDICT], f"{end.cause} was the cause."
    if end.cause in key.also:
        return OF[Part.VERDICT], f"{end.cause} counts as right; it was {key.cause}."
    if end.cause[:1] == key.cause[:1]:
        return NEAR, f"{end.cause} is near; it was {key.cause}."
    return 0, f"You named {end.cause}; it was {key.cause}."


def _questions(record: Record) -> tuple[int, str]:
    asks = record.key.asks
    if not asks:
        return OF[Part.QUESTIONS], "The log alone decides here; nothing had to be asked."
    put = {one.ask for one in record.lines if isinstance(one, Asked)}
    # What was put down last is what was meant.
    heard = {one.ask: one.reply for one in record.lines if isinstance(one, Heard)}
    missed = [ask for ask in asks if ask not in put]
    misheard = [a for a, reply in asks.items() if a in put and heard.get(a) != reply]
    right = len(asks) - len(missed) - len(misheard)
    got = round(OF[Part.QUESTIONS] * (right + len(misheard) / 2) / len(asks))
    if missed:
        return got, f"The question that decides {_list(missed)} was not put."
    if misheard:
        return got, f"The caller's answer on {_list(misheard)} was put down as something else."
    return got, f"The question that decides was put and understood: {_list(list(asks))}."


def _done(record: Record) -> Counter[str]:
    return Counter(
        one.act
        for one in record.lines
        if isinstance(one, Did) and one.result in {"done", "held"} and one.act not in NEUTRAL
    )


def _acts(record: Record) -> tuple[int, str]:
    key, done = record.key, _done(record)
    wanted = Counter(key.right)
    missed = list((wanted - done).elements())
    needless = [act for act in (done - wanted).elements() if act not in {*key.fine, *key.dangerous}]
    right = len(key.right) - len(missed)
    got = round(OF[Part.ACTS] * right / len(key.right)) if key.right else OF[Part.ACTS]
    says = []
    if missed:
        says.append(f"Missing: {_list(missed)}.")
    if needless:
        says.append(f"Needless: {_list(needless)}.")
    if not says:
        is_any = f"What mends it was done: {_list(key.right)}."
        says.append(is_any if key.right else "Nothing had to be done, and nothing was.")
    return got - NEEDLESS * len(needless), " ".join(says)


def _safety(record: Record) -> tuple[int, str]:
    dangerous = set(record.key.dangerous)
    done = sorted(dangerous & set(_done(record)))
    if done:
        return 0, f"Dangerous here, and done: {_list(done)}."
    tried = sorted({one.act for one in record.lines if isinstance(one, Did)} & dangerous)
    if tried:
        got = OF[Part.SAFETY] - NEEDLESS * len(tried)
        return got, f"Dangerous here; the desk stopped you: {_list(tried)}."
    return OF[Part.SAFETY], "Nothing dangerous was tried."


def _proof(record: Record) -> tuple[int, str]:
    key, full = record.key, OF[Part.PROOF]
    is_proven, methods, too_early, wanting = False, set(), [], set(key.proof) & set(key.right)
    for one in record.lines:
        if isinstance(one, Proved):
            methods.add(one.method)
            is_proven = is_proven or (
                one.result == "right" and (not key.by or one.method in key.by)
            )
        elif isinstance(one, Did):
            is_high = one.act in ACTIONS and ACTIONS[one.act].risk is Risk.HIGH
            if not is_proven and (one.act in key.proof or is_high):
                too_early.append(one.act)
    if too_early:
        return full // 2, f"Tried before the caller was proven: {_list(sorted(set(too_early)))}."
    if key.by and not methods & set(key.by):
        return 0, f"The caller was not tried by {_list(key.by)}."
    if wanting and not is_proven:
        return 0, "The caller was never proven."
    return full, "The proof came first." if wanting or key.by else "No proof was needed."


def _words(record: Record) -> tuple[int, str]:
    key = record.key
    told = folded(" ".join(one.says for one in record.lines if isinstance(one, Told)))
    missed = [one for one in key.must if not _is_said(one, told)]
    wrong = [one for one in key.never if _is_said(one, told)]
    got = round(OF[Part.WORDS] * (1 - len(missed) / len(key.must))) if key.must else OF[Part.WORDS]
    says = []
    if missed:
        says.append(f"The customer did not hear: {_list([m.split('|')[0] for m in missed])}.")
    if wrong:
        says.append(f"The customer should not hear: {_list([w.split('|')[0] for w in wrong])}.")
    return got - NEEDLESS * len(wrong), " ".join(says) or "The customer heard what they must."


def _is_said(one: str, told: str) -> bool:
    return any(folded(word).strip() in told for word in one.split("|"))


def _time(record: Record) -> tuple[int, str]:
    end, par = _end(record), record.key.par
    if end is None:
        return 0, "The call did not come to an end."
    full = OF[Part.TIME]
    got = full if end.at <= par else (full - 1 if end.at <= 2 * par else 0)
    return got, f"{clock_words(end.at)}; a good agent takes {clock_words(par)}."


def _keys(record: Record) -> tuple[int, str]:
    end, par = _end(record), record.key.par_keys
    if end is None:
        return 0, "The call did not come to an end."
    full = OF[Part.KEYS]
    got = full if end.keys <= par else (full - 1 if end.keys <= 2 * par else 0)
    return got, f"{end.keys} keys; a good agent needs {par}."


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)


_MARKED: Final[dict[Part, Callable[[Record], tuple[int, str]]]] = {
    Part.VERDICT: _verdict,
    Part.QUESTIONS: _questions,
    Part.ACTS: _acts,
    Part.SAFETY: _safety,
    Part.PROOF: _proof,
    Part.WORDS: _words,
    Part.TIME: _time,
    Part.KEYS: _keys,
}
