"""How values look, without a screen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.content import Content

from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.events import decode_timeline
from helpdesk.tui.render.case import may_i_reasons, papers
from helpdesk.tui.render.events import per_hour, timeline_lines
from helpdesk.tui.render.rows import LOG, USERS, Scene, widths
from helpdesk.tui.render.values import (
    ago,
    badge,
    bar,
    clock,
    entry,
    fit,
    flow,
    hanging,
    m_ss,
    show,
    sparkline,
)
from helpdesk.tui.render.weighing import steps_of
from tests import factories
from tests.tui.console import NOW


@pytest.mark.parametrize("text", ["Ada", "陳美玲陳美玲陳美玲", "محمد الحسيني", "e\u0301" * 9, ""])
@pytest.mark.parametrize("width", [1, 2, 5, 12])
def test_a_text_fits_exactly_whatever_its_script(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


def test_what_is_cut_ends_in_an_ellipsis() -> None:
    assert fit("Northwind Travel", 10) == "Northwind…"


def test_nothing_shown_is_read_as_markup() -> None:
    assert show("[b]x[/b] [@click=app.quit]y").plain == "[b]x[/b] [@click=app.quit]y"
    assert not show("[b]x[/b]").spans


def test_rows_break_between_parts_only() -> None:
    parts = [Content("aaaa"), Content("bbbb"), Content(""), Content("cccc")]

    assert flow(parts, 12).plain == "aaaa   bbbb\ncccc"


def test_a_long_text_stays_beside_its_head() -> None:
    lines = hanging([entry("why", Content("one two three four five six"))], 24).plain.splitlines()

    assert lines[0].startswith("why       one two")
    assert all(line.startswith(" " * 10) for line in lines[1:])
    assert max(map(len, lines)) <= 24


LONG = (
    "The customer waits at the door of the theatre and reads every number out twice. " * 3,
    "الزبون ينتظر عند باب المسرح ويقرأ كل رقم مرتين بصوت عال ثم يسأل من جديد. " * 3,
    "הלקוח ממתין ליד דלת התיאטרון וקורא כל מספר פעמיים ואז שואל שוב. " * 3,
    "顧客在劇院門口等候並且把每一個號碼都大聲讀了兩遍然後又問了一次" * 4,
)
COLUMNS = (34, 76, 118)
"""Cells of a part of the case in 80, 130 and 200 columns, of the narrowest and the widest."""


def goes_on_beneath(shown: str, head: str, width: int) -> bool:
    """Whether the text after a head is broken, and goes on beneath its first word to its end."""
    lines = shown.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(head))
    beneath = lines[at + 1 :]
    indent = " " * cell_len(head)
    fits = all(cell_len(line) <= width for line in lines)
    hangs = all(line.startswith(indent) and line[len(indent)] != " " for line in beneath)
    return fits and hangs and len(beneath) > 0


@pytest.mark.parametrize("width", COLUMNS)
@pytest.mark.parametrize("text", LONG)
def test_every_text_of_a_case_goes_on_beneath_its_first_word(text: str, width: int) -> None:
    case = factories.case(tickets=(factories.ticket(notes=(text,)),))
    refused = Decision(act="reset-all", weight=Weight.REFUSED, why=text, instead="Ask Priya.")
    reasons = may_i_reasons(replace(case, decisions=(refused,)), {"reset-all": ("R", "Reset all")})

    assert goes_on_beneath(papers(case, NOW, width).plain, "  › ", width)
    assert goes_on_beneath(hanging(reasons, width).plain, "✗ R  ", width)


def test_a_note_that_went_on_no_ticket_is_shown_and_one_that_did_is_shown_once() -> None:
    rows = tuple(
        LogRow(
            seq=seq,
            at=NOW,
            agent="dana",
            role=Role.SUPPORT,
            act="note",
            user="u1",
            result=Result.DONE,
            says=says,
        )
        for seq, says in ((2, "called once more"), (1, "use the newest"))
    )
    case = factories.case(tickets=(factories.ticket(notes=("use the newest",)),), log=rows)

    shown = papers(case, NOW, 80).plain

    assert shown.count("called once more") == 1
    assert shown.count("use the newest") == 1


def test_spans_are_told_in_minutes_and_seconds() -> None:
    assert [m_ss(s) for s in (-3, 0, 59.9, 161, 3_725)] == [
        "0:00",
        "0:00",
        "0:59",
        "2:41",
        "1:02:05",
    ]


def test_moments_are_told_relative_and_by_the_clock() -> None:
    assert ago(NOW - timedelta(minutes=14), NOW) == "14 min ago"
    assert ago(NOW + timedelta(hours=3), NOW) == "in 3 h"
    assert clock(NOW, NOW, seconds=True) == "14:05:00"
    assert clock(NOW - timedelta(days=2), NOW) == "02 May 14:05"
    assert clock(NOW - timedelta(days=400), NOW) == "2025-03-30"


def test_small_numbers_bars_and_days_are_drawn_in_cells() -> None:
    assert (badge(0), badge(6), badge(140)) == ("", "⁶", "⁹⁹⁺")
    assert (bar(1.0), bar(0.5), bar(-1)) == ("▓▓▓▓▓▓▓▓", "▓▓▓▓░░░░", "░░░░░░░░")
    assert sparkline([0, 1, 6]) == "▁▃█"
    assert sparkline([]) == ""


def test_numbered_steps_are_taken_apart_in_order() -> None:
    text = "Ask Priya. 1. Open Settings. 2. Take version 2. 0 first. 3. Press Reset."

    sentence, steps = steps_of(text)

    assert sentence == "Ask Priya."
    assert steps == ("Open Settings.", "Take version 2. 0 first.", "Press Reset.")
    assert steps_of("No steps here.") == ("No steps here.", ())


def test_what_is_new_in_the_timeline_is_marked_by_a_word() -> None:
    events = decode_timeline(
        [
            {"at": "2026-05-04T13:00:00Z", "kind": "password", "ok": True, "ip": "192.0.2.1"},
            {"at": "2026-05-04T13:10:00Z", "kind": "password", "ok": True, "ip": "192.0.2.1"},
            {"at": "2026-05-04T13:20:00Z", "kind": "password", "ok": False, "ip": "192.0.2.9"},
        ]
    )

    newest, middle, oldest = timeline_lines(events)

    assert newest[3] == (("192.0.2.9 NEW", "warn"),)
    assert middle[3] == oldest[3] == (("192.0.2.1", "quiet"),)
    assert newest[1] == "password wrong"


def test_an_event_of_an_unknown_kind_is_shown_by_its_name() -> None:
    (line,) = timeline_lines(decode_timeline([{"at": "2026-05-04T13:00:00Z", "kind": "moonrise"}]))

    assert line[1] == "moonrise"


def test_the_day_is_counted_hour_by_hour() -> None:
    events = decode_timeline(
        [
            {"at": "2026-05-04T13:59:00Z", "kind": "send", "send": "s1", "channel": "sms"},
            {"at": "2026-05-03T15:00:00Z", "kind": "answer", "challenge": "c", "ok": True},
            {"at": "2026-05-01T15:00:00Z", "kind": "answer", "challenge": "c", "ok": True},
        ]
    )

    counts = per_hour(events, NOW)

    assert len(counts) == 24
    assert (counts[23], counts[0], sum(counts)) == (1, 1, 2)


@pytest.mark.parametrize("total", [10, 32, 40, 66, 120])
def test_columns_share_the_width_exactly(total: int) -> None:
    given = widths(USERS, total)

    used = sum(width for _, width in given) + len(given) - 1
    assert used == total or total < 26


@pytest.mark.parametrize(
    ("act", "says"),
    [("turn-off-mfa", "Turn MFA off"), ("prove", "Verify caller"), ("of-later", "of-later")],
)
def test_the_log_names_acts_as_the_screen_does(act: str, says: str) -> None:
    row = LogRow(
        seq=1, at=NOW, agent="dana", role=Role.SUPPORT, act=act, user="u1", result=Result.DONE
    )
    column = next(column for column in LOG if column.title == "Act")

    assert column.cell(row, Scene({}, NOW)).text == says
