"""The connector on a small Keycloak, every act on it, and what goes wrong between them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.connectors.base import Provider
from helpdesk.connectors.keycloak.connector import NO_EVENTS, KeycloakConnector
from helpdesk.domain.errors import (
    BadInput,
    Conflict,
    DeskRefused,
    NotFound,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.timeline import Other, Session
from helpdesk.domain.users import FactorKind, MfaState, User
from tests.connectors.keycloak.line import connector
from tests.labs.judging import served, verdict
from tests.labs.keycloak.server import USER, Realm, otp
from tests.labs.troubles import Fault

ID = f"kc:{USER}"
NOW = datetime.now(UTC)
RECOVERY = "recovery-authn-codes"


@pytest.fixture
def realm() -> Realm:
    return Realm()


@pytest.fixture
def keycloak(realm: Realm) -> Iterator[KeycloakConnector]:
    made = connector(realm)
    yield made
    made.close()


async def maya_of(keycloak: KeycloakConnector) -> User:
    return (await keycloak.people([ID]))[ID]


async def test_a_user_comes_with_the_authenticators_and_no_password(
    keycloak: KeycloakConnector,
) -> None:
    provider: Provider = keycloak

    user = (await provider.people([ID, "kc:nobody"]))[ID]

    assert (user.name, user.login, user.account) == ("Maya Okafor", "maya", "kc:northwind")
    assert [(f.id, f.kind, f.to) for f in user.factors] == [("maya-o1", FactorKind.TOTP, "Pixel 8")]
    assert user.sessions == 2


async def test_wrong_codes_and_the_lock_come_from_the_guard(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    until = int(time.time()) + 120
    realm.failures[USER] = {
        "numFailures": 5, "numSecondaryAuthFailures": 3, "disabled": True,
        "failedLoginNotBefore": until,
    }  # fmt: skip

    locked = await maya_of(keycloak)
    await keycloak.unlock(locked, NOW)

    assert locked.is_locked(NOW)
    assert locked.factors[0].failures == 3
    assert not (await maya_of(keycloak)).is_locked(NOW)


async def test_whom_an_administrator_disabled_no_agent_lets_in(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    realm.users[USER]["enabled"] = False
    user = await maya_of(keycloak)

    with pytest.raises(Conflict, match="disabled in Keycloak, which is no lock"):
        await keycloak.unlock(user, NOW)

    assert user.is_locked(NOW)


@pytest.mark.parametrize(
    ("kinds", "actions", "state"),
    [
        (["password"], [], MfaState.OFF),
        (["password", "otp"], [], MfaState.ON),
        (["password", "webauthn"], [], MfaState.ON),
        (["password", RECOVERY], [], MfaState.ON),
        (["password"], ["CONFIGURE_TOTP"], MfaState.ON),
    ],
)
async def test_whoever_set_up_a_second_proof_or_must_is_asked_and_nobody_else(
    realm: Realm,
    keycloak: KeycloakConnector,
    kinds: list[str],
    actions: list[str],
    state: MfaState,
) -> None:
    realm.credentials[USER] = [otp(f"c{n}") | {"type": kind} for n, kind in enumerate(kinds)]
    realm.users[USER] |= {"requiredActions": actions}

    assert (await maya_of(keycloak)).mfa is state


@pytest.mark.parametrize(("has", "state"), [(True, MfaState.ON), (False, MfaState.OFF)])
async def test_in_a_list_the_realm_says_who_set_one_up(
    realm: Realm, keycloak: KeycloakConnector, has: bool, state: MfaState
) -> None:
    realm.users[USER]["totp"] = has

    found = await keycloak.find(["maya"], limit=9)

    assert [user.mfa for user in found.users] == [state]


async def test_people_are_found_wherever_a_word_occurs_page_by_page(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    for n in range(250):
        realm.join(f"u{n}", f"ada{n}", "Ada", f"N{n}")

    found = await keycloak.find(["ada"], limit=300)
    cut = await keycloak.find(["ada"], limit=120)

    assert len(found.users) == 250
    assert (len(cut.users), "narrow" in cut.says) == (120, True)
    assert [user.id for user in (await keycloak.find(["kafor"], limit=9)).users] == [ID]


async def test_a_login_is_known_whatever_its_case(keycloak: KeycloakConnector) -> None:
    assert [user.id for user in await keycloak.named("Maya")] == [ID]
    assert await keycloak.named("may") == []


async def test_events_are_the_timeline(realm: Realm, keycloak: KeycloakConnector) -> None:
    realm.tell("LOGIN", code_id="s1")

    events = await keycloak.timeline(ID)

    assert any(isinstance(event, Session) for event in events)
    assert await keycloak.since(NOW - timedelta(minutes=5), limit=5) == [ID]


async def test_a_realm_that_saves_no_events_says_so_in_the_timeline(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    realm.saves = False

    (event,) = await keycloak.timeline(ID)

    assert isinstance(event, Other)
    assert event.kind == NO_EVENTS
    assert any("not saved" in says for says in await keycloak.inspect())


async def test_a_reset_of_all_demands_a_set_up_and_takes_codes_for_recovery_too(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    realm.credentials[USER] += [otp("maya-o2"), {"id": "r1", "type": RECOVERY}]
    user = await maya_of(keycloak)

    await keycloak.reset(user, user.live_factors, NOW)

    assert [one["type"] for one in realm.credentials[USER]] == ["password"]
    whole = realm.users[USER]
    assert whole["requiredActions"] == ["VERIFY_EMAIL", "CONFIGURE_TOTP"]
    assert whole["attributes"] == {"office": ["Leeds"]}


async def test_a_reset_of_one_leaves_the_others_and_demands_nothing(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    realm.credentials[USER].append({"id": "r1", "type": RECOVERY})
    user = await maya_of(keycloak)

    await keycloak.reset(user, user.live_factors, NOW)

    assert [one["type"] for one in realm.credentials[USER]] == ["password", RECOVERY]
    assert realm.users[USER]["requiredActions"] == ["VERIFY_EMAIL"]


async def test_a_reset_that_breaks_off_says_what_is_gone_and_what_is_left_and_goes_on(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    realm.credentials[USER] += [otp("maya-o2"), otp("maya-o3")]
    user = await maya_of(keycloak)
    realm.strike(Fault.NO_RIGHT, "credentials/maya-o2")

    with pytest.raises(Unreachable) as caught:
        await keycloak.reset(user, user.live_factors, NOW)
    await keycloak.reset(user, user.live_factors, NOW)

    said = str(caught.value)
    assert "Gone: Authenticator maya-o1. Left: Authenticator maya-o2, Authenticator maya-o3" in said
    assert [one["type"] for one in realm.credentials[USER]] == ["password"]
    assert realm.users[USER]["requiredActions"].count("CONFIGURE_TOTP") == 1


async def test_sessions_end(realm: Realm, keycloak: KeycloakConnector) -> None:
    await keycloak.end_sessions(await maya_of(keycloak), NOW)

    assert (await maya_of(keycloak)).sessions == 0


async def test_an_address_is_changed_and_counts_as_not_verified(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    user = await maya_of(keycloak)

    await keycloak.change_address(user, "new@agency.example", NOW)

    whole = realm.users[USER]
    assert (whole["email"], whole["emailVerified"]) == ("new@agency.example", False)
    assert whole["attributes"] == {"office": ["Leeds"]}
    with pytest.raises(BadInput, match="error-invalid-email"):
        await keycloak.change_address(user, "nowhere", NOW)


async def test_a_token_that_ended_is_asked_for_anew(realm: Realm) -> None:
    keycloak = connector(realm)
    await maya_of(keycloak)
    realm.tokens.clear()

    user = await maya_of(keycloak)

    assert user.login == "maya"
    keycloak.close()


async def test_a_wrong_secret_is_told_without_showing_it(realm: Realm) -> None:
    keycloak = connector(realm, "not-the-secret")

    with pytest.raises(DeskRefused, match="Invalid client") as caught:
        await keycloak.people([ID])

    assert "not-the-secret" not in str(caught.value)
    keycloak.close()


async def test_a_missing_role_is_told_and_the_guard_is_done_without(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    user = await maya_of(keycloak)
    realm.roles = frozenset({"view-users"})

    with pytest.raises(Unreachable, match="lacks a role"):
        await keycloak.end_sessions(user, NOW)

    assert (await maya_of(keycloak)).login == "maya"


async def test_an_act_whose_answer_is_lost_is_sent_once(
    realm: Realm, keycloak: KeycloakConnector
) -> None:
    user = await maya_of(keycloak)
    realm.strike(Fault.CUT_AFTER, "logout", times=9)

    with pytest.raises(Unsettled, match="may be done or not"):
        await keycloak.end_sessions(user, NOW)

    assert len([line for line in realm.asked if "logout" in line]) == 1


async def test_another_providers_user_is_none_of_ours(keycloak: KeycloakConnector) -> None:
    with pytest.raises(NotFound):
        await keycloak.timeline("okta:u1")


@pytest.mark.slow
def test_the_client_that_others_use_takes_the_small_keycloak_for_one(tmp_path: Path) -> None:
    realm = Realm()
    realm.tell("LOGIN")
    script = Path(__file__).parents[2] / "labs" / "keycloak" / "judge.py"

    with served(realm) as address:
        said = verdict("python-keycloak==7.1.1", script, address, tmp_path)

    assert "13 questions and acts" in said
