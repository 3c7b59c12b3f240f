"""Widgets whose lines are drawn once: what Textual does for each line at each painting is kept.

What makes a line safe, and takes its colour where none is wanted, is done to it here as there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.style import Style as Look
from textual.widget import Widget

from helpdesk.tui.filters import NoControls

_NO_CONTROLS = NoControls()


def settled_size() -> Reactive[Size]:
    """Give a `virtual_size` that asks for no second layout: it is what a layout gave."""
    return Reactive(Size(0, 0), layout=False, repaint=False)


@lru_cache(64)
def _blank(ground: Color) -> Style:
    return Look(background=ground).rich_style


class Framed(Widget):
    """A widget whose first, last and other empty lines are kept until its style changes."""

    _frame: dict[int, Strip] = {}  # noqa: RUF012 - replaced before it is filled
    _frame_for: tuple[object, ...] = ()
    _titled: object = None

    def notify_style_update(self) -> None:
        """Forget the frame in the last style."""
        self._frame, self._frame_for = {}, ()
        super().notify_style_update()

    def frame_line(self, y: int) -> Strip:
        """Give a line of frame and ground, with the title in the first, as Textual draws it."""
        width, height = self.outer_size
        wanted = (width, self.get_line_filters())
        if wanted != self._frame_for:
            self._frame, self._frame_for = {}, wanted
        if self._border_title != self._titled:
            self._titled = self._border_title
            self._frame.pop(0, None)
        which = 0 if y == 0 else 2 if y == height - 1 else 1
        strip = self._frame.get(which)
        if strip is None:
            line = Region(0, y, width, 1)
            self._styles_cache.set_dirty(line)
            strip = self._frame[which] = self._styles_cache.render_widget(self, line)[0]
        return strip


class Drawn(Framed):
    """A widget that keeps the lines it drew until it is refreshed; `draw_line` draws its own.

    A frame above and below is Textual's. Nothing of it is transparent, padded, tinted or a link.
    """

    virtual_size: Reactive[Size] = settled_size()

    _kept: dict[int, Strip] = {}  # noqa: RUF012 - replaced before it is filled
    _kept_for: tuple[object, ...] = ()
    _worn: dict[Style, Style] = {}  # noqa: RUF012 - replaced before it is filled
    _filters: Sequence[LineFilter] = ()
    _ground: Color | None = None

    def draw_line(self, y: int) -> Strip:
        """Draw a line of the content, by `finished`."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Draw a line for Textual."""
        return self.draw_line(y)

    def shown_by(self) -> object:
        """Give what all lines depend on beside size and style: with another they are forgotten."""
        return None

    def worn(self, look: Style) -> Style:
        """Return a look as all filters leave it; what is known of it holds as long as the lines."""
        if look not in self._worn:
            line = [Segment(" ", look)]
            for each in self._filters:
                line = each.apply(line, self.ground)
            self._worn[look] = line[0].style or look
        return self._worn[look]

    def finished_in_worn(self, segments: list[Segment]) -> Strip:
        """Return segments in looks that are `worn`, just as long as the content, as its line."""
        return Strip(_NO_CONTROLS.apply(segments, self.ground), self.outer_size.width)

    def finished(self, segments: Iterable[Segment]) -> Strip:
        """Return segments as a line as long as the content, passed through all filters."""
        ground, width = self.ground, self.outer_size.width
        line = Segment.adjust_line_length(list(segments), width, _blank(ground))
        for each in self._filters:
            line = each.apply(line, ground)
        return Strip(line, width)

    @property
    def ground(self) -> Color:
        """The colour behind all of it."""
        if self._ground is None:
            self._ground = self.background_colors[1]
        return self._ground

    def forget_drawn(self) -> None:
        """Let all lines be drawn anew when they are painted."""
        self._kept, self._worn = {}, {}

    def notify_style_update(self) -> None:
        """Forget what was drawn in the last style."""
        self._ground = None
        self.forget_drawn()
        super().notify_style_update()

    def _set_dirty(self, *regions: Region) -> None:
        if regions:
            top = self.content_offset.y
            for y in {y + top for region in regions for y in region.line_range}:
                self._kept.pop(y, None)
        else:
            self.forget_drawn()
        super()._set_dirty(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Give lines as they were drawn; what was not, or not for this, is drawn now."""
        self._filters = self.get_line_filters()
        wanted = (self.outer_size, self._filters, self.shown_by())
        if wanted != self._kept_for:
            self.forget_drawn()
            self._kept_for = wanted
        width, height = self.outer_size
        gutter = self.styles.gutter
        strips, kept = [], self._kept
        for y in crop.line_range:
            strip = kept.get(y)
            if strip is None:
                is_content = gutter.top <= y < height - gutter.bottom
                strip = self.draw_line(y - gutter.top) if is_content else self.frame_line(y)
                kept[y] = strip
            strips.append(strip)
        if crop.column_span != (0, width):
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips


class Dressed(Drawn):
    """A drawn widget in looks that the style sheet names `KIND--name`, each asked for once."""

    KIND: ClassVar[str]

    _looks: dict[str, Style] = {}  # noqa: RUF012 - replaced before it is filled

    def notify_style_update(self) -> None:
        """Forget the looks of the last theme."""
        self._looks = {}
        super().notify_style_update()

    def _look(self, name: str) -> Style:
        if name not in self._looks:
            self._looks[name] = self.get_component_rich_style(f"{self.KIND}--{name}")
        return self._looks[name]


class Plain(Framed):
    """A container that shows nothing itself but its frame and ground: three lines, drawn once.

    The last of the bases: Textual finds the styles of a container by the first of them.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        """Give the first line, the last, and between them the same one again and again."""
        width, height = self.outer_size
        between = self.frame_line(1) if height > 2 else Strip([])
        strips = [between] * crop.height
        for y in {0, height - 1} & set(crop.line_range):
            strips[y - crop.y] = self.frame_line(y)
        if crop.column_span != (0, width):
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips


class Beside(Horizontal, Plain):
    """Widgets beside each other."""


class Below(Vertical, Plain):
    """Widgets below each other."""
