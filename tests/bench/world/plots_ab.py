"""Plots in which the customer gets in, only too often asked: by design, or a memory lost."""

from __future__ import annotations

from tests.bench.world.clockwork import DAY, Play
from tests.bench.world.people import Habits
from tests.bench.world.stage import Stage
from tests.bench.world.things import Browser, Net


def a1(stage: Stage) -> None:
    """The account asks at every login."""
    stage.settle()
    start = stage.begin()
    stage.healthy()
    for turn in range(stage.world.rng.randrange(1, 4)):
        stage.play(start + turn * stage.world.between(1200, 5000), stage.me.sign_in())


def a2(stage: Stage) -> None:
    """The customer travels, or changes office."""
    stage.settle()
    start = stage.begin()
    stage.healthy()
    away = stage.near("office") if stage.world.chance(0.3) else stage.far("home")
    away.network = stage.world.rng.choice(("home", "office", "mobile"))
    stage.play(start, stage.me.sign_in(net=away))
    if stage.world.chance(0.4):
        stage.play(start + stage.world.between(5000, 9000), stage.me.sign_in(net=away))


def a3(stage: Stage) -> None:
    """The customer has a new computer, or another browser."""
    stage.settle()
    start = stage.begin(max(stage.history, 2))
    stage.healthy()
    stage.play(start, stage.me.sign_in(stage.new_browser()))


def a4(stage: Stage) -> None:
    """The remembering runs out on the day of the trouble."""
    start = stage.begin()
    stage.settle(ago_days=stage.server.trust_days - start / DAY + stage.world.between(0.0, 1.5))
    stage.healthy()
    stage.play(start, stage.me.sign_in())


def a5(stage: Stage) -> None:
    """The customer exports contacts from the usual office."""
    stage.settle()
    start = stage.begin()
    stage.healthy()
    stage.play(start, exports(stage, stage.home))


def exports(stage: Stage, net: Net) -> Play:
    """Sign in, then export; the export asks."""
    me, server, world = stage.me, stage.server, stage.world
    if not (yield from me.sign_in(net=net)):
        return
    for _ in range(world.rng.randrange(1, 3)):
        yield world.between(60, 900)
        asked = server.ask(me.record, me.browser, net, "export")
        good = yield from me.answer(asked)
        bid = server.browser_id(me.browser)
        if good:
            yield 2.0
            server.note(me.record, "export", ok=True, ip=net.ip, browser=bid)


def a6(stage: Stage) -> None:
    """Two session policies hold, and the shorter wins."""
    rng = stage.world.rng
    hours = rng.choice(((8, 720), (12, 168), (24, 720), (4, 24, 168)))
    names = rng.sample(("Company", "Default", "Contractors", "Finance"), len(hours))
    stage.server.policies = [
        {"name": name, "hours": value} for name, value in zip(names, hours, strict=True)
    ]
    rng.shuffle(stage.server.policies)
    stage.settle()
    start = stage.begin(max(stage.history, 2))
    stage.healthy()
    stage.play(start, stage.me.sign_in())
    stage.play(start + hours[0] * 3600 * 1.05, stage.me.sign_in())


def a7(stage: Stage) -> None:
    """The browser was updated overnight, or the password changed."""
    me, world = stage.me, stage.world
    stage.settle()
    start = stage.begin()
    stage.healthy()
    if world.chance(0.6):

        def update() -> None:
            me.browser.version += 1

        world.at(start - 3600, update)
    else:

        def change() -> None:
            me.record.sessions.setdefault(stage.server.browser_id(me.browser), "old")
            stage.server.end(me.record, me.browser, "password-changed")
            stage.server.trusts.clear()

        world.at(start - world.between(60, 900), change)
    stage.play(start, me.sign_in())


def _sittings(stage: Stage, start: float, twice: float) -> None:
    """Some sittings from a day on, in some of which one signs in again before closing."""
    me, world = stage.me, stage.world

    def sitting() -> Play:
        yield from me.sign_in()
        while world.chance(twice):
            yield world.between(400, 3000)
            stage.server.end(me.record, me.browser, world.rng.choice(("logout", "idle")))
            yield from me.sign_in()
        yield world.between(60, 2000)
        me.browser.close()

    count = world.rng.randrange(3, 6)
    days = [start - DAY * day for day in range(count) if start - DAY * day > 0]
    for day in reversed(days):
        stage.play(day, sitting())
        if world.chance(0.5) or len(days) == 1:
            stage.play(day + world.between(9000, 14000), sitting())


def b1(stage: Stage) -> None:
    """The browser clears its cookies when it is closed."""
    if stage.world.chance(0.5):
        stage.settle()
    start = stage.begin(stage.world.rng.randrange(3, 10))
    stage.me.browser.clears_on_close = True
    _sittings(stage, start, twice=0.6)


def b2(stage: Stage) -> None:
    """The customer works in a private window, always or since lately."""
    me = stage.me
    usual = me.browser
    start = stage.begin(stage.world.rng.randrange(0, 8))
    if stage.world.chance(0.4):
        stage.settle()
        stage.healthy(share=0.9)
    private = Browser(stage.world, usual.kind, usual.version)
    private.private = True

    def sitting(browser: Browser) -> Play:
        yield from me.sign_in(browser)
        if stage.world.chance(0.5):
            yield stage.world.between(400, 2000)
            stage.server.end(me.record, browser, "logout")
            yield from me.sign_in(browser)
        yield stage.world.between(60, 900)
        browser.close()

    for turn in range(stage.world.rng.randrange(2, 4)):
        stage.play(start + turn * stage.world.between(4000, 6000), sitting(private))
    if stage.world.chance(0.8):
        stage.scene.replies = [("B2", "yes, I use a private window")]


def b3(stage: Stage) -> None:
    """An extension keeps the trust cookie from going back."""
    me, world = stage.me, stage.world
    me.browser.blocks = frozenset({"trust", "bid"} if world.chance(0.25) else {"trust"})
    start = stage.begin()
    for day in range(max(0, stage.history - 3), stage.history):
        world.at(day * DAY + 9 * 3600, stage.sitting(me))

    def sitting() -> Play:
        for _ in range(world.rng.randrange(2, 5)):
            yield from me.sign_in()
            yield world.between(200, 1500)
            if world.chance(0.5):
                stage.server.end(me.record, me.browser, "logout")
            yield world.between(20, 300)

    stage.play(start, sitting())


def b4(stage: Stage) -> None:
    """Telephone and laptop at once, and the server keeps one session."""
    me, world = stage.me, stage.world
    stage.server.one_session = stage.server.one_trust = True
    stage.settle()
    start = stage.begin()
    stage.healthy()
    other = stage.new_browser()
    net = stage.near() if world.chance(0.4) and stage.server.mode != "device" else stage.home
    at = start
    for turn in range(world.rng.randrange(4, 8)):
        away = turn % 2 == 1
        browser, place = (other, net) if away else (me.browser, stage.home)
        stage.play(at, me.sign_in(browser, place))
        at += world.between(120, 600)


def b5(stage: Stage) -> None:
    """A VPN or relay that changes its exit every few minutes."""
    me, world = stage.me, stage.world
    network = world.rng.choice(("vpn", "mobile", "relay"))
    exits = [stage.near(network) if world.chance(0.6) else stage.far(network) for _ in range(3)]
    stage.settle()
    start = stage.begin()
    stage.healthy()
    at = start
    for turn in range(world.rng.randrange(2, 4)):
        stage.play(at, me.sign_in(net=stage.home if world.chance(0.5) else exits[0]))
        stage.play(at + world.between(150, 700), me.sign_in(net=exits[1 + turn % 2]))
        stage.play(at + world.between(900, 1700), me.sign_in(net=exits[0]))
        at += world.between(2000, 3000)


def b6(stage: Stage) -> None:
    """The line drops: pages half loaded, loaded again, left."""
    me, world, server = stage.me, stage.world, stage.server
    stage.settle()
    start = stage.begin()
    stage.healthy()
    net, browser = stage.where_asked()
    if server.mode != "ip" and world.chance(0.5):
        net = Net(net.ip, "mobile", net.place)

    def stumble() -> Play:
        for _ in range(world.rng.randrange(2, 5)):
            door = server.door(me.record)
            if not server.password(me.record, browser, net, ok=True, door=door):
                return
            rule = server.why_ask(me.record, browser, net)
            if rule is None:
                return
            asked = server.ask(me.record, browser, net, rule)
            for _ in range(world.rng.randrange(1, 4)):
                yield world.between(8, 60)
                server.show(asked, rule)
            yield world.between(60, 400)
        if world.chance(0.3):
            yield from me.sign_in(browser, net)

    stage.play(start, stumble())


def b7(stage: Stage) -> None:
    """Two tabs: the code of one is typed into the other."""
    me, world, server = stage.me, stage.world, stage.server
    stage.settle()
    start = stage.begin()
    stage.healthy()
    net, browser = stage.where_asked()
    me.habits = Habits(forgets=0.0)

    def tabs() -> Play:
        for _ in range(world.rng.randrange(1, 3)):
            rule = "every-login"
            opened = []
            for tab in ("t1", "t2", "t3")[: world.rng.randrange(2, 4)]:
                yield from me.give_password(browser, net)
                rule = server.why_ask(me.record, browser, net) or rule
                opened.append(server.ask(me.record, browser, net, rule, tab))
                yield world.between(20, 90)
            newest = opened[-1].codes[-1].text
            bid = server.browser_id(browser)
            first = world.chance(0.3)
            if first and server.answer(opened[-1], newest, bid, net):
                server.let_in(me.record, browser, net, opened[-1])
            own = server.newest_only and world.chance(0.4)
            for asked in opened[:-1]:
                yield world.between(5, 30)
                asked.done = True
                server.answer(asked, asked.codes[-1].text if own else newest, bid, net)
            if not first and world.chance(0.3):
                yield world.between(10, 40)
                if server.answer(opened[-1], newest, bid, net):
                    server.let_in(me.record, browser, net, opened[-1])
            yield world.between(60, 300)

    stage.play(start, tabs())


def b8(stage: Stage) -> None:
    """A door over http: its secure cookies never come back, for anybody."""
    world, server = stage.world, stage.server
    bad = server.rules.doors[-1].replace("https:", "http:") if world.chance(0.6) else ""
    bad = bad or server.rules.doors[-1].replace(".example", ".portal.example")
    doors = (*server.rules.doors[:-1], bad)
    stage.settle()
    start = stage.begin()
    stage.healthy()
    company = stage.company(world.rng.randrange(3, 7))
    server.cookies_lost_since = start - world.between(600, 7200)
    server.cookies_lost_at = (bad,)
    if server.mode == "device" and world.chance(0.5):
        server.cookies_lost = frozenset({"trust"})
    net, browser = (stage.home, stage.me.browser)
    if server.mode == "ip":
        net, browser = stage.where_asked()
    for number, person in enumerate([stage.me, *company]):
        if person is not stage.me:
            stage.settle(person)
            stage.healthy(person)
        at_door = number < 3 or (number < len(company) and world.chance(0.7))

        def move(who=person, there=at_door) -> None:  # type: ignore[no-untyped-def]
            who.record.doors = doors if there else ()

        world.at(server.cookies_lost_since, move)
        place = net if person is stage.me else stage.near() if server.mode == "ip" else person.home
        used = browser if person is stage.me else person.browser
        for turn in range(world.rng.randrange(1, 3)):
            at = start + turn * 700 + (0 if person is stage.me else world.between(-500, 500))
            stage.play(at, person.sign_in(used, place))
