"""The whole console in a real tmux, on a fixture whose every user carries another hostile text.

fixture (a user a text) ─▶ console ─▶ tmux ─▶ clipboard, title, bell, screen, what was typed
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.reliability.hostile_answers import replies
from tests.sample import sample, write_sample
from tests.tui.pseudo import Terminal, python

LONG = 2_000
"""Characters of a text; a fixture of as many megabytes as texts would only be slow."""

SIZE = ("130", "34")
WAIT_S = 60.0
POINTERS = {"\x1b]22;default", "\x1b]22;text", "\x1b]22;pointer"}
"""What the console itself tells a terminal beside drawing: how the mouse looks."""


def packed_file(place: Path, texts: Sequence[tuple[str, str]]) -> Path:
    """Write a fixture with a user for each text, an open ticket of theirs, and both named so."""
    tables = sample()
    user, ticket = dict(tables["users"]["1"]), dict(tables["tickets"]["1"])
    kept = [text[:LONG].encode("utf-8", "replace").decode() for _, text in texts]
    for n, text in enumerate(kept, 100):
        mail = f"u{n}@rao.example"
        tables["users"][str(n)] = user | {"id": f"u{n}", "name": text or "x", "login": mail}
        tables["tickets"][str(n)] = ticket | {"id": f"{n}", "user": f"u{n}", "subject": text or "x"}
    path = place / "packed.json"
    path.write_text(json.dumps(tables), "utf-8")
    return path


def in_tmux(place: Path, texts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Walk down the whole list in tmux; give what was looked at, and what was wrong."""
    if shutil.which("tmux") is None:
        return
    desk = packed_file(place, texts)
    tmux = ["tmux", "-S", str(place / "socket"), "-f", "/dev/null"]

    def ask(*words: str) -> str:
        found = subprocess.run([*tmux, *words], capture_output=True, text=True, check=False)
        return found.stdout.strip()

    command = [sys.executable, "-m", "helpdesk", "--desk", str(desk), "--as", "dana"]
    ask("new-session", "-d", "-x", SIZE[0], "-y", SIZE[1], *command)
    ask("set", "-g", "set-clipboard", "on")
    try:
        title = ask("display", "-p", "#{pane_title}")
        seen = _walked(ask, len(texts))
        yield "console in tmux", "" if seen > len(texts) // 60 else f"showed {seen} pages"
        for what, asked, wanted in (
            ("clipboard", ("list-buffers",), ""),
            ("title", ("display", "-p", "#{pane_title}"), title),
            ("bell", ("display", "-p", "#{window_bell_flag}"), "0"),
            ("alternate screen", ("display", "-p", "#{alternate_on}"), "1"),
        ):
            found = ask(*asked)
            yield f"{what} in tmux", "" if found == wanted else f"{found!r}, not {wanted!r}"
        ask("send-keys", "C-q")
        ask("new-window", "printf '\\033]52;c;aGk=\\007'; sleep 1")
        time.sleep(0.5)
        yield "the trap itself", "" if ask("list-buffers") else "no clipboard is heard of at all"
    finally:
        ask("kill-server")
        time.sleep(0.5)


def answered_in_tmux(place: Path) -> Iterator[tuple[str, str]]:
    """Type what a terminal answers into a console in tmux; give each answer, and what it did."""
    if shutil.which("tmux") is None:
        return
    desk = write_sample(place / "answered.json")
    tmux = ["tmux", "-S", str(place / "other"), "-f", "/dev/null"]

    def ask(*words: str) -> str:
        found = subprocess.run([*tmux, *words], capture_output=True, text=True, check=False)
        return found.stdout.strip()

    command = [sys.executable, "-m", "helpdesk", "--desk", str(desk), "--as", "dana"]
    ask("new-session", "-d", "-x", SIZE[0], "-y", SIZE[1], *command)
    try:
        ends = time.monotonic() + WAIT_S
        while "^p" not in ask("capture-pane", "-p") and time.monotonic() < ends:
            time.sleep(0.2)
        yield from replies(ask)
    finally:
        ask("kill-server")
        time.sleep(0.5)


def in_terminal(place: Path, texts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Walk down the list in a bare terminal; give what was sent to it beside drawing."""
    desk = packed_file(place, texts)
    command = python("helpdesk", "--desk", str(desk), "--as", "dana")
    with Terminal(command, place, size=(130, 34)) as terminal:
        terminal.until("^p")
        for _ in range(len(texts) // 20 + 3):
            terminal.send(b"\r")
            terminal.rest(0.2)
            terminal.send(b"\x1b[6~")
            terminal.rest(0.2)
        terminal.send(b"\x11")
        code = terminal.end()
    text = terminal.output.decode("utf-8", "replace")
    yield "exit from a terminal", "" if code == 0 else f"{code}"
    raw = sorted(set(re.findall("[\x00\x07\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)) - {"\x07"})
    yield "controls to a terminal", f"{raw}" if raw else ""
    sent = set(re.findall("\x1b[]P^_X][^\x07\x1b]*", text)) - POINTERS
    yield "commands to a terminal", f"{sorted(sent)[:5]}" if sent else ""
    asked = [one for one in ("\x1b[6n", "\x1b[2J", "\x1b[21t", "\x1b[5i") if one in text]
    yield "questions to a terminal", f"{asked}" if asked else ""


def _walked(ask: Callable[..., str], count: int) -> int:
    """Go down page by page, opening a case on each; give how many different pages were seen."""
    ends = time.monotonic() + WAIT_S
    pages: set[str] = set()
    while "^p" not in ask("capture-pane", "-p") and time.monotonic() < ends:
        time.sleep(0.2)
    for _ in range(count // 20 + 3):
        ask("send-keys", "Enter")
        ask("send-keys", "NPage")
        time.sleep(0.4)
        pages.add(ask("capture-pane", "-p"))
    return len(pages)
