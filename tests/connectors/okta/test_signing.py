"""Signing in as a service app: what it signs is checked by another library, as Okta would."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import ECKey, RSAKey

from helpdesk.connectors.okta.signing import ServiceApp, key_of
from helpdesk.domain.errors import BadInput, DeskRefused, Unreachable
from tests.connectors.okta.line import connector
from tests.connectors.okta.test_connector import ID
from tests.factories import CARDS, NOW
from tests.labs.okta.server import Lab
from tests.labs.okta.signin import CLIENT

RSA = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
CURVE = ECKey.generate_key("P-256", private=True)


def pem(key: RSAKey | ECKey) -> str:
    return key.as_pem(private=True).decode()


def jwk(key: RSAKey | ECKey) -> str:
    return json.dumps(key.as_dict(private=True))


@pytest.mark.parametrize(
    ("key", "words"),
    [(RSA, pem(RSA)), (RSA, jwk(RSA)), (CURVE, pem(CURVE)), (CURVE, jwk(CURVE))],
    ids=["RSA as PEM", "RSA as JWK", "P-256 as PEM", "P-256 as JWK"],
)
async def test_an_app_signs_in_with_its_key(lab: Lab, key: RSAKey | ECKey, words: str) -> None:
    lab.sign_in.key = key
    okta = connector(lab, ServiceApp(CLIENT, lambda: words))

    found = await okta.people([ID])

    assert [*found] == [ID]
    assert len([line for line in lab.asked if "token" in line]) == 1
    okta.close()


@pytest.mark.parametrize("needs_nonce", [False, True])
async def test_an_app_that_must_prove_its_token_does_so_with_the_nonce_it_is_given(
    lab: Lab, needs_nonce: bool
) -> None:
    lab.sign_in.key = RSA
    lab.sign_in.wants_dpop, lab.sign_in.needs_nonce = True, needs_nonce
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(RSA)))

    found = await okta.people([ID])
    await okta.end_sessions(found[ID], found[ID].factors[0].since)  # type: ignore[arg-type]

    assert lab.tenant.people[ID.partition(":")[2]].sessions == 0
    assert len([line for line in lab.asked if "token" in line]) == 2 + needs_nonce
    okta.close()


async def test_what_an_app_does_is_told_as_an_agents_and_its_codes_are_no_sign_in(
    lab: Lab,
) -> None:
    lab.sign_in.key = RSA
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(RSA)))
    user = (await okta.people([ID]))[ID]
    await okta.send_code(user, user.factors[0], CARDS["constant-contact"], NOW)
    await okta.reset(user, user.factors[:1], NOW)

    told = await okta.timeline(ID)

    assert [event.kind for event in told] == ["send", "reset", "factor"]
    assert [getattr(event, "by", None) for event in told] == [None, "agent", "agent"]
    assert not any("/users/me" in line for line in lab.asked)
    okta.close()


async def test_an_app_whose_token_was_revoked_signs_in_anew_and_asks_once_more(lab: Lab) -> None:
    lab.sign_in.key = RSA
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(RSA)))
    await okta.people([ID])
    lab.sign_in.granted.clear()

    found = await okta.people([ID])

    assert [*found] == [ID]
    okta.close()


async def test_an_app_with_another_key_is_told_that_it_is_not_signed_in(lab: Lab) -> None:
    lab.sign_in.key = RSA
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(CURVE)))

    with pytest.raises(DeskRefused, match="refused the desk's own account"):
        await okta.people([ID])
    okta.close()


async def test_an_app_without_a_scope_is_told_which_thing_it_lacks(lab: Lab) -> None:
    lab.sign_in.key = RSA
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(RSA), ["okta.users.manage"]))

    with pytest.raises(Unreachable, match="role or scopes lack the right"):
        await okta.people([ID])
    okta.close()


async def test_an_app_that_was_not_granted_a_scope_is_not_signed_in(lab: Lab) -> None:
    lab.sign_in.key, lab.sign_in.scopes = RSA, frozenset({"okta.users.read"})
    okta = connector(lab, ServiceApp(CLIENT, lambda: pem(RSA)))

    with pytest.raises(DeskRefused, match="scopes are not granted"):
        await okta.people([ID])
    okta.close()


@pytest.mark.parametrize(
    "words",
    ["", "no key", "{}", '{"kty": "RSA"}', '{"kty": "oct", "k": "AA"}',
     "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"],
)  # fmt: skip
def test_a_key_that_cannot_be_read_is_refused_without_showing_it(words: str) -> None:
    with pytest.raises(BadInput, match="key cannot be read"):
        key_of(words)


def test_a_key_on_another_curve_is_refused() -> None:
    other = ECKey.generate_key("P-384", private=True)

    with pytest.raises(BadInput, match="P-256"):
        key_of(pem(other))
