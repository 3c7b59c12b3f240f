"""The dialog of an act: what it will do, what it still needs, and the button that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerState

from helpdesk.domain.actions import AnyAction, CloseTicket, Risk
from helpdesk.domain.cases import Case, Weighed
from helpdesk.domain.decisions import Need
from helpdesk.domain.errors import HelpdeskError
from helpdesk.tui.dialogs.fields import LIMITS, Field
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.values import BAD, STRONG, WARN, Entry, entry, m_ss, show
from helpdesk.tui.render.weighing import identity, preview_entries, refusal, rests_on, said_first
from helpdesk.tui.widgets.choices import Choices
from helpdesk.tui.widgets.sheet import Sheet

Weigh = Callable[[AnyAction], Awaitable[Weighed]]
Prove = Callable[[AnyAction], Awaitable[None]]
WAITS = {"wait": "until the next code may be sent", "limit": "until the desk's limit lets it"}
"""Needs that time alone meets, and what one waits for."""

WORD = "word"
"""The id of the field into which the ticket's end is typed."""


class ActDialog(Guarded[AnyAction]):
    """Shows an action weighed and asks for what it lacks; gives the whole action, or None.

    Args:
        says: A sentence that stands above all, such as why the last try failed.
        asks_word: Whether the end of the ticket's number has to be typed for an act of high risk.

    Attributes:
        prove: Proves the caller for the action as it stands; None where that cannot be done here.
        clock: Gives the present, by which a wait goes on: one may be hurried, or stopped.
    """

    def __init__(
        self,
        action: AnyAction,
        weighed: Weighed,
        case: Case,
        fields: tuple[Field, ...],
        weigh: Weigh,
        *,
        title: str = "",
        says: str = "",
        asks_word: bool = True,
    ) -> None:
        super().__init__()
        self._begun = action
        self._weighed = weighed
        self._case = case
        self._fields = fields
        self._weigh = weigh
        self._title = title or action.title
        self._says = says
        self._asks_word = asks_word and action.risk is Risk.HIGH
        self.prove: Prove | None = None
        self._is_weighing = False
        self._is_stale = False
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)
        self._looked_at = case.at
        self._waits_s = 0.0
        self._waits_for = ""
        self._is_proving = False
        self._entered_in: Widget | None = None

    def compose(self) -> ComposeResult:
        """Who it is about, what happens, the fields, what is missing, two buttons."""
        with Box() as box:
            box.border_title = Content(self._title)
            yield Static(identity(self._case), id="identity")
            if self._says:
                yield Static(show(self._says, BAD, limit=600), id="says")
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet(id="preview")
                yield from self._inputs()
                yield Sheet(id="advice")
            with VerticalScroll(id="needs", can_focus=False):
                yield Sheet(id="missing")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                if self.prove is not None:
                    yield Button("v  Verify the caller", id="verify", compact=True)
                yield Button(Content(self._title), id="do", variant="primary", compact=True)
        yield too_small()

    def _inputs(self) -> Iterator[Widget]:
        for field in self._fields:
            yield Static(Content(field.label), classes="label")
            values = [value for value, _ in field.options]
            chosen = values.index(field.value) if field.value in values else None
            if field.options:
                yield Choices(field.options, chosen=chosen, id=f"choice-{field.name}")
            if field.takes_words:
                yield self._line(field.name, field.hint, field.value if chosen is None else "")
        if self._asks_word:
            yield Static(id="word-label", classes="label")
            yield self._line(WORD, "")

    def _line(self, name: str, hint: str, value: str = "") -> Input:
        limit = LIMITS.get(name, 40)
        line = Input(value, hint, compact=True, max_length=limit, id=f"field-{name}")
        line.cursor_blink = False
        return line

    def on_mount(self) -> None:
        """Stand on Cancel; on the line to write in where nothing changes, or it is all there is."""
        super().on_mount()
        lines = self.query(Input)
        takes_code = [field.name for field in self._fields] == ["code"]
        is_typing = self._begun.risk is Risk.NONE or takes_code
        (lines.first() if is_typing and lines else self.query_one("#cancel")).focus()
        self._take(self._weighed)
        self.set_interval(1.0, self._count_down)

    def value(self, name: str) -> str:
        """What a field holds now: typed words before a chosen line."""
        typed = next((line.value for line in self.query(f"#field-{name}").results(Input)), "")
        chosen = next((c.value for c in self.query(f"#choice-{name}").results(Choices)), "")
        return typed.strip() or chosen

    @property
    def action(self) -> AnyAction:
        """The action with all that has been given."""
        values: dict[str, Any] = {field.name: self.value(field.name) for field in self._fields}
        return replace(self._begun, **values)

    @property
    def _word(self) -> str:
        return self.action.ticket.lstrip("#")[-4:] if self._asks_word else ""

    @property
    def missing(self) -> list[str]:
        """The sentences that say what is still needed, in order."""
        later = {*WAITS, "second-person"}
        decision = self._weighed.decision
        told = decision.instead  # it stands above already
        open_ = [need for need in decision.needs if need.what not in later]
        needs = [need.says.removesuffix(told).rstrip() for need in open_]
        empty = [f.required for f in self._fields if f.required and not self.value(f.name)]
        sentences = [*needs, *empty]
        if self._word and self.value(WORD).casefold() != self._word.casefold():
            sentences.append("Type the last four characters of the ticket.")
        return list(dict.fromkeys(sentences))

    @property
    def is_ready(self) -> bool:
        """Whether the button may be pressed."""
        has_all = not self.missing and self._waits_s <= 0
        is_known = not self._is_weighing and not self._is_stale
        return has_all and is_known and not self._weighed.decision.is_refused

    def _need(self, what: str) -> Need | None:
        return next((need for need in self._weighed.decision.needs if need.what == what), None)

    def _take(self, weighed: Weighed) -> None:
        """Show another answer of the policy."""
        self._weighed, self._is_stale = weighed, False
        waits = [need for need in weighed.decision.needs if need.what in WAITS]
        longest = max(waits, key=lambda need: need.seconds, default=None)
        self._waits_s, self._looked_at = longest.seconds if longest else 0.0, self.clock()
        self._waits_for = WAITS[longest.what] if longest else ""
        decision = weighed.decision
        first = refusal(decision) if decision.is_refused else said_first(decision)
        preview = preview_entries(weighed.preview)
        self.query_one("#preview", Sheet).update([*self._closed_ticket(), *first, *preview])
        self.query_one("#advice", Sheet).update(rests_on(decision))
        self._show_state()

    def _closed_ticket(self) -> list[Entry]:
        """Name the ticket that would be closed: by its number alone nobody tells it apart."""
        action = self.action
        if not isinstance(action, CloseTicket):
            return []
        closed = [one for one in self._case.open_tickets if one.id == action.ticket]
        says = (show(f"#{one.id.lstrip('#')} {one.subject}", STRONG) for one in closed)
        return [entry("closes", words) for words in says]

    def _show_state(self) -> None:
        for label in self.query("#word-label").results(Static):
            ticket = self.action.ticket.lstrip("#")
            says = f"Ticket #{ticket}: type its last four characters" if ticket else "Ticket"
            label.update(show(says, WARN))
        entries = [
            entry("" if at else "needs", show(says, WARN)) for at, says in enumerate(self.missing)
        ]
        if self._waits_s > 0:
            wait = f"{m_ss(self._waits_s)} {self._waits_for}"
            entries.append(entry("wait", show(wait, WARN)))
        second = self._need("second-person")
        if second is not None:
            entries.append(entry("then", show(second.says, WARN)))
        self._say(entries)
        do = self.query_one("#do", Button)
        do.disabled = not self.is_ready and not self._is_stale
        usual = self._title if second is None else "Ask a colleague"
        do.label = Content("Look again" if self._is_stale else usual)
        for verify in self.query("#verify").results(Button):
            verify.display = self._need("proof") is not None
        self._go_on()

    def _say(self, entries: list[Entry]) -> None:
        self.query_one("#needs").display = bool(entries)
        self.query_one("#missing", Sheet).update(entries)

    def _count_down(self) -> None:
        now = self.clock()
        gone, self._looked_at = (now - self._looked_at).total_seconds(), now
        if self._waits_s > 0:
            self._waits_s -= max(1.0, gone)  # who sets the clock back waits no longer
            self._show_state()
            if self._waits_s <= 0:
                self._weigh_again()

    @on(Input.Changed)
    @on(Choices.Changed)
    def _changed(self, event: Input.Changed | Choices.Changed) -> None:
        event.stop()
        self._entered_in = None
        if isinstance(event, Input.Changed) and event.input.id == f"field-{WORD}":
            self._show_state()
            return
        self._look_again()

    def _look_again(self) -> None:
        self._is_weighing, self._is_stale = True, False
        self._show_state()
        self._weigh_again()

    @work(exclusive=True, group="weigh", exit_on_error=False)
    async def _weigh_again(self) -> None:
        """Ask the policy about what is there now; a later keystroke asks anew."""
        try:
            weighed = await self._weigh(self.action)
        except HelpdeskError as error:
            self._stay_unknown(str(error))
            return
        self._is_weighing = False
        self._take(weighed)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say that what is there was not weighed; the app tells the fault."""
        if event.state is WorkerState.ERROR and event.worker.group == "weigh":
            self._stay_unknown("What this act needs could not be found out.")

    def _stay_unknown(self, fault: str) -> None:
        """Say what is wrong; the button does nothing but look again, as nobody knows the rest."""
        self._is_weighing, self._is_stale = False, True
        self._show_state()
        self._say([entry("fault", show(fault, BAD, limit=600))])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._entered(event.input)

    def _entered(self, line: Widget) -> None:
        """Go on to the next empty field, from the last one to the act, never to Cancel."""
        stops = list(self.query("Input, Choices"))
        later = stops[stops.index(line) + 1 :]
        following = next((one for one in later if not self.value(_name(one))), None)
        if following is not None:
            following.focus()
        else:
            self._entered_in = line
            self._go_on()

    def _go_on(self) -> None:
        """After the last field: to the act's button, else to what is missing, once that is known.

        Only where the agent did not go elsewhere meanwhile.
        """
        do = self.query_one("#do", Button)
        if self._entered_in is None or (self._is_weighing and do.disabled):
            return
        is_there, self._entered_in = self._entered_in is self.focused, None
        if not is_there:
            return
        if not do.disabled:
            self.lead_to(do)
            return
        lacking = self._lacking()
        if lacking is not None:
            lacking.focus()

    def _lacking(self) -> Widget | None:
        """Give where the first thing still missing is given; None where only time helps."""
        needed = {need.what for need in self._weighed.decision.needs}
        needed |= {field.name for field in self._fields if field.required}
        for stop in self.query("Input, Choices"):
            name = _name(stop)
            if name in needed and not self.value(name):
                return stop
        if self._word and self.value(WORD).casefold() != self._word.casefold():
            return self.query_one(f"#field-{WORD}")
        return next((one for one in self.query("#verify") if one.display), None)

    @on(Button.Pressed, "#verify")
    def _verify(self) -> None:
        if self.prove is not None and self._need("proof") is not None and not self._is_proving:
            self._prove_caller(self.prove)

    @work(group="proving", exit_on_error=False)
    async def _prove_caller(self, prove: Prove) -> None:
        """Prove the caller, and come back to this act with all that was given."""
        self._is_proving = True
        try:
            await prove(self.action)
            self._take(await self._weigh(self.action))
        except HelpdeskError as error:
            self._say([entry("fault", show(error, BAD, limit=600))])
        finally:
            self._is_proving = False
        do = self.query_one("#do", Button)
        lacking = self._lacking()
        if not do.disabled:
            self.lead_to(do)
        elif lacking is not None:
            lacking.focus()

    def on_key(self, event: events.Key) -> None:
        """Choose a numbered line, or verify, wherever the focus is, but where one types."""
        if isinstance(self.focused, Input):
            return
        if event.key == "v":
            event.stop()
            self._verify()
        if event.key == "enter" and isinstance(self.focused, Choices):
            event.stop()
            self._entered(self.focused)
        if not event.key.isdigit():
            return
        open_ones = [c for c in self.query(Choices) if c.chosen is None]
        focused = [self.focused] if isinstance(self.focused, Choices) else []
        for choices in [*focused, *open_ones, *self.query(Choices)][:1]:
            choices.choose(int(event.key))
            event.stop()
            following = next((c for c in self.query(Choices) if c.chosen is None), choices)
            following.scroll_visible(animate=False)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#do")
    def _done(self) -> None:
        if self._is_stale:
            self._look_again()
        elif self.is_ready:
            self.dismiss(self.action)


def _name(stop: Widget) -> str:
    """Return the name of the field that a line or a choice belongs to."""
    return (stop.id or "").partition("-")[2]
