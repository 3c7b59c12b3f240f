"""The whole console as it is started, in a real terminal, with hostile data on its desk."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sample import sample
from tests.tui.pseudo import Terminal, needs_pty, python

HOSTILE = "Al\x1b]52;c;Y3VybA==\x07ice [@click=app.quit]x[/] [/HR]\x1b[2J\x9b31m\x00\x7f\u202eend"

pytestmark = needs_pty


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A fixture whose names, tickets and notes try to command the terminal."""
    tables = sample()
    for table, fields in (
        ("users", ("name",)),
        ("accounts", ("name",)),
        ("tickets", ("subject",)),
        ("agents", ("name",)),
    ):
        for row in tables[table].values():
            row.update(dict.fromkeys(fields, HOSTILE))
    file = tmp_path / "hostile.json"
    file.write_text(json.dumps(tables), "utf-8")
    return file


@contextmanager
def console(home: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    """Give the console in a terminal, drawn and ready."""
    with Terminal(
        python("helpdesk", *arguments), home, environment=environment, size=(130, 34)
    ) as terminal:
        terminal.until("^p")
        yield terminal


def commands(output: bytes) -> set[bytes]:
    """Return what was sent beside drawing: OSC, and the C1 forms of them."""
    text = output.decode("utf-8")
    assert not re.search("[\x00\x7f-\x9f]", text)
    return {match.encode() for match in re.findall("\x1b[]P^_X][^\x07\x1b]*", text)}


def test_nothing_on_a_hostile_desk_commands_the_terminal(tmp_path: Path, hostile: Path) -> None:
    with console(tmp_path, "--desk", str(hostile)) as terminal:
        terminal.until("Al␛]52")
        for keys, wanted in (
            (b"\r", "life 5:00"),  # the case of the first in the queue
            (b"c", "checked on"),  # its product's card
            (b"\x1b", ""),
            (b"n", "Write the note"),  # a dialog of an act
            (b"\x1b", ""),
            (b"2", "Rounds"),
            (b"3", "Asked"),
            (b"5", "Who"),
        ):
            terminal.rest(1.0)  # a dialog hears no key for 0.8 s
            terminal.send(keys)
            terminal.until(wanted)
        terminal.send(b"\x11")
        code = terminal.end()

    assert code == 0
    assert commands(terminal.output) <= {b"\x1b]22;default", b"\x1b]22;text", b"\x1b]22;pointer"}
    assert b"\x1b[2J" not in terminal.output
    assert "\u202e" not in terminal.output.decode()


def test_a_paste_presses_no_key_of_the_console(tmp_path: Path, hostile: Path) -> None:
    with console(tmp_path, "--desk", str(hostile)) as terminal:
        terminal.send(b"\x1b[200~x\x1b2\x1b[B\x11\x1b[201~")
        terminal.rest(0.5)
        terminal.send(b"/")
        terminal.rest(0.5)
        terminal.signal(signal.SIGTERM)
        code = terminal.end()

    assert code == 143
    assert "Rounds" not in terminal.shown


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    with console(tmp_path) as terminal:
        terminal.signal(number)
        code = terminal.end()
        settings = terminal.settings

    assert code == 128 + number
    assert settings == terminal.before
    assert "Traceback" not in terminal.shown


def test_no_colour_is_used_where_none_is_wanted(tmp_path: Path) -> None:
    with console(tmp_path, NO_COLOR="1") as terminal:
        terminal.send(b"\x11")
        terminal.end()

    sent = re.findall(rb"\x1b\[([0-9;]*)m", terminal.output)
    assert sent != []
    assert not [one for one in sent if re.search(rb"(^|;)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;|$)", one)]
