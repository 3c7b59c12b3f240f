"""The rules of Constant Contact Lead Gen & CRM (S4), as the desk behaves by them."""

from __future__ import annotations

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.policies import decide
from helpdesk.domain.previews import preview
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState, VoiceWay
from tests.factories import CARDS, NOW, action, agent, case, event, factor, user, weigh

CARD = CARDS["lead-gen-crm"]


def test_the_article_has_its_number_and_its_day() -> None:
    assert "000050597" in CARD.source.title
    assert CARD.source.dated == "updated July 16, 2024"
    assert CARD.cited(("S4.1",)) == f"S4.1 · {CARD.source.file}"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_it_is_required_for_everybody(role: Role) -> None:
    off = weigh(role, "turn-off-mfa", "lead-gen-crm")
    on = weigh(role, "turn-on-mfa", case(user(mfa=MfaState.OFF)))

    assert CARD.mandatory.value == "required"
    assert off.is_refused
    assert "requires" in off.why
    assert "S4.2" in off.rules
    assert on.is_refused
    assert "next login" in on.instead


def test_password_and_second_proof_go_together() -> None:
    assert "password" in CARD.login_steps[0]
    assert "approve the push, or enter the one-time code" in CARD.login_steps[1]


def test_of_the_six_roles_one_administers() -> None:
    assert [(role.role, role.administers) for role in CARD.roles] == [
        ("administrator", True),
        ("company-manager", False),
        ("marketing-manager", False),
        ("sales-manager", False),
        ("salesperson", False),
        ("jr-salesperson", False),
    ]


def test_the_first_question_is_which_product_asks() -> None:
    advice = CARD.advice_for(Complaint.KEEPS_ASKING)

    assert advice is not None
    assert "S4.5" in advice.rules
    assert any("e-mail product" in step for step in advice.steps)


def test_after_a_reset_the_user_chooses_at_the_next_login() -> None:
    effect = preview(action("reset-all"), CARD, case())

    assert "chooses a method at the next login" in effect.then
    assert len(CARD.factors) == 4


def test_google_authenticator_is_the_recommended_app() -> None:
    app = CARD.factor(FactorKind.TOTP)

    assert app is not None
    assert app.name == "Google Authenticator (recommended)"


def test_okta_verify_is_approved_and_has_no_code() -> None:
    it = case(user(factors=(factor("push"),)))

    effect = preview(action("send-code"), CARD, it)

    assert "approves it on the device" in effect.then


def test_an_app_code_is_made_on_the_phone_and_never_sent() -> None:
    it = case(user(factors=(factor("totp"),)))
    advice = CARD.advice_for(Complaint.NO_CODE)

    decision = weigh(Role.SUPPORT, "send-code", it, factor="f1")

    assert not FactorKind.TOTP.is_sent
    assert decision.is_refused
    assert "made on the phone" in decision.why
    assert advice is not None
    assert any("nothing is sent" in step for step in advice.steps)


@pytest.mark.parametrize("kind", ["sms", "voice"])
def test_the_number_is_entered_once_so_it_changes_by_a_reset(kind: str) -> None:
    it = case(user(factors=(factor(kind),)))

    change = weigh(Role.LEAD, "change-mobile", it)
    send = weigh(Role.SUPPORT, "send-code", it)

    assert change.is_refused
    assert "by a reset" in change.why
    assert change.route == "administrator"
    assert send.is_allowed


def test_the_call_reads_out_a_code_to_type() -> None:
    effect = preview(action("send-code"), CARD, case(user(factors=(factor("voice"),))))
    way = CARD.factor(FactorKind.VOICE)

    assert way is not None
    assert way.voice is VoiceWay.HEAR_CODE
    assert "types it in" in effect.then


def test_all_four_methods_ask_at_every_login() -> None:
    (asked,) = CARD.asked_while(MfaState.ON)

    assert asked.rule == "every-login"
    assert {"S4.8", "S4.9", "S4.10", "S4.11", "S4.12"} == set(asked.rules)
    assert str(CARD.memory.by) == "not documented"
    assert "every login asks" in CARD.memory.by.note


def test_the_set_up_articles_are_three_and_sms_shares_one_with_voice() -> None:
    set_up = [article.title for article in CARD.articles if article.rules == ("S4.13",)]

    assert len(set_up) == 3
    assert sum("SMS" in title and "Call" in title for title in set_up) == 1


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ACCOUNT_MANAGER, Role.LEAD, Role.TRAINER])
def test_only_an_administrator_resets_and_is_named(role: Role) -> None:
    decision = weigh(role, "reset-all", "lead-gen-crm")

    assert decision.is_refused
    assert "Only an administrator" in decision.why
    assert "Priya Shah" in decision.why
    assert "S4.14" in decision.rules


def test_an_administrator_resets_who_lost_the_app() -> None:
    wish = {"reason": "lost the phone", "ticket": "4821"}

    decision = weigh(Role.PRODUCT_ADMINISTRATOR, "reset-all", "lead-gen-crm", None, **wish)

    assert decision.is_allowed
    assert "cannot reach the authenticator app" in decision.instead
    assert "S4.15" in decision.rules


def test_who_may_not_reset_is_given_the_steps_to_pass_on() -> None:
    decision = weigh(Role.SUPPORT, "reset-all", "lead-gen-crm")

    words = (
        "1. Click Settings",
        "2. Under My Company",
        "3. Find Maya Okafor",
        "4. Click the three",
    )
    places = [decision.instead.index(word) for word in (*words, "5. Click the red Reset")]
    assert places == sorted(places)
    assert "S4.16" in decision.rules


def test_still_locked_out_after_the_reset_goes_to_the_vendor() -> None:
    it = case(
        "lead-gen-crm",
        event("reset", 30, ok=True, by="administrator", scope="all"),
        event("password", 20, ok=True),
        event("answer", 19, challenge="c1", ok=False),
    )

    decision = weigh(Role.PRODUCT_ADMINISTRATOR, "reset-all", it, reason="again", ticket="4821")

    assert decision.is_refused
    assert "a second one will not help" in decision.why
    assert decision.route == "vendor"
    assert "S4.17" in decision.rules


def test_what_the_article_leaves_open_stays_unknown() -> None:
    codes = CARD.codes
    silent = [codes.life_s, codes.resend_wait_s, codes.newest_only, codes.attempts, codes.lock_s]

    failed = case(user(factors=(factor("sms", failures=1),)))

    effect = preview(action("reset-all"), CARD, case())
    decision = weigh(Role.SUPPORT, "unlock", failed)

    assert {str(fact) for fact in silent} == {"not documented"}
    assert "not documented" in effect.signed_out
    assert decision.is_allowed
    assert not decision.documented


def test_the_only_administrator_does_not_reset_themselves() -> None:
    alone = agent(Role.PRODUCT_ADMINISTRATOR, id="u1")

    decision = decide(alone, action("reset-all"), CARD, case(user(role="administrator")), NOW)

    assert decision.is_refused
