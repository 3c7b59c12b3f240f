"""One process behind one tab of a class: a play, with nothing of ours but what it needs."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from helpdesk.service.rehearsal import AGAIN
from helpdesk.web.console import END_S, Console

if sys.platform != "win32":  # which lacks it
    import resource

OVER_CODE: Final = 4000
"""What a websocket is closed with when the call is over: the page goes back to the calls."""

AGAIN_CODE: Final = 4001
"""… and where the trainee wants it from the start: the page opens it anew."""

NEEDED: Final = (
    *(
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "USERPROFILE",
    ),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "NO_COLOR"),
    *("COLUMNS", "ROWS", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "XDG_STATE_HOME"),
)
"""What a play is told of our environment; the rest may hold passwords."""


class PlayConsole(Console):
    """The process of one play.

    Args:
        command: As for `Console`, as are the two that follow.
        place: The trainee's own data directory; the process runs in it.
        memory: Bytes of data it may have; 0 for as many as there are.
    """

    def __init__(
        self,
        command: Sequence[str],
        more: Mapping[str, str],
        page: web.WebSocketResponse,
        place: Path,
        memory: int,
    ) -> None:
        own = {"HELPDESK_DATA_DIR": str(place)}
        super().__init__(command, {**more, **own}, page, place)
        self._memory = memory

    async def on_meta(self, data: bytes) -> None:
        """Wait for the process itself to end: how it ends says what comes next."""

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """Tell it where it is and how wide the page, and none of our secrets."""
        whole = super()._build_environment(width, height)
        return {
            name: value
            for name, value in whole.items()
            if name in NEEDED or name.startswith(("LC_", "TEXTUAL_"))
        }

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await super()._open_app_process(width, height)
        if self._memory and sys.platform == "linux":
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (self._memory, self._memory))
        return process

    async def _close(self) -> None:
        """Close the page with what comes next."""
        code, process = 1000, self._process
        if process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    code = {0: OVER_CODE, AGAIN: AGAIN_CODE}.get(await process.wait(), 1000)
        if not self._page.closed:
            with suppress(ConnectionError):
                await self._page.close(code=code)
