"""The console in a real terminal: attacked, signalled, broken, cut off."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import StylesheetParseError
from textual.message import Message
from textual.widgets._toast import Toast

from helpdesk.crashes import LOG_LIMIT, report
from helpdesk.tui.filters import in_order, in_place
from helpdesk.tui.paste import IDLE_S, PASTE_LIMIT, SafeParser, pasted
from helpdesk.tui.running import RESTORE
from helpdesk.tui.terminal import TOASTS, SafeApp
from tests.reliability.hostile_answers import REPLIES
from tests.tui.pseudo import Terminal, needs_pty, python
from tests.tui.victim import LEFTWARDS, OTP
from tests.waiting import PATIENCE_S

START = b"\x1b[200~"
END = b"\x1b[201~"


class Attack(Terminal):
    """A victim in a terminal, and what it noted."""

    def __init__(self, kind: str, home: Path, **environment: str) -> None:
        self.notes_file = home / "notes"
        self.notes_file.touch()
        super().__init__(
            python("tests.tui.victim", kind, str(self.notes_file)), home, environment=environment
        )

    @property
    def notes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.notes_file.read_text("utf-8").splitlines()]

    @property
    def keys(self) -> str:
        return "".join(note["key"] for note in self.notes if "key" in note)

    @property
    def pastes(self) -> list[str]:
        return [note["paste"] for note in self.notes if "paste" in note]


class Clocked(SafeParser):
    """A parser whose time stands still until it is told."""

    now = 0.0

    def clock(self) -> float:
        return self.now

    def after(self, seconds: float) -> list[Message]:
        self.now += seconds
        return list(self.tick())


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, events.Paste)]


def keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages if isinstance(message, events.Key)]


# Pastes


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
def test_a_paste_with_an_escape_is_one_paste_however_it_is_cut(size: int) -> None:
    data = (START + b"Ali\x1bce\x1b[31m\x03" + END + b"k").decode()
    parser = SafeParser()

    messages = [m for at in range(0, len(data), size) for m in parser.feed(data[at : at + size])]

    assert texts(messages) == ["Ali␛ce␛[31m␃"]
    assert keys(messages) == ["k"]


def test_two_pastes_and_keys_between_keep_their_order() -> None:
    data = (b"a" + START + b"one" + END + b"b" + START + b"" + END + START + b"two" + END).decode()

    messages = list(SafeParser().feed(data))

    assert [*keys(messages)] == ["a", "b"]
    assert texts(messages) == ["one", "", "two"]
    assert isinstance(messages[1], events.Paste)


def test_a_paste_is_bounded_and_its_rest_is_not_typed() -> None:
    parser = SafeParser()

    messages = list(parser.feed(START.decode() + "x" * PASTE_LIMIT))
    messages += list(parser.feed("y" * 50_000 + END.decode()))

    assert texts(messages) == ["x" * PASTE_LIMIT]
    assert keys(messages) == []


def test_a_paste_without_an_end_is_over_after_a_silence() -> None:
    parser = Clocked()

    messages = list(parser.feed(START.decode() + "lost")) + parser.after(IDLE_S / 2)
    waiting = list(messages)
    messages += parser.after(IDLE_S)
    messages += list(parser.feed("k"))

    assert waiting == []
    assert texts(messages) == ["lost"]
    assert keys(messages) == ["k"]


def test_a_lone_escape_is_the_escape_key_after_its_delay() -> None:
    parser = Clocked()

    held = list(parser.feed("\x1b"))
    released = parser.after(0.2)

    assert held == []
    assert keys(released) == ["escape"]


def test_keys_that_begin_as_a_marker_does_are_those_keys() -> None:
    insert, delayed = SafeParser(), SafeParser()

    at_once = list(insert.feed("\x1b[2~\x1b[A\x1b[20~"))
    in_parts = [*delayed.feed("\x1b[2"), *delayed.feed("~")]

    assert keys(at_once) == ["insert", "up", "f9"]
    assert keys(in_parts) == ["insert"]


# What a terminal answers

REAL = (
    "\x1b[A", "\x1b[1;5C", "\x1b[97;5u", "\x1b[97;;229u", "\x1bOP", "\x1b[<0;3;4M", "\x1b[<64;3;4m",
    "\x1b[M !!", "\x1b[?2026;2$y", "\x1b[12;40R", "\x1b[48;30;100;600;1000t", "\x1ba", "\x1b[[A",
    "\x1b[c", "\x1b[3~", "\x1b[I", "\x1b[O", "\x1b[Z", "\r", "\t", "?", "11;rgb:00", "[?1;2c",
)  # fmt: skip
"""Keys, clicks and what Textual waits for."""


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
@pytest.mark.parametrize("reply", REPLIES)
def test_what_a_terminal_answers_is_no_key_however_it_is_cut(reply: str, size: int) -> None:
    data, parser = f"a{reply}b", Clocked()

    messages = [m for at in range(0, len(data), size) for m in parser.feed(data[at : at + size])]

    assert keys(messages) == ["a", "b"]
    assert texts(messages) == []


@pytest.mark.parametrize("sent", REAL)
def test_keys_and_clicks_are_read_as_they_were(sent: str) -> None:
    ours, theirs = list(SafeParser().feed(f"{sent}k")), list(XTermParser().feed(f"{sent}k"))

    assert [repr(one) for one in ours] == [repr(one) for one in theirs]


@pytest.mark.parametrize(
    "begun", ["\x1b]11;rgb:00", "\x1b[?62;2", "\x1bP>|tmux", "\x1b]52;c;Y3V\x1b"]
)
def test_an_answer_that_never_ends_is_no_key_and_keys_work_again(begun: str) -> None:
    parser = Clocked()

    messages = [*parser.feed(begun), *parser.after(2.0), *parser.feed("k")]
    before_a_paste = list(SafeParser().feed(f"{begun}{START.decode()}one{END.decode()}"))

    assert keys(messages) == ["k"]
    assert (keys(before_a_paste), texts(before_a_paste)) == ([], ["one"])


def test_the_key_that_begins_as_an_answer_does_is_that_key() -> None:
    parser = Clocked()

    messages = [*parser.feed("\x1b]"), *parser.after(1.0), *parser.after(1.0)]

    assert keys(messages) == ["right_square_bracket"]


def test_pasted_lines_stay_lines_and_what_hides_is_shown() -> None:
    text = "one\r\ntwo\rthree\tfour\x00\x7f\u202e"

    shown = pasted(text)

    assert shown == "one\ntwo\nthree four␀␡‹202E›"


@needs_pty
def test_without_the_guard_a_pasted_escape_types_keys(tmp_path: Path) -> None:
    """The canary: if this fails, Textual has mended its reader and ours may go."""
    with Attack("plain", tmp_path) as terminal:
        terminal.until("READY")

        terminal.send(START + b"Ali\x1bry" + END + b"Z")
        terminal.until(lambda: terminal.keys.endswith("Z"))

    assert terminal.keys != "Z"


@needs_pty
def test_a_pasted_escape_types_no_key_in_a_terminal(tmp_path: Path) -> None:
    with Attack("victim", tmp_path) as terminal:
        terminal.until("READY")

        terminal.send(START + b"Ali\x1bry" + END + b"Z")
        terminal.until(lambda: terminal.keys.endswith("Z"))

    assert terminal.keys == "Z"
    assert terminal.pastes == ["Ali␛ry"]


@needs_pty
def test_bytes_that_are_no_text_and_a_paste_without_end_leave_the_console_alive(
    tmp_path: Path,
) -> None:
    with Attack("victim", tmp_path) as terminal:
        terminal.until("READY")

        terminal.send(b"\xff\xe9A")
        terminal.until(lambda: "A" in terminal.keys)
        terminal.send(START + b"lost")
        terminal.until(lambda: terminal.pastes == ["lost"])
        terminal.send(b"Z\x11")
        code = terminal.end()

    assert terminal.keys.endswith("Z")
    assert code == 0


@needs_pty
@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_console_that_was_stopped_goes_on_and_draws_all_again(
    tmp_path: Path, stop: signal.Signals
) -> None:
    with Attack("victim", tmp_path) as terminal:
        terminal.until("READY")

        terminal.signal(stop)
        os.waitpid(terminal.process.pid, os.WUNTRACED)
        terminal.signal(signal.SIGCONT)
        terminal.until(lambda: terminal.shown.count("READY") == 2)
        terminal.send(b"A")
        terminal.until(lambda: "A" in terminal.keys)
        terminal.send(b"\x11")
        code = terminal.end()
        settings = terminal.settings

    assert code == 0
    assert settings == terminal.before


# What is drawn


@needs_pty
def test_nothing_that_is_shown_commands_the_terminal(tmp_path: Path) -> None:
    with Attack("shows", tmp_path) as terminal:
        terminal.until("READY")
        terminal.until("press[/]")

        terminal.send(b"\x11")
        code = terminal.end()

    assert code == 0
    commands = set(re.findall(rb"\x1b\][^\x07\x1b]*", terminal.output))
    assert commands <= {b"\x1b]22;default", b"\x1b]22;text"}  # the pointer's shape, Textual's own
    assert b"evil.example" not in terminal.output
    assert b"\x1b[2J" not in terminal.output
    assert not re.search("[\x80-\x9f\x00\x7f]", terminal.output.decode("utf-8"))
    assert terminal.shown.count("Al␛]52;c;Y3VybA==") >= 5
    assert "[@click=app.bell]press[/]" in terminal.shown
    assert f"{LEFTWARDS}\u200e  12" in terminal.shown


@pytest.mark.parametrize(
    ("drawn", "marked"),
    [
        ("│ Maya 12 │", "│ Maya 12 │"),
        ("│ مايا أوكافور  12", "│ مايا أوكافور|  12"),
        ("\x1b[1mمايا\x1b[0m \x1b[2mأوكا\x1b[0m 12", "\x1b[1mمايا\x1b[0m \x1b[2mأوكا|\x1b[0m 12"),
        ("שלום-לך│مايا  شركة  5", "שלום-לך|│مايا|  شركة|  5"),
        ("می\u200cخواهم 7 👩", "می\u200cخواهم| 7 👩"),
        ("\ufe8d\ufefc \ufb4f  3", "\ufe8d\ufefc \ufb4f|  3"),
        ("\U00010800\U00010801  4 \U0001e900", "\U00010800\U00010801|  4 \U0001e900|"),
    ],
)
def test_a_name_that_is_read_leftwards_draws_nothing_to_its_other_side(
    drawn: str, marked: str
) -> None:
    shown = in_order(drawn)

    assert shown == marked.replace("|", "\u200e")
    assert cell_len(shown) == cell_len(drawn)


@pytest.mark.parametrize(
    ("drawn", "placed"),
    [
        ("\x1b[3;2H│ Maya  12 │", "\x1b[3;2H│ Maya  12 │"),
        ("\x1b[3;2H· रोहन शर्मा  12 │\n", "\x1b[3;2H· रोहन शर्मा  |13|12 │\n"),
        (
            "\x1b[3;5H\x1b[1mरोह\x1b[0m \x1b[2mमा\x1b[0m│\x1b[4;2HMaya",
            "\x1b[3;5H\x1b[1mरोह|7|\x1b[0m \x1b[2mमा|9|\x1b[0m│\x1b[4;2HMaya",
        ),
        ("\x1b[1;1HMaya\n\x1b[2;9H한 ரோ   7", "\x1b[1;1HMaya\n\x1b[2;9H한 ரோ   |16|7"),
    ],
)
def test_what_follows_a_vowel_of_unsure_width_is_put_in_its_column(drawn: str, placed: str) -> None:
    assert in_place(drawn) == re.sub(r"\|(\d+)\|", "\x1b[\\1G", placed)


def test_what_is_copied_off_the_screen_and_pasted_is_the_name() -> None:
    assert pasted(in_order(LEFTWARDS)) == LEFTWARDS
    assert pasted("user\u200egpj.exe") == "user‹200E›gpj.exe"


@needs_pty
@pytest.mark.parametrize(("value", "coloured"), [("1", False), ("", True)])
def test_no_colour_is_used_where_none_is_wanted(tmp_path: Path, value: str, coloured: bool) -> None:
    with Attack("shows", tmp_path, NO_COLOR=value) as terminal:
        terminal.until("READY")
        terminal.send(b"\x11")
        terminal.end()

    sent = re.findall(rb"\x1b\[([0-9;]*)m", terminal.output)
    colours = [one for one in sent if re.search(rb"(^|;)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;|$)", one)]
    assert bool(colours) is coloured
    assert coloured or any(b"7" in one.split(b";") for one in sent)


@needs_pty
def test_what_is_copied_and_said_at_the_end_is_clean(tmp_path: Path) -> None:
    with Attack("copies", tmp_path) as terminal:
        terminal.until("READY")
        terminal.send(b"c")
        terminal.end()

    copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", terminal.output)
    assert [base64.b64decode(each).decode() for each in copied] == ["one␛]0;x␇\nAli‹202E›ce�"]
    assert "bye Al␛]52;c;" in terminal.shown


async def test_notices_are_text_and_few() -> None:
    app = SafeApp()

    async with app.run_test(notifications=True) as pilot:
        for number in range(300):
            app.notify(f"[/] {number}", markup=True)
        app.notify("[/] 299")
        await pilot.pause(0.2)
        shown = [toast._notification.message for toast in app.screen.query(Toast)]

    assert shown == [f"[/] {number}" for number in range(300 - TOASTS, 300)]


async def test_a_notice_whose_time_is_over_as_it_is_drawn_goes_and_freezes_nothing() -> None:
    app = SafeApp()
    async with app.run_test(notifications=True) as pilot:
        app.notify("drawn late")
        await pilot.pause()
        (notice,) = app._notifications
        notice.raised_at = 0.0  # a machine that is behind: it was asked for, then its time was over
        assert notice.has_expired

        late = Toast(notice)
        assert late._timeout > 0  # Textual's timer turns for ever below it, and nothing else does
        await app.mount(late)

        async with asyncio.timeout(PATIENCE_S):
            while late.is_attached:
                await pilot.pause(0.01)


async def test_the_palette_cannot_write_the_screen_to_a_file() -> None:
    plain: App[None] = App()
    ours = SafeApp()

    async with plain.run_test():
        stock = [command.title for command in plain.get_system_commands(plain.screen)]
    async with ours.run_test():
        left = [command.title for command in ours.get_system_commands(ours.screen)]

    assert [title for title in stock if title not in left] == ["Screenshot"]


async def test_a_fault_in_a_style_sheet_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Wrong(SafeApp):
        CSS = "Static { colour: red; }"

    with pytest.raises(StylesheetParseError):
        async with Wrong().run_test():
            pass

    assert "Invalid CSS property 'colour'" in capsys.readouterr().err


# How it ends


@needs_pty
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    with Attack("victim", tmp_path) as terminal:
        terminal.until("READY")

        terminal.signal(number)
        code = terminal.end()
        settings = terminal.settings

    assert code == 128 + number
    assert settings == terminal.before
    assert terminal.output.rfind(b"\x1b[?1049l") > terminal.output.rfind(b"\x1b[?1049h")


@needs_pty
@pytest.mark.parametrize("kind", ["victim", "nohup"])
def test_a_terminal_that_has_gone_ends_it_even_where_hang_ups_are_ignored(
    tmp_path: Path, kind: str
) -> None:
    with Attack(kind, tmp_path) as terminal:
        terminal.until("READY")

        terminal.hang_up()
        code = terminal.process.wait(PATIENCE_S)

    assert code == 129


@needs_pty
def test_a_terminal_that_reads_no_more_does_not_hold_it(tmp_path: Path) -> None:
    with Attack("floods", tmp_path) as terminal:
        terminal.until("READY")
        before = -1
        while len(terminal.notes) != before:
            before = len(terminal.notes)
            time.sleep(0.3)

        terminal.signal(signal.SIGTERM)
        code = terminal.process.wait(PATIENCE_S)
        settings = terminal.settings

    assert code == 143
    assert settings == terminal.before


@needs_pty
@pytest.mark.parametrize("where", ["mount", "timer", "worker"])
def test_a_fault_is_one_sentence_without_what_it_was_about(tmp_path: Path, where: str) -> None:
    with Attack(f"breaks-{where}", tmp_path) as terminal:
        code = terminal.end()
        settings = terminal.settings

    log = next(tmp_path.rglob("errors.log"))
    said = terminal.output.decode().rpartition("\x1b[?1006l")[2].strip()
    name = said.partition("error ")[2][:8]
    assert code == 1
    assert settings == terminal.before
    assert re.fullmatch(
        r"The console had to stop because of a fault of its own: LookupError at "
        r"tui/victim\.py:\d+, error [0-9a-f]{8}; the details are in ~/\S+errors\.log\.",
        said,
    )
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert name in log.read_text()
    assert "in _break" in log.read_text()
    assert "ValueError" in log.read_text()
    assert OTP not in log.read_text() + terminal.output.decode()
    assert "0142" not in log.read_text() + terminal.output.decode()


@needs_pty
@pytest.mark.parametrize("where", ["thread", "task"])
def test_a_fault_beside_the_screen_is_logged_and_drawn_nowhere(tmp_path: Path, where: str) -> None:
    with Attack(f"breaks-{where}", tmp_path) as terminal:
        terminal.end()

    log = next(tmp_path.rglob("errors.log")).read_text()
    assert "LookupError" in log
    assert OTP not in log
    assert OTP not in terminal.shown
    assert "Traceback" not in terminal.shown


def test_the_place_of_a_fault_is_the_deepest_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    try:
        pasted(42)  # type: ignore[arg-type]
    except TypeError as error:
        said = report(error)

    assert "TypeError at helpdesk/tui/paste.py:" in said


def test_the_log_starts_anew_when_it_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    report(ValueError())
    log = next(tmp_path.rglob("errors.log"))
    log.write_text("x" * (LOG_LIMIT + 1))

    report(ValueError())

    assert log.stat().st_size < 1_000
    assert log.with_name("errors.log.1").stat().st_size == LOG_LIMIT + 1


def test_a_log_that_cannot_be_written_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    said = report(ValueError())

    assert said.endswith("; the log could not be written.")


@needs_pty
def test_all_that_is_asked_of_the_terminal_can_be_taken_back(tmp_path: Path) -> None:
    """The canary of the hard way out: every mode the driver sets is among those it resets."""
    with Attack("victim", tmp_path) as terminal:
        terminal.until("READY")
        terminal.signal(signal.SIGTERM)
        terminal.end()

    asked = set(re.findall(r"\x1b\[\?(\d+)h", terminal.output.decode()))
    taken = set(re.findall(r"\x1b\[\?(\d+)l", RESTORE))
    assert asked - {"25", "7", "2026"} <= taken
    assert {"\x1b[?25h", "\x1b[?7h"} <= set(re.findall(r"\x1b\[\?\d+h", RESTORE))
