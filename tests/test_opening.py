"""What is painted before the console is loaded, and what is not loaded before it is shown."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.color import Color, ColorSystem
from textual.theme import Theme

from helpdesk import opening
from helpdesk.config import config_directory
from helpdesk.tui.themes import THEMES
from tests.tui.pseudo import Terminal, needs_pty, python

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"

LATER = (
    "aiohttp", "alembic", "argparse", "cryptography", "helpdesk.answers", "helpdesk.cli",
    "helpdesk.domain.diagnosis.weigh", "helpdesk.fixture", "helpdesk.gateway", "helpdesk.plain",
    "helpdesk.tui.dialogs.act", "helpdesk.tui.dialogs.pages", "helpdesk.tui.dialogs.proving",
    "helpdesk.tui.palette", "helpdesk.tui.screens.approvals", "helpdesk.tui.screens.curtain",
    "helpdesk.tui.screens.lists", "helpdesk.tui.widgets.case_parts",
    "httpx", "humanize", "keyring", "litestar", "pyotp", "segno", "shtab", "smtplib", "sqlalchemy",
    "tinydb",
    "textual.widgets._data_table", "textual.widgets._markdown", "textual.widgets._text_area",
)  # fmt: skip
"""What the first frame must not wait for."""

SHOWN = """
import json, os, sys
from helpdesk.commands import opened
from helpdesk.opening import Wish

with opened(Wish(), keeps=True) as desk:
    from helpdesk.tui.app import HelpdeskApp

    class Shown(HelpdeskApp):
        def on_ready(self):
            self.loaded = sorted(sys.modules)
            self.exit()

    app = Shown(desk)
    app.run(headless=True)
print(json.dumps(app.loaded))
"""

ASLEEP = """
import os, time
from helpdesk import opening

opening.paint(opening.Wish(), os.environ)
os.write(2, b"HEEDED")
time.sleep(60)
"""


def test_what_the_first_frame_can_do_without_is_not_loaded_before_it(tmp_path: Path) -> None:
    places = {"HELPDESK_DATA_DIR": str(tmp_path), "HELPDESK_CONFIG_DIR": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-c", SHOWN], capture_output=True, check=True, env=_environment(places)
    )

    loaded = set(json.loads(run.stdout))
    assert "helpdesk.tui.screens.desk" in loaded
    assert loaded & set(LATER) == set()


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_empty_frame_has_the_colours_of_the_theme(theme: Theme) -> None:
    wanted = {
        "background": theme.background,
        "panel": theme.panel,
        "foreground": theme.foreground,
        "quiet": theme.variables["quiet"],
    }

    shown = opening.LOOKS[theme.name]

    for part, colour in wanted.items():
        full = Color.parse(colour or "")
        nearest = full.downgrade(ColorSystem.EIGHT_BIT).number
        assert shown[part] == (*full.get_truecolor(), nearest), part


@pytest.mark.parametrize("base", ["", "elsewhere"])
def test_the_theme_is_read_where_the_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.delenv("HELPDESK_CONFIG_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / base) if base else "")
    file = config_directory() / "helpdesk.toml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\ndesk = 'late.json'\ntheme = \"light\"  # bright\n[mail]\ndesk = 'x'\n")

    found = opening.settings({"HOME": str(tmp_path), "XDG_CONFIG_HOME": _set_to(base, tmp_path)})

    assert found == {"desk": "late.json", "theme": "light"}


@pytest.mark.parametrize(
    "given", [["list"], ["--desk"], ["--theme", "pink"], ["--help"], ["--desk", "--as"], ["-x"]]
)
def test_what_is_not_told_in_full_is_left_to_the_whole_parser(given: list[str]) -> None:
    assert opening.wished(given) is None


def test_the_options_of_the_console_are_understood_without_the_parser() -> None:
    wish = opening.wished(["--desk=a b.json", "--as", "lead", "--theme", "light"])

    assert wish is not None
    assert (wish.desk, wish.who, wish.theme) == ("a b.json", "lead", "light")


def test_without_a_terminal_nothing_is_painted(tmp_path: Path) -> None:
    places = {"HELPDESK_DATA_DIR": str(tmp_path), "HELPDESK_CONFIG_DIR": str(tmp_path)}

    run = subprocess.run(
        python("helpdesk"), capture_output=True, check=False, env=_environment(places)
    )

    assert run.returncode == 2
    assert b"\x1b" not in run.stdout + run.stderr
    assert b"The console needs a terminal." in run.stderr


@needs_pty
def test_the_console_takes_the_empty_frame_over_without_leaving_its_screen(tmp_path: Path) -> None:
    with Terminal(python("helpdesk"), tmp_path, size=(120, 30)) as terminal:
        terminal.until("Opening …")
        terminal.until("in your queue")

        terminal.send(b"\x11")
        code = terminal.end()
        settings = terminal.settings

    assert code == 0
    assert terminal.output.count(ENTER) == terminal.output.count(LEAVE) == 1
    assert settings == terminal.before


@needs_pty
def test_a_start_that_fails_says_why_on_the_screen_of_the_shell(tmp_path: Path) -> None:
    desk = tmp_path / "wrong.json"
    desk.write_text("{", "utf-8")
    with Terminal(python("helpdesk", "--desk", str(desk)), tmp_path) as terminal:
        terminal.until("Opening …")

        code = terminal.end()
        settings = terminal.settings

    assert code == 2
    assert terminal.output.rfind(b"wrong.json") > terminal.output.rfind(LEAVE) > 0
    assert settings == terminal.before


@needs_pty
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_before_the_console_is_there_gives_the_terminal_back(
    tmp_path: Path, name: str
) -> None:
    with Terminal([sys.executable, "-c", ASLEEP], tmp_path) as terminal:
        terminal.until("HEEDED")

        terminal.signal(signal.Signals[name])
        code = terminal.end()
        settings = terminal.settings

    assert code == -signal.Signals[name]
    assert terminal.output.endswith(LEAVE)
    assert settings == terminal.before


@pytest.mark.parametrize(
    ("environment", "deep"),
    [
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, 1 << 24),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "linux"}, 0),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, 0),
    ],
)
def test_the_empty_frame_has_as_many_colours_as_the_terminal(
    environment: dict[str, str], deep: int
) -> None:
    found = opening.depth(environment)
    frame = opening.frame(40, 10, opening.LOOKS["dark"], found)

    assert found == deep
    assert bool(re.search(r"\x1b\[[34]8;", frame)) is (deep > 0)


@pytest.mark.parametrize(("columns", "lines"), [(120, 30), (9, 3), (1, 1)])
def test_the_empty_frame_fits_the_terminal(columns: int, lines: int) -> None:
    frame = opening.frame(columns, lines, opening.LOOKS["dark"], 0)

    rows = re.findall(r"\x1b\[(\d+);1H(?:\x1b\[1m)?([^\x1b]*)", frame)
    assert {len(text) for _, text in rows} == {columns}
    assert max(int(row) for row, _ in rows) == lines


def _set_to(base: str, home: Path) -> str:
    return str(home / base) if base else ""


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {"PATH": "/usr/bin", "PYTHONPATH": str(Path(__file__).parents[1]), **more}
