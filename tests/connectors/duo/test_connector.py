"""The connector on a small Duo, every act on it, its signature held against Duo's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duo_client.client
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.connectors.base import Provider
from helpdesk.connectors.duo.connector import DuoConnector
from helpdesk.connectors.duo.signing import Signature
from helpdesk.connectors.exchange import Request
from helpdesk.domain.actions import TakeTicket
from helpdesk.domain.errors import (
    BadInput,
    Conflict,
    DeskRefused,
    Disowned,
    NotFound,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.proofs import Asking, Grade, Method
from helpdesk.domain.timeline import Report
from helpdesk.domain.users import FactorKind, FactorState, User
from helpdesk.service.local import LocalDesk
from tests.connectors.duo.line import connector
from tests.desks import provider_desk
from tests.labs.duo.server import KEY, SECRET, USER, Account, phone
from tests.labs.troubles import Fault

ID = f"duo:{USER}"
NOW = datetime.now(UTC)
ASKING = Asking(
    id="p1", user=ID, agent="dana", ticket="1", method=Method.PUSH, grade=Grade.STRONG,
    channel="DPPIXEL8000000000001", at=NOW,
)  # fmt: skip


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def duo(account: Account) -> Iterator[DuoConnector]:
    made = connector(account)
    yield made
    made.close()


async def maya_of(duo: DuoConnector) -> User:
    return (await duo.people([ID]))[ID]


WORDS = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    query=st.dictionaries(WORDS.filter(bool), WORDS, max_size=4),
    body=st.binary(max_size=40).map(lambda raw: raw.hex().encode()),
)
def test_our_signature_is_duos_own(method: str, query: dict[str, str], body: bytes) -> None:
    url = str(httpx.URL("https://api-1234.duosecurity.com/admin/v1/users", params=query))
    date = "Tue, 21 Aug 2012 17:29:18 -0000"
    request = Request(method=method, url=url, body=body, headers={})

    ours = Signature(KEY, lambda: SECRET).of(request, date)

    params = {key: [value] for key, value in query.items()}
    path, host = "/admin/v1/users", "api-1234.duosecurity.com"
    theirs = duo_client.client.sign(
        KEY, SECRET, method, host, path, date, 5, params, body=body.decode()
    )
    assert ours == theirs


async def test_a_user_comes_with_phones_and_tokens(duo: DuoConnector) -> None:
    provider: Provider = duo

    user = (await provider.people([ID, "duo:nobody"]))[ID]

    assert (user.name, user.login, user.mobile) == ("Maya Okafor", "maya", "+447700900321")
    assert [(f.id, f.kind) for f in user.factors] == [
        ("DPPIXEL8000000000001", FactorKind.PUSH),
        ("token-DHTOKEN0000000000001", FactorKind.TOTP),
    ]


@pytest.mark.parametrize(
    ("more", "kind", "state"),
    [
        ({"activated": False}, FactorKind.PUSH, FactorState.PENDING),
        ({"capabilities": ["sms", "phone"]}, FactorKind.SMS, FactorState.ACTIVE),
        ({"capabilities": ["phone"], "type": "Landline"}, FactorKind.VOICE, FactorState.ACTIVE),
    ],
)
async def test_a_phone_is_a_factor_by_the_best_that_it_can(
    account: Account,
    duo: DuoConnector,
    more: dict[str, Any],
    kind: FactorKind,
    state: FactorState,
) -> None:
    account.users[USER] |= {"phones": [phone(**more)], "tokens": []}

    (found,) = (await maya_of(duo)).factors

    assert (found.kind, found.state) == (kind, state)


async def test_in_a_large_account_people_are_found_by_whole_login_or_address_and_it_says_so(
    account: Account, duo: DuoConnector
) -> None:
    for n in range(350):
        account.join(f"DU{n}", f"u{n}", f"Ada {n}")

    by_login = await duo.find(["u349"], limit=9)
    by_mail = await duo.find(["u349@agency.example"], limit=9)
    everybody = await duo.find([], limit=340)

    assert [found.users[0].id for found in (by_login, by_mail)] == ["duo:DU349"] * 2
    assert by_login.says.endswith("names were looked for among the first 9 only.")
    assert (len(by_login.users), len(everybody.users)) == (9, 340)
    assert "narrow" in everybody.says


async def test_in_a_small_account_the_users_are_listed_once_and_looked_through(
    account: Account,
) -> None:
    duo = connector(account, elapsed=lambda: 0.0)

    found = [await duo.find([word], limit=500) for word in ("ma", "may", "okafor")]

    assert [[user.id for user in one.users] for one in found] == [[ID]] * 3
    assert [one.says for one in found] == [""] * 3
    assert len(account.asked) == 1
    duo.close()


@pytest.mark.parametrize("status", ["active", "bypass"])
async def test_whoever_is_not_locked_out_stays_as_they_are(
    account: Account, duo: DuoConnector, status: str
) -> None:
    account.users[USER]["status"] = status

    await duo.unlock(await maya_of(duo), NOW)

    assert account.users[USER]["status"] == status


async def test_whom_an_administrator_disabled_no_agent_lets_in(
    account: Account, duo: DuoConnector
) -> None:
    account.users[USER]["status"] = "disabled"
    user = await maya_of(duo)

    with pytest.raises(Conflict, match="disabled in Duo, which is no lock"):
        await duo.unlock(user, NOW)

    assert account.users[USER]["status"] == "disabled"


async def test_an_id_with_signs_that_are_escaped_is_signed_as_it_is_sent(
    account: Account, duo: DuoConnector
) -> None:
    account.join("DU p/%é", "odd", "Odd One")

    assert [*await duo.people(["duo:DU p/%é"])] == []
    assert account.asked == ["GET /admin/v1/users/DU p/%é"]


@pytest.mark.parametrize(("result", "is_right"), [("approve", True), ("deny", False)])
async def test_a_push_proves_the_caller_with_a_number_both_see(
    account: Account, duo: DuoConnector, result: str, is_right: bool
) -> None:
    user = await maya_of(duo)
    number = await duo.ask_proof(user, ASKING, NOW)
    with pytest.raises(Unreachable, match="not answered yet"):
        await duo.check_proof(user, ASKING, "", NOW)
    account.pushes = dict.fromkeys(account.pushes, result)

    found = await duo.check_proof(user, ASKING, "", NOW)

    assert (number, found) == ("830192", is_right)


def desk_at(duo: DuoConnector, place: Path, who: str = "support") -> LocalDesk:
    """Open a console on a record that lies in a file, as it is opened anew after an end."""
    return provider_desk(duo, place / "duo.json", lambda: datetime.now(UTC), place / "keys", who)


async def test_a_push_that_is_marked_as_fraud_is_an_alarm_that_outlives_the_console(
    account: Account, duo: DuoConnector, tmp_path: Path
) -> None:
    for n in range(4):
        account.tell("denied", "user_mistake", minutes=10 - 2 * n)
    desk = desk_at(duo, tmp_path)
    ticket = (await desk.perform(TakeTicket(user=ID, subject="call"))).case.open_tickets[0].id
    await desk.ask_proof(ID, Method.PUSH, ticket=ticket)
    account.pushes = dict.fromkeys(account.pushes, "fraud")

    with pytest.raises(Disowned, match="whoever calls is not they"):
        await desk.answer_proof(ID, "")
    lead = desk_at(duo, tmp_path, "lead")
    alarms = await lead.alarms()

    told = [e for e in (await lead.case(ID)).timeline if isinstance(e, Report)]
    assert [one.what for one in told] == ["not-me"]
    assert (await lead.why(ID)).causes[0].id == "F2"
    assert [one.what for one in alarms] == ["not-me"]
    assert "is not they who call" in alarms[0].says


async def test_a_push_that_ran_out_is_asked_for_anew(account: Account, duo: DuoConnector) -> None:
    user = await maya_of(duo)
    await duo.ask_proof(user, ASKING, NOW)
    account.pushes.clear()

    with pytest.raises(NotFound, match="not answered in time"):
        await duo.check_proof(user, ASKING, "", NOW)


async def test_devices_are_taken_one_by_one(account: Account, duo: DuoConnector) -> None:
    user = await maya_of(duo)

    await duo.reset(user, user.live_factors, NOW)

    assert (await maya_of(duo)).factors == ()


async def test_a_reset_that_breaks_off_says_what_is_gone_and_what_is_left_and_goes_on(
    account: Account, duo: DuoConnector
) -> None:
    user = await maya_of(duo)
    account.strike(Fault.NO_RIGHT, "tokens")

    with pytest.raises(Unreachable) as caught:
        await duo.reset(user, user.live_factors, NOW)
    await duo.reset(user, user.live_factors, NOW)

    said = str(caught.value)
    assert "Gone: Push DPPIXEL8000000000001. Left: Authenticator token-DHTOKEN" in said
    assert "40301" in said
    assert (await maya_of(duo)).factors == ()


async def test_a_bypass_code_ends_and_leaves_those_made_before(
    account: Account, duo: DuoConnector
) -> None:
    code = await duo.make_pass(await maya_of(duo), NOW, NOW + timedelta(minutes=5))

    assert account.codes[USER] == ["111111111", code]


async def test_a_locked_user_is_unlocked(account: Account, duo: DuoConnector) -> None:
    account.users[USER]["status"] = "locked out"
    user = await maya_of(duo)

    await duo.unlock(user, NOW)

    assert user.is_locked(NOW)
    assert not (await maya_of(duo)).is_locked(NOW)


async def test_an_address_is_changed_or_refused_in_duos_words(
    account: Account, duo: DuoConnector
) -> None:
    user = await maya_of(duo)

    await duo.change_address(user, "new@agency.example", NOW)

    assert account.users[USER]["email"] == "new@agency.example"
    with pytest.raises(BadInput, match="40002"):
        await duo.change_address(user, "nowhere", NOW)


async def test_the_log_is_read_page_by_page(account: Account, duo: DuoConnector) -> None:
    for n in range(2300):
        account.tell("success", "user_approved", minutes=n)

    events = await duo.timeline(ID)

    assert len({event.at for event in events}) == 2300
    assert await duo.since(NOW - timedelta(minutes=5), limit=5) == [ID]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"secret": "another"}, "Invalid signature"),
        ({"clock": lambda: NOW - timedelta(minutes=9)}, "Bad request timestamp"),
    ],
)
async def test_a_wrong_secret_or_clock_is_told_in_duos_words(
    account: Account, more: dict[str, Any], says: str
) -> None:
    duo = connector(account, **more)

    with pytest.raises(DeskRefused, match=says) as caught:
        await duo.people([ID])

    assert "another" not in str(caught.value)
    duo.close()


async def test_an_act_whose_answer_is_lost_is_sent_once(
    account: Account, duo: DuoConnector
) -> None:
    user = await maya_of(duo)
    account.strike(Fault.CUT_AFTER, "bypass_codes", times=9)

    with pytest.raises(Unsettled, match="may be done or not"):
        await duo.make_pass(user, NOW, NOW)

    assert len(account.codes[USER]) == 2
