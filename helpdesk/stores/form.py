"""How the tables of a desk stand in a file: one JSON object, one document a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.stores.shelf import Shelf

FORMAT: Final = "helpdesk-fixture/1"
"""What `meta.format` says in a file of ours."""

Tables = dict[str, Any]
"""Documents by table and key: each table a dict, or a `Shelf` where the file is long."""


def tables_of(data: bytes, name: str, backup: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the tables of a fixture file's bytes.

    Raises:
        BadFile: It is empty, truncated, not JSON, or not a file of ours; the sentence names the
            way back.
    """
    back = f" {way_back(backup)}" if backup else ""
    if not data.strip():
        raise BadFile(name, "", f"is empty; it was not made a new one.{back}")
    try:
        tables = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFile(name, "", f"is damaged or cut short ({error}).{back}") from error
    checked(tables, name, backup)
    for table, documents in tables.items():
        if not isinstance(documents, dict) or not all(
            isinstance(d, dict) for d in documents.values()
        ):
            raise BadFile(name, table, f"is not a table of documents.{back}")
    return tables  # type: ignore[no-any-return]


def checked(tables: Tables, name: str, backup: Path | None = None) -> Tables:
    """Return the tables of a file, which says that it is a desk's.

    Raises:
        BadFile: It does not.
    """
    given: object = tables
    meta = tables.get("meta") if isinstance(given, dict) else None
    first = meta.get("1") if isinstance(meta, Mapping) else None
    if not isinstance(first, dict) or first.get("format") != FORMAT:
        back = f" {way_back(backup)}" if backup else ""
        raise BadFile(name, "meta.1.format", f"is not a desk's file ({FORMAT} is expected).{back}")
    return tables


def way_back(backup: Path) -> str:
    """Return how one goes on with a file that is damaged."""
    if not backup.exists():
        return "Put a copy of it back; helpdesk fixture reset begins the demo anew."
    return (
        f"The previous generation is {backup}: copy it in its place; "
        "helpdesk fixture reset begins the demo anew."
    )


def encoded_table(documents: Mapping[str, Any]) -> str:
    """Return a table as it stands in a file.

    One document a line, so that two versions can be compared.
    """
    lines = ",\n".join(
        f"{msgspec.json.encode(str(key)).decode()}: {msgspec.json.encode(document).decode()}"
        for key, document in documents.items()
    )
    return f"{{\n{lines}\n}}" if lines else "{}"


def written(tables: Tables, parts: Mapping[str, str]) -> Iterator[bytes]:
    """Give the bytes of a file; *parts* are the tables that are encoded, all others lie in one."""
    before = b"{\n"
    for table, documents in tables.items():
        yield before + f'"{table}": '.encode()
        if table in parts:
            yield parts[table].encode()
        else:
            yield from _shelved(documents)
        before = b",\n"
    yield b"\n}\n"


def _shelved(documents: Shelf) -> Iterator[bytes]:
    """Give a table as it stands in a file; what lies in one is taken from there as it is."""
    before = b"{\n"
    for key, document in documents.bodies():
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        yield b'%b"%b": %b' % (before, key.encode(), body)
        before = b",\n"
    yield b"\n}" if len(documents) else b"{}"
