"""Watching the gateway: numbers for Prometheus and one line a request, without personal data."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from helpdesk.domain.errors import NoRecord

LOG: Final = logging.getLogger("helpdesk.gateway")

ROUTE: Final = "helpdesk.route"
AGENT: Final = "helpdesk.agent"
"""Where in a request's scope stands what may be said of it: the template of its route, who asks."""

HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer carries: nothing is kept, framed, guessed or passed on."""

STRICTER: Final = (*HEADERS, (b"strict-transport-security", b"max-age=31536000"))
"""What it carries where nobody listens in."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def log_to(stream: TextIO) -> None:
    """Write one line of JSON a request to a stream."""
    hand = logging.StreamHandler(stream)
    hand.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(hand)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


class Numbers:
    """What is counted of one gateway process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "helpdesk_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "helpdesk_request_seconds",
            "Seconds until a request was answered, by route.",
            ("route",),
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.under_way = Gauge(
            "helpdesk_requests_under_way", "Requests being answered.", registry=self.registry
        )
        self.streams = Gauge(
            "helpdesk_streams", "Streams of events that are open.", registry=self.registry
        )
        self.faults = Counter(
            "helpdesk_faults", "Answers of 500, faults of our own.", registry=self.registry
        )
        # To look a number up by its labels takes longer than to count.
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; of routes, methods and statuses there are few."""
        of = self._of.get((route, method, status))
        if of is None:
            count = self.requests.labels(route, method, str(status))
            of = self._of[route, method, status] = (count, self.seconds.labels(route))
        of[0].inc()
        of[1].observe(seconds)

    def text(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self.registry)


class Watched:
    """An ASGI application with every request counted, logged and its answer's headers set."""

    def __init__(self, app: App, numbers: Numbers) -> None:
        self._app, self._numbers = app, numbers

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def passed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = STRICTER if scope.get("scheme") == "https" else HEADERS
                own = [*message.get("headers", ())]
                named = {name for name, _ in own}
                message["headers"] = own + [one for one in extra if one[0] not in named]
            await send(message)

        with self._numbers.under_way.track_inprogress():
            try:
                await self._app(scope, receive, passed)
            finally:
                self._tell(scope, status, time.perf_counter() - begun)

    def _tell(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = scope.get(ROUTE, "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._numbers.answered(route, method, status, seconds)
        if not LOG.isEnabledFor(logging.INFO):
            return
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1_000, 1),
            "agent": scope.get(AGENT, ""),
        }
        LOG.info(msgspec.json.encode(line).decode())


def tell_fault(error: BaseException) -> None:
    """Log a fault of our own: where it was, but no value of the data.

    What is wrong with the desk's own record is said: it is about where the record is.
    """
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{frame.filename.rpartition('helpdesk')[2]}:{frame.lineno}" for frame in frames]
    line = {"fault": type(error).__name__, "places": places}
    if isinstance(error, NoRecord):
        line["says"] = str(error)
    LOG.error(msgspec.json.encode(line).decode())
