"""Many who ask the gateway for the same at once: what may happen once happens once."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from tests import postgres
from tests.gateway.serving import gateway
from tests.sample import write_sample
from tests.sql import desks_on, imported
from tests.waiting import PATIENCE_S

AT_ONCE: Final = 50
RESET: Final = {
    "act": "reset-factor", "user": "u2", "factor": "u2-f2", "reason": "new phone", "ticket": "4822",
}  # fmt: skip
OFF: Final = {"act": "turn-off-mfa", "user": "u1", "reason": "asked", "ticket": "4821"}
CODE: Final = {"act": "send-code", "user": "u1", "factor": "u1-f1", "ticket": "4821"}
NOTE: Final = {"act": "note", "user": "u1", "text": "called"}


class Crowd:
    """Agents at one gateway, who can do something all at once."""

    def __init__(self, url: str, at_once: int) -> None:
        self._url, self._at_once = url, at_once
        self._keys = map(str, itertools.count(10**16))
        self._http = httpx.Client(
            base_url=url,
            trust_env=False,
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_connections=at_once),
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(self, path: str, body: Any, who: str, *, key: str = "", user: str = "") -> Any:
        """Ask once; give the answer."""
        headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": key or next(self._keys)}
        while True:
            if user:
                seen = self._http.get(
                    f"/v1/users/{user}/case", headers={"Authorization": "Bearer lee"}
                )
                headers["If-Match"] = seen.headers["etag"]
            answer = self._http.post(path, json=body, headers=headers)
            if answer.status_code != 412:
                return answer

    def all(self, each: Sequence[Callable[[], Any]]) -> Counter[int]:
        """Do all at once; give how often which status came."""
        with ThreadPoolExecutor(self._at_once) as pool:
            asked = [pool.submit(one) for one in each]
            return Counter(one.result().status_code for one in asked)

    def prove(self, who: str, user: str, ticket: str, channel: str) -> tuple[str, str]:
        """Ask a caller for a code; give the asking, and the code that the phone shows."""
        wanted = {"method": "code", "channel": channel, "ticket": ticket}
        asking = self.ask(f"/v1/users/{user}/askings", wanted, who, user=user).json()["id"]
        shown = self._http.get(
            f"/v1/users/{user}/phone", headers={"Authorization": f"Bearer {who}"}
        )
        codes = [one["secret"] for one in shown.json() if one.get("says")]
        return asking, codes[-1]

    def proven(self, who: str, user: str, ticket: str, channel: str) -> None:
        """Prove a caller."""
        asking, code = self.prove(who, user, ticket, channel)
        answer = {"answer": code, "asking": asking}
        self.ask(f"/v1/users/{user}/proofs", answer, who, user=user).raise_for_status()

    def done(self, act: str) -> int:
        """How often an act was done, by the log."""
        told = self._http.post("/v1/log", json={}, headers={"Authorization": "Bearer lee"}).json()
        return sum(row["act"] == act and row["result"] == "done" for row in told["rows"])


def _request(crowd: Crowd) -> str:
    crowd.proven("sam", "u1", "4821", "u1-f1")
    told = crowd.ask("/v1/actions", {"action": OFF}, "sam", user="u1").json()
    return str(told["decision"]["needs"][-1]["choices"][0])


def _approve_approve(crowd: Crowd, count: int) -> tuple[str, bool]:
    path = f"/v1/approvals/{_request(crowd)}/answer"
    who = ("lee", "dana")
    told = crowd.all(
        [
            lambda n=n: crowd.ask(path, {"is_granted": True}, who[n % 2])  # type: ignore[misc]
            for n in range(count)
        ]
    )
    return f"approve/approve: {dict(told)}", told[200] == 1 and set(told) == {200, 403}


def _approve_refuse(crowd: Crowd, count: int) -> tuple[str, bool]:
    request = _request(crowd)
    path = f"/v1/approvals/{request}/answer"
    told = crowd.all(
        [
            lambda n=n: crowd.ask(path, {"is_granted": n % 2 == 0}, "lee")  # type: ignore[misc]
            for n in range(count)
        ]
    )
    again = crowd.ask("/v1/actions", {"action": OFF}, "sam", user="u1").status_code
    return f"approve/revoke: {dict(told)}, then {again}", (
        told[200] == 1 and set(told) == {200, 403} and again in {200, 422}
    )


def _approval_used_twice(crowd: Crowd, count: int) -> tuple[str, bool]:
    path = f"/v1/approvals/{_request(crowd)}/answer"
    crowd.ask(path, {"is_granted": True}, "lee").raise_for_status()
    told = crowd.all([lambda: crowd.ask("/v1/actions", {"action": OFF}, "sam", user="u1")] * count)
    return f"one approval used: {dict(told)}", told[200] == 1 == crowd.done("turn-off-mfa")


def _proof_twice(crowd: Crowd, count: int) -> tuple[str, bool]:
    crowd.proven("dana", "u2", "4822", "u2-f1")
    told = crowd.all(
        [lambda: crowd.ask("/v1/actions", {"action": RESET}, "dana", user="u2")] * count
    )
    return f"one proof used: {dict(told)}", told[200] == 1 == crowd.done("reset-factor")


def _code_twice(crowd: Crowd, count: int) -> tuple[str, bool]:
    asking, code = crowd.prove("dana", "u2", "4822", "u2-f1")
    body = {"answer": code, "asking": asking}
    told = crowd.all([lambda: crowd.ask("/v1/users/u2/proofs", body, "dana", user="u2")] * count)
    return f"one code read back: {dict(told)}", told[200] == 1


def _guesses(crowd: Crowd, count: int) -> tuple[str, bool]:
    """Guess at once, never rightly: three are read; then the right one comes too late."""
    asking, code = crowd.prove("dana", "u2", "4822", "u2-f1")
    wrong = [f"{number:06}" for number in range(count + 1) if f"{number:06}" != code][:count]
    told = crowd.all(
        [
            lambda one=one: crowd.ask(  # type: ignore[misc]
                "/v1/users/u2/proofs", {"answer": one, "asking": asking}, "dana", user="u2"
            )
            for one in wrong
        ]
    )
    right = {"answer": code, "asking": asking}
    late = crowd.ask("/v1/users/u2/proofs", right, "dana", user="u2").status_code
    return f"a code guessed: {dict(told)}, then the right one: {late}", (
        not told[200] and told[422] == 3 and late == 404
    )


def _limit(crowd: Crowd, count: int) -> tuple[str, bool]:
    """One code a minute: of many who send one at once one does."""
    who = ("dana", "lee", "sam")
    told = crowd.all(
        [
            lambda n=n: crowd.ask(  # type: ignore[misc]
                "/v1/actions", {"action": CODE}, who[n % 3], user="u1"
            )
            for n in range(count)
        ]
    )
    return f"at the limit's edge: {dict(told)}", told[200] == 1 == crowd.done("send-code")


def _one_key(crowd: Crowd, count: int) -> tuple[str, bool]:
    key = "k" * 20
    told = crowd.all(
        [lambda: crowd.ask("/v1/actions", {"action": NOTE}, "dana", key=key, user="u1")] * count
    )
    return f"one key: {dict(told)}", crowd.done("note") == 1 and set(told) <= {200, 409}


RACES: Final = (
    _approve_approve, _approve_refuse, _approval_used_twice, _proof_twice, _code_twice, _guesses,
    _limit, _one_key,
)  # fmt: skip


def tries(seed: int, *, is_quick: bool) -> Iterator[tuple[str, bool]]:
    """Give each race in words, once for each who ran, and whether it ended as it should."""
    count = 4 if is_quick else AT_ONCE
    chosen = [RACES[seed % len(RACES)], RACES[(seed + 2) % len(RACES)]] if is_quick else RACES
    with contextlib.ExitStack() as stack:
        stores: list[tuple[str, Callable[[Path], str]]] = [
            ("SQLite", lambda place: f"sqlite:///{place}/desk.db")
        ]
        is_there = postgres.programs() is not None or postgres.GIVEN in os.environ
        if not is_quick and is_there:
            server = stack.enter_context(postgres.server("fsync=off"))
            stores.append(("PostgreSQL", lambda _: stack.enter_context(postgres.database(server))))
        for store, address in stores:
            for race in chosen:
                with tempfile.TemporaryDirectory() as place:
                    words, is_well = _run(race, Path(place), address(Path(place)), count)
                yield from [(f"{store}, {count} at once, {words}", is_well)] + [(words, True)] * (
                    count - 1
                )


def _run(
    race: Callable[[Crowd, int], tuple[str, bool]], place: Path, address: str, count: int
) -> tuple[str, bool]:
    def now() -> datetime:
        return datetime.now(UTC)

    sample = write_sample(place / "sample.json")
    with (
        contextlib.closing(imported(address, sample, now)) as database,
        gateway(desks_on(database, now, place), now) as (url, _),
        contextlib.closing(Crowd(url, count)) as crowd,
    ):
        try:
            return race(crowd, count)
        except (httpx.HTTPError, KeyError, IndexError) as error:
            return f"{race.__name__}: {type(error).__name__} {error}", False
