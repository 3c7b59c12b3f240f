"""The dialogs of a rehearsal: what is said to the customer, and what the cause was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input

from helpdesk.domain.training.scoring import Mark, Score
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.values import BAD, GOOD, STRONG, WARN, Entry, entry, show
from helpdesk.tui.widgets.choices import Choices
from helpdesk.tui.widgets.sheet import Sheet

LONGEST = 400
"""Characters of what is said to the customer at once."""


class SayDialog(Guarded[str]):
    """Asks what to tell the customer; gives the words, or None."""

    def compose(self) -> ComposeResult:
        """One line to type."""
        with Box() as box:
            box.border_title = Content("Say to the customer")
            with VerticalScroll(id="body", can_focus=False):
                words = Input(
                    placeholder="type, then Enter", compact=True, max_length=LONGEST, id="words"
                )
                words.cursor_blink = False
                yield words
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand where one types."""
        super().on_mount()
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _said(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.dismiss(None)


class CauseDialog(Guarded[str]):
    """Asks what the cause was; gives its id, or None where the call goes on."""

    def __init__(self, causes: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._causes = causes

    def compose(self) -> ComposeResult:
        """The causes to choose from, and the button that hangs up."""
        with Box() as box:
            box.border_title = Content("Hang up: what was it?")
            with VerticalScroll(id="body", can_focus=False):
                yield Choices([(one, f"{one}  {says}") for one, says in self._causes], id="causes")
            with Horizontal(id="buttons"):
                yield Button("Go on with the call", id="cancel", compact=True)
                yield Button("Hang up", id="do", variant="primary", compact=True, disabled=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand on the causes."""
        super().on_mount()
        self.query_one(Choices).focus()

    @on(Choices.Changed)
    def _chosen(self, event: Choices.Changed) -> None:
        event.stop()
        self.query_one("#do", Button).disabled = not event.choices.value

    def on_key(self, event: events.Key) -> None:
        """Choose by number; Enter leads to the button."""
        choices = self.query_one(Choices)
        if event.key.isdigit() and choices.choose(int(event.key)):
            event.stop()
        elif event.key == "enter" and self.focused is choices and choices.value:
            event.stop()
            self.lead_to(self.query_one("#do", Button))

    @on(Button.Pressed, "#do")
    def _hung_up(self) -> None:
        self.dismiss(self.query_one(Choices).value or None)

    @on(Button.Pressed, "#cancel")
    def _goes_on(self) -> None:
        self.dismiss(None)


class DebriefDialog(Guarded[str]):
    """Shows the marks and the call once more; gives `again`, or None to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f7", "again", "Again", show=False),
    ]

    def __init__(self, score: Score, replay: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._score, self._replay = score, replay

    def compose(self) -> ComposeResult:
        """Marks with their sentences, what the trainer points out, the call."""
        score = self._score
        with Box(classes="page") as box:
            box.border_title = Content.assemble(show(f"{score.title}: {score.total} of 100"))
            with VerticalScroll(id="body"):
                yield Sheet([*map(_mark, score.marks), *self._points(), *self._call()])
            with Horizontal(id="buttons"):
                yield Button("Leave", id="cancel", compact=True)
                yield Button("F7 Once more", id="again", compact=True)
        yield too_small()

    def _points(self) -> list[Entry]:
        says = show(self._score.points_out, STRONG, limit=2_000)
        return [entry("", Content("")), entry("remember", says, width=WIDE)]

    def _call(self) -> list[Entry]:
        looks = {"known": GOOD, "caller": WARN}
        found = [entry("", Content(""))]
        for at, who, says in self._replay:
            body = show(says, looks.get(who, ""), limit=600)
            found.append(entry(f"{at:>6} {who}", body, width=WIDE))
        return found

    def on_mount(self) -> None:
        """Stand on the page, so that arrows scroll it."""
        super().on_mount()
        self.query_one("#body").focus()

    @on(Button.Pressed, "#again")
    def action_again(self) -> None:
        """Start over."""
        self.dismiss("again")

    @on(Button.Pressed, "#cancel")
    def _left(self) -> None:
        self.dismiss(None)


WIDE = 16
"""Cells of the heads of a debrief."""


def _mark(mark: Mark) -> Entry:
    look = GOOD if mark.got == mark.of else BAD if not mark.got else WARN
    head = f"{mark.part.value:<10}{mark.got:>2}/{mark.of}"
    return entry(head, show(mark.says, look, limit=600), width=WIDE)
