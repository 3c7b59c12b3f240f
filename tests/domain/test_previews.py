"""What an act will do, said before it is done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.previews import factor_line, preview
from helpdesk.domain.users import MfaState
from tests.factories import CARDS, action, ago, case, event, factor, user


def shown(act: str, of: Case | str, **keys: object) -> Preview:
    it = case(of) if isinstance(of, str) else of
    return preview(action(act, **keys), CARDS[it.user.product], it)


def words(it: Preview) -> str:
    return " ".join((*it.goes, *it.stays, it.signed_out, it.told, it.then))


TWO = (factor("sms", "f1", since=ago(60 * 24)), factor("push", "f2"))


def test_a_factor_is_told_with_its_own_name_and_a_masked_number() -> None:
    line = factor_line(TWO[0], CARDS["lead-gen-crm"])

    assert line == "Text message with a one-time code •••• 21, active since 2026-05-03"


def test_resetting_all_says_what_goes_and_that_sessions_stay() -> None:
    it = shown("reset-all", case(user("constant-contact", factors=TWO)))

    assert len(it.goes) == 2
    assert it.stays == ("Password and account data",)
    assert "stay" in it.signed_out
    assert it.told
    assert "next login" in it.then


def test_resetting_one_says_which_stays() -> None:
    it = shown("reset-factor", case(user("constant-contact", factors=TWO)), factor="f2")

    assert [line.split()[0] for line in it.goes] == ["Push"]
    assert it.stays[0].startswith("Text message")


def test_turning_off_names_every_asking_that_ends() -> None:
    it = shown("turn-off-mfa", "sms-2fa")

    assert "password alone" in it.goes[0]
    assert "exported" in it.goes[1]
    assert "internet address" in it.goes[1]


def test_turning_on_without_save_only_confirms_the_number() -> None:
    it = shown("turn-on-mfa", case(user("sms-2fa", mfa=MfaState.OFF)), mobile="+447700900999")

    assert "•••• 99" in it.told
    assert "not a login code" in it.told
    assert "stays off" in it.stays[0]


def test_a_code_for_the_portal_lives_five_minutes_and_waits_may_outlast_it() -> None:
    it = shown("send-code", "partner-portal")

    assert "It lives 5 minutes." in it.then
    assert "outlast" in it.then
    assert "m•••@northwind.example" in it.told


def test_a_life_that_is_not_documented_is_said_to_be_so() -> None:
    assert "not documented" in shown("send-code", "lead-gen-crm").then


def test_an_earlier_code_is_named_with_its_doubt() -> None:
    it = shown("send-code", case("partner-portal", event("send", 3, send="s1", channel="email")))

    assert it.goes == ("Whether the code of 14:02 still works is not documented.",)


@pytest.mark.parametrize(
    ("product", "kind", "use"),
    [
        ("constant-contact", "push", "approves it on the device"),
        ("constant-contact", "voice", "answers the call"),
        ("lead-gen-crm", "voice", "types it in the box"),
        ("constant-contact", "sms", "types it in the box"),
    ],
)
def test_the_customer_is_told_what_to_do_with_what_comes(product: str, kind: str, use: str) -> None:
    it = case(user(product, factors=(factor(kind),)))

    assert use in shown("send-code", it).then


def test_moving_a_shared_mailbox_says_that_others_lose_it() -> None:
    it = shown("change-address", "partner-portal", address="new@agency.example")

    assert "m•••@northwind.example no longer gets codes." in it.goes
    assert any("Others who read" in line for line in it.stays)
    assert "n•••@agency.example" in it.then


def test_changing_a_number_sends_an_sms_that_is_no_code() -> None:
    it = shown("change-mobile", "sms-2fa", mobile="+447700900999")

    assert "•••• 99" in it.told
    assert "not a login code" in it.told


def test_ending_sessions_counts_them() -> None:
    it = shown("end-sessions", case(user("sms-2fa", sessions=2, remembered=1)))

    assert it.goes == ("Open sessions: 2", "Remembered browsers or addresses: 1")


def test_a_pass_for_a_lost_factor_says_what_ends_and_until_when_the_password_holds() -> None:
    of = case(user("constant-contact", factors=TWO))

    it = shown("temporary-pass", of, lost="f2")

    until = of.at + timedelta(days=3)
    assert it.goes[0].startswith("Push")
    assert it.goes[0].endswith("is disabled: it lets nobody in until it is resumed.")
    assert it.goes[1] == f"A password takes its place until {until:%Y-%m-%d %H:%M} UTC."
    assert [line.split()[0] for line in it.stays] == ["Text", "Password"]


def test_a_route_gives_the_steps_in_order_with_the_names_put_in() -> None:
    it = shown("route", "lead-gen-crm", to="administrator")

    assert "Priya Shah" in it.goes[0]
    assert [line[:2] for line in it.goes[1:]] == ["1.", "2.", "3.", "4.", "5."]
    assert "Find Maya Okafor." in it.goes[3]


@pytest.mark.parametrize("product", CARDS)
@pytest.mark.parametrize("act", ACTIONS)
def test_no_preview_shows_a_whole_number_or_address(act: str, product: str) -> None:
    it = case(user(product, factors=(*TWO, factor("email", "f3"), factor("totp", "f4"))))

    text = words(shown(act, it))

    assert "+447700900321" not in text
    assert "mfa@northwind.example" not in text
    assert "maya.okafor@" not in text
    assert "{" not in text


@pytest.mark.parametrize("act", ["note", "take-ticket", "close-ticket", "flag", "reveal"])
def test_what_changes_nothing_for_the_user_has_an_empty_preview(act: str) -> None:
    assert shown(act, "sms-2fa") == Preview()


@pytest.mark.parametrize(
    ("state", "chosen", "is_lifted"),
    [("bounced", "f1", True), ("delivered", "f1", False), ("bounced", "f2", False)],
)
def test_a_code_by_mail_says_that_what_keeps_mail_away_is_lifted(
    state: str, chosen: str, is_lifted: bool
) -> None:
    whose = user("activecampaign", factors=(factor("email", "f1"), factor("sms", "f2")))
    timeline = (
        event("send", 9, send="s1", channel="email", challenge="c1"),
        event("delivery", 8, send="s1", state=state),
    )

    it = shown("send-code", case(whose, *timeline), factor=chosen)

    assert ("the provider is asked to send to the address again" in words(it)) is is_lifted
