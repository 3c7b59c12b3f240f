"""Access tokens: who they stand for, and why one is not taken."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import Key, OKPKey, RSAKey
from msgspec import structs

from helpdesk.domain.actions import ACTIONS, ResetAll, SendCode
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import BadInput, Unauthorised, Unreachable
from helpdesk.gateway.issuers import BODY_LIMIT, PATIENCE_S, Provider, safe_url
from helpdesk.gateway.tokens import (
    STEP_UP,
    STEP_UP_CHALLENGE,
    TOKEN_LIMIT,
    asks_step_up,
    needs_step_up,
)
from tests import waiting
from tests.conftest import NOW
from tests.gateway.issuing import (
    ISSUER,
    METADATA,
    SECONDS,
    URL,
    IssuerSite,
    answer,
    good_claims,
    make_key,
    signed,
)

KEY = make_key()
OTHER = make_key("other")
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned(alg: str) -> str:
    return f"{part({'alg': alg, 'kid': 'one'})}.{part(good_claims())}."


def by_public_key_as_secret() -> str:
    body = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(good_claims())}"
    mac = hmac.digest(KEY.as_pem(private=False), body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def tampered() -> str:
    header, _, signature = signed(good_claims(), KEY).split(".")
    return f"{header}.{part(good_claims(roles=['lead']))}.{signature}"


def by_a_key_it_brings() -> str:
    return signed(good_claims(), OTHER, jwk=OTHER.as_dict(private=False), jku=f"{URL}/mine")


def critical() -> str:
    header = {"alg": "ES256", "kid": "one", "crit": ["x"], "x": 1}
    return f"{part(header)}.{part(good_claims())}.AA"


def deep() -> str:
    text = base64.urlsafe_b64encode(b"[" * 1_500).decode().rstrip("=")
    return f"{text}.{text}.AA"


def with_claims(**changes: Any) -> Callable[[], str]:
    return lambda: signed(good_claims(**changes), KEY)


BAD: dict[str, tuple[Callable[[], str], str]] = {
    "bound to a key": (
        lambda: signed(good_claims(cnf={"jkt": "x"}), KEY),
        "bound to a key, which this desk cannot check",
    ),
    "expired": (with_claims(exp=SECONDS - 11), "has expired"),
    "ends in no number": (with_claims(exp="tomorrow"), "no sign-in that can be read"),
    "ends never": (with_claims(exp=None), "does not say when it ends (exp)"),
    "ends beyond all time": (with_claims(exp=10**30), "does not say well when it ends"),
    "not yet valid": (with_claims(nbf=SECONDS + 11), "not valid yet"),
    "made in the future": (with_claims(iat=SECONDS + 11), "dated in the future"),
    "for another": (with_claims(aud="payroll"), "meant for another service"),
    "for nobody": (with_claims(aud=None), "does not say what it is for (aud)"),
    "by another issuer": (with_claims(iss="https://id.example.evil"), "another issuer"),
    "by an issuer with a slash": (with_claims(iss=f"{URL}/"), "another issuer"),
    "about nobody": (with_claims(sub=None), "does not say whom it is about (sub)"),
    "about a number": (with_claims(sub=7), "no sign-in that can be read"),
    "for another program": (with_claims(client_id="crm"), "given to another program"),
    "for another program, by azp": (with_claims(azp="crm"), "given to another program"),
    "an id token": (with_claims(nonce="n"), "not leave to use this desk"),
    "no auth_time": (with_claims(auth_time=None), "does not say when you signed in (auth_time)"),
    "auth_time in words": (with_claims(auth_time="now"), "in seconds when you signed in"),
    "auth_time true": (with_claims(auth_time=True), "in seconds when you signed in"),
    "auth_time in the future": (with_claims(auth_time=SECONDS + 11), "dated in the future"),
    "auth_time no number": (with_claims(auth_time=float("nan")), "does not say well when you"),
    "unknown role": (with_claims(roles=["janitor"]), "gives you no role at this desk (janitor)"),
    "no role": (with_claims(roles=None), "gives you no role at this desk (it names none)"),
    "roles of no form": (with_claims(roles={"lead": True}), "gives you no role"),
    "two roles": (with_claims(roles=["lead", "support"]), "several roles at this desk"),
    "administrator of nothing": (
        with_claims(roles=["product-administrator"]),
        "does not say your account",
    ),
    "no login": (with_claims(preferred_username=None), "does not say your preferred_username"),
    "a login that commands": (
        with_claims(preferred_username="dana\x1b[2J"),
        "preferred_username in this sign-in is no plain name",
    ),
    "an id too long": (with_claims(sub="d" * 201), "sub in this sign-in is no plain name"),
    "alg none": (lambda: unsigned("none"), "is not signed"),
    "alg NoNe": (lambda: unsigned("NoNe"), "is not signed"),
    "HS256 with the public key": (by_public_key_as_secret, "not taken here: HS256"),
    "alg that commands": (lambda: unsigned("\x1b]0;x"), "not taken here: ␛]0;x"),
    "alg of the wrong kind": (lambda: signed(good_claims(), RSA, alg="RS256", kid="one"), "read"),
    "unknown kid": (lambda: signed(good_claims(), OTHER), "a key that its issuer does not have"),
    "key in the header": (by_a_key_it_brings, "a key that its issuer does not have"),
    "key's name taken": (lambda: signed(good_claims(), OTHER, kid="one"), "does not fit"),
    "tampered": (tampered, "its signature does not fit"),
    "signature cut off": (lambda: signed(good_claims(), KEY)[:-10], "its signature does not fit"),
    "another kind": (lambda: signed(good_claims(), KEY, typ="logout+jwt"), "of another kind"),
    "must be understood": (critical, "no sign-in that can be read"),
    "huge": (lambda: "a" * (TOKEN_LIMIT + 1), "too long to be one: over 16384"),
    "deep": (deep, "no sign-in that can be read"),
    "empty": (lambda: "", "no sign-in that can be read"),
    "no JWT": (lambda: "opensesame", "no sign-in that can be read"),
    "three dots": (lambda: "..", "no sign-in that can be read"),
    "an array": (lambda: f"{part(['alg'])}.{part([])}.AA", "no sign-in that can be read"),
    "alg a list": (lambda: f"{part({'alg': ['ES256']})}.{part({})}.AA", "that can be read"),
    "letters of elsewhere": (lambda: "é.é.é", "no sign-in that can be read"),
    "claims no object": (
        lambda: signed_text("[]"),
        "no sign-in that can be read",
    ),
    "claims deep": (lambda: signed_text("[" * 9_000), "no sign-in that can be read"),
}


def signed_text(text: str) -> str:
    return jws.serialize_compact({"alg": "ES256", "kid": "one"}, text, KEY)


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_refused_with_a_sentence(name: str) -> None:
    make, says = BAD[name]
    tokens = IssuerSite(KEY, RSA).tokens()

    with pytest.raises(Unauthorised) as refused:
        await tokens.agent(make())

    assert says in str(refused.value)
    assert str(refused.value).isprintable()
    assert str(refused.value).endswith(".")


async def test_a_good_token_gives_the_agent_and_when_they_signed_in() -> None:
    found = await IssuerSite(KEY).tokens().agent(signed(good_claims(), KEY))

    assert found.agent == Agent(
        id="dana", name="Dana Whitfield", role=Role.SUPPORT, login="dana@desk.example"
    )
    assert found.authenticated_at == NOW - timedelta(seconds=60)
    assert found.expires_at == NOW + timedelta(seconds=300)
    assert found.subject == "dana"


@pytest.mark.parametrize(
    ("key", "alg"), [(KEY, "ES256"), (RSA, "RS256"), (ED, "EdDSA"), (ED, "Ed25519")]
)
async def test_the_four_names_of_the_three_algorithms_are_taken(key: Key, alg: str) -> None:
    with warnings.catch_warnings(action="ignore"):  # joserfc: EdDSA has a newer name
        token = signed(good_claims(), key, alg=alg)

    found = await IssuerSite(KEY, RSA, ED).tokens().agent(token)

    assert found.agent.id == "dana"


async def test_clocks_may_differ_by_ten_seconds() -> None:
    claims = good_claims(exp=SECONDS - 9, nbf=SECONDS + 10, iat=SECONDS + 10)

    found = await IssuerSite(KEY).tokens().agent(signed(claims, KEY))

    assert found.agent.id == "dana"


async def test_a_token_that_was_ended_is_refused() -> None:
    ended: set[str] = set()
    tokens = IssuerSite(KEY).tokens(is_revoked=lambda claims: claims.get("jti") in ended)
    token = signed(good_claims(jti="j1"), KEY)
    assert (await tokens.agent(token)).agent.id == "dana"

    ended.add("j1")

    with pytest.raises(Unauthorised, match="was ended"):
        await tokens.agent(token)


async def test_the_issuers_roles_are_read_through_the_map_and_the_path() -> None:
    issuer = structs.replace(
        ISSUER,
        roles_claim="realm_access.roles",
        role_map={"hd-boss": Role.LEAD, "hd-admin": Role.PRODUCT_ADMINISTRATOR},
    )
    claims = good_claims(roles=None, realm_access={"roles": ["offline_access", "hd-boss"]})

    found = await IssuerSite(KEY).tokens(issuer).agent(signed(claims, KEY))

    assert found.agent.role is Role.LEAD


async def test_a_role_of_ours_counts_for_nothing_where_the_map_names_others() -> None:
    issuer = structs.replace(ISSUER, role_map={"hd-boss": Role.LEAD})

    with pytest.raises(Unauthorised, match="no role at this desk"):
        await IssuerSite(KEY).tokens(issuer).agent(signed(good_claims(roles=["lead"]), KEY))


async def test_a_claim_whose_name_has_dots_is_read_whole() -> None:
    issuer = structs.replace(ISSUER, roles_claim="https://desk.example/roles")
    claims = good_claims(**{"roles": None, "https://desk.example/roles": "lead"})

    found = await IssuerSite(KEY).tokens(issuer).agent(signed(claims, KEY))

    assert found.agent.role is Role.LEAD


async def test_an_administrator_is_bound_to_the_account_of_the_claim_and_nobody_else_is() -> None:
    tokens = IssuerSite(KEY).tokens()
    administrator = signed(good_claims(roles="product-administrator", account="a17"), KEY)
    agent = signed(good_claims(account="a17"), KEY)

    assert (await tokens.agent(administrator)).agent.account == "a17"
    assert (await tokens.agent(agent)).agent.account is None


# ---------------------------------------------------------------- keys


async def test_keys_are_fetched_once_for_many_tokens() -> None:
    site = IssuerSite(KEY)
    tokens = site.tokens()

    for _ in range(3):
        await tokens.agent(signed(good_claims(), KEY))

    assert site.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_new_key_is_found_by_one_more_fetch_and_made_up_names_cost_one_at_most() -> None:
    time = [0.0]
    site = IssuerSite(KEY)
    tokens = site.tokens(keys=site.provider(lambda: time[0]))
    await tokens.agent(signed(good_claims(), KEY))
    site.keys = [OTHER]
    time[0] += 11

    assert (await tokens.agent(signed(good_claims(), OTHER))).agent.id == "dana"
    for name in ("x", "y", "z"):
        with pytest.raises(Unauthorised, match="does not have"):
            await tokens.agent(signed(good_claims(), make_key(name)))

    assert site.asked.count("/keys") == 2


async def test_keys_outlast_an_issuer_that_is_away_for_an_hour_and_no_longer() -> None:
    time = [0.0]
    site = IssuerSite(KEY)
    tokens = site.tokens(keys=site.provider(lambda: time[0]))
    token = signed(good_claims(), KEY)
    await tokens.agent(token)
    site.answers["/keys"] = lambda _: answer({}, 503)

    time[0] = 3_500
    assert (await tokens.agent(token)).agent.id == "dana"

    time[0] = 3_700
    with pytest.raises(Unreachable, match=r"id\.example answered 503"):
        await tokens.agent(token)
    with pytest.raises(Unreachable, match="could not be reached a moment ago"):
        await tokens.agent(token)


async def test_nobody_waits_for_an_issuer_that_is_silent_while_its_keys_still_count() -> None:
    time, site, silent = [0.0], IssuerSite(KEY), asyncio.Event()

    async def answered(request: httpx.Request) -> httpx.Response:
        if silent.is_set():
            await asyncio.sleep(3_600)
        return site(request)

    provider = Provider(URL, transport=httpx.MockTransport(answered), elapsed=lambda: time[0])
    tokens, token = site.tokens(keys=provider), signed(good_claims(), KEY)
    await tokens.agent(token)
    silent.set()
    time[0] = 700
    first = asyncio.create_task(tokens.agent(token))
    await asyncio.sleep(0)
    time[0] += PATIENCE_S  # the fetch began so long ago: it is not waited for any more

    async with asyncio.timeout(waiting.PATIENCE_S):
        found = await asyncio.gather(*(tokens.agent(token) for _ in range(20)))
        await first

    assert {one.agent.id for one in found} == {"dana"}


async def test_an_issuer_that_is_away_from_the_start_is_tried_every_ten_seconds() -> None:
    time = [0.0]
    site = IssuerSite(KEY)
    site.answers["/keys"] = lambda _: answer({}, 503)
    tokens = site.tokens(keys=site.provider(lambda: time[0]))
    token = signed(good_claims(), KEY)

    for _ in range(20):
        with pytest.raises(Unreachable):
            await tokens.agent(token)

    assert site.asked.count("/keys") == 1
    del site.answers["/keys"]
    time[0] += 11
    assert (await tokens.agent(token)).agent.id == "dana"


@pytest.mark.parametrize("others", [[OTHER], [make_key()]], ids=["withdrawn", "replaced"])
async def test_a_token_that_was_taken_counts_no_more_once_its_key_is_gone(
    others: list[Key],
) -> None:
    time = [0.0]
    site = IssuerSite(KEY, OTHER)
    tokens = site.tokens(keys=site.provider(lambda: time[0]))
    token = signed(good_claims(), KEY)
    await tokens.agent(token)
    site.keys = others

    time[0] = 601

    with pytest.raises(Unauthorised, match=r"does not have|does not fit"):
        await tokens.agent(token)


async def test_a_token_that_names_no_key_is_read_with_the_only_one_there_is() -> None:
    token = jwt.encode({"alg": "ES256"}, good_claims(), KEY)

    assert (await IssuerSite(KEY).tokens().agent(token)).agent.id == "dana"
    with pytest.raises(Unauthorised, match="does not have"):
        await IssuerSite(KEY, OTHER).tokens().agent(token)


async def test_secrets_keys_for_encryption_short_and_broken_keys_are_passed_over() -> None:
    entries = [
        "no key",
        {"kty": "oct", "kid": "one", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "short", "n": "w7Zd", "e": "AQAB"},
        {"kty": "EC", "kid": "broken", "crv": "P-256"},
        {"kty": "AKP", "kid": "new"},
        {**KEY.as_dict(private=False), "use": "enc"},
        OTHER.as_dict(private=False),
    ]
    site = IssuerSite()
    site.answers["/keys"] = lambda _: answer({"keys": entries})
    provider = site.provider()

    assert await provider.key("other") is not None
    for name in ("one", "short", "broken", "new"):
        assert await provider.key(name) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b" " * (BODY_LIMIT + 1), "answered with too much"),
    ],
)
async def test_an_issuer_that_talks_nonsense_is_a_sentence(body: bytes, says: str) -> None:
    site = IssuerSite(KEY)
    site.answers["/keys"] = lambda _: httpx.Response(200, stream=httpx.ByteStream(body))

    with pytest.raises(Unreachable, match=says):
        await site.tokens().agent(signed(good_claims(), KEY))


@pytest.mark.parametrize("name", ["jwks_uri", "token_endpoint", "revocation_endpoint"])
async def test_an_issuer_elsewhere_cannot_send_us_to_this_machine(name: str) -> None:
    site = IssuerSite(KEY, metadata=METADATA | {name: "http://127.0.0.1:8765/keys"})

    with pytest.raises(Unreachable, match="names an address that is not https"):
        await site.tokens().agent(signed(good_claims(), KEY))

    assert site.asked == ["/.well-known/openid-configuration"]


async def test_a_packed_answer_is_not_unpacked() -> None:
    site = IssuerSite(KEY)
    site.answers["/keys"] = lambda _: httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"")
    )

    with pytest.raises(Unreachable, match="not asked for"):
        await site.tokens().agent(signed(good_claims(), KEY))


def moved() -> httpx.Response:
    return httpx.Response(302, headers={"Location": f"{URL}/other"}, stream=httpx.ByteStream(b""))


async def test_no_redirect_is_followed() -> None:
    site = IssuerSite(KEY)
    site.answers["/keys"] = lambda _: moved()

    with pytest.raises(Unreachable, match="answered 302"):
        await site.tokens().agent(signed(good_claims(), KEY))

    assert "/other" not in site.asked


async def test_an_issuer_that_says_it_is_another_is_not_believed() -> None:
    site = IssuerSite(KEY, metadata={**METADATA, "issuer": "https://evil.example"})

    with pytest.raises(Unreachable, match="says it is another issuer"):
        await site.tokens().agent(signed(good_claims(), KEY))


async def test_keys_are_not_fetched_in_the_clear() -> None:
    site = IssuerSite(KEY, metadata={**METADATA, "jwks_uri": "http://id.example/keys"})

    with pytest.raises(Unreachable, match="names an address that is not https"):
        await site.tokens().agent(signed(good_claims(), KEY))


@pytest.mark.parametrize(
    "url", ["https://id.example/a", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:9"]
)
def test_https_and_this_machine_are_safe(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.example",
        "http://id.example",
        "ftp://id.example",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "https://user@id.example",
        "https://id.example:port",
        "https://id.example/\x1b",
        "https://[id",
        "http://0x7f.1",
    ],
)
def test_any_other_address_is_not(url: str) -> None:
    with pytest.raises(BadInput, match="an address to sign in at is https"):
        safe_url(url)


async def test_an_issuer_that_is_away_is_named() -> None:
    nobody = Provider("http://127.0.0.1:1")

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await nobody.key("one")


# ---------------------------------------------------------------- step-up


async def test_five_minutes_after_signing_in_a_step_up_is_needed() -> None:
    token = signed(good_claims(auth_time=SECONDS - 300), KEY)
    found = await IssuerSite(KEY).tokens().agent(token)

    assert timedelta(minutes=5) == STEP_UP
    assert not needs_step_up(found, NOW)
    assert needs_step_up(found, NOW + timedelta(seconds=1))


def test_a_step_up_is_asked_for_what_opens_moves_or_removes_a_way_in() -> None:
    assert asks_step_up(ResetAll(user="u1"))
    assert not asks_step_up(SendCode(user="u1"))
    assert any(act.risk.value == "high" for act in ACTIONS.values())


def test_the_challenge_of_a_step_up_says_how_recent() -> None:
    assert STEP_UP_CHALLENGE.startswith("Bearer ")
    assert 'error="insufficient_user_authentication"' in STEP_UP_CHALLENGE
    assert "max_age=300" in STEP_UP_CHALLENGE
