"""Plots in which two causes befall one customer, or one in another way."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.world.clockwork import Play
from tests.bench.world.people import Habits, slipped
from tests.bench.world.plots_ab import a1, b1, b5
from tests.bench.world.plots_c import c1, usual
from tests.bench.world.plots_d import _asked, _enter, _right_while_locked, _type
from tests.bench.world.plots_ef import f1, f4_reset
from tests.bench.world.products import AC, ALL, CC, LG, PP, S2
from tests.bench.world.stage import Stage


def _slow(stage: Stage, seconds: float) -> None:
    record = stage.me.record
    record.mailbox.greylist_s = record.phone.delay_s = seconds


def slow_then_older(stage: Stage) -> None:
    """Mail is slow, so the customer asks again, and types the first that comes."""
    world, server = stage.world, stage.server
    start = usual(stage)
    server.newest_only, server.life_s, server.resend_wait_s = True, 900, 30
    if stage.product == PP:
        server.life_s = 300
    slow = world.between(150, 230)
    world.at(start - 10, lambda: _slow(stage, slow))

    def older() -> Play:
        yield from _enter(stage)
        asked = _asked(stage)
        for _ in range(world.rng.randrange(1, 3)):
            yield world.between(60, 100)
            server.resend(asked)
        while not stage.me.visible(asked):
            yield 5.0
        yield world.between(5, 20)
        first = stage.me.visible(asked)[0]
        for _ in range(world.rng.randrange(1, 3)):
            _type(stage, asked, first.text)
            yield world.between(6, 20)

    stage.play(start, older())


def slow_then_expired(stage: Stage) -> None:
    """Mail takes longer than the code lives."""
    world, server = stage.world, stage.server
    start = usual(stage)
    server.life_s = min(server.life_s, 300)
    slow = server.life_s * world.between(1.5, 2.5)
    world.at(start - 10, lambda: _slow(stage, slow))

    def late() -> Play:
        yield from _enter(stage)
        asked = _asked(stage)
        while not stage.me.visible(asked):
            yield 5.0
        yield world.between(10, 40)
        for _ in range(world.rng.randrange(1, 3)):
            _type(stage, asked, asked.codes[-1].text)
            yield world.between(6, 20)

    stage.play(start, late())


def slips_then_locked(stage: Stage) -> None:
    """The customer mistypes until the lock comes, and then types it right."""
    world, server, me = stage.world, stage.server, stage.me
    start = usual(stage)
    server.tries, server.lock_s = 5, 3600
    me.habits = Habits(slips=1.0, forgets=0.0)

    def typing() -> Play:
        while me.record.locked_until <= world.now:
            yield from _enter(stage)
            asked = _asked(stage)
            for _ in range(3):
                yield world.between(8, 30)
                _type(stage, asked, slipped(world, asked.codes[-1].text))

    stage.play(start, typing())
    _right_while_locked(stage, start + 900)


def typing(stage: Stage, base: Callable[[Stage], None]) -> None:
    """A plot whose customer also mistypes now and then."""
    base(stage)
    stage.server.tries = 30
    stage.me.habits.slips = 0.8


def b1_d3(stage: Stage) -> None:
    """Cookies cleared on closing, and slips."""
    typing(stage, b1)


def a1_d3(stage: Stage) -> None:
    """Asked at each login, and slips."""
    typing(stage, a1)


def b5_d3(stage: Stage) -> None:
    """A changing address, and slips."""
    typing(stage, b5)


def c1_c10(stage: Stage) -> None:
    """Codes go elsewhere, and the customer presses *again* until refused."""
    c1(stage)
    stage.server.resends_an_hour = 2
    stage.me.habits = Habits(again=6, patience_s=(31, 60), forgets=0.0)


def f1_d3(stage: Stage) -> None:
    """Somebody far away has the password; the customer mistypes meanwhile."""
    f1(stage)
    stage.server.tries = 30
    stage.me.habits.slips = 1.0
    stage.play(stage.trouble + 700, stage.me_asked())


def drift_then_locked(stage: Stage) -> None:
    """A phone whose clock is off, tried until the lock comes."""
    world, server, me = stage.world, stage.server, stage.me
    start = usual(stage)
    server.tries, server.lock_s = 5, 3600
    off = world.between(75, 900) * world.rng.choice((1, -1))
    world.at(start - 60, lambda: setattr(me.record.phone, "clock_s", off))
    me.habits = Habits(tries=6, forgets=0.0)

    def trying() -> Play:
        while me.record.locked_until <= world.now:
            yield from stage.me_asked()
            yield world.between(10, 40)

    stage.play(start, trying())
    stage.scene.linger_s = world.between(20, 300)


def away_and_late(stage: Stage) -> None:
    """The customer travels, and types the code after it has died."""
    world, server, me = stage.world, stage.server, stage.me
    stage.settle()
    start = stage.begin()
    stage.healthy()
    server.life_s = min(server.life_s, 600)
    away = stage.far("mobile")

    def late() -> Play:
        yield from me.give_password(me.browser, away)
        asked = server.ask(me.record, me.browser, away, server.new_ip_word)
        yield server.life_s + world.between(15, 600)
        for _ in range(world.rng.randrange(1, 3)):
            server.answer(asked, asked.codes[-1].text, server.browser_id(me.browser), away)
            yield world.between(8, 30)

    stage.play(start, late())


def new_browser_and_junk(stage: Stage) -> None:
    """A new browser is asked, and the code lies in junk."""
    stage.settle()
    start = stage.begin(max(stage.history, 2))
    stage.healthy()
    stage.world.at(start - 60, lambda: setattr(stage.me.record.mailbox, "junks", True))
    stage.play(start, stage.me.sign_in(stage.new_browser()))


TWO: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Stage], None]]] = {
    "D2+C3": (("D2", "C3"), ALL, slow_then_older),
    "C3+D1": (("C3", "D1"), ALL, slow_then_expired),
    "D9+D3": (("D9", "D3"), ALL, slips_then_locked),
    "B1+D3": (("B1", "D3"), (AC,), b1_d3),
    "A1+D3": (("A1", "D3"), (AC, PP, CC, LG), a1_d3),
    "B5+D3": (("B5", "D3"), (AC, S2), b5_d3),
    "C1+C10": (("C1", "C10"), (PP, AC), c1_c10),
    "D9+D4": (("D9", "D4"), (CC, LG), drift_then_locked),
    "D1+A2": (("D1", "A2"), (AC, S2), away_and_late),
    "C2+A3": (("C2", "A3"), (AC,), new_browser_and_junk),
    "F4+reset": (("F4",), ALL, f4_reset),
    "F1+D3": (("F1", "D3"), (AC, PP, CC, S2, LG), f1_d3),
}
"""By name: the truth, main first; the products; the plot."""
