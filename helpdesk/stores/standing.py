"""Tickets and loops as they stand in a long file, found without reading all of them.

whose each is ─▶ the few of one user, read from their places
what is open of whom ─▶ an agent's queue, put in order without reading one
"""

from __future__ import annotations

import contextlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from helpdesk.domain.agents import Agent
from helpdesk.domain.entries import Open, Request, open_of, waits_for
from helpdesk.domain.shifting import later
from helpdesk.domain.tickets import Complaint, LoopReport, Ticket
from helpdesk.stores.form import Tables
from helpdesk.stores.gathering import EPOCH, MICROSECOND, Hashed, hash_of, moment_of, with_
from helpdesk.stores.kept import STANDING, Damaged, Kept, Piece
from helpdesk.stores.listed import Listed, Owned
from helpdesk.stores.people import People, Places
from helpdesk.stores.remade import Remade
from helpdesk.stores.shelf import Handle, Shelf

TABLES: Final = ("tickets", "loops")

R = TypeVar("R", bound=Owned)

Plain: TypeAlias = Callable[[str, Mapping[str, Any], type[Any]], Iterable[Any]]


class Newest(NamedTuple):
    """What a queue asks of a user's newest open ticket."""

    agent: str | None
    complaint: Complaint | None
    on_phone: bool
    opened_at: datetime


Kind: TypeAlias = tuple[str | None, Complaint | None, bool]
"""All of it but when."""


def _newest(kind: Kind, at: datetime) -> Newest:
    agent, complaint, on_phone = kind
    return Newest(agent, complaint, on_phone, at)


def standing(
    tickets: Sequence[Ticket],
    loops: Sequence[LoopReport],
    place_of: Callable[[str], int | None],
) -> dict[str, bytes]:
    """Return the pieces of `Standing` that are made of what a file holds.

    Args:
        tickets: All of them, in the order of the file, with the times of the file.
        loops: So too.
        place_of: Gives the place of the user with an id; None where there is none.
    """
    found = ((place_of(user), one) for user, one in open_of(tickets, loops).items())
    open_ = sorted(((place, one) for place, one in found if place is not None), key=lambda o: o[0])
    at = {id(ticket): place for place, ticket in enumerate(tickets)}
    theirs = [[at[id(ticket)] for ticket in one.tickets] for _, one in open_]
    ends, words = array("I", [0]), _Words()
    for some in theirs:
        ends.append(ends[-1] + len(some))
    newest = [(place, one.ticket) for place, one in open_ if one.ticket]
    return {
        **_whose("tickets", tickets),
        **_whose("loops", loops),
        "open": array("I", [place for place, _ in open_]).tobytes(),
        "rounds": array("q", [one.rounds for _, one in open_]).tobytes(),
        "theirs": array("I", [place for some in theirs for place in some]).tobytes(),
        "ends": ends.tobytes(),
        "numbers": msgspec.json.encode([[ticket.id for ticket in one.tickets] for _, one in open_]),
        "ticketed": array("I", [place for place, _ in newest]).tobytes(),
        "kinds": array("I", [words.number(_kind(ticket)) for _, ticket in newest]).tobytes(),
        "all kinds": msgspec.json.encode([*words.known]),
        "opened": array("q", [moment_of(ticket.opened_at) for _, ticket in newest]).tobytes(),
    }


class _Words:
    """What there is of a kind, each once, by its number."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def number(self, word: object) -> int:
        return self.known.setdefault(word, len(self.known))


def _kind(ticket: Ticket) -> Kind:
    return ticket.agent, ticket.complaint, ticket.on_phone


def _whose(table: str, records: Iterable[Owned]) -> dict[str, bytes]:
    hashed = Hashed()
    for place, one in enumerate(records):
        hashed.add(hash_of("user", one.user), place)
    return hashed.pieces(table)


class Standing:
    """What tickets and loops of a file are found by.

    Args:
        handle: The file.
        pieces: Those that `standing` made of it.

    Raises:
        Damaged: They are not what was kept.
    """

    def __init__(self, handle: Handle, pieces: Mapping[str, Piece]) -> None:
        self.handle, self._pieces = handle, pieces
        for piece in pieces.values():
            piece.check()
        try:
            self.open = self._numbers("open")
            self.rounds = self._numbers("rounds", "q")
            self.theirs, self.ends = self._numbers("theirs"), self._numbers("ends")
            self.ticketed, self.kinds = self._numbers("ticketed"), self._numbers("kinds")
            self.opened = self._numbers("opened", "q")
            self.all_kinds = self._words(pieces["all kinds"], list[Kind])
            self._named = pieces["numbers"]  # read when they are asked for
            self._whose = {
                table: (self._numbers(table, "Q"), self._numbers(f"{table} places"))
                for table in TABLES
            }
        except (KeyError, TypeError, msgspec.MsgspecError) as error:
            raise Damaged(handle.path) from error
        if not self._is_sound():
            raise Damaged(handle.path)

    @cached_property
    def numbers(self) -> list[list[str]]:
        """The numbers of the open tickets of each of whom anything is open."""
        found: list[list[str]] = self._words(self._named, list[list[str]])
        return found

    @cached_property
    def looping(self) -> dict[int, int]:
        """The rounds of the worst open loop of each who is in one, by their place."""
        return {
            place: rounds for place, rounds in zip(self.open, self.rounds, strict=True) if rounds
        }

    def of(self, table: str, user: str) -> list[int]:
        """Give at which places of a table stands what may be a user's."""
        return with_(*self._whose[table], "user", user)

    def _is_sound(self) -> bool:
        """Whether the pieces belong together: none says where there is nothing."""
        users, waiting = len(self.open), len(self.ticketed)
        ends = self.ends
        return (
            {len(self.rounds), len(ends) - 1} == {users}
            and {len(self.kinds), len(self.opened)} == {waiting}
            and ends[-1] == len(self.theirs)
            and max(self.kinds, default=-1) < len(self.all_kinds)
            and all(len(hashes) == len(places) for hashes, places in self._whose.values())
        )

    def _numbers(self, name: str, form: str = "I") -> Sequence[int]:
        return self._pieces[name].numbers(form)

    def _words(self, piece: Piece, kind: Any) -> Any:
        return msgspec.json.decode(piece.read(0, piece.size), type=kind)


def kept_standing(kept: Kept, source: Handle) -> Standing | None:
    """Return what is kept of the tickets and loops of a file, if it is."""
    pieces = kept.found(STANDING, source)
    try:
        return None if pieces is None else Standing(source, pieces)
    except Damaged:
        kept.forget(STANDING)
        return None


def keep_standing(kept: Kept, tables: Tables, people: People, plain: Plain) -> None:
    """Keep what tickets and loops are found by, where all of them lie in a long file.

    Args:
        kept: Where.
        tables: The tables as they are now.
        people: Everybody of them.
        plain: Gives the documents of a table as values whose times are those of the file.
    """
    tickets, loops = (tables.get(table) for table in TABLES)
    if not (kept.is_kept and isinstance(tickets, Shelf) and isinstance(loops, Shelf)):
        return
    if people.lies_in(tickets.handle) and not (tickets.put or loops.put):
        all_ = [*plain("tickets", tickets, Ticket)], [*plain("loops", loops, LoopReport)]
        with contextlib.suppress(OverflowError):  # a number is larger than any that is kept
            kept.keep(STANDING, tickets.handle, standing(*all_, people.place))


class Lying(Listed[R]):
    """The records of a table that lie in a file, each read when it is asked for.

    Args:
        shelf: The table.
        lies: Says whose they are.
        by: How far their times are moved.
        remade: Makes a record of a document, and all of them.
        before: Those of the moment before.

    Raises:
        BadFile: What was put is not of the form of such a record.
    """

    def __init__(
        self,
        shelf: Shelf,
        lies: Standing,
        by: timedelta,
        remade: Remade[R],
        before: Listed[R] | None = None,
    ) -> None:
        self.lies, self.by = lies, by
        self._shelf, self._remade = shelf, remade
        known = before._put if isinstance(before, Lying) and before._is_of(self) else {}
        self._put: dict[str, tuple[Any, R]] = {
            key: known[key]
            if key in known and known[key][0] is document
            else (document, remade.make(key, document, by))
            for key, document in shelf.put.items()
        }
        self._read: tuple[R, ...] | None = None

    @property
    def all(self) -> tuple[R, ...]:
        """All of them, read when they are asked for."""
        if self._read is None:
            self._read = self._remade.values(self._shelf, self.by)
        return self._read

    @property
    def is_read(self) -> bool:
        """Whether none need be read any more to give all."""
        return self._read is not None

    def at(self, place: int) -> R:
        """Give the record at a place of the file, as it lies there."""
        key, body = str(self._shelf.places.keys[place]), self._shelf.body(place)
        return self._remade.make(key, body, self.by)

    def of(self, user: str) -> Sequence[R]:
        """Give those of a user."""
        keys = self._shelf.places.keys
        lie = self.lies.of(self._shelf.table, user)
        found = [(p, self.at(p)) for p in lie if str(keys[p]) not in self._put]
        for number, (key, (_, one)) in enumerate(self._put.items()):
            place = self._shelf.place(key)
            found.append((len(keys) + number if place is None else place, one))
        theirs = [(place, one) for place, one in found if one.user == user]
        return [one for _, one in sorted(theirs, key=lambda found: found[0])]

    def changed(self, before: Listed[R]) -> set[str] | None:
        """Give whose are others than before; None where that cannot be said."""
        if not (isinstance(before, Lying) and before._is_of(self)):
            return None
        if not before._put.keys() <= self._put.keys():
            return None
        return self._others(before._put)

    def beside(self) -> set[str]:
        """Give whose are others than in the file."""
        return self._others({})

    def _others(self, before: Mapping[str, tuple[Any, R]]) -> set[str]:
        found = set()
        for key, (document, one) in self._put.items():
            then = before.get(key)
            if then is not None and then[0] is document:
                continue
            found.add(one.user)
            place = self._shelf.place(key)
            if then is not None:
                found.add(then[1].user)
            elif place is not None:
                found.add(self.at(place).user)
        return found

    def _is_of(self, other: Lying[R]) -> bool:
        return self._shelf.places is other._shelf.places and self.by == other.by


class Filed:
    """What is open as it stands in the file, by the place of the user.

    Args:
        lies: What it is found by.
        tickets: The tickets.
    """

    def __init__(self, lies: Standing, tickets: Lying[Ticket]) -> None:
        self._lies, self._tickets = lies, tickets

    @property
    def ticketed(self) -> Places:
        """Who has an open ticket, in their order."""
        return self._lies.ticketed

    def open(self, place: int) -> Open:
        """Give what is open of the user at a place."""
        row, lies = _row(self._lies.open, place), self._lies
        if row is None:
            return Open()
        theirs = lies.theirs[lies.ends[row] : lies.ends[row + 1]]
        return Open(tickets=[self._tickets.at(one) for one in theirs], rounds=lies.rounds[row])

    def rounds(self, place: int) -> int:
        """Give the rounds of a user's worst open loop; 0 for none."""
        return self._lies.looping.get(place, 0)

    def numbers(self, place: int) -> list[str]:
        """Give the numbers of the open tickets of a user."""
        row = _row(self._lies.open, place)
        return [] if row is None else self._lies.numbers[row]

    def named(self) -> Iterable[tuple[int, list[str]]]:
        """Give of whom anything is open, with the numbers of their open tickets."""
        return zip(self._lies.open, self._lies.numbers, strict=True)

    def request(self, place: int) -> Request | None:
        """Give the newest open ticket of a user, as a queue is put in order by it."""
        lies = self._lies
        row = _row(lies.ticketed, place)
        if row is None:
            return None
        at = EPOCH + lies.opened[row] * MICROSECOND
        return _newest(lies.all_kinds[lies.kinds[row]], later(at, self._tickets.by))

    def waiting(self, agent: Agent) -> Places:
        """Give whose newest open ticket is in an agent's queue, in their order."""
        lies = self._lies
        wanted = {
            number
            for number, kind in enumerate(lies.all_kinds)
            if waits_for(agent, _newest(kind, EPOCH))
        }
        return [
            place for place, kind in zip(lies.ticketed, lies.kinds, strict=True) if kind in wanted
        ]


def _row(places: Places, place: int) -> int | None:
    """Give where a place stands among places; None where it does not."""
    row = bisect_left(places, place)
    return row if row < len(places) and places[row] == place else None
