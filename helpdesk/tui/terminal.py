"""What keeps the console safe in a real terminal, whatever is typed, pasted, shown or sent to it.

    bytes ─▶ forgiving decoder ─▶ SafeParser ─▶ keys and pastes
    values ─▶ widgets ─▶ NoControls ─▶ terminal
    unexpected error ─▶ terminal restored, one sentence, exit 1
    unexpected error of a worker ─▶ one sentence as a notice, the console goes on

How it is run, and seen out by a signal, is told in `running`. Both lean on private parts of one
Textual release; the tests notice when they change.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, ClassVar, Final, TypeVar

from rich.console import RenderableType
from textual import events, on
from textual._context import active_message_pump
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.css.query import NoMatches
from textual.css.stylesheet import StylesheetParseError
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.geometry import Offset
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkerFailed, WorkerState, active_worker
from textual.worker_manager import WorkerManager

from helpdesk import opening
from helpdesk.crashes import place, report
from helpdesk.domain.text import clean
from helpdesk.tui.composing import Frugal
from helpdesk.tui.filters import Colourless, NoControls
from helpdesk.tui.notice import Notice
from helpdesk.tui.painting import Brush
from helpdesk.tui.paste import guard_input
from helpdesk.tui.sheets import KeptSheets

T = TypeVar("T")

TOASTS: Final = 5
"""Notices shown at once; an older one gives way."""

NOTICE_LIMIT: Final = 500
"""Characters of a notice."""

COPY_LIMIT: Final = 20_000
"""Characters that are copied at once."""

FAULT_S: Final = 15.0
"""Seconds the notice of a fault is shown."""

UNDONE: Final = "Something could not be done because of a fault of the console's own"
"""How the notice of a fault begins after which the console goes on."""


PUT_OFF: Final = 3
"""So often in a row what is laid out waits for what answers a key."""


class SafeScreen(Screen[T]):
    """A screen that two keys in one go, or a click on what has just gone, do not break.

    A key waits for nothing that is laid out beside what answers it: that comes a frame later.

    Attributes:
        WAY_OUT: What takes the focus where what had it lost it to nothing; empty for nothing.
    """

    WAY_OUT: ClassVar[str] = ""

    _lost_focus: Widget | None = None
    _answered: tuple[T | None] | tuple[()] = ()
    _is_dressed = _is_behind = False
    _put_off = 0
    _brush: Brush | None = None

    def __init__(self, *names: str | None, **named: str | None) -> None:
        super().__init__(*names, **named)
        self._compositor = Frugal()

    @property
    def _update_timer(self) -> Timer:
        """What paints the screen."""
        if self._brush is None:
            self._brush = Brush(
                self, 0, name="screen_update", callback=self._on_timer_update, pause=True
            )
            self._brush._start()
            self._timers.add(self._brush)
        return self._brush

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep the styles a place was just given, the first time; Textual goes on with this.

        What was answered while something lay above it closes now.
        """
        event.refresh_styles = event.refresh_styles and (self._is_dressed or self.is_modal)
        self._is_dressed = True
        self.call_later(self._close_answered)

    def _compositor_refresh(self) -> None:
        """Draw what changed, once: not while that is held back, nor again after all was drawn.

        Textual draws the first frame three times, throws the first away and writes the others.
        """
        if self.app._batch_count:
            return
        is_whole = self._is_whole
        app = self.app
        has_key = isinstance(app, SafeApp) and app.has_key
        if has_key and not is_whole and self.is_current and self._put_off < PUT_OFF:
            self._put_off, self._is_behind = self._put_off + 1, True
            self._update_timer.resume()
            return
        self._put_off, self._is_behind = 0, False
        super()._compositor_refresh()
        if is_whole:
            self._repaint_required = False

    @property
    def _is_whole(self) -> bool:
        """Whether all of the screen is to be drawn, as after another one: then all in one frame."""
        return self._compositor.size.region in self._compositor._dirty_regions

    def answering(self) -> set[Widget]:
        """Give what a key changes at once: drawn before anything is laid out."""
        return {self.focused} if self.focused is not None else set()

    def _on_timer_update(self) -> None:
        """Draw what answers a key, where it changed; lay out and draw all else, then or now."""
        if (self._layout_required or self._is_behind) and self._draws_answer():
            return
        was_behind = self._is_behind
        super()._on_timer_update()
        if was_behind and self._is_behind and self.is_current:
            self._compositor_refresh()

    def _draws_answer(self) -> bool:
        """Draw what answers a key where it stands, if it changed; say whether it did."""
        compositor, may = self._compositor, self._put_off < PUT_OFF and self.is_current
        if not may or self.app._batch_count or self.size != compositor.size:
            return False
        if self._is_whole or self in self._dirty_widgets:
            return False
        answer = self._dirty_widgets & self.answering() & compositor.visible_widgets.keys()
        if not answer:
            return False
        others, left = self._dirty_widgets - answer, compositor._dirty_regions
        compositor._dirty_regions = set()
        compositor.update_widgets(answer)
        super()._compositor_refresh()
        self._dirty_widgets |= others
        compositor._dirty_regions |= left
        self._put_off += 1
        return True  # the brush is not at rest: it goes on with the others

    def watch_focused(self, before: Widget | None, after: Widget | None) -> None:
        """Note what loses the focus to nothing: hidden in a small window, or not to be pressed."""
        if self.WAY_OUT and before is not None and after is None:
            self._lost_focus = before
            self.call_after_refresh(self.give_focus_back)

    def give_focus_back(self) -> None:
        """Give the focus back to what lost it, else to the way out, unless something took it."""
        if self.focused is not None or self._lost_focus is None or not self.is_attached:
            return
        for one in (self._lost_focus, *self.query(self.WAY_OUT)):
            if one.is_attached and one.focusable:
                one.focus(scroll_visible=False)
                return

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close with an answer, once; what the screen itself still asks the desk is for nobody.

        Where something lies above it, it closes once that is closed: Textual would close that one
        in its stead, and whoever waits for its answer would wait for ever. Textual also closes what
        is beneath, where Enter or Escape is struck twice before the first is done.
        """
        if self not in self.app.screen_stack:
            return AwaitComplete()
        self._answered = self._answered or (result,)
        if self.app.screen is not self:
            return AwaitComplete()
        self.workers.cancel_node(self)
        return super().dismiss(*self._answered)

    def _close_answered(self) -> None:
        if self._answered:
            self.dismiss(*self._answered)

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """Give what can be selected at a place: nothing that was removed and is still drawn."""
        found, offset = super().get_widget_and_offset_at(x, y)
        is_there = found is not None and (found is self or found.parent is not None)
        return (found, offset) if is_there else (None, None)


_NO_CONTROLS = NoControls()
_COLOURLESS = {dark: Colourless(dark=dark) for dark in (True, False)}


class HeededWorkers(WorkerManager):
    """Workers whose every fault the app hears of, whatever began them."""

    def _remove_worker(self, worker: Worker[Any]) -> None:
        super()._remove_worker(worker)
        if isinstance(self._app, SafeApp):
            self._app.heed_worker(worker)


class SafeApp(App[None]):
    """An app that leaves the terminal as it found it and shows nothing that commands it.

    Run it with `running.run_safely`, which gives the exit code.
    """

    def __init__(self) -> None:
        guard_input()
        super().__init__()
        self._sync_available = opening.before() is not None  # the first frame comes as one
        self._workers = HeededWorkers(self)
        self.stylesheet = KeptSheets(variables=self.theme_variables)
        self._faults: dict[tuple[str, str], str] = {}
        self._toasts_due = False
        self.has_key = False  # that was struck and not heard yet
        self.no_color = bool(os.environ.get("NO_COLOR"))
        self._filters = [f for f in self._filters if not isinstance(f, (Monochrome, NoColor))]

    def get_driver_class(self) -> type[Driver]:
        """Give what draws and reads: our own where Textual would take that of a terminal."""
        found = super().get_driver_class()
        if sys.platform == "win32" or os.environ.get("TEXTUAL_DRIVER"):
            return found
        from helpdesk.tui.driver import TerminalDriver  # noqa: PLC0415  (not on every system)

        return TerminalDriver

    @on(Driver.SignalResume)
    def draw_again(self) -> None:
        """Draw all where the console goes on after it was stopped: the terminal shows nothing."""
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def on_event(self, event: events.Event) -> Coroutine[Any, Any, None]:
        """Hear what was struck."""
        if isinstance(event, events.Key):
            self.has_key = False
        return super().on_event(event)  # not awaited here: each fault would be told to be here

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Look through what keys stand for; not for one that goes before all where none does."""
        if priority:
            nodes = (self.focused or self.screen).ancestors_with_self
            bound = (one for node in nodes for one in node._bindings.key_to_bindings.get(key, ()))
            if not any(one.priority for one in bound):
                return False
        return await super()._check_bindings(key, priority)

    async def _flush_next_callbacks(self) -> None:
        """Do what was put off, such as to see a screen out; whole, whoever waits for it.

        Textual lets a worker that opens a dialog do it. Cancelled meanwhile, as when its screen
        closes, it would break off the end of that screen, and the console would break with it.
        """
        done = super()._flush_next_callbacks()
        await (done if active_worker.get(None) is None else asyncio.shield(done))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Give the filters of every line, ours last."""
        ours = [_COLOURLESS[self.current_theme.dark]] if self.no_color else []
        return [*super().get_line_filters(), _NO_CONTROLS, *ours]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Give Textual's commands but Screenshot, which would write what is shown to a file."""
        return (c for c in super().get_system_commands(screen) if c.title != "Screenshot")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notice: cleaned, bounded, and never read as markup, whatever *markup* says."""
        super().notify(
            clean(message, limit=NOTICE_LIMIT),
            title=clean(title, limit=NOTICE_LIMIT),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def action_help_quit(self) -> None:
        """Say how one quits, as Ctrl+C does not: Textual's own sentence has markup in it."""
        self.notify("Ctrl+C does nothing here. Press Ctrl+Q to quit.")

    def copy_to_clipboard(self, text: str) -> None:
        """Copy *text*, every line of it cleaned and all of it bounded by `COPY_LIMIT`."""
        lines = text[:COPY_LIMIT].splitlines()
        super().copy_to_clipboard("\n".join(clean(line, limit=COPY_LIMIT) for line in lines))

    def heed_worker(self, worker: Worker[Any]) -> None:
        """Tell the fault a worker ended with; nothing where there is none, or the app ends by it.

        The same fault is logged once, and told again only where an agent began what failed: what
        looks by itself every few seconds would never be silent.
        """
        error = worker.error
        if worker.state is not WorkerState.ERROR or error is None or worker.exit_on_error:
            return
        if self._is_for_nobody(error, worker.node):
            return
        key = (type(error).__name__, place(error))
        is_known = key in self._faults
        if not is_known:
            self._faults[key] = report(error, UNDONE)
        if self.is_running and not (is_known and worker.node is self):
            self.notify(self._faults[key], severity="error", timeout=FAULT_S)

    def panic(self, *renderables: RenderableType) -> None:
        """Leave with code 1 and one sentence; what Textual wanted to print is not printed."""
        self._handle_exception(InputLost())

    def _is_for_nobody(self, error: BaseException, at: object) -> bool:
        """Whether it only looked for a part of what closes just now, parts first."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        has_gone = isinstance(at, Widget) and (at._pruning or not at.is_running)
        is_over = self._exit or not self.is_running
        return isinstance(cause, NoMatches) and (has_gone or is_over)

    def _handle_exception(self, error: Exception) -> None:
        worker = active_worker.get(None) if isinstance(error, WorkerFailed) else None
        if self._is_for_nobody(error, worker.node if worker else active_message_pump.get(None)):
            return
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            if isinstance(error, StylesheetParseError):
                self._exit_renderables.append(self._sheet_faults(error))
            elif not self.is_headless:  # a test gets the error itself, and writes no log
                cause = error.error if isinstance(error, WorkerFailed) else error
                self._exit_renderables.append(report(cause))
        self._close_messages_no_wait()

    def _sheet_faults(self, error: StylesheetParseError) -> str:
        """Say what is wrong in our own style sheets; there is no data in them."""
        with self.error_console.capture() as said:
            self.error_console.print(error.errors)
        return said.get()

    def _print_error_renderables(self) -> None:
        told = next((each for each in self._exit_renderables if isinstance(each, str)), None)
        self._exit_renderables.clear()
        if told is not None:
            tell(told)

    def _on_notify(self, event: Notify) -> None:
        shown = list(self._notifications)
        words = (event.notification.message, event.notification.title)
        same = [notice for notice in shown if (notice.message, notice.title) == words]
        others = [notice for notice in shown if notice not in same]
        for old in same + others[: max(0, len(others) - TOASTS + 1)]:
            self._unnotify(old, refresh=False)
        event.notification = Notice(**vars(event.notification))
        super()._on_notify(event)
        event.prevent_default()

    def _refresh_notifications(self) -> None:
        """Draw notices once for all that are waiting: two thousand of them froze the screen."""
        if not self._toasts_due:
            self._toasts_due = True
            self.call_later(self._draw_notifications)

    def _draw_notifications(self) -> None:
        self._toasts_due = False
        super()._refresh_notifications()


class InputLost(Exception):
    """The thread that reads the keyboard has ended."""


def tell(sentence: str) -> None:
    """Say a sentence on the shell's own screen, line by line and cleaned."""
    opening.give_back()
    sys.stderr.write("".join(f"{clean(line)}\n" for line in sentence.splitlines()))
    sys.stderr.flush()
