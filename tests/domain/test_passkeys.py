"""A passkey is a factor without a code: nothing is sent, nothing is read out, nothing mistyped."""

from __future__ import annotations

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.cases import Case
from helpdesk.domain.proofs import ways
from helpdesk.domain.search import parse
from helpdesk.domain.users import FactorKind
from tests.domain.diagnosis.stories import CC
from tests.domain.diagnosis.telling import Told, asked, ids, passed, typed
from tests.factories import NOW, case, factor, user, weigh


def holder(*more: str) -> Case:
    """A user with a passkey and factors of other kinds."""
    kinds = ("passkey", *more)
    factors = tuple(factor(kind, f"f{n}", to="Pixel 8") for n, kind in enumerate(kinds, 1))
    return case(user("constant-contact", factors=factors))


def test_a_passkey_is_named_and_nothing_is_sent_for_it() -> None:
    kind = FactorKind.PASSKEY

    assert (kind.words, kind.is_sent, kind.is_told) == ("Passkey", False, False)


def test_a_passkey_proves_no_caller() -> None:
    channels = [way.channel for way in ways(holder("totp"), None, NOW)]

    assert "f1" not in channels
    assert "f2" in channels


@pytest.mark.parametrize(
    ("others", "chosen", "says"),
    [
        ((), "", "No active factor takes a sent code. A passkey has no code"),
        (("sms",), "f1", "A passkey has no code: the device itself answers the page that asks."),
        (("totp",), "f2", "Nothing is ever sent for an authenticator app"),
    ],
)
def test_a_code_cannot_be_sent_for_a_passkey_and_it_says_why(
    others: tuple[str, ...], chosen: str, says: str
) -> None:
    decision = weigh(Role.SUPPORT, "send-code", holder(*others), factor=chosen)

    assert decision.is_refused
    assert says in decision.why


def test_a_passkey_is_reset_like_any_factor() -> None:
    decision = weigh(Role.SUPPORT, "reset-factor", holder(), factor="f1", reason="lost", ticket="1")

    assert not decision.is_refused


def test_challenges_are_found_by_passkey() -> None:
    assert parse("channel:passkey", ()).channel is FactorKind.PASSKEY


@pytest.mark.parametrize("reason", ["wrong", "expired", None])
def test_a_passkey_that_is_refused_is_no_code_mistyped_late_or_of_another_nor_a_lock(
    reason: str | None,
) -> None:
    had = {"factors": [{"id": "f1", "kind": "passkey", "state": "active"}]}
    rows = [
        *passed(3 * 24 * 60, "c1", factor="sms"),
        *asked(9, "c2", factor="passkey", sent=False),
        *typed(8.5, "c2", False, reason=reason),
        *asked(6, "c3", factor="passkey", sent=False),
        *typed(5.5, "c3", False, reason=reason),
    ]

    found = ids(Told(CC, "code-refused", rows, user=had).verdict)

    assert not {"D1", "D2", "D3", "D4", "D5", "D6", "D7", "D9", "C12"} & {*found[:3]}
