"""The timeline in words: one line an event, with what is new about it marked by a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from helpdesk.domain import timeline as events
from helpdesk.domain.text import counted
from helpdesk.domain.timeline import AnyEvent
from helpdesk.tui.render.rows import outside
from helpdesk.tui.render.values import m_ss, span

Line = tuple[AnyEvent, str, str, tuple[tuple[str, str], ...]]
"""An event, its words, their look, and details as pairs of (text, look)."""

COMPARED = ("place", "network", "ip", "browser", "door")
"""What is marked as new when it was not there before."""


def timeline_lines(timeline: Sequence[AnyEvent]) -> list[Line]:
    """Return the lines of a timeline, newest first."""
    seen: dict[str, set[str]] = {name: set() for name in COMPARED}
    sends: dict[str, events.Send] = {}
    found: list[Line] = []
    for event in timeline:
        if isinstance(event, events.Send):
            sends[event.send] = event
        words, look, details = describe(event, sends)
        found.append((event, words, look, (*details, *_places(event, seen))))
    return found[::-1]


def _places(event: AnyEvent, seen: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Give where an event came from; what differs from all before it carries the word new."""
    for name in COMPARED:
        value = getattr(event, name, None)
        if not isinstance(value, str) or not value:
            continue
        before = seen[name]
        is_new = bool(before) and value not in before
        before.add(value)
        label = f"{name} {outside(value)}" if name == "browser" else outside(value)
        if is_new:
            yield f"{label} NEW", "warn"
        elif name != "door":
            yield label, "quiet"


def describe(
    event: AnyEvent, sends: dict[str, events.Send]
) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Return an event's words, their look, and its details without its place."""
    match event:
        case events.Password(ok=ok):
            return ("password right", "plain", ()) if ok else ("password wrong", "bad", ())
        case events.Challenge(rule=rule, factor=factor, trust=trust):
            why = f"{outside(rule).replace('-', ' ')}" if rule else ""
            return "code asked", "strong", _texts(why, factor, f"trust {trust}" if trust else "")
        case events.Resend(allowed=allowed):
            return ("asked to resend", "plain", _texts("" if allowed is not False else "refused"))
        case events.Send():
            return _send(event)
        case events.Delivery():
            return _delivery(event, sends.get(event.send))
        case events.Fetch(agent=agent):
            return "message opened", "plain", _texts(agent)
        case events.Answer():
            return _answer(event)
        case events.Session(state=state, cause=cause):
            look = "good" if state == "created" else "warn" if state == "missing" else "plain"
            return f"session {outside(state)}", look, _texts(cause)
        case events.Redirect(count=count, seconds=seconds):
            within = f" in {span(seconds)}" if seconds else ""
            return "sent in circles", "bad", _texts(f"×{count}{within}", event.to)
    return _rare(event)


def _send(event: events.Send) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    words = {"confirmation": "confirmation sent", "enrolment": "enrolment sent"}
    return words.get(event.purpose or "", "code sent"), "strong", _texts(event.channel, event.to)


def _delivery(
    event: events.Delivery, send: events.Send | None
) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    bad = event.state in {"bounced", "suppressed", "failed"}
    look = "bad" if bad else "warn" if event.state == "deferred" else "plain"
    after = f"after {span((event.at - send.at).total_seconds())}" if send else ""
    slow = send is not None and event.at - send.at > timedelta(minutes=1)
    details = ((after, "warn" if slow else "quiet"),) if after else ()
    return outside(event.state), look, (*details, *_texts(event.code, event.detail))


def _answer(event: events.Answer) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    if event.ok:
        return "answer accepted", "good", ()
    drift = f"phone is {m_ss(abs(event.drift_s))} off" if event.drift_s else ""
    return "answer refused", "bad", _texts(_REASONS.get(event.reason or "", event.reason), drift)


_REASONS = {
    "wrong": "wrong code",
    "expired": "code expired",
    "superseded": "superseded by a newer code",
    "reused": "code used before",
    "locked": "user is locked",
    "foreign": "another user's code",
    "drift": "clock of the phone is off",
    "declined": "declined on the phone",
    "timeout": "nobody answered",
}


def _rare(event: AnyEvent) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    match event:
        case events.FactorChange(change=change, factor=factor, by=by):
            by_whom = f"by {outside(by)}" if by else ""
            return (
                outside(change).replace("-", " "),
                "warn",
                _texts(f"factor {factor}" if factor else "", by_whom),
            )
        case events.Lock(until=until, cause=cause, failures=failures):
            end = f"until {until:%H:%M}" if until else "with no end given"
            often = counted(failures, "failure") if failures else ""
            return "locked", "bad", _texts(end, cause, often)
        case events.Report(what=what, detail=detail):
            return f"reported: {outside(what)}", "bad", _texts(event.factor, detail)
        case events.Reset(ok=ok, by=by, scope=scope):
            words = "factors reset" if ok else "reset failed"
            return words, "warn" if ok else "bad", _texts(scope, f"by {by}" if by else "")
        case events.Call(channel=channel, asks=asks):
            return "customer called", "plain", _texts(channel, f"asks: {asks}" if asks else "")
        case events.Export(ok=ok):
            return ("contacts exported" if ok else "export stopped"), "warn", ()
    return outside(event.kind), "plain", ()


def _texts(*values: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((outside(value), "quiet") for value in values if value)


def per_hour(timeline: Iterable[AnyEvent], now: datetime, hours: int = 24) -> list[int]:
    """Return how many challenges and answers fell into each of the last *hours*, oldest first."""
    counts = [0] * hours
    for event in timeline:
        back = int((now - event.at).total_seconds() // 3_600)
        if isinstance(event, events.Challenge | events.Answer | events.Send) and 0 <= back < hours:
            counts[hours - 1 - back] += 1
    return counts
