"""Plots in which the code comes and is refused."""

from __future__ import annotations

from tests.bench.world.clockwork import DAY, Play
from tests.bench.world.people import Habits, Person, slipped
from tests.bench.world.plots_c import usual
from tests.bench.world.records import Asked, Code
from tests.bench.world.stage import Stage
from tests.bench.world.things import STEP, generated


def _asked(stage: Stage) -> Asked:
    """The challenge that a good password leads to."""
    net, browser = stage.where_asked()
    rule = stage.server.why_ask(stage.me.record, browser, net) or "every-login"
    return stage.server.ask(stage.me.record, browser, net, rule)


def _enter(stage: Stage) -> Play:
    net, browser = stage.where_asked()
    yield from stage.me.give_password(browser, net)
    yield 1.0


def _type(stage: Stage, asked: Asked, text: str) -> bool:
    bid = stage.server.browser_id(asked.browser)
    good = stage.server.answer(asked, text, bid, asked.net)
    if good:
        stage.server.let_in(stage.me.record, asked.browser, asked.net, asked)
    return good


def d1(stage: Stage) -> None:
    """The customer is called away and types the code after it has died."""
    world, server = stage.world, stage.server
    start = usual(stage)
    server.life_s = min(server.life_s, 600)

    def late() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            yield from _enter(stage)
            asked = _asked(stage)
            if world.chance(0.4):
                yield server.resend_wait_s + world.between(5, 60)
                server.resend(asked)
            yield server.life_s + world.between(15, 900)
            for _ in range(world.rng.randrange(1, 3)):
                _type(stage, asked, asked.codes[-1].text)
                yield world.between(8, 30)
            if world.chance(0.4):
                return
            yield world.between(20, 90)

    stage.play(start, late())


def d2(stage: Stage) -> None:
    """Several messages lie there, and the customer types one that a newer one has killed."""
    world, server = stage.world, stage.server
    start = usual(stage)
    server.newest_only = True
    server.life_s = max(server.life_s, 300)

    def older() -> Play:
        codes: list[Code] = []
        yield from _enter(stage)
        asked = _asked(stage)
        codes.append(asked.codes[-1])
        for _ in range(world.rng.randrange(1, 3)):
            yield server.resend_wait_s + world.between(8, 50)
            if world.chance(0.25):
                yield from _enter(stage)
                asked = _asked(stage)
                codes.append(asked.codes[-1])
            else:
                more = server.resend(asked)
                codes += [more] if more else []
        yield world.between(8, 40)
        if any(code.asked is not asked for code in codes[:-1]):
            # It is an older code of their own, and by its challenge also one of another try.
            stage.scene.truth.append("D7")
        for code in codes[-2::-1] if world.chance(0.5) else codes[:-1]:
            _type(stage, asked, code.text)
            yield world.between(8, 25)
        if world.chance(0.3):
            _type(stage, asked, codes[-1].text)

    stage.play(start, older())


def d3(stage: Stage) -> None:
    """The customer mistypes."""
    world = stage.world
    start = usual(stage)
    stage.server.tries = 10

    def typing() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            yield from _enter(stage)
            asked = _asked(stage)
            yield world.between(12, 40)
            for _ in range(world.rng.randrange(1, 4)):
                text = _right(stage, asked)
                _type(stage, asked, slipped(world, text))
                yield world.between(6, 25)
            if world.chance(0.7) and _type(stage, asked, _right(stage, asked)):
                return
            yield world.between(20, 90)

    stage.play(start, typing())


def _right(stage: Stage, asked: Asked) -> str:
    """The code that would be right now."""
    if asked.factor == "totp":
        return stage.me.record.phone.number_now()
    return asked.codes[-1].text


def _numbers(stage: Stage, start: float) -> None:
    """The customer types the numbers the app shows."""
    world = stage.world

    def numbers() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            net, browser = stage.where_asked()
            yield from stage.me.sign_in(browser, net)
            yield world.between(20, 90)

    stage.me.habits = Habits(tries=world.rng.randrange(2, 5), forgets=0.0)
    stage.server.tries = 15
    stage.play(start, numbers())


def d4(stage: Stage) -> None:
    """The phone's clock is off."""
    world = stage.world
    start = usual(stage)
    off = world.between(75, 900) * world.rng.choice((1, -1))

    def drifts() -> None:
        stage.me.record.phone.clock_s = off

    world.at(start - 60, drifts)
    _numbers(stage, start)
    if world.chance(0.85):
        company = stage.company(world.rng.randrange(1, 4))
        for person in company:
            stage.settle(person)
            stage.healthy(person)
            stage.play(start + world.between(-900, 300), person.sign_in())


def d4b(stage: Stage) -> None:
    """The server's clock is off, for everybody."""
    world, server = stage.world, stage.server
    start = usual(stage)
    off = world.between(75, 600) * world.rng.choice((1, -1))
    world.at(start - world.between(60, 1800), lambda: setattr(server, "clock_s", off))
    _numbers(stage, start)
    for person in stage.company(world.rng.randrange(3, 7)):
        stage.settle(person)
        stage.healthy(person)
        person.habits.tries = world.rng.randrange(2, 4)
        used = stage.new_browser() if server.mode == "device" else person.browser
        stage.play(start + world.between(-60, 400), person.sign_in(used))


def d5(stage: Stage) -> None:
    """The factor was enrolled anew, and the app still shows the old entry."""
    me, world, server = stage.me, stage.world, stage.server
    if world.chance(0.25):
        # Another account's entry in the app, from the first day: nothing was ever accepted.
        me.record.phone.secret = f"n{world.rng.random()}"
        stage.settle()
        start = stage.begin(0)
        me.record.factors[0]["since"] = -world.between(300, 2 * DAY)
        return _numbers(stage, start)
    start = usual(stage)

    def anew() -> None:
        if world.chance(0.4):
            server.note(me.record, "factor", change="removed", factor="totp", by="administrator")
        me.record.secret = f"n{world.rng.random()}"
        me.record.factors[0]["since"] = world.now
        server.note(
            me.record, "factor", change="enrolled", factor="totp", by="user", ip=stage.home.ip
        )

    world.at(start - world.between(300, 2 * DAY), anew)
    return _numbers(stage, start)


def d6(stage: Stage) -> None:
    """The customer signs in twice within one half minute, with the same number."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    me.record.phone.clock_s = world.between(-3, 3)
    net, browser = stage.where_asked()

    def twice() -> Play:
        step = (start // STEP + 1) * STEP + 3
        yield step - world.now
        for turn in range(world.rng.randrange(2, 4)):
            server.password(me.record, browser, net, ok=True, door=server.door(me.record))
            asked = server.ask(me.record, browser, net, "every-login")
            yield world.between(3, 5)
            text = generated(me.record.secret, int((step + me.record.phone.clock_s + 3) // STEP))
            good = _type(stage, asked, text)
            yield 1.0
            if turn and world.chance(0.5):
                _type(stage, asked, text)
            yield world.between(1, 3)
            if good and world.chance(0.5):
                server.end(me.record, browser, "logout")

    stage.play(start, twice())


def d7(stage: Stage) -> None:
    """A colleague signs in at the same time, and the two take each other's code."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    other = stage.company(1)[0]
    other.record.account = me.record.account
    other.record.mailbox = me.record.mailbox
    shared_login = world.chance(0.5)
    record = me.record if shared_login else other.record
    colleague = Person(world, server, record, other.browser, stage.home)
    there = stage.near("home") if world.chance(0.6) and stage.history else stage.home
    colleague.home = there
    stage.healthy(colleague)
    me.habits.forgets = 0.0

    def both() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            server.password(record, other.browser, there, ok=True, door=server.door(record))
            theirs = server.ask(record, other.browser, there, _rule(stage))
            yield world.between(4, 40)
            yield from _enter(stage)
            mine = _asked(stage)
            yield world.between(10, 40)
            if world.chance(0.6):
                _type(stage, mine, theirs.codes[-1].text)
            else:
                server.answer(mine, mine.codes[-1].text, server.browser_id(other.browser), there)
                yield world.between(5, 15)
                _type(stage, mine, mine.codes[-1].text)
            yield world.between(5, 20)
            _type(stage, mine, theirs.codes[-1].text)
            yield world.between(60, 200)

    stage.play(start, both())


def _rule(stage: Stage) -> str:
    return "every-login" if stage.server.mode == "every-login" else stage.server.new_browser_word


def d8(stage: Stage) -> None:
    """The customer's mail filter opens each message and so uses the code up."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    filter_net = stage.far()
    quiet = world.chance(0.3)

    def scan(code: Code) -> None:
        server.note(
            me.record, "fetch", send=code.send, ip=filter_net.ip,
            agent=world.rng.choice(("SafeLinks/2", "MailScan/7.1", "python-client/3")),
        )  # fmt: skip
        asked = code.asked
        if asked is not None:
            if quiet:
                code.used = True
            else:
                net = filter_net
                world.after(0.5, lambda: server.answer(asked, code.text, None, net))

    world.at(start - 20, lambda: setattr(me.record.mailbox, "scanner", scan))

    def spent() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            yield from _enter(stage)
            asked = _asked(stage)
            yield world.between(25, 60)
            for _ in range(world.rng.randrange(1, 3)):
                _type(stage, asked, asked.codes[-1].text)
                yield world.between(6, 20)
            yield world.between(20, 100)

    stage.play(start, spent())


def _right_while_locked(stage: Stage, at: float) -> None:
    world = stage.world

    def right() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            if not (
                yield from stage.me.give_password(stage.where_asked()[1], stage.where_asked()[0])
            ):
                return
            asked = _asked(stage)
            yield world.between(12, 40)
            for _ in range(world.rng.randrange(1, 3)):
                _type(stage, asked, _right(stage, asked))
                yield 31.0 if asked.factor == "totp" else world.between(8, 30)

    stage.me.habits.forgets = 0.0
    stage.play(at, right())
    stage.scene.linger_s = world.between(20, 200)


def d9(stage: Stage) -> None:
    """Too many wrong answers lock the user; then the right ones are refused."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    server.locks_at_password = world.chance(0.2)
    server.lock_s = max(server.lock_s, 1800)

    def wrong() -> Play:
        for _ in range(4):
            yield from _enter(stage)
            asked = _asked(stage)
            for _ in range(5):
                yield world.between(8, 25)
                _type(stage, asked, f"{world.rng.randrange(1_000_000):06d}")
                if me.record.locked_until > world.now:
                    return

    stage.play(start, wrong())
    _right_while_locked(stage, start + 700)


def d10(stage: Stage) -> None:
    """A slip now and then over weeks: the counter never forgets, and one day it locks."""
    me, world, server = stage.me, stage.world, stage.server
    stage.settle()
    start = stage.begin(world.rng.randrange(14, 26))
    server.never_forgets_failures = True
    server.tries = 10
    server.lock_s = max(server.lock_s, 1800)
    days = sorted(world.rng.sample(range(stage.history), 9))

    def slip(last: bool) -> Play:
        net, browser = stage.where_asked()
        if server.mode == "device":
            browser.jar.pop("trust", None)
        if server.mode == "ip":
            server.account_ips[me.record.account].discard(net.ip)
        yield from _enter(stage)
        asked = _asked(stage)
        yield world.between(10, 30)
        _type(stage, asked, slipped(world, _right(stage, asked)))
        yield world.between(6, 20)
        if not last:
            _type(stage, asked, _right(stage, asked))

    me.habits.forgets = 0.0
    for day in days:
        world.at(day * DAY + world.between(7, 15) * 3600, slip(last=False))
    stage.play(start, slip(last=True))
    _right_while_locked(stage, start + world.between(60, 300))
