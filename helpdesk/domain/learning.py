"""Learning the forms of values before threads begin that read them.

msgspec learns a form at its first use, and the process dies where two threads use it first at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Final

import msgspec

_ALONE: Final = threading.Lock()


def learn(kinds: Iterable[Any]) -> None:
    """Learn types that several threads will read; before the first of these threads begins."""
    with _ALONE:
        for kind in kinds:
            msgspec.json.Decoder(kind)
