"""The log to take away: as lines of JSON or as a table, masked unless asked for."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from helpdesk.domain.audit import LogRow
from helpdesk.domain.text import clean, safe_json
from helpdesk.domain.users import At

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")
"""How a cell begins that a spreadsheet would take for a formula."""


class ExportRow(Struct, frozen=True, kw_only=True):
    """One row of the log as it leaves the desk.

    Attributes:
        user: The user's id; masked a pseudonym, the same in every row of one user.
        hash: The row's hash in the chain; empty for a row of the time before.
        reason: Empty where masked, as are says and factor.
    """

    seq: int
    at: At
    agent: str
    role: str
    act: str
    user: str
    result: str
    ticket: str = ""
    proof: str = ""
    idempotency: str = ""
    hash: str = ""
    reason: str = ""
    says: str = ""
    factor: str = ""


class ExportPart(Struct, frozen=True, kw_only=True):
    """Rows of the log as they leave the desk, some of them.

    Attributes:
        rows: Oldest first.
        next: To ask with for those that follow; 0 where there are none.
    """

    rows: tuple[ExportRow, ...]
    next: int = 0


def export_row(row: LogRow, pseudonym: str, hash_: str, *, is_clear: bool) -> ExportRow:
    """Return a row as it leaves the desk, with its user's pseudonym where it is masked."""
    return ExportRow(
        seq=row.seq,
        at=row.at,
        agent=row.agent,
        role=row.role.value,
        act=row.act,
        user=row.user if is_clear else pseudonym,
        result=row.result.value,
        ticket=row.ticket,
        proof=row.proof,
        idempotency=row.idempotency,
        hash=hash_,
        reason=row.reason if is_clear else "",
        says=row.says if is_clear else "",
        factor=row.factor if is_clear else "",
    )


def as_jsonl(rows: Sequence[ExportRow]) -> str:
    """Return rows as JSON, one a line."""
    plain = (json.dumps(msgspec.to_builtins(row), ensure_ascii=False) for row in rows)
    return "".join(f"{safe_json(row)}\n" for row in plain)


def as_csv(rows: Sequence[ExportRow], *, has_head: bool = True) -> str:
    """Return rows as a table (RFC 4180) that no spreadsheet takes for formulas.

    Without its head it is what follows on another.
    """
    import csv  # noqa: PLC0415  (most desks never export)

    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if has_head:
        writer.writerow(ExportRow.__struct_fields__)
    for row in rows:
        values = msgspec.to_builtins(row)
        writer.writerow([cell(str(values[name])) for name in ExportRow.__struct_fields__])
    return text.getvalue()


def cell(text: str) -> str:
    """Return a cell as text: one that would be a formula begins with an apostrophe."""
    shown = clean(text)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) else shown
