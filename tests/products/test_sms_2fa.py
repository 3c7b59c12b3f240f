"""The rules of the SMS two-factor platform (S3), as the desk behaves by them."""

from __future__ import annotations

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.codes import code_clock
from helpdesk.domain.decisions import Decision
from helpdesk.domain.previews import preview
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState
from tests.factories import CARDS, MOBILE, NOW, action, case, event, user, weigh

CARD = CARDS["sms-2fa"]
OFF = user("sms-2fa", mfa=MfaState.OFF, factors=())
PENDING = user("sms-2fa", mfa=MfaState.PENDING, factors=())


def needs(decision: Decision) -> list[str]:
    return [need.what for need in decision.needs]


def test_it_is_there_for_those_who_turn_it_on() -> None:
    decision = weigh(Role.SUPPORT, "turn-on-mfa", case(OFF))

    assert CARD.mandatory.value == "optional"
    assert not decision.is_refused
    assert "S3.1" in decision.rules


def test_login_and_export_ask_and_nothing_while_it_is_off() -> None:
    assert [asked.rule for asked in CARD.asked_while(MfaState.ON)] == ["new-ip", "export"]
    assert CARD.asked_while(MfaState.OFF) == ()


def test_sms_is_the_only_way() -> None:
    decision = weigh(Role.LEAD, "enrol-totp", "sms-2fa")

    assert [rule.kind for rule in CARD.factors] == [FactorKind.SMS]
    assert decision.is_refused
    assert "S3.3" in decision.rules


def test_an_address_is_known_to_the_whole_account() -> None:
    asked = CARD.asked_by("new-ip")
    decision = weigh(Role.SUPPORT, "end-sessions", "sms-2fa")

    assert asked is not None
    assert "nobody of the account" in asked.when
    assert CARD.memory.unit.value == "account"
    assert "internet address" in str(CARD.memory.by)
    assert "colleagues may be asked again" in decision.instead


def test_an_export_asks_from_a_known_address_too() -> None:
    asked = CARD.asked_by("export")

    assert asked is not None
    assert "known address too" in asked.when
    assert asked.rules == ("S3.2", "S3.5")


def test_the_code_goes_out_only_after_the_right_password() -> None:
    advice = CARD.advice_for(Complaint.NO_CODE)

    assert advice is not None
    assert "only after the right password" in advice.steps[0]
    assert "No code is sent before the password is right" in CARD.login_steps[1]


def test_the_code_goes_to_the_registered_mobile_number() -> None:
    effect = preview(action("send-code"), CARD, case("sms-2fa"))
    move = weigh(Role.SUPPORT, "change-address", "sms-2fa")

    assert "•••• 21" in effect.told
    assert move.is_refused
    assert "registered mobile number" in move.why


def test_the_way_to_turn_it_on_is_told_step_by_step() -> None:
    route = CARD.route("self-service")

    assert route is not None
    words = ("Hi [your name]!", "near the foot", "Tick the box", "Confirm the mobile", "Save")
    assert [word in text for word, text in zip(words, route.steps, strict=True)] == [True] * 5
    assert "S3.8" in route.rules


def test_the_number_is_confirmed_before_saving() -> None:
    early = weigh(Role.SUPPORT, "turn-on-mfa", case(OFF), save=True)
    ready = weigh(Role.SUPPORT, "turn-on-mfa", case(PENDING), save=True)

    assert needs(early) == ["confirmation"]
    assert ready.is_allowed


@pytest.mark.parametrize("number", ["", "07700 900321", "+44"])
def test_without_a_valid_number_it_cannot_be_turned_on(number: str) -> None:
    it = case(user("sms-2fa", mfa=MfaState.OFF, mobile=None))

    decision = weigh(Role.SUPPORT, "turn-on-mfa", it, mobile=number)

    assert needs(decision) == ["mobile"]


def test_nor_can_it_be_saved_without_one() -> None:
    it = case(user("sms-2fa", mfa=MfaState.PENDING, mobile=None))

    assert needs(weigh(Role.SUPPORT, "turn-on-mfa", it, save=True)) == ["mobile"]


def test_an_sms_that_confirms_a_number_is_no_login_code() -> None:
    sent = event("send", 1, send="s1", channel="sms", purpose="confirmation")
    advice = CARD.advice_for(Complaint.CODE_REFUSED)

    clock = code_clock(CARD, [sent], NOW)
    effect = preview(action("change-mobile", mobile="+447700900999"), CARD, case("sms-2fa"))

    assert clock.live is None
    assert "not a login code" in effect.told
    assert advice is not None
    assert "is not a login code" in advice.steps[0]


def test_a_change_of_number_nobody_asked_for_is_an_alarm() -> None:
    advice = CARD.advice_for(Complaint.UNASKED_CODES)
    decision = weigh(Role.SUPPORT, "change-mobile", "sms-2fa")

    assert advice is not None
    assert "alarm" in advice.steps[0]
    assert "alarm" in decision.instead


def test_a_managed_user_needs_a_number_of_their_own() -> None:
    role = CARD.role("managed-user")
    it = case(user("sms-2fa", role="managed-user", mfa=MfaState.OFF, mobile=None))

    decision = weigh(Role.SUPPORT, "turn-on-mfa", it)

    assert role is not None
    assert role.rules == ("S3.12",)
    assert CARD.codes.shared.value is False
    assert needs(decision) == ["mobile"]


def test_before_save_nothing_is_on() -> None:
    effect = preview(action("turn-on-mfa", mobile=MOBILE), CARD, case(OFF))
    send = weigh(Role.SUPPORT, "send-code", case(PENDING))

    assert "MFA stays off until it is saved" in effect.stays[0]
    assert send.is_refused
    assert "not on" in send.why


@pytest.mark.parametrize(
    "role", [Role.SUPPORT, Role.LEAD, Role.TRAINER, Role.PRODUCT_ADMINISTRATOR]
)
def test_only_the_account_manager_turns_it_off(role: Role) -> None:
    refused = weigh(role, "turn-off-mfa", "sms-2fa")
    allowed = weigh(
        Role.ACCOUNT_MANAGER, "turn-off-mfa", "sms-2fa", reason="asked in writing", ticket="4821"
    )

    assert refused.is_refused
    assert "Only the account manager" in refused.why
    assert "Ines Duarte" in refused.why
    assert refused.route == "account-manager"
    assert refused.rules == ("S3.14",)
    assert allowed.is_allowed


def test_without_an_account_manager_on_record_the_sentence_still_stands() -> None:
    decision = weigh(Role.SUPPORT, "turn-off-mfa", case("sms-2fa", manager=None))

    assert "nobody is on record" in decision.why


def test_other_questions_go_through_the_request_form() -> None:
    route = CARD.route("vendor")

    assert route is not None
    assert "Submit a request" in route.how
    assert route.rules == ("S3.15",)


def test_what_the_platform_does_not_say_stays_unknown() -> None:
    codes = CARD.codes
    silent = [codes.life_s, codes.resend_wait_s, codes.newest_only, codes.attempts, codes.lock_s]

    assert {str(fact) for fact in (*silent, CARD.memory.lasts)} == {"not documented"}
    assert not weigh(Role.SUPPORT, "change-mobile", "sms-2fa").documented
    assert "not documented" in weigh(Role.LEAD, "reset-all", "sms-2fa").why
