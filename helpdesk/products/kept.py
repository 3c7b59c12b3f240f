"""Product cards as they were last read and checked: what did not change is not read word by word.

Reading and checking ours is a third of opening the demo. What is kept counts only for the very same
texts and the very same forms; anything else is read anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from helpdesk.domain import products
from helpdesk.domain.products import Product

Cards = tuple[Product, ...]


class Kept(Struct, frozen=True, kw_only=True):
    """Cards, and of which texts they are.

    Attributes:
        of: The digest of the texts and of the module that says what a card is.
        cards: In their order.
    """

    of: str
    cards: Cards


def kept_or_read(file: Path, sources: Iterable[Path], read: Callable[[], Cards]) -> Cards:
    """Return the cards that *file* keeps of these sources, else those that *read* gives.

    Those are then kept; where they cannot be, the next time reads again.
    """
    of = _digest((*sources, Path(products.__file__)))
    found = _found(file)
    if found is not None and found.of == of:
        return found.cards
    cards = read()
    if of:
        _keep(file, msgspec.msgpack.encode(Kept(of=of, cards=cards)))
    return cards


def _digest(sources: Iterable[Path]) -> str:
    """Give the digest of what lies in these files; nothing where one cannot be read."""
    try:
        return hashlib.sha256(b"\0".join([source.read_bytes() for source in sources])).hexdigest()
    except OSError:
        return ""


def _found(file: Path) -> Kept | None:
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(file: Path, data: bytes) -> None:
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
