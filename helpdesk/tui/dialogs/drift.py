"""The drift meter: the caller reads a code, the desk says by how much the phone's clock is off.

code ─▶ measure ─▶ reading │ second code ─▶ measure with both ─▶ reading

A code is in the field until Enter, in memory while a second one is waited for, and nowhere after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from helpdesk.domain.cases import Case
from helpdesk.domain.diagnosis.drift import TRIES, TRIES_IN, Drift, DriftState
from helpdesk.domain.errors import HelpdeskError, NeedsMore
from helpdesk.domain.text import clean
from helpdesk.domain.users import Factor, FactorKind, FactorState
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.drift import reading
from helpdesk.tui.render.values import BAD, QUIET, WARN, Entry, entry, m_ss, show
from helpdesk.tui.render.weighing import identity
from helpdesk.tui.widgets.choices import Choices
from helpdesk.tui.widgets.sheet import Sheet

NOW, NEXT = "The code the caller reads now", "The next code, as soon as it changes"
Measure = Callable[[str, tuple[str, ...]], Awaitable[Drift]]
TYPED = 11
"""Characters of a code, with the spaces people read it in."""


def authenticators(case: Case) -> list[Factor]:
    """Return the authenticator apps of a user whose clock can be measured."""
    states = {FactorState.ACTIVE, FactorState.LOCKED}
    return [f for f in case.user.factors if f.kind is FactorKind.TOTP and f.state in states]


class DriftDialog(Guarded[None]):
    """Asks for the code the caller reads and shows the reading; gives nothing.

    Args:
        measure: Gives the reading of an authenticator's id and one or two codes; it is recorded.
    """

    ALLOW_SELECT = False

    def __init__(self, case: Case, now: datetime, measure: Measure) -> None:
        super().__init__()
        self._case = case
        self._measure = measure
        self._factors = authenticators(case)
        recent = [r for r in case.log if r.act == "drift" and now - r.at < TRIES_IN]
        self._left = max(0, TRIES - len(recent))
        self._first = ""
        self._drift: Drift | None = None
        self._fault = ""
        self._waits_s = 0.0

    def compose(self) -> ComposeResult:
        """Who it is about, which authenticator, the code, the reading."""
        with Box(classes="-several" if len(self._factors) > 1 else "") as box:
            box.border_title = Content("Drift meter")
            yield Static(identity(self._case), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                yield from self._which()
                yield Static(Content(NOW), classes="label", id="code-label")
                code = Input(
                    placeholder="six digits, then Enter",
                    compact=True,
                    max_length=TYPED,
                    restrict=r"[0-9 ]*",
                    id="code",
                )
                code.cursor_blink = False
                yield code
                yield Sheet(id="reading")
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
                yield Button("Measure", id="do", variant="primary", compact=True)
        yield too_small()

    def _which(self) -> Iterator[Static | Choices]:
        if len(self._factors) > 1:
            yield Static(Content("Which authenticator"), classes="label")
            options = [(f.id, f"{f.kind.words} {clean(f.to or f.id)}") for f in self._factors]
            yield Choices(options, id="which")

    def on_mount(self) -> None:
        """Stand on the choice of the authenticator, else on the code."""
        super().on_mount()
        which = self.query(Choices)
        (which.first() if which else self.query_one("#code", Input)).focus()
        self.set_interval(1.0, self._count_down)
        self._show()

    def _show(self) -> None:
        entries: list[Entry] = []
        if self._fault:
            entries.append(entry("fault", show(self._fault, BAD, limit=600)))
            if self._waits_s > 0:
                entries.append(entry("wait", show(m_ss(self._waits_s), WARN)))
        elif self._drift is not None:
            entries.extend(reading(self._drift, self._waits_s))
        tries = f"{self._left} of {TRIES} tries left in a quarter of an hour; each is logged"
        entries.append(entry("tries", show(tries, QUIET if self._left > 1 else WARN)))
        self.query_one("#reading", Sheet).update(entries)
        self.query_one("#code-label", Static).update(Content(NEXT if self._first else NOW))

    def _count_down(self) -> None:
        if self._waits_s > 0:
            self._waits_s = max(0.0, self._waits_s - 1)
            self._show()

    def on_key(self, event: events.Key) -> None:
        """Choose a numbered authenticator wherever the focus is, but where one types."""
        if event.key.isdigit() and not isinstance(self.focused, Input):
            for which in self.query(Choices):
                which.choose(int(event.key))
                event.stop()

    @on(Choices.Changed)
    def _chosen(self, event: Choices.Changed) -> None:
        """Another authenticator begins anew, and the code comes next."""
        event.stop()
        self._first, self._drift, self._fault = "", None, ""
        self._show()
        self.query_one("#code", Input).focus()

    @on(Button.Pressed, "#do")
    @on(Input.Submitted)
    def _read(self, event: Button.Pressed | Input.Submitted) -> None:
        event.stop()
        field = self.query_one("#code", Input)
        code, field.value = field.value.strip(), ""
        if not code:
            self._fault, self._waits_s = "Type the code the caller reads.", 0.0
            self._show()
        elif len(self._factors) > 1 and not self.query_one(Choices).value:
            self._fault, self._waits_s = "Choose the authenticator first.", 0.0
            self._show()
        else:
            self._take(code)
        field.focus()

    @work(group="drift", exclusive=False, exit_on_error=False)
    async def _take(self, code: str) -> None:
        """Measure; the codes are let go whatever comes of it, but one that needs a second."""
        which = next((choices.value for choices in self.query(Choices)), self._factors[0].id)
        codes = (self._first, code) if self._first else (code,)
        self._first, self._fault, self._waits_s = "", "", 0.0
        try:
            drift = await self._measure(which, codes)
        except HelpdeskError as error:
            self._drift, self._fault = None, str(error)
            if isinstance(error, NeedsMore):
                self._waits_s = max((n.seconds or 0.0 for n in error.decision.needs), default=0.0)
                self._left = 0 if self._waits_s else self._left
        else:
            self._drift, self._waits_s = drift, float(drift.wait_s or 0)
            self._left = max(0, self._left - 1)
            if drift.state is DriftState.SECOND_CODE:
                self._first = code
        if self.is_mounted:
            self._show()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close and forget."""
        self._first = ""
        self.query_one("#code", Input).value = ""
        self.dismiss(None)
