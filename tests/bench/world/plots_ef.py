"""Plots in which the code is accepted and yet one is not in, and plots with an attacker."""

from __future__ import annotations

from tests.bench.world.clockwork import Play
from tests.bench.world.people import Habits
from tests.bench.world.plots_c import usual
from tests.bench.world.products import RULES
from tests.bench.world.records import Record
from tests.bench.world.stage import Stage
from tests.bench.world.things import Browser, Net


def _harmless_company(stage: Stage, start: float, share: float = 0.85) -> None:
    """Others who sign in at about the same time, without trouble."""
    if not stage.world.chance(share):
        return
    for person in stage.company(stage.world.rng.randrange(1, 5)):
        stage.settle(person)
        stage.healthy(person)
        stage.play(start + stage.world.between(-1800, 300), person.sign_in())


def e1(stage: Stage) -> None:
    """The server drops this customer's session as soon as it is made."""
    me, world = stage.me, stage.world
    start = usual(stage)
    world.at(start - 10, lambda: setattr(me.record, "drops_sessions", True))
    me.habits = Habits(rounds=world.rng.randrange(2, 5), forgets=0.0)
    stage.play(start, stage.me_asked())
    if world.chance(0.4):
        stage.play(start + world.between(900, 1800), stage.me_asked())
    _harmless_company(stage, start)


def e2(stage: Stage) -> None:
    """A release leaves browsers with an old cookie in a loop."""
    me, world, server = stage.me, stage.world, stage.server
    stage.settle()
    start = stage.begin(max(stage.history, 2))
    stage.healthy()
    release = start - world.between(600, 20_000)
    world.at(release, lambda: setattr(server, "stale_before", release))
    me.habits = Habits(rounds=world.rng.randrange(2, 4), forgets=0.0)
    lost = server.mode == "device"

    def again(who_browser: Browser) -> None:
        if lost:
            who_browser.jar.pop("trust", None)
            who_browser.keep("legacy", "1", "")
            who_browser.jar["legacy"].set_at = 0.0

    world.at(start - 1, lambda: again(me.browser))
    net = stage.where_asked()[0] if server.mode == "ip" else stage.home
    stage.play(start, me.sign_in(me.browser, net))
    if world.chance(0.5):
        window = Browser(world, me.browser.kind, me.browser.version)
        window.private = True
        stage.play(start + world.between(900, 1500), me.sign_in(window, net))
    for person in stage.company(world.rng.randrange(3, 7)):
        stage.settle(person)
        stage.healthy(person)
        person.habits.rounds = 2
        at = start + world.between(-500, 500)
        used = person.browser if world.chance(0.75) else stage.new_browser()
        world.at(at - 1, lambda b=used: again(b))  # type: ignore[misc]
        place = stage.near() if server.mode == "ip" else person.home
        stage.play(at, person.sign_in(used, place))


def e3(stage: Stage) -> None:
    """A session stays at the first level: half signed in, sent between two pages."""
    me, world = stage.me, stage.world
    start = usual(stage)
    world.at(start - 10, lambda: setattr(me.record, "half_done", True))
    me.habits.forgets = 0.0
    for turn in range(world.rng.randrange(1, 3)):
        stage.play(start + turn * world.between(300, 900), stage.me_asked())


def _was_reset(stage: Stage, at: float, scope: str = "all") -> None:
    """An administrator or agent resets the factors."""
    me, world, server = stage.me, stage.world, stage.server
    by = world.rng.choice(("administrator", "agent", "user"))

    def reset() -> None:
        server.note(me.record, "reset", ok=True, by=by, scope=scope)
        if world.chance(0.6):
            server.note(me.record, "factor", change="removed", factor=stage.factor, by=by)

    world.at(at, reset)


def e4(stage: Stage) -> None:
    """After a reset the product wants a method chosen before it lets on."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    if world.chance(0.7):
        _was_reset(stage, start - world.between(120, 40_000))

    def wanted() -> Play:
        me.record.factors = []
        for turn in range(world.rng.randrange(1, 4)):
            yield from me.give_password(me.browser, stage.home)
            bid = server.browser_id(me.browser)
            yield 1.0
            if not turn or world.chance(0.5):
                server.note(me.record, "factor", change="must-enrol", by="system")
            if world.chance(0.6):
                server.note(
                    me.record, "session", state="created", browser=bid, ip=stage.home.ip, level=1
                )
            if world.chance(0.6):
                server.note(
                    me.record, "redirect", from_="/home", to="/enrol",
                    count=world.rng.randrange(2, 9), seconds=round(world.between(8, 60)),
                    browser=bid,
                )  # fmt: skip
            yield world.between(60, 400)

    me.habits.forgets = 0.0
    stage.play(start, wanted())


def e5(stage: Stage) -> None:
    """A fraud block or policy stands behind the factors, so that a reset changed nothing."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage)
    why = world.rng.choice(("fraud", "policy", "fraud"))
    reset_at = start - world.between(120, 10_000)

    def block() -> None:
        if why == "fraud" and world.chance(0.5):
            server.note(me.record, "report", what="not-me", factor=stage.factor)
        me.record.refused_always = why
        if world.chance(0.6):
            server.note(me.record, "lock", from_=world.now, cause=why)

    world.at(reset_at - world.between(600, 40_000), block)
    _was_reset(stage, reset_at)

    def anew() -> None:
        if world.chance(0.6):
            server.note(
                me.record, "factor", change="enrolled", factor=stage.factor, by="user",
                ip=stage.home.ip,
            )  # fmt: skip

    world.at(reset_at + 60, anew)
    me.habits.forgets = 0.0
    me.habits.tries = world.rng.randrange(1, 3)
    if world.chance(0.3):
        me.knows_password = True

        def refused() -> Play:
            for _ in range(world.rng.randrange(2, 4)):
                door = server.door(me.record)
                server.password(me.record, me.browser, stage.home, ok=False, door=door)
                yield world.between(20, 90)

        stage.play(start, refused())
    else:
        net, browser = stage.where_asked()
        for turn in range(world.rng.randrange(1, 3)):
            stage.play(start + turn * 400, me.sign_in(browser, net))


def e6(stage: Stage) -> None:
    """The customer signs in at the door of another product."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage) if world.chance(0.6) else stage.begin(0)
    door = server.rules.other_door
    if not stage.history:
        # Only the door's own name can tell, so it is one that does.
        door = RULES[stage.product].other_door
    odd = server.rules.odd_role
    if odd and world.chance(0.4):
        me.record.role = odd
        me.record.factors = []

    def knocks() -> Play:
        for _ in range(world.rng.randrange(2, 5)):
            server.password(
                me.record, me.browser, stage.home, ok=True, door=door,
                known=False,
            )  # fmt: skip
            yield world.between(15, 120)

    stage.play(start, knocks())


# -- hostile ---------------------------------------------------------------------------------


def known_customer(stage: Stage) -> float:
    """Some days on which the customer signed in from home, so that a stranger stands out."""
    stage.history = max(stage.history, 2)
    stage.settle()
    start = stage.begin()
    stage.healthy(share=1.0)
    return start


def _break_in(stage: Stage, net: Net, times: int, who: Record | None = None) -> Play:
    """An attacker who has the password signs in until the code stops them."""
    world, server = stage.world, stage.server
    record = who or stage.me.record
    browser = stage.new_browser()
    for _ in range(times):
        door = server.door(record)
        if world.chance(0.3):
            server.password(record, browser, net, ok=False, door=door)
            yield world.between(5, 30)
        if not server.password(record, browser, net, ok=True, door=door):
            return
        rule = server.why_ask(record, browser, net) or "risk"
        yield 1.0
        asked = server.ask(record, browser, net, rule)
        if world.chance(0.3):
            yield world.between(20, 60)
            guess = f"{world.rng.randrange(1_000_000):06d}"
            server.answer(asked, guess, server.browser_id(browser), net)
        yield world.between(40, 900)


def f1(stage: Stage) -> None:
    """Somebody far away has the password; the customer only sees the codes come."""
    world = stage.world
    start = known_customer(stage)
    net = stage.far(world.rng.choice(("hosting", "hosting", "vpn", "mobile")))
    stage.play(start, _break_in(stage, net, world.rng.randrange(1, 5)))
    if world.chance(0.3):
        stage.play(start + world.between(30, 600), stage.me.sign_in())


def f2(stage: Stage) -> None:
    """Push after push that the customer did not ask for."""
    me, world, server = stage.me, stage.world, stage.server
    start = usual(stage) if world.chance(0.3) else known_customer(stage)
    net = stage.far(world.rng.choice(("hosting", "hosting", "vpn")))
    browser = stage.new_browser()

    def flood() -> Play:
        for turn in range(world.rng.randrange(5, 16)):
            server.password(me.record, browser, net, ok=True, door=server.door(me.record))
            asked = server.ask(me.record, browser, net, server.why_ask(me.record, browser, net)
                               or "risk")  # fmt: skip
            yield world.between(6, 40)
            if world.chance(0.6):
                server.note(me.record, "answer", challenge=asked.id, ok=False, reason="declined")
                if world.chance(0.3) or turn == 4:
                    what = world.rng.choice(("not-me", "declined"))
                    server.note(me.record, "report", what=what, factor="push")
            else:
                server.note(me.record, "answer", challenge=asked.id, ok=False, reason="timeout")
            yield world.between(2, 60)
        if world.chance(0.12):
            asked = server.ask(me.record, browser, net, "risk")
            yield 9.0
            bid = server.browser_id(browser)
            if server.answer(asked, asked.codes[-1].text, bid, net):
                server.let_in(me.record, browser, net, asked)

    stage.play(start, flood())


def _change(stage: Stage, net: Net) -> None:
    """The attacker's number or address takes the place of the customer's."""
    me, world, server = stage.me, stage.world, stage.server
    mail = stage.factor == "email"
    by = world.rng.choice(("user", "user", "agent"))
    if mail:
        me.record.mailbox.address = f"x{world.rng.randrange(99)}@mailbox.example"
    else:
        me.record.mobile = f"+1555019{world.rng.randrange(1000, 9999)}"
    server.note(
        me.record, "factor", change="address-changed" if mail else "number-changed",
        factor=stage.factor, by=by, ip=net.ip if by == "user" else None,
    )  # fmt: skip
    if not mail and by == "user" and world.chance(0.5):
        server.send(None, me.record, "confirmation")
        server.note(
            me.record, "factor", change="number-confirmed", factor=stage.factor, by=by, ip=net.ip
        )


def f3(stage: Stage) -> None:
    """The one who calls is not the customer."""
    me, world, server = stage.me, stage.world, stage.server
    start = known_customer(stage)
    net = stage.far(world.rng.choice(("hosting", "vpn", "mobile")))
    ways = ("failures", "change", "both") if stage.factor != "totp" else ("failures",)
    way = world.rng.choice(ways)
    browser = stage.new_browser()

    def fails() -> Play:
        for _ in range(world.rng.randrange(3, 8)):
            server.password(me.record, browser, net, ok=False, door=server.door(me.record))
            yield world.between(5, 60)
        if world.chance(0.4):
            stage.scene.truth.append("F1")
            yield from _break_in(stage, net, 1)

    def calls() -> Play:
        if way != "change":
            yield from fails()
        if way != "failures":
            yield world.between(60, 3000)
            _change(stage, net)
        yield world.between(120, 2400)
        asks = world.rng.choice(("reset", "reset", "turn-off", "change-number", "change-address"))
        origin = None if me.record.mobile is None else f"•••{me.record.mobile[-2:]}"
        server.note(
            me.record, "call", channel=world.rng.choice(("phone", "chat")), asks=asks, from_=origin
        )

    stage.play(start, calls())
    stage.scene.linger_s = world.between(10, 300)


def f4(stage: Stage) -> None:
    """Number or mailbox is the attacker's now; they sign in and take the contacts."""
    me, world, server = stage.me, stage.world, stage.server
    start = known_customer(stage)
    net = stage.far(world.rng.choice(("hosting", "vpn", "mobile")))
    browser = stage.new_browser()

    def takes() -> Play:
        _change(stage, net)
        yield world.between(120, 3600)
        server.password(me.record, browser, net, ok=True, door=server.door(me.record))
        asked = server.ask(me.record, browser, net, server.why_ask(me.record, browser, net)
                           or "risk")  # fmt: skip
        yield world.between(15, 60)
        totp = asked.factor == "totp"
        text = me.record.phone.number_now() if totp else asked.codes[-1].text
        bid = server.browser_id(browser)
        if server.answer(asked, text, bid, net):
            server.let_in(me.record, browser, net, asked)
        for _ in range(world.rng.randrange(1, 4) if world.chance(0.88) else 0):
            yield world.between(40, 600)
            server.note(me.record, "export", ok=True, ip=net.ip, browser=bid)
        if world.chance(0.5):
            yield world.between(600, 4000)
            server.note(me.record, "call", channel="phone", asks="code")

    stage.play(start, takes())


def f4_reset(stage: Stage) -> None:
    """The desk was talked into a reset, and whoever did the talking comes in first."""
    me, world, server = stage.me, stage.world, stage.server
    start = known_customer(stage)
    net = stage.far(world.rng.choice(("hosting", "vpn", "mobile")))
    browser = stage.new_browser()
    _was_reset(stage, start - world.between(120, 20_000))

    def takes() -> Play:
        server.password(me.record, browser, net, ok=True, door=server.door(me.record))
        if world.chance(0.4):
            yield world.between(20, 90)
            server.note(
                me.record, "factor", change="enrolled", factor=stage.factor, by="user", ip=net.ip
            )
        asked = server.ask(me.record, browser, net, server.why_ask(me.record, browser, net)
                           or "risk")  # fmt: skip
        yield world.between(15, 60)
        if server.answer(asked, asked.codes[-1].text, server.browser_id(browser), net):
            server.let_in(me.record, browser, net, asked)
        if world.chance(0.3):
            yield world.between(40, 600)
            bid = server.browser_id(browser)
            server.note(me.record, "export", ok=True, ip=net.ip, browser=bid)

    stage.play(start, takes())
