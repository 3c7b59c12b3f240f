"""What this machine keeps of a desk elsewhere: the working set, and what waits to be sent.

    replica/3f2c…/            mode 0700, one for each desk and agent; files 0600
    ├── outbox.json           wishes, each with its key and state; written before anything is sent
    └── seen.json             rows and cases as they came, masked; gone after 8 h or on a lock

Both are TinyDB on our crash-safe storage: a change is whole or not there, and two consoles on one
directory wait for each other. The outbox is small because it is written at every wish; a working
set that is damaged is thrown away, for the desk has it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from tinydb.table import Document, Table

from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.domain.learning import learn
from helpdesk.domain.offline import PURGED_AFTER, State, Wish
from helpdesk.domain.users import At
from helpdesk.stores.replica_file import ReplicaFile, instead, next_number
from helpdesk.stores.whole import whole

CASES_MOST: Final = 120
"""Cases and verdicts kept, the last seen ones."""

ENDED_MOST: Final = 200
"""Wishes kept that are done, the last ones; those that were not done stay until that was read."""


class Kept(Struct, frozen=True, kw_only=True):
    """One answer of the desk as it came.

    Attributes:
        name: What it answers: `queue`, `case u12`; those of one user have a space in their name.
        at: When the desk gave it.
        value: Plain JSON values.
    """

    name: str
    at: At
    value: Any


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far this machine is with the desk.

    Attributes:
        contact_at: When the desk was last reached; None for never.
        boot: At which start of the machine that was.
        boot_s: How many seconds after it.
        cursor: Where in the desk's feed the working set stands; empty for not yet.
        steps: Which steps of an unfinished synchronisation are done.
    """

    contact_at: At | None = None
    boot: str = ""
    boot_s: float = 0.0
    cursor: str = ""
    steps: tuple[str, ...] = ()


class Replica:
    """The working set and the outbox in one directory; every call is taken whole in a thread.

    Raises, from any use:
        Unreachable: The directory cannot be read or written, or another console holds it too long.
        BadFile: The outbox is damaged.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
        except OSError as error:
            raise Unreachable(f"{directory} cannot be used: {error.strerror}.") from error
        learn((Wish, Kept, Mark))
        self.directory = directory
        self._outbox = ReplicaFile(directory / "outbox.json")
        self._seen = ReplicaFile(directory / "seen.json", is_dear=False)
        self._gathered: dict[str, Kept] = {}

    # The outbox

    async def wishes(self) -> tuple[Wish, ...]:
        """Give all wishes, those that ended too, in the order in which they came."""
        return await whole(self._wishes)

    async def put(self, wish: Wish) -> None:
        """Keep a wish, new or instead of the one with its key; durable when this returns."""
        await whole(self._outbox.put, "wishes", wish.key, wish, ENDED_MOST)

    async def claim(self, key: str, by: str, now: datetime) -> Wish | None:
        """Take a queued wish in hand, so that no other console sends it too.

        None where another one has it, or it is not queued any more.
        """
        return await whole(self._claim, key, by, now)

    async def drop(self, key: str) -> None:
        """Forget a wish."""
        await whole(self._outbox.drop, "wishes", [key])

    # The working set

    async def keep(self, *answers: Kept) -> None:
        """Keep answers, each instead of the one of its name; of cases only the last seen ones."""
        await whole(self._keep, answers)

    def gather(self, answer: Kept) -> None:
        """Take an answer that is written with the next note, both or none; until then it counts."""
        self._gathered[answer.name] = answer

    async def kept(self, name: str) -> Kept | None:
        """Give the answer of a name; None where there is none."""
        return await whole(self._kept, name)

    async def cases(self) -> tuple[Kept, ...]:
        """Give all cases and verdicts that are kept, the last seen one last."""
        return await whole(self._cases)

    async def let_go(self, *names: str) -> None:
        """Let go of answers that are true no more."""
        for name in names:
            self._gathered.pop(name, None)
        await whole(self._seen.drop, "cases", names)
        await whole(self._seen.drop, "pages", names)

    async def mark(self) -> Mark:
        """Give how far this machine is with the desk."""
        return await whole(self._mark)

    async def note(self, **changed: Any) -> None:
        """Change parts of the mark, and write down what was gathered."""
        await whole(self._note, changed)

    # The end

    async def purge(self) -> None:
        """Let go of everybody: rows, cases, and the generation before; wishes keep no words.

        Wishes that wait to be sent are let go of too, which they say; those whose end is not known
        stay, because the desk must be asked.
        """
        await whole(self.forget)

    def forget(self) -> None:
        """As `purge`; blocking."""
        self._gathered.clear()
        self._seen.wipe()
        self._outbox.change({"wishes": _without_words})
        self._outbox.wipe_previous()

    def forget_if_old(self, now: datetime) -> None:
        """As `forget`, where there is anybody and the desk was not reached for too long."""
        at = self._mark().contact_at
        is_old = at is None or abs(now - at) >= PURGED_AFTER
        if is_old and (self._seen.holds("cases") or self._seen.holds("pages")):
            self.forget()

    def _wishes(self) -> tuple[Wish, ...]:
        return tuple(self._outbox.values("wishes", Wish))

    def _claim(self, key: str, by: str, now: datetime) -> Wish | None:
        claimed: list[Wish] = []

        def take(table: Table) -> None:
            found = next((row for row in table if row["key"] == key), None)
            wish = self._outbox.value("wishes", found["value"], Wish) if found else None
            if found and wish and wish.state is State.QUEUED:
                claimed.append(replace(wish, state=State.SENT, by=by, sent_at=now))
                instead(table, found.doc_id, key, claimed[0])

        self._outbox.change({"wishes": take})
        return claimed[0] if claimed else None

    def _keep(self, answers: tuple[Kept, ...]) -> None:
        self._seen.change(_putting({one.name: one for one in answers}))

    def _kept(self, name: str) -> Kept | None:
        return self._gathered.get(name) or self._seen.known(_table(name), name, Kept)

    def _cases(self) -> tuple[Kept, ...]:
        try:
            return tuple(self._seen.values("cases", Kept))
        except BadFile:  # of another version: the desk has it
            self._seen.wipe()
            return ()

    def _mark(self) -> Mark:
        return self._seen.known("mark", "mark", Mark) or Mark()

    def _note(self, changed: dict[str, Any]) -> None:
        def put(table: Table) -> None:
            found = next(iter(table), None)
            mark = self._seen.value("mark", found["value"], Mark) if found else Mark()
            instead(table, found.doc_id if found else 1, "mark", replace(mark, **changed))

        gathered = dict(self._gathered)
        self._seen.change({**_putting(gathered), "mark": put})
        for name, answer in gathered.items():
            if self._gathered.get(name) is answer:
                del self._gathered[name]


def replica_directory(data: Path, desk: str, agent: str) -> Path:
    """Return where the replica of a desk for an agent lies; neither can be read from the name."""
    name = hashlib.sha256(f"{desk}\0{agent}".encode()).hexdigest()[:16]
    return data / "replica" / name


def _table(name: str) -> str:
    return "cases" if " " in name else "pages"


def sweep(data: Path, now: datetime, *, but: Path) -> None:
    """Let go of everybody in the replicas of desks that nobody opened for long; blocking.

    Of one desk's replica its own console takes care: *but* is let be. What cannot be read or is
    held by another console is left to the next sweep.
    """
    for path in (data / "replica").glob("*/seen.json"):
        if path.parent != but:
            with contextlib.suppress(Unreachable, BadFile):
                Replica(path.parent).forget_if_old(now)


def _without_words(table: Table) -> None:
    """Leave of each wish only what must still be known of it, whichever version wrote it."""
    for row in list(table):
        bare = {name: row["value"][name] for name in row["value"].keys() - _WORDS}
        if bare.get("state") in {State.QUEUED, State.CONFLICT}:
            says = "It was never sent: what waits is let go after 8 h, or when all is forgotten."
            bare |= {"state": State.EXPIRED.value, "says": says}
        instead(table, row.doc_id, row["key"], bare)


_WORDS: Final = frozenset({"action", "seen", "found"})
"""What of a wish tells about a user."""


def _putting(answers: Mapping[str, Kept]) -> dict[str, Callable[[Table], None]]:
    """Return what writes answers, the last written last; of cases only the last seen ones stay."""

    def put(most: int, values: Mapping[str, Kept], rows: Table) -> None:
        old = [row.doc_id for row in rows if row["key"] in values]
        if old:
            rows.remove(doc_ids=old)
        number = next_number(rows)
        documents = {number + n: one for n, one in enumerate(values.values())}
        rows.insert_multiple(
            Document({"key": one.name, "value": msgspec.to_builtins(one)}, doc_id=number)
            for number, one in documents.items()
        )
        numbers = sorted(row.doc_id for row in rows)
        if most and len(numbers) > most:
            rows.remove(doc_ids=numbers[: len(numbers) - most])

    found: dict[str, dict[str, Kept]] = {}
    for name, one in answers.items():
        found.setdefault(_table(name), {})[name] = one
    most = {"cases": CASES_MOST}
    return {table: partial(put, most.get(table, 0), values) for table, values in found.items()}
