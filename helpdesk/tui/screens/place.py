"""What every place has: its line above, its keys below, and the way to the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from helpdesk.domain.approvals import Approval
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.feed import Changes, Kind
from helpdesk.domain.limits import Alarm, concerning
from helpdesk.domain.search import Query
from helpdesk.service.desk import Desk
from helpdesk.tui import dialogs
from helpdesk.tui.dialogs.guarded import LEAST, too_small
from helpdesk.tui.keys import IN_DIALOGS, IN_LISTS, Where, keys_of
from helpdesk.tui.render.rows import Scene
from helpdesk.tui.terminal import SafeScreen
from helpdesk.tui.themes import following
from helpdesk.tui.widgets.chrome import Banner, Go, HeaderLine, KeyFooter, Pressed
from helpdesk.tui.widgets.drawn import Plain

Clock = Callable[[], datetime]
NARROW = 100
"""Columns below which a list gives way to the case."""

LOW = 20
"""Lines below which frames give way to what they frame."""


class Place(SafeScreen[None], Plain):
    """A place the agent can be in; it asks the desk, its widgets do not."""

    WHERE: ClassVar[Where]
    TITLE_WORDS: ClassVar[str]
    AUTO_FOCUS = ""  # Textual would take the first that can have it: the search line

    _is_seen = False
    _stands: tuple[str, Content] | None = None

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__()
        self.desk = desk
        self.clock = clock

    def compose(self) -> ComposeResult:
        """Header, the place's own, footer."""
        desk = self.desk
        label = desk.label if desk.is_gated else f"CALLERS NOT PROVEN · {desk.label}"
        yield HeaderLine(self.WHERE.value, label, desk.is_demo, desk.agent)
        yield Banner()
        yield self.body()
        yield KeyFooter(keys_of(self.WHERE))
        yield too_small()

    def body(self) -> Widget:
        """Give what the place is about."""
        raise NotImplementedError

    def scene(self) -> Scene:
        """What rows are drawn with now."""
        return Scene(self.desk.cards, self.clock(), self.desk.agent.id)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout by size."""
        self.lay_out(event.size)
        self.call_after_refresh(self.keep_focus)

    def lay_out(self, size: Size, *, is_new: bool = False) -> None:
        """Choose the layout by size; a new place has not been dressed in another."""
        width, height = self.room(size)
        layouts = {
            "-tiny": width < LEAST[0] or height < LEAST[1],
            "-narrow": width < NARROW,
            "-low": height < LOW,
            "-slim": width < 120,
            "-broad": width >= 160,
        }
        for name, is_so in layouts.items():
            self.set_class(is_so, name, update=not is_new)

    def room(self, size: Size) -> Size:
        """Give how much of the window is the place's own."""
        return size

    def _compositor_refresh(self) -> None:
        """Draw what changed; once the first frame is there, go on with what it did not need."""
        super()._compositor_refresh()
        if not (self._is_seen or self.app._batch_count):
            self._is_seen = True
            self.call_next(self.go_on)

    def go_on(self) -> None:
        """Do what the first frame did not wait for."""
        self.look_around()

    def look_around(self) -> None:
        """Ask what waits in the other places."""
        self.count_waiting()
        self.ask_alarms()

    def on_screen_resume(self) -> None:
        """Ask what waits in the other places, the first time once this one is drawn."""
        if self._is_seen:
            self.look_around()
        self.call_after_refresh(self.keep_focus)

    def standing(self) -> Widget | None:
        """Give what takes the focus where nothing that is shown has it; never a line to type in."""
        return None

    def watch_focused(self, before: Widget | None, after: Widget | None) -> None:
        """Keep the focus where what had it was hidden, unless another window has the keys now."""
        if before is not None and after is None and self.app.app_focus:
            self.call_after_refresh(self.keep_focus)

    def keep_focus(self) -> None:
        """Let what is shown have the focus: a key must never go where nobody sees it go."""
        has_it = self.focused
        is_shown = has_it is not None and all(one.display for one in has_it.ancestors_with_self)
        if has_it is None or not is_shown or not has_it.can_focus:
            self.set_focus(self.standing())

    @work(exclusive=True, group="waiting", exit_on_error=False)
    async def count_waiting(self) -> None:
        """Show in the header how many loop reports are open and how many requests wait."""
        try:
            page = await self.desk.loops(Query(), limit=0)
            self.heed(await self.desk.approvals())
        except HelpdeskError:
            return  # the list itself says what is wrong
        self._waits("loops", page.total)

    def heed(self, approvals: tuple[Approval, ...]) -> None:
        """Show in the header how many requests this agent can do something about."""
        from helpdesk.tui.render.approvals import waiting_for  # noqa: PLC0415  (after the first frame)

        self._waits("approvals", waiting_for(approvals, self.desk.agent, self.clock()))

    @work(exclusive=True, group="alarms", exit_on_error=False)
    async def ask_alarms(self) -> None:
        """Show the alarms that concern this agent."""
        try:
            self.heed_alarms(concerning(await self.desk.alarms(), self.desk.agent))
        except HelpdeskError:
            return  # the list itself says what is wrong

    def heed_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        """Show in the header how many alarms concern this agent."""
        self._waits("log", len(alarms))

    def _waits(self, mode: str, count: int) -> None:
        header = self.query_one(HeaderLine)
        header.waiting = header.waiting | {mode: count}

    def stand(self, fresh: str, line: Content) -> None:
        """Show how old what one sees is, and what is not well; nothing is looked for while it is.

        A place that is not made yet is asked again a second later.
        """
        stands = (fresh, line)
        if stands == self._stands:
            return
        headers, banners = self.query(HeaderLine), self.query(Banner)
        for header in headers:
            header.fresh = fresh
        for banner in banners:
            banner.line = line
        self._stands = stands if headers and banners else None

    def grow_older(self) -> None:
        """Let what is shown say how long ago it was by now; a place without a list says nothing."""

    def heed_changes(self, found: Changes) -> None:
        """Ask again for what changed; nothing told means that anything may have."""
        if self.is_current and not is_log_only(found):
            self.count_waiting()

    def action_outbox(self) -> None:
        """Show what waits to be sent, what is unknown, and what is in conflict."""
        show = getattr(self.app, "show_outbox", None)
        if show is not None:
            show()

    def action_lock(self) -> None:
        """Forget all users this machine keeps of a desk elsewhere, and quit."""
        lock = getattr(self.app, "lock", None)
        if lock is not None:
            lock()

    def tell(self, error: HelpdeskError) -> None:
        """Show an error as its sentence."""
        self.app.notify(str(error), severity="error", timeout=10, markup=False)

    @on(Go)
    def _go(self, message: Go) -> None:
        self.action_go(message.mode)

    @on(Pressed)
    async def _pressed(self, message: Pressed) -> None:
        await self.run_action(message.key.does)

    def action_go(self, mode: str) -> None:
        """Go to another place."""
        self.app.switch_mode(mode)

    def action_theme(self) -> None:
        """Go to the next theme."""
        self.app.theme = following(self.app.theme)

    def action_palette(self) -> None:
        """Open the palette."""
        self.app.action_command_palette()

    async def action_quit(self) -> None:
        """Quit."""
        await self.app.action_quit()

    def action_help(self) -> None:
        """Show the keys of this place."""
        from helpdesk.tui.render.manual import help_page  # noqa: PLC0415  (seldom asked for)

        keys = keys_of(self.WHERE)
        acts = [(key.shown, f"{key.label}: {key.says}") for key in keys if key.act]
        groups = {f"Keys of {self.TITLE_WORDS}": [(k.shown, k.says) for k in keys if not k.act]}
        if acts:
            groups["Acts on the user"] = acts
        groups["In lists"] = list(IN_LISTS)
        groups["In dialogs"] = list(IN_DIALOGS)
        if self.WHERE not in {Where.LOG, Where.APPROVALS}:
            groups["Search"] = list(SEARCH_WORDS)
        self.app.push_screen(dialogs.PageDialog("Help", help_page(groups)))

    def action_back(self) -> None:
        """Go back; a place without anything to leave stays."""


def is_log_only(found: Changes) -> bool:
    """Whether nothing changed but what is written down: somebody looked."""
    return bool(found.changes) and all(one.kind is Kind.LOG for one in found.changes)


SEARCH_WORDS = (
    ("maya okafor", "All words must be in name, login, number, address, account or ticket."),
    ("product:partner", "Only one product, by any part of its names."),
    ("state:locked", "locked flagged loop pending suspended off none ok."),
    (
        "channel:sms",
        "Only users with such a factor; of challenges, those whose code went that way.",
    ),
    ("went:refused", "Of challenges, those that ended so: asked, sent, refused, passed, left."),
    ("loop:yes", "Only users with an open loop report; loop:no for the others."),
    ("ticket:yes", "Only users with an open ticket; ticket:no for the others."),
    ("sort:seen", "The order: heat name product state seen."),
)
"""What a search understands."""
