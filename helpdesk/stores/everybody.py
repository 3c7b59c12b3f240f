"""From the tables of a file to its people, with as little as possible made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec

from helpdesk.domain.entries import Said, said_of
from helpdesk.domain.users import Account, User
from helpdesk.stores.form import Tables
from helpdesk.stores.gathering import GATHERINGS, gathered
from helpdesk.stores.kept import PEOPLE, Damaged, Kept, Piece
from helpdesk.stores.people import Crowd, People
from helpdesk.stores.shelf import SHARE, TOLD, Shelf, Tell, has_put

S = TypeVar("S")

NAMES: Final = "names of accounts"
"""The piece that says what accounts are called."""


class Decoding(Protocol):
    """Documents as values whose times are those of the file."""

    def plain(self, table: str, documents: Mapping[str, Any], kind: type[S]) -> Iterator[S]:
        """Give documents as values, in their order."""
        ...

    def shifted(self, user: User, by: timedelta) -> User:
        """Give a user with their times moved."""
        ...


class Everybody(NamedTuple):
    """The people of a file, and of which tables they are.

    Attributes:
        crowd: Them as the file has them, without what was put beside it.
    """

    users: Mapping[str, Any]
    accounts: Mapping[str, Any]
    by: timedelta
    names: Mapping[str, str]
    keys: Sequence[int]
    crowd: Crowd
    people: People


def everybody(
    before: Everybody | None,
    tables: Tables,
    by: timedelta,
    decoding: Decoding,
    kept: Kept,
    tell: Tell | None = None,
) -> Everybody:
    """Return everybody of the tables; what did not change is as it was *before*."""
    users, accounts = tables.get("users", {}), tables.get("accounts", {})
    is_same = before is not None and before.accounts is accounts
    if before is not None and is_same and before.users is users and before.by == by:
        return before
    names = before.names if before is not None and is_same else None
    making = _Making(users, accounts, names, decoding, kept, tell)
    if not isinstance(users, Shelf):
        return making.whole(by)
    changed = making.changed()
    if changed is None or (isinstance(accounts, Shelf) and accounts.put):
        return making.whole(by)
    if before is not None and is_same and _is_one_file(before.users, users):
        crowd = before.crowd
    else:
        crowd = making.filed()
    return making.made(crowd, users.places.keys, changed, by)


def _is_one_file(before: Mapping[str, Any], users: Shelf) -> bool:
    return isinstance(before, Shelf) and before.handle is users.handle


class _Making:
    """One making of everybody."""

    def __init__(
        self,
        users: Mapping[str, Any],
        accounts: Mapping[str, Any],
        names: Mapping[str, str] | None,
        decoding: Decoding,
        kept: Kept,
        tell: Tell | None,
    ) -> None:
        self._users, self._accounts, self._decoding = users, accounts, decoding
        self._kept, self._tell = kept, tell
        if names is not None:
            self._names = names

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The names of the accounts, by id: as they are kept, else by reading all of them."""
        kept, accounts = (self._pieces or {}).get(NAMES), self._accounts
        if kept is not None and not has_put(accounts):
            try:
                kept.check()
                return msgspec.json.decode(kept.read(0, kept.size), type=dict[str, str])
            except (Damaged, msgspec.MsgspecError):
                self._kept.forget(PEOPLE)
        return {each.id: each.name for each in self._decoding.plain("accounts", accounts, Account)}

    @cached_property
    def _pieces(self) -> Mapping[str, Piece] | None:
        """What is kept of them, where they lie in a file."""
        users = self._users
        return self._kept.found(PEOPLE, users.handle) if isinstance(users, Shelf) else None

    def whole(self, by: timedelta) -> Everybody:
        """Make all anew, of people in memory."""
        people = [*self._plain(self._users)]
        said = [self._said(user) for user in people]
        crowd = Crowd(lambda: zip(people, said, strict=True))
        keys = [*map(int, self._users)]
        return self.made(crowd, keys, {}, by, lambda place: people[place])

    def filed(self) -> Crowd:
        """Make it of what was kept, or read everybody once and keep what they are found by."""
        shelf = Shelf("users", self._users.handle, self._users.places)  # type: ignore[attr-defined]

        def read() -> Iterator[tuple[User, Said]]:
            return ((user, self._said(user)) for user in self._plain(shelf))

        pieces = self._pieces
        if pieces is None:
            made = gathered(GATHERINGS, self._told(read(), len(shelf)))
            made[NAMES] = msgspec.json.encode(self._names)
            self._kept.keep(PEOPLE, shelf.handle, made)
            pieces = self._kept.found(PEOPLE, shelf.handle)
            pieces = pieces or {name: Piece(data) for name, data in made.items()}
        return Crowd(read, pieces, lambda: self._kept.forget(PEOPLE), shelf.handle)

    def _told(self, everybody: Iterator[S], count: int) -> Iterator[S]:
        for number, one in enumerate(everybody):
            if self._tell is not None and number % TOLD == 0:
                self._tell(SHARE + (1 - SHARE) * number / count)
            yield one

    def changed(self) -> dict[int, User] | None:
        """Give who was changed beside the file; None where it is more than can be told so."""
        shelf: Shelf = self._users  # type: ignore[assignment]
        found = {}
        for key in shelf.put:
            place = shelf.place(key)
            if place is None:
                return None
            now = next(self._plain({key: shelf.put[key]}))
            if _fixed(now) != _fixed(self._at(shelf, place)):
                return None
            found[place] = now
        return found

    def made(
        self,
        crowd: Crowd,
        keys: Sequence[int],
        changed: Mapping[int, User],
        by: timedelta,
        at: Callable[[int], User] | None = None,
    ) -> Everybody:
        """Return everybody."""
        users, shifted = self._users, self._decoding.shifted
        read = at or (lambda place: self._at(users, place))  # type: ignore[arg-type]
        people = People(
            crowd=crowd,
            keys=keys,
            read=lambda place: shifted(read(place), by),
            changed={place: shifted(user, by) for place, user in changed.items()},
            by=by,
            accounts=self._names,
        )
        return Everybody(users, self._accounts, by, self._names, keys, crowd, people)

    def _at(self, shelf: Shelf, place: int) -> User:
        return next(self._plain({str(shelf.places.keys[place]): shelf.body(place)}))

    def _plain(self, documents: Mapping[str, Any]) -> Iterator[User]:
        return self._decoding.plain("users", documents, User)

    def _said(self, user: User) -> Said:
        return said_of(user, self._names.get(user.account, user.account))


def _fixed(user: User) -> tuple[str, ...]:
    """What no act changes, and what people are put in order and told apart by."""
    return user.id, user.name, user.login, user.product, user.account
