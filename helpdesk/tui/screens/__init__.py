"""Places the agent can be in, and what they have in common.

The app names them `screens.LogScreen`: each is loaded when one first goes there, for the first
frame waits for none but its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from helpdesk.tui.screens.approvals import ApprovalsScreen
    from helpdesk.tui.screens.curtain import Curtain
    from helpdesk.tui.screens.desk import DeskScreen
    from helpdesk.tui.screens.lists import ChallengesScreen, LogScreen, LoopsScreen

__all__ = [
    "ApprovalsScreen", "ChallengesScreen", "Curtain", "DeskScreen", "LogScreen", "LoopsScreen",
]  # fmt: skip

_PLACES: Final = {
    "ApprovalsScreen": "approvals",
    "ChallengesScreen": "lists",
    "Curtain": "curtain",
    "DeskScreen": "desk",
    "LogScreen": "lists",
    "LoopsScreen": "lists",
}


def __getattr__(name: str) -> Any:
    """Give what is named, from its module."""
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
