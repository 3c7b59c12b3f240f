"""Inspecting the log: what is proven about it, what is broken, and what no log can prove.

rows bound to one another      edited, deleted, added, swapped rows
+ checkpoints in the file        a chain made anew without the key
+ a checkpoint held elsewhere    a cut tail, an older copy, a chain made anew with it
+ nothing                        rows after the last checkpoint, acts never recorded
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct, field

from helpdesk.domain.chain import START
from helpdesk.domain.errors import BadInput

EVERY_ROWS: Final = 64
"""A checkpoint is due after so many rows."""

EVERY_S: Final = 60
"""A checkpoint is due when the last is older, with the next row or when the desk is closed."""

MOST: Final = 20
"""Sentences of one kind; whoever rewrote a whole log need not be told row by row."""


MINE: Final = "The checkpoint this console holds"

SAW: Final = "What this console saw last"


_NOT_BEGUN: Final = "That is no inspection to go on with: begin it anew."


class Inspection(Struct, frozen=True, kw_only=True):
    """What was found about a log, in sentences.

    Attributes:
        rows: How many rows were looked at, those before the chain included.
        is_sound: Whether nothing is broken.
        proven: What holds, and by what.
        unproven: What this cannot show; never empty.
    """

    rows: int
    is_sound: bool
    broken: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


class Held(Struct, frozen=True, kw_only=True):
    """A checkpoint kept away from the log, and by whom, in words."""

    by: str
    note: str


class Sentences(Struct):
    """What was found of one kind: the first of it in words, and how much of it there is."""

    first: list[str] = []
    count: int = 0

    def add(self, says: str) -> None:
        """Take one more."""
        self.count += 1
        if len(self.first) < MOST:
            self.first.append(says)


class SoFar(Struct, kw_only=True, omit_defaults=True):
    """How far an inspection is, to go on with: no longer for a longer log.

    Attributes:
        rows: How many rows were there when it began; what comes later is not looked at.
        notes: How many checkpoints were there beside the log when it began.
        old: How many rows of the time before the chain.
        seen: The checkpoint that this console held when it began.
        saw: The body of one of all rows it had seen; nobody signed it.
        done: How many rows were looked at; `noted` how many checkpoints beside the log.
        before: The hash of the last of these rows.
        expected: The number of the next one; 0 where nobody knows.
        peaks: The Merkle tree of these rows, as `Tree.peaks`.
        origin: What the log calls itself.
        last: The size of the last checkpoint beside the log that was looked at.
        newest: The size of the newest checkpoint that fits.
        late: Dangerous acts after that.
        compared: Rows whose personal data was compared; `erased` and `foreign`: could not be.
        fits: Checkpoints beside the log that fit; `unknown` are all that nobody known signed.
        met: Which of the checkpoints held elsewhere were compared.
        held: What is proven by them.
    """

    rows: int
    notes: int
    old: int
    seen: str = ""
    saw: str = ""
    done: int = 0
    noted: int = 0
    before: str = START.hex()
    expected: int = 0
    peaks: list[tuple[int, bytes]] = []
    origin: str = ""
    last: int = 0
    newest: int = 0
    late: Sentences = field(default_factory=Sentences)
    compared: int = 0
    erased: int = 0
    foreign: int = 0
    fits: int = 0
    unknown: int = 0
    chain: Sentences = field(default_factory=Sentences)
    personal: Sentences = field(default_factory=Sentences)
    checkpoints: Sentences = field(default_factory=Sentences)
    met: list[int] = []
    held: list[str] = []

    @property
    def is_all(self) -> bool:
        """Whether all rows and all checkpoints beside them were looked at."""
        return self.done >= self.rows and self.noted >= self.notes


class Inspecting(Struct, frozen=True, kw_only=True):
    """How far a desk came with its log, and at the end what it found.

    Attributes:
        done: How many rows it has looked at, of how many.
        so_far: To ask with for the rest; empty where there is none.
        found: What it found; None before it has looked at all.
    """

    done: int
    of: int
    so_far: str = ""
    found: Inspection | None = None


def packed(so_far: SoFar) -> str:
    """Return how far an inspection is as one word."""
    return base64.b64encode(msgspec.json.encode(so_far)).decode()


def unpacked(text: str) -> SoFar:
    """Return how far an inspection is, as `packed` gave it.

    Raises:
        BadInput: That is nothing it gave.
    """
    try:
        so_far = msgspec.json.decode(base64.b64decode(text, validate=True), type=SoFar)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadInput(_NOT_BEGUN) from error
    if not 0 <= so_far.done <= so_far.rows or not 0 <= so_far.noted <= so_far.notes:
        raise BadInput(_NOT_BEGUN)
    return so_far
