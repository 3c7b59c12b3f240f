"""The processes of a lab: begun in a place, known again by their number, ended one by one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.labs.environment import Missing


class Processes:
    """What runs in a place.

    Args:
        place: Where logs and numbers are kept.
        ours: Part of the command of everything that is begun here, so that another process of a
            number that was ours once is let be.
    """

    def __init__(self, place: Path, ours: str) -> None:
        self._place, self._ours = place, ours

    def begin(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Begin one; what it says goes into a log of its own."""
        with (self._place / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self._place,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        _CHILDREN[process.pid] = process
        (self._place / f"{name}.pid").write_text(str(process.pid), "utf-8")

    def answers(self, name: str, url: str) -> None:
        """Wait until one answers with a success.

        Raises:
            Missing: It ended, or takes too long.
        """
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
                return
            # Of one that has just begun the command is not there yet; that it ended is.
            if _CHILDREN[self._pid(name)].poll() is not None:
                break
            time.sleep(0.1)
        log = (self._place / f"{name}.log").read_text("utf-8", "replace")[-300:]
        raise Missing(f"The lab's {name} does not answer: {log}")

    def runs(self, name: str) -> bool:
        """Whether it runs and is ours."""
        pid = self._pid(name)
        child = _CHILDREN.get(pid)
        if child is not None and child.poll() is not None:
            return False
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return self._ours.encode() in command

    def end(self, *names: str) -> None:
        """End those of these that run; what they wrote stays."""
        running = [name for name in names if self.runs(name)]
        for name in running:  # gunicorn waits for nobody when it is told to quit
            quits = signal.SIGQUIT if name == "server" else signal.SIGTERM
            os.kill(self._pid(name), quits)
        end = time.monotonic() + 10
        for name in running:
            while self.runs(name) and time.monotonic() < end:
                time.sleep(0.05)
            if self.runs(name):
                os.kill(self._pid(name), signal.SIGKILL)
            (self._place / f"{name}.pid").unlink(missing_ok=True)

    def _pid(self, name: str) -> int:
        try:
            return int((self._place / f"{name}.pid").read_text("utf-8"))
        except (OSError, ValueError):
            return 0


_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
