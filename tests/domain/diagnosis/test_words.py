"""What is told to the customer: there for every cause and product, short, plain, and true."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

import pytest

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.diagnosis import CAUSES
from helpdesk.domain.diagnosis.acts import FIRST_ACT, act_says, is_given
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.weigh import occurs
from helpdesk.domain.diagnosis.words import SAY, say
from tests.domain.diagnosis.stories import STORIES
from tests.domain.diagnosis.telling import NOW
from tests.factories import CARDS, user

INTERNALS = re.compile(
    r"\b(challenge|session|token|cookie id|browser id|trust|superseded|timeline|rule|factor|"
    r"TOTP|HTTP|redirect|[A-F]\d{1,2})\b"
)
CAN_OCCUR = [
    (cause, product)
    for cause in CAUSES
    for product, card in CARDS.items()
    if occurs(CAUSES[cause], card)
]


def lines(words: str) -> list[str]:
    """The sentence as it is wrapped on the screen."""
    return [line for part in words.split("\n") for line in textwrap.wrap(part, 80)]


@pytest.mark.parametrize(("cause", "product"), CAN_OCCUR)
def test_there_is_a_plain_sentence_of_three_lines_at_most(cause: str, product: str) -> None:
    card = CARDS[product]
    facts = Facts(card, user(product), (), NOW)

    words = say(cause, facts)

    assert 1 <= len(lines(words)) <= 3
    assert not INTERNALS.search(words)
    assert "{" not in words
    assert "!" not in words


@pytest.mark.parametrize("cause", STORIES)
def test_the_sentence_of_a_real_case_fits_too(cause: str) -> None:
    for told in (STORIES[cause], STORIES[cause].poor):
        words = told.verdict.say

        assert len(lines(words)) <= 3
        assert "{" not in words


@pytest.mark.parametrize("cause", SAY)
def test_each_cause_has_a_sentence_that_needs_nothing(cause: str) -> None:
    assert cause in CAUSES
    assert "{" not in SAY[cause][-1]


@pytest.mark.parametrize("cause", list(CAUSES))
def test_the_agent_is_told_what_to_do(cause: str) -> None:
    assert act_says(cause).endswith(".")


def test_the_life_of_a_code_comes_from_the_card_or_the_send_and_is_never_invented() -> None:
    portal = STORIES["D1"].verdict
    silent = replace(
        STORIES["D1"],
        product="activecampaign",
        rows=[{**one, "expires_at": None} for one in STORIES["D1"].rows],
    ).verdict

    assert "5 minutes" in portal.say
    assert not re.search(r"\d", silent.say)


def test_the_newest_message_is_named_by_its_time() -> None:
    verdict = STORIES["D2"].verdict

    assert "13:59 UTC" in verdict.say


def test_a_loop_is_left_by_the_page_that_the_card_gives() -> None:
    verdict = STORIES["E1"].verdict

    assert CARDS["partner-portal"].landing.value in verdict.say.splitlines()


def test_hostile_text_in_a_case_reaches_no_sentence_raw() -> None:
    told = STORIES["C1"]
    bad = [
        {**one, "to": "k•••@former\x1b[31m.example"} if one["kind"] == "send" else one
        for one in told.rows
    ]

    verdict = replace(told, rows=bad).verdict

    assert "\x1b" not in verdict.say


@pytest.mark.parametrize("cause", FIRST_ACT)
def test_acts_are_named_as_on_the_command_line(cause: str) -> None:
    assert set(FIRST_ACT[cause]) <= set(ACTIONS)


@pytest.mark.parametrize("cause", STORIES)
def test_no_act_is_advised_that_the_card_gives_nobody(cause: str) -> None:
    told = STORIES[cause]

    act = told.verdict.act

    assert act in {None, "stop"} or is_given(CARDS[told.product], act or "")


def test_an_expired_code_is_sent_anew_where_the_last_arrived_at_once() -> None:
    verdict = STORIES["D1"].verdict

    assert verdict.act == "send-code"


def test_no_code_is_sent_where_it_is_not_known_whether_the_last_was_late() -> None:
    verdict = STORIES["D1"].poor.verdict

    assert verdict.act is None


def test_a_lock_is_lifted() -> None:
    verdict = STORIES["D9"].verdict

    assert verdict.act == "unlock"
    assert "send-code" in {no.act for no in verdict.will_not_help}


def test_an_old_entry_is_reset_only_once_two_numbers_have_been_read() -> None:
    told = STORIES["D5"]
    asked = [{"ask": "D4/D5", "reply": "no-match"}]

    before, after = told.verdict, replace(told, answers=asked).verdict

    assert before.act == "route"
    assert before.ask is not None
    assert after.act == "reset-factor"


@pytest.mark.parametrize("cause", CAUSES)
def test_what_to_do_gives_no_all_clear_that_only_the_verdict_can_give(cause: str) -> None:
    says = act_says(cause)

    assert "broken" not in says
