"""A headless Chromium of the tests' own, spoken with in its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

MISSING = "no Chromium here: install the package chromium"

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1280,800", "--remote-debugging-port=0"),
]

PATIENCE_S = 120.0
"""The longest anything may take; a machine with much to do is slow."""

KEEP_TERMINALS = """
  window.terminals = [];
  Object.defineProperty(Object.prototype, "_core", {
    configurable: true,
    set(value) {
      Object.defineProperty(this, "_core", {value, writable: true, configurable: true});
      window.terminals.push(this);
    },
  });
"""
"""Keeps every xterm.js that a page makes, which textual.js shows to nobody."""

READ_TERMINAL = """
  (() => {
    const found = (window.terminals || []).find((each) => each.buffer && each.cols);
    if (!found) return "";
    const buffer = found.buffer.active;
    return Array.from({length: found.rows}, (_, row) => {
      const line = buffer.getLine(buffer.viewportY + row);
      return line ? line.translateToString(true) : "";
    }).join("\\n");
  })()
"""


def program() -> str | None:
    """Return where Chromium is; None where it is not."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Tab:
    """One tab, as somebody in front of it sees and uses it."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line, self._number = line, 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give the answer of the browser; what it tells unasked is passed over."""
        self._number += 1
        await self._line.send_json({"id": self._number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_S):
            async for message in self._line:
                told = json.loads(message.data)
                if told.get("id") == self._number:
                    assert "error" not in told, told
                    return dict(told["result"])
        raise AssertionError("the browser has gone")

    async def goto(self, url: str) -> None:
        """Open an address."""
        await self.ask("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """Give what a script says; it runs beside the page's own, which no policy hinders."""
        told = await self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str, wanted: str) -> str:
        """Wait until what a script says holds these words; give it."""
        said, end = "", time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            said = str(await self.value(script) or "")
            if wanted in said:
                return said
            await asyncio.sleep(0.1)
        raise AssertionError(f"{wanted!r} never came. Last seen:\n{said}")

    async def shows(self, words: str) -> str:
        """Wait until the console on the page shows these words; give all it shows."""
        return await self.until(READ_TERMINAL, words)

    async def says(self, words: str) -> str:
        """Wait until the page itself says these words; give all it says."""
        return await self.until("document.body?.innerText", words)

    async def type(self, text: str) -> None:
        """Put text in where the page has its focus; a line's end is the Enter key."""
        for line in text.splitlines(keepends=True):
            for letter in line.rstrip("\n"):
                await self.ask("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
                await self.ask("Input.dispatchKeyEvent", type="keyUp", key=letter)
            if line.endswith("\n"):
                enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
                await self.ask("Input.dispatchKeyEvent", type="keyDown", text="\r", **enter)
                await self.ask("Input.dispatchKeyEvent", type="keyUp", **enter)

    async def press_escape(self) -> None:
        """Press Escape."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Escape",
                code="Escape",
                windowsVirtualKeyCode=27,
            )

    async def press_function(self, number: int) -> None:
        """Press one of the keys F1 to F12."""
        key = {"key": f"F{number}", "code": f"F{number}", "windowsVirtualKeyCode": 111 + number}
        for kind in ("rawKeyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, **key)

    async def rest(self) -> None:
        """Let a dialog that has just come become one that hears: by its own clock, 0.8 s."""
        await asyncio.sleep(1.5)

    async def press_control(self, letter: str) -> None:
        """Press a letter with the Control key."""
        keys = {"key": letter, "code": f"Key{letter.upper()}", "modifiers": 2}
        number = ord(letter.upper())
        for kind in ("rawKeyDown", "keyUp"):
            await self.ask(
                "Input.dispatchKeyEvent", type=kind, windowsVirtualKeyCode=number, **keys
            )

    async def picture(self, path: Path) -> None:
        """Write what the tab shows."""
        told = await self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(told["data"]))


class Browser:
    """A running browser; its tabs share their cookies."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session, self._address = session, f"http://127.0.0.1:{port}"

    async def tab(self) -> Tab:
        """Open a tab in front of the others."""
        async with self._session.put(f"{self._address}/json/new?about:blank") as answer:
            line = (await answer.json())["webSocketDebuggerUrl"]
        tab = Tab(await self._session.ws_connect(line, max_msg_size=0))
        await tab.ask("Page.enable")
        await tab.ask("Page.addScriptToEvaluateOnNewDocument", source=KEEP_TERMINALS)
        return tab

    async def addresses(self) -> list[str]:
        """Give what the tabs have open."""
        async with self._session.get(f"{self._address}/json/list") as answer:
            return [each["url"] for each in await answer.json() if each["type"] == "page"]


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Give a browser that knows nothing and keeps nothing."""
    path = program()
    assert path, MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={place}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(place) / "DevToolsActivePort", process)
            async with aiohttp.ClientSession() as session:
                yield Browser(session, port)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


async def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium did not start")
