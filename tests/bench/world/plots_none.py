"""Plots in which nothing is wrong: what must not be taken for an attack or a fault."""

from __future__ import annotations

from tests.bench.world.clockwork import DAY, Play
from tests.bench.world.people import Habits
from tests.bench.world.plots_c import usual
from tests.bench.world.plots_ef import _was_reset, known_customer
from tests.bench.world.stage import Stage


def lost_phone(stage: Stage) -> None:
    """A genuine lost phone: nothing foreign, no change, and a call that asks for a reset."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    if world.chance(0.3) and stage.history > 6:
        world.at(
            start - world.between(3, 6) * DAY,
            lambda: server.note(
                me.record, "factor", change="number-changed", factor=stage.factor, by="user",
                ip=stage.home.ip,
            ),
        )  # fmt: skip
    if world.chance(0.3) and stage.history > 4:
        trip = start - world.between(1.5, 4) * DAY
        world.at(trip, stage.sitting(me, net=stage.far("mobile")))

    def lose() -> None:
        me.record.phone.push_works = False
        me.record.phone.reachable = False

    world.at(start - 1800, lose)

    def lost() -> Play:
        if world.chance(0.5):
            me.habits = Habits(tries=1, lingers_s=(30, 90))
            if stage.factor == "totp":
                yield from me.give_password(me.browser, stage.home)
                server.ask(me.record, me.browser, stage.home, "every-login")
                yield 40.0
            else:
                yield from me.sign_in()
        yield world.between(60, 900)
        server.note(me.record, "call", channel="phone", asks="reset", from_=None)

    stage.play(start, lost())


def healthy(stage: Stage) -> None:
    """Nothing is wrong; somebody looks at the user anyway."""
    stage.settle()
    start = stage.begin(max(stage.history, 2))
    stage.healthy()
    stage.play(start, stage.me.sign_in())


def turn_off(stage: Stage) -> None:
    """The customer finds the codes a nuisance and asks to be rid of them."""
    healthy(stage)
    stage.play(stage.trouble + 600, stage.call("turn-off"))


def lost_mailbox(stage: Stage) -> None:
    """The customer no longer gets at the mailbox, and asks to have the address changed."""
    me, world = stage.me, stage.world
    start = usual(stage)
    world.at(start - 1800, lambda: me.unread.add(me.record.mailbox.address))
    me.habits = Habits(lingers_s=(20, 60), forgets=0.0)

    def lost() -> Play:
        if world.chance(0.4):
            yield from stage.me_asked()
        yield from stage.call("change-address")

    stage.play(start, lost())


def own_change(stage: Stage) -> None:
    """The customer changed the number from the usual desk, and signed in with it since."""
    me, world, server = stage.me, stage.world, stage.server
    start = known_customer(stage)

    def change() -> Play:
        yield from me.sign_in()
        yield world.between(60, 600)
        new = f"+1555010{world.rng.randrange(1000, 9999)}"
        me.record.mobile = me.record.phone.number = new
        for what in ("number-changed", "number-confirmed"):
            server.note(me.record, "factor", change=what, factor="sms", by="user", ip=stage.home.ip)
            yield world.between(20, 90)
        yield world.between(900, 4000)
        server.end(me.record, me.browser, "logout")
        yield from me.sign_in()

    stage.play(start, change())


def after_reset(stage: Stage) -> None:
    """The desk reset a lost telephone, and the customer is back: at home, in town, on a journey.

    Nobody is back with a browser and an address that are both new: no log tells them from F4.
    """
    me, world, server = stage.me, stage.world, stage.server
    start = known_customer(stage)
    _was_reset(stage, start - world.between(120, 20_000), world.rng.choice(("all", "one")))
    way = world.rng.choice(("home", "home", "new telephone", "new telephone", "town", "journey"))
    net = {"town": stage.near(), "journey": stage.far("mobile")}.get(way, stage.home)
    browser = stage.new_browser() if way == "new telephone" else me.browser

    def back() -> Play:
        if world.chance(0.5):
            yield from me.give_password(browser, net)
            yield world.between(20, 90)
            server.note(
                me.record, "factor", change="enrolled", factor=stage.factor, by="user", ip=net.ip
            )
        yield from me.sign_in(browser, net)

    stage.play(start, back())
