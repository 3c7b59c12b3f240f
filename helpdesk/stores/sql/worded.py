"""The words of a search as SQL is asked for them: the same questions, whatever the words are.

What stands between a word and the driver otherwise takes longer than SQLite takes to find it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import BindParameter, String, bindparam

from helpdesk.domain.search import Query, is_beginning
from helpdesk.domain.text import digits

TRIGRAM: Final = 3
"""From so many letters on the index of the search helps; SQLite's knows no shorter ones."""


def sought(query: Query) -> Sequence[str]:
    """Return the words of a query as they are looked for."""
    return [word.lstrip("#") for word in query.words]


def alike(query: Query) -> Query:
    """Return a query whose questions differ from this one's in nothing but `values_of` its words.

    It is the same for all queries of which that is true.
    """
    return replace(query, words=tuple(map(_stand_in, sought(query))))


def values_of(words: Sequence[str]) -> dict[str, str]:
    """Return what the questions for words leave open, by name.

    Of each word, with its place behind the name: `part` and `later`, for it anywhere and after a
    space; `number`, its digits; `prefix`, for words that begin so. Of all together: `found`,
    `begun` and `named`, for SQLite's indexes; `shorts` and `pieces`, for PostgreSQL's.
    """
    values: dict[str, str] = {}
    for place, word in enumerate(words):
        part = _escaped(word)
        values |= {f"part{place}": part, f"later{place}": f" {part}", f"prefix{place}": f"{word}:*"}
        values[f"number{place}"] = number_of(word)
    pieces = [piece for word in words for piece in pieces_of(word)]
    return values | {
        "found": " AND ".join(_parts(word) for word in words if len(word) >= TRIGRAM),
        "begun": " AND ".join(f'"{word}"*' for word in words),
        "named": " AND ".join(f'"{piece}"*' for piece in pieces),
        "shorts": " & ".join(f"{word}:*" for word in words if is_beginning(word)),
        "pieces": " & ".join(f"{piece}:*" for piece in pieces),
    }


def left_open(name: str, values: Mapping[str, str]) -> BindParameter[Any]:
    """Return the place of one of these values, which stands there where no other is given."""
    return bindparam(name, values[name], type_=String)


def number_of(word: str) -> str:
    """Return the digits of a word that is a number, if enough to look for; else nothing."""
    number = digits(word)
    is_one = len(number) >= TRIGRAM and all(c in "+0123456789-./()" for c in word)
    return number if is_one else ""


def pieces_of(word: str) -> list[str]:
    """Return what of a word an index of words knows."""
    return re.findall(r"[^\W_]+", word)


def _stand_in(word: str) -> str:
    if number_of(word):
        return "000"
    if is_beginning(word):
        return "a"
    is_long = len(word) >= TRIGRAM
    if pieces_of(word):
        return "aaa" if is_long else "é"
    return "@@@" if is_long else "@"


def _escaped(word: str) -> str:
    """Return a word as a pattern finds it and nothing else; `ESCAPE '/'` stands behind it."""
    return word.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _parts(word: str) -> str:
    """Return a word of three letters or more as SQLite's index is asked for it."""
    quoted = '"' + word.replace('"', '""') + '"'
    number = number_of(word)
    return f'(blob : {quoted} OR numbers : "{number}")' if number else f"(blob : {quoted})"
