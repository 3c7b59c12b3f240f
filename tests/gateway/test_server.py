from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import select
import signal
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock

from helpdesk.connectors.sockets import RESTS_S
from helpdesk.domain.actions import Note
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.cases import Outcome
from helpdesk.domain.errors import Refused
from helpdesk.domain.search import Query
from helpdesk.gateway import wire
from helpdesk.gateway.bounds import Allowance
from helpdesk.gateway.endpoints import ENDPOINTS, Endpoint
from helpdesk.gateway.running import MOST_HEAD, Server, run
from helpdesk.gateway.server import Gateway, permit
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.serving import PLENTY, SomeDesks, Words, free_port, gateway
from tests.gateway.serving import served as served_at
from tests.sql import desks_on, imported
from tests.waiting import PATIENCE_S

KEY, OTHER = "k-0123456789abcdef", "k-fedcba9876543210"
NOTE = {"action": {"act": "note", "user": "u2", "text": "called"}}
RESET = {
    "action": {
        "act": "reset-factor",
        "user": "u2",
        "factor": "u2-f2",
        "reason": "new phone",
        "ticket": "4822",
    }
}

Serve = Callable[..., httpx.Client]


class Served:
    """A gateway of the sample, and a client for it."""

    def __init__(self, url: str, desks: SomeDesks) -> None:
        self.desks = desks
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S)

    def get(self, path: str, who: str = "dana", **more: Any) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {who}"}, **more)

    def post(self, path: str, body: Any, who: str = "dana", **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {who}", **headers}
        return self.http.post(path, json=body, headers=sent)

    def told(
        self, body: Any, *, key: str = KEY, tag: str | None = None, who: str = "dana"
    ) -> httpx.Response:
        """Perform an act, by default on the case as it is."""
        seen = self.tag(body["action"]["user"]) if tag is None else tag
        return self.post("/v1/actions", body, who, **{"Idempotency-Key": key, "If-Match": seen})

    def tag(self, user: str) -> str:
        return str(self.get(f"/v1/users/{user}/case").headers["etag"])


@pytest.fixture
def serve(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[Callable[..., Served]]:
    """Serve the sample, within some bounds."""
    opened: list[tuple[Served, Any]] = []

    def serve_it(allowance: Allowance = PLENTY, **more: Any) -> Served:
        # What travels is looked at here, not who is proven.
        context = gateway(lambda who: desk_as(who, is_gated=False), clock, allowance, **more)
        served = Served(*context.__enter__())
        opened.append((served, context))
        return served

    yield serve_it
    for served, context in opened:
        served.http.close()
        context.__exit__(None, None, None)


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and type of a problem, in its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"]
    assert told["detail"].endswith(".")
    return answer.status_code, told["type"].removeprefix("urn:helpdesk:")


def test_without_a_sign_in_nothing_is_answered(served: Served) -> None:
    for endpoint in ENDPOINTS.values():
        path, _ = wire.placed(endpoint.path, dict.fromkeys(endpoint.places, "u2"))
        for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic dana"}):
            answer = served.http.request(endpoint.method, path, headers=headers, json={})
            assert problem(answer) == (401, "unauthorised")
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_endpoint_without_a_listed_right_answers_nobody() -> None:
    new = Endpoint(name="new", method="GET", path="/", asks=wire.Nothing, gives=wire.Done, says="")

    for role in Role:
        with pytest.raises(Refused, match="That is for nobody"):
            permit(new, Agent(id="x", name="X", role=role))


def test_what_is_for_leads_is_refused_to_others(served: Served) -> None:
    body = {"before": "2024-01-01T00:00:00Z"}

    answer = served.post("/v1/log/erasure", body, "dana", **{"Idempotency-Key": KEY})

    assert problem(answer) == (403, "refused")
    assert answer.json()["decision"]["act"] == "erase_log"


def test_a_change_without_a_key_is_not_taken(served: Served) -> None:
    answer = served.post("/v1/actions", NOTE, **{"If-Match": served.tag("u2")})

    assert problem(answer) == (400, "malformed")


def test_a_change_says_which_case_was_seen(served: Served) -> None:
    without = served.post("/v1/actions", NOTE, **{"Idempotency-Key": KEY})
    stale = served.told(NOTE, tag='"00000000000000000000000000000000"')
    wild = served.told(NOTE, tag="*")
    one_of = served.told(NOTE, tag=f'"0", {served.tag("u2")}')

    assert problem(without) == (428, "say-what-you-saw")
    assert problem(stale) == problem(wild) == (412, "stale")
    assert one_of.status_code == 200


def test_whoever_saw_an_older_case_is_told_and_changes_nothing(served: Served) -> None:
    seen = served.tag("u2")
    by_lee = served.told(NOTE, tag=seen, who="lee")
    by_dana = served.told(RESET, tag=seen, key=OTHER)
    again = served.told(RESET, tag=by_lee.headers["etag"], key=OTHER)

    assert by_lee.headers["etag"] != seen
    assert problem(by_dana) == (412, "stale")
    assert again.status_code == 200


def test_of_two_who_saw_the_same_case_at_once_one_is_told(
    served: Served, sample_file: Path
) -> None:
    seen, calls = served.tag("u2"), {"dana": KEY, "lee": OTHER}
    served.tag("u1"), served.get("/v1/users/u1/case", "lee")  # both desks are open
    desks = served.desks.opened

    with ThreadPoolExecutor(2) as pool, FileLock(f"{sample_file}.lock"):
        told = [pool.submit(served.told, NOTE, tag=seen, key=calls[who], who=who) for who in calls]
        until(lambda: all(desks[who]._changing.locked() for who in calls))
        time.sleep(0.2)  # both looked, neither can write
    answers = [one.result() for one in told]

    assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_a_change_whose_turn_came_too_late_is_not_begun(
    serve: Callable[..., Served], sample_file: Path
) -> None:
    patient, hasty = serve(), serve(time_limit_s=0.3, latest_s=0.5)
    seen = patient.tag("u2")

    with FileLock(f"{sample_file}.lock"):
        late = hasty.told(NOTE, tag=seen)
        time.sleep(0.6)
    # A busy machine may not answer even this in so short a time: then it is asked again.
    until(lambda: problem(hasty.get(f"/v1/operations/{KEY}")) == (404, "not-found"))

    assert problem(late) == (503, "unreachable")
    assert problem(patient.get(f"/v1/operations/{KEY}")) == (404, "not-found")
    assert patient.post("/v1/log", {}).json()["total"] == 0


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + PATIENCE_S
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.01)
    assert is_so()


def test_time_and_the_customers_own_tries_do_not_make_a_case_another(
    served: Served, clock: Clock
) -> None:
    before = served.tag("u6")
    clock.go_on(minutes=20)

    assert served.tag("u6") == before


def test_the_same_key_answers_again_whatever_the_case_is_now(served: Served) -> None:
    seen = served.tag("u2")
    first = served.told(RESET, tag=seen)
    again = served.told(RESET, tag=seen)
    other = served.told(NOTE, tag=seen)

    assert first.json()["says"] == again.json()["says"]
    assert problem(other) == (422, "key-taken")
    log = served.post("/v1/log", {}).json()
    assert [row["act"] for row in log["rows"]] == ["reset-factor"]


def test_a_key_that_is_none_is_not_taken(served: Served) -> None:
    assert problem(served.told(NOTE, key="short")) == (422, "bad-input")


def test_a_dangerous_act_asks_for_a_recent_sign_in(served: Served) -> None:
    recent = served.told(RESET, who="dana, 4 minutes")
    late = served.told(RESET, who="dana, 6 minutes", key=OTHER)
    small = served.told(NOTE, who="dana, 60 minutes", key=OTHER)

    assert recent.status_code == small.status_code == 200
    assert problem(late) == (401, "sign-in-again")
    challenge = late.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert "max_age=300" in challenge


def test_a_list_is_given_in_pages_by_cursor(served: Served) -> None:
    cursor, found = "", []
    for _ in range(10):
        body = {"query": {"sort": "name"}, "limit": 4, "cursor": cursor}
        page = served.post("/v1/find", body).json()
        found += [row["id"] for row in page["rows"]]
        cursor = page["next"]
        if not cursor:
            break

    assert len(found) == len(set(found)) == page["total"] == 9
    other = served.post("/v1/find", {"cursor": wire.cursor_of(4, "name")})
    nonsense = served.post("/v1/find", {"cursor": "nonsense"})
    assert problem(other) == problem(nonsense) == (422, "bad-input")


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/v1/find", b"", 400),
        ("/v1/find", b"[]", 400),
        ("/v1/find", b"{", 400),
        ("/v1/find", b'{"limit": 501}', 400),
        ("/v1/find", b'{"limit": 0}', 400),
        ("/v1/find", b'{"limit": "10"}', 400),
        ("/v1/find", b'{"offset": 1}', 400),
        ("/v1/find", b'{"query": {"words": ["\\ud800"]}}', 400),
        ("/v1/find", b'{"query": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
        ("/v1/find", b'{"query": {"words": ["' + b"x" * 70_000 + b'"]}}', 413),
        ("/v1/find?words=maya", b"{}", 400),
        ("/v1/users/u2/verdict", b'{"user": "u1"}', 400),
        ("/v1/weighing", b'{"action": {"act": "destroy", "user": "u2"}}', 400),
        ("/v1/weighing", b'{"action": {"act": "note", "user": "u2", "extra": 1}}', 400),
        ("/v1/nothing", b"{}", 404),
    ],
    ids=range(15),
)
def test_what_is_not_of_the_form_is_said_so(
    served: Served, path: str, content: bytes, status: int
) -> None:
    headers = {"Authorization": "Bearer dana", "Content-Type": "application/json"}

    answer = served.http.post(path, content=content, headers=headers)

    assert problem(answer)[0] == status


def test_a_body_in_another_form_or_way_is_not_taken(served: Served) -> None:
    form = served.http.post("/v1/find", data={"a": "b"}, headers={"Authorization": "Bearer dana"})
    way = served.get("/v1/find")

    assert problem(form) == (415, "not-in-this-form")
    assert problem(way) == (405, "not-in-this-way")
    assert "POST" in way.headers["allow"].split(", ")


def test_a_login_is_never_part_of_an_address(served: Served) -> None:
    assert problem(served.get("/v1/users/ada@lakes.example/case"))[0] == 400
    assert served.post("/v1/users", {"name": "ada@lakes.example"}).json() == {"user": "u2"}


def test_whoever_asks_too_much_is_told_when_to_ask_again(serve: Callable[..., Served]) -> None:
    served = serve(Allowance(agent_per_s=0.01, agent_at_once=3))
    answers = [served.get("/v1/desk") for _ in range(4)]
    other = served.get("/v1/desk", "lee")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert problem(answers[-1]) == (429, "too-often")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 100
    assert other.status_code == 200


def test_all_together_may_ask_so_much(serve: Callable[..., Served]) -> None:
    served = serve(Allowance(total_per_s=0.01, total_at_once=2))
    answers = [served.get("/v1/desk", who) for who in ("nobody", "dana", "lee")]

    assert [answer.status_code for answer in answers] == [401, 200, 429]


def test_what_takes_too_long_is_given_up(serve: Callable[..., Served]) -> None:
    served = serve(time_limit_s=0.0)

    answer = served.get("/v1/users/u2/case")

    assert problem(answer) == (503, "unreachable")
    assert answer.headers["retry-after"] == "1"


def test_health_readiness_and_numbers_need_no_sign_in(served: Served) -> None:
    served.get("/v1/users/u2/case")
    ready = served.http.get("/readyz")
    served.desks.is_ready = False
    away = served.http.get("/readyz")
    numbers = served.http.get("/metrics").text

    assert served.http.get("/healthz").status_code == ready.status_code == 200
    assert problem(away) == (503, "unreachable")
    assert "canary" not in away.text
    assert (
        'helpdesk_requests_total{method="GET",route="/v1/users/{user}/case",status="200"} 1.0'
        in numbers
    )
    assert "u2" not in numbers


def test_who_asks_for_readiness_at_once_has_one_answer(served: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(served.http.get, "/readyz") for _ in range(24)]
    answers = {one.result().status_code for one in asked}

    assert answers == {200}
    assert served.desks.asked_ready < 12


def test_a_fault_in_the_chores_is_told_and_the_next_round_comes(
    served: Served, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpdesk.gateway.server.CHORES_S", 0.01)
    again = serve()
    again.desks.fault = KeyError("u2")
    told = again.desks.chores_done

    until(lambda: again.desks.chores_done > told + 3)


def test_who_is_connected_is_let_go_of_only_where_they_ask_nothing(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    made = Gateway(SomeDesks(desk_as), Words([desk_as("dana").agent], clock), now=clock)
    server = Server(made, silent_s=1.5)
    begun = b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: "
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(free_port())
        mute, slow, busy = (opened.enter_context(socket.socket()) for _ in range(3))
        thread = threading.Thread(target=run, args=(server, listener))
        thread.start()
        until(lambda: server.started)
        for one, sent in ((mute, b""), (slow, begun), (busy, b"")):
            one.connect(listener.getsockname())
            one.settimeout(PATIENCE_S)
            one.sendall(sent)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/events"
        with httpx.stream("GET", url, headers={"Authorization": "Bearer dana"}) as events:
            while len(select.select([mute, slow], [], [], 0.05)[0]) < 2:
                busy.sendall(begun + b"\r\n\r\n")
                answers = busy.recv(MOST_HEAD)
            ends = [one.recv(1) for one in (mute, slow)]
            is_open = next(events.iter_lines()).startswith("id:")
            busy.sendall(begun + b"\r\n\r\n")
            answers = busy.recv(MOST_HEAD)
        server.handle_exit(signal.SIGTERM, None)
        thread.join(PATIENCE_S)

    assert ends == [b"", b""]
    assert is_open
    assert answers.startswith(b"HTTP/1.1 200")


def test_whoever_asks_lets_a_line_that_rests_go_before_the_gateway_does(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    made = Gateway(SomeDesks(desk_as), Words([desk_as("dana").agent], clock), now=clock)

    server = Server(made)

    assert server.config.timeout_keep_alive > RESTS_S


def test_a_question_without_an_end_is_not_taken_in(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    made = Gateway(SomeDesks(desk_as), Words([desk_as("dana").agent], clock), now=clock)
    server = Server(made)
    with free_port() as listener, socket.socket() as head, socket.socket() as body:
        thread = threading.Thread(target=run, args=(server, listener))
        thread.start()
        until(lambda: server.started)
        endless = b"POST /v1/find HTTP/1.1\r\nHost: x\r\n"
        chunked = endless + b"Transfer-Encoding: chunked\r\n\r\n"
        taken = []
        for one, sent in ((head, endless + b"A: "), (body, chunked + b"ffffff\r\n")):
            one.connect(listener.getsockname())
            one.sendall(sent)
            taken.append(_sent_until_refused(one))
        server.handle_exit(signal.SIGTERM, None)
        thread.join(PATIENCE_S)

    assert max(taken) < 10_000_000


def test_whoever_stops_it_twice_is_told_of_no_fault(
    desk_as: Callable[..., LocalDesk], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The second signal lets go of whoever asks; the gateway itself ends in order."""
    made = Gateway(SomeDesks(desk_as), Words([desk_as("dana").agent], clock), now=clock)
    server = Server(made)
    with free_port() as listener:
        thread = threading.Thread(target=run, args=(server, listener))
        thread.start()
        until(lambda: server.started)
        for _ in range(2):
            server.handle_exit(signal.SIGINT, None)
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def _sent_until_refused(line: socket.socket) -> int:
    """Go on sending as long as it is taken, but no more than so much; return how much it was."""
    count = 0
    line.settimeout(PATIENCE_S)
    with contextlib.suppress(ConnectionError):
        while count < 10_000_000:
            line.sendall(b"x" * 10_000)
            count += 10_000
    return count


def test_every_answer_is_kept_and_guessed_by_nobody(served: Served) -> None:
    for answer in (served.get("/v1/desk"), served.get("/v1/none"), served.http.get("/healthz")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_the_log_of_requests_holds_no_personal_data(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        served.post("/v1/find", {"query": {"words": ["okafor-canary"]}})
        served.get("/v1/users/u2/case")
        served.post("/v1/users", {"name": "ada@lakes.example"})
        served.get("/v1/users/zz%0d%0afake-canary/case")
        served.told(RESET)
        served.http.get("/canary-path", headers={"Authorization": "Bearer canary-token"})

    lines = [r.getMessage() for r in caplog.records if r.name == "helpdesk.gateway"]
    everything = "\n".join(r.getMessage() for r in caplog.records if r.name != "httpx")
    assert set(json.loads(lines[0])) == {"at", "method", "route", "status", "ms", "agent"}
    assert json.loads(lines[0])["route"] == "/v1/find"
    assert json.loads(lines[1])["agent"] == "dana"
    for secret in ("canary", "ada@", "u2", "new phone", "Brien"):
        assert secret not in everything


def test_events_tell_what_others_changed(served: Served, desk_as: Callable[..., Any]) -> None:
    headers = {"Authorization": "Bearer dana"}
    with served.http.stream("GET", "/v1/events", headers=headers) as stream:
        lines = stream.iter_lines()
        begun = [next(lines) for _ in range(4)]
        asyncio.run(desk_as("lee").perform(Note(user="u2", text="called")))
        changed = [next(lines) for _ in range(4)]

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert (begun[1], changed[1]) == ("event: begun", "event: changed")
    cursor = begun[0].removeprefix("id: ")
    page = served.get("/v1/changes", params={"after": cursor}).json()
    assert {"kind": "user", "id": "u2"} in page["changes"]
    assert page["cursor"] == changed[0].removeprefix("id: ")


def test_a_gateway_that_is_told_to_stop_lets_go_of_who_listens(
    desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    desks = SomeDesks(desk_as)
    agents = [desk_as("dana").agent]
    made = Gateway(desks, Words(agents, clock), now=clock)
    with served_at(made.app()) as url, httpx.Client(trust_env=False, timeout=PATIENCE_S) as http:
        headers = {"Authorization": "Bearer dana"}
        with http.stream("GET", f"{url}/v1/events", headers=headers) as stream:
            lines = stream.iter_lines()
            next(lines)
            made.end()
            rest = list(lines)
    desks.close()

    assert not any("changed" in line for line in rest)


@pytest.mark.parametrize("path", ["/v1/changes", "/v1/events"])
def test_a_cursor_of_another_log_is_gone(served: Served, path: str) -> None:
    served.told(NOTE)
    wrong = urlsafe_b64encode(b"1.0123456789ab").decode().rstrip("=")

    answer = served.get(path, params={"after": wrong})

    assert problem(answer) == (410, "cursor-too-old")


@pytest.mark.parametrize("text", ["9" * 30 + ".", "9" * 19 + ".abc", "-1.", ".", "1"])
def test_a_cursor_that_no_log_gave_is_said_so(on_sqlite: Served, text: str) -> None:
    wrong = urlsafe_b64encode(text.encode()).decode().rstrip("=")

    answer = on_sqlite.get("/v1/changes", params={"after": wrong})

    assert problem(answer) == (422, "bad-input")


@pytest.mark.parametrize(
    "words", [["ada\0brien"], ["\0"], ['"'], ["%", "_"], ["NEAR(a b)"], ["^ab"], ["ﬁ", "²", "İ"]]
)
def test_whatever_is_searched_for_is_searched_for(on_sqlite: Served, words: list[str]) -> None:
    for path in ("/v1/find", "/v1/log", "/v1/tickets", "/v1/loops", "/v1/challenges"):
        answer = on_sqlite.post(path, {"query": {"words": words}})

        assert answer.status_code == 200


def test_a_search_of_more_words_than_anybody_types_is_not_made(on_sqlite: Served) -> None:
    for query in ({"words": ["a"] * 33}, {"words": ["a" * 201]}, {"product": ["a"] * 33}):
        answer = on_sqlite.post("/v1/find", {"query": query})

        assert problem(answer) == (400, "malformed")


def test_a_backslash_before_a_zero_is_no_zero(on_sqlite: Served) -> None:
    said = on_sqlite.told({"action": {"act": "note", "user": "u2", "text": "C:\\u0000 \0 here"}})

    notes = [row["says"] for row in said.json()["case"]["log"] if row["act"] == "note"]
    assert notes == ["C:\\u0000 \ufffd here"]


@pytest.fixture
def on_sqlite(sample_file: Path, places: Path, clock: Clock) -> Iterator[Served]:
    """The sample behind a gateway on SQLite."""
    with (
        contextlib.closing(imported(f"sqlite:///{places}/d.db", sample_file, clock)) as database,
        gateway(desks_on(database, clock, places), clock) as made,
    ):
        served = Served(*made)
        yield served
        served.http.close()


@pytest.mark.parametrize(
    ("allowance", "who"), [(Allowance(streams=1), "dana"), (Allowance(all_streams=1), "lee")]
)
def test_an_agent_holds_open_so_many_streams_and_all_together_so_many(
    serve: Callable[..., Served], allowance: Allowance, who: str
) -> None:
    served = serve(allowance)
    headers = {"Authorization": "Bearer dana"}
    with served.http.stream("GET", "/v1/events", headers=headers) as stream:
        lines = stream.iter_lines()
        next(lines)
        second = served.get("/v1/events", who)
        next(lines)  # the first is there yet

    assert problem(second) == (429, "too-often")


def test_a_wish_goes_on_when_nobody_waits_for_it(served: Served) -> None:
    seen = served.tag("u2")
    desk: Any = served.desks.opened["dana"]
    perform, begun, go_on = desk.perform, threading.Event(), threading.Event()

    async def slow(action: Note, *, key: str = "") -> Outcome:
        begun.set()
        await asyncio.to_thread(go_on.wait, PATIENCE_S)
        done: Outcome = await perform(action, key=key)
        return done

    desk.perform = slow
    with pytest.raises(httpx.TimeoutException):
        served.http.post(
            "/v1/actions",
            json=NOTE,
            timeout=httpx.Timeout(PATIENCE_S, read=0.2),
            headers={"Authorization": "Bearer dana", "Idempotency-Key": KEY, "If-Match": seen},
        )
    assert begun.wait(PATIENCE_S)
    desk.perform = perform
    go_on.set()
    while (answer := served.get(f"/v1/operations/{KEY}")).status_code != 200:
        assert problem(answer) in {(404, "not-found"), (409, "still-running")}
    again = served.told(NOTE, tag=seen)

    assert again.status_code == 200
    log = asyncio.run(desk.log(Query()))
    assert [row.act for row in log.rows] == ["note"]
