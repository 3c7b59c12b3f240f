"""Signing in from the console: in the browser, by device, by one-time code; kept fresh; ended."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from keyring import get_keyring
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringError, KeyringLocked
from msgspec import structs

from helpdesk.domain.agents import Role
from helpdesk.domain.errors import BadInput, GaveUp, Unauthorised, Unreachable
from helpdesk.domain.signing import SignInPrompt
from helpdesk.gateway import keyrings
from helpdesk.gateway.devissuer import CLIENT
from helpdesk.gateway.flows import Prompt, Registration, Way, registration_at, usual_way
from helpdesk.gateway.issuers import RESOURCE_PATH, Provider
from helpdesk.gateway.keyrings import Kept, SafeKeeping, keeping_for, real_keyring
from helpdesk.gateway.loopback import Loopback
from helpdesk.gateway.signin import SignIn
from helpdesk.signing import Prompter
from tests.gateway.issuing import ISSUER, SECONDS, URL, IssuerSite, answer, make_key, signed
from tests.gateway.people import Demonstration, both

KEY = make_key()


class Ring(KeyringBackend):
    """A keyring in memory, as the system's would be; it may be locked, or refuse what is long."""

    priority = 5

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.limit = 10_000
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.is_locked or len(password) > self.limit:
            raise KeyringError("no")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.is_locked:
            raise KeyringLocked
        del self.entries[service, username]


# ---------------------------------------------------------------- in the browser


async def test_an_agent_signs_in_in_the_browser(demo: Demonstration) -> None:
    console = demo.sign_in(Way.BROWSER)

    token = await both(console.token(), demo.in_browser())

    found = await demo.dev.tokens().agent(token)
    assert (found.agent.id, found.agent.role) == ("dana", Role.SUPPORT)
    assert found.authenticated_at == demo.clock()


async def test_the_browser_is_sent_with_pkce_state_and_nonce_to_this_machine(
    demo: Demonstration,
) -> None:
    asking = asyncio.create_task(demo.sign_in(Way.BROWSER).token())
    prompt = await demo.prompts.get()
    asking.cancel()

    query = {name: said[0] for name, said in parse_qs(urlsplit(prompt.url).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert min(len(query["state"]), len(query["nonce"])) >= 43
    assert query["redirect_uri"].startswith("http://127.0.0.1:")
    assert prompt.says == (
        f"Open this address in a browser on this computer and sign in: {prompt.url}"
    )


def with_query(**changes: str) -> Callable[[str], str]:
    """Change what the browser brings back."""

    def change(address: str) -> str:
        base, _, query = address.partition("?")
        return f"{base}?{urlencode(dict(parse_qsl(query)) | changes)}"

    return change


def without(name: str) -> Callable[[str], str]:
    def change(address: str) -> str:
        base, _, query = address.partition("?")
        return f"{base}?{urlencode([pair for pair in parse_qsl(query) if pair[0] != name])}"

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_query(state="other"), "brought the answer to another sign-in"),
        (with_query(state="é"), "brought the answer to another sign-in"),
        (without("state"), "brought the answer to another sign-in"),
        (lambda url: f"{url}&code=mine", "brought the answer to another sign-in"),
        (with_query(iss="https://evil.example"), "Another issuer answered"),
        (without("iss"), "Another issuer answered"),
        (with_query(code="made-up"), "The code was not taken"),
        (without("code"), "it does not say why"),
        (with_query(error="\x1b[2J"), "did not sign you in (␛[2J)"),
    ],
)
async def test_what_the_browser_brings_back_is_not_believed_when_it_was_changed(
    demo: Demonstration, change: Callable[[str], str], says: str
) -> None:
    console = demo.sign_in(Way.BROWSER)

    with pytest.raises(Unauthorised) as refused:
        await both(console.token(), demo.in_browser(change))

    assert says in str(refused.value)


async def test_an_agent_who_cancels_in_the_browser_is_told_so(demo: Demonstration) -> None:
    console = demo.sign_in(Way.BROWSER)

    with pytest.raises(Unauthorised, match="The sign-in was refused"):
        await both(console.token(), demo.in_browser(do="cancel"))


async def test_an_id_token_of_another_sign_in_is_not_believed(demo: Demonstration) -> None:
    """The nonce: an attacker's code, put in place of the agent's, brings another id token."""
    console = demo.sign_in(Way.BROWSER)
    asking = asyncio.create_task(console.token())
    prompt = await demo.prompts.get()
    changed = with_query(nonce="theirs")(prompt.url)
    demo.prompts.put_nowait(structs.replace(prompt, url=changed))

    with pytest.raises(Unauthorised, match="answers another sign-in than yours"):
        await both(asking, demo.in_browser())


async def test_an_issuer_that_gives_no_id_token_to_the_browser_is_not_believed(
    demo: Demonstration,
) -> None:
    console = browser_console(IssuerSite(KEY), demo, {"access_token": "a", "token_type": "Bearer"})

    with pytest.raises(Unauthorised, match="does not say who signed in"):
        await both(console.token(), come_back(demo))


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"aud": "another"}, "meant for another service"),
        ({"iss": "https://evil.example"}, "comes from another issuer"),
        ({"exp": SECONDS - 60}, "has expired"),
        ({"nonce": "other"}, "answers another sign-in than yours"),
    ],
)
async def test_an_id_token_is_checked(
    demo: Demonstration, claims: dict[str, Any], says: str
) -> None:
    good = {"iss": URL, "aud": CLIENT, "sub": "x", "iat": SECONDS, "exp": SECONDS + 60}
    token = signed({**good, **claims}, KEY, typ="JWT")
    reply = {"access_token": "a", "token_type": "Bearer", "id_token": token}
    console = browser_console(IssuerSite(KEY), demo, reply)

    with pytest.raises(Unauthorised, match=says):
        await both(console.token(), come_back(demo))


def browser_console(site: IssuerSite, demo: Demonstration, reply: dict[str, Any]) -> SignIn:
    site.answers["/token"] = lambda _: answer(reply)
    return console_at(site, demo, Way.BROWSER)


def console_at(site: IssuerSite, demo: Demonstration, way: Way) -> SignIn:
    return SignIn(
        Registration(issuer=URL, client_id=CLIENT),
        provider=site.provider(),
        way=way,
        on_prompt=demo.prompts.put_nowait,
        clock=lambda: demo.clock().timestamp(),
        sleep=demo._sleep,
    )


async def come_back(demo: Demonstration) -> None:
    """Bring a code back as an issuer would send the browser."""
    prompt = await demo.prompts.get()
    query = dict(parse_qsl(urlsplit(prompt.url).query))
    said = urlencode({"state": query["state"], "code": "c", "iss": URL})
    async with httpx.AsyncClient(trust_env=False) as browser:
        await browser.get(f"{query['redirect_uri']}?{said}")


async def test_the_page_to_come_back_to_takes_one_answer_and_nothing_else() -> None:
    async with Loopback("s") as back, httpx.AsyncClient(trust_env=False) as browser:
        origin = back.address.removesuffix("/callback")
        lost = await browser.get(f"{origin}/favicon.ico")
        posted = await browser.post(f"{back.address}?state=s")
        renamed = await browser.get(f"{back.address}?state=s", headers={"Host": "evil.example"})
        taken = await browser.get(f"{back.address}?state=s&code=c")
        again = await browser.get(f"{back.address}?state=s&code=other")
        said = await back.answer()

    assert [lost.status_code, posted.status_code, renamed.status_code] == [404, 404, 404]
    assert (taken.status_code, again.status_code) == (200, 410)
    assert said == {"state": "s", "code": "c"}


async def test_the_page_to_come_back_to_is_on_this_machine_alone_and_then_gone() -> None:
    async with Loopback("s") as back:
        port = urlsplit(back.address).port or 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), 1)

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1)


async def test_noise_at_the_page_to_come_back_to_changes_nothing() -> None:
    async with Loopback("s") as back:
        port = urlsplit(back.address).port or 0
        for noise in (b"", b"\r\n\r\n", b"\xff\x00\r\n\r\n", b"a" * 40_000, b"GET\r\n\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(noise)
            writer.write_eof()
            writer.close()
        async with httpx.AsyncClient(trust_env=False) as browser:
            await browser.get(f"{back.address}?state=s&code=c")

        assert (await back.answer())["code"] == "c"


# ---------------------------------------------------------------- by device


async def test_an_agent_signs_in_with_a_device_code(demo: Demonstration) -> None:
    console = demo.sign_in(Way.DEVICE)

    token = await both(console.token(), demo.on_device())

    assert (await demo.dev.tokens().agent(token)).agent.id == "dana"
    assert set(demo.slept) == {5.0}


async def test_the_prompt_names_this_computer_and_warns_of_codes_from_others(
    demo: Demonstration,
) -> None:
    asking = asyncio.create_task(demo.sign_in(Way.DEVICE).token())
    prompt = await demo.prompts.get()
    asking.cancel()

    assert prompt.code in prompt.says
    assert socket.gethostname()[:60] in prompt.says
    assert "Never type a code that somebody sent you." in prompt.says
    assert (prompt.ends_at - demo.clock()).total_seconds() <= 600


async def test_the_page_for_a_device_code_says_where_the_console_is(demo: Demonstration) -> None:
    asking = asyncio.create_task(demo.sign_in(Way.DEVICE).token())
    prompt = await demo.prompts.get()
    async with demo.browser() as browser:
        page = await browser.get(prompt.url, params={"user_code": prompt.code.lower()})
    asking.cancel()

    assert "A console at 127.0.0.1 shows the code" in page.text
    assert "Nobody may send it to you" in page.text


async def test_an_agent_who_refuses_on_the_other_device_is_told_so(demo: Demonstration) -> None:
    console = demo.sign_in(Way.DEVICE)

    with pytest.raises(Unauthorised, match="The sign-in was refused"):
        await both(console.token(), demo.on_device(do="cancel"))


async def test_a_device_code_that_nobody_types_grows_too_old(demo: Demonstration) -> None:
    with pytest.raises(Unauthorised, match="The code is too old"):
        await demo.sign_in(Way.DEVICE).token()

    assert 590 <= sum(demo.slept) <= 600


DEVICE = {
    "device_code": "d",
    "user_code": "ABCD\x1b[2J",
    "verification_uri": "https://id.example/go",
    "expires_in": 600,
    "interval": 2,
}
GOOD = {"access_token": "a", "token_type": "Bearer", "expires_in": 300}


def device_site(*errors: str | int, begun: dict[str, Any] | None = None) -> IssuerSite:
    """An issuer that answers these to the console's questions, then gives a token."""
    site = IssuerSite(KEY)
    replies = iter(errors)

    def token(_: dict[str, str]) -> httpx.Response:
        match next(replies, None):
            case None:
                return answer(GOOD)
            case int():
                raise httpx.ConnectError("away")
            case error:
                return answer({"error": error}, 400)

    site.answers["/device"] = lambda _: answer(DEVICE if begun is None else begun)
    site.answers["/token"] = token
    return site


async def test_slow_down_makes_the_console_ask_five_seconds_less_often(
    demo: Demonstration,
) -> None:
    site = device_site("authorization_pending", "slow_down", "slow_down", "authorization_pending")

    token = await console_at(site, demo, Way.DEVICE).token()

    assert token == "a"
    assert demo.slept == [2.0, 2.0, 7.0, 12.0, 12.0]


async def test_a_bad_line_makes_the_console_ask_half_as_often(demo: Demonstration) -> None:
    token = await console_at(device_site(0, 0), demo, Way.DEVICE).token()

    assert token == "a"
    assert demo.slept == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("expired_token", "The code is too old"),
        ("access_denied", "The sign-in was refused"),
        ("invalid_grant", "The code was not taken"),
        ("unauthorized_client", "does not let this console sign in that way"),
        ("\x1b]0;x\x07", "did not sign you in (␛]0;x␇)"),
    ],
)
async def test_the_end_of_a_device_code_is_a_sentence(
    demo: Demonstration, error: str, says: str
) -> None:
    with pytest.raises(Unauthorised) as refused:
        await console_at(device_site(error), demo, Way.DEVICE).token()

    assert says in str(refused.value)


async def test_a_user_code_that_commands_is_shown_as_text(demo: Demonstration) -> None:
    await console_at(device_site(), demo, Way.DEVICE).token()

    assert demo.prompts.get_nowait().code == "ABCD␛[2J"


@pytest.mark.parametrize("url", ["http://id.example/go", "javascript:alert(1)", "https://a\x1b"])
async def test_an_address_that_is_not_safe_is_never_shown(demo: Demonstration, url: str) -> None:
    site = device_site(begun={**DEVICE, "verification_uri": url})

    with pytest.raises(BadInput, match="an address to sign in at is https"):
        await console_at(site, demo, Way.DEVICE).token()

    assert demo.prompts.empty()


async def test_an_issuer_without_device_codes_is_named(demo: Demonstration) -> None:
    site = IssuerSite(KEY, metadata={"issuer": URL, "jwks_uri": f"{URL}/keys"})

    with pytest.raises(Unauthorised, match="no sign-in with a device code"):
        await console_at(site, demo, Way.DEVICE).token()


def test_over_ssh_the_way_is_a_device_code() -> None:
    assert usual_way({"SSH_CONNECTION": "a b c d"}) is Way.DEVICE
    assert usual_way({}) is Way.BROWSER


# ---------------------------------------------------------------- kept fresh


async def test_a_fresh_token_is_used_again_and_an_old_one_is_renewed_without_a_word(
    demo: Demonstration,
) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    first = await console.token()
    demo.clock.go_on(seconds=289)
    same = await console.token()

    demo.clock.go_on(seconds=2)
    second = await console.token()

    assert same == first != second
    found = await demo.dev.tokens().agent(second)
    assert (demo.clock() - found.authenticated_at).total_seconds() == 291


async def test_many_questions_at_once_renew_once(demo: Demonstration) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    await console.token()
    demo.clock.go_on(minutes=6)

    tokens = await asyncio.gather(*(console.token() for _ in range(20)))

    assert len(set(tokens)) == 1


async def test_a_question_that_leaves_while_the_token_is_renewed_ends_no_sign_in(
    demo: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnItsWay(httpx.ASGITransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            await asyncio.sleep(0)
            return answer

    monkeypatch.setattr(demo, "transport", lambda: OnItsWay(cast(Any, demo.app)))
    console = demo.sign_in(Way.ONE_TIME)
    await console.token()
    code = demo.codes["dana"]

    for steps in range(60):
        demo.clock.go_on(minutes=6)
        leaving = asyncio.create_task(console.token())
        for _ in range(steps):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await console.token()

    assert demo.codes["dana"] == code


async def test_an_act_that_needs_a_recent_sign_in_asks_again_after_five_minutes(
    demo: Demonstration,
) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    first = await console.token(max_age_s=300)
    code = demo.codes["dana"]
    demo.clock.go_on(seconds=200)
    assert await console.token(max_age_s=300) == first
    assert demo.codes["dana"] == code

    demo.clock.go_on(seconds=100)
    second = await console.token(max_age_s=300)

    assert demo.codes["dana"] != code
    assert (await demo.dev.tokens().agent(second)).authenticated_at == demo.clock()


async def test_other_questions_go_on_while_the_agent_is_asked_again(demo: Demonstration) -> None:
    console = demo.sign_in(Way.BROWSER)
    first = await both(console.token(), demo.in_browser())
    demo.clock.go_on(seconds=288)

    asking = asyncio.create_task(console.token(max_age_s=60))
    prompt = await demo.prompts.get()
    assert await console.token() == first
    demo.clock.go_on(seconds=60)
    renewed = await console.token()
    demo.prompts.put_nowait(prompt)
    stepped_up = await both(asking, demo.in_browser())

    assert len({first, renewed, stepped_up}) == 3
    assert await console.token() == stepped_up
    assert "max_age=60" in prompt.url


async def test_an_issuer_that_does_not_ask_anew_is_found_out(demo: Demonstration) -> None:
    claims = {
        "iss": URL,
        "aud": CLIENT,
        "sub": "x",
        "iat": SECONDS,
        "exp": SECONDS + 60,
        "auth_time": SECONDS - 400,
    }
    site = device_site()
    token = signed(claims, KEY, typ="JWT")
    site.answers["/token"] = lambda _: answer({**GOOD, "id_token": token})

    with pytest.raises(Unauthorised, match="did not ask you to sign in anew"):
        await console_at(site, demo, Way.DEVICE).token(max_age_s=300)


async def test_a_sign_in_that_the_issuer_ended_asks_the_agent_again(demo: Demonstration) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    await console.token()
    code = demo.codes["dana"]
    demo.clock.go_on(hours=13)

    await console.token()

    assert demo.codes["dana"] != code


async def test_a_token_that_the_desk_refused_is_not_given_again(demo: Demonstration) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    first = await console.token()
    code = demo.codes["dana"]

    console.refused(first)
    second = await console.token()
    console.refused(first)

    assert second != first
    assert await console.token() == second
    assert demo.codes["dana"] == code


async def test_after_the_issuer_began_anew_the_agent_is_asked_when_the_desk_refuses(
    demo: Demonstration,
) -> None:
    console = demo.sign_in(Way.ONE_TIME)
    first = await console.token()
    for sign_in in list(demo.dev.grants._sign_ins):
        demo.dev.grants.end(sign_in)
    code = demo.codes["dana"]

    console.refused(first)
    second = await console.token()

    assert demo.codes["dana"] != code
    assert (await demo.dev.tokens().agent(second)).agent.id == "dana"


async def test_an_issuer_that_just_began_anew_with_other_keys_is_believed_at_the_next_sign_in(
    demo: Demonstration,
) -> None:
    site, other = device_site(), make_key("two")
    claims = {"iss": URL, "aud": CLIENT, "sub": "x", "iat": SECONDS, "exp": SECONDS + 60}

    def begun_with(key: Any, access: str) -> None:
        site.keys = [key]
        told = {**GOOD, "access_token": access, "id_token": signed(claims, key, typ="JWT")}
        site.answers["/token"] = lambda _: answer(told)

    console = console_at(site, demo, Way.DEVICE)
    begun_with(KEY, "a")
    first = await console.token()

    begun_with(other, "b")
    console.refused(first)

    assert (first, await console.token()) == ("a", "b")
    assert site.asked.count("/keys") == 2


async def test_an_issuer_that_is_unwell_ends_nothing(demo: Demonstration) -> None:
    site = device_site()
    site.answers["/token"] = lambda _: answer({**GOOD, "refresh_token": "r"})
    console = console_at(site, demo, Way.DEVICE)
    await console.token()
    demo.clock.go_on(minutes=6)

    site.answers["/token"] = lambda _: answer({}, 503)
    with pytest.raises(Unreachable, match="answered 503"):
        await console.token()
    site.answers["/token"] = lambda _: answer({**GOOD, "access_token": "b"})

    assert await console.token() == "b"
    assert site.forms[-1]["refresh_token"] == "r"


@pytest.mark.parametrize(
    "reply",
    [
        {"access_token": "a\nb", "token_type": "Bearer"},
        {"access_token": "é", "token_type": "Bearer"},
        {"access_token": "a", "token_type": "DPoP"},
        {"access_token": 7, "token_type": "Bearer"},
        {"token_type": "Bearer"},
        [],
    ],
)
async def test_a_token_that_cannot_be_used_is_not_held(demo: Demonstration, reply: Any) -> None:
    site = device_site()
    site.answers["/token"] = lambda _: answer(reply)

    with pytest.raises(Unreachable, match="cannot be"):
        await console_at(site, demo, Way.DEVICE).token()


async def test_signing_out_ends_the_sign_in_here_and_there(demo: Demonstration) -> None:
    ring = Ring()
    console = demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring))
    token = await console.token()
    tokens = demo.dev.tokens()
    assert (await tokens.agent(token)).agent.id == "dana"

    await console.sign_out()

    assert ring.entries == {}
    with pytest.raises(Unauthorised, match="was ended"):
        await tokens.agent(token)


async def test_signing_out_without_the_issuer_still_forgets(demo: Demonstration) -> None:
    site = device_site()
    site.answers["/token"] = lambda _: answer({**GOOD, "refresh_token": "r"})
    site.answers["/revoke"] = lambda _: (_ for _ in ()).throw(httpx.ConnectError("away"))
    console = console_at(site, demo, Way.DEVICE)
    await console.token()

    with pytest.raises(Unreachable, match="You are signed out here, but the issuer does not know"):
        await console.sign_out()

    assert "r" not in repr(vars(console)["_held"])
    await console.sign_out()


# ---------------------------------------------------------------- where it is kept


async def test_the_next_console_goes_on_with_what_the_keyring_keeps(demo: Demonstration) -> None:
    ring = Ring()
    await demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring)).token()
    code = demo.codes["dana"]

    token = await demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring)).token()

    assert demo.codes["dana"] == code
    assert (await demo.dev.tokens().agent(token)).agent.id == "dana"


async def test_two_consoles_on_one_keyring_renew_in_turn_and_neither_is_thrown_out(
    demo: Demonstration, tmp_path: Path
) -> None:
    ring = Ring()
    lock = tmp_path / "sign-in.lock"
    consoles = [demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring, lock)) for _ in range(2)]
    await consoles[0].token()
    code = demo.codes["dana"]

    for _ in range(5):
        demo.clock.go_on(minutes=6)
        await asyncio.gather(*(console.token() for console in consoles))

    assert demo.codes["dana"] == code


async def test_only_the_refresh_token_is_kept_and_the_lock_stays_empty(
    demo: Demonstration, tmp_path: Path
) -> None:
    ring = Ring()
    lock = tmp_path / "sign-in.lock"

    token = await demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring, lock)).token()

    (entry,) = ring.entries.values()
    assert token not in entry
    assert set(json.loads(entry)) == {"refresh", "authenticated_at"}
    assert [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()] in ([], [b""])


@pytest.mark.parametrize("trouble", ["locked", "small", "garbled"])
async def test_a_keyring_that_does_not_serve_leaves_the_sign_in_in_memory(
    demo: Demonstration, trouble: str
) -> None:
    ring = Ring()
    ring.is_locked = trouble == "locked"
    ring.limit = 20 if trouble == "small" else 10_000
    if trouble != "locked":
        ring.entries["helpdesk", "dev"] = '{"refresh":' if trouble == "garbled" else "{}"
    console = demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring))

    await console.token()
    demo.clock.go_on(minutes=6)
    token = await console.token()

    assert (await demo.dev.tokens().agent(token)).agent.id == "dana"
    assert bool(ring.entries) == (trouble == "garbled")


async def test_without_a_keyring_a_sign_in_ends_with_the_console(demo: Demonstration) -> None:
    keeping = SafeKeeping("dev")
    await demo.sign_in(Way.ONE_TIME, keeping).token()
    code = demo.codes["dana"]

    await demo.sign_in(Way.ONE_TIME, SafeKeeping("dev")).token()

    assert not keeping.is_lasting
    assert demo.codes["dana"] != code


@pytest.mark.parametrize("kind", [fail.Keyring, null.Keyring, Ring])
def test_what_is_no_keyring_of_the_system_is_none(
    kind: type[KeyringBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = kind()
    monkeypatch.setattr("keyring.core._keyring_backend", ring)

    assert get_keyring() is ring
    assert real_keyring() is None


def test_a_keyring_of_the_system_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    monkeypatch.setattr("keyring.core._keyring_backend", ring)
    monkeypatch.setattr(keyrings, "REAL", {Ring.__module__})

    assert real_keyring() is ring


async def test_what_one_desk_was_given_is_not_there_for_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ring = Ring()
    monkeypatch.setattr("keyring.core._keyring_backend", ring)
    monkeypatch.setattr(keyrings, "REAL", {Ring.__module__})
    ours, theirs, here = [
        keeping_for(desk, URL, CLIENT, tmp_path)
        for desk in ("https://desk.example", "https://evil.example", HERE)
    ]

    await ours.write(Kept(refresh="r"))

    assert await ours.read() == Kept(refresh="r")
    assert await theirs.read() is None
    assert (ours.is_lasting, here.is_lasting) == (True, False)


async def test_no_token_is_in_what_is_printed_of_a_console(demo: Demonstration) -> None:
    ring = Ring()
    console = demo.sign_in(Way.ONE_TIME, SafeKeeping("dev", ring))
    token = await console.token()
    kept = await SafeKeeping("dev", ring).read()
    refresh = json.loads(next(iter(ring.entries.values())))["refresh"]

    shown = f"{console!r} {vars(console)!r} {kept!r}"

    assert token not in shown
    assert refresh not in shown


# ---------------------------------------------------------------- what the desk says of it


HERE = "http://127.0.0.1:8765"


async def test_a_desk_of_this_machine_says_how_to_sign_in() -> None:
    own = f"{HERE}/issuer"
    issuer = structs.replace(ISSUER, url=own, resource="https://desk.example/api")
    site = IssuerSite()
    site.answers[RESOURCE_PATH] = lambda _: answer(issuer.described(HERE))
    desk = Provider(HERE, transport=httpx.MockTransport(site))

    found = await registration_at(HERE, desk)

    assert found.issuer == own
    assert found.client_id == CLIENT
    assert found.resource == "https://desk.example/api"


async def test_a_desk_that_speaks_for_another_is_not_believed() -> None:
    site = IssuerSite()
    site.answers[RESOURCE_PATH] = lambda _: answer(ISSUER.described("https://other.example"))
    desk = Provider(HERE, transport=httpx.MockTransport(site))

    with pytest.raises(Unreachable, match="does not say who signs agents in"):
        await registration_at(HERE, desk)


async def test_whoever_listens_on_this_machine_cannot_name_the_issuer_of_another_desk() -> None:
    site = IssuerSite()
    site.answers[RESOURCE_PATH] = lambda _: answer(ISSUER.described(HERE))
    desk = Provider(HERE, transport=httpx.MockTransport(site))

    with pytest.raises(BadInput, match=r"helpdesk\.toml must say who signs agents in there"):
        await registration_at(HERE, desk)


async def test_a_desk_elsewhere_is_not_asked_who_signs_agents_in() -> None:
    """It could name the issuer of the real desk, and would be sent tokens for that one."""
    site = IssuerSite()
    desk = Provider("https://evil.example", transport=httpx.MockTransport(site))

    with pytest.raises(BadInput, match=r"helpdesk\.toml must say who signs agents in there"):
        await registration_at("https://evil.example", desk)

    assert site.asked == []


# ---------------------------------------------------------------- asked for by a console


class Dialog:
    """A console's dialog: it stands until it is cancelled, or the agent gives up."""

    def __init__(self) -> None:
        self.shown: asyncio.Queue[SignInPrompt] = asyncio.Queue()
        self.give_up = asyncio.Event()
        self.is_open = False

    async def __call__(self, prompt: SignInPrompt) -> str:
        self.is_open = True
        self.shown.put_nowait(prompt)
        try:
            await self.give_up.wait()
        finally:
            self.is_open = False
        raise GaveUp


def prompted(demo: Demonstration, dialog: Dialog) -> SignIn:
    """A console that signs in by device and shows it in a dialog."""
    prompter = Prompter()
    prompter.ask = dialog

    def show(prompt: Prompt) -> None:
        demo.prompts.put_nowait(prompt)
        prompter.show(prompt)

    return SignIn(
        Registration(issuer=demo.dev.issuer.url, client_id=CLIENT),
        provider=Provider(demo.dev.issuer.url, transport=demo.transport()),
        way=Way.DEVICE,
        on_prompt=show,
        through=prompter.through,
        clock=lambda: demo.clock().timestamp(),
        sleep=demo._sleep,
    )


async def test_a_dialog_shows_the_device_code_and_goes_away_once_one_is_signed_in(
    demo: Demonstration,
) -> None:
    dialog = Dialog()

    token = await both(prompted(demo, dialog).token(), demo.on_device())

    shown = dialog.shown.get_nowait()
    assert (await demo.dev.tokens().agent(token)).agent.id == "dana"
    assert len(shown.user_code) >= 8
    assert shown.url.startswith(demo.dev.issuer.url)
    assert f"lets the console on {socket.gethostname()} work as you" in shown.says
    assert not dialog.is_open


async def test_giving_up_in_the_dialog_ends_the_wait_for_the_device(demo: Demonstration) -> None:
    dialog = Dialog()
    console = prompted(demo, dialog)
    asking = [asyncio.create_task(console.token()) for _ in range(2)]
    await dialog.shown.get()

    dialog.give_up.set()
    ended = await asyncio.gather(*asking, return_exceptions=True)
    polls = len(demo.slept)
    await asyncio.sleep(0.01)

    assert [str(one) for one in ended] == ["You did not sign in: nothing was done."] * 2
    assert dialog.shown.empty()
    assert len(demo.slept) == polls


async def test_who_gave_up_is_asked_again_at_once_only_for_an_act(demo: Demonstration) -> None:
    dialog = Dialog()
    dialog.give_up.set()
    console = prompted(demo, dialog)
    with pytest.raises(GaveUp, match="did not sign in"):
        await console.token()

    with pytest.raises(GaveUp, match="asked again in half a minute"):
        await console.token()
    with pytest.raises(GaveUp, match="did not sign in"):
        await console.token(max_age_s=270)

    assert dialog.shown.qsize() == 2
