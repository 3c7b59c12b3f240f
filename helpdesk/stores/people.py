"""Everybody of a file, each by their place, found without reading more of them than is shown.

pieces (`gathering`), of the file as it is or as it was kept ─▶ places ─▶ users, one by one
changes beside the file ─▶ looked at one by one: they are few
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from helpdesk.domain.alike import shape
from helpdesk.domain.entries import Said, said_of
from helpdesk.domain.haystack import BETWEEN, Texts
from helpdesk.domain.search import UserState, is_beginning, matches, number_in
from helpdesk.domain.users import FactorKind, User
from helpdesk.stores.gathering import (
    KINDS,
    PIECES,
    STATES,
    bits_of,
    gathered,
    is_ever_due,
    moment_of,
    with_,
)
from helpdesk.stores.kept import Damaged, Piece
from helpdesk.stores.shelf import Handle

FEW: Final = 16
"""One in so many users are few, to be sorted anew."""

Places = Sequence[int]
"""Places in their order, each once."""


class Crowd:
    """Everybody as they stand in a file; what they are found by is gathered when it is asked for.

    Args:
        everybody: Gives them, in their order.
        kept: Pieces that were gathered before.
        forget: Called where one of these is damaged.
        handle: The file; None where they are not as one has them.

    Attributes:
        placed: The places of those who were looked for, by id.
    """

    def __init__(
        self,
        everybody: Callable[[], Iterable[tuple[User, Said]]],
        kept: Mapping[str, Piece] | None = None,
        forget: Callable[[], None] = lambda: None,
        handle: Handle | None = None,
    ) -> None:
        self._everybody, self._forget, self.handle = everybody, forget, handle
        self._pieces = dict(kept or {})
        self._read: dict[str, Any] = {}
        self.placed: dict[str, int] = {}
        self._gathering = threading.RLock()

    def numbers(self, name: str, form: str = "I") -> Sequence[int]:
        """Give a piece of numbers."""
        if name not in self._read:
            self._read[name] = self._piece(name).numbers(form)
        found: Sequence[int] = self._read[name]
        return found

    def is_read(self, name: str) -> bool:
        """Whether a piece was asked for before, and is at hand."""
        return name in self._read

    def by_name(self) -> Sequence[int]:
        """Give all places in the order of the names."""
        if "by name" not in self._read:
            ranks = self.numbers("ranks")
            order = array("I", bytes(4 * len(ranks)))
            for place, rank in enumerate(ranks):
                order[rank] = place
            self._read["by name"] = order
        found: Sequence[int] = self._read["by name"]
        return found

    def words(self, name: str) -> Any:
        """Give a piece of JSON."""
        if name not in self._read:
            piece = self._piece(name)
            self._read[name] = msgspec.json.decode(piece.read(0, piece.size))
        return self._read[name]

    def texts(self, name: str) -> Texts:
        """Give a piece of texts."""
        return Texts(self._piece(name), self.numbers(f"{name} starts"))

    def begun(self, letters: str) -> Places:
        """Give of whom one or two letters begin a word."""
        start, end = self.words("begun at").get(letters, (0, 0))
        return self.numbers("begun")[start:end]

    def holding(self, word: str) -> Places:
        """Give of whom a word of more letters is part of what is searched in."""
        found = [*self.texts("blobs").holding(word.lstrip("#"))]
        number = number_in(word)
        return sorted({*found, *self.texts("numbers").holding(number)}) if number else found

    def with_(self, name: str, kind: str, text: str) -> list[int]:
        """Give who may have a text of a kind, and a few who have not."""
        return with_(self.numbers(name, "Q"), self.numbers(f"{name} places"), kind, text)

    def _piece(self, name: str) -> Piece:
        with self._gathering:
            try:
                if name in self._pieces:
                    self._pieces[name].check()
                    return self._pieces[name]
            except Damaged:
                self._pieces.clear()
                self._read.clear()
                self._forget()
            made = gathered([PIECES[name]], self._everybody())
            self._pieces |= {of: Piece(data) for of, data in made.items()}
            return self._pieces[name]


class People:
    """Everybody of a file as it is now.

    Args:
        crowd: As they stand in the file.
        keys: The ids of their documents, by place.
        read: Gives the user at a place, as they are now.
        changed: Those who are not as in the file; name, id, login, product and account are.
        by: How far their times were moved.
        accounts: The names of accounts, by id.
    """

    def __init__(
        self,
        *,
        crowd: Crowd,
        keys: Sequence[int],
        read: Callable[[int], User],
        changed: Mapping[int, User],
        by: timedelta,
        accounts: Mapping[str, str],
    ) -> None:
        self._crowd, self._keys, self._read, self._by = crowd, keys, read, by
        self._accounts = accounts
        self._changed = {
            place: (user, said_of(user, self.account(user))) for place, user in changed.items()
        }
        self._gone = sorted(self._changed)

    def __len__(self) -> int:
        return len(self._keys)

    def is_of_one_file(self, other: People) -> bool:
        """Whether both are of one file, where everybody has the same place."""
        return self._crowd is other._crowd

    def lies_in(self, handle: Handle) -> bool:
        """Whether everybody has the place that they have in this file."""
        return self._crowd.handle is handle

    def is_as_in(self, other: People, place: int) -> bool:
        """Whether the user at a place is the same as there."""
        mine, theirs = self._changed.get(place), other._changed.get(place)
        return self._crowd is other._crowd and (mine and mine[0]) == (theirs and theirs[0])

    def changed_in(self, other: People) -> Iterable[int] | None:
        """Give the places where somebody else stands than there; None for all of them."""
        if self is other:
            return ()
        if self._crowd is not other._crowd or self._by != other._by:
            return None
        both = self._changed.keys() | other._changed.keys()
        return [place for place in both if not self.is_as_in(other, place)]

    def user(self, place: int) -> User:
        """Give the user at a place."""
        changed = self._changed.get(place)
        return changed[0] if changed else self._read(place)

    def account(self, user: User) -> str:
        """Give the name of a user's account."""
        return self._accounts.get(user.account, user.account)

    def said(self, place: int) -> Said:
        """Give what is searched in of the user at a place."""
        changed = self._changed.get(place)
        if changed:
            return changed[1]
        return Said(self._crowd.texts("blobs")[place], self._crowd.texts("numbers")[place])

    def key(self, place: int) -> int:
        """Give the id of the document of the user at a place."""
        return self._keys[place]

    def place(self, name: str) -> int | None:
        """Give the place of the user with this id; None where there is none."""
        placed = self._crowd.placed
        if name not in placed:
            ids, known = self._crowd.texts("ids"), name.replace(BETWEEN, "\n")
            found = (p for p in self._crowd.with_("known", "id", name) if ids[p] == known)
            place = next(found, None)
            if place is None:
                return None
            placed[name] = place
        return placed[name]

    def of_login(self, login: str) -> list[int]:
        """Give who may have a login, whatever its case."""
        return self._crowd.with_("known", "login", login.casefold())

    @property
    def knows_shapes(self) -> bool:
        """Whether `of_shape` takes no time: what it looks in was read before."""
        return self._crowd.is_read("shapes") and self._crowd.is_read("shapes places")

    def of_shape(self, user: User) -> list[int]:
        """Give whose name or login may look like a user's."""
        found = self._crowd.with_("shapes", "name", shape(user.name))
        return [*dict.fromkeys(found + self._crowd.with_("shapes", "login", shape(user.login)))]

    def holding(self, word: str) -> Places:
        """Give who has a word, as `matches` has it."""
        needle = word.lstrip("#")
        if not needle:
            return range(len(self))
        is_short = is_beginning(needle)
        found = self._crowd.begun(needle) if is_short else self._crowd.holding(word)
        new = [p for p, (_, said) in self._changed.items() if matches(*said, (word,))]
        return together(apart(found, self._gone), new)

    def named(self, words: Sequence[str]) -> Iterator[int]:
        """Give of whom each of the words begins a word of the name, in their order."""
        names = self._crowd.texts("names")
        return self.named_among(words, names.holding(f" {words[0]}"))

    def named_among(self, words: Sequence[str], places: Iterable[int]) -> Iterator[int]:
        """Give of whom of these each of the words begins a word of the name."""
        names = self._crowd.texts("names")
        return (p for p in places if all(f" {word}" in names[p] for word in words))

    def of_product(self, products: Sequence[str]) -> Callable[[int], bool]:
        """Give whether the user at a place is of one of these."""
        return self._one_of("products", products)

    def of_account(self, account: str) -> Callable[[int], bool]:
        """Give whether the user at a place is of an account."""
        return self._one_of("accounts", [account])

    def may_be(self, state: UserState) -> Callable[[int], bool]:
        """Give whether the user at a place may be in a state at some time."""
        bit = STATES[state]
        return lambda place: bool(self._bits(place) & bit)

    def has(self, kind: FactorKind) -> Callable[[int], bool]:
        """Give whether the user at a place has a factor of a kind."""
        bit = KINDS[kind]
        return lambda place: bool(self._bits(place) & bit)

    def states(self, place: int) -> list[UserState]:
        """Give what may hold of the user at a place at some time; all but a lock does now."""
        bits = self._bits(place)
        return [state for state, bit in STATES.items() if bits & bit]

    def rank(self, place: int) -> int:
        """Give at which place a user's name stands in the order of all names."""
        return self._crowd.numbers("ranks")[place]

    def by_name(self, places: Places) -> Places:
        """Give places in the order of the names.

        Of many they are picked from that of all: to sort them holds up whatever else runs.
        """
        if len(places) * FEW < len(self):
            return sorted(places, key=self.rank)
        order = self._crowd.by_name()
        if len(places) == len(self):
            return order
        there = set(places)
        return [place for place in order if place in there]

    def by_product(self, places: Places) -> Places:
        """Give places in the order of their products' ids, and in each of the names."""
        products, numbers = self._crowd.words("all products"), self._crowd.numbers("products")
        of_each: list[array[int]] = [array("I") for _ in products]
        for place in self.by_name(places):
            of_each[numbers[place]].append(place)
        order = sorted(range(len(products)), key=products.__getitem__)
        return [place for number in order for place in of_each[number]]

    def seen(self, place: int) -> int:
        """Give when the user at a place was seen, as in the file; -1 for never."""
        changed = self._changed.get(place)
        if changed:
            at = changed[0].seen_at
            return -1 if at is None else moment_of(at - self._by)
        return self._crowd.numbers("seen", "q")[place]

    def seen_since(self, since: datetime) -> list[int]:
        """Give who was seen at a moment or later."""
        then, seen = moment_of(since - self._by), self._crowd.numbers("seen", "q")
        found = [place for place, at in enumerate(seen) if at >= then]
        new = [place for place in self._changed if self.seen(place) >= then]
        return [*together(apart(found, self._gone), new)]

    def seen_last(self, since: datetime, is_wanted: Callable[[int], bool], limit: int) -> list[int]:
        """Give who of the wanted was seen since a moment, those seen last, at most *limit*."""
        found = [place for place in self.seen_since(since) if is_wanted(place)]
        if len(found) > limit:
            last = sorted(map(self.seen, found), reverse=True)[limit - 1]
            found = [place for place in found if self.seen(place) >= last][:limit]
        return found

    def since(self, since: datetime, places: Iterable[int]) -> list[int]:
        """Give who of these was seen at a moment or later."""
        then = moment_of(since - self._by)
        return [place for place in places if self.seen(place) >= then]

    def ever_due(self) -> Places:
        """Give of whom MFA is off until a day."""
        new = [place for place, (user, _) in self._changed.items() if is_ever_due(user)]
        return together(apart(self._crowd.numbers("due"), self._gone), new)

    def _bits(self, place: int) -> int:
        changed = self._changed.get(place)
        return bits_of(changed[0]) if changed else self._crowd.numbers("bits")[place]

    def _one_of(self, name: str, words: Sequence[str]) -> Callable[[int], bool]:
        there: list[str] = self._crowd.words(f"all {name}")
        wanted = {number for number, word in enumerate(there) if word in words}
        numbers = self._crowd.numbers(name)
        return lambda place: numbers[place] in wanted


class SeenLast:
    """Who was seen last of the same people.

    Looked for once: those of a later moment are among those of an earlier one.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self._found: dict[tuple[str | None, int], tuple[datetime, list[int]]] = {}
        self._looking = threading.Lock()

    def places(
        self, since: datetime, account: str | None, is_theirs: Callable[[int], bool], limit: int
    ) -> list[int]:
        """Give who of an account did something since a moment, those seen last, at most *limit*."""
        with self._looking:
            before = self._found.get((account, limit))
            if before is None or before[0] > since:
                before = since, self._people.seen_last(since, is_theirs, limit)
                self._found[account, limit] = before
        return self._people.since(since, before[1])


def is_in(places: Places, place: int) -> bool:
    """Return whether a place is among places that are in their order."""
    at = bisect_left(places, place)
    return at < len(places) and places[at] == place


def together(places: Places, more: Iterable[int]) -> Places:
    """Return all places of both, in their order."""
    new = [place for place in {*more} if not is_in(places, place)]
    return sorted([*places, *new]) if new else places


def apart(places: Places, gone: Iterable[int]) -> Places:
    """Return places without those that are *gone*."""
    less = {place for place in gone if is_in(places, place)}
    return [place for place in places if place not in less] if less else places
