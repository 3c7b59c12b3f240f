"""Answers as they go over the line: what a desk gives again is not encoded again."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from helpdesk.domain.feed import Freshness
from helpdesk.domain.search import Page, UserRow
from helpdesk.gateway import wire
from helpdesk.gateway.endpoints import Endpoint
from helpdesk.gateway.forms import info_of, sent, tag_of
from helpdesk.gateway.travelling import to_wire
from helpdesk.service.desk import Desk

MOST_BYTES: Final = 16 * 1024 * 1024
"""Answers of so many bytes together are remembered: those that were made last."""

BESIDE: Final = 1_024
"""Bytes that one takes at the least beside what is sent: the value it stands for, and its place."""

LINES: Final = 4_096
"""The lines of so many users are remembered as they are sent; of more, none of those before."""

LISTS: Final = frozenset({"find", "queue"})
"""What gives lines of users: that of one is the very same value in every list of one moment."""

AGAIN: Final = frozenset({"case", "find", "queue", "log"})
"""What a desk gives again, as the very same value, while nothing changed."""


class Body(NamedTuple):
    """An answer: its bytes, and the ETag of the case in it."""

    content: bytes
    tag: str = ""


class Encoded:
    """What was answered a moment ago, by the value it stands for."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Body]] = {}
        self._bytes = 0
        self._lines: dict[int, tuple[UserRow, msgspec.Raw]] = {}
        self._infos: dict[Desk, tuple[tuple[str, Freshness], Body]] = {}

    def of(self, found: Any, endpoint: Endpoint, asks: wire.Asks) -> Body:
        """Give what is sent for what a desk gave."""
        if endpoint.name not in AGAIN:
            return body_of(found, endpoint, asks)
        kept = self._known.get(id(found))  # of nothing else as long as the value is kept with it
        if kept is None:
            body = self._list if endpoint.name in LISTS else body_of
            kept = self._known[id(found)] = (found, body(found, endpoint, asks))
            self._bytes += BESIDE + len(kept[1].content)
            while self._bytes > MOST_BYTES:
                _, oldest = self._known.pop(next(iter(self._known)))
                self._bytes -= BESIDE + len(oldest.content)
        return kept[1]

    def _list(self, page: Page[UserRow], endpoint: Endpoint, asks: wire.Asks) -> Body:
        """Give what is sent for a page; a line that was sent a moment ago is not encoded again."""
        lines = self._lines
        if len(lines) > LINES:
            lines.clear()
        rows: list[msgspec.Raw] = []
        for row in page.rows:
            kept = lines.get(id(row))  # of no other as long as the row is kept with it
            if kept is None:
                kept = lines[id(row)] = (row, msgspec.Raw(msgspec.json.encode(row)))
            rows.append(kept[1])
        return Body(msgspec.json.encode(replace(sent(page, endpoint, asks), rows=tuple(rows))))

    def info(self, desk: Desk) -> Body:
        """Give what a desk says of itself."""
        state = (desk.alarm, desk.freshness)
        kept = self._infos.get(desk)
        if kept is None or kept[0] != state:
            body = Body(msgspec.json.encode(info_of(desk)))
            kept = self._infos[desk] = (state, body)
        return kept[1]


def body_of(found: Any, endpoint: Endpoint, asks: wire.Asks) -> Body:
    """Return what is sent for what a desk gave."""
    content = msgspec.json.encode(to_wire(sent(found, endpoint, asks)))
    return Body(content, tag_of(found))
