"""The connector on a small Okta that behaves as Okta documents, and every act on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from helpdesk.connectors.base import Provider
from helpdesk.connectors.exchange import Busy
from helpdesk.connectors.okta.connector import MOST_ROWS, OktaConnector
from helpdesk.domain.errors import BadInput, NotFound, Unreachable
from helpdesk.domain.proofs import Asking, Grade, Method
from helpdesk.domain.timeline import Lock, Other, Reset
from helpdesk.domain.users import Factor, FactorKind, FactorState, User
from helpdesk.plain.case import case_text
from helpdesk.tui.render.case import who
from tests.connectors.okta.line import VARIABLE, connector, description
from tests.connectors.okta.system_log import SENDS, USER
from tests.factories import CARDS, case
from tests.labs.okta.server import Lab
from tests.labs.okta.tenant import Factor as Native
from tests.labs.okta.tenant import Person, maya
from tests.labs.troubles import Fault

ID = f"okta:{USER}"
CARD = CARDS["constant-contact"]
NOW = datetime.now(UTC)


async def maya_of(okta: OktaConnector) -> User:
    return (await okta.people([ID]))[ID]


def factor(user: User, name: str) -> Factor:
    found = user.factor(name)
    assert found is not None
    return found


def asking(method: Method, channel: str) -> Asking:
    return Asking(
        id="p1", user=ID, agent="dana", ticket="4821", method=method, grade=Grade.STRONG,
        channel=channel, at=NOW,
    )  # fmt: skip


@pytest.mark.skipif(description() is None, reason=f"{VARIABLE} names no description of Okta's API")
def test_the_exchanges_of_these_tests_are_held_against_oktas_own_description() -> None:
    document = description()

    assert document is not None
    assert "/api/v1/logs" in document["paths"]


def test_it_is_a_provider(okta: OktaConnector) -> None:
    provider: Provider = okta

    assert provider.name == "okta"


async def test_a_user_comes_with_the_factors_that_the_desk_knows(okta: OktaConnector) -> None:
    user = await maya_of(okta)

    assert (user.name, user.login, user.account) == (
        "Maya Okafor",
        "maya@agency.example",
        "okta:Northwind Travel",
    )
    assert [(f.id, f.kind.value) for f in user.factors] == [
        ("sms1", "sms"),
        ("clf1", "voice"),
        ("emf1", "email"),
        ("opf1", "push"),
        ("ost1", "totp"),
        ("gtf1", "totp"),
    ]
    assert factor(user, "opf1").to == "Pixel 8"
    assert factor(user, "gtf1").to == "Google Authenticator"


async def test_a_factor_that_the_policy_hides_comes_from_the_list_of_enrolments(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.people[USER].factors[3].is_hidden = True

    user = await maya_of(okta)

    assert factor(user, "enrolment-opf1").kind is FactorKind.PUSH
    with pytest.raises(Unreachable, match="policy hides this factor"):
        await okta.send_code(user, factor(user, "enrolment-opf1"), CARD, NOW)


async def test_an_organisation_without_enrolments_shows_its_factors(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.can_enrolments = False

    user = await maya_of(okta)

    assert len(user.factors) == 6
    assert any("list of factors only" in says for says in await okta.inspect())


@pytest.mark.parametrize("count", [0, 300])
async def test_a_user_with_no_factor_or_with_hundreds_is_shown(
    lab: Lab, okta: OktaConnector, count: int
) -> None:
    lab.tenant.people[USER].factors = [Native(f"sms{n}", "sms") for n in range(count)]

    user = await maya_of(okta)

    assert len(user.factors) == count


async def test_a_factor_that_nobody_knows_is_left_out(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.people[USER].factors = [
        Native("u1", "u2f"), Native("q1", "question"), Native("k1", "signed_nonce"),
        Native("n1", "sms", status="NOT_SETUP"),
        Native("p1", "sms", status="PENDING_ACTIVATION"), Native("x1", "email", status="EXPIRED"),
    ]  # fmt: skip

    user = await maya_of(okta)

    assert [(f.id, f.state) for f in user.factors if not f.id.startswith("enrol")] == [
        ("p1", FactorState.PENDING),
        ("x1", FactorState.SUSPENDED),
    ]


async def test_users_that_are_not_there_or_another_providers_are_left_out(
    okta: OktaConnector,
) -> None:
    found = await okta.people([ID, "okta:00uNobody", "duo:u1"])

    assert [*found] == [ID]


async def test_people_are_found_by_how_a_name_begins_and_it_says_so(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.add(maya(id="00u2", login="mika@agency.example", first="Mika", last="Sole"))

    found = await okta.find(["oka"], limit=50)

    assert [user.name for user in found.users] == ["Maya Okafor"]
    assert "begin" in found.says


async def test_a_list_is_read_page_by_page_by_oktas_own_links(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.add(
        *(Person(f"00u{n}", f"u{n}@agency.example", "Ada", f"N{n:03}") for n in range(450))
    )

    found = await okta.find(["ada"], limit=500)
    cut = await okta.find(["ada"], limit=210)

    assert len(found.users) == 450
    assert len(cut.users) == 210
    assert "narrow the search" in cut.says


async def test_a_login_is_known_whatever_its_case(okta: OktaConnector) -> None:
    found = await okta.named("Maya@Agency.example")

    assert [user.id for user in found] == [ID]
    assert await okta.named("nobody@agency.example") == []


async def test_an_account_is_the_organisation_that_a_user_names(okta: OktaConnector) -> None:
    user = await maya_of(okta)

    account = await okta.account(user.account)

    assert account is not None
    assert account.name == "Northwind Travel"
    assert await okta.account("duo:Northwind Travel") is None


async def test_a_user_without_an_organisation_is_of_the_providers_own(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.people[USER].organization = None

    account = await okta.account((await maya_of(okta)).account)

    assert account is not None
    assert account.name == "127.0.0.1"


async def test_the_organisation_a_user_names_decides_the_product(lab: Lab) -> None:
    lab.tenant.add(maya(id="00u2", login="mika@agency.example", organization="Southwind"))
    okta = connector(lab, products={"Northwind Travel": "sms-2fa"})

    found = await okta.people([ID, "okta:00u2"])

    assert [(user.id, user.product) for user in found.values()] == [(ID, "sms-2fa")]
    okta.close()


async def test_whoever_did_something_is_given_those_seen_last_first(
    lab: Lab, okta: OktaConnector
) -> None:
    for name in ("00uA", "00uB", "00uA"):
        lab.tenant.now += timedelta(seconds=1)
        lab.tenant.tell("user.session.start", name, actor=name)

    found = await okta.since(NOW - timedelta(minutes=5), limit=10)

    assert [*found] == ["okta:00uA", "okta:00uB"]


async def test_a_code_is_sent_as_a_new_challenge(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)

    await okta.send_code(user, factor(user, "sms1"), CARD, NOW)

    assert [(who, what) for who, what, _ in lab.tenant.outbox] == [(USER, "sms1")]
    assert lab.asked[-1] == f"POST /api/v1/users/{USER}/factors/sms1/verify"


async def test_a_code_is_sent_again_only_while_a_factor_is_set_up(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.people[USER].factors[0].status = "PENDING_ACTIVATION"
    user = await maya_of(okta)

    await okta.send_code(user, factor(user, "sms1"), CARD, NOW)

    assert lab.asked[-1] == f"POST /api/v1/users/{USER}/factors/sms1/resend"


@pytest.mark.parametrize(("name", "says"), [("sms1", "text message"), ("clf1", "Okta called")])
async def test_a_second_message_within_half_a_minute_is_told_with_its_wait(
    okta: OktaConnector, name: str, says: str
) -> None:
    user = await maya_of(okta)
    await okta.send_code(user, factor(user, name), CARD, NOW)

    with pytest.raises(Busy, match=says) as caught:
        await okta.send_code(user, factor(user, name), CARD, NOW)

    assert caught.value.wait_s == 30


async def test_a_code_that_is_read_back_proves_the_caller(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)
    asked = asking(Method.CODE, "sms1")
    number = await okta.ask_proof(user, asked, NOW)
    code = lab.tenant.outbox[-1][2]

    wrong = await okta.check_proof(user, asked, "000 000", NOW)
    right = await okta.check_proof(user, asked, f"{code[:3]} {code[3:]}", NOW)
    again = await okta.check_proof(user, asked, code, NOW)

    assert (number, wrong, right, again) == (None, False, True, False)


async def test_an_answer_without_digits_proves_nothing_and_is_not_sent(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)
    before = len(lab.asked)

    found = await okta.check_proof(user, asking(Method.CODE, "sms1"), "yes", NOW)

    assert (found, len(lab.asked)) == (False, before)


async def test_the_number_of_an_app_proves_the_caller(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)
    lab.tenant.people[USER].factors[5].code = "246810"
    asked = asking(Method.TOTP, "gtf1")
    await okta.ask_proof(user, asked, NOW)

    right = await okta.check_proof(user, asked, "246810", NOW)

    assert right
    assert lab.tenant.outbox == []


@pytest.mark.parametrize(("result", "is_right"), [("SUCCESS", True), ("REJECTED", False)])
async def test_a_push_asks_for_a_number_and_is_followed_by_its_own_link(
    lab: Lab, okta: OktaConnector, result: str, is_right: bool
) -> None:
    user = await maya_of(okta)
    asked = asking(Method.PUSH, "opf1")
    number = await okta.ask_proof(user, asked, NOW)
    name = lab.tenant.outbox[-1][2]
    with pytest.raises(Unreachable, match="not answered yet"):
        await okta.check_proof(user, asked, "", NOW)
    lab.tenant.pushes[name] = {"factorResult": result}

    found = await okta.check_proof(user, asked, "", NOW)

    assert number == "72"
    assert found is is_right
    assert lab.asked[-1].startswith(f"GET /api/v1/users/{USER}/factors/opf1/transactions/")


async def test_a_push_that_ran_out_is_asked_for_anew(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)
    asked = asking(Method.PUSH, "opf1")
    await okta.ask_proof(user, asked, NOW)
    lab.tenant.pushes[lab.tenant.outbox[-1][2]] = {"factorResult": "TIMEOUT"}

    with pytest.raises(NotFound, match="not answered in time"):
        await okta.check_proof(user, asked, "", NOW)


async def test_a_factor_that_is_gone_proves_nobody(okta: OktaConnector) -> None:
    user = await maya_of(okta)

    with pytest.raises(NotFound, match="not there any more"):
        await okta.ask_proof(user, asking(Method.CODE, "sms9"), NOW)


async def test_one_factor_is_removed_and_the_others_stay(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)

    await okta.reset(user, (factor(user, "sms1"),), NOW)

    after = await maya_of(okta)
    assert "sms1" not in {f.id for f in after.factors}
    assert len(after.factors) == 5


async def test_the_only_factor_known_is_removed_and_a_question_stays(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.people[USER].factors = [Native("sms1", "sms"), Native("q1", "question")]
    lab.tenant.can_enrolments = False
    user = await maya_of(okta)

    await okta.reset(user, (factor(user, "sms1"),), NOW)

    assert [f.id for f in lab.tenant.people[USER].factors] == ["q1"]


async def test_all_factors_are_reset_in_one_call_and_the_log_tells_of_it(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)

    await okta.reset(user, user.live_factors, NOW)

    assert lab.tenant.people[USER].factors == []
    assert [type(event) for event in await okta.timeline(ID)] == [Reset]
    assert len([line for line in lab.asked if "reset_factors" in line]) == 1


async def test_a_factor_that_is_gone_already_is_no_error(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)
    push, codes = factor(user, "opf1"), factor(user, "ost1")

    await okta.reset(user, (push, codes), NOW)

    left = {f.id for f in lab.tenant.people[USER].factors}
    assert left == {"sms1", "clf1", "emf1", "gtf1"}


async def test_a_reset_that_breaks_off_says_what_is_gone_and_what_is_left_and_goes_on(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)
    some = tuple(factor(user, name) for name in ("sms1", "clf1", "emf1"))
    lab.strike(Fault.NO_RIGHT, "DELETE /api/v1/users/" + USER + "/factors/clf1")

    with pytest.raises(Unreachable) as caught:
        await okta.reset(user, some, NOW)
    await okta.reset(user, some, NOW)

    said = str(caught.value)
    assert "Gone: SMS sms1. Left: Voice clf1, E-mail emf1. Do it again." in said
    assert "E0000006" in said
    assert {f.id for f in lab.tenant.people[USER].factors} == {"opf1", "ost1", "gtf1"}


async def test_a_removal_whose_answer_was_lost_is_looked_at_and_was_done(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)
    lab.strike(Fault.CUT_AFTER, "DELETE")

    await okta.reset(user, (factor(user, "sms1"),), NOW)

    assert "sms1" not in {f.id for f in (await maya_of(okta)).factors}


async def test_a_removal_that_was_cut_off_before_is_left_and_said(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)
    lab.strike(Fault.CUT, "DELETE")

    with pytest.raises(Unreachable, match=r"Gone: nothing\. Left: SMS sms1"):
        await okta.reset(user, (factor(user, "sms1"),), NOW)


async def test_a_reset_of_all_whose_answer_was_lost_is_looked_at(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)
    lab.strike(Fault.CUT, "reset_factors")
    with pytest.raises(Unreachable, match=r"Gone: nothing\. Left: 6, SMS sms1 to") as caught:
        await okta.reset(user, user.live_factors, NOW)
    lab.strike(Fault.CUT_AFTER, "reset_factors")

    await okta.reset(user, user.live_factors, NOW)

    assert "Do it again" in str(caught.value)
    assert lab.tenant.people[USER].factors == []


async def test_a_locked_user_is_unlocked(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.people[USER].status = "LOCKED_OUT"
    user = await maya_of(okta)

    await okta.unlock(user, NOW)

    assert user.is_locked(NOW)
    assert not (await maya_of(okta)).is_locked(NOW)
    assert [type(event) for event in await okta.timeline(ID)] == [Lock]


async def test_a_user_whose_unknown_devices_are_blocked_counts_as_locked(
    lab: Lab, okta: OktaConnector
) -> None:
    block = {"type": "DEVICE_BASED", "appliesTo": "UNKNOWN_DEVICES"}
    lab.tenant.people[USER].blocks = [block]

    user = await maya_of(okta)

    assert user.is_locked(NOW)


@pytest.mark.parametrize("forgets", [True, False])
async def test_sessions_end_and_browsers_are_forgotten_as_the_settings_say(
    lab: Lab, forgets: bool
) -> None:
    okta = connector(lab, forgets_devices=forgets)

    await okta.end_sessions(await maya_of(okta), NOW)

    assert lab.tenant.people[USER].sessions == 0
    assert lab.tenant.people[USER].devices_known is not forgets
    okta.close()


async def test_an_address_is_changed_and_the_rest_of_the_profile_stays(
    lab: Lab, okta: OktaConnector
) -> None:
    user = await maya_of(okta)

    await okta.change_address(user, "new@agency.example", NOW)

    after = await maya_of(okta)
    assert after.notification_address == "new@agency.example"
    assert after.mobile == user.mobile


async def test_an_address_that_okta_does_not_take_is_refused_in_its_words(
    okta: OktaConnector,
) -> None:
    user = await maya_of(okta)

    with pytest.raises(BadInput, match="Does not match"):
        await okta.change_address(user, "nowhere.example", NOW)


@pytest.mark.parametrize(("minutes", "sent"), [(3, 10), (60, 60), (20_000, 14_400)])
async def test_a_temporary_code_lives_as_long_as_okta_allows(
    lab: Lab, okta: OktaConnector, minutes: int, sent: int
) -> None:
    user = await maya_of(okta)

    code = await okta.make_pass(user, NOW, NOW + timedelta(minutes=minutes))

    made = lab.tenant.people[USER].tac
    assert code == "n@C*bU26"
    assert made is not None
    until = datetime.fromisoformat(made["expiresAt"]).replace(tzinfo=UTC)
    assert round((until - lab.tenant.now).total_seconds() / 60) == sent


async def test_an_organisation_without_temporary_codes_says_so_beforehand(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.has_tac = False
    user = await maya_of(okta)

    lack = (await okta.supports(user)).lack("temporary-pass")

    assert lack is not None
    assert "Temporary Access Code" in lack.says
    with pytest.raises(BadInput, match="Temporary Access Code"):
        await okta.make_pass(user, NOW, NOW)


async def test_what_was_said_of_a_user_is_asked_for_anew_after_an_act(lab: Lab) -> None:
    okta = connector(lab, elapsed=lambda: 0.0)
    user = await maya_of(okta)
    await maya_of(okta)
    before = len(lab.asked)

    await okta.end_sessions(user, NOW)
    await maya_of(okta)

    assert before == 3
    assert len(lab.asked) == 3 + 1 + 3
    assert await okta.refresh() == 1
    okta.close()


async def test_ten_thousand_rows_are_read_and_the_rest_is_said_to_be_left_out(lab: Lab) -> None:
    okta = connector(lab)
    lab.tenant.tell("user.lifecycle.sideways", USER)
    row = lab.tenant.log[0]
    lab.tenant.log = [{**row, "uuid": f"u{n}"} for n in range(MOST_ROWS + 1)]

    events = await okta.timeline(ID)

    assert len(events) == MOST_ROWS + 1
    assert isinstance(events[0], Other)
    assert "only the newest 10000 rows" in events[0].kind
    okta.close()


async def test_inspecting_says_what_answers_and_what_will_not_be_possible(
    okta: OktaConnector,
) -> None:
    said = await okta.inspect()

    assert said[0] == "Okta at 127.0.0.1:9 answers."
    assert any("System Log can be read" in says for says in said)
    assert any(says.startswith("turn-off-mfa: Not possible with this provider") for says in said)


async def test_a_code_by_mail_lifts_the_bounce_of_the_last_one_first(
    lab: Lab, okta: OktaConnector
) -> None:
    address = "mfa@northwind.example"
    lab.tenant.bounced = [address, "who@agency.example"]
    lab.tenant.tell(SENDS["email"], USER, actor=USER)
    lab.tenant.tell("system.email.delivery", USER, reason="bounced", actor="system")
    user = await maya_of(okta)
    await okta.send_code(user, factor(user, "sms1"), CARD, NOW)
    by_sms = list(lab.tenant.bounced)

    await okta.send_code(user, factor(user, "emf1"), CARD, NOW)

    assert by_sms == [address, "who@agency.example"]
    assert lab.tenant.bounced == ["who@agency.example"]
    assert lab.tenant.sent_to[-1] == address


async def test_a_code_by_mail_that_never_bounced_lifts_nothing(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.tenant.bounced = ["mfa@northwind.example"]
    user = await maya_of(okta)

    await okta.send_code(user, factor(user, "emf1"), CARD, NOW)

    assert lab.tenant.bounced == ["mfa@northwind.example"]


async def test_addresses_that_bounced_are_let_in_again(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.bounced = ["maya@agency.example"]

    against = await okta._api.unbounce(["maya@agency.example", "who@agency.example"])

    assert lab.tenant.bounced == []
    assert [one["emailAddress"] for one in against] == ["who@agency.example"]


async def test_a_lock_without_an_end_is_shown_as_one(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.people[USER].status = "LOCKED_OUT"
    locked = case(await maya_of(okta))

    shown = case_text(locked, CARD)
    on_screen = who(locked, CARD, NOW, 120).plain

    assert "LOCKED until somebody unlocks it" in shown
    assert "LOCKED until somebody unlocks it" in on_screen
