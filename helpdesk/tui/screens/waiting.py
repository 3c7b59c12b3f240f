"""What is new among requests for a second person, and among alarms: told once."""

from __future__ import annotations

from datetime import datetime

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval, why_not_approve
from helpdesk.domain.audit import title_of
from helpdesk.domain.limits import STRANGER_IN, Alarm
from helpdesk.domain.text import clean
from helpdesk.tui.keys import key_of


class Waiting:
    """Remembers what was seen, so that nothing is told twice; what was there first is no news."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._seen: dict[str, bool] | None = None

    def news(self, approvals: tuple[Approval, ...], now: datetime) -> list[tuple[str, str, bool]]:
        """Return what to tell: the user, a sentence, and whether it is good news."""
        from helpdesk.tui.render.proving import news_of  # noqa: PLC0415  (after the first frame)

        before, self._seen = self._seen, {one.id: one.decided_at is not None for one in approvals}
        if before is None:
            return []
        found: list[tuple[str, str, bool]] = []
        for one in approvals:
            if one.requester == self._agent.id:
                is_new = one.decided_at is not None and not before.get(one.id, False)
                if is_new and one.used_at is None:
                    more = f" Press {key_of(one.act)} on them." if one.is_granted else ""
                    found.append((one.user, f"{news_of(one, now)}{more}", one.is_granted))
            elif one.id not in before and not why_not_approve(self._agent, one, approvals, now):
                title = title_of(one.act)
                says = f"{one.requester} asks for a second person: {title}. Key 4 shows it."
                found.append((one.user, clean(says), True))
        return found


class Strangers:
    """Remembers the alarms that were seen; what was there first is shown, but no news."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, datetime]] | None = None

    def news(self, alarms: tuple[Alarm, ...]) -> list[Alarm]:
        """Return the strangers that came in since the last look."""
        before = self._seen
        mine = [one for one in alarms if one.what == STRANGER_IN]
        self._seen = {(one.user, one.at) for one in mine}
        return [] if before is None else [one for one in mine if (one.user, one.at) not in before]
