"""The presenter's notes in a second terminal: what comes next, why, what to show, what the trap is.

The demo writes where it stands; this only reads, whenever either of them was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from helpdesk.assets import asset
from helpdesk.domain.training.prompting import Note, Prompt
from helpdesk.tui.render.values import GOOD, LIVE, QUIET, STRONG, WARN, Entry, entry, m_ss, show
from helpdesk.tui.running import run_safely
from helpdesk.tui.terminal import SafeApp
from helpdesk.tui.themes import NAMES, THEMES
from helpdesk.tui.widgets.sheet import Sheet

POLL_S: Final = 0.25
"""Seconds between two looks at where the demo stands."""

LONG: Final = 2_000
HEADS: Final = 11
"""Cells of the heads of a note."""

WAITING: Final = "Waiting for a demo. In the other terminal: helpdesk demo"


class NotesApp(SafeApp):
    """Shows the notes of the demo that is being played on this machine.

    Args:
        read: Gives where it stands; None where none is played.
    """

    TITLE = "helpdesk demo --notes"
    CSS_PATH: ClassVar[CSSPathType | None] = [
        asset("styles/app.tcss"),
        asset("styles/stage.tcss"),
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", show=False),
    ]

    def __init__(self, read: Callable[[], Prompt | None], *, theme: str | None = None) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme if theme in NAMES else NAMES[0]
        self.animation_level = "none"
        self._read = read
        self._shown: Prompt | None = None

    def compose(self) -> ComposeResult:
        """Where it stands, the notes."""
        yield Static(Content(f" {WAITING}"), id="notes-head")
        with VerticalScroll(id="notes"):
            yield Sheet(id="notes-sheet")
        yield Static(Content.assemble((" q quits   PgUp PgDn scroll", QUIET)), id="notes-keys")

    def on_mount(self) -> None:
        """Look at once, and from now on."""
        self._look()
        self.set_interval(POLL_S, self._look)

    def _look(self) -> None:
        prompt = self._read()
        if prompt == self._shown:
            return
        is_another = prompt is None or self._shown is None or prompt.done != self._shown.done
        self._shown = prompt
        self.query_one("#notes-head", Static).update(head(prompt))
        self.query_one("#notes-sheet", Sheet).update(entries(prompt))
        if is_another:
            self.query_one("#notes").scroll_home(animate=False)


def head(prompt: Prompt | None) -> Content:
    """Return the first line: which demo, which step of how many, how late it is."""
    if prompt is None:
        return Content(f" {WAITING}")
    now = ("playing", WARN) if prompt.is_playing else ("waits for F8", GOOD)
    if prompt.next is None and not prompt.is_playing:
        now = ("the end", GOOD)
    count = f"{prompt.done} of {prompt.of} played"
    title = show(f" {prompt.title} ", LIVE)
    return Content.assemble(title, f"  {count}   ", (m_ss(prompt.seconds), STRONG), "   ", now)


def entries(prompt: Prompt | None) -> list[Entry]:
    """Return the notes: of the step that was played last, and of the one that comes next."""
    if prompt is None:
        return []
    found: list[Entry] = []
    if prompt.last is not None:
        found += _note("NOW" if prompt.is_playing else "DONE", prompt.last)
    if prompt.told:
        found += [_line("it says", prompt.told, QUIET), entry("", Content(""))]
    if prompt.next is not None:
        found += _note("NEXT", prompt.next)
    return found


def _note(word: str, note: Note) -> list[Entry]:
    found = [_line(word, note.does, LIVE if word == "NEXT" else STRONG)]
    found += [_line("why", note.why, "")] if note.why else []
    found += [_line("point out", note.points, GOOD)] if note.points else []
    found += [_line("trap", note.trap, WARN)] if note.trap else []
    return [*found, entry("", Content(""))]


def _line(name: str, says: str, look: str) -> Entry:
    return entry(name, show(says, look, limit=LONG), width=HEADS)


def run(read: Callable[[], Prompt | None], *, theme: str | None = None) -> int:
    """Run the notes and return the exit code."""
    return run_safely(NotesApp(read, theme=theme))
