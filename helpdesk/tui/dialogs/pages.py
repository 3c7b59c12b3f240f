"""Dialogs that are read: a page, every act with its reason, a refusal, a handover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.cases import Case, Handover
from helpdesk.domain.decisions import Decision
from helpdesk.domain.text import clean
from helpdesk.tui.dialogs.guarded import LINES, Box, Guarded, too_small
from helpdesk.tui.keys import KEYS, key_of
from helpdesk.tui.render.case import glyph_of
from helpdesk.tui.render.qr import qr_lines, shortened
from helpdesk.tui.render.values import (
    LABEL,
    QUIET,
    SHORT,
    STRONG,
    WARN,
    Entry,
    clock,
    lines,
    pressable,
    show,
    silent,
)
from helpdesk.tui.render.weighing import identity, refusal
from helpdesk.tui.widgets.sheet import Sheet


class PageDialog(Guarded[str]):
    """Shows a page to scroll through; gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q", "cancel", "Close", show=False),
    ]

    def __init__(self, title: str, page: Sequence[Entry]) -> None:
        super().__init__()
        self._title = title
        self._page = page

    def compose(self) -> ComposeResult:
        """The page and a button."""
        with Box(classes="page") as box:
            box.border_title = Content(clean(self._title, limit=60))
            with VerticalScroll(id="body"):
                yield Sheet(self._page)
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand on the page, so that arrows scroll it."""
        self.query_one("#body").focus()

    @on(Button.Pressed, "#cancel")
    def _close_it(self) -> None:
        self.dismiss(None)


class ReasonsDialog(PageDialog):
    """Shows every act with its key and why it may or may not be done; gives the act chosen."""

    def __init__(self, case: Case) -> None:
        super().__init__("May I", [_reason(decision) for decision in case.decisions])

    def on_key(self, event: events.Key) -> None:
        """Begin an act by its own key."""
        act = next((key.act for key in KEYS if key.act and key.key == event.key), "")
        if act:
            event.stop()
            self.dismiss(act)

    @on(Sheet.Picked)
    def _picked(self, message: Sheet.Picked) -> None:
        self.dismiss(message.act)


class MoreDialog(PageDialog):
    """Shows a page whose keys can be clicked or pressed there; gives what the key does."""

    def __init__(self, title: str, page: Sequence[Entry], keys: frozenset[str]) -> None:
        super().__init__(title, page)
        self._keys = {key.key: key.does for key in KEYS if key.key in keys}

    def on_key(self, event: events.Key) -> None:
        """Do what a key of the page does."""
        if event.key in self._keys:
            event.stop()
            self.dismiss(self._keys[event.key])

    def on_click(self, event: events.Click) -> None:
        """Do what a clicked key does."""
        does = self._keys.get(str(event.style.meta.get("key")))
        if does is not None:
            self.dismiss(does)


def _reason(decision: Decision) -> Entry:
    glyph, look = glyph_of(decision)
    needs = " ".join(need.says for need in decision.needs)
    may = needs or decision.instead or "May be done as it is."
    why, is_no = decision.why if decision.is_refused else may, decision.is_refused
    head = Content.assemble(
        (f"{key_of(decision.act):<2}", STRONG),
        (f"{glyph} ", look),
        (f"{ACTIONS[decision.act].title:<21}", QUIET if is_no else ""),
    )
    rules = f"  {', '.join(decision.rules)}" if decision.rules else ""
    silence = Content("") if decision.documented else Content.assemble("  ", silent())
    body = Content.assemble(
        show(why, QUIET if is_no else "", limit=400), (clean(rules, limit=SHORT), LABEL), silence
    )
    return Entry(pressable(head, act=decision.act), pressable(body, act=decision.act))


class RefusedDialog(Guarded[str]):
    """Shows why not, what instead, the steps and the rules; gives `route` where that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "route", "Route", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(
        self, case: Case, decision: Decision, *, can_route: bool, copy: Callable[[], None]
    ) -> None:
        super().__init__()
        self._case = case
        self._decision = decision
        self._can_route = can_route
        self._copy = copy

    def compose(self) -> ComposeResult:
        """Who it is about, the refusal, the ways on."""
        with Box(classes="refused") as box:
            box.border_title = Content(f"{ACTIONS[self._decision.act].title}: no")
            yield Static(identity(self._case), id="identity")
            with VerticalScroll(id="body", can_focus=False):
                yield Sheet(refusal(self._decision))
            with Horizontal(id="buttons"):
                yield Button("Close", id="cancel", compact=True)
                if self._can_route:
                    yield Button("w  Route", id="route", variant="primary", compact=True)
                yield Button("y  Copy", id="copy", compact=True)
        yield too_small()

    def on_mount(self) -> None:
        """Stand on Close."""
        self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def _close_it(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#route")
    def action_route(self) -> None:
        """Go on to the route."""
        if self._can_route:
            self.dismiss("route")

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy why and what instead."""
        self._copy()


def _picture(uri: str) -> list[str]:
    """Return a QR code; none where it does not fit into any, as the words are there beside it."""
    try:
        return qr_lines(shortened(uri))
    except ValueError:
        return []


class HandoverDialog(Guarded[None]):
    """Shows a secret once; once closed it is nowhere.

    Attributes:
        later: Tells the notices that came meanwhile; they would lie on the picture.
    """

    ALLOW_SELECT = False

    def __init__(self, handover: Handover, now: datetime) -> None:
        super().__init__()
        self._handover: Handover | None = handover
        self._rows = _picture(handover.uri) if handover.uri else []
        self._now = now
        self.later: list[Callable[[], None]] = []

    def compose(self) -> ComposeResult:
        """The picture on the left where there is one; the words and the buttons on the right."""
        handover = self._handover
        if handover is None:
            return
        with Horizontal(id="handover", classes="-picture" if self._rows else ""):
            if self._rows:
                yield Static(Content("\n".join(self._rows)), id="qr")
                yield Static(Content.assemble((self._widen(), WARN)), id="widen")
            with Vertical(id="handover-words"):
                with VerticalScroll(id="body", can_focus=False):
                    yield Static(self._words(handover))
                with Horizontal(id="buttons"):
                    yield Button("Done, forget it", id="cancel", variant="primary", compact=True)
                    yield Button("Copy", id="copy", compact=True)
        yield too_small()

    def _words(self, handover: Handover) -> Content:
        secret = handover.secret
        groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        spaced = groups if len(secret) > 12 and secret.isalnum() else secret
        until = f"until {clock(handover.until, self._now)} UTC" if handover.until else ""
        return lines(
            (
                show(handover.title, STRONG),
                Content(" "),
                show(spaced, "bold $live-text on $live"),
                show(until, QUIET) if until else Content(""),
                Content(" "),
                show(handover.says, limit=400),
                Content.assemble(("It is shown once, here, and kept nowhere.", QUIET)),
            )
        )

    def _widen(self) -> str:
        columns, rows = len(self._rows[0]) + 34, len(self._rows) + 1
        return f"Make the window {columns} × {rows} or larger to see the picture."

    def on_mount(self) -> None:
        """Stand on Done."""
        super().on_mount()
        self.query_one("#cancel").focus()

    def on_unmount(self) -> None:
        """Tell what came meanwhile."""
        for tell in self.later:
            tell()

    def on_resize(self, event: events.Resize) -> None:
        """Show the picture only where the whole of it fits: half a picture cannot be scanned."""
        super().on_resize(event)
        for body in self.query("#body"):
            body.styles.max_height = max(LINES, event.size.height - 10)
        if self._rows:
            fits = event.size.width >= len(self._rows[0]) + 34 and event.size.height >= len(
                self._rows
            )
            self.set_class(not fits, "-no-picture")

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close and forget."""
        self._handover, self._rows = None, []
        self.dismiss(None)

    @on(Button.Pressed, "#copy")
    def _copy(self) -> None:
        if self._handover is not None:
            self.app.copy_to_clipboard(self._handover.secret)
