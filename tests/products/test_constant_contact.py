"""The rules of Constant Contact's e-mail product (S2), as the desk behaves by them."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.decisions import Weight
from helpdesk.domain.previews import preview
from helpdesk.domain.products import Fact
from helpdesk.domain.search import parse
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState, VoiceWay
from tests.factories import CARDS, action, case, factor, user, weigh

CARD = CARDS["constant-contact"]
ARTICLE = "Reset your factors for Multi-Factor Authentication"


def test_for_a_lost_phone_the_article_comes_before_the_reset() -> None:
    advice = CARD.advice_for(Complaint.LOST_FACTOR)
    decision = weigh(Role.SUPPORT, "reset-all", "constant-contact")

    assert advice is not None
    assert ARTICLE in advice.steps[0]
    assert decision.weight is Weight.NEEDS
    assert decision.instead.startswith(f'Send the article "{ARTICLE}" first')
    assert {"S2.1", "S2.15"} <= set(decision.rules)


def test_a_reset_by_an_agent_is_the_exception_and_needs_a_reason() -> None:
    bare = weigh(Role.SUPPORT, "reset-factor", "constant-contact", ticket="4821")
    given = weigh(
        Role.SUPPORT, "reset-factor", "constant-contact", ticket="4821", reason="the article failed"
    )

    assert [need.what for need in bare.needs] == ["reason"]
    assert ARTICLE in bare.needs[0].says
    assert given.is_allowed


def test_an_account_manager_is_sent_to_self_service() -> None:
    decision = weigh(Role.ACCOUNT_MANAGER, "reset-all", "constant-contact")

    assert decision.is_refused
    assert decision.route == "self-service"
    assert ARTICLE in decision.instead


def test_both_names_for_the_second_proof_find_it() -> None:
    pairs = [(card.id, card.names) for card in CARDS.values()]

    assert "constant-contact" in parse("product:two-factor", pairs).product
    assert "constant-contact" in parse("product:mfa", pairs).product


def test_the_second_proof_is_on_a_device_of_ones_own() -> None:
    assert CARD.codes.goes_to.value == "own-device"
    assert CARD.codes.shared.value is False


@pytest.mark.parametrize(
    ("kind", "word", "rule"),
    [
        (FactorKind.PUSH, "Okta Verify", "S2.6"),
        (FactorKind.SMS, "Text message", "S2.7"),
        (FactorKind.VOICE, "Phone call", "S2.8"),
        (FactorKind.TOTP, "Google Authenticator", "S2.9"),
    ],
)
def test_each_of_the_four_ways_has_the_products_name(
    kind: FactorKind, word: str, rule: str
) -> None:
    way = CARD.factor(kind)

    assert way is not None
    assert word in way.name
    assert rule in way.rules


def test_the_call_confirms_that_it_is_really_the_user() -> None:
    it = case(user("constant-contact", factors=(factor("voice"),)))

    effect = preview(action("send-code"), CARD, it)

    assert CARD.factors[2].voice is VoiceWay.CONFIRM
    assert "answers the call and confirms" in effect.then


def test_only_what_the_person_set_up_is_offered() -> None:
    it = case(user("constant-contact", factors=(factor("push", "f1"), factor("voice", "f2"))))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert decision.needs[0].choices == ("f1", "f2")


def test_mail_is_not_among_the_ways() -> None:
    it = case(user("constant-contact", factors=(factor("email"),)))

    send = weigh(Role.SUPPORT, "send-code", it)
    move = weigh(Role.SUPPORT, "change-address", "constant-contact")

    assert CARD.factor(FactorKind.EMAIL) is None
    assert send.is_refused
    assert "e-mail is not among the factors" in move.why
    assert "S2.11" in move.rules


def test_enrolling_reads_as_the_users_choice() -> None:
    it = case(user("constant-contact", mfa=MfaState.OFF))

    decision = weigh(Role.LEAD, "turn-on-mfa", it)

    assert CARD.mandatory.value == "optional"
    assert decision.is_refused
    assert decision.route == "enrol"
    assert "Enroll in Multi-Factor Authentication" in decision.instead
    assert "S2.12" in decision.rules


def test_who_may_turn_it_off_is_not_documented() -> None:
    decision = weigh(Role.ACCOUNT_MANAGER, "turn-off-mfa", "constant-contact")

    assert decision.is_refused
    assert not decision.documented
    assert "not documented" in decision.why


def test_there_are_three_articles_to_send() -> None:
    assert [article.title for article in CARD.articles] == [
        "Overview: Multi-Factor Authentication",
        "Enroll in Multi-Factor Authentication",
        ARTICLE,
    ]


def test_what_the_announcement_does_not_say_stays_unknown() -> None:
    codes = CARD.codes
    silent: list[Fact[Any]] = [
        codes.life_s,
        codes.resend_wait_s,
        codes.newest_only,
        codes.attempts,
        codes.lock_s,
    ]

    assert {str(fact) for fact in silent} == {"not documented"}
    assert all(fact.rules == ("S2.16",) for fact in silent)
    assert "not documented" in CARD.asked[0].when
    assert not weigh(Role.SUPPORT, "reset-all", "constant-contact").documented
