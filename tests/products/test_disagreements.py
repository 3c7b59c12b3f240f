"""Where the five sources disagree (X1 to X16): the desk asks the product first."""

from __future__ import annotations

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.codes import code_clock
from helpdesk.domain.policies import decide_all
from helpdesk.domain.previews import preview
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState, VoiceWay
from tests.factories import CARDS, NOW, action, agent, ago, case, event, factor, user, weigh

PRODUCTS = list(CARDS)


def test_one_company_has_two_answers_to_who_resets() -> None:
    mail = weigh(Role.SUPPORT, "reset-all", "constant-contact")
    crm = weigh(Role.SUPPORT, "reset-all", "lead-gen-crm")

    assert CARDS["constant-contact"].vendor == CARDS["lead-gen-crm"].vendor
    assert (mail.is_refused, crm.is_refused) == (False, True)


def test_one_vendor_has_two_sets_of_channels() -> None:
    sms = (factor("sms"),)

    codes = weigh(Role.SUPPORT, "send-code", case(user("activecampaign", factors=sms)))
    portal = weigh(Role.SUPPORT, "send-code", case(user("partner-portal", factors=sms)))

    assert CARDS["activecampaign"].vendor == CARDS["partner-portal"].vendor
    assert (codes.is_refused, portal.is_refused) == (False, True)


@pytest.mark.parametrize(
    ("product", "rules"),
    [
        ("activecampaign", ["every-login"]),
        ("partner-portal", ["every-login"]),
        ("constant-contact", ["every-login"]),
        ("sms-2fa", ["new-ip", "export"]),
        ("lead-gen-crm", ["every-login"]),
    ],
)
def test_each_product_asks_by_rules_of_its_own(product: str, rules: list[str]) -> None:
    asked = CARDS[product].asked_while(MfaState.ON)

    assert [rule.rule for rule in asked] == rules
    assert all(rule.rules[0].startswith(f"S{PRODUCTS.index(product)}.") for rule in asked)


def test_activecampaign_has_two_modes() -> None:
    card = CARDS["activecampaign"]

    on, off = card.asked_while(MfaState.ON), card.asked_while(MfaState.OFF)

    assert {rule.mode for rule in on} == {"mfa-on"}
    assert {rule.mode for rule in off} == {"device-check"}
    assert len(on) + len(off) == len(card.asked)
    assert card.asked_while(MfaState.NONE) == ()


def test_what_is_remembered_is_the_users_here_and_the_accounts_there() -> None:
    units = {name: card.memory.unit.value for name, card in CARDS.items()}

    assert units == {
        "activecampaign": "user",
        "partner-portal": None,
        "constant-contact": None,
        "sms-2fa": "account",
        "lead-gen-crm": None,
    }
    assert "colleague" in CARDS["sms-2fa"].memory.unit.note


def test_turning_off_is_there_for_one_product_and_one_role_and_the_others_say_why() -> None:
    allowed = {
        (product, role)
        for product in PRODUCTS
        for role in Role
        if not weigh(role, "turn-off-mfa", product).is_refused
    }
    reasons = {weigh(Role.SUPPORT, "turn-off-mfa", product).why for product in PRODUCTS}

    assert allowed == {("sms-2fa", Role.ACCOUNT_MANAGER)}
    assert len(reasons) == 5


def test_only_in_the_portal_a_colleague_may_have_used_the_code() -> None:
    shared = {name for name, card in CARDS.items() if card.codes.shared.value}
    advice = CARDS["partner-portal"].advice_for(Complaint.CODE_REFUSED)

    assert shared == {"partner-portal"}
    assert advice is not None
    assert "colleague" in advice.steps[1]


def test_waiting_starts_at_two_minutes_and_warns_that_codes_can_be_outlasted() -> None:
    card = CARDS["partner-portal"]
    sent = event("send", 0, send="s1", channel="email")

    clock = code_clock(card, [sent], NOW)
    effect = preview(action("send-code"), card, case("partner-portal", sent))

    assert clock.next_send_at == ago(-2)
    assert "can outlast the five minutes" in effect.then


def test_only_the_portal_gives_its_codes_a_life() -> None:
    lives = {name: str(card.codes.life_s) for name, card in CARDS.items()}

    assert lives.pop("partner-portal") == "300"
    assert set(lives.values()) == {"not documented"}


def test_storing_codes_is_advice_for_recovery_codes_only() -> None:
    keep = CARDS["activecampaign"].codes.keep_secret

    assert "void for one-time codes" in keep.note
    assert "recovery codes" in keep.note
    assert "store" not in str(keep)


def test_no_product_lets_letters_be_refused() -> None:
    assert all(card.codes.alphabet.value != "digits" for card in CARDS.values())


def test_there_are_two_kinds_of_call() -> None:
    ways = {
        name: voice.voice
        for name, card in CARDS.items()
        if (voice := card.factor(FactorKind.VOICE)) is not None
    }

    assert ways == {"constant-contact": VoiceWay.CONFIRM, "lead-gen-crm": VoiceWay.HEAR_CODE}


@pytest.mark.parametrize("product", ["constant-contact", "lead-gen-crm"])
def test_a_code_made_on_the_phone_is_never_a_matter_of_delivery(product: str) -> None:
    it = case(user(product, factors=(factor("totp"),)))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert decision.is_refused
    assert "Nothing is ever sent for an authenticator app" in decision.why


@pytest.mark.parametrize(
    ("product", "act", "words"),
    [
        ("activecampaign", "reset-all", "ActiveCampaign support"),
        ("partner-portal", "reset-all", "ActiveCampaign Partner team"),
        ("constant-contact", "turn-off-mfa", "The customer, without support"),
        ("sms-2fa", "turn-off-mfa", "Account manager: Ines Duarte"),
        ("lead-gen-crm", "reset-all", "Administrator of the account: Priya Shah"),
    ],
)
def test_each_product_sends_to_its_own_helper(product: str, act: str, words: str) -> None:
    decision = weigh(Role.SUPPORT, act, product)
    effect = preview(action("route", to=decision.route), CARDS[product], case(product))

    assert words in decision.instead
    assert effect.goes[0].startswith(words)
    assert effect.then


def test_a_password_answer_is_under_no_complaint() -> None:
    steps = [step for advice in CARDS["partner-portal"].advice for step in advice.steps]

    assert not any("password" in step.casefold() for step in steps)


def test_the_first_remedy_depends_on_the_complaint() -> None:
    again = CARDS["activecampaign"].advice_for(Complaint.KEEPS_ASKING)
    nothing = CARDS["partner-portal"].advice_for(Complaint.NO_CODE)

    assert again is not None
    assert nothing is not None
    assert "connection" in again.steps[0]
    assert "spam" in nothing.steps[0]


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_answer_cites_a_rule_of_another_product(product: str) -> None:
    card = CARDS[product]

    answers = [
        answer
        for role in Role
        for answer in decide_all(agent(role), card, case(product), NOW)
        if answer.source
    ]

    cited = {rule for answer in answers for rule in answer.rules}
    assert {rule.partition(".")[0] for rule in cited} == {f"S{PRODUCTS.index(product)}"}
    assert {answer.source for answer in answers} == {card.source.file}
