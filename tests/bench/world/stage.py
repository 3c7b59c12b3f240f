"""The stage a plot is played on: one product, one customer, some company, some weeks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from tests.bench.world.clockwork import DAY, Play, World
from tests.bench.world.people import Does, Habits, Person
from tests.bench.world.products import DOORS, OTHER_DOORS, RULES
from tests.bench.world.records import Record, Row, Trust
from tests.bench.world.server import Server
from tests.bench.world.things import Browser, Mailbox, Net, Phone

FIRST = ("Maya", "Jonas", "Priya", "Tomas", "Lena", "Kofi", "Aiko", "Marta", "Sven", "Noor")
LAST = ("Okafor", "Brandt", "Nair", "Silva", "Lind", "Mensah", "Mori", "Kowal", "Berg", "Haddad")
HOSTS = ("agency.example", "studio.example", "shop.example", "office.example")
PLACES = ("Leipzig", "Porto", "Austin", "Leeds", "Oslo")
FAR = ("Lagos", "Minsk", "Dallas", "Hanoi", "Quito")
KINDS = ("Firefox", "Chrome", "Safari", "Edge")


@dataclass
class Scene:
    """What a plot leaves behind beside the log."""

    truth: list[str]
    complaint: str | None = None
    replies: list[tuple[str, str]] | None = None
    shown: list[Record] | None = None
    linger_s: float | None = None


class Stage:
    """A product with its server, the customer *me*, and *history* days before the trouble."""

    def __init__(self, key: str, product: str, *, mode: str = "", factor: str = "") -> None:
        self.world = world = World(key)
        rng = world.rng
        doors, others = rng.choice(DOORS[product]), rng.choice(OTHER_DOORS[product])
        rules = replace(RULES[product], doors=doors, other_door=others)
        self.server = Server(world, rules, mode or rng.choice(rules.modes))
        self.product = product
        self.history = rng.choice((0, 0, 1, 2, 5, 8, 14, 21))
        self.factor = factor or rng.choice(rules.factors)
        self._ips = iter(rng.sample(range(2, 250), 200))
        self.place = rng.choice(PLACES)
        self.home = Net(self._ip("192.0.2"), rng.choice(("office", "home")), self.place)
        self.account = f"a{rng.randrange(2, 90)}"
        self.me = self.person(0, self.home)
        self.scene = Scene([])
        self.ended = 0.0
        self._trouble = 0.0
        self._last = 0.0
        self._asked_at: tuple[Net, Browser] | None = None

    # -- casting -----------------------------------------------------------------------------

    def _ip(self, block: str) -> str:
        return f"{block}.{next(self._ips)}"

    def far(self, network: str = "hosting") -> Net:
        """A network nobody here has used, somewhere else."""
        return Net(self._ip("203.0.113"), network, self.world.rng.choice(FAR))

    def near(self, network: str = "mobile") -> Net:
        """Another network in the same town."""
        return Net(self._ip("198.51.100"), network, self.place)

    def new_browser(self) -> Browser:
        """A browser fresh from the box."""
        rng = self.world.rng
        return Browser(self.world, rng.choice(KINDS), rng.randrange(118, 135))

    def person(self, number: int, net: Net, account: str | None = None) -> Person:
        """Somebody with a record, a mailbox, a phone and a browser of their own."""
        world, rng = self.world, self.world.rng
        first, last = rng.choice(FIRST), rng.choice(LAST)
        ident = f"u{rng.randrange(10, 99)}{number}"
        login = f"{first.lower()}.{ident}@{rng.choice(HOSTS)}"
        phone = Phone(world, f"+1555010{rng.randrange(1000, 9999)}", secret=f"k{rng.random()}")
        phone.clock_s = rng.uniform(-9, 9)
        factor = self.factor
        factors: list[Row] = [{"id": "f1", "kind": factor, "state": "active"}]
        if rng.random() < 0.3:
            spare = rng.choice(self.server.rules.factors)
            state = rng.choice(("active", "active", "removed"))
            factors += [{"id": "f2", "kind": spare, "state": state}] if spare != factor else []
        record = Record(
            ident, f"{first} {last}", login, account or self.account,
            rng.choice(self.server.rules.roles), factor, Mailbox(world, login), phone, factors,
            secret=phone.secret, mobile=phone.number,
        )  # fmt: skip
        self.server.log[ident] = []
        habits = Habits(forgets=rng.choice((0.0, 0.03, 0.1)))
        return Person(world, self.server, record, self.new_browser(), net, habits)

    def company(self, count: int) -> list[Person]:
        """Other customers, half of them of the same account and office."""
        people = []
        for number in range(1, count + 1):
            same = self.world.chance(0.5)
            net = self.home if same else self.near("office")
            other = self.person(number, net, self.account if same else f"a{90 + number}")
            other.record.phone.clock_s = self.world.between(-9, 9)
            people.append(other)
        self.scene.shown = [*(self.scene.shown or []), *(p.record for p in people)]
        return people

    def passers_by(self) -> None:
        """Others who sign in at about the same time, without trouble."""
        for person in self.company(self.world.rng.randrange(1, 4)):
            self.settle(person)
            self.healthy(person)
            self.world.at(self._trouble + self.world.between(-3000, 300), self.sitting(person))

    def settle(self, person: Person | None = None, ago_days: float | None = None) -> None:
        """Make a browser and address known from *ago_days* before the log begins."""
        who = person or self.me
        server = self.server
        name = self.world.name("t")
        server.browser_id(who.browser)
        ago = self.world.between(0, 0.3 * server.trust_days) if ago_days is None else ago_days
        server.trusts[name] = Trust(who.record.id, self.world.now - ago * DAY, who.browser.agent)
        who.record.passed_at = self.world.now - ago * DAY
        who.browser.keep("trust", name, server.rules.doors[-1])
        who.record.known_ips.add(who.home.ip)
        who.record.last_ip = who.home.ip
        server.account_ips.setdefault(who.record.account, set()).add(who.home.ip)

    # -- time --------------------------------------------------------------------------------

    @property
    def trouble(self) -> float:
        """When the day of the trouble begins for the customer: a working hour of the last day."""
        return self._trouble

    def begin(self, history: int | None = None) -> float:
        """Fix the day and hour of the trouble, with *history* days before it."""
        if history is not None:
            self.history = history
        self._trouble = self.history * DAY + self.world.between(7.5, 17) * 3600
        return self._trouble

    def healthy(self, person: Person | None = None, share: float = 0.8) -> None:
        """Let somebody sign in on the days before, as people do."""
        who = person or self.me
        for day in range(self.history):
            if self.world.chance(share):
                at = day * DAY + self.world.between(7, 17) * 3600
                self.world.at(at, self.sitting(who))
                if self.world.chance(0.15):
                    self.world.at(at + self.world.between(3, 5) * 3600, self.sitting(who))

    def sitting(self, who: Person, browser: Browser | None = None, net: Net | None = None) -> Play:
        """Sign in, work, log out or not, close the browser."""
        used = browser or who.browser
        calm = Habits(patience_s=(60, 200), lingers_s=(100, 500), forgets=who.habits.forgets)
        calm.slips = 0.05
        habits, who.habits = who.habits, calm
        try:
            yield from who.sign_in(used, net)
        finally:
            who.habits = habits
        yield self.world.between(600, 9000)
        if self.world.chance(0.5):
            self.server.end(who.record, used, "logout")
        used.close()

    def play(self, at: float, play: Play | Does | Callable[[], object]) -> None:
        """Begin a part of the trouble at *at*; the last to end says when the customer calls."""
        self._last = max(self._last, at)
        self.world.at(at, self._timed(play) if isinstance(play, Generator) else play)

    def _timed(self, play: Play | Does) -> Play:
        yield from play
        self.ended = max(self.ended, self.world.now)

    def me_asked(self, tab: str | None = None) -> Does:
        """The customer signs in where a code will be asked for."""
        net, browser = self.where_asked()
        return self.me.sign_in(browser, net, tab)

    def where_asked(self) -> tuple[Net, Browser]:
        """A network and browser the server will ask on; the same ones all through the trouble."""
        if self._asked_at is None:
            net, browser = self.home, self.me.browser
            if self.server.mode == "ip":
                net = self.near(self.world.rng.choice(("mobile", "home", "office")))
            elif self.server.mode == "device":
                browser = self.new_browser()
            self._asked_at = net, browser
        return self._asked_at

    def call(self, asks: str = "code", gap: tuple[float, float] = (60, 600)) -> Play:
        """The customer contacts the desk."""
        yield self.world.between(*gap)
        self.server.note(
            self.me.record, "call", channel=self.world.rng.choice(("phone", "chat", "mail")),
            asks=asks, from_=None,
        )  # fmt: skip

    def finish(self) -> float:
        """Let everything happen; the time at which the case is written."""
        linger = self.scene.linger_s
        usual = (600, 5000) if self.world.chance(0.1) else (30, 420)
        wait = self.world.between(*usual) if linger is None else linger
        self.world.run(until=max(self._trouble, 0) - 1)
        self.world.run(until=max(self._trouble, self._last) + 12 * 3600)
        return max(self.ended, self._trouble) + wait
