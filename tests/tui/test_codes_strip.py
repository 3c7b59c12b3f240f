"""The codes strip: why a code is dead, where it went, what a new one would do."""

from __future__ import annotations

import pytest

from helpdesk.domain.cases import Case
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import MfaState
from helpdesk.tui.render.codes import codes
from tests.factories import CARDS, MAIL, NOW, ago, case, event, user


def sent(minutes: float, name: str, to: str = "m•••@northwind.example") -> AnyEvent:
    """A code sent by e-mail so many minutes ago."""
    return event("send", minutes, send=name, challenge="c1", channel="email", to=to)


def strip(of: Case, *, brief: bool = False, width: int = 120) -> str:
    return codes(of, CARDS[of.user.product], NOW, width, brief=brief).plain


def test_a_dead_code_says_why_once_for_several() -> None:
    shown = strip(case("activecampaign", sent(4, "s1"), sent(3, "s2"), sent(2, "s3")))

    assert shown.count("a newer one was sent") == 1
    assert shown.index("a newer one was sent") < shown.index("LIVE")


def test_an_undelivered_code_says_what_the_carrier_said() -> None:
    bounced = event("delivery", 1, send="s1", state="bounced", code="550")

    assert "✗ undelivered: bounced (550)" in strip(case("activecampaign", sent(2, "s1"), bounced))


@pytest.mark.parametrize(
    ("to", "login", "is_warned"),
    [
        ("c•••@agency.example", "maya@northwind.example", True),
        ("m•••@northwind.example", "maya@northwind.example", False),
        ("maya@northwind.example", "m•••@northwind.example", False),
        (MAIL, "•••", False),
    ],
)
def test_a_code_that_went_elsewhere_is_warned_of(to: str, login: str, is_warned: bool) -> None:
    shown = strip(case(user("partner-portal", login=login), sent(1, "s1", to)))

    assert ("not to the login address" in shown) is is_warned
    assert "went to" in shown
    assert "maya@" not in shown


def test_what_a_new_code_does_to_the_live_one_is_said_while_there_is_one() -> None:
    voiding = {card.codes.newest_only.value: product for product, card in CARDS.items()}
    assert None in voiding

    for voids, product in voiding.items():
        shown = strip(case(product, sent(1, "s1")))
        if voids is None:
            assert "newer voids older" in shown
            assert "not documented" in shown
        else:
            assert "the live one" in shown


def test_a_short_strip_keeps_the_live_code_and_the_next() -> None:
    of = case("activecampaign", *(sent(9 - n, f"s{n}") for n in range(8)))

    shown = strip(of, brief=True)

    assert "LIVE" in shown
    assert shown.count("void") + shown.count("older") <= 2
    assert "went to" not in shown


def test_without_any_code_the_rules_stand_alone() -> None:
    shown = strip(case(user("lead-gen-crm", mfa=MfaState.OFF)))

    assert shown.startswith("no code sent in 24 h")
    assert "life, wait, newer voids older not documented" in shown


def test_an_expired_code_says_no_more_than_that() -> None:
    gone = event("send", 20, send="s1", channel="sms", to="•••• 21", expires_at=ago(15).isoformat())

    assert "○ expired   " in f"{strip(case('sms-2fa', gone))}   "
    assert "expired:" not in strip(case("sms-2fa", gone))
