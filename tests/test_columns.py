"""Lists of the command line in the width of a terminal, and whole where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpdesk.columns import cells_of, table
from tests.conftest import Run
from tests.tui.pseudo import Terminal, needs_pty, python

ROWS = (("u1", "Maya Okafor, of the agency in the north"), ("u2", "高橋 さくら 高橋 さくら"))


def test_where_nothing_needs_to_be_cut_nothing_is() -> None:
    assert table(ROWS, "user name", room=45) == table(ROWS, "user name")


@pytest.mark.parametrize("room", range(14, 46))
def test_the_widest_column_is_cut_and_no_other(room: int) -> None:
    head, latin, wide = table(ROWS, "user name", room=room).split("\n")

    assert (head[:10], latin[:6], wide[:6]) == ("USER  NAME", "u1    ", "u2    ")
    assert len(latin) <= room
    assert latin.endswith("…") == (room < 45)
    assert cells_of(wide) <= room


def test_columns_of_ids_stay_legible_where_there_is_hardly_any_room() -> None:
    lines = table([("u1234567", "x" * 60, "y" * 60)], room=5).split("\n")

    assert lines == ["u1234567  xxxxxxx…  yyyyyyy…"]


@needs_pty
@pytest.mark.parametrize("command", ["find", "tickets", "challenges", "loops"])
def test_a_list_is_as_wide_as_its_terminal(tmp_path: Path, command: str) -> None:
    asked = python("helpdesk", "--desk", "demo", command)
    with Terminal(asked, tmp_path, size=(70, 24)) as terminal:
        terminal.until("in all")
        lines = [line for line in terminal.shown.split("\r\n") if "in all" not in line]

    assert lines[0].split()[0] in {"USER", "TICKET", "AT", "REPORT"}
    assert max(map(cells_of, lines)) <= 70
    assert any("…" in line for line in lines)


def test_where_there_is_no_terminal_nothing_is_cut(run: Run) -> None:
    _, out, _ = run("tickets", desk="demo")

    assert "I am the administrator and my own phone is gone" in out
