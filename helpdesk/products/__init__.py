"""Reading product cards.

Those that come with the program, and those a user drops into the configuration directory.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from helpdesk.domain.errors import BadFile
from helpdesk.domain.products import Product, faults

ORDER = ("activecampaign", "partner-portal", "constant-contact", "sms-2fa", "lead-gen-crm")
"""The order the five are shown in; a user's own follow by name."""


def load_cards(extra: Path | None = None) -> dict[str, Product]:
    """Return all product cards by id.

    Ours in their order, then those of the directory *extra* by file name.

    Raises:
        BadFile: A card cannot be read; the error names the file, the line and the reason.
    """
    own = [read_card(path) for path in sorted(Path(__file__).parent.glob("*.toml"))]
    cards = {card.id: card for card in sorted(own, key=lambda card: ORDER.index(card.id))}
    for path in sorted(extra.glob("*.toml")) if extra and extra.is_dir() else ():
        card = read_card(path)
        if card.id in cards:
            raise BadFile(
                str(path),
                _line(path.read_text("utf-8"), "id"),
                f"there is already a product {card.id!r}",
            )
        cards[card.id] = card
    return cards


def read_card(path: Path) -> Product:
    """Return the product a card file describes.

    Raises:
        BadFile: As `load_cards`.
    """
    try:
        text = path.read_text("utf-8")
        card = msgspec.convert(tomllib.loads(text), Product)
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(str(path), f"byte {error.start}", "is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        says, _, place = str(error).partition(" (at ")
        raise BadFile(str(path), place.rstrip(")"), says) from error
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at `$")
        raise BadFile(str(path), _line(text, place.rstrip("`"), says), says) from error
    for word, reason in faults(card):
        raise BadFile(str(path), _line(text, word), reason)
    return card


def _line(text: str, place: str, says: str = "") -> str:
    """Find the line a fault stands in by the keys of its path, since tomllib keeps no lines."""
    keys = [
        key for key in re.split(r"[.\[\]]+", place) if key and key != "..." and not key.isdigit()
    ]
    named = re.search(r"(?:unknown|required) field `([^`]+)`", says)
    if named and "unknown" in says:
        keys.append(named.group(1))
    index = next((int(number) for number in re.findall(r"\[(\d+)\]", place)), None)
    lines = text.splitlines()
    start = _table(lines, keys, index)
    for word in reversed(keys):
        for number in range(start, len(lines)):
            if re.match(rf"\s*\[*[\w.-]*\b{re.escape(word)}\b", lines[number]):
                return f"line {number + 1}"
    return f"line {start + 1}" if start else "line 1"


def _table(lines: list[str], keys: list[str], index: int | None) -> int:
    """Return the line a table begins in, counting `[[array]]` tables up to *index*."""
    for depth in range(len(keys), 0, -1):
        head = re.escape(".".join(keys[:depth]))
        starts = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[?\s*{head}\s*\]", line)]
        if starts:
            return starts[min(index or 0, len(starts) - 1)]
    return 0
