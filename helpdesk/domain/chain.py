"""The log as a chain: every row bound to the one before, personal data beside it.

    row n  = canonical JSON: what happened, personal data as keyed hashes only
    hash n = SHA-256(hash n-1 ‖ row n), the first after 32 zero bytes
    root   = the Merkle tree root of the rows (RFC 6962), for checkpoints
    clear  = the personal data itself and a salt, beside the row: can be erased, the row stays

A keyed hash says that a clear value is the one that was recorded, and nothing else. That of a user
is the same in every row, so that rows of one user can be counted; texts are salted row by row, so
that without the salt not even the key's holder can try words against them.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from helpdesk.domain.agents import Role
from helpdesk.domain.audit import ERASED, LogRow, Result
from helpdesk.domain.users import At

START: Final = bytes(32)
"""What the first row is bound to."""

PERSONAL: Final = ("user", "reason", "says", "factor")
"""The fields of a row that tell of a person, and are hashed in the chain."""


class Macs(Protocol):
    """A secret key that hashes."""

    @property
    def name(self) -> str:
        """Which key it is, without telling it."""
        ...

    def mac(self, text: str) -> str:
        """Return the keyed hash of a text, in hexadecimal."""
        ...


class ChainedRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the chain binds of a row.

    Attributes:
        key: Which key hashed the personal fields.
        log: Names the log; only in its first row.
        user: Keyed hash, as are reason, says and factor; empty where the field was empty.
    """

    seq: int
    at: At
    agent: str
    role: Role
    act: str
    result: Result
    ticket: str
    proof: str
    idempotency: str
    key: str
    user: str
    reason: str
    says: str
    factor: str
    log: str = ""
    v: int = 1


class Clear(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The personal data of a row, and the salt of its texts."""

    salt: str
    user: str = ""
    reason: str = ""
    says: str = ""
    factor: str = ""


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row as it is kept.

    Attributes:
        row: Canonical JSON of a `ChainedRow`: keys sorted, UTF-8, no spaces, no floats.
        hash: Hexadecimal SHA-256 of the hash before and this row.
        clear: The personal data; None once it is erased.
        at: When, by the time of the file it is kept in, which stands still while a demo is left
            alone; not bound. None in rows of the time before this was kept.
    """

    row: str
    hash: str
    clear: Clear | None = None
    at: At | None = None


class Noted(Struct, frozen=True, kw_only=True):
    """A checkpoint as it is kept beside the log, and when it was made by the wall clock."""

    note: str
    made: At


_SORTED: Final = msgspec.json.Encoder(order="sorted")


def canonical(row: ChainedRow) -> str:
    """Return a row as canonical JSON."""
    return _SORTED.encode(row).decode()


def chained(row: str) -> ChainedRow:
    """Return the row that a canonical text stands for.

    Raises:
        msgspec.MsgspecError: It stands for none.
    """
    return msgspec.json.decode(row, type=ChainedRow)


def sealed(row: LogRow, before: Entry | None, macs: Macs, *, salt: str, log: str) -> Entry:
    """Return a row bound to the entry before it.

    *before* is None where this is the first of its log; then *log* names it. *salt* is fresh
    randomness of this row.
    """
    clear = Clear(salt=salt, user=row.user, reason=row.reason, says=row.says, factor=row.factor)
    text = canonical(
        ChainedRow(
            seq=row.seq,
            at=row.at.astimezone(UTC),
            agent=row.agent,
            role=row.role,
            act=row.act,
            result=row.result,
            ticket=row.ticket,
            proof=row.proof,
            idempotency=row.idempotency,
            key=macs.name,
            log="" if before else log,
            user=personal("user", clear, macs),
            reason=personal("reason", clear, macs),
            says=personal("says", clear, macs),
            factor=personal("factor", clear, macs),
        )
    )
    hash_ = link(before.hash if before else START.hex(), text)
    return Entry(row=text, hash=hash_, clear=clear, at=row.at)


def personal(field: str, clear: Clear, macs: Macs) -> str:
    """Return the keyed hash of one personal field; empty where the field is."""
    value: str = getattr(clear, field)
    if not value:
        return ""
    return (
        pseudonym(value, macs) if field == "user" else macs.mac(f"{field}\0{clear.salt}\0{value}")
    )


def pseudonym(user: str, macs: Macs) -> str:
    """Return what stands for a user in the chain, the same in every row."""
    return macs.mac(f"user\0{user}")


def link(before: str, row: str) -> str:
    """Return the hash of a row after the hash before it, both in hexadecimal.

    A hash that is none links to nothing: the empty one.
    """
    try:
        return hashlib.sha256(bytes.fromhex(before) + _bytes(row)).hexdigest()
    except ValueError:
        return ""


def opened(entry: Entry) -> LogRow:
    """Return an entry as a row of the log, with its personal data as far as it is there.

    Raises:
        msgspec.MsgspecError: It holds no row.
    """
    row, clear = chained(entry.row), entry.clear
    return LogRow(
        seq=row.seq,
        at=row.at,
        agent=row.agent,
        role=row.role,
        act=row.act,
        result=row.result,
        ticket=row.ticket,
        proof=row.proof,
        idempotency=row.idempotency,
        user=clear.user if clear else ERASED if row.user else "",
        reason=clear.reason if clear else "",
        says=clear.says if clear else "",
        factor=clear.factor if clear else "",
    )


def stored_row(document: Mapping[str, Any]) -> tuple[LogRow, Entry | None]:
    """Return a row of the log as it is kept: bound, or of the time before the chain.

    Raises:
        msgspec.MsgspecError: It is neither.
    """
    if "row" not in document:
        return msgspec.convert(document, LogRow), None
    entry = msgspec.convert(document, Entry)
    return opened(entry), entry


def log_of(row: str) -> str:
    """Return the name a log gives itself in its first row; empty where that holds none."""
    try:
        return chained(row).log
    except msgspec.MsgspecError:
        return ""


def root(rows: Iterable[str]) -> bytes:
    """Return the Merkle tree root of rows."""
    tree = Tree()
    tree.extend(rows)
    return tree.root()


def roots(rows: Iterable[str], sizes: Collection[int]) -> dict[int, bytes]:
    """Return the Merkle tree roots of the first so many rows, for each size.

    Sizes beyond the number of rows are left out. One pass, whatever the number of sizes.
    """
    return Tree().extend(rows, sizes)


class Tree:
    """The Merkle tree (RFC 6962, 2.1) of rows, as far as one needs it to add more.

    Attributes:
        size: How many rows it holds.

    Args:
        size: How many it begins with, made of *peaks*.
    """

    def __init__(self, size: int = 0, peaks: Sequence[tuple[int, bytes]] = ()) -> None:
        self.size = size
        self._peaks = [*peaks]

    @property
    def peaks(self) -> list[tuple[int, bytes]]:
        """The full trees it is made of, the widest first: how many rows, and their root."""
        return [*self._peaks]

    def copy(self) -> "Tree":
        """Return another of the same rows."""
        return Tree(self.size, self._peaks)

    def root(self) -> bytes:
        """Return the root of the rows so far."""
        if not self._peaks:
            return hashlib.sha256().digest()
        node = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            node = hashlib.sha256(b"\1" + peak + node).digest()
        return node

    def extend(self, rows: Iterable[str], sizes: Collection[int] = ()) -> dict[int, bytes]:
        """Add rows; return the roots at those *sizes* that are met on the way, both ends too."""
        found = {self.size: self.root()} if self.size in sizes else {}
        peaks, sha256 = self._peaks, hashlib.sha256
        for row in rows:
            width, node = 1, sha256(b"\0" + _bytes(row)).digest()
            while peaks and peaks[-1][0] == width:
                width, node = width * 2, sha256(b"\1" + peaks.pop()[1] + node).digest()
            peaks.append((width, node))
            self.size += 1
            if self.size in sizes:
                found[self.size] = self.root()
        return found


def _bytes(row: str) -> bytes:
    return row.encode("utf-8", "surrogatepass")
