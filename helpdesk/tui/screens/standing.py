"""How the line stands: how old what one sees is, what waits, and what ended meanwhile."""

from __future__ import annotations

from helpdesk.domain.offline import State, Wish
from helpdesk.tui.render.offline import WORDS


class Standing:
    """Remembers how wishes stood: each end is told once, and what was there first is no news."""

    def __init__(self) -> None:
        self._seen: dict[str, State] | None = None

    def news(self, wishes: tuple[Wish, ...]) -> list[tuple[str, str, bool]]:
        """Return what to tell: the user, a sentence, and whether it is good news."""
        before, self._seen = self._seen, {one.key: one.state for one in wishes}
        if before is None:
            return []
        ended = [
            one
            for one in wishes
            if one.state is not before.get(one.key)
            and one.state not in {State.QUEUED, State.SENT, State.UNKNOWN}
        ]
        return [(one.user, _told(one), one.state is State.DONE) for one in ended]


def _told(wish: Wish) -> str:
    more = f" {wish.says}" if wish.says else ""
    return f"{wish.title}: {WORDS[wish.state][0]}.{more}"
