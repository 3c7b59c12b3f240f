"""Every command with hostile text in every argument, and on a fixture with it in every field.

parser ─▶ each command ─▶ each argument that takes a text ─▶ run here ─▶ exit code, what it says
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from helpdesk.cli import main, parser
from tests.reliability.hostile_words import LONG, unsafe_in
from tests.sample import write_sample
from tests.tui.test_hostile_text import hostile_file

GIVEN: Final[Mapping[str, str]] = {
    "act": "note",
    "user": "u1",
    "shell": "bash",
    "before": "2026-05-04",
}
"""What stands in an argument that has to be there."""

STAYS: Final = frozenset(
    {"serve", "web", "sync", "demo", "train play", "train new", "fixture make"}
)
"""Commands that open a window or a port, or go on: those `hostile_answers` runs by themselves."""

READS: Final = (
    "find", "find u", "challenges", "loops", "tickets", "log", "case u1", "case u6", "why u1",
    "why u6", "tray", "tray u1", "bundle u1", "approvals", "alarms", "holds", "prove u1",
    "phone u1",
    "doctor", "log verify", "log reconcile", "log export --as lead", "log checkpoint",
    "perform note u1 --set text=x --preview", "perform reset-all u4 --preview",
    "perform send-code u1 --preview", "perform reveal u1", "perform unlock u4", "find --as lead",
    "case u1 --event e1", "perform turn-off-mfa u1",
)  # fmt: skip
"""What is asked of a fixture whose every field is hostile."""

WITHOUT_JSON: Final = ("log export", "log checkpoint")

Template = tuple[str, tuple[str, ...], str]
"""A command's name, its words, and the one before which a text is put."""


def commands(of: argparse.ArgumentParser | None = None, name: str = "") -> Iterator[Any]:
    """Give every command with its parser."""
    of = of or parser()
    subs = [a for a in of._actions if isinstance(a, argparse._SubParsersAction)]
    if not subs:
        yield name, of
    for sub in subs:
        for word, inner in sub.choices.items():
            yield from commands(inner, f"{name} {word}".strip())


def templates() -> Iterator[tuple[str, list[str]]]:
    """Give each argument that takes a text, with the words of a command; `{}` is its place."""
    for name, one in commands():
        if name in STAYS:
            continue
        needed = [a for a in one._actions if a.required]
        for action in one._actions:
            takes = action.nargs != 0 and not isinstance(
                action, argparse._HelpAction | argparse._VersionAction
            )
            if not takes:
                continue
            words = name.split()
            for must in needed:
                if must is not action and must.dest in GIVEN:
                    words += [*must.option_strings[-1:], GIVEN[must.dest]]
            words += [f"{action.option_strings[-1]}={{}}"] if action.option_strings else ["{}"]
            yield f"{name} {action.dest}", words


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command here; give its exit code and all it said, as a terminal would be sent it."""
    out, err = io.StringIO(), io.StringIO()
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as stopped:
                code = int(stopped.code or 0)
    finally:
        sys.stdin = stdin
    said = out.getvalue() + err.getvalue()
    return code, said.encode("utf-8", "backslashreplace").decode()


@contextlib.contextmanager
def place_of(place: Path) -> Iterator[Path]:
    """Keep commands in a place of their own."""
    names = ("HELPDESK_DATA_DIR", "HELPDESK_CONFIG_DIR", "XDG_STATE_HOME", "HELPDESK_DESK")
    before, here = {name: os.environ.get(name) for name in names}, Path.cwd()
    deep = place / "a" / "b" / "c"
    deep.mkdir(parents=True)
    os.environ |= {name: str(place / name.lower()) for name in names}
    del os.environ["HELPDESK_DESK"]
    os.chdir(deep)
    try:
        yield deep
    finally:
        os.chdir(here)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def said(name: str, arguments: Sequence[str]) -> tuple[str, str]:
    """Run a command; give its name and what is wrong with how it ended or what it said."""
    try:
        code, text = run(arguments)
    except BaseException as error:  # noqa: BLE001  (whatever gets out of `main` is a fault)
        return name, f"{error!r:.200}"
    if code not in {0, 2, 3, 4, 5, 6, 7, 8} or "Traceback" in text:
        return name, f"exit {code}: {text[-200:]!r}"
    return name, f"says {unsafe_in(text)}" if unsafe_in(text) else ""


def arguments(
    place: Path, texts: Sequence[tuple[str, str]], step: int
) -> Iterator[tuple[str, str]]:
    """Put each text into every argument of every command, or into every so many by turns."""
    desk = write_sample(place / "sample.json")
    found = list(templates())
    for turn, (_, text) in enumerate(texts):
        for name, words in found[turn % step :: step]:
            given = [word.replace("{}", text[:LONG]) for word in words]
            before = [] if name.endswith((" desk", " case", " file")) else ["--desk", str(desk)]
            yield said(f"{name}={text[:40]!r}", [*before, *given])


def outputs(place: Path, texts: Sequence[tuple[str, str]], step: int) -> Iterator[tuple[str, str]]:
    """Ask everything of a fixture with each text in it, or every so many by turns."""
    for turn, (_, text) in enumerate(texts):
        desk = hostile_file(place, text[: LONG * 5])
        for command in READS[turn % step :: step]:
            for more in ((), ("--json",)):
                if more and command.startswith(WITHOUT_JSON):
                    continue
                words = ["--desk", str(desk), *command.split(), *more]
                yield said(f"{command} {' '.join(more)} on {text[:40]!r}", words)
