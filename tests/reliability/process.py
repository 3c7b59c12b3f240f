"""Gateways in processes of their own that can be killed: forked from one that has read its code.

    python -m tests.reliability.process STORE PORT

Each line on standard input begins a gateway; its process id is printed when it answers. The sign-in
is a word, the agent's id; all else is what `helpdesk serve` runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.config import Config
from helpdesk.gateway.running import Server, run
from helpdesk.gateway.server import Gateway
from helpdesk.hosting import Wanted, desks_at
from helpdesk.listening import settle_in
from tests.gateway.serving import PLENTY, Words
from tests.ports import free_port
from tests.waiting import PATIENCE_S


class Plug:
    """A gateway that is begun and killed, again and again, at one address.

    Args:
        store: The address of the database; people are in it.
        directory: Where keys and the checkpoint seen last are kept, over all its lives.
    """

    def __init__(self, store: str, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._run = [sys.executable, "-m", "tests.reliability.process", store]
        self._environment = os.environ | home(directory)
        self._parent: subprocess.Popen[str] | None = None
        self._child = 0

    @property
    def process(self) -> int:
        """The id of its process now; 0 where it does not run."""
        return self._child

    def begin(self) -> None:
        """Begin a gateway and wait until it answers."""
        if self._parent is None:
            self._parent = subprocess.Popen(
                [*self._run, str(self.port)],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write("begin\n")
        self._parent.stdin.flush()
        told = self._parent.stdout.readline()
        assert told.strip().isdigit(), "the gateway did not begin"
        self._child = int(told)
        ends = time.monotonic() + PATIENCE_S
        while not _answers(self.port):
            assert time.monotonic() < ends, "the gateway does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._child = 0
            assert self._parent is not None
            assert self._parent.stdout is not None
            self._parent.stdout.readline()  # that it has ended

    def end(self) -> None:
        """Kill it, and what it is forked from."""
        if self._parent is not None:
            self.kill()
            self._parent.communicate()
            self._parent = None


def home(directory: Path) -> dict[str, str]:
    """Give the environment in which a gateway finds its keys and the checkpoint it saw last."""
    return {
        "HELPDESK_DATA_DIR": str(directory / "data"),
        "HELPDESK_CONFIG_DIR": str(directory / "config"),
    }


@contextlib.contextmanager
def at_home(directory: Path) -> Iterator[None]:
    """Be for a while where the gateway's keys are."""
    before = {name: os.environ.get(name) for name in home(directory)}
    os.environ.update(home(directory))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ |= {name: value} if value is not None else {}


@contextlib.contextmanager
def plugged(store: str, directory: Path) -> Iterator[Plug]:
    """Give a gateway that answers; killed at the end."""
    plug = Plug(store, directory)
    try:
        plug.begin()
        yield plug
    finally:
        plug.end()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as line:
            line.sendall(b"GET /readyz HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n")
            return line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def serve(store: str, port: int) -> None:
    """Answer until killed."""
    desks = desks_at(Wanted(store=store), Config())
    words = Words(desks.agents, lambda: datetime.now(UTC))
    server = Server(Gateway(desks, words, allowance=PLENTY))
    settle_in()
    run(server, socket.create_server(("127.0.0.1", port)))


def main() -> None:
    """Begin a gateway for each line; tell its process, and when it has ended."""
    store, port = sys.argv[1], int(sys.argv[2])
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            serve(store, port)
            os._exit(1)
        _tell(child)
        os.waitpid(child, 0)
        _tell("ended")


def _tell(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
