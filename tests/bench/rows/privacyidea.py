"""P: our gateway beside privacyIDEA's own REST API, the same number of users in each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import quote, urlsplit

import httpx

from tests.bench.hosted import Hosted, gateways, stores
from tests.bench.loading import Served, load, request
from tests.bench.rows.gateway import Wishes, ours_asked, people_of
from tests.bench.run import Run, row
from tests.bench.table import Goal, Printed, Sample, Skipped, in_turn, line
from tests.labs.environment import Missing
from tests.labs.privacyidea.running import Lab, lab_in
from tests.reliability.process import Plug

USERS, ENROLLED, SENT, ROWS = 10_000, 40, 8_000, 15
CONNECTIONS, SECONDS, ROUNDS = 8, 3.0, 5
PEER = "privacyIDEA"
AT_LEAST = Goal(least=5)

Asks = Callable[[int], bytes]
Heed = Callable[[int, bytes], None]


@row("P1")
def against(run: Run) -> Iterator[Printed]:
    """Search, factors, a code sent and a page of the log: our gateway beside privacyIDEA."""
    try:
        with (
            lab_in(run.home()) as lab,
            stores(run, USERS, only_sqlite=True) as found,
            gateways(found[0], 1) as plugs,
        ):
            yield from _against(run, lab, found[0], plugs[0])
    except Missing as missing:
        yield Skipped("P1", str(missing))


def _against(run: Run, lab: Lab, hosted: Hosted, plug: Plug) -> Iterator[Printed]:
    peer = int((lab.place / "server.pid").read_text("ascii"))
    theirs, ours = _theirs(lab), _ours(hosted, plug)
    for what, (asks, heed) in ours.items():
        cases = {
            "ours": partial(_load, run, plug.port, plug.process, asks, heed),
            PEER: partial(_load, run, urlsplit(lab.url).port or 0, peer, theirs[what], _ignored),
        }
        taken = in_turn(run.count(ROUNDS), cases)
        refused = {name: sum(one.bad for one in all_) for name, all_ in taken.items()}
        if any(refused.values()):
            yield Skipped("P1", f"{what}: not counted, as they were refused: {refused}")
        for unit, rate in (("/s", _per_s), ("/CPU s", _per_cpu_s)):
            rates = {name: Sample([*map(rate, all_)], unit) for name, all_ in taken.items()}
            yield line("P1", f"{what}, {unit}", rates, {PEER: AT_LEAST}, hosted.users)


def _per_s(served: Served) -> float:
    return served.per_s


def _per_cpu_s(served: Served) -> float:
    return served.per_cpu_s


def _load(run: Run, port: int, process: int, asks: Asks, heed: Heed) -> Served:
    seconds = SECONDS / 2 if run.is_quick else SECONDS
    asked = load([port], [process], asks, connections=CONNECTIONS, seconds=seconds, heed=heed)
    return asyncio.run(asked)


def _ignored(number: int, head: bytes) -> None:
    """Nothing in an answer matters."""


def _ours(hosted: Hosted, plug: Plug) -> Mapping[str, tuple[Asks, Heed]]:
    """What our gateway is asked; a case holds a user's factors, and much more."""
    people = asyncio.run(people_of(hosted, SENT))  # nobody is sent a second code within a minute
    sends = Wishes(plug.port, people, {"act": "send-code"}, "send-code")

    def find(number: int) -> Mapping[str, object]:
        # Another each time: what was asked a moment ago is answered from what is kept.
        return {"query": {"words": [str(1_000 + number % 8_999)]}, "limit": ROWS}

    return {
        "a search": (lambda n: ours_asked("POST", "/v1/find", n, find(n)), _ignored),
        "factors": (
            lambda n: ours_asked("GET", f"/v1/users/{people[n % len(people)]}/case", n),
            _ignored,
        ),
        "a page of the log": (
            lambda n: ours_asked("POST", "/v1/log", n, {"limit": ROWS}),
            _ignored,
        ),
        "a code sent": (sends.asked, sends.heed),
    }


def _token(lab: Lab) -> str:
    """Give what privacyIDEA's own administrator is known by."""
    known = lab.told()
    wish = {"username": known["admin"], "password": known["password"]}
    answer = httpx.post(f"{lab.url}/auth", json=wish, trust_env=False, timeout=30)
    return str(answer.raise_for_status().json()["result"]["value"]["token"])


def _theirs(lab: Lab) -> Mapping[str, Asks]:
    """Make as many users as ours, some with a factor, and give what privacyIDEA is asked."""
    with contextlib.closing(sqlite3.connect(lab.place / "corp.sqlite")) as database:
        (there,) = database.execute("SELECT count(*) FROM users").fetchone()
        database.executemany(
            "INSERT INTO users (username, givenname, surname, email) VALUES (?, ?, ?, ?)",
            [(f"u{n}", "Ana", f"Name{n}", f"u{n}@example.test") for n in range(USERS - there)],
        )
        database.commit()
    logins = [f"u{n}" for n in range(ENROLLED)]
    for login in logins:
        lab.enrol(login, "email", email=f"{login}@example.test", dynamic_email=0)
    told = {"PI-Authorization": _token(lab)}

    def of(number: int) -> str:
        return quote(logins[number % ENROLLED])

    return {
        "a search": lambda n: request("GET", f"/user/?realm=corp&username=u{n % 90}1*", told),
        "factors": lambda n: request("GET", f"/token/?realm=corp&user={of(n)}", told),
        "a page of the log": lambda _: request("GET", f"/audit/?page_size={ROWS}", told),
        "a code sent": lambda n: request(
            "POST",
            "/validate/triggerchallenge",
            told,
            json.dumps({"user": logins[n % ENROLLED], "realm": "corp"}).encode(),
        ),
    }
