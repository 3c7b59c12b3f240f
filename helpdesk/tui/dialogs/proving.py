"""Proving the caller: which way, what both sides say, and what the caller reads back.

ways ─▶ asked ─▶ right ─▶ proven, or ways once more where an act takes two
  ▲       │ three wrong answers, ten minutes, another way
  └───────┘

What is typed is never shown, is in the field until Enter, and nowhere after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from msgspec.structs import replace
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from helpdesk.domain.cases import Case, Handover
from helpdesk.domain.errors import BadInput, HelpdeskError
from helpdesk.domain.proofs import PROOF_LIFE, TRIES, Asking, Method, Proof, Way
from helpdesk.tui.dialogs.guarded import Box, Guarded, too_small
from helpdesk.tui.render.proving import (
    answer_label,
    asked_entries,
    goes_to,
    named_proof,
    proven,
    shown_secret,
)
from helpdesk.tui.render.values import BAD, QUIET, STRONG, WARN, Entry, entry, lines, show
from helpdesk.tui.render.weighing import identity
from helpdesk.tui.widgets.sheet import Sheet
from helpdesk.tui.widgets.ways import WayList

TYPED = 200
"""Characters of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the dialog asks the desk about the caller.

    Attributes:
        wish: What it is for, in words; empty where it is for no act yet.
        lacks: Gives what is still to be proven for that, in a sentence; empty where nothing is.
        phone: Gives what the devices of a person of a demo show; None where the desk is no demo.
    """

    case: Case
    ticket: str
    wish: str
    ways: Callable[[], Awaitable[tuple[Way, ...]]]
    ask: Callable[[Way], Awaitable[Asking]]
    answer: Callable[[Asking, str], Awaitable[Proof]]
    lacks: Callable[[], Awaitable[str]]
    clock: Callable[[], datetime]
    phone: Callable[[str], Awaitable[tuple[Handover, ...]]] | None = None


class VerifyDialog(Guarded[bool]):
    """Proves the caller; gives whether a proof was made."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "phone", "Telephone", show=False),
    ]

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller
        self._asking: Asking | None = None
        self._to = ""
        self._wrong = 0
        self._proofs: list[Proof] = []
        self._lacks = ""
        self._fault = ""
        self._is_busy = False

    def compose(self) -> ComposeResult:
        """Who it is about, where it stands, the ways or the answer, the buttons."""
        with Box() as box:
            box.border_title = Content("Verify the caller")
            yield Static(identity(self._caller.case), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet(id="state")
                yield WayList(self._caller.case)
                yield Static(id="ask", classes="label")
                answer = Input(compact=True, max_length=TYPED, password=True, id="answer")
                answer.cursor_blink = False
                yield answer
            yield Sheet(id="missing")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Another way", id="other", compact=True)
                if self._caller.phone is not None:
                    yield Button("F9  Demo telephone", id="phone", compact=True)
                yield Button("Check", id="do", variant="primary", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Begin with the ways."""
        super().on_mount()
        self.query_one("#cancel").focus()
        self.set_interval(1.0, self._count_down)
        self._show()
        self._find_ways()

    @property
    def _left_s(self) -> float:
        if self._asking is None:
            return 0.0
        return (self._asking.at + PROOF_LIFE - self._caller.clock()).total_seconds()

    @property
    def _is_done(self) -> bool:
        return bool(self._proofs) and not self._lacks

    @property
    def is_asked(self) -> bool:
        """Whether the caller was asked, and may answer."""
        return self._asking is not None

    @property
    def is_settled(self) -> bool:
        """Whether the desk has answered what it was asked last."""
        return not self._is_busy

    def _show(self) -> None:
        """Show where it stands: the ways, what was asked, or that the caller is proven."""
        asking, caller = self._asking, self._caller
        is_choosing = asking is None and not self._is_done
        self.query_one(WayList).display = is_choosing
        for name in ("#ask", "#answer", "#do", "#other"):
            self.query_one(name).display = asking is not None
        self.query_one("#cancel", Button).label = "Done" if self._is_done else "Cancel"
        for phone in self.query("#phone").results(Button):
            phone.display = not self._is_done
        entries = [entry("for", show(caller.wish or "any act on this ticket", STRONG))]
        entries.append(entry("ticket", show(f"#{caller.ticket.lstrip('#')}")))
        now = caller.clock()
        entries += [
            entry("proven" if not n else "", show(named_proof(proof, caller.case, now)))
            for n, proof in enumerate(self._proofs)
        ]
        if self._is_done:
            entries.append(entry("", proven(self._proofs, now)))
        if asking is not None:
            entries += asked_entries(asking, self._to, self._left_s, TRIES - self._wrong)
            self.query_one("#ask", Static).update(Content(answer_label(asking.method)))
        self.query_one("#state", Sheet).update(entries)
        self._say()

    def _say(self) -> None:
        """Say the one thing that is wrong or that is to be done next."""
        found: list[Entry] = []
        if self._fault:
            found.append(entry("no", show(self._fault, BAD, limit=400)))
        elif self._lacks and self._asking is None:
            found.append(entry("needs", show(self._lacks, WARN)))
        elif self._asking is None and not self._proofs:
            found.append(entry("choose", show("Type the number of a way.", QUIET)))
        elif self._asking is not None and self._caller.phone is not None:
            says = "Demo data: F9 shows the customer's telephone."
            found.append(entry("demo", show(says, QUIET)))
        missing = self.query_one("#missing", Sheet)
        missing.display = bool(found)
        missing.update(found)

    def _count_down(self) -> None:
        if self._asking is not None and self._left_s <= 0:
            self._start_over("It waited for ten minutes and is gone: ask anew.")
        elif self._asking is not None or self._is_done:
            self._show()

    def _start_over(self, fault: str = "") -> None:
        self._asking, self._to, self._wrong, self._fault = None, "", 0, fault
        self.query_one("#answer", Input).value = ""
        self._show()
        self._find_ways()

    @work(exclusive=True, group="ways", exit_on_error=False)
    async def _find_ways(self) -> None:
        """Ask which ways there are; a channel that proved already proves nothing more."""
        try:
            ways = await self._caller.ways()
        except HelpdeskError as error:
            self._fault = str(error)
            self._show()
            return
        used = {proof.channel for proof in self._proofs}
        says = "it has proven already; another channel is needed"
        marked = [replace(way, not_for=says) if way.channel in used else way for way in ways]
        marked.sort(key=lambda way: bool(way.not_for))
        found = self.query_one(WayList)
        found.show(marked)
        if self._asking is None and not self._is_done:
            found.focus()

    @on(WayList.Chosen)
    def _chosen(self, message: WayList.Chosen) -> None:
        message.stop()
        if not self._is_busy and self._asking is None:
            self._ask(message.way)

    @work(group="asking", exit_on_error=False)
    async def _ask(self, way: Way) -> None:
        """Ask the caller; from here on the field is what the agent stands in."""
        self._is_busy, self._fault = True, ""
        try:
            self._asking = await self._caller.ask(way)
        except HelpdeskError as error:
            self._fault = str(error)
        else:
            self._to, self._wrong = goes_to(way, self._caller.case, way.to), 0
        finally:
            self._is_busy = False
        self._show()
        if self._asking is not None:
            field = self.query_one("#answer", Input)
            field.password = self._asking.method is not Method.IN_PERSON
            field.value = ""
            field.focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#do")
    def _told(self, event: Input.Submitted | Button.Pressed) -> None:
        event.stop()
        field = self.query_one("#answer", Input)
        told = field.value.strip()
        if self._asking is None or self._is_busy:
            return
        if not told:
            self._fault = "Type what the caller reads back."
            self._show()
            return
        field.value = ""
        self._check(self._asking, told)

    @work(group="asking", exit_on_error=False)
    async def _check(self, asking: Asking, told: str) -> None:
        """Let the desk check the answer; a wrong one is counted there and here."""
        self._is_busy, self._fault = True, ""
        try:
            proof = await self._caller.answer(asking, told)
        except BadInput as error:
            self._wrong += asking.method is not Method.IN_PERSON
            self._fault = str(error)
            if self._wrong >= TRIES:
                self._start_over("Three wrong answers: ask anew, if you still believe the caller.")
        except HelpdeskError as error:
            self._start_over(str(error))
        else:
            await self._see_what_lacks()
            self._proofs.append(proof)
            self._asking, self._wrong = None, 0
            if not self._is_done:
                self._find_ways()
        finally:
            self._is_busy = False
        self._show()
        (self.query_one("#cancel") if self._is_done else self._stand()).focus()

    async def _see_what_lacks(self) -> None:
        """Ask what is still to be proven; where nobody knows, more may be, and the proof counts."""
        try:
            self._lacks = await self._caller.lacks()
        except HelpdeskError as error:
            self._lacks = self._fault = str(error)

    def _stand(self) -> Input | WayList:
        if self._asking is not None:
            return self.query_one("#answer", Input)
        return self.query_one(WayList)

    def on_key(self, event: events.Key) -> None:
        """Choose a numbered way wherever the focus is, but where one types."""
        if event.key.isdigit() and self._asking is None and not self._is_done:
            event.stop()
            self.query_one(WayList).choose(int(event.key))

    @on(Button.Pressed, "#other")
    def _another(self) -> None:
        if not self._is_busy:
            self._start_over()

    @on(Button.Pressed, "#phone")
    def action_phone(self) -> None:
        """Show the customer's telephone, on demo data only."""
        if self._caller.phone is not None and not self._is_done:
            self._look_at_phone()

    @work(exclusive=True, group="phone", exit_on_error=False)
    async def _look_at_phone(self) -> None:
        if self._caller.phone is None:
            return
        channel = self._asking.channel if self._asking is not None else ""
        kind, _, person = channel.partition(":")
        whose = person if kind == "administrator" else self._caller.case.user.id
        try:
            shown = await self._caller.phone(whose)
        except HelpdeskError as error:
            self._fault = str(error)
            self._show()
            return
        await self.app.push_screen_wait(PhoneDialog(whose, shown))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close and forget what was typed."""
        self.query_one("#answer", Input).value = ""
        self.dismiss(bool(self._proofs))


class PhoneDialog(Guarded[None]):
    """Shows what a customer's devices would show, on demo data; once closed it is nowhere."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9,enter", "cancel", "Close", show=False),
    ]

    def __init__(self, whose: str, shown: Sequence[Handover]) -> None:
        super().__init__()
        self._whose = whose
        self._shown: tuple[Handover, ...] = tuple(shown)

    def compose(self) -> ComposeResult:
        """A plain word on what this is, then what is on the telephone."""
        with Box(classes="phone") as box:
            box.border_title = Content("DEMO: the customer's telephone")
            yield Static(
                show(f"{self._whose} · invented, to play both sides", QUIET), id="identity"
            )
            with VerticalScroll(id="body"):
                yield Static(self._content(), id="shown")
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
        yield too_small()

    def _content(self) -> Content:
        parts = [shown_secret(one.title, one.secret, one.says) for one in self._shown]
        return lines(parts) if parts else Content.assemble(("Nothing is on it now.", QUIET))

    def on_mount(self) -> None:
        """Stand on Close."""
        self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close and forget."""
        self._shown = ()
        self.dismiss(None)
