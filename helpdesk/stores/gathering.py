"""What everybody of a file is found by, gathered user by user into pieces of numbers and texts.

A user is known here by their place among all of them, from 0 on.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from helpdesk.domain.alike import shape
from helpdesk.domain.entries import Said, states_among
from helpdesk.domain.haystack import beginnings, ended
from helpdesk.domain.search import UserState
from helpdesk.domain.text import folded
from helpdesk.domain.users import FactorKind, MfaState, User

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

STATES: Final = {state: 1 << number for number, state in enumerate(UserState)}
KINDS: Final = {kind: 1 << (number + len(STATES)) for number, kind in enumerate(FactorKind)}
"""The bits of what may be true of a user at some time, and of the kinds of their factors."""


def bits_of(user: User) -> int:
    """Return what may be true of a user at some time; all but a lock is, whatever the time."""
    states = states_among(user, 0, LONG_AGO)
    kinds = {factor.kind for factor in user.live_factors}
    return sum(STATES[one] for one in states) | sum(KINDS[one] for one in kinds)


def moment_of(at: datetime | None) -> int:
    """Return a moment as whole microseconds since 1970; -1 for none."""
    return -1 if at is None else (at - EPOCH) // MICROSECOND


def is_ever_due(user: User) -> bool:
    """Whether a day may come on which MFA is to be turned on again."""
    return user.mfa is MfaState.OFF and user.mfa_off_until is not None


def hash_of(kind: str, text: str) -> int:
    """Return a number that stands for a text of a kind; others may have the same one."""
    return int.from_bytes(hashlib.blake2b(f"{kind} {text}".encode(), digest_size=8).digest())


class Gathering(Protocol):
    """One group of pieces, to be filled."""

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        ...

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        ...


class _Listed:
    """Texts behind one another, and where each begins."""

    def __init__(self) -> None:
        self.texts, self.starts = bytearray(), array("I", [0])

    def add(self, text: str) -> None:
        self.texts += ended(text)
        self.starts.append(len(self.texts))

    def pieces(self, name: str) -> dict[str, bytes]:
        return {name: bytes(self.texts), f"{name} starts": self.starts.tobytes()}


class Spoken:
    """What a word is looked for in: `blobs`, `numbers`, and of the names alone `names`."""

    def __init__(self) -> None:
        self._blobs, self._numbers, self._names = _Listed(), _Listed(), _Listed()

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        self._blobs.add(said.blob)
        self._numbers.add(said.numbers)
        self._names.add(named(said))

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        return {
            **self._blobs.pieces("blobs"),
            **self._numbers.pieces("numbers"),
            **self._names.pieces("names"),
        }


class Begun:
    """The places of whom one or two letters begin a word: `begun`, and in `begun at` where each."""

    def __init__(self) -> None:
        self._places: dict[str, array[int]] = {}
        self._count = 0

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        for part in beginnings(said.blob):
            if part not in self._places:
                self._places[part] = array("I")
            self._places[part].append(self._count)
        self._count += 1

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        at, ends = 0, {}
        for part, places in self._places.items():
            ends[part] = (at, at + len(places))
            at += len(places)
        begun = b"".join(places.tobytes() for places in self._places.values())
        return {"begun": begun, "begun at": msgspec.json.encode(ends)}


class Hashed:
    """Numbers that stand for texts, in order, each with the place of who has it."""

    def __init__(self) -> None:
        self._hashes, self._places = array("Q"), array("I")

    def add(self, number: int, place: int) -> None:
        """Take in a number, and the place of who has it."""
        self._hashes.append(number)
        self._places.append(place)

    def pieces(self, name: str) -> dict[str, bytes]:
        """Give the pieces, by name."""
        order = sorted(range(len(self._hashes)), key=self._hashes.__getitem__)
        hashes = array("Q", map(self._hashes.__getitem__, order))
        places = array("I", map(self._places.__getitem__, order))
        return {name: hashes.tobytes(), f"{name} places": places.tobytes()}


class Known:
    """Who has an id or a login: `known`, and all `ids`."""

    def __init__(self) -> None:
        self._known, self._ids, self._count = Hashed(), _Listed(), 0

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        self._known.add(hash_of("id", user.id), self._count)
        self._known.add(hash_of("login", user.login.casefold()), self._count)
        self._ids.add(user.id)
        self._count += 1

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        return {**self._known.pieces("known"), **self._ids.pieces("ids")}


class Shaped:
    """Who has a name or a login of a shape: `shapes`."""

    def __init__(self) -> None:
        self._shapes, self._count = Hashed(), 0

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        self._shapes.add(hash_of("name", shape(user.name)), self._count)
        self._shapes.add(hash_of("login", shape(user.login)), self._count)
        self._count += 1

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        return self._shapes.pieces("shapes")


class _Words:
    """A word each, by its number among all that there are."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._numbers = array("I")

    def add(self, word: str) -> None:
        self._numbers.append(self._known.setdefault(word, len(self._known)))

    def pieces(self, name: str) -> dict[str, bytes]:
        return {name: self._numbers.tobytes(), f"all {name}": msgspec.json.encode([*self._known])}


def _ranks(names: Sequence[str]) -> array[int]:
    """Return at which place each of the names stands in their order; equal ones as they come."""
    ranks = array("I", bytes(4 * len(names)))
    for rank, place in enumerate(sorted(range(len(names)), key=names.__getitem__)):
        ranks[place] = rank
    return ranks


class Traits:
    """What filters and orders ask for.

    `products`, `accounts`, when `seen`, `bits`, the `ranks` of names, and who is ever `due`.
    """

    def __init__(self) -> None:
        self._products, self._accounts = _Words(), _Words()
        self._seen, self._bits, self._due = array("q"), array("I"), array("I")
        self._names: list[str] = []

    def add(self, user: User, said: Said) -> None:
        """Take in the next user."""
        if is_ever_due(user):
            self._due.append(len(self._names))
        self._products.add(user.product)
        self._accounts.add(user.account)
        self._seen.append(moment_of(user.seen_at))
        self._bits.append(bits_of(user))
        self._names.append(folded(user.name))

    def pieces(self) -> dict[str, bytes]:
        """Give the pieces, by name."""
        return {
            **self._products.pieces("products"),
            **self._accounts.pieces("accounts"),
            "seen": self._seen.tobytes(),
            "bits": self._bits.tobytes(),
            "due": self._due.tobytes(),
            "ranks": _ranks(self._names).tobytes(),
        }


def with_(hashes: Sequence[int], places: Sequence[int], kind: str, text: str) -> list[int]:
    """Return who may have a text of a kind, of those `Hashed`, and a few who have not."""
    number = hash_of(kind, text)
    at, found = bisect_left(hashes, number), []
    while at < len(hashes) and hashes[at] == number:
        found.append(places[at])
        at += 1
    return found


GATHERINGS: Final[tuple[type[Gathering], ...]] = (Spoken, Begun, Known, Shaped, Traits)

PIECES: Final = {name: kind for kind in GATHERINGS for name in kind().pieces()}
"""Which gathering gives a piece."""


def gathered(
    kinds: Iterable[type[Gathering]], everybody: Iterable[tuple[User, Said]]
) -> dict[str, bytes]:
    """Return the pieces of some kinds, gathered in one go."""
    gatherings = [kind() for kind in kinds]
    for user, said in everybody:
        for one in gatherings:
            one.add(user, said)
    return {name: piece for one in gatherings for name, piece in one.pieces().items()}


def named(said: Said) -> str:
    """Return the words of a name, each after a blank, so that one is found by its beginning."""
    return "".join(f" {word}" for word in said.blob.partition("\n")[0].split())
