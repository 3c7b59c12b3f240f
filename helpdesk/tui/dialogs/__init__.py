"""Questions with an answer: they open over a place and close with what was decided.

Places name them `dialogs.ActDialog`: each is loaded when it first opens, for the first frame waits
for none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from helpdesk.tui.dialogs.act import ActDialog
    from helpdesk.tui.dialogs.approving import ApprovalDialog, Choice, FiledDialog
    from helpdesk.tui.dialogs.asking import AskDialog
    from helpdesk.tui.dialogs.drift import DriftDialog, authenticators
    from helpdesk.tui.dialogs.event import EventDialog
    from helpdesk.tui.dialogs.fields import fields_for, filled, first_code
    from helpdesk.tui.dialogs.outbox import OutboxDialog, What
    from helpdesk.tui.dialogs.pages import (
        HandoverDialog,
        MoreDialog,
        PageDialog,
        ReasonsDialog,
        RefusedDialog,
    )
    from helpdesk.tui.dialogs.proving import Caller, VerifyDialog
    from helpdesk.tui.dialogs.signing import SignInDialog

__all__ = [
    "ActDialog", "ApprovalDialog", "AskDialog", "Caller", "Choice", "DriftDialog", "EventDialog",
    "FiledDialog", "HandoverDialog", "MoreDialog", "OutboxDialog", "PageDialog", "ReasonsDialog",
    "RefusedDialog", "SignInDialog", "VerifyDialog", "What", "authenticators", "fields_for",
    "filled", "first_code",
]  # fmt: skip

_PLACES: Final = {
    "act": ("ActDialog",),
    "approving": ("ApprovalDialog", "Choice", "FiledDialog"),
    "asking": ("AskDialog",),
    "drift": ("DriftDialog", "authenticators"),
    "event": ("EventDialog",),
    "fields": ("fields_for", "filled", "first_code"),
    "outbox": ("OutboxDialog", "What"),
    "pages": ("HandoverDialog", "MoreDialog", "PageDialog", "ReasonsDialog", "RefusedDialog"),
    "proving": ("Caller", "VerifyDialog"),
    "signing": ("SignInDialog",),
}


def __getattr__(name: str) -> Any:
    """Give what is named, from its module."""
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{place}"), name)
    raise AttributeError(name)
