"""The rules of the ActiveCampaign Partner Portal (S1), as the desk behaves by them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.codes import CodeState, code_clock
from helpdesk.domain.previews import preview
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState
from tests.factories import CARDS, NOW, action, ago, case, event, factor, user, weigh

CARD = CARDS["partner-portal"]


def step(word: str) -> int:
    return next(i for i, text in enumerate(CARD.login_steps) if word in text)


def test_mfa_in_the_portal_has_a_first_day() -> None:
    assert str(CARD.introduced) == "2024-01-10"
    assert CARD.introduced.rules == ("S1.1",)


def test_every_login_to_the_portal_asks_and_no_device_is_remembered() -> None:
    decision = weigh(Role.SUPPORT, "turn-on-mfa", case(user("partner-portal", mfa=MfaState.OFF)))

    assert [asked.rule for asked in CARD.asked_while(MfaState.ON)] == ["every-login"]
    assert str(CARD.memory.by) == "not documented"
    assert decision.is_refused
    assert "always on" in decision.why


def test_the_way_in_is_told_step_by_step() -> None:
    words = ("mailbox", "Partner page", "Log in", "your ActiveCampaign account")
    more = ("partner/agency program", "Sign In", "code goes to", "Submit", "account page")

    places = [step(word) for word in (*words, *more)]

    assert places == list(range(9))
    assert "below the Apply Now button" in CARD.login_steps[step("Log in")]


def test_no_code_is_sent_before_the_second_password() -> None:
    passwords = [text for text in CARD.login_steps if "password" in text]

    assert len(passwords) == 2
    assert "No code is sent before" in passwords[1]
    assert step("Sign In") < step("code goes to")


def test_codes_go_to_the_notification_address_not_to_the_login() -> None:
    person = user("partner-portal", login="maya@agency.example")

    effect = preview(action("send-code"), CARD, case(person))

    assert CARD.codes.goes_to.value == "notification-address"
    assert "@northwind.example" in effect.told
    assert "agency.example" not in effect.told


def test_the_mailbox_is_shared_by_those_who_manage_the_account() -> None:
    decision = weigh(Role.SUPPORT, "change-address", "partner-portal")

    assert CARD.codes.shared.value is True
    assert "colleague" in CARD.codes.shared.note
    assert "open to all" in decision.instead
    assert "active and watched" in decision.instead


def test_without_a_code_the_spam_folder_comes_first() -> None:
    advice = CARD.advice_for(Complaint.NO_CODE)

    assert advice is not None
    words = ("spam", "Wait", "mail client", "another code")
    assert [word in text for word, text in zip(words, advice.steps, strict=True)] == [True] * 4


def test_before_another_code_is_sent_two_minutes_pass() -> None:
    sent = event("send", 1, send="s1", channel="email")

    clock = code_clock(CARD, [sent], NOW)
    decision = weigh(Role.SUPPORT, "send-code", case("partner-portal", sent))

    assert clock.next_send_at == ago(-1)
    assert [need.what for need in decision.needs] == ["wait"]


def test_two_waits_and_the_reading_can_outlast_a_code() -> None:
    wait, life = CARD.codes.resend_wait_s, CARD.codes.life_s

    effect = preview(action("send-code"), CARD, case("partner-portal"))

    assert (wait.value, life.value) == (120, 300)
    assert wait.note in effect.then
    assert "outlast" in wait.note


@pytest.mark.parametrize("role", ["agency-member", "reseller"])
def test_agencies_and_resellers_have_mfa(role: str) -> None:
    known = CARD.role(role)

    assert known is not None
    assert known.has_mfa
    assert weigh(Role.SUPPORT, "send-code", case(user("partner-portal", role=role))).is_allowed


def test_affiliates_have_no_mfa_and_nothing_to_change() -> None:
    it = case(user("partner-portal", role="affiliate", mfa=MfaState.NONE, factors=()))

    decisions = [weigh(Role.LEAD, act, it) for act in CARD.acts]

    assert all(decision.is_refused for decision in decisions)
    assert all(decision.rules == ("S1.29",) for decision in decisions)
    assert "another product" in decisions[0].instead


def test_support_changes_the_address_and_nothing_is_reset() -> None:
    wish = {"address": "new@agency.example", "reason": "mailbox lost", "ticket": "4821"}

    change = weigh(Role.SUPPORT, "change-address", "partner-portal", None, **wish)
    reset = weigh(Role.LEAD, "reset-all", "partner-portal")

    assert change.is_allowed
    assert "S1.23" in change.rules
    assert reset.is_refused
    assert "changes the address" in reset.instead


def test_a_lost_mailbox_is_a_matter_for_support() -> None:
    advice = CARD.advice_for(Complaint.LOST_FACTOR)
    route = CARD.route("vendor")

    assert advice is not None
    assert route is not None
    assert "Notification Email Address" in advice.steps[0]
    assert "S1.28" in advice.rules
    assert "addresses" in route.how


def test_a_code_of_the_portal_dies_after_five_minutes() -> None:
    sent = event("send", 4, send="s1", channel="email")

    now = code_clock(CARD, [sent], NOW)
    later = code_clock(CARD, [sent], NOW + timedelta(minutes=1))

    assert [code.state for code in now.codes] == [CodeState.LIVE]
    assert [code.state for code in later.codes] == [CodeState.EXPIRED]


def test_in_a_login_loop_the_main_page_is_opened_directly() -> None:
    advice = CARD.advice_for(Complaint.LOOP)

    assert advice is not None
    assert CARD.landing.value == "https://www.activecampaign.com/partner/cx_agency_main.php"
    assert CARD.landing.value in advice.steps[0]


def test_the_answer_about_passwords_is_no_advice_for_codes() -> None:
    steps = [step.casefold() for advice in CARD.advice for step in advice.steps]

    assert not any("S1.26" in advice.rules for advice in CARD.advice)
    assert not any("password" in step for step in steps)
    assert any(rule.id == "S1.26" for rule in CARD.rules)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_nobody_at_all_turns_mfa_off_in_the_portal(role: Role) -> None:
    decision = weigh(role, "turn-off-mfa", "partner-portal")

    assert decision.is_refused
    assert "no option to opt out" in decision.why
    assert "S1.30" in decision.rules


@pytest.mark.parametrize("act", ["enrol-totp", "change-mobile"])
def test_mail_is_the_only_way(act: str) -> None:
    decision = weigh(Role.LEAD, act, "partner-portal")

    assert [rule.kind for rule in CARD.factors] == [FactorKind.EMAIL]
    assert decision.is_refused
    assert "S1.31" in decision.rules


def test_an_sms_factor_that_strayed_in_gets_no_code() -> None:
    it = case(user("partner-portal", factors=(factor("sms"),)))

    assert weigh(Role.SUPPORT, "send-code", it).is_refused


def test_the_partner_team_is_reached_by_a_form_with_its_reason() -> None:
    decision = weigh(Role.SUPPORT, "turn-off-mfa", "partner-portal")

    assert "Submit a request" in decision.instead
    assert "Contact Reason Partners" in decision.instead
    assert "S1.32" in decision.rules


def test_what_the_portals_page_does_not_say_stays_unknown() -> None:
    sends = [event("send", m, send=f"s{m}", channel="email", challenge="c") for m in (3, 1)]

    clock = code_clock(CARD, sends, NOW)

    assert str(CARD.codes.attempts) == str(CARD.codes.lock_s) == "not documented"
    assert clock.voids is None
    assert clock.codes[0].state is CodeState.OLDER
