"""How the played world is written down: as a rich log, or as the poor one most desks have."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.bench.world.records import Record, Row
from tests.bench.world.stage import Stage

TIMES = ("at", "expires_at", "trust_since", "from", "until", "since")

DROPS: dict[str, tuple[str, ...]] = {
    "browser": ("*.browser",),
    "rule": ("challenge.rule",),
    "trust": ("challenge.trust", "challenge.trust_since"),
    "network": ("*.network", "*.place"),
    "agent": ("*.agent",),
    "door": ("*.door",),
    "to": ("send.to",),
    "expiry": ("send.expires_at",),
    "drift": ("answer.drift_s",),
    "answer-send": ("answer.send",),
    "tab": ("challenge.tab",),
    "policies": ("challenge.policies",),
    "ip": ("*.ip",),
    "retry": ("resend.retry_after_s",),
    "purpose": ("send.purpose",),
    "level": ("session.level", "session.cause"),
    "delivery": ("delivery",),
    "send": ("send", "delivery"),
    "session": ("session",),
    "redirect": ("redirect",),
    "lock": ("lock",),
    "factor-events": ("factor",),
    "fetch": ("fetch",),
    "resend": ("resend",),
}
"""What a poor log may lack: a kind, or a key of a kind (`*`: of every kind)."""

LIKELY = (
    ("delivery", 5), ("browser", 4), ("expiry", 4), ("answer-send", 5), ("drift", 3), ("trust", 4),
    ("rule", 4), ("network", 4), ("agent", 4), ("door", 3), ("session", 4), ("redirect", 3),
    ("to", 2), ("lock", 3), ("send", 2), ("ip", 1), ("tab", 3), ("policies", 1), ("retry", 2),
    ("purpose", 2), ("level", 3), ("factor-events", 1), ("fetch", 1), ("resend", 2),
    ("one-word", 6), ("others", 3), ("user-facts", 2),
)  # fmt: skip
"""How often each is lacking, relative to the others."""

ONLY_TRACE: dict[str, tuple[frozenset[str], ...]] = {
    "A2": (frozenset({"ip", "network", "rule"}),),
    "A3": (frozenset({"browser", "rule"}),),
    "A4": (frozenset({"trust", "rule"}),),
    "A6": (frozenset({"policies"}),),
    "A7": (frozenset({"agent", "level"}), frozenset({"agent", "session"})),
    "B1": (frozenset({"browser", "trust"}), frozenset({"browser", "rule"})),
    "B2": (frozenset({"browser", "trust"}), frozenset({"browser", "rule"})),
    "B3": (frozenset({"browser", "trust"}), frozenset({"browser", "rule"})),
    "B4": (frozenset({"browser"}), frozenset({"session"})),
    "B5": (frozenset({"ip"}),),
    "B7": (frozenset({"tab", "answer-send"}), frozenset({"one-word", "answer-send"})),
    "B8": (frozenset({"others"}), frozenset({"door"})),
    "C4": (frozenset({"delivery"}), frozenset({"send"})),
    "C5": (frozenset({"others", "delivery"}), frozenset({"others", "send"})),
    "C6": (frozenset({"delivery"}), frozenset({"send"})),
    "C7": (frozenset({"factor-events"}),),
    "C10": (frozenset({"resend"}),),
    "C13": (frozenset({"factor-events", "purpose"}), frozenset({"factor-events", "send"})),
    "C14": (frozenset({"factor-events"}),),
    "D5": (frozenset({"factor-events"}),),
    "D7": (frozenset({"one-word", "answer-send"}),),
    "D8": (frozenset({"fetch", "ip"}),),
    "E2": (frozenset({"others", "session"}),),
    "E3": (frozenset({"session", "redirect"}), frozenset({"level", "redirect"})),
    "E4": (frozenset({"factor-events", "user-facts"}),),
    "E6": (frozenset({"door"}),),
    "F1": (frozenset({"ip"}),),
    "F2": (),
    "F3": (frozenset({"ip", "factor-events"}),),
    "F4": (frozenset({"ip"}), frozenset({"factor-events"})),
}
"""Drops that together take the only trace of a cause: seldom made, and scored apart."""


@dataclass
class Written:
    """A case file and what was done to it.

    Attributes:
        lacks: What was dropped, in the words of `DROPS`, with `one-word`, `others`, `user-facts`.
        disorder: What else was done to the rows.
        blind: Whether the only trace of the main cause went.
    """

    case: dict[str, Any]
    lacks: frozenset[str] = frozenset()
    disorder: tuple[str, ...] = ()
    blind: bool = False
    rows: list[Row] = field(default_factory=list)


def write(stage: Stage, now: float, richness: str, rng: random.Random) -> Written:
    """Return the case file of what happened until *now*."""
    lacks, blind = _lacks(stage, rng) if richness == "poor" else (frozenset[str](), False)
    disorder = _disorder(rng) if richness == "poor" else ()
    style = _Style(rng, richness, any(c.startswith("F") for c in stage.scene.truth))
    me = stage.me.record
    rows = _rows(stage, me, now, style)
    kept = _poorer(rows, lacks, rng)
    case: dict[str, Any] = {
        "format": "helpdesk-case/1",
        "product": stage.product,
        "now": style.time(stage.world.moment(now)),
        "complaint": stage.scene.complaint,
        "user": _user(stage, me, "user-facts" in lacks, style),
        "timeline": _export(stage, kept, disorder, rng, style, now),
    }
    if stage.scene.shown and "others" not in lacks:
        case["others"] = [
            {
                "user": {"id": who.id, "account": who.account},
                "timeline": _export(
                    stage,
                    _poorer(_rows(stage, who, now, style), lacks, rng),
                    disorder,
                    rng,
                    style,
                    now,
                ),
            }
            for who in stage.scene.shown
        ]
    if stage.scene.replies and (richness == "rich" or rng.random() < 0.6):
        case["answers"] = [{"ask": ask, "reply": reply} for ask, reply in stage.scene.replies]
    case["truth"] = list(stage.scene.truth)
    blind = blind or _untold(stage.scene.truth, kept, case["user"])
    return Written(case, lacks, disorder, blind, kept)


class _Style:
    """How one log writes its times and identifiers."""

    def __init__(self, rng: random.Random, richness: str, attacked: bool) -> None:
        self.millis = rng.random() < 0.3
        self.prefix = rng.choice(("e", "ev-", "evt_"))
        self.noise = rng.random() < (0.4 if richness == "poor" else 0.2)
        self.nulls = richness == "poor" and rng.random() < 0.3
        self.extra = rng.choice(("trace", "region", "request")) if rng.random() < 0.2 else ""
        self.keeps_days = rng.choice((None, None, None, 3.0, 7.0))
        if richness == "poor" and rng.random() < 0.2:
            self.keeps_days = 1.0
        if attacked and self.keeps_days is not None:
            # Without a day of the customer's own, nothing could tell a stranger from them.
            self.keeps_days = max(self.keeps_days, 2.0)

    def time(self, moment: datetime) -> str:
        if self.millis:
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _rows(stage: Stage, who: Record, now: float, style: _Style) -> list[Row]:
    since = now - (style.keeps_days or 1e6) * 86_400
    rows = [row for row in stage.server.log.get(who.id, ()) if since <= row["at"] <= now]
    return sorted(rows, key=lambda row: row["at"])


def _user(stage: Stage, me: Record, bare: bool, style: _Style) -> dict[str, Any]:
    if bare:
        return {"id": me.id, "name": me.name, "login": me.login, "account": me.account}
    mail = me.mailbox.address
    factors = []
    for factor in me.factors:
        since = factor.get("since", -90 * 86_400.0)
        factors.append({**factor, "since": style.time(stage.world.moment(since))})
    return {
        "id": me.id, "name": me.name, "login": me.login, "account": me.account, "role": me.role,
        "notification_address": mail if mail != me.login or stage.product == "partner-portal"
        else None,
        "mobile": None if stage.product == "partner-portal" else me.mobile,
        "factors": factors,
    }  # fmt: skip


def _lacks(stage: Stage, rng: random.Random) -> tuple[frozenset[str], bool]:
    words = [word for word, _ in LIKELY]
    weights = [weight for _, weight in LIKELY]
    want = rng.choice((2, 3, 3, 4, 4, 5, 6))
    may_blind = rng.random() < 0.08
    chosen: set[str] = set()
    for _ in range(30):
        if len(chosen) >= want:
            break
        word = rng.choices(words, weights)[0]
        if may_blind or not _blinds(stage, chosen | {word}):
            chosen.add(word)
    return frozenset(chosen), _blinds(stage, chosen)


def _blinds(stage: Stage, chosen: set[str]) -> bool:
    truth = stage.scene.truth
    return bool(truth) and any(trace <= chosen for trace in ONLY_TRACE.get(truth[0], ()))


def _untold(truth: list[str], rows: list[Row], user: dict[str, Any]) -> bool:
    """Whether no row is left that tells of the main cause, where a few rows alone could."""
    main = truth[0] if truth else ""
    if main == "A7":
        agents = {row["agent"] for row in rows if "agent" in row}
        told = any(
            row.get("trust") == "foreign" or row.get("cause") == "password-changed" for row in rows
        )
        return not told and len(agents) < 2
    if main == "E3":
        half = any(row.get("level") in (1, "aal1") for row in rows)
        return not half and not any(row["kind"] == "redirect" for row in rows)
    if main == "C10":
        slowed = any(row.get("allowed") is False for row in rows)
        return not slowed and not any(row.get("code") in ("429", "60203") for row in rows)
    if main == "E4":
        wanted = any(row.get("change") == "must-enrol" for row in rows)
        return not wanted and user.get("factors") != []
    return False


def _disorder(rng: random.Random) -> tuple[str, ...]:
    every = ("missing", "twice", "shuffled", "minutes", "mail-clock", "no-ids")
    return tuple(word for word in every if rng.random() < (0.12 if word == "minutes" else 0.25))


def _poorer(rows: list[Row], lacks: frozenset[str], rng: random.Random) -> list[Row]:
    gone = [place for word in sorted(lacks) for place in DROPS.get(word, ())]
    kinds = {place for place in gone if "." not in place}
    keys = [tuple(place.split(".")) for place in gone if "." in place]
    one_word = rng.choice(("wrong", "wrong", None)) if "one-word" in lacks else ""
    kept = []
    for row in rows:
        if row["kind"] in kinds:
            continue
        drop = {key for kind, key in keys if kind in ("*", row["kind"])}
        new = {key: value for key, value in row.items() if key not in drop}
        if one_word != "" and row["kind"] == "answer" and not row["ok"]:
            new.pop("reason", None)
            if one_word:
                new["reason"] = one_word
        kept.append(new)
    return kept


def _export(
    stage: Stage,
    rows: list[Row],
    disorder: tuple[str, ...],
    rng: random.Random,
    style: _Style,
    now: float,
) -> list[dict[str, Any]]:
    skew = rng.uniform(-20, 90) if "mail-clock" in disorder else 0.0
    events = []
    for number, row in enumerate(rows, start=1):
        if "missing" in disorder and rng.random() < 0.04 and row["kind"] in _SPARE:
            continue
        new = dict(row)
        if skew and row["kind"] in ("send", "delivery", "fetch"):
            new["at"] = min(row["at"] + skew, now)
        if style.nulls:
            new |= {key: None for key in _NULLS.get(row["kind"], ()) if key not in row}
        if style.extra:
            new[style.extra] = f"x{rng.randrange(99)}"
        event = _timed(stage, new, "minutes" in disorder, style)
        events.append(event if "no-ids" in disorder else {"id": f"{style.prefix}{number}", **event})
    if style.noise:
        events += _noise(stage, rng, style, now)
    if "twice" in disorder:
        events += [dict(event) for event in events if rng.random() < 0.2]
    if "shuffled" in disorder:
        rng.shuffle(events)
    else:
        events.sort(key=lambda event: event["at"])
    return events


def _timed(stage: Stage, row: Row, minutes: bool, style: _Style) -> Row:
    """A row with its numbers of seconds written as times."""
    for key in TIMES:
        if isinstance(row.get(key), float):
            moment = stage.world.moment(row[key])
            if minutes and key == "at":
                moment = moment.replace(second=0, microsecond=0)
            row[key] = style.time(moment)
    return row


_NULLS = {
    "password": ("network", "browser", "door"),
    "challenge": ("rule", "trust", "browser", "tab"),
    "answer": ("reason", "send", "drift_s"),
    "send": ("to", "expires_at"),
    "session": ("level",),
}
"""Keys that some logs write as null where they know nothing."""

_SPARE = ("password", "send", "delivery", "session", "challenge")


def _noise(stage: Stage, rng: random.Random, style: _Style, now: float) -> list[dict[str, Any]]:
    """Rows of kinds that no reader of the format knows."""
    kinds = ("page-view", "newsletter-opened", "profile-saved", "api-call")
    return [
        {
            "id": f"n{number}",
            "at": style.time(stage.world.moment(now) - timedelta(seconds=rng.uniform(5, 400_000))),
            "kind": rng.choice(kinds),
            "detail": rng.choice(("ok", "dashboard", "list 4", "cached")),
        }
        for number in range(rng.randrange(1, 12))
    ]
