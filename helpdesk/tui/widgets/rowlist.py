"""A list of any length: it holds a window of rows and asks for more by range.

It draws itself line by line, so ten users and a million cost the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from helpdesk.domain.search import Page
from helpdesk.tui.render.rows import Column, Scene
from helpdesk.tui.render.values import fit
from helpdesk.tui.widgets.cells import Celled
from helpdesk.tui.widgets.resting import Rest
from helpdesk.tui.widgets.windows import FEWEST, thumb_of, top_for, window_at

T = TypeVar("T")
R = TypeVar("R")
KEPT = 4_000
"""Rows kept before those far from the window are let go."""

PAINTED = 400
"""Painted rows kept, to be shown again as the window moves by some."""

BEAT_S = 10
"""Seconds for which a painted row is as good as new: some say how long ago something was."""


class RowList(Celled[T], can_focus=True):
    """Shows rows in columns; says `Wanted` for rows it lacks, `Rested` and `Chosen` for its cursor.

    Args:
        columns: What is shown of a row.
        identity: A row's key, by which the cursor stays where it is when the list is asked anew.
        has_head: Whether the columns' titles stand above the rows.

    Attributes:
        is_apart: Whether something else is open than the row under the cursor, which then looks
            as if it rested until keys move it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(0)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    total: reactive[int] = reactive(0, repaint=False)
    cursor: reactive[int] = reactive(0, repaint=False)
    is_apart: reactive[bool] = reactive(False)
    empty_says: reactive[str] = reactive("")
    unknown_says: reactive[str] = reactive("")

    @dataclass
    class Wanted(Message):
        """Rows are needed that the list does not have."""

        offset: int
        limit: int

    @dataclass
    class Rested(Message, Generic[R]):
        """The cursor came to rest on a row."""

        row: R

    @dataclass
    class Chosen(Message, Generic[R]):
        """A row was chosen by Enter or a click."""

        row: R

    def __init__(
        self,
        columns: tuple[Column[T], ...],
        identity: Callable[[T], str],
        scene: Callable[[], Scene],
        *,
        has_head: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        self._painted: dict[tuple[int, bool, str], tuple[T, Strip]] = {}
        self._painted_at = -1
        self._rest: Rest[T] = Rest(self, self._say_rested)
        self._let_by: events.Key | None = None
        super().__init__(columns, id=id)
        self._identity = identity
        self._scene = scene
        self._head = 1 if has_head else 0
        self._rows: dict[int, T] = {}
        self._is_answered = False
        self._top = 0
        self._asked: tuple[int, ...] | None = None

    @property
    def seen(self) -> int:
        """How many rows are seen at once: so many a search asks for."""
        return self._height or FEWEST

    @property
    def window(self) -> tuple[int, int]:
        """Offset and limit of the rows to be held: what is seen and a page on each side."""
        return window_at(self._top, self._height)

    @property
    def held(self) -> tuple[int, int]:
        """Offset and limit to ask anew for: as at first, while no row beyond was asked for."""
        is_beyond = self._top > 0 or len(self._rows) > self.seen
        return self.window if is_beyond else (0, self.seen)

    @property
    def current(self) -> T | None:
        """The row under the cursor, or None while there is none."""
        return self._rows.get(self.cursor)

    @property
    def _height(self) -> int:
        return max(0, self.outer_size.height - self._head)

    def show(self, page: Page[T], *, keep: bool = False) -> None:
        """Show an answer: from its beginning, or with *keep* where the list stands.

        With *keep* nothing is said of the cursor: a list asked anew pulls nobody to another row,
        nor back to the cursor where the wheel rolled it out of sight.
        """
        faces = self._faces()
        self._is_answered = True
        held = self.current if keep else None
        is_rolled = held is not None and not 0 <= self.cursor - self._top < self._height
        self._rows = dict(enumerate(page.rows, page.offset))
        self._asked = None
        self.total = page.total
        if not keep:
            self._top = 0
            self.set_reactive(RowList.cursor, 0)
        elif held is not None and not self._hold(self._identity(held)):
            self._rows.setdefault(self.cursor, held)  # it lies beyond what was asked for
        self.set_reactive(RowList.cursor, max(0, min(self.cursor, self.total - 1)))
        if is_rolled and self.current is not None:
            self._top = max(0, min(self._top, self.total - self._height))
        else:
            self._scroll_to_cursor()
        self._draw_changed(faces)
        if not keep:
            self._rest.moved(self.current)

    def stand_on(self, identity: str) -> None:
        """Put the cursor on the row with this key, which is open, and say nothing of it.

        Where it is not here the cursor stays, apart.
        """
        self._rest.stop()
        self.is_apart = not self._hold(identity)
        self._scroll_to_cursor()
        self.refresh()

    def stay_on(self, identity: str) -> None:
        """Stand apart where what is open left the list, and on it again where it came back.

        The list stays where it is rolled to.
        """
        if self.is_apart:
            self.is_apart = not self._hold(identity)
        else:
            self.is_apart = self.current is not None and self._identity(self.current) != identity

    def forget_asking(self) -> None:
        """Let rows that did not come be asked for again."""
        self._asked = None

    def fail(self, says: str) -> None:
        """Show *says* where the rows would be, if there are none: none came, not none are there."""
        self._is_answered, self.unknown_says = False, says
        self.forget_asking()
        self.refresh()

    def fill(self, page: Page[T]) -> None:
        """Take in more rows of the list that is shown."""
        faces = self._faces()
        self._asked = None
        if len(self._rows) > KEPT:
            low, high = self._top - KEPT // 4, self._top + KEPT // 4
            self._rows = {at: row for at, row in self._rows.items() if low <= at <= high}
        had = self.current is not None
        self._rows.update(enumerate(page.rows, page.offset))
        self.total = page.total
        self._draw_changed(faces)
        if not had:
            self._rest.moved(self.current)

    @property
    def is_moving(self) -> bool:
        """Whether the cursor moved to a row on which it is not said to rest yet."""
        return self._rest.is_moving

    def _say_rested(self, row: T) -> None:
        self.post_message(self.Rested(row))
        self._read_ahead()

    def _read_ahead(self) -> None:
        """Ask for what lies beyond what is seen, where keys move the cursor: a page is there."""
        offset, limit = self.window
        all_ = range(offset, min(offset + limit, self.total))
        lacking = [at for at in all_ if at not in self._rows]
        if self.has_focus and lacking:
            self._want(lacking[0], lacking[-1] + 1 - lacking[0])

    def _faces(self) -> list[object]:
        """Give what each line shows: equal where it is drawn alike."""
        top, height, total, cursor = self._top, self._height, self.total, self.cursor
        return [self._is_answered] * self._head + [
            (self._rows.get(at), at == cursor, thumb_of(at - top, top, height, total))
            if at < total
            else (self._is_answered, at == 0)
            for at in range(top, top + height)
        ]

    def _draw_changed(self, before: list[object]) -> None:
        """Draw the lines anew that show something else than before; all where time went by."""
        if self._painted_at != self._beat():
            self.refresh()
            return
        pairs, width = zip(before, self._faces(), strict=True), self.outer_size.width
        changed = [Region(0, y, width, 1) for y, (old, new) in enumerate(pairs) if old != new]
        if changed:
            self.refresh(*changed)

    def grow_older(self) -> None:
        """Draw the lines anew that time changed: once a beat, and no other."""
        if self._painted_at == self._beat() or self._kept_for[:1] != (self.outer_size,):
            return
        drawn, self._painted = self._kept, {}
        self._kept_for = (*self._kept_for[:-1], self.shown_by())
        for y, strip in [*drawn.items()]:
            if strip != self.draw_line(y):
                self.refresh(Region(0, y, self.outer_size.width, 1))

    def _beat(self) -> int:
        return int(self._scene().now.timestamp()) // BEAT_S

    def _hold(self, identity: str) -> bool:
        """Put the cursor on the row with this key, where it is there; say whether it is."""
        found = (at for at, row in self._rows.items() if self._identity(row) == identity)
        at = next(found, None)
        if at is not None:
            self.set_reactive(RowList.cursor, at)
        return at is not None

    def shown_by(self) -> object:
        """Give the time, in beats, and whether keys move the cursor."""
        self._painted_at = self._beat()
        return self._painted_at, self.has_focus

    def forget_drawn(self) -> None:
        """Let all rows be drawn anew."""
        self._painted = {}
        super().forget_drawn()

    def draw_line(self, y: int) -> Strip:
        """Draw one line: the head, a row, or nothing."""
        width = self.outer_size.width
        inner = max(0, width - 2)
        if y < self._head:
            heads = [(column.title, "head", w) for column, w in self._widths(inner)]
            return self._strip(heads, " ", self._look("head"), " ")
        at = self._top + y - self._head
        if at >= self.total:
            says = self.empty_says if self._is_answered else self.unknown_says
            said = says if at == 0 else ""
            return self.finished([Segment(fit(f" {said}", width), self._look("quiet"))])
        row = self._rows.get(at)
        if row is None:
            self._want(*self.window)
            return self._strip([("…", "quiet", inner)], " ", None, self._thumb(at))
        key = at, at == self.cursor, self._thumb(at)
        painted = self._painted.get(key)
        if painted is None or painted[0] != row:
            if len(self._painted) >= PAINTED:
                self._painted.clear()
            painted = self._painted[key] = row, self._row(row, at, inner, key[2])
        return painted[1]

    def _row(self, row: T, at: int, inner: int, thumb: str) -> Strip:
        scene, parts = self._scene(), []
        for column, width in self._widths(inner):
            cell = column.cell(row, scene)
            parts.append((cell.text, cell.look, width))
        name = "cursor" if self.has_focus and not self.is_apart else "resting"
        under = self._look(name) if at == self.cursor else None
        mark = "▏" if self.is_apart else "▌"
        return self._strip(parts, mark if at == self.cursor else " ", under, thumb)

    def _thumb(self, at: int) -> str:
        return thumb_of(at - self._top, self._top, self._height, self.total)

    def _want(self, *window: int) -> None:
        if self._asked != window:
            self._asked = window
            # Drawn on behalf of the screen, said on behalf of the list: so it goes all the way up.
            self.call_later(lambda: self.post_message(self.Wanted(*window)))

    def _scroll_to_cursor(self) -> bool:
        """Move the window so that the cursor is in it; say whether it moved."""
        top, self._top = self._top, top_for(self.cursor, self._top, self._height, self.total)
        return top != self._top

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self.total - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Redraw two lines, or all where the window moved."""
        self.is_apart = False
        if self._scroll_to_cursor():
            self.refresh(self.outer_size.region)
        else:
            lines = (at - self._top + self._head for at in (old, new))
            self.refresh(*(Region(0, y, self.outer_size.width, 1) for y in lines))
        self._rest.moved(self.current)

    async def on_key(self, event: events.Key) -> None:
        """Do at once what a key stands for, unless one that was let by may yet lead elsewhere."""
        bound = self._bindings.key_to_bindings.get(event.key, ())
        if not bound or not (self._let_by is None or self._let_by._stop_propagation):
            self._let_by = event
            return
        event.stop().prevent_default()
        for binding in bound:
            await self.run_action(binding.action)

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.cursor += by * max(1, self._height - 1)

    def action_end(self, last: int) -> None:
        """Move the cursor to the first or the last row."""
        self.cursor = self.total - 1 if last else 0

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self.current is not None:
            self._rest.stop()  # what is chosen is more than rested on
            self.post_message(self.Chosen(self.current))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._scroll_to_cursor()

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self.refresh()
        self.call_later(self._read_ahead)  # by then it has the focus

    def on_blur(self) -> None:
        """Show the cursor as resting."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose the row that was clicked."""
        event.stop()
        at = self._top + event.y - self._head
        if event.y < self._head or at >= self.total:
            return
        self.cursor = at
        self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Roll the window down; the cursor stays on its row."""
        self._roll(3, event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Roll the window up."""
        self._roll(-3, event)

    def _roll(self, by: int, event: events.MouseEvent) -> None:
        event.stop()
        top = max(0, min(self._top + by, self.total - self._height))
        if top != self._top:
            self._top = top
            self.refresh(self.outer_size.region)
