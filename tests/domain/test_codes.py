"""The code clock: which of several codes counts, and until when."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from helpdesk.domain.codes import CodeClock, CodeState, code_clock
from helpdesk.domain.products import Fact, Product
from helpdesk.domain.timeline import AnyEvent
from tests.factories import CARDS, NOW, ago, event

PORTAL = CARDS["partner-portal"]
"""Five minutes of life, two of waiting, silent about newer codes."""

SILENT = CARDS["lead-gen-crm"]
"""Gives no figure at all."""


def newest_only(card: Product) -> Product:
    codes = msgspec.structs.replace(card.codes, newest_only=Fact(value=True))
    return msgspec.structs.replace(card, codes=codes)


def send(number: int, minutes: float, challenge: str | None = "c1", **keys: object) -> AnyEvent:
    given = {"channel": "email", "challenge": challenge} | keys
    return event("send", minutes, send=f"s{number}", **given)


def states(clock: CodeClock) -> list[CodeState]:
    return [code.state for code in clock.codes]


def test_a_fresh_code_is_live_until_the_cards_life_is_over() -> None:
    clock = code_clock(PORTAL, [send(1, 1)], NOW)

    assert clock.live is not None
    assert clock.live.expires_at == ago(-4)


@pytest.mark.parametrize(
    ("minutes", "state"), [(4.99, CodeState.LIVE), (5, CodeState.EXPIRED), (60, CodeState.EXPIRED)]
)
def test_a_code_dies_on_the_minute(minutes: float, state: CodeState) -> None:
    assert states(code_clock(PORTAL, [send(1, minutes)], NOW)) == [state]


def test_what_the_send_says_of_its_end_counts_before_the_card() -> None:
    expires = (NOW - timedelta(seconds=1)).isoformat()

    clock = code_clock(PORTAL, [send(1, 1, expires_at=expires)], NOW)

    assert states(clock) == [CodeState.EXPIRED]


def test_where_no_life_is_documented_none_is_invented() -> None:
    clock = code_clock(SILENT, [send(1, 600)], NOW)

    assert clock.life_s is None
    assert clock.live is not None
    assert clock.live.expires_at is None
    assert clock.live.why == "its life is not documented"


def test_a_newer_code_leaves_the_older_in_doubt_where_the_source_is_silent() -> None:
    clock = code_clock(PORTAL, [send(1, 3), send(2, 1)], NOW)

    assert states(clock) == [CodeState.OLDER, CodeState.LIVE]
    assert "not documented" in clock.codes[0].why
    assert clock.voids is None


def test_a_newer_code_voids_the_older_where_the_card_says_so() -> None:
    clock = code_clock(newest_only(PORTAL), [send(1, 3), send(2, 1)], NOW)

    assert states(clock) == [CodeState.VOID, CodeState.LIVE]
    assert clock.voids is True


def test_a_code_for_another_page_on_another_channel_voids_nothing() -> None:
    sends = [send(1, 3, "c1", channel="email"), send(2, 1, "c2", channel="sms")]

    assert states(code_clock(newest_only(PORTAL), sends, NOW)) == [CodeState.LIVE, CodeState.LIVE]


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("superseded", CodeState.VOID),
        ("expired", CodeState.EXPIRED),
        ("reused", CodeState.USED),
        ("wrong", CodeState.LIVE),
    ],
)
def test_the_products_own_refusal_tells_what_became_of_a_code(
    reason: str, state: CodeState
) -> None:
    refused = event("answer", 0.5, challenge="c1", ok=False, reason=reason, send="s1")

    assert states(code_clock(SILENT, [send(1, 1), refused], NOW)) == [state]


def test_a_code_that_was_answered_well_is_used() -> None:
    good = event("answer", 0.5, challenge="c1", ok=True)

    clock = code_clock(PORTAL, [send(1, 1), good], NOW)

    assert states(clock) == [CodeState.USED]
    assert clock.live is None


def test_an_answer_that_names_no_send_used_the_newest() -> None:
    good = event("answer", 0.5, challenge="c1", ok=True)

    clock = code_clock(PORTAL, [send(1, 3), send(2, 1), good], NOW)

    assert states(clock) == [CodeState.OLDER, CodeState.USED]


def test_an_answer_that_names_its_send_used_that_one() -> None:
    good = event("answer", 0.5, challenge="c1", ok=True, send="s1")

    clock = code_clock(PORTAL, [send(1, 3), send(2, 1), good], NOW)

    assert states(clock) == [CodeState.USED, CodeState.LIVE]


@pytest.mark.parametrize("state", ["bounced", "suppressed", "failed"])
def test_a_message_that_never_came_is_not_live(state: str) -> None:
    lost = event("delivery", 0.9, send="s1", state=state, code="550")

    clock = code_clock(PORTAL, [send(1, 1), lost], NOW)

    assert states(clock) == [CodeState.UNDELIVERED]
    assert clock.codes[0].why == f"{state} (550)"


def test_the_time_of_delivery_is_kept() -> None:
    came = event("delivery", 0.5, send="s1", state="delivered")

    clock = code_clock(PORTAL, [send(1, 1), came], NOW)

    assert clock.codes[0].delivered_at == ago(0.5)


def test_a_confirmation_sms_is_no_code() -> None:
    confirmation = send(1, 1, channel="sms", purpose="confirmation")

    clock = code_clock(CARDS["sms-2fa"], [confirmation], NOW)

    assert clock.codes == ()


@pytest.mark.parametrize(("minutes", "held"), [(0.5, True), (1.99, True), (2, False)])
def test_the_next_code_may_go_out_after_the_cards_wait(minutes: float, held: bool) -> None:
    clock = code_clock(PORTAL, [send(1, minutes)], NOW)

    assert (clock.next_send_at is not None) is held
    assert clock.next_send_at in {None, ago(minutes - 2)}


def test_without_a_documented_wait_nothing_holds_a_code_back() -> None:
    clock = code_clock(SILENT, [send(1, 0.1)], NOW)

    assert clock.next_send_at is None
    assert clock.wait_s is None


def test_yesterday_and_tomorrow_are_left_out() -> None:
    clock = code_clock(SILENT, [send(1, 24 * 60 + 1), send(2, -1)], NOW)

    assert clock.codes == ()
