"""`helpdesk serve --dev` as a process of its own, killed and begun anew as a test likes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from helpdesk.assets import DEMO

PATIENCE_S = 60.0

_CODE = re.compile(r"  (\S+)  .* \((\w+)\), ")


class DevServe:
    """A desk on a real socket whose issuer says one-time codes; use as a context manager.

    Attributes:
        url: Its address, the same over all its lives.
        port: Its port.

    Args:
        home: Where it keeps its database and its keys.
    """

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = home
        self._codes: dict[str, list[str]] = {}
        self._said = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def begin(self) -> None:
        """Begin, and wait until it answers."""
        self._codes.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "helpdesk", "serve", "--dev", "--port", str(self.port)]
            + (
                ["--import", str(DEMO)] if not (self._home / "data" / "gateway.db").exists() else []
            ),
            env=os.environ | places(self._home),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ends = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < ends, "the desk does not answer"
            assert self._process.poll() is None, "the desk did not begin"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._reader is not None
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def code(self, agent: str = "dana") -> str:
        """Give a one-time code of an agent that was not given before."""
        with self._said:
            assert self._said.wait_for(lambda: self._codes.get(agent), PATIENCE_S)
            return self._codes[agent].pop()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = _CODE.match(line)
            if found:
                with self._said:
                    self._codes.setdefault(found[2], []).append(found[1])
                    self._said.notify_all()

    def _answers(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0


def places(home: Path) -> dict[str, str]:
    """Give the environment in which all is kept in one place."""
    return {
        "HELPDESK_DATA_DIR": str(home / "data"),
        "HELPDESK_CONFIG_DIR": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }


def helpdesk(
    home: Path, *arguments: str, types: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, with what is typed into it; give what it said."""
    return subprocess.run(
        [sys.executable, "-m", "helpdesk", *arguments],
        input=types,
        env=os.environ | places(home) | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
        check=False,
    )
