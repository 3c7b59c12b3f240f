"""Everybody is told: every address, those of three days ago too, and how to say it wasn't me."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.notices import (
    WORDS,
    Channel,
    Notice,
    Posted,
    addresses,
    bare_notice,
    by_row,
    notices_of,
    told_line,
    tray_row,
)
from tests.factories import CARDS, MAIL, MOBILE, NOW, action, ago, event, factor, user

CARD = CARDS["lead-gen-crm"]
TOLD = sorted(str(kind.__struct_config__.tag) for kind in WORDS)


def notices(act: str = "reset-all", earlier: tuple[Notice, ...] = (), **keys: Any) -> list[Notice]:
    return list(notices_of(action(act, **keys), CARD, user(), earlier, NOW, seq=7))


def notice(to: str, minutes: float, **keys: Any) -> Notice:
    given: dict[str, Any] = {
        "id": "n1-1", "seq": 1, "user": "u1", "act": "change-address", "channel": Channel.EMAIL,
        "subject": "s", "body": "b",
    }  # fmt: skip
    return Notice(at=ago(minutes), to=to, **given | keys)


def test_all_changes_to_how_one_proves_oneself_are_told() -> None:
    assert TOLD == [
        "change-address", "change-mobile", "enrol-totp", "reset-all", "reset-factor",
        "resume-factor", "suspend-factor", "temporary-pass", "turn-off-mfa", "turn-on-mfa",
    ]  # fmt: skip


@pytest.mark.parametrize("act", sorted(set(ACTIONS) - set(TOLD)))
def test_of_other_acts_nobody_is_told(act: str) -> None:
    assert notices(act) == []


@pytest.mark.parametrize("act", TOLD)
def test_every_address_is_told_once(act: str) -> None:
    told = notices(act)

    assert sorted(each.to for each in told) == [
        MOBILE, "maya.okafor@northwind.example", MAIL,
    ]  # fmt: skip
    assert {each.seq for each in told} == {7}
    assert len({each.id for each in told}) == 3


def test_the_new_address_is_told_beside_the_old_one() -> None:
    moved = notices("change-address", address="new@northwind.example")
    ported = notices("change-mobile", mobile="+44 7700 900999")

    assert {MAIL, "new@northwind.example"} <= {each.to for each in moved}
    assert {MOBILE, "+44 7700 900999"} <= {each.to for each in ported}


def test_the_same_address_written_in_two_ways_is_one() -> None:
    person = user(
        login="Maya@Northwind.example", notification_address="maya@northwind.example",
        mobile="+44 7700 900321", factors=(factor("sms"),),
    )  # fmt: skip

    assert addresses(person, None, (), NOW) == ("Maya@Northwind.example", "+44 7700 900321")


@pytest.mark.parametrize(("hours", "is_told"), [(1, True), (71.9, True), (72.1, False)])
def test_who_was_told_in_the_last_three_days_is_told_again(hours: float, is_told: bool) -> None:
    before = notice("gone@northwind.example", hours * 60)

    told = [each.to for each in notices(earlier=(before,))]

    assert ("gone@northwind.example" in told) is is_told


def test_another_users_addresses_are_not_told() -> None:
    before = notice("other@northwind.example", 5, user="u2")

    assert "other@northwind.example" not in [each.to for each in notices(earlier=(before,))]


def test_without_any_address_the_lack_is_on_record() -> None:
    nobody = user(login="maya", notification_address=None, mobile=None, factors=(factor("totp"),))

    (only,) = notices_of(action("reset-all"), CARD, nobody, (), NOW, seq=7)

    assert (only.channel, only.to) == (Channel.NONE, "")
    assert told_line(nobody, None, (), (), NOW).startswith("Nobody can be told")


@pytest.mark.parametrize("act", TOLD)
def test_a_notice_says_what_when_and_how_to_object(act: str) -> None:
    for each in notices(act, ticket="#4821"):
        assert WORDS[ACTIONS[act]] in each.subject
        assert "2026-05-04 14:05 UTC" in each.body
        assert "this wasn't me, reference 7" in each.body
        assert "\n" not in each.subject


def test_a_short_message_is_short_and_holds_no_name() -> None:
    (sms,) = [each for each in notices() if each.channel is Channel.SMS]

    assert len(sms.body) <= 320
    assert "Maya" not in sms.body


def test_a_hostile_name_makes_no_line_of_its_own() -> None:
    person = user(name="Maya\r\nBcc: all@evil.example\x1b[2J")

    told = notices_of(action("reset-all"), CARD, person, (), NOW, seq=7)

    assert not any("\nBcc" in each.body or "\x1b" in each.body for each in told)


def test_a_notice_is_shown_masked() -> None:
    shown = [tray_row(each).to for each in notices()]

    assert sorted(shown) == ["m•••@northwind.example", "m•••@northwind.example", "•••• 21"]


def test_the_preview_says_who_is_told_masked() -> None:
    line = told_line(user(), action("reset-all"), (), (), NOW)

    assert "•••• 21" in line
    assert "900321" not in line
    assert "maya" not in line


@pytest.mark.parametrize(
    ("change", "by", "hours", "is_said"),
    [
        ("address-changed", "user", 1, True),
        ("number-changed", "user", 71, True),
        ("number-changed", "user", 73, False),
        ("number-changed", "agent", 1, False),
        ("enrolled", "user", 1, False),
    ],
)
def test_an_address_before_ours_is_said_to_be_unknown(
    change: str, by: str, hours: int, is_said: bool
) -> None:
    timeline = [event("factor", hours * 60, change=change, by=by)]

    line = told_line(user(), action("reset-all"), (), timeline, NOW)

    assert ("is not known here and is not told" in line) is is_said


def test_a_bare_notice_keeps_only_that_it_was() -> None:
    bare = bare_notice(notice(MAIL, 5, state=Posted.SENT))

    assert (bare.to, bare.user, bare.body, bare.subject) == ("", "", "", "")
    assert (bare.state, bare.act, bare.seq) == (Posted.SENT, "change-address", 1)


def test_notices_are_found_by_their_row() -> None:
    one, two = notice(MAIL, 1, id="a", seq=3), notice(MOBILE, 1, id="b", seq=3)

    assert by_row([one, two]) == {3: (one, two)}
