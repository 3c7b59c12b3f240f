"""Of each widget no more is drawn than is seen of it, and that just as Textual draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from textual import events
from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from helpdesk.service.local import LocalDesk
from tests.tui.console import Console, console
from tests.tui.test_painting import written

Demo = Callable[..., LocalDesk]

SOME = (
    Region(0, 0, 120, 36),
    Region(0, 0, 1, 1),
    Region(10, 7, 30, 2),
    Region(40, 5, 25, 20),
    Region(119, 35, 1, 1),
)
"""Parts of a window, in several widgets and through their edges."""


@contextmanager
def drawn(agent: Console) -> Iterator[list[tuple[str, int]]]:
    """Give what is drawn from here on: of which widget, and how many lines."""
    found: list[tuple[str, int]] = []

    def seen(widget: Widget) -> Callable[[Region], list[Strip]]:
        draw = widget.render_lines

        def drawing(crop: Region) -> list[Strip]:
            found.append((widget.id or type(widget).__name__, crop.height))
            return draw(crop)

        return drawing

    widgets = [*agent.app.screen._compositor.visible_widgets]
    for one in widgets:
        one.render_lines = seen(one)  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        for one in widgets:
            del one.render_lines


async def test_of_a_key_in_the_list_two_lines_of_it_are_drawn_and_nothing_else(demo: Demo) -> None:
    async with console(demo()) as agent:
        await agent.settles()

        with written(agent) as frames, drawn(agent) as found:
            agent.app.post_message(events.Key("down", None))
            await agent.until(lambda: bool(frames), "a frame")
            first = found[:1], len(frames)

    assert first == ([("rows", 2)], 1)


@pytest.mark.parametrize("keys", [(), ("?",), ("s",), ("down", "down", "/")])
async def test_what_is_in_sight_is_drawn_as_textual_draws_it(
    demo: Demo, keys: tuple[str, ...]
) -> None:
    async with console(demo(), size=(120, 36)) as agent:
        await agent.press(*keys)
        await agent.settles()
        compositor = agent.app.screen._compositor

        for crop in SOME:
            every_other = {*crop.line_range[::2]}.__contains__
            ours = compositor._render_chops(crop, every_other)
            theirs = Compositor._render_chops(compositor, crop, every_other)

            assert [[*line] for line in ours] == [[*line] for line in theirs]
            for y, (line, other) in enumerate(zip(ours, theirs, strict=True)):
                for x, end in zip(line, compositor.cuts[y][1:], strict=True):
                    is_asked_for = every_other(y) and x < crop.right and end > crop.x
                    assert line[x] == (other[x] if is_asked_for else None)
