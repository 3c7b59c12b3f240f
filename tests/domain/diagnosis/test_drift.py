"""The drift meter: what one code, or two in a row, say of a phone's clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pyotp
import pytest

from helpdesk.domain.diagnosis.drift import FAR_STEPS, STEP_S, DriftState, measure

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 5, 4, 14, 5, 19, tzinfo=UTC)
STEP = int(NOW.timestamp()) // STEP_S
OTP = pyotp.TOTP(SECRET)


def code_at(step: int) -> str:
    return OTP.at(step * STEP_S)


def test_a_right_code_is_right() -> None:
    drift = measure([code_at(STEP)], code_at, NOW)

    assert drift.state is DriftState.RIGHT


@pytest.mark.parametrize("offset", [-1, 1])
def test_the_step_before_and_after_count_as_right(offset: int) -> None:
    drift = measure([code_at(STEP + offset)], code_at, NOW)

    assert drift.state is DriftState.RIGHT
    assert drift.offset_s == offset * STEP_S


def test_a_step_that_was_used_already_says_how_long_to_wait() -> None:
    drift = measure([code_at(STEP)], code_at, NOW, used_step=STEP)

    assert drift.state is DriftState.USED
    assert drift.wait_s == STEP_S - int(NOW.timestamp()) % STEP_S
    assert "Wait 11 s" in drift.says


@pytest.mark.parametrize("offset", [3, -4, FAR_STEPS])
def test_a_far_code_asks_for_a_second_before_it_says_anything(offset: int) -> None:
    drift = measure([code_at(STEP + offset)], code_at, NOW)

    assert drift.state is DriftState.SECOND_CODE
    assert drift.offset_s is None


@pytest.mark.parametrize(("offset", "way"), [(3, "90 s fast"), (-4, "120 s slow")])
def test_two_codes_with_one_offset_give_the_drift(offset: int, way: str) -> None:
    codes = [code_at(STEP + offset - 1), code_at(STEP + offset)]

    drift = measure(codes, code_at, NOW)

    assert drift.state is DriftState.DRIFTED
    assert drift.offset_s == offset * STEP_S
    assert way in drift.says


def test_two_codes_of_different_offsets_are_no_match() -> None:
    drift = measure([code_at(STEP + 9), code_at(STEP - 5)], code_at, NOW)

    assert drift.state is DriftState.NO_MATCH


def test_a_code_of_another_secret_fits_nowhere() -> None:
    other = pyotp.TOTP("NB2W45DFOIZA2345NB2W45DFOIZA2345")

    drift = measure([other.at(NOW)], code_at, NOW)

    assert drift.state is DriftState.NO_MATCH
    assert "old entry" in drift.says


def test_many_users_with_one_offset_are_our_clock() -> None:
    codes = [code_at(STEP + 2), code_at(STEP + 3)]

    drift = measure(codes, code_at, NOW, others_s=[91, 88, 300])

    assert drift.state is DriftState.SERVER
    assert "our clock" in drift.says


@pytest.mark.parametrize("code", ["", "12", "abcdef", "１２３４５６", "123456789"])
def test_what_is_no_code_is_said_to_be_none(code: str) -> None:
    drift = measure([code], code_at, NOW)

    assert drift.state is DriftState.MALFORMED


def test_spaces_in_a_code_do_not_matter() -> None:
    code = code_at(STEP)

    drift = measure([f" {code[:3]} {code[3:]} "], code_at, NOW)

    assert drift.state is DriftState.RIGHT


def test_a_wrong_code_matches_by_chance_no_oftener_than_promised() -> None:
    drift = measure([code_at(STEP + 5)], code_at, NOW)

    assert 0 < drift.chance <= 0.00003


def test_random_pairs_of_codes_are_never_taken_for_a_drift() -> None:
    dice = random.Random(7)
    pairs = [[f"{dice.randrange(10**6):06}" for _ in range(2)] for _ in range(2_000)]

    states = {measure(pair, code_at, NOW).state for pair in pairs}

    assert DriftState.DRIFTED not in states
