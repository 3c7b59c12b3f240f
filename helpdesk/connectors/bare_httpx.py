"""httpx without the command line it brings along, which is half of what loading it takes."""

from __future__ import annotations

import sys
from typing import Final

_COMMAND_LINE: Final = "httpx._main"
"""It loads click, pygments and rich; where they are not there, httpx goes on without it."""

if "httpx" in sys.modules:
    import httpx
else:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]

__all__ = ["httpx"]
