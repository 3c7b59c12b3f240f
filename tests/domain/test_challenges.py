"""Challenges: how far each asking for a code came."""

from __future__ import annotations

import pytest

from helpdesk.domain.challenges import ChallengeLine, ChallengeState, challenge_lines
from helpdesk.domain.timeline import AnyEvent
from tests.factories import NOW, ago, event


def lines(*timeline: AnyEvent) -> list[ChallengeLine]:
    return list(challenge_lines("u1", sorted(timeline, key=lambda e: e.at), NOW))


def asked(minutes: float = 3, challenge: str = "c1") -> AnyEvent:
    return event("challenge", minutes, challenge=challenge, rule="new-ip", factor="sms", ip="::1")


def sent(minutes: float = 2, number: int = 1, challenge: str = "c1") -> AnyEvent:
    return event(
        "send", minutes, send=f"s{number}", channel="sms", to="•••• 21", challenge=challenge
    )


def delivery(state: str, minutes: float = 1, number: int = 1) -> AnyEvent:
    return event("delivery", minutes, send=f"s{number}", state=state)


@pytest.mark.parametrize(
    ("timeline", "state"),
    [
        ([asked()], ChallengeState.ASKED),
        ([asked(), sent()], ChallengeState.SENT),
        ([asked(), sent(), delivery("queued")], ChallengeState.SENT),
        ([asked(), sent(), delivery("delivered")], ChallengeState.DELIVERED),
        ([asked(), sent(), delivery("bounced")], ChallengeState.UNDELIVERED),
        ([asked(), sent(), delivery("suppressed")], ChallengeState.UNDELIVERED),
        ([asked(), sent(), delivery("failed"), sent(0.5, 2)], ChallengeState.SENT),
        ([asked(), event("answer", 1, challenge="c1", ok=True)], ChallengeState.PASSED),
        ([asked(), event("answer", 1, challenge="c1", ok=False)], ChallengeState.REFUSED),
        ([asked(30)], ChallengeState.ASKED),
        ([asked(31), sent(30.5)], ChallengeState.LEFT),
    ],
)
def test_a_challenge_is_in_the_state_its_events_say(
    timeline: list[AnyEvent], state: ChallengeState
) -> None:
    assert [line.state for line in lines(*timeline)] == [state]


def test_the_last_answer_counts() -> None:
    (line,) = lines(
        asked(),
        event("answer", 2, challenge="c1", ok=False, reason="wrong"),
        event("answer", 1, challenge="c1", ok=True),
    )

    assert line.state is ChallengeState.PASSED
    assert line.reason == ""
    assert line.ended_at == ago(1)


def test_a_refusal_says_why() -> None:
    (line,) = lines(asked(), event("answer", 2, challenge="c1", ok=False, reason="expired"))

    assert line.reason == "expired"


def test_a_line_tells_rule_factor_channel_and_how_many_were_sent() -> None:
    (line,) = lines(asked(), sent(2, 1), sent(1, 2))

    assert (line.rule, line.factor, line.channel, line.to) == ("new-ip", "sms", "sms", "•••• 21")
    assert line.sends == 2
    assert line.ip == "::1"


def test_events_of_another_challenge_do_not_count() -> None:
    first, second = lines(
        asked(5, "c1"),
        asked(3, "c2"),
        sent(2, 1, "c2"),
        event("answer", 1, challenge="c2", ok=True),
    )

    assert (first.challenge, first.state, first.sends) == ("c1", ChallengeState.ASKED, 0)
    assert (second.challenge, second.state, second.sends) == ("c2", ChallengeState.PASSED, 1)


def test_a_poor_log_gives_empty_words() -> None:
    (line,) = lines(event("challenge", 1, challenge="c1"))

    assert (line.rule, line.factor, line.channel, line.to, line.ip) == ("", "", "", "", "")
