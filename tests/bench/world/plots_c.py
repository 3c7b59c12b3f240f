"""Plots in which no code comes."""

from __future__ import annotations

from tests.bench.world.clockwork import Play
from tests.bench.world.people import Habits
from tests.bench.world.stage import Stage
from tests.bench.world.things import Mailbox


def usual(stage: Stage) -> float:
    stage.settle()
    start = stage.begin()
    stage.healthy()
    return start


def _tries(stage: Stage, start: float, times: int | None = None) -> None:
    """The customer signs in, once or a few times, and waits for what is asked."""
    world = stage.world
    count = times if times is not None else world.rng.randrange(1, 4)

    def tries() -> Play:
        for turn in range(count):
            if turn:
                yield world.between(60, 400)
            if (yield from stage.me_asked()) and world.chance(0.8):
                return

    stage.play(start, tries())


def c1(stage: Stage) -> None:
    """Codes go to an address the customer does not read."""
    me, world = stage.me, stage.world
    host = me.record.login.partition("@")[2]
    word = world.rng.choice(("mfa", "office", "billing", "info"))
    other = Mailbox(world, f"{word}@{host}")
    start = stage.begin()
    stage.settle()
    me.habits.again = world.rng.randrange(0, 3)

    me.unread.add(other.address)

    def moved() -> None:
        me.record.mailbox = other
        stage.server.note(me.record, "factor", change="address-changed", factor="email",
                          by=world.rng.choice(("administrator", "agent")))  # fmt: skip

    if world.chance(0.5):
        stage.healthy()
        world.at(start - world.between(3600, 80_000), moved)
    else:
        me.record.mailbox = other
    _tries(stage, start)


def c2(stage: Stage) -> None:
    """The customer's mail program puts the codes into junk."""
    me, world = stage.me, stage.world
    start = usual(stage)
    me.habits.again = world.rng.randrange(0, 2)

    def learn() -> None:
        me.record.mailbox.junks = True

    world.at(start - world.between(60, 40_000), learn)
    _tries(stage, start)
    if world.chance(0.3):
        stage.scene.replies = [("C2", "yes, it was in the junk folder")]


def c3(stage: Stage) -> None:
    """The mail server greylists, or the carrier is slow."""
    me, world = stage.me, stage.world
    start = usual(stage)
    slow = world.between(240, 900)
    me.habits = Habits(lingers_s=(60, 400), again=0, forgets=0.0)

    def slower() -> None:
        if stage.factor == "email":
            me.record.mailbox.greylist_s = slow
        else:
            me.record.phone.delay_s = slow

    world.at(start - 30, slower)
    stage.server.life_s = max(stage.server.life_s, 300)
    _tries(stage, start, 1)
    stage.scene.linger_s = world.between(20, 1.4 * slow)


def c4(stage: Stage) -> None:
    """The address bounces, then is on the suppression list."""
    me, world = stage.me, stage.world
    start = usual(stage)
    me.habits.again = world.rng.randrange(0, 3)

    def bounce() -> None:
        if world.chance(0.4):
            me.record.mailbox.suppressed = True
        me.record.mailbox.bounces = world.rng.choice(("550", "552", "5.1.1", "554"))

    world.at(start - world.between(60, 40_000), bounce)
    _tries(stage, start)


def c5(stage: Stage) -> None:
    """The sender stands still, for everybody."""
    world, server = stage.world, stage.server
    start = usual(stage)
    company = stage.company(world.rng.randrange(3, 9))
    server.mail_down = [(start - world.between(120, 900), start + 20_000)]
    if world.chance(0.4):
        server.mail_down_says = world.rng.choice(
            ("abandoned after 6 attempts", "queue full", "no route to provider")
        )
    _tries(stage, start)
    for person in company:
        stage.settle(person)
        stage.healthy(person)
        used = stage.new_browser() if server.mode == "device" else person.browser
        net = stage.near() if server.mode == "ip" else person.home
        stage.play(start + world.between(-100, 400), person.sign_in(used, net))


def c6(stage: Stage) -> None:
    """The carrier does not deliver to this number."""
    me, world = stage.me, stage.world
    start = usual(stage)
    me.habits.again = world.rng.randrange(0, 2)
    error = world.rng.choice(("30003", "30005", "30006", "30007", "30008", "21610"))

    def cut() -> None:
        me.record.phone.carrier_error = error

    world.at(start - world.between(60, 60_000), cut)
    _tries(stage, start)


def c7(stage: Stage) -> None:
    """The number is missing, or was changed to one that is not the customer's."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    me.habits.again = world.rng.randrange(0, 2)

    def change() -> None:
        if world.chance(0.3):
            me.record.mobile = None
            return
        good = me.record.mobile or ""
        me.record.mobile = good[:-1] + str((int(good[-1]) + world.rng.randrange(1, 9)) % 10)
        server.note(
            me.record, "factor", change="number-changed", factor=stage.factor,
            by=world.rng.choice(("user", "administrator")), ip=stage.home.ip,
        )  # fmt: skip
        if stage.product == "sms-2fa" or world.chance(0.3):
            server.send(None, me.record, "confirmation")

    world.at(start - world.between(600, 60_000), change)
    _tries(stage, start)


def c8(stage: Stage) -> None:
    """The app is gone from the phone, or may not notify."""
    me, world = stage.me, stage.world
    start = usual(stage)

    def gone() -> None:
        me.record.phone.push_works = False

    world.at(start - world.between(60, 200_000), gone)
    _tries(stage, start)


def c9(stage: Stage) -> None:
    """The mail program fetches seldom, or not at all."""
    me, world = stage.me, stage.world
    start = usual(stage)
    me.habits.again = world.rng.randrange(0, 2)

    def stop() -> None:
        me.record.mailbox.fetch_every_s = world.rng.choice((3600.0, 7200.0, 36_000.0))

    world.at(start - 40, stop)
    _tries(stage, start)
    stage.scene.replies = [("C9", "yes, all my other mail is late too")]


def c10(stage: Stage) -> None:
    """The customer presses *again* faster than the server lets them."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    hourly = world.chance(0.5)
    server.resends_an_hour = world.rng.choice((2, 3, 5)) if hourly else 20
    server.resend_wait_s = 30 if hourly else world.rng.choice((120, 300, 600))
    me.habits = Habits(forgets=0.0)
    net, browser = stage.where_asked()

    def press() -> Play:
        yield from me.give_password(browser, net)
        rule = server.why_ask(me.record, browser, net) or "every-login"
        asked = server.ask(me.record, browser, net, rule)
        refused = 0
        for _ in range(14):
            yield world.between(31, 50) if hourly else world.between(5, 20)
            refused += server.resend(asked) is None
            if refused >= world.rng.randrange(2, 5):
                return

    if hourly and stage.factor == "email":
        # They press because nothing is in the inbox.
        world.at(start - 1, lambda: setattr(me.record.mailbox, "junks", True))
        stage.scene.truth.append("C2")
    elif hourly:
        world.at(start - 1, lambda: setattr(me.record.phone, "delay_s", 600.0))
        stage.scene.truth.append("C3")
    stage.play(start, press())
    stage.scene.linger_s = world.between(5, 60)


def c11(stage: Stage) -> None:
    """The password is wrong, so no code was ever asked for."""
    start = usual(stage)
    stage.world.at(start - 5, lambda: setattr(stage.me, "knows_password", False))
    _tries(stage, start)


def c12(stage: Stage) -> None:
    """The customer waits for a message; the code is made by an app on the phone."""
    me, world, server = stage.me, stage.world, stage.server
    new = world.chance(0.6)
    if new:
        stage.settle()
        start = stage.begin()
    else:
        start = usual(stage)
    net, browser = stage.where_asked()

    def waits() -> Play:
        for _ in range(world.rng.randrange(1, 4)):
            yield from me.give_password(browser, net)
            rule = server.why_ask(me.record, browser, net) or "every-login"
            asked = server.ask(me.record, browser, net, rule)
            yield world.between(90, 500)
            if world.chance(0.3):
                server.resend_wait_s = 0
                server.note(me.record, "resend", challenge=asked.id, allowed=False)

    stage.play(start, waits())


def c13(stage: Stage) -> None:
    """The SMS that confirms a new number is typed in as a login code."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    net, browser = stage.where_asked()
    net = net if world.chance(0.6) else stage.home

    def change() -> Play:
        new = f"+1555010{world.rng.randrange(1000, 9999)}"
        me.record.mobile = me.record.phone.number = new
        server.note(
            me.record, "factor", change="number-changed", factor="sms", by="user", ip=stage.home.ip
        )
        code = server.send(None, me.record, "confirmation")
        yield world.between(60, 400)
        if net is not stage.home:
            yield from me.give_password(browser, net)
            asked = server.ask(me.record, browser, net, "new-ip")
        else:
            asked = server.ask(me.record, browser, net, "export")
        me.record.phone.reachable = world.chance(0.5)
        for _ in range(world.rng.randrange(1, 4)):
            yield world.between(15, 60)
            server.answer(asked, code.text, server.browser_id(browser), net)

    stage.play(start, change())


def c14(stage: Stage) -> None:
    """The box was ticked and the number confirmed, and nobody pressed Save."""
    me, world, server = stage.me, stage.world, stage.server
    me.record.mfa = False
    me.record.factors = [{"id": "f1", "kind": "sms", "state": "pending"}]
    start = stage.begin()
    stage.healthy()

    def tick() -> Play:
        yield from me.sign_in()
        yield world.between(60, 300)
        if world.chance(0.7):
            server.note(
                me.record, "factor", change="number-changed", factor="sms", by="user",
                ip=stage.home.ip,
            )  # fmt: skip
        server.send(None, me.record, "confirmation")
        yield world.between(20, 90)
        server.note(
            me.record, "factor", change="number-confirmed", factor="sms", by="user",
            ip=stage.home.ip,
        )  # fmt: skip
        for _ in range(world.rng.randrange(1, 4)):
            yield world.between(600, 3000)
            server.end(me.record, me.browser, "logout")
            yield from me.sign_in(net=None if world.chance(0.5) else stage.near())

    stage.play(start, tick())
