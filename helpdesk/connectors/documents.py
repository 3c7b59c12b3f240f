"""The people of a fixture as they lie in its file: how they are read, edited and told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from helpdesk.domain.errors import BadFile, NotFound
from helpdesk.domain.events import FORMS, decode_timeline, encode_event
from helpdesk.domain.learning import learn
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, User

if TYPE_CHECKING:
    from pyotp import TOTP

S = TypeVar("S")

AT_ONCE: Final = 10
"""Timelines of more users than this are read in a thread of their own."""

SLICE: Final = 200
"""So many timelines are read in one go."""

KEPT: Final = 4_000
"""So many timelines are kept once read: those read last."""

TABLES: Final = ("users", "accounts", "timelines", "secrets")
"""The tables of the file that are the provider's."""


class Documents(Protocol):
    """The file this provider lives in; blocking, so used from threads."""

    name: str

    def generation(self, *tables: str) -> int:
        """Give a number that grows whenever one of these tables may have been changed."""
        ...

    def named(self, table: str, names: Sequence[str]) -> Mapping[str, tuple[int, Any]]:
        """Give key and document of those of these names that are known."""
        ...

    def marks(self, users: Sequence[str]) -> Mapping[str, object]:
        """Give, of those of these users that are known, what changes when their timeline does."""
        ...

    def key_of(self, table: str, name: str) -> int | None:
        """Give the key of the document that calls itself *name*; None where none does."""
        ...

    def of(self, table: str, user: str) -> list[tuple[int, dict[str, Any]]]:
        """Give the documents of a table that are about a user, with their keys."""
        ...

    def free_key(self, table: str) -> int:
        """Give a key that no document of a table has."""
        ...

    def events(self, users: Sequence[str]) -> Mapping[str, tuple[Sequence[Any] | bytes, timedelta]]:
        """Give the timelines of those of these users that are known, oldest event first, raw.

        Raw is JSON where it lies so, else the values of it. Beside each how far its times are to
        be moved.
        """
        ...

    def extend(self, key: int, user: str, events: Sequence[Any]) -> None:
        """Add events to the end of a timeline, inside the transaction under way."""
        ...

    def row(self, table: str, key: int) -> dict[str, Any] | None:
        """Give one document, or None."""
        ...

    def put(self, table: str, key: int, document: Mapping[str, Any]) -> None:
        """Write one document whole, inside the transaction under way."""
        ...

    def decoded(self, table: str, key: int, row: Any, kind: type[S]) -> S:
        """Return a document as a value, or raise `BadFile` naming the place."""
        ...

    async def step(self, step: Callable[..., S], *arguments: Any) -> S:
        """Take a blocking step of the transaction under way to its end, cancelled or not."""
        ...

    async def read(
        self, step: Callable[..., S], *arguments: Any, is_long: bool = False, of: str = ""
    ) -> S:
        """Take a blocking step that only reads; where it is not *is_long*, as is quickest.

        What it gave that is all *of* one table is good until that is changed: nobody may change it.
        """
        ...


class Filed:
    """Users, accounts, timelines and secrets of a file; blocking steps are done in threads."""

    def __init__(self, file: Documents) -> None:
        learn((User, Account, *FORMS))
        self._file = file
        self._timelines: dict[str, tuple[object, tuple[AnyEvent, ...]]] = {}

    async def refresh(self) -> int:
        """Give the generation of the file."""
        return await self._file.read(self._file.generation, *TABLES)

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id; whoever is not known is left out."""
        return await self._file.read(self._values, "users", users, User, of="users")

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None."""
        found = await self._file.read(self._values, "accounts", [name], Account, of="accounts")
        return found.get(name)

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first."""
        return (await self.timelines([user]))[user]

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users at once: the same as before where none changed."""
        is_long = len(users) > AT_ONCE
        # The marks first: what is read after them is of then or newer, and is read again if newer.
        marks = await self._file.read(self._file.marks, users, is_long=is_long)
        kept = {user: self._timelines.get(user) for user in users}
        found = {u: old[1] for u, old in kept.items() if old and old[0] == marks.get(u)}
        missing = [user for user in users if user not in found]
        for begin in range(
            0, len(missing), SLICE
        ):  # what was read is kept where this is broken off
            some = missing[begin : begin + SLICE]
            read = await self._file.read(self._read_timelines, some, is_long=is_long)
            found |= read
            self._timelines |= {user: (marks.get(user), read[user]) for user in some}
        if missing:
            for user in [*self._timelines][: -max(KEPT, len(users))]:
                del self._timelines[user]
        return found

    async def _edit(self, user: str, change: Callable[[User], User]) -> User:
        return await self._file.step(self._edit_now, user, change)

    async def _append(self, user: str, *events: AnyEvent) -> None:
        await self._file.step(self._append_now, user, events)

    def _values(self, table: str, names: Sequence[str], kind: type[S]) -> dict[str, S]:
        return {
            name: self._file.decoded(table, key, row, kind)
            for name, (key, row) in self._file.named(table, names).items()
        }

    def _user(self, key: int) -> User:
        return self._file.decoded("users", key, self._file.row("users", key), User)

    def _read_timelines(self, users: Sequence[str]) -> dict[str, tuple[AnyEvent, ...]]:
        found = self._file.events(users)
        return {user: self._timeline(user, found.get(user)) for user in users}

    def _timeline(
        self, user: str, told: tuple[Sequence[Any] | bytes, timedelta] | None
    ) -> tuple[AnyEvent, ...]:
        if told is None:
            raise NotFound(f"There is no user {clean(user)} here.")
        try:
            return decode_timeline(*told)
        except (msgspec.DecodeError, TypeError, UnicodeDecodeError, RecursionError) as error:
            says, _, path = str(error).partition(" - at `$")
            place = f"timelines.{self._key(user)}.events{path.rstrip('`')}"
            raise BadFile(self._file.name, place, says) from error

    def _key(self, user: str) -> int:
        key = self._file.key_of("users", user)
        if key is None:
            raise NotFound(f"There is no user {clean(user)} here.")
        return key

    def _edit_now(self, user: str, change: Callable[[User], User]) -> User:
        return self._edit_at(self._key(user), change)

    def _edit_at(self, key: int, change: Callable[[User], User]) -> User:
        after = change(self._user(key))
        self._file.put("users", key, msgspec.to_builtins(after))
        return after

    def _append_now(self, user: str, events: Sequence[AnyEvent]) -> None:
        key = self._key(user)
        self._file.extend(key, user, [*map(encode_event, events)])
        self._edit_at(key, lambda old: replace(old, seen_at=events[-1].at))

    def _put_secret(self, user: str, factor: str, key: str) -> None:
        taken = {row.get("factor"): key for key, row in self._file.of("secrets", user)}
        number = taken.get(factor) or self._file.free_key("secrets")
        document = {"user": user, "factor": factor, "totp": key, "note": "throw-away demo key"}
        self._file.put("secrets", number, document)

    def _totp(self, user: str, factor: str) -> TOTP:
        """The generator of a factor's codes.

        Raises:
            NotFound: No key is on record for it.
            BadFile: What is on record is no key.
        """
        import pyotp  # noqa: PLC0415  (not on the way to the first frame)

        for number, row in self._file.of("secrets", user):
            if row.get("factor") == factor:
                try:
                    return pyotp.TOTP(row["totp"])
                except (ValueError, TypeError, KeyError) as error:
                    place = f"secrets.{number}.totp"
                    raise BadFile(
                        self._file.name, place, "is no key of an authenticator"
                    ) from error
        raise NotFound(f"No key is on record for factor {clean(factor)} of this user.")
