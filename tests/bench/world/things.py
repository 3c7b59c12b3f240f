"""Things that break: networks, browsers, mailboxes, carriers, phones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.world.clockwork import World

if TYPE_CHECKING:
    from tests.bench.world.records import Code

STEP = 30


@dataclass
class Net:
    """Where a request comes from."""

    ip: str
    network: str
    place: str


@dataclass
class Cookie:
    """What a browser was given to keep."""

    value: str
    set_at: float
    door: str
    lasting: bool = True


class Browser:
    """A browser with its jar, its habits and its version."""

    def __init__(self, world: World, kind: str = "Firefox", version: int = 128) -> None:
        self.world = world
        self.kind = kind
        self.version = version
        self.clears_on_close = False
        self.private = False
        self.blocks: frozenset[str] = frozenset()
        self.jar: dict[str, Cookie] = {}

    @property
    def agent(self) -> str:
        """The user agent it sends."""
        return f"{self.kind}/{self.version}.0"

    def present(self, name: str) -> Cookie | None:
        """The cookie it sends with a request, or None."""
        return None if name in self.blocks else self.jar.get(name)

    def keep(self, name: str, value: str, door: str, lasting: bool = True) -> None:
        """Take a cookie, as a response asks it to."""
        self.jar[name] = Cookie(value, self.world.now, door, lasting)

    def close(self) -> None:
        """Close the last window."""
        if self.clears_on_close or self.private:
            self.jar.clear()
        else:
            self.jar = {name: cookie for name, cookie in self.jar.items() if cookie.lasting}


@dataclass
class Message:
    """A code where the customer can see it."""

    code: Code
    arrived_at: float
    folder: str = "inbox"


Word = Callable[[str, str | None, str | None], None]
"""How a delivery is reported: state, code, detail."""


@dataclass
class Mailbox:
    """An address, its mail server, and whoever reads it."""

    world: World
    address: str
    readers: list[str] = field(default_factory=list)
    junks: bool = False
    greylist_s: float = 0.0
    bounces: str | None = None
    suppressed: bool = False
    scanner: Callable[[Code], None] | None = None
    fetch_every_s: float = 0.0
    messages: list[Message] = field(default_factory=list)

    def take(self, code: Code, word: Word) -> None:
        """Receive a message, or not."""
        world = self.world
        if self.suppressed:
            return word("suppressed", None, "address is on the suppression list")
        if self.bounces:
            self.suppressed = world.chance(0.6)
            refused, why = self.bounces, "mailbox unavailable"
            return world.after(world.between(1, 9), lambda: word("bounced", refused, why))
        delay = world.between(1, 8)
        if self.greylist_s:
            world.after(delay, lambda: word("deferred", "451", "greylisted, try again later"))
            delay += self.greylist_s * world.between(0.8, 1.25)
        world.after(delay, lambda: self._arrive(code, word))
        return None

    def _arrive(self, code: Code, word: Word) -> None:
        word("delivered", "250", None)
        seen = self.world.now
        if self.fetch_every_s:
            seen = (seen // self.fetch_every_s + 1) * self.fetch_every_s
        folder = "junk" if self.junks else "inbox"
        self.world.at(seen, lambda: self.messages.append(Message(code, seen, folder)))
        if self.scanner is not None:
            scan = self.scanner
            self.world.after(self.world.between(1, 7), lambda: scan(code))


@dataclass
class Phone:
    """A phone: its number, its carrier, its clock, its authenticator entries."""

    world: World
    number: str | None
    clock_s: float = 0.0
    secret: str = ""
    carrier_error: str | None = None
    false_delivered: bool = False
    delay_s: float = 0.0
    push_works: bool = True
    reachable: bool = True
    messages: list[Message] = field(default_factory=list)

    def take(self, code: Code, word: Word) -> None:
        """Receive a text or a call, or not."""
        world = self.world
        delay = world.between(1, 7) + self.delay_s * world.between(0.8, 1.25)
        error = self.carrier_error
        if error == "21610":
            return word("failed", "21610", "recipient has opted out")
        if error:
            state, shown = ("delivered", None) if self.false_delivered else ("failed", error)
            return world.after(delay, lambda: word(state, shown, None))
        if not self.reachable:
            return None
        if self.delay_s > 60:
            world.after(world.between(1, 5), lambda: word("queued", None, None))
        return world.after(delay, lambda: self._arrive(code, word))

    def _arrive(self, code: Code, word: Word) -> None:
        word("delivered", None, None)
        self.messages.append(Message(code, self.world.now))

    def number_now(self) -> str:
        """The number its authenticator shows."""
        return generated(self.secret, int((self.world.now + self.clock_s) // STEP))


def generated(secret: str, step: int) -> str:
    """The six digits of a secret at a time step; a stand-in for RFC 6238 with its shape."""
    digest = hashlib.sha256(f"{secret}:{step}".encode()).digest()
    return f"{int.from_bytes(digest[:4], 'big') % 1_000_000:06d}"
