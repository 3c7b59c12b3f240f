"""The table of keys: whole, without doubles, and the only one."""

from __future__ import annotations

from pathlib import Path

import helpdesk.tui
from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.tui.keys import KEYS, Where, key_of, keys_of, markdown


def test_every_act_has_one_key() -> None:
    acts = [key.act for key in KEYS if key.act]

    assert sorted(acts) == sorted(ACTIONS)


def test_no_key_does_two_things_in_one_place() -> None:
    for where in Where:
        keys = [key.key for key in keys_of(where)]

        assert len(keys) == len(set(keys))


def test_every_key_is_explained_by_a_sentence() -> None:
    assert all(key.says.endswith(".") and key.says[0].isupper() for key in KEYS)
    assert all(key.label for key in KEYS)


def test_the_readme_table_has_a_row_for_every_key() -> None:
    table = markdown()

    assert all(f"| `{key.shown}` |" in table for key in KEYS)
    assert "| `R` | Reset all | Remove all factors" in table


def test_upper_and_lower_case_are_told_apart_where_it_is_dangerous() -> None:
    dangerous = {key_of(act) for act, kind in ACTIONS.items() if kind.risk is Risk.HIGH}

    assert "s" not in dangerous
    assert key_of("reset-all") == "R"


def test_no_style_sheet_names_a_colour() -> None:
    styles = Path(helpdesk.tui.__file__).parents[2] / "styles"
    sheets = sorted(styles.glob("*.tcss"))

    assert {sheet.stem for sheet in sheets} == {
        "app", "approvals", "challenges", "desk", "dialogs", "log", "loops",
        "stage", "training",
    }  # fmt: skip
    for sheet in sheets:
        for line in sheet.read_text("utf-8").splitlines():
            value = line.partition(":")[2] if ";" in line else ""
            assert "#" not in value.partition("{")[0] or "&" in line, f"{sheet.name}: {line}"


def test_no_widget_brings_its_own_style_sheet() -> None:
    own = Path(helpdesk.tui.__file__).parent

    assert not [p.name for p in own.rglob("*.py") if "DEFAULT_CSS" in p.read_text("utf-8")]
