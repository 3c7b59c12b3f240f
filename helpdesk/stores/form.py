"""How the tables of a desk stand in a file: one JSON object, one document a line."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.stores.shelf import Places, Shelf

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


def written(tables: Tables, parts: Mapping[str, str], places: dict[str, Places]) -> Iterator[bytes]:
    """Give the bytes of a file.

    Args:
        tables: What is in it.
        parts: The tables of it that are encoded; all others lie in a file.
        places: Filled with where each document lies.
    """
    at, before = 0, b"{\n"
    for table, documents in tables.items():
        keys, starts, ends = array("q"), array("Q"), array("Q")
        bodies = _encoded(documents, parts[table]) if table in parts else _shelved(documents)
        head = before + f'"{table}": {{'.encode()
        yield head
        at, before = at + len(head), b"\n"
        for key, body in bodies:
            line = b"%b%b: %b" % (before, msgspec.json.encode(key), body)
            yield line
            at, before = at + len(line), b",\n"
            if key.isdigit():
                keys.append(int(key))
                starts.append(at - len(body))
                ends.append(at)
        end = b"\n}" if before == b",\n" else b"}"
        yield end
        at, before = at + len(end), b",\n"
        places[table] = Places(keys, starts, ends)
    yield b"\n}\n"


def _encoded(documents: Mapping[str, Any], part: str) -> Iterator[tuple[str, bytes]]:
    """Give the documents of a table that is encoded, each with its key."""
    lines = part.split("\n")[1:-1]
    for key, line in zip(documents, lines, strict=True):
        yield key, line.partition(": ")[2].removesuffix(",").encode()


def _shelved(documents: Shelf) -> Iterator[tuple[str, bytes]]:
    """Give the documents of a table that lies in a file; what does is taken as it stands there."""
    for key, document in documents.bodies():
        is_body = isinstance(document, bytes)
        yield key, document if is_body else msgspec.json.encode(document)


def without(parts: dict[str, str], tables: set[str]) -> dict[str, str]:
    """Return the encoded tables but these."""
    return {table: part for table, part in parts.items() if table not in tables}
