"""The palette: every key of the place by name; an act that is refused says why."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import ClassVar

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.text import clean
from helpdesk.tui.keys import Key, keys_of
from helpdesk.tui.render.case import glyph_of
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, fit, lines
from helpdesk.tui.screens.acting import ActingPlace
from helpdesk.tui.screens.place import Place
from helpdesk.tui.terminal import SafeScreen


class Palette(CommandPalette, SafeScreen[None]):
    """Textual's palette, in which Enter struck twice closes no more than it."""

    WAY_OUT: ClassVar[str] = "Input"

    def _action_command_list(self, action: str) -> None:
        """Move in the list; a page of one that is not laid out yet is none, and breaks Textual."""
        with contextlib.suppress(KeyError, IndexError):
            super()._action_command_list(action)


class KeysProvider(Provider):
    """Gives the keys of the place beneath the palette."""

    async def discover(self) -> Hits:
        """Give all of them."""
        for key, name, shown in self._entries():
            yield DiscoveryHit(shown, partial(self._do, key), text=name)

    async def search(self, query: str) -> Hits:
        """Give those whose name or sentence fits."""
        matcher = self.matcher(query)
        for key, name, shown in self._entries():
            score = max(matcher.match(name), matcher.match(key.says) / 2)
            if score > 0:
                yield Hit(score, shown, partial(self._do, key), text=name)

    def _entries(self) -> list[tuple[Key, str, Content]]:
        place = self.screen
        if not isinstance(place, Place):
            return []
        keys = [key for key in keys_of(place.WHERE) if key.does != "palette"]
        return [(key, _name(key), self._entry(place, key)) for key in keys]

    def _entry(self, place: Place, key: Key) -> Content:
        head = Content.assemble((f"{key.shown:<4} ", LABEL), (_name(key), STRONG))
        case = place.current_case() if isinstance(place, ActingPlace) else None
        decision = case.decision(key.act) if case and key.act else None
        room = min(80, place.size.width - 24)
        if decision is None:
            return lines((head, Content.assemble("     ", (fit(key.says, room).rstrip(), QUIET))))
        glyph, look = glyph_of(decision)
        why = clean(decision.why) if decision.is_refused else key.says
        head = Content.assemble(head, "  ", (glyph, look))
        return lines((head, Content.assemble("     ", (fit(why, room).rstrip(), QUIET))))

    async def _do(self, key: Key) -> None:
        await self.screen.run_action(key.does)


def _name(key: Key) -> str:
    return ACTIONS[key.act].title if key.act else key.label
