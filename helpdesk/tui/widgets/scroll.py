"""Containers that scroll and are laid out in one go, however their content changed.

Textual lays the whole screen out again wherever a layout gave something another size, and once
more where a scroll bar comes or goes. Here that is known while the first layout is made.
"""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scrollbar import ScrollBar
from textual.widget import Widget

from helpdesk.tui.widgets.drawn import Plain, settled_size


class Bar(ScrollBar):
    """A scroll bar whose length is no reason for another layout."""

    virtual_size: Reactive[Size] = settled_size()

    @property
    def display(self) -> bool:
        """Always: whether it is in sight is for the layout to say, and no reason for another."""
        return True

    @display.setter
    def display(self, new_val: bool | str) -> None:
        del new_val


class Scroll(VerticalScroll, Plain):
    """Scrolls up and down; its bar is there from the layout on that needs it."""

    virtual_size: Reactive[Size] = settled_size()

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The bar on the right, made where there is none yet."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = Bar(
                vertical=True, name="vertical", thickness=self.scrollbar_size_vertical
            )
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def _scroll_update(self, virtual_size: Size) -> None:
        """Let the bar be drawn in the frame this layout is made for, not in another after it."""
        super()._scroll_update(virtual_size)
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            self.screen._compositor.update_widgets({bar})
            bar._repaint_required = False

    def _get_scrollable_region(self, region: Region) -> Region:
        """Give what the bar leaves, as it must be for what is to be shown now."""
        left = super()._get_scrollable_region(region)
        if self.styles.overflow_y == "auto" and left.area:
            needs_bar = self.arrange(left.size).total_region.bottom > left.height
            if needs_bar != self.show_vertical_scrollbar:
                self.set_reactive(Widget.show_vertical_scrollbar, needs_bar)
                left = super()._get_scrollable_region(region)
        return left
