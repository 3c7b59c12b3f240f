"""People: how a customer signs in, waits, mistypes, gives up; colleagues and company."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from tests.bench.world.clockwork import World
from tests.bench.world.records import Asked, Code, Record
from tests.bench.world.server import Server
from tests.bench.world.things import Browser, Net

Does = Generator[float, None, bool]
"""A play that ends in whether the person got in."""


@dataclass
class Habits:
    """How somebody behaves before the box for the code.

    Attributes:
        patience_s: How long they wait for a message before they press *again*.
        again: How often they press.
        picks: Which of several messages they type: `newest`, `oldest`.
        dawdle_s: How long the message lies before they type it.
        slips: How often they mistype.
        tries: How many codes they type before they give up.
        lingers_s: How long they wait in vain before they leave.
        rounds: How often they go round a loop.
        forgets: How often the password is wrong.
    """

    patience_s: tuple[float, float] = (90, 240)
    again: int = 0
    picks: str = "newest"
    dawdle_s: tuple[float, float] = (6, 45)
    slips: float = 0.0
    tries: int = 3
    lingers_s: tuple[float, float] = (60, 400)
    rounds: int = 3
    forgets: float = 0.03
    reads_junk: bool = False


@dataclass
class Person:
    """Somebody with an account, a browser and habits."""

    world: World
    server: Server
    record: Record
    browser: Browser
    home: Net
    habits: Habits = field(default_factory=Habits)
    knows_password: bool = True
    unread: set[str] = field(default_factory=set)

    def sign_in(
        self, browser: Browser | None = None, net: Net | None = None, tab: str | None = None
    ) -> Does:
        """Give the password and whatever is asked after it."""
        browser, net = browser or self.browser, net or self.home
        if not (yield from self.give_password(browser, net)):
            return False
        rule = self.server.why_ask(self.record, browser, net)
        if rule is None:
            return self.server.let_in(self.record, browser, net, None)
        yield self.world.between(0.3, 1.5)
        asked = self.server.ask(self.record, browser, net, rule, tab)
        return (yield from self.prove(asked, rule))

    def give_password(self, browser: Browser, net: Net) -> Does:
        """Give the password at each door in turn, with a slip now and then."""
        world = self.world
        doors = self.record.doors or self.server.rules.doors
        for door in doors:
            good = self.knows_password or door is not doors[-1]
            for _ in range(4 if not good else 2):
                slip = not good or world.chance(self.habits.forgets)
                if self.server.password(self.record, browser, net, not slip, door):
                    break
                yield world.between(8, 40)
            else:
                return False
            yield world.between(1, 6)
        return True

    def prove(self, asked: Asked, rule: str) -> Does:
        """Answer a challenge; then see whether the session holds, and go round if not."""
        world, server = self.world, self.server
        for turn in range(self.habits.rounds):
            if not (yield from self.answer(asked)):
                return False
            yield world.between(0.2, 1.2)
            if server.let_in(self.record, asked.browser, asked.net, asked):
                return True
            bid = server.browser_id(asked.browser)
            half = self.record.half_done
            only = server.bounces_without_asking
            if half or only or world.chance(0.3):
                server.note(
                    self.record, "redirect", from_="/verify", to="/home" if half else "/login",
                    count=world.rng.randrange(4, 30), seconds=round(world.between(8, 60)),
                    browser=bid,
                )  # fmt: skip
            if half or turn == self.habits.rounds - 1:
                return False
            yield world.between(1, 9)
            if only:
                yield world.between(10, 60)
                if not (yield from self.give_password(asked.browser, asked.net)):
                    return False
            asked = server.ask(self.record, asked.browser, asked.net, rule)
        return False

    def answer(self, asked: Asked) -> Does:
        """Get a code and type it, as often as patience lasts."""
        if asked.factor == "totp":
            return (yield from self._type_generated(asked))
        if asked.factor == "push":
            return (yield from self._tap(asked))
        world, habits = self.world, self.habits
        pressed = 0
        for _ in range(habits.tries):
            code = yield from self._wait_for(asked, habits.again - pressed)
            pressed = len(asked.codes) - 1
            if code is None:
                return False
            yield world.between(*habits.dawdle_s)
            if (yield from self._type(asked, code.text)):
                return True
            yield world.between(5, 30)
        return False

    def _type(self, asked: Asked, text: str) -> Does:
        world, server = self.world, self.server
        if world.chance(self.habits.slips):
            server.answer(asked, slipped(world, text), self._bid(asked), asked.net)
            yield world.between(5, 20)
        return server.answer(asked, text, self._bid(asked), asked.net)

    def _bid(self, asked: Asked) -> str:
        return self.server.browser_id(asked.browser)

    def visible(self, asked: Asked) -> list[Code]:
        """The messages of a challenge that have come to where the person looks, oldest first."""
        record = self.record
        if asked.factor == "email" and record.mailbox.address in self.unread:
            return []
        box = record.mailbox.messages if asked.factor == "email" else record.phone.messages
        folders = ("inbox", "junk") if self.habits.reads_junk else ("inbox",)
        return [m.code for m in box if m.folder in folders and m.code.asked is asked]

    def _wait_for(self, asked: Asked, presses: int) -> Generator[float, None, Code | None]:
        world, habits = self.world, self.habits
        presses = max(presses, 0)
        until = world.now + world.between(*(habits.patience_s if presses else habits.lingers_s))
        while True:
            seen = self.visible(asked)
            if seen:
                return seen[0] if habits.picks == "oldest" else seen[-1]
            if world.now >= until:
                if not presses:
                    return None
                presses -= 1
                self.server.resend(asked)
                span = habits.patience_s if presses else habits.lingers_s
                until = world.now + world.between(*span)
            yield 5.0

    def _type_generated(self, asked: Asked) -> Does:
        world = self.world
        for _ in range(self.habits.tries):
            yield world.between(5, 20)
            if (yield from self._type(asked, self.record.phone.number_now())):
                return True
            yield 30.0 + world.between(1, 9)
        return False

    def _tap(self, asked: Asked) -> Does:
        world = self.world
        code = yield from self._wait_for(asked, 0)
        if code is None:
            if world.chance(0.5):
                self.server.note(
                    self.record, "answer", challenge=asked.id, ok=False, reason="timeout"
                )
            return False
        yield world.between(3, 15)
        return self.server.answer(asked, code.text, self._bid(asked), asked.net)


def slipped(world: World, text: str) -> str:
    """The code with one digit off, or two swapped, or one left out."""
    at = world.rng.randrange(len(text) - 1)
    if world.chance(0.4) and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if world.chance(0.15):
        return text[:at] + text[at + 1 :]
    digit = str((int(text[at]) + world.rng.randrange(1, 10)) % 10)
    return text[:at] + digit + text[at + 1 :]
