"""Reading product cards.

Those that come with the program, and those a user drops into the configuration directory.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.domain.products import Product, faults
from helpdesk.products.kept import kept_or_read
from helpdesk.products.lines import line_of

ORDER = ("activecampaign", "partner-portal", "constant-contact", "sms-2fa", "lead-gen-crm")
"""The order the five are shown in; a user's own follow by name."""


def load_cards(extra: Path | None = None, kept: Path | None = None) -> dict[str, Product]:
    """Return all product cards by id.

    Ours in their order, then those of the directory *extra* by file name. Ours are read once, and
    kept in the file *kept* for the next time.

    Raises:
        BadFile: A card cannot be read; the error names the file, the line and the reason.
    """
    cards = {card.id: card for card in _own(kept)}
    for path in sorted(extra.glob("*.toml")) if extra and extra.is_dir() else ():
        card = read_card(path)
        if card.id in cards:
            line = line_of(path.read_text("utf-8"), ("id",))
            raise BadFile(str(path), f"line {line}", f"there is already a product {card.id!r}")
        cards[card.id] = card
    return cards


@cache
def _own(kept: Path | None) -> tuple[Product, ...]:
    """Our cards in their order; read once, for they change with the program only."""
    sources = sorted(Path(__file__).parent.glob("*.toml"))

    def read() -> tuple[Product, ...]:
        found = [read_card(path) for path in sources]
        return tuple(sorted(found, key=lambda card: ORDER.index(card.id)))

    return kept_or_read(kept, sources, read) if kept else read()


def own_card() -> Product:
    """Return the card of a sign-in that no document describes: the desk's own rules."""
    return read_card(Path(__file__).parent / "own" / "sign-in.toml")


def read_card(path: Path) -> Product:
    """Return the product a card file describes.

    Raises:
        BadFile: As `load_cards`.
    """
    import tomllib  # noqa: PLC0415  (our own cards are kept as they were read)

    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        says, _, place = str(error).partition(" (at ")
        if place == "end of document)":
            place = f"line {len(text.splitlines())}, its end"
        raise BadFile(str(path), place.rstrip(")"), says) from error
    except RecursionError as error:
        raise BadFile(str(path), "", "brackets are nested too deeply") from error
    try:
        card = msgspec.convert(data, Product)
    except msgspec.ValidationError as error:
        place = f"line {line_of(text, _blamed(data, error))}"
        raise BadFile(str(path), place, _plain(error)) from error
    for at, reason in faults(card):
        raise BadFile(str(path), f"line {line_of(text, at)}", reason)
    return card


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadFile(str(path), f"line {line}", "is not UTF-8 text") from error


_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")

_OTHER = re.compile(r"Invalid enum value '([^']*)'")


def _plain(error: msgspec.ValidationError) -> str:
    """Return msgspec's reason in the words of a card."""
    says = str(error).partition(" - at `")[0]
    says = _MISSING.sub(r"the key `\1` is missing", says)
    says = _UNKNOWN.sub(r"there is no key `\1` here", says)
    return _OTHER.sub(r"'\1' is none of the words that may stand here", says)


def _blamed(data: dict[str, Any], error: msgspec.ValidationError) -> tuple[str | int, ...]:
    """Return the path of the value that an error is about.

    msgspec writes `[...]` for any element of a list or table; which one it was is found by trying
    each alone.
    """
    says = str(error)
    place = says.partition("`$")[2].partition("`")[0]
    steps: list[str] = re.findall(r"\[\.\.\.\]|[^.\[\]]+", place)  # `[3]` is given as 3
    if " - at `key` in `$" in says:
        steps.append("[...]")
    path: list[str | int] = []
    part: Any = data
    for step in steps:
        if step == "[...]":
            path.append(_culprit(part, says, data, path))
        else:
            path.append(int(step) if isinstance(part, list) else step)
        part = part[path[-1]]
    unknown = _UNKNOWN.search(says)
    return (*path, unknown.group(1)) if unknown else tuple(path)


def _culprit(part: Any, says: str, data: dict[str, Any], path: list[str | int]) -> str | int:
    """Return which element of *part* is at fault: the first that is wrong when alone."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    for key in keys:
        alone = {key: part[key]} if isinstance(part, dict) else [part[key]]
        try:
            msgspec.convert(_put(data, path, alone), Product)
        except msgspec.ValidationError as error:
            if str(error) == says:
                return key
    return keys[0]


def _put(whole: Any, path: list[str | int], part: Any) -> Any:
    """Return a copy of *whole* with *part* at *path*."""
    if not path:
        return part
    step, *rest = path
    new: Any = dict(whole) if isinstance(whole, dict) else list(whole)
    new[step] = _put(new[step], rest, part)
    return new
