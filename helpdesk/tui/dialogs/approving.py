"""The second person: what is asked of them, what they answer, and what their answer allows.

needs a colleague ─▶ filed ─▶ answered ─▶ carried out, with the very same words
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from helpdesk.domain.actions import ACTIONS, AnyAction
from helpdesk.domain.approvals import Approval, action_of
from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.decisions import Need
from helpdesk.domain.products import Product
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.proving import approval_entries, who_may_answer
from helpdesk.tui.render.values import QUIET, STRONG, WARN, Entry, entry, show
from helpdesk.tui.render.weighing import identity
from helpdesk.tui.widgets.sheet import Sheet

SAYS = 300
"""Characters of an answer's reason."""


class Choice(StrEnum):
    """What was decided about a request."""

    AGREE = "agree"
    REFUSE = "refuse"
    CARRY_OUT = "carry-out"
    ANEW = "anew"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice with the words that go with it."""

    choice: Choice
    says: str = ""


class ApprovalDialog(Guarded[Chosen]):
    """Shows a request exactly as it would be carried out; gives what was chosen, or None.

    Args:
        may_answer: Whether this agent may be the second person; else it is only read.
        is_mine: Whether this agent asked; what was agreed to can be carried out then.
        can_begin: Whether the act may be begun anew with other words.
        why_not: Why this agent may not answer; empty where they may, or need not know.
    """

    def __init__(
        self,
        approval: Approval,
        case: Case,
        card: Product | None,
        shown: Preview,
        now: datetime,
        *,
        is_mine: bool,
        why_not: str = "",
        can_begin: bool = False,
    ) -> None:
        super().__init__()
        self._approval = approval
        self._case = case
        self._card = card
        self._preview = shown
        self._now = now
        self._may_answer = not is_mine and not why_not and approval.is_open(now)
        self._may_carry_out = is_mine and approval.holds(now)
        self._can_begin = can_begin and is_mine
        self._why_not = "" if is_mine else why_not
        self._word = action_of(approval).ticket.lstrip("#")[-4:]

    def compose(self) -> ComposeResult:
        """Who it is about, all of the request, the two fields of an answer, the buttons."""
        title = ACTIONS[self._approval.act].title if self._approval.act in ACTIONS else ""
        with Box() as box:
            box.border_title = Content(f"Second person: {title}")
            yield Static(identity(self._case), id="identity")
            with VerticalScroll(id="body", can_focus=not self._may_answer):
                yield Sheet(self._entries(), id="preview")
            if self._may_answer:
                ticket = action_of(self._approval).ticket.lstrip("#")
                says = f"To agree: the last four characters of ticket #{ticket}"
                yield Static(show(says, WARN), classes="label")
                yield self._line("word", "")
                yield Static(Content("To refuse: why"), classes="label")
                yield self._line("says", "in your own words")
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
                yield from self._buttons()
        yield too_small()

    def _entries(self) -> list[Entry]:
        found = approval_entries(self._approval, self._case, self._card, self._preview, self._now)
        if self._why_not:
            found.append(entry("not you", show(self._why_not, QUIET)))
        return found

    def _buttons(self) -> list[Button]:
        if self._may_answer:
            return [
                Button("Refuse", id="refuse", compact=True, disabled=True),
                Button("Agree", id="agree", variant="primary", compact=True, disabled=True),
            ]
        found = [Button("Begin anew", id="anew", compact=True)] if self._can_begin else []
        if self._may_carry_out:
            found.append(Button("Carry out", id="carry-out", variant="primary", compact=True))
        return found

    def _line(self, name: str, hint: str) -> Input:
        line = Input(placeholder=hint, compact=True, max_length=SAYS, id=f"field-{name}")
        line.cursor_blink = False
        return line

    def on_mount(self) -> None:
        """Stand on Close; where a colleague has agreed and the act's own key was pressed, on it."""
        super().on_mount()
        # It was decided with a typed word, agreed to and wished for again: one key is left.
        # From the list of requests nothing was wished for yet but to read.
        is_wished = self._may_carry_out and self._can_begin
        self.query_one("#carry-out" if is_wished else "#cancel").focus()

    def _value(self, name: str) -> str:
        return self.query_one(f"#field-{name}", Input).value.strip()

    @property
    def can_agree(self) -> bool:
        """Whether the word was typed."""
        is_typed = self._value("word").casefold() == self._word.casefold()
        return bool(self._word) and is_typed

    @property
    def can_refuse(self) -> bool:
        """Whether the reason was given."""
        return len(self._value("says")) >= 3

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#agree", Button).disabled = not self.can_agree
        self.query_one("#refuse", Button).disabled = not self.can_refuse

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self.can_agree:
            self.lead_to(self.query_one("#agree"))
        elif event.input.id == "field-word":
            self.query_one("#field-says").focus()
        elif self.can_refuse:
            self.lead_to(self.query_one("#refuse"))

    @on(Button.Pressed, "#agree")
    def _agreed(self) -> None:
        if self.can_agree:
            self.dismiss(Chosen(Choice.AGREE, self._value("says")))

    @on(Button.Pressed, "#refuse")
    def _refused(self) -> None:
        if self.can_refuse:
            self.dismiss(Chosen(Choice.REFUSE, self._value("says")))

    @on(Button.Pressed, "#carry-out")
    def _carried(self) -> None:
        if self._may_carry_out:
            self.dismiss(Chosen(Choice.CARRY_OUT))

    @on(Button.Pressed, "#anew")
    def _anew(self) -> None:
        self.dismiss(Chosen(Choice.ANEW))

    @on(Button.Pressed, "#cancel")
    def _close_it(self) -> None:
        self.dismiss(None)


class FiledDialog(Guarded[None]):
    """Says that a request for a second person has been filed, and how it goes on."""

    def __init__(self, action: AnyAction, need: Need, case: Case, key: str) -> None:
        super().__init__()
        self._action = action
        self._need = need
        self._case = case
        self._key = key

    def compose(self) -> ComposeResult:
        """Who it is about, the request, who may answer, how long it waits."""
        with Box() as box:
            box.border_title = Content(f"{self._action.title}: a colleague is asked")
            yield Static(identity(self._case), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet(self._entries(), id="preview")
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
        yield too_small()

    def _entries(self) -> list[Entry]:
        request = self._need.choices[0] if self._need.choices else ""
        then = (
            f"A notice tells you when they agree. Then {self._key} on this user, or Enter on the "
            "request in Approvals, carries it out with the very same words, for a quarter of an "
            "hour. Other words ask anew."
        )
        return [
            entry("because", show(self._need.says.partition(" Request ")[0], WARN)),
            entry("request", show(f"{request} is filed", STRONG)),
            entry("who may", show(who_may_answer())),
            entry("waits", show("one hour, then it must be asked anew")),
            entry("then", show(then, limit=400)),
        ]

    def on_mount(self) -> None:
        """Stand on Close."""
        super().on_mount()
        self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def _close_it(self) -> None:
        self.dismiss(None)
