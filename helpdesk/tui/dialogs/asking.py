"""The question that decides: what to ask the caller, and what the caller says."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.values import QUIET, STRONG, WARN, Entry, entry, show
from helpdesk.tui.render.weighing import identity
from helpdesk.tui.widgets.choices import Choices
from helpdesk.tui.widgets.sheet import Sheet

LIMIT = 200
"""Characters of a reply in the caller's own words."""


class AskDialog(Guarded[tuple[CallerSaid, ...]]):
    """Shows the question of a verdict with its usual replies; gives all that was said, or None.

    A reply changes nothing but the ranking, and can be taken back; so one key is enough.

    Args:
        says: What the caller answers, where that is known.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,delete", "take_back", "Take back", show=False),
    ]

    def __init__(
        self, case: Case, verdict: Verdict, said: tuple[CallerSaid, ...], *, says: str = ""
    ) -> None:
        super().__init__()
        self._says = says
        self._case = case
        self._verdict = verdict
        self._said = said

    def compose(self) -> ComposeResult:
        """Who it is about, the question, its replies, the caller's own words, what was said."""
        question = self._verdict.ask
        with Box() as box:
            box.border_title = Content("Ask the caller")
            yield Static(identity(self._case), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                if question:
                    yield Static(show(question.text, STRONG), id="question")
                    if self._says:
                        yield Static(show(f"“{self._says}”", WARN, limit=400), id="caller-says")
                    yield Choices([(r.id, r.text) for r in question.replies], id="replies")
                    yield Static(Content("In the caller's own words"), classes="label")
                    words = Input(
                        placeholder="type, then Enter", compact=True, max_length=LIMIT, id="words"
                    )
                    words.cursor_blink = False
                    yield words
                advice = Sheet(self._advice(), id="advice")
                advice.set_class(question is None, "-alone")
                yield advice
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                if self._said:
                    yield Button("⌫  Take the last back", id="back", compact=True)
        yield too_small()

    def _advice(self) -> list[Entry]:
        verdict = self._verdict
        found = [entry("because", show(verdict.cannot_tell, QUIET))] if verdict.cannot_tell else []
        for one in verdict.heard:
            taken = f"to {one.ask}" if one.reply else f"to {one.ask}, not understood"
            says = Content.assemble(show(one.said), "  ", show(taken, QUIET))
            found.append(entry("said", says))
        return found

    def on_mount(self) -> None:
        """Stand on the replies, so that a number answers at once."""
        replies = self.query(Choices)
        (replies.first() if replies else self.query_one("#cancel")).focus()

    def _answer(self, reply: str) -> None:
        question = self._verdict.ask
        if question and reply.strip():
            others = tuple(one for one in self._said if one.ask != question.pair)
            self.dismiss((*others, CallerSaid(ask=question.pair, reply=reply.strip())))

    @on(Choices.Changed)
    def _chosen(self, event: Choices.Changed) -> None:
        """Nothing yet: arrows only move; a number or Enter answers."""
        event.stop()

    def on_key(self, event: events.Key) -> None:
        """Answer with a numbered reply wherever the focus is, but where one types."""
        if isinstance(self.focused, Input):
            return
        for replies in self.query(Choices):
            if event.key.isdigit() and replies.choose(int(event.key)):
                event.stop()
                self._answer(replies.options[int(event.key) - 1][1])
            elif event.key == "enter" and self.focused is replies and replies.value:
                event.stop()
                self._answer(dict(replies.options)[replies.value])

    def on_click(self, event: events.Click) -> None:
        """Answer with the reply that was clicked."""
        index = event.style.meta.get("option")
        if isinstance(index, str):
            for replies in self.query(Choices):
                self._answer(replies.options[int(index)][1])

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value)

    @on(Button.Pressed, "#back")
    def action_take_back(self) -> None:
        """Take the last reply back."""
        if self._said:
            self.dismiss(self._said[:-1])

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.dismiss(None)
