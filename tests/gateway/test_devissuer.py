"""The issuer of `serve --dev`: one-time codes, tokens that rotate, this machine alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar

from helpdesk.domain.agents import Role
from helpdesk.domain.errors import NotFound, Unauthorised
from helpdesk.fixture.cast import AGENTS
from helpdesk.gateway.devgrants import WAITING_LIMIT, WRONG_LIMIT
from helpdesk.gateway.devissuer import CLIENT
from helpdesk.gateway.issuers import DEVICE_GRANT, ONE_TIME_GRANT, s256
from tests.gateway.people import URL, Demonstration

BACK = "http://127.0.0.1:4711/callback"
VERIFIER = "v" * 64


async def post(demo: Demonstration, path: str, **form: str) -> httpx.Response:
    async with demo.browser() as console:
        return await console.post(f"{URL}/{path}", data={"client_id": CLIENT, **form})


async def granted(demo: Demonstration, agent: str = "dana") -> dict[str, Any]:
    reply = await post(demo, "token", grant_type=ONE_TIME_GRANT, code=demo.codes[agent])
    assert reply.status_code == 200
    return dict(reply.json())


def asked(**changes: str) -> dict[str, str]:
    """The query of a console that sends its agent to sign in."""
    return {
        "client_id": CLIENT,
        "response_type": "code",
        "redirect_uri": BACK,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        "state": "s",
        **changes,
    }


async def code_of(demo: Demonstration) -> str:
    async with demo.browser() as browser:
        form = {"one_time": demo.codes["dana"]}
        page = await browser.post(f"{URL}/authorize", params=asked(), data=form)
    assert page.status_code == 303
    return httpx.URL(page.headers["location"]).params["code"]


async def redeemed(demo: Demonstration, code: str, **changes: str) -> httpx.Response:
    form = {"redirect_uri": BACK, "code_verifier": VERIFIER, **changes}
    return await post(demo, "token", grant_type="authorization_code", code=code, **form)


# ---------------------------------------------------------------- one-time codes


def test_each_agent_has_a_code_from_the_start(demo: Demonstration) -> None:
    assert set(demo.codes) == {agent.id for agent in AGENTS}
    assert all(len(code) == 14 for code in demo.codes.values())
    assert len(set(demo.codes.values())) == len(AGENTS)


async def test_a_code_signs_in_once_and_the_next_one_is_told(demo: Demonstration) -> None:
    code = demo.codes["dana"]
    others = {name: other for name, other in demo.codes.items() if name != "dana"}
    await granted(demo)

    again = await post(demo, "token", grant_type=ONE_TIME_GRANT, code=code)

    assert again.status_code == 400
    assert "wrong or was used" in again.json()["error_description"]
    assert demo.codes["dana"] != code
    assert demo.codes.items() >= others.items()


async def test_a_code_may_be_typed_small_and_without_dashes(demo: Demonstration) -> None:
    code = demo.codes["dana"].replace("-", " ").lower()

    reply = await post(demo, "token", grant_type=ONE_TIME_GRANT, code=code)

    assert reply.status_code == 200


async def test_after_twenty_wrong_codes_none_is_read_for_a_minute(demo: Demonstration) -> None:
    for _ in range(WRONG_LIMIT):
        await post(demo, "token", grant_type=ONE_TIME_GRANT, code="BCDF")

    shut = await post(demo, "token", grant_type=ONE_TIME_GRANT, code=demo.codes["dana"])
    demo.clock.go_on(seconds=61)

    assert "Wait a minute" in shut.json()["error_description"]
    assert (await granted(demo))["token_type"] == "Bearer"


def test_a_new_code_takes_the_place_of_the_one_before(demo: Demonstration) -> None:
    code = demo.codes["dana"]

    demo.dev.new_code("dana")

    assert demo.codes["dana"] != code
    with pytest.raises(Unauthorised):
        demo.dev.codes.use(code)
    with pytest.raises(NotFound, match="no agent nobody"):
        demo.dev.new_code("nobody")


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
async def test_every_agent_comes_out_as_they_went_in(demo: Demonstration, agent: Any) -> None:
    token = (await granted(demo, agent.id))["access_token"]

    found = await demo.dev.tokens().agent(token)

    assert found.agent == agent
    assert (found.agent.account is not None) == (agent.role is Role.PRODUCT_ADMINISTRATOR)
    assert (found.expires_at - demo.clock()).total_seconds() == 300


async def test_the_id_token_is_no_access_token(demo: Demonstration) -> None:
    token = (await granted(demo))["id_token"]

    with pytest.raises(Unauthorised, match="meant for another service"):
        await demo.dev.tokens().agent(token)


async def test_tokens_of_another_start_are_refused(demo: Demonstration) -> None:
    token = (await granted(demo))["access_token"]

    with pytest.raises(Unauthorised, match="a key that its issuer does not have"):
        await Demonstration(demo.clock).dev.tokens().agent(token)


async def test_each_renewal_gives_a_new_refresh_token(demo: Demonstration) -> None:
    first = (await granted(demo))["refresh_token"]

    reply = await post(demo, "token", grant_type="refresh_token", refresh_token=first)

    assert reply.status_code == 200
    assert reply.json()["refresh_token"] != first


async def test_an_old_refresh_token_that_comes_again_ends_the_whole_sign_in(
    demo: Demonstration,
) -> None:
    first = await granted(demo)
    old = first["refresh_token"]
    newer = (await post(demo, "token", grant_type="refresh_token", refresh_token=old)).json()

    replay = await post(demo, "token", grant_type="refresh_token", refresh_token=old)
    newest = newer["refresh_token"]
    thief = await post(demo, "token", grant_type="refresh_token", refresh_token=newest)

    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert thief.status_code == 400
    for token in (first["access_token"], newer["access_token"]):
        with pytest.raises(Unauthorised, match="was ended"):
            await demo.dev.tokens().agent(token)


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_both_at_once(demo: Demonstration, kind: str) -> None:
    given = await granted(demo)

    assert (await post(demo, "revoke", token=given[kind])).status_code == 200

    with pytest.raises(Unauthorised, match="was ended"):
        await demo.dev.tokens().agent(given["access_token"])
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await post(demo, "token", **form)).status_code == 400


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.b", "é.é.é", "." * 2_000])
async def test_revoking_what_is_no_token_is_no_fault(demo: Demonstration, token: str) -> None:
    given = await granted(demo)

    assert (await post(demo, "revoke", token=token)).status_code == 200

    assert (await demo.dev.tokens().agent(given["access_token"])).agent.id == "dana"


async def test_a_sign_in_ends_after_a_shift_however_often_it_is_renewed(
    demo: Demonstration,
) -> None:
    refresh = (await granted(demo))["refresh_token"]
    for _ in range(3):
        demo.clock.go_on(hours=4)
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        reply = await post(demo, "token", **form)
        refresh = reply.json()["refresh_token"]
    demo.clock.go_on(seconds=1)

    reply = await post(demo, "token", grant_type="refresh_token", refresh_token=refresh)

    assert reply.status_code == 400


# ---------------------------------------------------------------- authorization codes


async def test_an_authorization_code_gives_tokens(demo: Demonstration) -> None:
    reply = await redeemed(demo, await code_of(demo))

    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:4712/callback"},
        {"client_id": "crm"},
        {"grant_type": "password"},
    ],
)
async def test_an_authorization_code_is_of_use_only_to_the_console_that_asked(
    demo: Demonstration, changes: dict[str, str]
) -> None:
    reply = (
        await redeemed(demo, await code_of(demo), **changes)
        if ("grant_type" not in changes)
        else await post(demo, "token", **changes)
    )

    assert reply.status_code in {400, 401}
    assert "access_token" not in reply.text


async def test_an_authorization_code_that_comes_twice_ends_the_sign_in(
    demo: Demonstration,
) -> None:
    code = await code_of(demo)
    token = (await redeemed(demo, code)).json()["access_token"]

    again = await redeemed(demo, code)

    assert again.status_code == 400
    with pytest.raises(Unauthorised, match="was ended"):
        await demo.dev.tokens().agent(token)


async def test_an_authorization_code_counts_for_a_minute(demo: Demonstration) -> None:
    code = await code_of(demo)
    demo.clock.go_on(seconds=61)

    assert (await redeemed(demo, code)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:4711/other"},
        {"redirect_uri": "http://localhost:4711/callback"},
        {"redirect_uri": "http://a@127.0.0.1:4711/callback"},
        {"redirect_uri": "http://127.0.0.1:4711/callback#a"},
        {"redirect_uri": "http://[::1"},
        {"client_id": "crm"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"state": ""},
    ],
)
async def test_nobody_is_sent_anywhere_for_another_program(
    demo: Demonstration, changes: dict[str, str]
) -> None:
    form = {"one_time": demo.codes["dana"]}
    async with demo.browser() as browser:
        shown = await browser.get(f"{URL}/authorize", params=asked(**changes))
        sent = await browser.post(f"{URL}/authorize", params=asked(**changes), data=form)

    assert (shown.status_code, sent.status_code) == (400, 400)
    assert "location" not in sent.headers
    assert demo.codes["dana"] == form["one_time"]


async def test_a_wrong_one_time_code_is_asked_for_again(demo: Demonstration) -> None:
    async with demo.browser() as browser:
        page = await browser.post(f"{URL}/authorize", params=asked(), data={"one_time": "<script>"})

    assert page.status_code == 403
    assert "wrong or was used" in page.text
    assert "<script>" not in page.text
    assert 'name="one_time"' in page.text


async def test_pages_can_be_framed_by_nobody_and_run_nothing(demo: Demonstration) -> None:
    async with demo.browser() as browser:
        page = await browser.get(f"{URL}/authorize", params=asked())

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"


# ---------------------------------------------------------------- devices


async def begun(demo: Demonstration) -> dict[str, Any]:
    return dict((await post(demo, "device_authorization")).json())


async def test_a_console_that_asks_too_soon_is_told_to_slow_down(demo: Demonstration) -> None:
    code = (await begun(demo))["device_code"]
    errors = []
    for seconds in (0, 5, 4, 9, 10):
        demo.clock.go_on(seconds=seconds)
        reply = await post(demo, "token", grant_type=DEVICE_GRANT, device_code=code)
        errors.append(reply.json()["error"])

    pending, slower = "authorization_pending", "slow_down"
    assert errors == [pending, pending, slower, slower, slower]


async def test_a_device_code_gives_tokens_once(demo: Demonstration) -> None:
    waiting = await begun(demo)
    form = {"user_code": waiting["user_code"], "one_time": demo.codes["greta"]}
    await post(demo, "device", **form)

    first, again = [
        await post(demo, "token", grant_type=DEVICE_GRANT, device_code=waiting["device_code"])
        for _ in range(2)
    ]

    token = first.json()["access_token"]
    assert (await demo.dev.tokens().agent(token)).agent.role is Role.LEAD
    assert again.json()["error"] == "invalid_grant"


async def test_a_user_code_nobody_waits_under_is_said(demo: Demonstration) -> None:
    waiting = await begun(demo)
    form = {"user_code": waiting["user_code"], "one_time": demo.codes["dana"]}
    assert (await post(demo, "device", **form)).status_code == 200

    for code in (waiting["user_code"], "BCDF-BCDF", "<b>"):
        page = await post(demo, "device", user_code=code, one_time=demo.codes["dana"])
        assert page.status_code == 404
        assert "No console waits under this code" in page.text
        assert "<b>" not in page.text


async def test_only_so_many_consoles_may_wait(demo: Demonstration) -> None:
    for _ in range(WAITING_LIMIT):
        await begun(demo)

    assert (await begun(demo))["error"] == "temporarily_unavailable"
    demo.clock.go_on(minutes=11)
    assert "device_code" in await begun(demo)


# ---------------------------------------------------------------- this machine alone


@pytest.mark.parametrize("path", ["token", "revoke", "device_authorization", "device", "authorize"])
async def test_who_is_elsewhere_gets_nothing(demo: Demonstration, path: str) -> None:
    async with demo.browser(transport=demo.transport("192.0.2.7")) as stranger:
        reply = await stranger.post(f"{URL}/{path}", data={"client_id": CLIENT})

    assert reply.status_code == 403


async def test_a_name_of_elsewhere_that_points_here_gets_nothing(demo: Demonstration) -> None:
    async with demo.browser() as browser:
        for host in ("evil.example", "127.0.0.1.evil.example", "[::1", ""):
            reply = await browser.get(f"{URL}/jwks", headers={"Host": host})
            assert reply.status_code == 403


async def test_a_form_too_large_is_not_read(demo: Demonstration) -> None:
    reply = await post(demo, "token", code="c" * 20_000)

    assert reply.status_code == 413


async def test_a_form_of_too_many_fields_is_no_form(demo: Demonstration) -> None:
    reply = await post(demo, "token", **{f"f{number}": "" for number in range(100)})

    assert reply.json()["error"] == "invalid_client"


async def test_the_issuer_is_not_in_the_description_of_the_desk(demo: Demonstration) -> None:
    assert isinstance(demo.app, Litestar)
    assert not demo.app.openapi_schema.to_schema().get("paths")


ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
GUESS = {
    "grant_type": "urn:helpdesk:grant-type:one-time-code",
    "client_id": "helpdesk-console",
    "code": "BBBB-BBBB-BBBB",
}


@pytest.mark.parametrize(
    "headers",
    [ELSEWHERE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
    ids=["cross-site", "another port", "an old browser"],
)
async def test_another_page_of_the_browser_cannot_use_up_the_tries(
    demo: Demonstration, headers: dict[str, str]
) -> None:
    async with demo.browser() as browser:
        for _ in range(30):
            refused = await browser.post(f"{URL}/token", data=GUESS, headers=headers)
        right = GUESS | {"code": demo.codes["dana"]}
        taken = await browser.post(f"{URL}/token", data=right)

    assert refused.status_code == 403
    assert taken.status_code == 200


async def test_the_issuers_own_page_may_send_its_form(demo: Demonstration) -> None:
    form = GUESS | {"code": demo.codes["dana"]}
    host = URL.partition("/issuer")[0]
    async with demo.browser() as browser:
        for headers in ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": host}):
            form["code"] = demo.codes["dana"]
            answer = await browser.post(f"{URL}/token", data=form, headers=headers)

            assert answer.status_code == 200


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
async def test_who_is_brought_by_a_proxy_of_this_machine_gets_nothing(
    demo: Demonstration, name: str
) -> None:
    async with demo.browser() as browser:
        answer = await browser.get(f"{URL}/device", headers={name: "for=203.0.113.9"})

    assert answer.status_code == 403
