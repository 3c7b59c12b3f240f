"""Which keyed writes were not there a moment ago, so that they are not looked for twice.

asked ─▶ looked for ─▶ not there ─▶ under the pen: did others write since? ─ no ──▶ not there
                                                                           └ yes ─▶ looked for
"""

from __future__ import annotations

from typing import Final

MOST: Final = 1_000
"""So many are known: those asked for, and those kept, last."""


class Absent:
    """What was looked for and not found, and what this process itself kept since.

    Args:
        most: How much is known of either.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._looked: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        self._forgotten = -1

    def looked(self, name: str, count: int) -> None:
        """Note that one was not there when there were so many changes."""
        self._looked.pop(name, None)
        self._looked[name] = count
        if len(self._looked) > self._most:
            self._looked.pop(next(iter(self._looked)))

    def kept(self, name: str, count: int) -> None:
        """Note that this process keeps one, as the change of this number."""
        self._kept.pop(name, None)
        self._kept[name] = count
        if len(self._kept) > self._most:
            self._forgotten = max(self._forgotten, self._kept.pop(next(iter(self._kept))))

    def is_known(self, name: str, others: int) -> bool:
        """Whether one is not there, as others wrote nothing after so many changes; asked once."""
        since = self._looked.pop(name, -1)
        return since >= max(others, self._forgotten, self._kept.get(name, 0), 0)
