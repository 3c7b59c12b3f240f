"""Who may come in: whoever opens the link that was said at the terminal, once.

    key (in the link, once) ─▶ room (in the address) and badge (in a cookie)

Both are needed from then on. The cookie is bound to the room's path, since browsers send cookies
to every port of a host: another program of this machine would be shown it otherwise.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from msgspec import Struct

LINK: Final = "/open/"
"""Where a link leads; its key follows."""


class Entry(Struct, frozen=True, kw_only=True):
    """A browser that is in: the name of its room and the badge it has to show."""

    room: str
    badge: str

    def __repr__(self) -> str:
        return "Entry(…)"


class Door:
    """Keeps the key that counts next, and who is in.

    Args:
        tell: Says a new link's path to whoever sits at the terminal.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._key = ""
        self._badges: dict[str, str] = {}

    def renew(self) -> None:
        """Make a new key, and say it; the one before no longer counts."""
        self._key = secrets.token_urlsafe(32)
        self._tell(f"{LINK}{self._key}")

    def enter(self, key: str) -> Entry | None:
        """Return the entry for a key, which is used up by it; None where it does not count."""
        if not self._key or not _is_same(key, self._key):
            return None
        self._key = ""
        entry = self.admit()
        self.renew()
        return entry

    def admit(self) -> Entry:
        """Return an entry for whoever came in another way."""
        entry = Entry(room=secrets.token_urlsafe(16), badge=secrets.token_urlsafe(32))
        self._badges[entry.room] = entry.badge
        return entry

    def dismiss(self, room: str) -> None:
        """Let a badge count no more."""
        self._badges.pop(room, None)

    def is_in(self, room: str, badge: str) -> bool:
        """Whether this badge is the one for that room."""
        return _is_same(badge, self._badges.get(room) or secrets.token_urlsafe(32))


class ClassLink:
    """A link that a whole class may use, as often as it wants, while the class lasts."""

    PATH: Final = "/class/"
    """Where it leads; its key follows."""

    def __init__(self) -> None:
        self._key = secrets.token_urlsafe(24)

    @property
    def path(self) -> str:
        """The path of the link."""
        return f"{self.PATH}{self._key}"

    def fits(self, key: str) -> bool:
        """Whether this is its key."""
        return _is_same(key, self._key)


def _is_same(given: str, right: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), right.encode())
