"""The record of a play: one JSON line a thing that the trainee did, heard or saw.

Its first line is the key: what the play is marked by. So a record is marked without its scenario.
Moments are whole seconds of the play; nothing in it falls by chance, so the same acts at the same
moments give the same bytes.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from helpdesk.domain.errors import BadFile
from helpdesk.domain.training.scenario import Scenario

FORMAT: Final = "helpdesk-record/1"


class Key(Struct, frozen=True, kw_only=True, tag="key", tag_field="what"):
    """What a play is marked by, copied from its scenario.

    Attributes:
        asks: By pair, the reply it should have come to.
        par: Seconds a good agent takes.
    """

    format: Literal["helpdesk-record/1"] = "helpdesk-record/1"
    scenario: str
    sha256: str
    seed: int
    title: str
    difficulty: int
    is_attacker: bool
    cause: str
    also: tuple[str, ...]
    asks: dict[str, str]
    right: tuple[str, ...]
    fine: tuple[str, ...]
    dangerous: tuple[str, ...]
    proof: tuple[str, ...]
    by: tuple[str, ...]
    must: tuple[str, ...]
    never: tuple[str, ...]
    par: int
    par_keys: int
    points_out: str


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="what"):
    """One thing that happened in a play, at so many seconds."""

    at: int


class Opened(Line, frozen=True, kw_only=True, tag="opened"):
    """The trainee opened a case."""

    user: str


class Said(Line, frozen=True, kw_only=True, tag="said"):
    """The caller said something unasked."""

    says: str


class Asked(Line, frozen=True, kw_only=True, tag="asked"):
    """The trainee put a question of the verdict; `says` is the caller's answer."""

    ask: str
    says: str


class Heard(Line, frozen=True, kw_only=True, tag="heard"):
    """The trainee put down what the caller's answer comes to; empty where nobody understood it."""

    ask: str
    reply: str


class Came(Line, frozen=True, kw_only=True, tag="came"):
    """Something happened in the world, to the person or to another user."""

    user: str
    event: dict[str, Any]


class Saw(Line, frozen=True, kw_only=True, tag="saw"):
    """What the verdict said from here on: causes with their chances, and the question it has."""

    causes: tuple[tuple[str, float], ...]
    ask: str = ""


class Did(Line, frozen=True, kw_only=True, tag="did"):
    """An act of the trainee, and what became of it.

    Attributes:
        lacks: What it still needed, where the result is `needs`.
        why: What stood against it, where it was refused or failed.
    """

    act: str
    result: Literal["done", "held", "queued", "needs", "refused", "failed"]
    lacks: tuple[str, ...] = ()
    why: str = ""


class Proved(Line, frozen=True, kw_only=True, tag="proved"):
    """The caller was asked to prove who they are, or answered to it."""

    method: str
    result: Literal["asked", "right", "wrong", "refused"]
    says: str = ""


class Told(Line, frozen=True, kw_only=True, tag="told"):
    """What the trainee told the customer."""

    says: str


class Agreed(Line, frozen=True, kw_only=True, tag="agreed"):
    """The colleague answered a request."""

    act: str
    is_granted: bool


class Went(Line, frozen=True, kw_only=True, tag="went"):
    """Something went wrong on cue, or well again."""

    fault: str
    is_on: bool


class Ended(Line, frozen=True, kw_only=True, tag="ended"):
    """The trainee named the cause and hung up, after so many keystrokes."""

    cause: str
    keys: int = 0


AnyLine = (
    Key | Opened | Said | Asked | Heard | Came | Saw | Did | Proved | Told | Agreed | Went | Ended
)


class Record(Struct, frozen=True):
    """A whole record, read: its key and its lines in order."""

    key: Key
    lines: tuple[AnyLine, ...]


def key_of(name: str, sha256: str, scenario: Scenario) -> Key:
    """Return what plays of a scenario are marked by."""
    acts, words = scenario.acts, scenario.words
    meant = {reply.ask: reply.reply for reply in scenario.caller.answers}
    return Key(
        scenario=name,
        sha256=sha256,
        seed=scenario.seed,
        title=scenario.title,
        difficulty=scenario.difficulty,
        is_attacker=scenario.caller.is_attacker,
        cause=scenario.cause,
        also=scenario.also,
        asks={ask: meant[ask] for ask in scenario.asks},
        right=acts.right,
        fine=acts.fine,
        dangerous=acts.dangerous,
        proof=acts.proof,
        by=tuple(method.value for method in acts.by),
        must=words.must,
        never=words.never,
        par=int(scenario.par),
        par_keys=scenario.par_keys,
        points_out=scenario.points_out,
    )


def line_bytes(line: AnyLine) -> bytes:
    """Return one line of a record, with its end."""
    return msgspec.json.encode(line, order="deterministic") + b"\n"


def read_record(data: bytes, *, file: str = "record") -> Record:
    """Return what a record holds; its last line may be cut off, where a play was torn down.

    Raises:
        BadFile: A line is not one of a record, or the first is no key: the error names it.
    """
    rows = data.split(b"\n")
    whole, found = rows[:-1] if rows else [], []
    for number, row in enumerate(whole, 1):
        try:
            found.append(msgspec.json.decode(row, type=AnyLine))
        except msgspec.DecodeError as error:
            raise BadFile(file, f"line {number}", str(error)) from error
    if not found or not isinstance(found[0], Key):
        raise BadFile(file, "line 1", "is not the key of a record of a play")
    return Record(found[0], tuple(found[1:]))
