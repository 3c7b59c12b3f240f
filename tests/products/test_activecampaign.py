"""The rules of ActiveCampaign access codes (S0), as the desk behaves by them."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.codes import CodeState, code_clock
from helpdesk.domain.previews import preview
from helpdesk.domain.products import Fact
from helpdesk.domain.search import parse
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState
from tests.factories import CARDS, NOW, action, case, event, factor, user, weigh

CARD = CARDS["activecampaign"]
PRODUCTS = [(card.id, card.names) for card in CARDS.values()]


def test_the_access_code_comes_after_name_and_password() -> None:
    order = [
        next(i for i, step in enumerate(CARD.login_steps) if word in step)
        for word in ("password", "sends an access code", "Enter that code", "You are in")
    ]

    assert order == sorted(order)
    assert str(CARD.codes.name) == "access code"


@pytest.mark.parametrize("word", ["two-step", "verification", "multi-factor", "access"])
def test_each_of_its_words_for_the_same_thing_finds_it(word: str) -> None:
    assert "activecampaign" in parse(f"product:{word}", PRODUCTS).product


def test_access_codes_may_have_letters() -> None:
    assert CARD.codes.alphabet.value == "digits-and-letters"
    assert "letters" in CARD.codes.alphabet.note


def test_codes_come_by_mail_or_sms_and_no_app_is_enrolled() -> None:
    decision = weigh(Role.LEAD, "enrol-totp", "activecampaign")

    assert {rule.kind for rule in CARD.factors} == {FactorKind.EMAIL, FactorKind.SMS}
    assert decision.is_refused
    assert "S0.5" in decision.rules


def test_the_code_is_the_users_own() -> None:
    decision = weigh(Role.LEAD, "change-address", "activecampaign")

    assert CARD.codes.shared.value is False
    assert "user's own" in decision.why
    assert "S0.6" in decision.rules


def test_nobody_gets_in_without_the_code() -> None:
    decision = weigh(Role.LEAD, "temporary-pass", "activecampaign")

    assert decision.is_refused
    assert "without the code nobody gets in" in decision.why
    assert "S0.7" in decision.rules


def test_with_mfa_on_every_login_asks() -> None:
    asked = CARD.asked_while(MfaState.ON)

    assert [(rule.rule, rule.mode) for rule in asked] == [("every-login", "mfa-on")]


@pytest.mark.parametrize(
    ("rule_id", "rule"),
    [
        ("S0.9", "risk"),
        ("S0.10", "new-place"),
        ("S0.11", "new-device"),
        ("S0.12", "new-ip"),
        ("S0.13", "new-browser"),
        ("S0.14", "trust-expired"),
        ("S0.15", "trust-expired"),
        ("S0.16", "risk"),
        ("S0.18", "trust-expired"),
        ("S0.19", "new-device"),
    ],
)
def test_the_device_check_tells_which_rule_fired(rule_id: str, rule: str) -> None:
    asked = CARD.asked_by(rule)

    assert asked is not None
    assert asked in CARD.asked_while(MfaState.OFF)
    assert rule_id in asked.rules


def test_changed_details_and_places_are_looked_at_first() -> None:
    first, second, *others = CARD.asked_while(MfaState.OFF)

    assert {first.rule, second.rule} == {"risk", "new-place"}
    assert all("S0.20" in asked.rules for asked in (first, second))
    assert not any("S0.20" in asked.rules for asked in others)


def test_the_device_check_sends_codes_while_mfa_is_off() -> None:
    it = case(user("activecampaign", mfa=MfaState.OFF))

    assert weigh(Role.SUPPORT, "send-code", it).is_allowed


def test_a_cookie_of_the_user_remembers_and_ending_sessions_forgets_it() -> None:
    decision = weigh(Role.SUPPORT, "end-sessions", "activecampaign")
    effect = preview(action("end-sessions"), CARD, case(user("activecampaign", remembered=2)))

    assert "cookie" in str(CARD.memory.by)
    assert CARD.memory.unit.value == "user"
    assert "S0.21" in decision.rules
    assert "Remembered browsers or addresses: 2" in effect.goes


def test_each_login_has_a_code_of_its_own() -> None:
    timeline = case(
        "activecampaign",
        event("send", 9, send="s1", channel="email", challenge="c1"),
        event("answer", 8, challenge="c1", ok=True),
        event("send", 2, send="s2", channel="email", challenge="c2"),
    ).timeline

    clock = code_clock(CARD, timeline, NOW)

    assert [code.state for code in clock.codes] == [CodeState.USED, CodeState.LIVE]


def test_asked_again_the_remedies_come_in_the_sources_order() -> None:
    advice = CARD.advice_for(Complaint.KEEPS_ASKING)

    assert advice is not None
    found = [
        next(i for i, step in enumerate(advice.steps) if word in step)
        for word in ("connection", "cookies", "Log out", "ActiveCampaign support")
    ]
    assert found == [0, 1, 2, 3]
    assert "another network" in advice.steps[0]


@pytest.mark.parametrize("act", ["reset-factor", "reset-all", "turn-off-mfa", "turn-on-mfa"])
def test_where_the_article_is_silent_its_support_is_asked(act: str) -> None:
    it = case(user("activecampaign", mfa=MfaState.OFF if act == "turn-on-mfa" else MfaState.ON))

    decision = weigh(Role.LEAD, act, it)

    assert decision.is_refused
    assert not decision.documented
    assert decision.route == "vendor"
    assert "ActiveCampaign support" in decision.instead
    assert "S0.32" in decision.rules


def test_no_remedy_is_made_up_for_privacy_extensions() -> None:
    steps = " ".join(step for advice in CARD.advice for step in advice.steps)

    assert "extension" not in steps


def test_keeping_codes_is_void_advice_and_sharing_them_is_not_advised() -> None:
    keep = CARD.codes.keep_secret

    assert "nothing to keep" in str(keep)
    assert "Do not pass a code on" in str(keep)
    assert "recovery codes" in keep.note


def test_being_asked_again_is_told_as_no_fault() -> None:
    decision = weigh(Role.ACCOUNT_MANAGER, "turn-off-mfa", "activecampaign")

    assert "no fault" in decision.instead
    assert "S0.30" in decision.rules


def test_what_the_article_does_not_say_stays_unknown() -> None:
    codes = CARD.codes
    silent: list[Fact[Any]] = [
        codes.life_s,
        codes.resend_wait_s,
        codes.newest_only,
        codes.attempts,
        codes.lock_s,
    ]

    effect = preview(action("send-code"), CARD, case("activecampaign"))

    assert [str(fact) for fact in (*silent, CARD.memory.lasts)] == ["not documented"] * 6
    assert all("S0.32" in fact.rules for fact in silent)
    assert "not documented" in effect.then


def test_both_channels_can_be_sent_to() -> None:
    it = case(user("activecampaign", factors=(factor("email", "f1"), factor("sms", "f2"))))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert decision.needs[0].choices == ("f1", "f2")
