"""Every endpoint, asked by every role, about a user of one's own account and of another one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from helpdesk.domain.agents import Role
from helpdesk.gateway import endpoints, server, wire
from helpdesk.gateway.endpoints import ENDPOINTS, Endpoint
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.matrix import AGENTS, BODIES, EXPECTED, TARGETS
from tests.gateway.serving import gateway
from tests.sample import sample
from tests.waiting import PATIENCE_S

ABOUT = {"approval": "a000000", "hold": "h000000", "key": "k" * 20}
"""What else stands in addresses: there is nothing of that name."""


class Asked:
    """Asks every endpoint in a form it takes."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._keys = map(str, itertools.count(10**16))

    def ask(self, endpoint: Endpoint, who: str, user: str) -> httpx.Response:
        answer = self._asked(endpoint, who, user)
        while answer.status_code == 412:  # somebody's look was written down just now
            answer = self._asked(endpoint, who, user)
        return answer

    def _asked(self, endpoint: Endpoint, who: str, user: str) -> httpx.Response:
        path, _ = wire.placed(endpoint.path, ABOUT | {"user": user})
        headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": next(self._keys)}
        if endpoint.is_matched:  # as somebody saw it who may see everybody
            headers["If-Match"] = self._http.get(
                f"/v1/users/{user}/case", headers={"Authorization": "Bearer lee"}
            ).headers["etag"]
        body = json.dumps(BODIES.get(endpoint.name, {})).replace("{user}", user)
        sent = {"json": json.loads(body)} if endpoint.method == "POST" else {}
        return self._http.request(endpoint.method, path, headers=headers, **sent)


@pytest.fixture
def asked(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[Asked]:
    with (
        gateway(desk_as, clock) as (url, _),
        httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
    ):
        yield Asked(http)


def is_about_somebody(endpoint: Endpoint) -> bool:
    return "user" in endpoint.places or "{user}" in json.dumps(BODIES.get(endpoint.name, ""))


def cells() -> Iterator[tuple[Endpoint, str]]:
    """Every endpoint with each kind of target; the stream of events is opened elsewhere."""
    for endpoint in ENDPOINTS.values():
        if endpoint.name != "changed":
            for target in ("own", "other") if is_about_somebody(endpoint) else ("-",):
                yield endpoint, target


def test_each_role_gets_what_the_table_says_of_its_own_and_of_others(asked: Asked) -> None:
    found = {
        f"{endpoint.name} {target}": [
            asked.ask(endpoint, who, TARGETS[target]).status_code for who in AGENTS.values()
        ]
        for endpoint, target in cells()
    }

    assert found == table(EXPECTED)


def table(text: str) -> Mapping[str, list[int]]:
    """Read the table: endpoint, target, and a status for each role."""
    rows = [line.split() for line in text.strip().splitlines()]
    return {f"{row[0]} {row[1]}": [int(each) for each in row[2:]] for row in rows}


def test_who_administers_one_account_is_told_of_nobody_else(asked: Asked) -> None:
    everybody: list[dict[str, Any]] = list(sample()["users"].values())
    others = [user for user in everybody if user["account"] != "a3"]
    for user in others:
        asked.ask(ENDPOINTS["perform"], "lee", user["id"])

    told = {
        f"{endpoint.name} {target}": asked.ask(endpoint, "pia", TARGETS[target]).text
        for endpoint, target in cells()
    }

    for user in others:
        for word in (user["name"], user["login"], f'"user":"{user["id"]}"'):
            assert [name for name, text in told.items() if word in text] == []


@pytest.mark.parametrize("role", list(Role))
def test_without_a_right_in_the_table_an_endpoint_answers_nobody(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr(server, "RIGHTS", {})

    answers = {
        endpoint.name: asked.ask(endpoint, AGENTS[role], "u4")
        for endpoint in ENDPOINTS.values()
        if not endpoint.is_matched
    }

    assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(answers, 403)
    assert all("That is for nobody" in a.json()["detail"] for a in answers.values())


def test_a_new_endpoint_answers_nobody_until_it_has_a_right(
    desk_as: Callable[..., LocalDesk], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Endpoint(
        name="new", method="GET", path="/v1/new", asks=wire.Nothing, gives=wire.Done, says="New"
    )
    monkeypatch.setattr(server, "ENDPOINTS", {**endpoints.ENDPOINTS, "new": new})

    with gateway(desk_as, clock) as (url, _):
        statuses = {
            httpx.get(f"{url}/v1/new", headers={"Authorization": f"Bearer {who}"}).status_code
            for who in AGENTS.values()
        }

    assert statuses == {403}
