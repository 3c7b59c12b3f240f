"""The dialog of a sign-in that is needed while the console runs.

asked ─▶ a code is typed here ─▶ given
     └─▶ one signs in elsewhere ─▶ `end`: it closes by itself      Escape, Give up ─▶ None
"""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from helpdesk.domain.signing import SignInPrompt
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.values import QUIET, STRONG, WARN, Entry, entry, show
from helpdesk.tui.widgets.sheet import Sheet

TYPED = 80
"""Characters of a one-time code that are taken."""

URL = 2_000
"""Characters of an address that are shown."""


class SignInDialog(Guarded[str]):
    """Shows how to sign in and gives the code that was typed, or None where the agent gives up."""

    def __init__(self, prompt: SignInPrompt) -> None:
        super().__init__()
        self._prompt = prompt
        self._is_over = False

    def compose(self) -> ComposeResult:
        """What to do, where, the code's field if one is typed here, the buttons."""
        prompt = self._prompt
        with Box() as box:
            box.border_title = Content("Sign in" if prompt.is_first else "Sign in again")
            yield Static(show(prompt.says, limit=1_000), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet(self._entries(), id="preview")
                if prompt.wants_code:
                    yield Static(Content("One-time code, not shown"), classes="label")
                    code = Input(compact=True, max_length=TYPED, password=True, id="code")
                    code.cursor_blink = False
                    yield code
            with Horizontal(id="buttons"):
                yield Button("Give up", id="cancel", compact=True)
                if prompt.url:
                    yield Button("Copy the address", id="copy", compact=True)
                if prompt.wants_code:
                    yield Button("Sign in", id="do", variant="primary", compact=True)
        yield too_small()

    def _entries(self) -> list[Entry]:
        prompt = self._prompt
        found: list[Entry] = []
        if prompt.url:
            found.append(entry("address", show(prompt.url, limit=URL)))
        if prompt.user_code:
            found.append(entry("code", show(prompt.user_code, STRONG)))
            found.append(entry("", show("Never type a code that somebody sent you.", WARN)))
        then = "" if prompt.wants_code else "This closes by itself once you are signed in. "
        goes_on = "The console opens then." if prompt.is_first else "What you began goes on then."
        says = f"{then}{goes_on} Escape gives up: nothing is done."
        found.append(entry("then", show(says, QUIET)))
        return found

    def on_mount(self) -> None:
        """Stand in the code's field; where nothing is typed, on Give up."""
        super().on_mount()
        self.query_one("#code" if self._prompt.wants_code else "#cancel").focus()
        self._leave()

    def end(self) -> None:
        """Close because it is over; where something lies above it, once that is closed."""
        self._is_over = True
        self.call_later(self._leave)

    def _leave(self) -> None:
        if self._is_over:
            self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#do")
    def _typed(self, event: Input.Submitted | Button.Pressed) -> None:
        event.stop()
        field = self.query_one("#code", Input)
        code, field.value = field.value.strip(), ""
        if code:
            self.dismiss(code)
        else:
            field.focus()

    @on(Button.Pressed, "#copy")
    def _copied(self) -> None:
        self.app.copy_to_clipboard(self._prompt.url)
        self.app.notify("Copied.", timeout=3, markup=False)

    @on(Button.Pressed, "#cancel")
    def _give_up(self) -> None:
        self.dismiss(None)
