"""A case stays on watch until the customer is in; a stranger's first entry raises the alarm."""

from __future__ import annotations

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.diagnosis.verdicts import RankedCause, Strength, Verdict
from helpdesk.domain.watch import Watch, WatchState, watch
from tests.factories import ago, case, event

RESET = event("reset", 60, ok=True, by="agent", scope="all")


def verdict(cause: str, strength: Strength = Strength.STRONG) -> Verdict:
    """Give a verdict of one cause."""
    return Verdict(causes=(RankedCause(id=cause, title="", p=0.8, strength=strength),))


def done(act: str, minutes: float, result: Result = Result.DONE) -> LogRow:
    """Give a row of the log."""
    return LogRow(
        seq=1, at=ago(minutes), agent="dana", role=Role.SUPPORT, act=act, user="u1", result=result
    )


def test_a_case_without_a_reset_is_not_watched() -> None:
    assert watch(case(), None) is None


def test_after_a_reset_the_case_waits_for_the_customer() -> None:
    assert watch(case("sms-2fa", RESET), None) == Watch(state=WatchState.WAITING, since=ago(60))


@pytest.mark.parametrize("act", ["reset-factor", "turn-off-mfa", "temporary-pass", "change-mobile"])
def test_what_the_desk_opened_or_moved_is_watched_too(act: str) -> None:
    found = watch(case(log=(done(act, 5),)), None)

    assert found == Watch(state=WatchState.WAITING, since=ago(5))


@pytest.mark.parametrize(
    "row", [done("send-code", 5), done("unlock", 5), done("reset-all", 5, Result.REFUSED)]
)
def test_what_opened_nothing_is_not_watched(row: LogRow) -> None:
    assert watch(case(log=(row,)), None) is None


@pytest.mark.parametrize(
    "entry",
    [
        event("answer", 50, challenge="c1", ok=True),
        event("session", 50, state="created"),
    ],
)
def test_a_good_login_ends_the_watch(entry: object) -> None:
    assert watch(case("sms-2fa", RESET, entry), None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entry",
    [
        event("answer", 50, challenge="c1", ok=False),
        event("session", 50, state="missing"),
        event("answer", 70, challenge="c1", ok=True),
    ],
)
def test_a_bad_or_an_earlier_login_does_not_end_it(entry: object) -> None:
    found = watch(case("sms-2fa", RESET, entry), None)  # type: ignore[arg-type]

    assert found is not None
    assert found.state is WatchState.WAITING


def test_a_reset_that_failed_is_not_watched() -> None:
    assert watch(case("sms-2fa", event("reset", 60, ok=False)), None) is None


def test_after_a_week_one_waits_no_longer() -> None:
    old = event("reset", 8 * 24 * 60, ok=True)

    assert watch(case("sms-2fa", old), None) is None


def test_a_takeover_raises_the_alarm_even_though_the_login_was_good() -> None:
    entry = event("answer", 50, challenge="c1", ok=True)

    found = watch(case("sms-2fa", RESET, entry), verdict("F4"))

    assert found == Watch(state=WatchState.ALARM, since=ago(60))


def test_a_weak_suspicion_and_another_cause_raise_none() -> None:
    entry = event("answer", 50, challenge="c1", ok=True)
    it = case("sms-2fa", RESET, entry)

    assert watch(it, verdict("F4", Strength.WEAK)) is None
    assert watch(it, verdict("F3")) is None


def test_a_takeover_that_shares_its_weight_with_the_caller_still_raises_the_alarm() -> None:
    causes = tuple(
        RankedCause(id=name, title="", p=p, strength=Strength.WEAK)
        for name, p in (("F3", 0.5), ("F4", 0.4))
    )
    hostile = Verdict(causes=causes, is_hostile=True)

    found = watch(case("sms-2fa", RESET), hostile)
    calm = watch(case("sms-2fa", RESET), Verdict(causes=causes))

    assert found is not None
    assert found.state is WatchState.ALARM
    assert calm == Watch(state=WatchState.WAITING, since=ago(60))
