"""How soon an agent who is withdrawn is out: at two gateways in processes of their own.

    helpdesk withdraw ─▶ the store ─▶ both refuse · both streams end · no act of theirs any more

Meanwhile that agent writes note after note at one of them, and another agent works at the other.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from helpdesk.withdrawing import Wish, carry_out
from tests import postgres
from tests.reliability.process import Plug, at_home, plugged
from tests.sample import write_sample
from tests.sql import imported
from tests.waiting import PATIENCE_S

Cell = tuple[str, bool]

MOST_S: Final = 1.0
"""The longest that somebody may go on who was withdrawn."""

ROUNDS: Final = 10


def tries(*, is_quick: bool) -> Iterator[Cell]:
    """Withdraw an agent again and again; the quick part is one of the tests of the gateway."""
    if is_quick:
        return
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        yield from _at(f"sqlite:///{place / 'desk.db'}", place, "SQLite")
    if postgres.programs() is not None:
        with (
            postgres.server() as server,
            postgres.database(server) as store,
            tempfile.TemporaryDirectory() as made,
        ):
            yield from _at(store, Path(made), "PostgreSQL")


def _at(store: str, place: Path, name: str) -> Iterator[Cell]:
    sample = write_sample(place / "sample.json")
    imported(store, sample, lambda: datetime.now(UTC)).close()
    with at_home(place), plugged(store, place) as one, plugged(store, place) as other:
        for number in range(ROUNDS):
            for words, is_well in _round(store, one, other):
                yield f"{name}, round {number}: {words}", is_well


def _round(store: str, one: Plug, other: Plug) -> Iterator[Cell]:
    over = threading.Event()
    streams = [_Stream(plug) for plug in (one, other)]
    writer = _Writer(one, over)
    with contextlib.ExitStack() as stack:
        stack.callback(over.set)
        for each in (*streams, writer):
            each.start()
            stack.callback(each.join, PATIENCE_S)
        for begun_one in (*(each.begun for each in streams), writer.begun):
            begun_one.wait(PATIENCE_S)
        carry_out(Wish(agent="dana", store=store))
        begun = time.monotonic()
        for plug in (one, other):
            took = _until(plug, "dana", 401) - begun
            yield f"refused after {took:.2f} s", took < MOST_S
        for each in streams:
            each.join(PATIENCE_S)
            took = each.ended_at - begun
            yield f"a stream ended after {took:.2f} s", took < MOST_S
        yield "another agent is answered", _status(other, "lee") == 200
        over.set()
        writer.join(PATIENCE_S)
        late = writer.done_at - begun
        yield f"the last act was done {late:.2f} s after", writer.begun.is_set() and late < MOST_S
    carry_out(Wish(agent="dana", store=store, lets_in=True))
    begun = time.monotonic()
    for plug in (one, other):
        took = _until(plug, "dana", 200) - begun
        yield f"let in again after {took:.2f} s", took < MOST_S
        told = _status(plug, "dana, 9 minutes")
        yield f"a sign-in of before: {told}", told == 401


def _status(plug: Plug, who: str) -> int:
    headers = {"Authorization": f"Bearer {who}"}
    return httpx.get(f"{plug.url}/v1/desk", headers=headers, trust_env=False).status_code


def _until(plug: Plug, who: str, status: int) -> float:
    """Ask until it is answered so; give when, on the clock that nobody sets."""
    ends = time.monotonic() + PATIENCE_S
    while _status(plug, who) != status and time.monotonic() < ends:
        time.sleep(0.01)
    return time.monotonic()


class _Stream(threading.Thread):
    """Listens as the agent until the stream ends.

    Attributes:
        ended_at: When it did.
    """

    def __init__(self, plug: Plug) -> None:
        super().__init__()
        self._url, self.begun, self.ended_at = plug.url, threading.Event(), float("inf")

    def run(self) -> None:
        """Listen."""
        with (
            httpx.Client(trust_env=False, timeout=PATIENCE_S) as http,
            http.stream(
                "GET", f"{self._url}/v1/events", headers={"Authorization": "Bearer dana"}
            ) as told,
        ):
            for _ in told.iter_lines():
                self.begun.set()
        self.ended_at = time.monotonic()


class _Writer(threading.Thread):
    """Writes notes as the agent, one after the other.

    Attributes:
        begun: Set when the first of them was acknowledged.
        done_at: When the last of them was acknowledged.
    """

    def __init__(self, plug: Plug, over: threading.Event) -> None:
        super().__init__()
        self._url, self._over, self.begun, self.done_at = plug.url, over, threading.Event(), 0.0

    def run(self) -> None:
        """Write."""
        seen = {"Authorization": "Bearer lee"}
        note = {"action": {"act": "note", "user": "u1", "text": "called"}}
        with httpx.Client(base_url=self._url, trust_env=False, timeout=PATIENCE_S) as http:
            for number in itertools.count():
                if self._over.is_set():
                    return
                headers = {
                    "Authorization": "Bearer dana",
                    "Idempotency-Key": f"key-{id(self)}-{number:09}",
                    "If-Match": http.get("/v1/users/u1/case", headers=seen).headers["etag"],
                }
                if http.post("/v1/actions", json=note, headers=headers).status_code == 200:
                    self.done_at = time.monotonic()
                    self.begun.set()
