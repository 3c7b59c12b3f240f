"""One console process behind one tab of a browser."""

from __future__ import annotations

import asyncio
import shlex
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

END_S: Final = 5.0
"""Seconds a console may take to end, then it is killed."""

WIDEST: Final = 500
"""Cells; a page that asks for more gets as many."""

TALLEST: Final = 300
"""Lines; a page that asks for more gets as many."""


class Console(AppService):
    """One console, started as a list of arguments and spoken with over a websocket.

    Args:
        command: The program and its arguments; no shell reads them.
        more: What its environment has besides this process's own.
        page: The websocket of the tab.
        place: The directory it runs in; None for ours.

    Attributes:
        heard_at: When a key last came, by the monotonic clock.
    """

    def __init__(
        self,
        command: Sequence[str],
        more: Mapping[str, str],
        page: web.WebSocketResponse,
        place: Path | None = None,
    ) -> None:
        super().__init__(
            shlex.join(command),
            write_bytes=self._draw,
            write_str=_say_nothing,
            close=self._close,
            download_manager=DownloadManager(),
        )
        self._arguments, self._more, self._page = list(command), dict(more), page
        self._place = place
        self.heard_at = time.monotonic()

    async def stop(self) -> None:
        """End the process: asked first, then by force."""
        process = self._process
        if process is None:
            return
        try:
            async with asyncio.timeout(END_S):
                await super().stop()
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def run(self) -> None:
        """Draw what the process sends until it ends; then the page is told."""
        try:
            await super().run()
        finally:
            await self._close()

    async def on_meta(self, data: bytes) -> None:
        """Heed the end of the console; open no address and give no file, whatever is asked."""
        said = msgspec.json.decode(data)
        if isinstance(said, dict) and said.get("type") == "exit":
            await self._close()

    async def on_packed(self, payload: bytes) -> None:
        """Give no file."""

    async def heed(self, text: str) -> None:
        """Pass on what the page sends: keys and sizes; whatever else it says is dropped."""
        try:
            message: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return
        match message:
            case ["stdin", str(keys)]:
                self.heard_at = time.monotonic()
                await self.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(*cells(width, height))
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Start the process without a shell."""
        process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self._place,
            env=self._build_environment(width, height) | self._more,
        )
        self._process, self._stdin = process, process.stdin
        return process

    async def _draw(self, data: bytes) -> None:
        if not self._page.closed:
            with suppress(ConnectionError):  # read on: a full pipe would keep it from ending
                await self._page.send_bytes(data)

    async def _close(self) -> None:
        if not self._page.closed:
            with suppress(ConnectionError):
                await self._page.close()


def cells(width: int, height: int) -> tuple[int, int]:
    """Return a size as it may be asked of a console: at least one cell, at most a wall of them."""
    return min(max(width, 1), WIDEST), min(max(height, 1), TALLEST)


async def _say_nothing(_text: str) -> None:
    """The only words a console could send to the page are those that open something."""
