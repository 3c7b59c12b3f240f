"""httpx, loaded when it is first used, and without the command line it brings along.

The first frame of a desk elsewhere is what this machine keeps of it: httpx and its two hundred
files are loaded after it, by the thread that asks. The command line would be half of that.
"""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

_COMMAND_LINE: Final = "httpx._main"
"""It loads click, pygments and rich; where they are not there, httpx goes on without it."""

_LOADING: Final = threading.Lock()


class _Late(ModuleType):
    """A module that is loaded when something of it is first used."""

    def __getattr__(self, name: str) -> Any:
        """Give what has a name in it."""
        found = getattr(_loaded(), name)
        setattr(self, name, found)
        return found


def _loaded() -> ModuleType:
    """Give httpx itself."""
    with _LOADING:
        if "httpx" not in sys.modules:
            sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]
            try:
                import httpx  # noqa: PLC0415
            finally:
                del sys.modules[_COMMAND_LINE]
        import httpx  # noqa: PLC0415

        return httpx


if TYPE_CHECKING:
    import httpx
else:
    if find_spec("httpx") is None:
        raise ModuleNotFoundError("No module named 'httpx'", name="httpx")
    httpx = _Late("httpx")

__all__ = ["httpx"]
