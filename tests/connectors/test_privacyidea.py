"""privacyIDEA without one: its answers as they were seen on a running server, and broken ones."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from helpdesk.connectors.exchange import NoRight
from helpdesk.connectors.http import Http
from helpdesk.connectors.privacyidea.abilities import RIGHTS
from helpdesk.connectors.privacyidea.changes import changes_of
from helpdesk.connectors.privacyidea.connector import PrivacyIdea
from helpdesk.connectors.privacyidea.events import EVENTS, Known, timeline_of
from helpdesk.connectors.privacyidea.line import WHO, PiLine, error_of
from helpdesk.connectors.privacyidea.reading import factor_of, user_of
from helpdesk.domain.errors import (
    BadInput,
    DeskRefused,
    HelpdeskError,
    NotFound,
    Unreachable,
)
from helpdesk.domain.originals import row_of
from helpdesk.domain.reconciling import effects_of
from helpdesk.domain.timeline import Answer, Challenge, FactorChange, Other, Reset, Send
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState
from helpdesk.products import load_cards
from tests.connectors.test_http import Travelling

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
ALL = frozenset(right for rights in RIGHTS.values() for right in rights) | {
    "userlist", "tokenlist", "auditlog", "authentication_log_read", "user_lock_read",
}  # fmt: skip
ALICE = {"username": "alice", "realm": "corp", "givenname": "Alice", "surname": "Nguyen",
         "email": "alice@example.test", "mobile": "+447700900201"}  # fmt: skip


def token(serial: str, kind: str = "email", **more: Any) -> dict[str, Any]:
    info = {"creation_date": "2025-11-21T17:51:12+00:00", "email": "alice@example.test"}
    return {"serial": serial, "tokentype": kind, "active": True, "failcount": 0, "maxfail": 10,
            "revoked": False, "rollout_state": "enrolled", "username": "alice",
            "user_realm": "corp", "info": info} | more  # fmt: skip


def jwt(ends: datetime) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends.timestamp()}).encode()).decode()
    return f"e30.{claims.rstrip('=')}.sig"


class Server:
    """Answers as a privacyIDEA does; a test says what is different."""

    def __init__(self) -> None:
        self.rights: frozenset[str] = ALL
        self.role, self.ends = "admin", NOW + timedelta(hours=8)
        self.tokens: list[Any] = [token("PIEM1")]
        self.users: list[Any] = [ALICE]
        self.logged: list[Any] = []
        self.seen: list[httpx.Request] = []
        self.answers: dict[str, Callable[[httpx.Request], Any]] = {}

    def __call__(self, request: httpx.Request) -> Any:
        self.seen.append(request)
        path = request.url.path
        for pattern, answer in self.answers.items():
            if re.fullmatch(pattern, f"{request.method} {path}"):
                return answer(request)
        return self._usual(request, path)

    def _usual(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/auth":
            value = {"token": jwt(self.ends), "role": self.role, "username": "desk",
                     "rights": sorted(self.rights)}  # fmt: skip
            return said(value, versionnumber="3.14")
        assert request.headers["pi-authorization"].startswith("e30.")
        assert not (request.method == "GET" and "content-type" in request.headers)
        if path == "/user/":
            return said(self.users)
        if path == "/token/" and request.method == "GET":
            return said({"count": len(self.tokens), "next": None, "tokens": self.tokens})
        if path == "/authenticationlog/":
            page = int(request.url.params["page"])
            size = int(request.url.params["page_size"])
            rows = self.logged[(page - 1) * size : page * size]
            more = page + 1 if page * size < len(self.logged) else None
            return said({"count": len(self.logged), "next": more, "auth_logs": rows})
        if path == "/audit/":
            return said({"count": 0, "next": None, "auditdata": []})
        if path.startswith("/token/challenges/"):
            return said({"count": 0, "challenges": []})
        if path == "/conditionalaccess/lock/user":
            return said(None)
        return said(1)


def said(value: Any, *, status: int = 200, **more: Any) -> httpx.Response:
    detail = more.pop("detail", None)
    words = {"result": {"status": True, "value": value, **more.pop("result", {})}}
    return httpx.Response(status, json={"detail": detail, **words, **more})


def failed(code: int, message: str, status: int) -> httpx.Response:
    error = {"status": False, "error": {"code": code, "message": message}}
    return httpx.Response(status, json={"detail": None, "result": error})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def pi(server: Server) -> Iterator[PrivacyIdea]:
    http = Http("https://mfa.example", WHO, errs=error_of, transport=Travelling(server))
    line = PiLine(http, "desk@helpdesk", lambda: "hush", lambda: NOW)
    found = PrivacyIdea("pi", line, {"": "own"}, lambda: NOW, fresh_s=0)
    yield found
    found.close()


async def alice(pi: PrivacyIdea) -> Any:
    return (await pi.people(["pi:alice@corp"]))["pi:alice@corp"]


# -- signing in -----------------------------------------------------------------------------------


async def test_the_desk_signs_in_once_as_its_own_account(pi: PrivacyIdea, server: Server) -> None:
    await asyncio.gather(alice(pi), alice(pi))

    wishes = [json.loads(r.content) for r in server.seen if r.url.path == "/auth"]
    assert wishes[0] == {"username": "desk@helpdesk", "password": "hush"}
    assert len(wishes) <= 2


async def test_a_sign_in_that_ended_is_renewed(pi: PrivacyIdea, server: Server) -> None:
    await alice(pi)
    ended = iter([failed(4305, "token expired", 401)])
    server.answers["GET /user/"] = lambda r: next(ended, None) or server._usual(r, "/user/")

    assert (await alice(pi)).name == "Alice Nguyen"


async def test_a_wrong_password_is_said_and_not_shown(pi: PrivacyIdea, server: Server) -> None:
    server.answers["POST /auth"] = lambda _: failed(4031, "Authentication failed.", 401)

    with pytest.raises(DeskRefused, match="refused the desk's own account") as caught:
        await alice(pi)

    assert "hush" not in str(caught.value)


async def test_an_ordinary_users_account_is_refused(pi: PrivacyIdea, server: Server) -> None:
    server.role = "user"

    with pytest.raises(DeskRefused, match="no administrator there"):
        await alice(pi)


# -- what is read while something changes ----------------------------------------------------------


async def reading(pi: PrivacyIdea, server: Server, slow: str) -> tuple[Any, threading.Event]:
    """Begin to read two people; what factors one of them has is answered when it is let."""
    server.users = [ALICE, ALICE | {"username": "bob"}]
    at, let = threading.Event(), threading.Event()

    async def answered(request: httpx.Request) -> httpx.Response:
        found = server._usual(request, "/token/")
        if request.url.params["user"] == slow and not let.is_set():
            at.set()
            while not let.is_set():
                await asyncio.sleep(0.005)
        return found

    server.answers["GET /token/"] = answered
    server.answers["POST /token/.*"] = lambda _: said(1)
    under_way = asyncio.ensure_future(pi.people(["pi:alice@corp", "pi:bob@corp"]))
    while not at.is_set():
        await asyncio.sleep(0.005)
    return under_way, let


async def test_an_act_takes_nobody_away_who_is_read_meanwhile(
    pi: PrivacyIdea, server: Server
) -> None:
    """Whoever was read before the act would be told not to be there."""
    user = await alice(pi)
    under_way, let = await reading(pi, server, "bob")

    await pi.suspend(user, user.factors[0], NOW)
    let.set()

    assert list(await under_way) == ["pi:alice@corp", "pi:bob@corp"]


async def test_what_was_read_before_an_act_is_not_given_after_it(
    pi: PrivacyIdea, server: Server
) -> None:
    """The answer is of before, however late it comes."""
    user = await alice(pi)
    under_way, let = await reading(pi, server, "alice")
    pi._fresh_s = 60

    await pi.suspend(user, user.factors[0], NOW)
    server.tokens = []
    let.set()
    before = await under_way

    assert [len(one.factors) for one in before.values()] == [1, 1]
    assert (await alice(pi)).factors == ()


async def test_what_was_read_long_ago_is_let_go_of(pi: PrivacyIdea, server: Server) -> None:
    """A timeline may be megabytes, and nobody is given it any more."""
    server.users = [ALICE, ALICE | {"username": "bob"}]
    await pi.timeline("pi:alice@corp")

    await pi.timeline("pi:bob@corp")

    assert list(pi._timelines) == ["pi:bob@corp"]


# -- what it cannot do ----------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "rights"), RIGHTS.items())
async def test_an_act_without_its_right_is_lacking(
    pi: PrivacyIdea, server: Server, act: str, rights: tuple[str, ...]
) -> None:
    server.rights = ALL - {rights[0]}

    lack = (await pi.supports(await alice(pi))).lack(act)

    assert lack is not None
    assert rights[0] in lack.why


async def test_whoever_has_a_list_on_paper_too_is_not_reset_whole(
    pi: PrivacyIdea, server: Server
) -> None:
    server.tokens = [token("PIEM1"), token("PIPK1", "passkey"), token("PP1", "paper")]

    lack = (await pi.supports(await alice(pi))).lack("reset-all")

    assert lack is not None
    assert "signs in by paper, which" in lack.why


async def test_a_viewer_sees_and_may_nothing(pi: PrivacyIdea, server: Server) -> None:
    server.rights = frozenset({"userlist", "tokenlist"})

    user = await alice(pi)

    assert {*RIGHTS} <= {lack.what for lack in (await pi.supports(user)).lacks}
    assert await pi.timeline(user.id) == ()


async def test_what_holds_is_said_in_sentences(pi: PrivacyIdea, server: Server) -> None:
    server.rights = ALL - {"auditlog", "delete"}

    says = "\n".join(await pi.inspect())

    assert "privacyIDEA 3.14 answers at https://mfa.example" in says
    assert "Without the right auditlog: what became of factors is not shown." in says
    assert "reset-all: Not possible with this provider." in says
    assert "hush" not in says


# -- bad answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (lambda _: httpx.Response(200, html="<html>"), Unreachable, "with a web page, not data"),
        (lambda _: httpx.Response(404, html="<html>"), Unreachable, "with a web page, not data"),
        (lambda _: httpx.Response(405, html="<html>"), Unreachable, "answered 405"),
        (lambda _: httpx.Response(500, html="<html>"), Unreachable, "failed with 500"),
        (lambda _: httpx.Response(429), Unreachable, "is asked too often"),
        (lambda _: httpx.Response(200, json={}), Unreachable, "it has no result"),
        (lambda _: httpx.Response(200, content=b"null"), Unreachable, "it has no result"),
        (lambda _: httpx.Response(200, json=[1, {}]), Unreachable, "it has no result"),
        (lambda _: failed(303, "not allowed!", 403), NoRight, "has no right to do that"),
        (lambda _: failed(303, "not allowed!", 200), NoRight, "has no right to do that"),
        (lambda _: failed(904, "no user", 400), NotFound, "no user"),
        (lambda _: failed(905, "ERR905: missing", 400), BadInput, "ERR905"),
        (lambda _: failed(1007, "revoked", 400), BadInput, "revoked"),
        (lambda _: failed(-500, "", 500), Unreachable, "failed with 500"),
        (lambda _: failed(905, "\x1b[2J\u202e", 400), BadInput, "␛"),
    ],
)
async def test_a_bad_answer_is_a_sentence(
    pi: PrivacyIdea,
    server: Server,
    answer: Callable[[httpx.Request], httpx.Response],
    kind: type[HelpdeskError],
    says: str,
) -> None:
    server.answers["GET /user/"] = answer

    with pytest.raises(kind, match=re.escape(says)):
        await pi.find(("alice",), limit=9)


NULLS: tuple[Any, ...] = (
    {},
    {"username": None},
    dict.fromkeys(ALICE),
    dict.fromkeys(token("a")),
    [],
    7,
    "x",
    None,
)


@pytest.mark.parametrize("raw", NULLS, ids=range(len(NULLS)))
async def test_nulls_and_rubbish_among_the_rows_are_let_be(
    pi: PrivacyIdea, server: Server, raw: Any
) -> None:
    server.users, server.tokens = [raw, ALICE], [raw, token("PIEM1")]
    server.logged = [raw, logged("LOGIN_SUCCESS", 1)]

    user = await alice(pi)

    assert [f.id for f in user.factors] == ["PIEM1"]
    assert (await pi.find((), limit=9)).users[-1].name == "Alice Nguyen"
    assert await pi.timeline(user.id)


async def test_a_user_with_300_factors_has_300(pi: PrivacyIdea, server: Server) -> None:
    server.tokens = [token(f"PIEM{n}") for n in range(300)]

    assert len((await alice(pi)).factors) == 300


async def test_of_ten_thousand_events_the_newest_are_read(pi: PrivacyIdea, server: Server) -> None:
    server.logged = [logged("LOGIN_SUCCESS", number) for number in range(10_000, 0, -1)]

    timeline = await pi.timeline("pi:alice@corp")

    assert timeline[-1].id == "log-10000-answer"
    assert len({e.id.split("-")[1] for e in timeline if e.id}) == 1_000


async def test_a_list_that_may_be_cut_says_so(pi: PrivacyIdea, server: Server) -> None:
    server.users = [{**ALICE, "username": f"a{n}"} for n in range(500)]

    found = await pi.find(("a",), limit=9)

    assert len(found.users) == 9
    assert "exactly 500 people: the limit of a resolver may have cut" in found.says


async def test_a_resolver_that_was_skipped_is_said(pi: PrivacyIdea, server: Server) -> None:
    server.answers["GET /user/"] = lambda _: said([], detail={"skipped_resolvers": ["corp"]})

    assert "did not look into corp" in (await pi.find(("a",), limit=9)).says


# -- acts -----------------------------------------------------------------------------------------


async def test_a_code_that_did_not_leave_is_an_error_though_the_answer_was_200(
    pi: PrivacyIdea, server: Server
) -> None:
    words = "The PIN was correct, but the EMail could not be sent!"
    told = said(0, detail={"message": words}, result={"authentication": "REJECT"})
    server.answers["POST /validate/triggerchallenge"] = lambda _: told
    user = await alice(pi)

    with pytest.raises(Unreachable, match=f"Nothing was sent. privacyIDEA says: {words}"):
        await pi.send_code(user, user.factors[0], load_cards()["sms-2fa"], NOW)


async def test_a_reset_that_breaks_off_says_what_is_gone_and_is_done_again(
    pi: PrivacyIdea, server: Server
) -> None:
    server.tokens = [token("PIEM1"), token("PIEM2"), token("PIEM3")]
    user = await alice(pi)
    server.answers["DELETE /token/PIEM1"] = lambda _: said(server.tokens.pop(0) and 1)
    server.answers["DELETE /token/PIEM2"] = lambda _: failed(303, "not allowed!", 403)

    with pytest.raises(Unreachable, match=r"Gone: E-mail PIEM1\. Left: E-mail PIEM2, E-mail PIEM3"):
        await pi.reset(user, user.factors, NOW)
    server.answers = {"DELETE /token/PIEM1": lambda _: failed(601, "No token", 404)}
    await pi.reset(user, user.factors, NOW)

    gone = [r.url.path for r in server.seen if r.method == "DELETE"]
    assert gone[-3:] == ["/token/PIEM1", "/token/PIEM2", "/token/PIEM3"]


async def test_an_act_whose_answer_is_lost_is_not_repeated(pi: PrivacyIdea, server: Server) -> None:
    user = await alice(pi)
    server.answers["DELETE .*"] = lambda _: httpx.Response(502)

    with pytest.raises(Unreachable, match=r"Gone: nothing\. Left: E-mail PIEM1\. Do it again"):
        await pi.reset(user, user.factors, NOW)

    assert sum(r.method == "DELETE" for r in server.seen) == 1


LOST = {"serial": "lostPIEM1", "password": "hush-hush-hush", "end_date": "2026-12-02T05:48+0000",
        "disable": 1, "init": True}  # fmt: skip


async def test_the_password_for_a_lost_factor_ends_with_the_desks_own_span(
    pi: PrivacyIdea, server: Server
) -> None:
    server.answers["POST /token/lost/PIEM1"] = lambda _: said(LOST)
    user = await alice(pi)

    secret = await pi.replace_lost(user, user.factors[0], NOW, NOW + timedelta(days=3))

    ended = json.loads(server.seen[-1].content)
    assert secret == "hush-hush-hush"
    assert ended == {"serial": "lostPIEM1", "validity_period_end": "2026-11-24T18:00+0000"}


@pytest.mark.parametrize(
    ("broken", "told", "says"),
    [
        ("POST /token/set", LOST, r"Nothing of it is left: resume the factor, or do it again\."),
        ("(POST|DELETE) /token/(set|lostPIEM1)", LOST, "read by nobody, as lostPIEM1: remove it"),
        ("nothing", {"serial": "lostPIEM1"}, "Nothing of it is left"),
        ("nothing", {}, r"read by nobody, as lost…: remove it\."),
        ("nothing", None, "One may be at privacyIDEA"),
    ],
)
async def test_a_password_that_could_not_be_limited_is_taken_back(
    pi: PrivacyIdea, server: Server, broken: str, told: Any, says: str
) -> None:
    server.answers["POST /token/lost/PIEM1"] = lambda _: said(told)
    server.answers[broken] = lambda _: failed(303, "not allowed!", 403)
    user = await alice(pi)

    with pytest.raises(Unreachable, match=says) as caught:
        await pi.replace_lost(user, user.factors[0], NOW, NOW + timedelta(days=3))

    assert str(caught.value).startswith(
        "Factor PIEM1 is switched off, but no password takes its place."
    )
    assert "hush" not in str(caught.value)


async def test_a_serial_from_outside_is_no_path(pi: PrivacyIdea, server: Server) -> None:
    user = await alice(pi)
    factor = Factor(id="../policy/x?a=b#c", kind=FactorKind.SMS, state=FactorState.ACTIVE)

    await pi.suspend(user, factor, NOW)

    assert server.seen[-1].url.raw_path == b"/token/disable/..%2Fpolicy%2Fx%3Fa%3Db%23c"


async def test_an_apps_number_is_checked_so_often_only(pi: PrivacyIdea, server: Server) -> None:
    server.tokens = [token("TOTP1", "totp", info={"helpdesk": "pending"}, active=False)]
    server.answers["POST /validate/check"] = lambda _: said(False)
    user = await alice(pi)
    for _ in range(10):
        assert not await pi.confirm_totp(user, "123456", NOW)

    with pytest.raises(BadInput, match="10 numbers were checked just now"):
        await pi.confirm_totp(user, "123456", NOW)


async def test_an_address_that_the_user_record_holds_is_not_changed_here(
    pi: PrivacyIdea, server: Server
) -> None:
    server.tokens = [token("PIEM1", info={"dynamic_email": "True"})]
    user = await alice(pi)

    with pytest.raises(BadInput, match="take it from the user's record"):
        await pi.change_address(user, "new@example.test", NOW)

    assert user.factors[0].to == "alice@example.test"


# -- factors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, FactorState.ACTIVE),
        ({"failcount": 10}, FactorState.LOCKED),
        ({"failcount": 10, "active": False}, FactorState.SUSPENDED),
        ({"locked": True, "revoked": True}, FactorState.REMOVED),
        ({"active": False}, FactorState.SUSPENDED),
        ({"rollout_state": "clientwait"}, FactorState.PENDING),
        ({"active": False, "info": {"helpdesk": "pending"}}, FactorState.PENDING),
        ({"maxfail": None, "failcount": None, "active": None}, FactorState.ACTIVE),
    ],
)
def test_a_tokens_state_is_told_by_what_it_does(more: dict[str, Any], state: FactorState) -> None:
    factor = factor_of(token("A", **more))

    assert factor is not None
    assert factor.state is state


@pytest.mark.parametrize("kind", ["registration", "pw", "u2f", "paper", "", "EVIL\x1b"])
def test_a_token_that_is_no_factor_of_ours_is_none(kind: str) -> None:
    assert factor_of(token("A", kind)) is None


@pytest.mark.parametrize("kind", ["webauthn", "passkey", "WebAuthn"])
async def test_a_passkey_is_a_factor_and_keeps_nobody_from_a_whole_reset(
    pi: PrivacyIdea, server: Server, kind: str
) -> None:
    server.tokens = [token("PIEM1"), token("WAN1", kind, description="Blue key")]

    user = await alice(pi)

    assert [(f.kind.value, f.to) for f in user.factors][1:] == [("passkey", "Blue key")]
    assert (await pi.supports(user)).lack("reset-all") is None


def test_a_user_without_a_token_has_no_mfa() -> None:
    user = user_of(ALICE, [], connector="pi", product="own")

    assert (user.mfa, user.account, user.login) == (MfaState.OFF, "pi:corp", "alice@corp")


@pytest.mark.parametrize(
    ("has", "mfa"),
    [
        (token("PK1", "passkey"), MfaState.ON),
        (token("PP1", "paper"), MfaState.ON),
        (token("A", revoked=True), MfaState.OFF),
        (token("REG1", "registration"), MfaState.OFF),
    ],
)
def test_whoever_has_any_way_beside_the_password_is_asked(has: Any, mfa: MfaState) -> None:
    assert user_of(ALICE, [has], connector="pi", product="own").mfa is mfa


# -- events ---------------------------------------------------------------------------------------


def logged(kind: str, number: int, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=1) + timedelta(seconds=number / 100)
    return {"id": number, "timestamp": at.isoformat(), "event_type": kind, "reasons": [],
            "username": "alice", "realm": "corp", "serial": "PIEM1", "transaction_id": f"t{number}",
            "attempt_id": f"a{number}", "source_ip": "192.0.2.7", "client_label": "shop/1",
            "endpoint": "/validate/check", "new": {"unknown": True}} | more  # fmt: skip


def told(*rows: dict[str, Any]) -> tuple[Any, ...]:
    factor = Factor(id="PIEM1", kind=FactorKind.EMAIL, state=FactorState.ACTIVE, to="a@b.example")
    return timeline_of(rows, (), Known(factors={"PIEM1": factor}, ends={}, desk="desk"))


def test_a_challenge_is_asked_sent_and_answered() -> None:
    rows = [
        logged("CHALLENGE_TRIGGERED", 1, transaction_id="t"),
        logged("CHALLENGE_ANSWERED_FAIL", 2, transaction_id="t", reasons=["CHALLENGE_EXPIRED"]),
        logged("LOGIN_SUCCESS", 3, transaction_id="t"),
    ]

    events = told(*reversed(rows), rows[0])

    assert [e.kind for e in events] == ["password", "challenge", "send", "answer", "answer"]
    assert {e.challenge for e in events if isinstance(e, Challenge | Send | Answer)} == {"t"}
    assert [(e.ok, e.reason) for e in events if isinstance(e, Answer)] == [
        (False, "expired"),
        (True, None),
    ]
    assert events[2].to == "a•••@b.example"


@pytest.mark.parametrize("kind", [*EVENTS, "NO_TOKEN", "SOMETHING_NEW", ""])
def test_every_kind_of_row_is_told_and_keeps_the_row(kind: str) -> None:
    row = logged(kind, 1)

    events = told(row)

    assert events
    assert all(
        row_of(event)["new"] == row["new"] if isinstance(event, Other) else True for event in events
    )
    assert any(
        isinstance(event, Other) or event.extra.get("raw") == row or event.kind == "lock"
        for event in events
    )


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (["WRONG_OTP"], "wrong"),
        (["CHALLENGE_EXPIRED", "WRONG_OTP"], "expired"),
        (["WRONG_OTP", "TOKEN_FAILCOUNT_EXCEEDED"], "locked"),
        (["CHALLENGE_UNKNOWN_TRANSACTION"], "foreign"),
        (["NEW_ONE"], "wrong"),
        (None, "wrong"),
        ([None, 3, {}], "wrong"),
    ],
)
def test_a_refusal_has_a_reason(reasons: Any, reason: str) -> None:
    (answer,) = [e for e in told(logged("MFA_FAIL", 1, reasons=reasons)) if isinstance(e, Answer)]

    assert (answer.ok, answer.reason) == (False, reason)


def test_what_the_desk_checked_itself_is_no_sign_in() -> None:
    ours = {"client_label": "helpdesk/1.0"}

    events = told(logged("CHALLENGE_TRIGGERED", 1, **ours), logged("LOGIN_SUCCESS", 2, **ours))

    assert [e.kind for e in events] == ["send", "desk-check"]


def test_a_push_that_nobody_asked_for_is_reported() -> None:
    events = told(logged("CHALLENGE_DECLINED_UNKNOWN_TRIGGER", 1, serial="PIPU1"))

    assert events[-1].kind == "report"


def test_a_message_that_could_not_leave_is_a_failed_delivery() -> None:
    events = told(logged("CHALLENGE_TRIGGER_FAIL", 1))

    assert [e.kind for e in events] == ["challenge", "send", "delivery"]
    assert events[-1].state == "failed"


def audited(action: str, number: int, **more: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 21, 12, 0) + timedelta(seconds=number)  # noqa: DTZ001
    return {"number": number, "date": at.isoformat(), "action": action, "success": 1,
            "serial": "TOTP1", "token_type": "totp", "administrator": "desk"} | more  # fmt: skip


def test_times_of_the_audit_are_the_servers_own() -> None:
    (event,) = changes_of([audited("POST /token/enable/<serial>", 1)], "desk", timedelta(hours=-5))

    assert event.at == datetime(2026, 11, 21, 17, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("who", "by"), [("desk", "agent"), ("root", "administrator"), ("", "user")]
)
def test_a_change_says_who_made_it(who: str, by: str) -> None:
    (event,) = changes_of([audited("POST /token/init", 1, administrator=who)], "desk", timedelta(0))

    assert isinstance(event, FactorChange)
    assert (event.change, event.by) == ("enrolled", by)


def test_factors_removed_one_after_another_are_one_reset() -> None:
    rows = [audited("DELETE /token/<serial>", n, serial=f"T{n}") for n in (1, 2, 3, 60)]

    events = changes_of(rows, "desk", timedelta(0))

    resets = [(e.scope, e.by) for e in events if isinstance(e, Reset)]
    assert resets == [("all", "agent"), ("one", "agent")]
    assert [e.factor for e in events if isinstance(e, FactorChange)] == ["T1", "T2", "T3", "T60"]


def test_a_factor_that_was_lost_is_switched_off_with_a_pass_and_that_is_one_act() -> None:
    events = changes_of([audited("POST /token/lost/<serial>", 1)], "desk", timedelta(0))

    assert [(e.kind, getattr(e, "change", "")) for e in events] == [
        ("pass", ""), ("factor", "suspended"),
    ]  # fmt: skip
    assert [e.acts for e in effects_of("pi:alice@corp", events)] == [{"temporary-pass"}]


@pytest.mark.parametrize(
    "row",
    [
        audited("GET /token/", 1),
        audited("DELETE /token/info/<serial>/<key>", 1),
        audited("POST /token/init", 1, success=0),
        audited("POST /token/init", 1, date="soon"),
        audited("POST /token/set/<serial>", 1, action_detail="pin set, "),
        {"number": None},
    ],
)
def test_rows_that_change_no_factor_tell_nothing(row: dict[str, Any]) -> None:
    assert changes_of([row], "desk", timedelta(0)) == []
