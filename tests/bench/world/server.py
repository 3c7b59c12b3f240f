"""The server of one product: passwords, challenges, codes, sessions, locks, and what it logs."""

from __future__ import annotations

from typing import Any

from tests.bench.world.checks import refused_code, refused_number
from tests.bench.world.clockwork import DAY, World
from tests.bench.world.products import Rules
from tests.bench.world.records import Asked, Code, Record, Row, Trust, masked
from tests.bench.world.things import STEP, Browser, Net, Word

VOCABULARY: dict[str, tuple[str | None, ...]] = {
    "superseded": ("wrong",),
    "reused": ("wrong",),
    "foreign": ("wrong",),
    "locked": ("wrong", None),
    "drift": ("wrong",),
    "expired": (),
    "wrong": (),
}
"""What servers write for a refusal beside its own name; a share of them do not tell."""


class Server:
    """The product. Attributes that are faults begin as what a sound server has."""

    def __init__(self, world: World, rules: Rules, mode: str) -> None:
        rng = world.rng
        self.world, self.rules, self.mode = world, rules, mode
        self.life_s = rng.choice(rules.life_s)
        self.newest_only = rng.random() < 0.7
        self.resend_wait_s = rng.choice((0, 30, 30, 60))
        self.resends_an_hour = rng.choice((5, 10, 20))
        self.tries = rng.choice((5, 6, 10))
        self.lock_s = rng.choice((900, 1800, 3600))
        self.trust_days = rng.choice((7, 30, 45))
        self.remembers_all_ips = rng.random() < 0.5
        self.new_browser_word = rng.choice(("new-device", "new-browser"))
        self.new_ip_word = rng.choice(("new-ip", "new-ip", "new-place"))
        self.one_session = rng.random() < 0.3
        self.policies: list[Row] = []
        self.locks_at_password = False
        self.never_forgets_failures = False
        self.mail_down: list[tuple[float, float]] = []
        self.mail_down_says: str | None = None
        self.clock_s = 0.0
        self.stale_before: float | None = None
        self.cookies_lost_since: float | None = None
        self.cookies_lost: frozenset[str] = frozenset({"trust", "session"})
        self.cookies_lost_at: tuple[str, ...] = ()
        self.one_trust = False
        self.chatty = 0
        self.levels: tuple[int | str, int | str] = rng.choice(((1, 2), (1, 2), ("aal1", "aal2")))
        self.refusals: list[tuple[str, float, str]] = []
        self.says = {
            reason: rng.choice((reason, reason, reason, *also))
            for reason, also in VOCABULARY.items()
        }
        self.ended_word = rng.choice(("other-session", "concurrent-login", "replaced"))
        self.bounces_without_asking = rng.random() < 0.25
        self.push_failure = rng.choice((None, None, "accepted", "device-unregistered"))
        self.mail_ends_with = rng.choice(("delivered", "delivered", "delivered", "accepted"))
        self.lock_cause = rng.choice(("failures", "too-many-attempts", None))
        self.lock_counts = rng.random() < 0.75
        self.throttle_code = rng.choice((None, None, None, "429", "60203"))
        self.sends_to_nobody = rng.random() < 0.5
        self.trusts: dict[str, Trust] = {}
        self.account_ips: dict[str, set[str]] = {}
        self.log: dict[str, list[Row]] = {}
        self.all_codes: list[Code] = []

    def note(self, record: Record, kind: str, at: float | None = None, **keys: Any) -> Row:
        """Write down an event of a user; keys that are None are left out."""
        row: Row = {"at": self.world.now if at is None else at, "kind": kind}
        row |= {key.rstrip("_"): value for key, value in keys.items() if value is not None}
        self.log.setdefault(record.id, []).append(row)
        return row

    def door(self, record: Record) -> str:
        """The page a user gives the last password to."""
        return (record.doors or self.rules.doors)[-1]

    def cookie(self, browser: Browser, name: str, door: str) -> str | None:
        """The value a browser sends back to *door*, with the server's own faults in between."""
        kept = browser.present(name)
        if kept is None:
            return None
        broken = self.cookies_lost_since
        if broken is not None and name in self.cookies_lost and door in self.cookies_lost_at:
            return None if self.world.now >= broken else kept.value
        return kept.value

    def browser_id(self, browser: Browser) -> str:
        """The id the server knows a browser by; a browser without one is given one."""
        kept = browser.present("bid")
        if kept is None:
            # Without the cookie the id lives in the pages of one sign-in and no longer.
            last = browser.jar.get("bid")
            if last is None or "bid" not in browser.blocks or self.world.now - last.set_at > 400:
                browser.keep("bid", self.world.name("b"), self.rules.doors[0])
            elif last is not None:
                last.set_at = self.world.now
            return browser.jar["bid"].value
        return kept.value

    def trust(self, record: Record, browser: Browser) -> tuple[str, float | None]:
        """What the browser's trust cookie is worth, and since when it was good."""
        value = self.cookie(browser, "trust", self.door(record))
        known = self.trusts.get(value or "")
        if known is None or known.record != record.id:
            return "none", None
        if known.agent != browser.agent:
            return "foreign", known.since
        if self.world.now - known.since > self.trust_days * DAY:
            return "expired", known.since
        return "good", known.since

    def password(
        self, record: Record, browser: Browser, net: Net, ok: bool, door: str, known: bool = True
    ) -> bool:
        """Take a password; whether it lets on."""
        if "bid" in browser.blocks:
            browser.jar.pop("bid", None)
        locked = self.locks_at_password and record.locked_until > self.world.now
        good = ok and known and not locked
        self.note(
            record, "password", ok=good, ip=net.ip, network=net.network, place=net.place,
            browser=self.browser_id(browser), agent=browser.agent, door=door,
        )  # fmt: skip
        return good

    def why_ask(self, record: Record, browser: Browser, net: Net) -> str | None:
        """The rule that asks for a code now, or None where nothing asks."""
        if not record.mfa:
            return None
        if self.mode == "every-login":
            return "every-login"
        if self.mode == "ip":
            return None if net.ip in self.account_ips.get(record.account, ()) else "new-ip"
        if self.mode == "policy":
            least = min(float(policy["hours"]) for policy in self.policies)
            return "policy" if self.world.now - record.passed_at > least * 3600 else None
        state, _ = self.trust(record, browser)
        if state == "none":
            return self.new_browser_word
        if state in ("expired", "foreign"):
            return "trust-expired" if state == "expired" else "new-browser"
        known = net.ip in record.known_ips if self.remembers_all_ips else net.ip == record.last_ip
        return None if known else self.new_ip_word

    def ask(
        self, record: Record, browser: Browser, net: Net, rule: str, tab: str | None = None
    ) -> Asked:
        """Make a challenge and send what it needs."""
        asked = Asked(
            self.world.name("c"), record, record.factor, self.world.now, browser, net, tab
        )
        self.show(asked, rule)
        if asked.factor != "totp":
            self.send(asked)
        return asked

    def show(self, asked: Asked, rule: str) -> None:
        """Log that the page with the box for the code was served."""
        state, since = self.trust(asked.record, asked.browser)
        remembers = self.mode == "device"
        self.note(
            asked.record, "challenge", challenge=asked.id, rule=rule, factor=asked.factor,
            ip=asked.net.ip, network=asked.net.network, place=asked.net.place,
            browser=self.browser_id(asked.browser), agent=asked.browser.agent,
            door=self.door(asked.record), tab=asked.tab, trust=state if remembers else None,
            trust_since=since if remembers else None, policies=self.policies or None,
        )  # fmt: skip

    def send(
        self, asked: Asked | None, record: Record | None = None, purpose: str = "code"
    ) -> Code:
        """Send a code, to where the record says."""
        world = self.world
        owner = asked.record if asked else record
        assert owner is not None
        channel = asked.factor if asked else "sms"
        text = f"{world.rng.randrange(1_000_000):06d}"
        life = self.life_s
        code = Code(world.name("s"), text, asked, world.now, world.now + life, purpose)
        self.all_codes.append(code)
        if asked:
            asked.codes.append(code)
        target = owner.mailbox.address if channel == "email" else owner.mobile
        gap = world.between(0.2, 1.5)
        if target is None and channel not in ("push", "email") and self.sends_to_nobody:
            return code

        def leave() -> None:
            self.note(
                owner, "send", send=code.send, challenge=asked.id if asked else None,
                channel=channel, to=None if channel == "push" else masked(target),
                purpose=purpose, expires_at=code.expires_at,
            )  # fmt: skip
            self._carry(owner, code, channel)

        world.after(gap, leave)
        return code

    def _carry(self, owner: Record, code: Code, channel: str) -> None:
        world = self.world

        def word(state: str, reason: str | None, detail: str | None) -> None:
            self.note(owner, "delivery", send=code.send, state=state, code=reason, detail=detail)

        if any(begin <= world.now < end for begin, end in self.mail_down):
            if self.mail_down_says:
                said = self.mail_down_says
                world.after(world.between(20, 90), lambda: word("failed", None, said))
            return None
        if channel == "push":
            return self._push(owner, code, word)
        if channel != "email" and owner.mobile is None:
            return word("failed", None, "no number on file")
        if channel == "email":
            tell = self._ending_early(word) if self.mail_ends_with == "accepted" else word
            if not owner.mailbox.suppressed:
                tell("accepted", None, None)
            return owner.mailbox.take(code, tell)
        word("accepted", None, None)
        if owner.mobile == owner.phone.number or owner.phone.carrier_error:
            return owner.phone.take(code, word)
        return world.after(world.between(1, 6), lambda: word("delivered", None, None))

    @staticmethod
    def _ending_early(word: Word) -> Word:
        """Report as a log does that ends where the other mail server took the message."""

        def early(state: str, reason: str | None, detail: str | None) -> None:
            said = {"accepted": "queued", "delivered": "accepted"}.get(state, state)
            word(said, reason, detail)

        return early

    def _push(self, owner: Record, code: Code, word: Word) -> None:
        """Hand a code to the app; one that is gone is noticed by some providers."""
        world = self.world
        if owner.phone.push_works:
            world.after(world.between(0.5, 4), lambda: word("delivered", None, None))
            world.after(4, lambda: owner.phone.take(code, lambda *_: None))
        elif self.push_failure == "accepted":
            word("accepted", None, None)
        elif self.push_failure:
            word("failed", self.push_failure, None)

    def resend(self, asked: Asked) -> Code | None:
        """Send another code for a challenge, or refuse because it is too soon."""
        world, record = self.world, asked.record
        hour = [at for at in record.asked_at if world.now - at < 3600]
        last = asked.codes[-1].made_at if asked.codes else -1e9
        wait = self.resend_wait_s - (world.now - last)
        if len(hour) >= self.resends_an_hour:
            wait = max(wait, 3600 - (world.now - hour[0]))
        allowed = wait <= 0
        if not allowed and self.throttle_code and asked.codes:
            self._throttled(asked)
            return None
        self.note(
            record, "resend", challenge=asked.id, allowed=allowed,
            retry_after_s=None if allowed else round(wait),
        )  # fmt: skip
        if not allowed:
            return None
        record.asked_at.append(world.now)
        return self.send(asked)

    def _throttled(self, asked: Asked) -> None:
        """A provider that takes the message and then refuses to carry it."""
        name = self.world.name("s")
        self.note(asked.record, "resend", challenge=asked.id)
        self.note(
            asked.record, "send", send=name, challenge=asked.id, channel=asked.factor,
            purpose="code",
        )  # fmt: skip
        self.note(asked.record, "delivery", send=name, state="failed", code=self.throttle_code)

    def answer(self, asked: Asked, text: str, browser: str | None, net: Net | None) -> bool:
        """Take a code; log whether it was right, and why not."""
        record, now = asked.record, self.world.now
        code = next((c for c in reversed(self.all_codes) if c.text == text), None)
        reason, drift = self._refusal(asked, code, text)
        if asked.factor != "totp" and asked.codes and asked.codes[-1].text != text:
            code = code if code and (code.asked is None or code.asked.record.account
                                     == record.account) else None  # fmt: skip
        self.note(
            record, "answer", challenge=asked.id, ok=reason is None,
            reason=self.says[reason] if reason else None,
            send=code.send if code and asked.factor != "totp" else None, drift_s=drift,
            ip=net.ip if net else None, browser=browser,
        )  # fmt: skip
        if reason is None:
            asked.done = True
            if code:
                code.used = True
            if not self.never_forgets_failures:
                record.failures.clear()
            record.passed_at = now
            return True
        self.refusals.append((record.id, now, reason))
        if reason != "locked":
            record.failures.append(now)
            recent = [at for at in record.failures if now - at < 86_400]
            count = len(record.failures if self.never_forgets_failures else recent)
            if count >= self.tries:
                self.lock(record, count)
        return False

    def _refusal(
        self, asked: Asked, code: Code | None, text: str
    ) -> tuple[str | None, float | None]:
        """Why a code is refused, or None; for a generated one, how far its clock is off."""
        record, now = asked.record, self.world.now
        if record.locked_until > now or record.refused_always:
            return "locked", None
        if asked.factor == "totp":
            return refused_number(record, text, int((now + self.clock_s) // STEP))
        return refused_code(asked, code, now, self.newest_only), None

    def lock(self, record: Record, failures: int) -> None:
        """Lock a user for as long as this server does."""
        now = self.world.now
        record.locked_until = now + self.lock_s
        self.note(
            record,
            "lock",
            from_=now,
            until=record.locked_until,
            cause=self.lock_cause,
            failures=failures if self.lock_counts or self.never_forgets_failures else None,
        )
        record.failures.clear()

    def let_in(self, record: Record, browser: Browser, net: Net, asked: Asked | None) -> bool:
        """Make a session and look whether the next request brings it; whether it did."""
        world = self.world
        bid = self.browser_id(browser)
        self._remember(record, browser, net, asked is not None)
        if record.drops_sessions and world.chance(0.5):
            return False
        half = record.half_done
        self.note(
            record, "session", state="created", challenge=asked.id if asked else None, browser=bid,
            ip=net.ip, level=self.levels[0 if half else 1],
        )  # fmt: skip
        if half:
            return False
        if self.one_session:
            for other in [b for b in record.sessions if b != bid]:
                del record.sessions[other]
                self.note(record, "session", state="ended", browser=other, cause=self.ended_word)
        record.sessions[bid] = world.name("z")
        back = self._comes_back(record, browser, record.sessions[bid])
        self.note(
            record, "session", at=world.now + world.between(0.3, 0.9),
            state="returned" if back else "missing", browser=bid, ip=net.ip,
        )  # fmt: skip
        for _ in range(self.chatty if back else 0):
            later = world.now + world.between(2, 3000)
            self.note(record, "session", at=later, state="returned", browser=bid, ip=net.ip)
        return back

    def _remember(self, record: Record, browser: Browser, net: Net, proved: bool) -> None:
        """Keep what the server keeps of a good sign-in: the browser, the address."""
        if proved:
            if self.one_trust:
                for name in [n for n, trust in self.trusts.items() if trust.record == record.id]:
                    del self.trusts[name]
            value = self.world.name("t")
            self.trusts[value] = Trust(record.id, self.world.now, browser.agent)
            browser.keep("trust", value, self.door(record))
        record.known_ips.add(net.ip)
        record.last_ip = net.ip
        if record.mfa and (proved or self.mode != "ip"):
            self.account_ips.setdefault(record.account, set()).add(net.ip)

    def _comes_back(self, record: Record, browser: Browser, session: str) -> bool:
        """Whether the next request brings the session that was made."""
        door, release = self.door(record), self.stale_before
        stale = release is not None and any(c.set_at < release for c in browser.jar.values())
        if not stale and not record.drops_sessions:
            browser.keep("session", session, door, lasting=False)
        return self.cookie(browser, "session", door) == session

    def end(self, record: Record, browser: Browser, cause: str) -> None:
        """End the session of a browser."""
        bid = self.browser_id(browser)
        browser.jar.pop("session", None)
        if record.sessions.pop(bid, None):
            self.note(record, "session", state="ended", browser=bid, cause=cause)
