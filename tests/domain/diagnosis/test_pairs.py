"""The sixteen pairs: told apart where the log holds the deciding fact, asked where it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpdesk.domain.diagnosis.questions import PAIRS
from tests.domain.diagnosis.stories import AC, LG, PP, SMS, STORIES, TOTP, fresh
from tests.domain.diagnosis.telling import (
    DAY,
    HOTEL,
    THIEF,
    Told,
    asked,
    ids,
    passed,
    row,
    settled,
    trusted,
    typed,
)

NO_IP = ("ip",)


def _no_answers(told: Told) -> Told:
    return replace(
        told, rows=[one for one in told.rows if one["kind"] not in {"answer", "session"}]
    )


BLIND: dict[str, Told] = {
    "D1/D2": Told(
        SMS,
        "code-refused",
        [
            *settled(None),
            *asked(12, "c1", rule="new-ip", factor="sms", ip=HOTEL, life_min=None),
            row(8, "send", send="s2", challenge="c1", channel="sms", to="•••• 21"),
            *typed(2, "c1", False, reason="wrong"),
        ],
    ),
    "C1/C2": Told(PP, "no-code", [*settled(), *asked(9, "c1")], bare=("to",)).poor,
    "C3/C2": Told(PP, "no-code", [*settled(), *asked(9, "c1")], gone=("delivery",)).poor,
    "B1/B3": Told(
        AC,
        "keeps-asking",
        [
            one
            for day in (3, 2, 1)
            for one in passed(day * DAY, f"c{day}", rule="new-browser", trust="none")
        ],
        bare=("browser",),
        gone=("session",),
    ).poor,
    "A2/B5": Told(
        AC,
        "keeps-asking",
        [*settled(None), *passed(40, "c1", rule="new-ip"), *passed(15, "c2", rule="new-ip")],
        bare=("ip", "network"),
    ).poor,
    "A2/F1": Told(
        AC,
        None,
        [
            *settled(None),
            *asked(20, "c1", rule="new-ip", ip=THIEF, place="Minsk", network="hosting"),
        ],
        bare=("browser", "agent"),
    ).poor,
    "A1/B1": Told(
        AC,
        "keeps-asking",
        [one for day in (3, 2, 1) for one in passed(day * DAY, f"c{day}", rule=None)],
        bare=("browser", "trust"),
        gone=("session",),
    ).poor,
    "D4/D5": Told(
        LG,
        "code-refused",
        [
            *settled(factor="totp"),
            *asked(9, "c1", factor="totp"),
            *typed(8.5, "c1", False, reason="wrong"),
            *typed(7.9, "c1", False, reason="wrong"),
        ],
        user=TOTP,
    ),
    "D4/D4b": Told(LG, "code-refused", STORIES["D4"].rows, user=TOTP),
    "D3/D9": Told(
        PP,
        None,
        [
            *settled(),
            *asked(9, "c1"),
            *typed(8, "c1", False, reason="wrong"),
            *typed(7.6, "c1", False, reason="wrong"),
            *typed(7.2, "c1", False, reason="wrong"),
        ],
        gone=("lock",),
    ),
    "D8/F1": Told(
        AC,
        None,
        [
            *settled(),
            *asked(9, "c1"),
            row(8.8, "fetch", send="s1"),
            *typed(8, "c1", False, reason="reused", send="s1"),
        ],
        bare=NO_IP,
    ).poor,
    "E1/D3": _no_answers(
        Told(
            PP,
            None,
            [
                *settled(),
                *asked(9, "c1"),
                *asked(8.5, "c2", password=False),
                *asked(8, "c3", password=False),
            ],
        )
    ),
    "E1/E2": replace(STORIES["E1"], others=[]),
    "C11/C2": Told(
        PP,
        "no-code",
        [row(3 * DAY, "session", state="returned", browser="b1"), row(300, "export", ok=True)],
    ),
    "F3/lost phone": Told(LG, "lost-factor", settled(factor="totp"), user=TOTP),
}
"""By pair: a log in which the deciding fact is lacking."""

TOLD = [
    ("D1/D2", "D1"),
    ("D1/D2", "D2"),
    ("C1/C2", "C1"),
    ("C1/C2", "C2"),
    ("C3/C2", "C3"),
    ("C3/C2", "C2"),
    ("B1/B3", "B1"),
    ("B1/B3", "B3"),
    ("A2/B5", "A2"),
    ("A2/B5", "B5"),
    ("A2/F1", "A2"),
    ("A2/F1", "F1"),
    ("A1/B1", "A1"),
    ("A1/B1", "B1"),
    ("D4/D5", "D4"),
    ("D4/D5", "D5"),
    ("D4/D4b", "D4"),
    ("D4/D4b", "D4b"),
    ("D3/D9", "D3"),
    ("D3/D9", "D9"),
    ("D8/F1", "D8"),
    ("D8/F1", "F1"),
    ("E1/D3", "E1"),
    ("E1/D3", "D3"),
    ("E1/E2", "E1"),
    ("E1/E2", "E2"),
    ("C5/C2", "C5"),
    ("C5/C2", "C2"),
    ("C11/C2", "C11"),
    ("C11/C2", "C2"),
    ("F3/lost phone", "F3"),
]


ASKED_ANYWAY = {("D4/D5", "D5"), ("F3/lost phone", "F3")}
"""Where the question is asked though one is far ahead: before a reset, and of a likely attacker."""


def test_the_pairs_are_the_sixteen() -> None:
    assert len(PAIRS) == 16
    assert {pair for pair, _ in TOLD} == set(PAIRS)


@pytest.mark.parametrize(("pair", "cause"), TOLD)
def test_where_the_log_holds_the_fact_the_pair_is_told_apart(pair: str, cause: str) -> None:
    verdict = STORIES[cause].verdict

    chances = {one.id: one.p for one in verdict.causes}
    other = next(end for end in pair.split("/") if end != cause)
    assert chances[cause] > 3 * chances.get(other, 0.0)
    assert (pair, cause) in ASKED_ANYWAY or verdict.ask is None or verdict.ask.pair != pair


@pytest.mark.parametrize("pair", [one for one in BLIND if one not in {"F3/lost phone", "C11/C2"}])
def test_where_the_log_lacks_the_fact_both_are_on_top_and_the_question_is_asked(pair: str) -> None:
    verdict = BLIND[pair].verdict

    assert set(ids(verdict, 2)) == set(pair.split("/"))
    assert verdict.ask is not None
    assert verdict.ask.pair == pair
    assert "because the log has no " in verdict.cannot_tell


@pytest.mark.parametrize("pair", ["F3/lost phone", "C11/C2"])
def test_where_nothing_else_is_known_the_question_is_asked(pair: str) -> None:
    verdict = BLIND[pair].verdict

    assert verdict.ask is not None
    assert verdict.ask.pair == pair


REPLIES = [
    ("D1/D2", "older", "D2"),
    ("D1/D2", "yes, there is a later one", "D2"),
    ("D1/D2", "no, it is the newest", "D1"),
    ("C1/C2", "that is my own mailbox", "C2"),
    ("C1/C2", "my boss reads that one", "C1"),
    ("C3/C2", "it has just arrived", "C3"),
    ("C3/C2", "nothing in there", "C2"),
    ("B1/B3", "only after I close the browser", "B1"),
    ("B1/B3", "asks again before I close the browser", "B3"),
    ("A2/B5", "yes, a VPN", "B5"),
    ("A2/B5", "no, I am in a hotel", "A2"),
    ("A2/F1", "no, I was asleep", "F1"),
    ("A1/B1", "yes, I close it every evening", "B1"),
    ("A1/B1", "it asks at every login", "A1"),
    ("D4/D5", "one-offset", "D4"),
    ("D4/D5", "no match at any offset", "D5"),
    ("D8/F1", "yes, Mimecast", "D8"),
    ("E1/D3", "it simply asks again", "E1"),
    ("E1/D3", "it says wrong code", "D3"),
    ("E1/E2", "yes, it works there", "E2"),
    ("E1/E2", "the same in a private window", "E1"),
    ("C11/C2", "no, never saw it", "C11"),
    ("C11/C2", "yes, the box waits", "C2"),
]


@pytest.mark.parametrize(("pair", "reply", "first"), REPLIES)
def test_a_reply_of_the_caller_decides(pair: str, reply: str, first: str) -> None:
    told = replace(BLIND[pair], answers=[{"ask": pair, "reply": reply}])

    verdict = told.verdict

    assert ids(verdict, 1) == [first]
    assert verdict.heard[0].reply != ""
    assert any(line.source == "caller" for line in verdict.causes[0].evidence)


@pytest.mark.parametrize("pair", list(BLIND))
def test_a_reply_that_nobody_understands_is_shown_and_changes_nothing(pair: str) -> None:
    told = replace(BLIND[pair], answers=[{"ask": pair, "reply": "the weather is fine"}])

    verdict = told.verdict

    assert verdict.heard[0].said == "the weather is fine"
    assert verdict.heard[0].reply == ""
    assert verdict.causes == BLIND[pair].verdict.causes


@pytest.mark.parametrize("pair", list(PAIRS))
def test_each_canonical_reply_is_understood_by_its_id_and_by_its_text(pair: str) -> None:
    told = BLIND.get(pair, BLIND["C3/C2"])

    for meaning in PAIRS[pair].meanings:
        for words in (meaning.id, meaning.text, meaning.text.upper()):
            heard = replace(told, answers=[{"ask": pair, "reply": words}]).verdict.heard

            assert heard[0].reply == meaning.id


def test_a_time_of_day_names_the_message() -> None:
    told = replace(BLIND["D1/D2"], answers=[{"ask": "D1/D2", "reply": "it arrived at 13:53"}])

    verdict = told.verdict

    assert verdict.heard[0].reply == "older"


def test_a_known_browser_on_a_new_network_is_not_hostile() -> None:
    told = Told(AC, None, [*settled(None), *asked(20, "c1", rule="new-ip", ip=HOTEL, trust="good")])

    verdict = told.verdict

    assert not verdict.is_hostile


def test_a_genuine_lost_phone_is_called_back_and_not_called_hostile() -> None:
    told = Told(
        LG, "lost-factor", [*settled(factor="totp"), row(5, "call", asks="reset")], user=TOTP
    )

    verdict = told.verdict

    assert not verdict.is_hostile
    assert verdict.ask is not None
    assert "call you back" in verdict.ask.text


def test_an_unruly_browser_is_still_trusted_when_the_caller_says_it_was_they() -> None:
    told = replace(BLIND["A2/F1"], answers=[{"ask": "A2/F1", "reply": "yes, that was me"}])

    before, after = BLIND["A2/F1"].verdict, told.verdict

    assert before.causes[0].id == "F1"
    assert after.causes[0].p < before.causes[0].p or after.causes[0].id != "F1"


def test_fresh_browsers_are_told_from_one_that_is_remembered() -> None:
    told = Told(AC, "keeps-asking", [*trusted(3 * DAY), *fresh(DAY, "c1", "b9"), *trusted(30)])

    verdict = told.verdict

    assert "B1" not in ids(verdict, 1)


def test_a_reply_to_a_question_that_nobody_asked_changes_nothing() -> None:
    told = replace(BLIND["C3/C2"], answers=[{"ask": "Z9", "reply": "yes"}])

    verdict = told.verdict

    assert verdict.heard[0].reply == ""
    assert verdict.causes == BLIND["C3/C2"].verdict.causes
