"""A scenario begun from a real case: what it shows stays, whose it was goes.

Whatever could tell a person, a company, a place or a network is put away or given an invented name,
the same one wherever it stands; moments become spans; text in somebody's own words is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from helpdesk.domain.diagnosis.casefile import CaseFile, case_verdict
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.errors import BadInput
from helpdesk.domain.events import encode_event
from helpdesk.domain.products import Product
from helpdesk.domain.timeline import AnyEvent, Event, Other
from helpdesk.domain.training.scenario import TIME_KEYS
from helpdesk.domain.training.spans import span_text
from helpdesk.domain.users import FactorKind

NAME, COMPANY, HOST = "Robin Marlowe", "Sample & Daughters", "sample.example"
"""Who the person becomes."""

MOST: Final = 200
"""Events of one timeline that are taken over, the newest."""

KEPT: Final = frozenset({
    "kind", "ok", "network", "rule", "factor", "trust", "reason", "drift_s", "state", "allowed",
    "retry_after_s", "channel", "purpose", "code", "level", "count", "seconds", "change", "by",
    "failures", "what", "asks", "scope", "tab",
})  # fmt: skip
"""Keys whose values are words of the case format or numbers: they tell of nobody."""

PLAIN: Final = re.compile(r"[a-z0-9.-]{1,24}")
"""What such a word looks like; anything else is somebody's own words."""

KINDS: Final = frozenset(kind.value for kind in FactorKind)
LOCK_CAUSES: Final = ("fraud", "attempts", "policy")
"""Words of a lock's cause that are kept; the rest of it is somebody's own words."""


class Mask:
    """Invented names, the same for the same original."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def of(self, what: str, value: Any) -> str:
        """Return the invented name of one value of a kind."""
        key = (what, str(value))
        if key not in self._known:
            number = 1 + sum(each == what for each, _ in self._known)
            self._known[key] = _MADE[what](number)
        return self._known[key]


_MADE: Final[Mapping[str, Callable[[int], str]]] = {
    "ip": lambda n: f"192.0.2.{min(n, 254)}",
    "place": lambda n: f"Place {n}",
    "browser": lambda n: f"b{n}",
    "agent": lambda n: f"Browser/{n}",
    "challenge": lambda n: f"c{n}",
    "send": lambda n: f"s{n}",
    "door": lambda n: f"https://door-{n}.example/login",
    "page": lambda n: f"/page-{n}",
    "policy": lambda n: f"policy {n}",
    "to": lambda n: f"r•••@{HOST}" if n == 1 else f"x•••@elsewhere-{n}.example",
    "number": lambda n: f"•••• {20 + n}",
}


def draft(case: CaseFile, cards: Mapping[str, Product], *, file: str = "case") -> str:
    """Return a scenario file begun from a case, to be finished: what is open stands in <…>.

    Raises:
        BadFile: There is no card for the case's product.
        BadInput: Nothing happened in it, or no cause is likely.
    """
    verdict = case_verdict(case, cards, file=file)
    if not case.timeline or verdict.top is None:
        raise BadInput(f"{file}: nothing in it says what the trouble is.")
    mask = Mask()
    kinds = [one.kind for one in case.user.factors or () if one.kind in KINDS]
    fits = [kind for kind in kinds if cards[case.product].factor(FactorKind(str(kind)))]
    factors = [{"kind": str(kind)} for kind in fits]
    past = _past(case.timeline, case.now, mask)
    ask = verdict.ask.pair if verdict.ask else ""
    cause = verdict.top.id
    lines = [
        "# Begun from a real case, made anonymous. Whatever stands in <…> is for you to write.",
        'format = "helpdesk-training/1"',
        'title = "<a title>"',
        f"product = {_text(case.product)}",
        f"cause = {_text(cause)}  # what the verdict says now; put the true one",
        "difficulty = 2",
        "seed = 1",
        *([f"complaint = {_text(case.complaint.value)}"] if case.complaint else []),
        'subject = "<what the ticket says>"',
        'points_out = "<what the trainer points out>"',
        f"asks = [{_text(ask) if ask else ''}]",
        'par = "3m"',
        *_block("past", past),
        "",
        "[person]",
        f"name = {_text(NAME)}",
        f"login = {_text(f'robin@{HOST}')}",
        'role = "user"',
        f"company = {_text(COMPANY)}",
        'mobile = "+44 7700 900999"',
        f"factors = {_value(factors)}",
        "",
        "[caller]",
        'says = "<the opening words>"',
        'mood = "<one word>"',
        *_answers(ask),
        "",
        "[acts]",
        "right = []",
        "dangerous = []",
        "",
        "[words]",
        "must = []",
        "",
        "[[model]]",
        'at = "90s"',
        f"end = {_text(cause)}",
    ]
    for other in case.others[:9]:
        lines += ["", "[[others]]", 'name = "Another User"']
        lines += _block("past", _past(other.timeline, case.now, mask))
    return "\n".join([*lines, ""])


def _answers(ask: str) -> list[str]:
    if not ask:
        return []
    reply = PAIRS[ask].meanings[0]
    found = {"ask": ask, "reply": reply.id, "says": "<in the caller's words>"}
    return _block("answers", [found])


def _past(events: Sequence[AnyEvent], now: datetime, mask: Mask) -> list[dict[str, Any]]:
    known = [e for e in events if isinstance(e, Event) and not isinstance(e, Other) and e.at <= now]
    return [_event(event, now, mask) for event in known[-MOST:]]


def _event(event: Event, now: datetime, mask: Mask) -> dict[str, Any]:
    """One event without anybody in it."""
    raw = encode_event(event)  # type: ignore[arg-type]
    found = {"ago": span_text(max(1, round((now - event.at).total_seconds())))}
    found |= {key: value for key, value in raw.items() if key in KEPT and _is_plain(value)}
    factor = found.get("factor")
    if factor is not None and factor not in KINDS:
        del found["factor"]
    for what in ("ip", "place", "browser", "agent", "challenge", "send", "door"):
        if raw.get(what) is not None:
            found[what] = mask.of(what, raw[what])
    if raw.get("to") is not None:
        what = "page" if event.kind == "redirect" else "to" if "@" in raw["to"] else "number"
        found["to"] = mask.of(what, raw["to"])
    if event.kind == "redirect" and raw.get("from") is not None:
        found["from"] = mask.of("page", raw["from"])
    cause = next((word for word in LOCK_CAUSES if word in str(raw.get("cause", ""))), "")
    if event.kind == "lock" and cause:
        found["cause"] = cause
    if raw.get("policies"):
        found["policies"] = [  # type: ignore[assignment]
            {"name": mask.of("policy", one["name"]), "hours": one.get("hours", 0.0)}
            for one in raw["policies"]
        ]
    for key in TIME_KEYS.get(event.kind, ()):
        if raw.get(key) is not None:
            moment = datetime.fromisoformat(raw[key])
            found[key] = span_text((moment - event.at).total_seconds())
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or bool(PLAIN.fullmatch(str(value)))


def _block(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{name} = [", *(f"  {_value(row)}," for row in rows), "]"]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_value(part)}" for key, part in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _text(str(value))


def _text(text: str) -> str:
    """A basic string of TOML: JSON's, with DEL written out as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
