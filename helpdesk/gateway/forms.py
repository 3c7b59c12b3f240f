"""Forms: from a request to the desk's method and its arguments, and from its answer to the wire."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from helpdesk import __version__
from helpdesk.domain.cases import Case, Outcome
from helpdesk.domain.search import Page
from helpdesk.domain.text import clean
from helpdesk.gateway import wire
from helpdesk.gateway.calls import Call, Malformed
from helpdesk.gateway.endpoints import Endpoint
from helpdesk.gateway.travelling import etag
from helpdesk.service.desk import Desk


async def asks_of(endpoint: Endpoint, call: Call) -> wire.Asks:
    """Return what is asked, from address and body.

    Raises:
        Malformed: It is not of the endpoint's form; the sentence names the place.
    """
    placed = {place: _plain(value) for place, value in call.placed.items()}
    if endpoint.method == "GET":
        return _converted(_queried(call) | placed, endpoint, is_text=True)
    if call.queried():
        raise Malformed("Nothing of this stands after a question mark: it goes in the body.")
    body = await call.body()
    kind = call.header("content-type").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise Malformed("A body is application/json.", status=415, name="not-in-this-form")
    found = _decoded(body)
    if not isinstance(found, dict):
        raise Malformed("A body is one JSON object.")
    if found.keys() & placed.keys():
        raise Malformed("What stands in the address does not stand in the body too.")
    whole = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in found.items()}
    return _converted(whole | placed, endpoint, is_text=False)  # 100.0 is a whole number in JSON


def seen_of(endpoint: Endpoint, call: Call) -> str:
    """Return the ETags of the case as the agent saw it; empty where it does not matter.

    Raises:
        Malformed: It matters, and none is there.
    """
    seen = call.header("if-match")
    if endpoint.is_matched and not seen:
        says = "Say with If-Match which case you saw: the ETag it came with."
        raise Malformed(says, status=428, name="say-what-you-saw")
    return seen


async def asked(desk: Desk, endpoint: Endpoint, asks: wire.Asks, *, key: str = "") -> Any:
    """Ask the desk; return what it gives."""
    if endpoint.name == "whose":
        return wire.Whose(user=(await desk.case(wire.arguments(asks)["name"])).user.id)
    given = wire.arguments(asks) | ({"key": key} if endpoint.is_write else {})
    return await getattr(desk, endpoint.name)(**given)


def tag_of(found: Any) -> str:
    """Return the ETag of the case in what a desk gave; empty where there is none."""
    if isinstance(found, Outcome):
        found = found.case
    return etag(found) if isinstance(found, Case) else ""


def info_of(desk: Desk) -> wire.Info:
    """Return what a console shows of a desk in its header."""
    return wire.Info(
        label=desk.label,
        is_demo=desk.is_demo,
        is_gated=desk.is_gated,
        agent=desk.agent,
        cards=tuple(desk.cards.values()),
        freshness=desk.freshness,
        version=__version__,
        alarm=desk.alarm,
    )


def sent(found: Any, endpoint: Endpoint, asks: wire.Asks) -> Any:
    """Return what stands on the wire for what a desk gave."""
    if isinstance(found, Page):
        return wire.listed(found, wire.sort_of(asks))
    if endpoint.gives is wire.Text:
        return wire.Text(text=found)
    if endpoint.gives is wire.Count:
        return wire.Count(count=found)
    return wire.Done() if endpoint.gives is wire.Done else found


def _queried(call: Call) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in call.queried():
        if name in found:
            raise Malformed("Each word after the question mark stands there once.")
        found[name] = _plain(value)
    return found


_NOTHING: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""U+0000 in JSON; two backslashes before are a backslash."""


def _plain(text: str) -> str:
    """Return a text without U+0000, which no database takes, and which stands for nothing."""
    return text.replace("\0", "\ufffd")


def _decoded(body: bytes) -> Any:
    try:
        has_none = b"\\u0000" not in body
        return msgspec.json.decode(body if has_none else _NOTHING.sub(rb"\1\\ufffd", body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        says = "too deep" if isinstance(error, RecursionError) else clean(str(error), limit=200)
        raise Malformed(f"The body is no JSON that can be read: {says}.") from error


def _converted(found: dict[str, Any], endpoint: Endpoint, *, is_text: bool) -> wire.Asks:
    try:
        asks = msgspec.convert(found, endpoint.asks, strict=not is_text, str_keys=True)
    except (msgspec.ValidationError, RecursionError) as error:
        says = clean(str(error).replace("`$.", "`"), limit=400)
        raise Malformed(f"{says}.") from error
    if isinstance(asks, wire.Erase) and asks.before.tzinfo is not UTC:
        try:
            return replace(asks, before=asks.before.astimezone(UTC))
        except OverflowError as error:
            raise Malformed("`before` is no moment that a calendar has.") from error
    return asks
