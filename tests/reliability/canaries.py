"""Secrets that were planted, and a search of any bytes for them, however they are spelled there."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

SHORTEST = 8
"""Letters and digits by which a spelling is looked for; shorter ones stand anywhere by chance."""

Encode = Callable[[bytes], bytes]

_ELSE = re.compile(rb"[^0-9A-Za-z]+")

FIGURES = 12
"""A secret of fewer digits and nothing else is looked for by itself: others hold it by chance."""


def _figures(count: int) -> re.Pattern[bytes]:
    """Find so many digits that stand by themselves, parted or not."""
    return re.compile(rb"(?<![0-9A-Za-z.:])\d(?:[ \xa0-]?\d){%d}(?![0-9A-Za-z])" % (count - 1))


class Canaries:
    """All secrets that were planted, by what kind each is, and what was searched for them.

    Attributes:
        tried: Of each kind of place, how many were searched.
        size: Bytes that were searched.
        failures: What was found where it must not be: kind of secret, spelling, place.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._codes: dict[bytes, str] = {}
        self._figures: dict[int, re.Pattern[bytes]] = {}
        self._spelled: dict[bytes, list[tuple[bytes, str, str]]] = {}
        self._seen: set[tuple[str, int]] = set()
        self._stays: dict[str, list[bytes]] = {}
        self._own: dict[str, frozenset[str]] = {}
        self.tried: Counter[str] = Counter()
        self.size = 0
        self.failures: list[str] = []

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def kinds(self) -> Counter[str]:
        """How many secrets there are of each kind."""
        return Counter(self._kinds.values())

    def plant(self, kind: str, *secrets: str) -> None:
        """Look for these from now on, and in all that was kept to be searched."""
        for secret in secrets:
            if not secret or secret in self._kinds:
                continue
            self._kinds[secret] = kind
            if secret.isdigit() and 6 <= len(secret) < FIGURES:
                self._codes[secret.encode()] = secret
                self._figures.setdefault(len(secret), _figures(len(secret)))
                continue
            for name, spelled in spellings(secret):
                self._spelled.setdefault(spelled[:SHORTEST], []).append((spelled, name, secret))

    def keep(self, place: str, *told: str | bytes) -> None:
        """Keep what was told at a place until `search`, each line of it once."""
        for one in told:
            raw = one.encode("utf-8", "surrogatepass") if isinstance(one, str) else one
            self.tried[place] += 1
            self.size += len(raw)
            for line in raw.split(b"\n"):
                mark = (place, hash(line))
                if mark not in self._seen:
                    self._seen.add(mark)
                    self._stays.setdefault(place, []).append(line)

    def own(self, place: str, kinds: Iterable[str]) -> None:
        """Let a place hold secrets of some kinds: it is where they are kept."""
        self._own[place] = frozenset(kinds)

    def search(self) -> None:
        """Search all that was kept, for all that was planted by now."""
        for place, lines in self._stays.items():
            own = self._own.get(place, frozenset())
            for secret, spelling in self.found(b"\n".join(lines)):
                if self._kinds[secret] in own:
                    continue
                self.failures.append(f"{self._kinds[secret]} ({spelling}) in {place}")
        self._stays.clear()

    def holds(self, told: str, secret: str) -> bool:
        """Whether the one place where a secret is to be read shows it, and no other secret."""
        found = {each for each, _ in self.found(told.encode())}
        return found == {secret}

    def found(self, raw: bytes) -> Iterator[tuple[str, str]]:
        """Give each secret that stands in some bytes, with how it is spelled there."""
        for figures in self._figures.values():
            for match in figures.finditer(raw):
                digits = re.sub(rb"\D", b"", match[0])
                if digits in self._codes:
                    yield self._codes[digits], "plain"
        bare = _ELSE.sub(b"", raw).lower()
        spelled = self._spelled
        for at in range(len(bare) - SHORTEST + 1):
            for whole, name, secret in spelled.get(bare[at : at + SHORTEST], ()):
                if bare.startswith(whole, at):
                    yield secret, name


def spellings(secret: str) -> Iterator[tuple[str, bytes]]:
    """Give all spellings of a secret that are long enough to be looked for.

    Each is what is left of it without anything but letters and digits, all of them small: that is
    how it is found among spaces, dashes, frames and line breaks, and in any case.
    """
    raw = secret.encode()
    made = {
        "plain": raw,
        "backwards": raw[::-1],
        "hex": raw.hex().encode(),
        "in an address": quote(secret, safe="").encode(),
        "escaped": "".join(f"\\u{ord(each):04x}" for each in secret).encode(),
    }
    # What comes before moves the letters of an encoding: those at its ends are left out.
    for before in range(3):
        made[f"base64, {before} before"] = _inside(base64.b64encode, raw, before, 3, 4)
    for before in range(5):
        made[f"base32, {before} before"] = _inside(base64.b32encode, raw, before, 5, 8)
    kept = set()
    for name, spelled in made.items():
        bare = _ELSE.sub(b"", spelled).lower()
        if len(bare) >= SHORTEST and bare not in kept:
            kept.add(bare)
            yield name, bare


def _inside(encode: Encode, raw: bytes, before: int, of: int, letters: int) -> bytes:
    """Return the letters of an encoding that hang on a secret alone, whatever is around it."""
    whole = encode(bytes(before) + raw + bytes(of))
    bits = letters * (8 * of // letters) // letters  # bits of one letter
    first = -(-before * 8 // bits)
    last = (before + len(raw)) * 8 // bits
    return bytes(whole[first:last])
