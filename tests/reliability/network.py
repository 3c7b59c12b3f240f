"""Two places with an address each on a network of their own, whose lines can be cut.

A place is a network namespace (Debian: iproute2; only for root), so that a cut line is as silent as
a real one: nothing is refused, nothing arrives.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator

MISSING = "no network namespaces here (root and iproute2 make them): each on a port of its own"


class Network:
    """Two places; the addresses end in 1 and 2, this machine's in 254.

    Attributes:
        hosts: The addresses.
        net: All of them, as PostgreSQL writes it.
    """

    def __init__(self) -> None:
        self._name = f"hd{secrets.token_hex(3)}"
        begin = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
        self.hosts, self.net = (f"{begin}.1", f"{begin}.2"), f"{begin}.0/24"
        self._here = f"{begin}.254/24"

    def begin(self) -> None:
        """Make the places and a line to each."""
        bridge = f"{self._name}br"
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", self._here, "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, host in enumerate(self.hosts):
            place, line = self._place(number), self._line(number)
            _ip("netns", "add", place)
            _ip("link", "add", line, "type", "veth", "peer", "name", "eth0", "netns", place)
            _ip("link", "set", line, "master", bridge, "up")
            _ip("-n", place, "addr", "add", f"{host}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", place, "link", "set", device, "up")

    def inside(self, number: int) -> list[str]:
        """Return what a command begins with to be run in a place."""
        return ["ip", "netns", "exec", self._place(number)]

    def cut(self, number: int, *, is_cut: bool = True) -> None:
        """Cut the line to a place, or mend it."""
        _ip("link", "set", self._line(number), "down" if is_cut else "up")

    def end(self) -> None:
        """Take all of it away."""
        for number in range(len(self.hosts)):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self._place(number))
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", f"{self._name}br")

    def _place(self, number: int) -> str:
        return f"{self._name}n{number}"

    def _line(self, number: int) -> str:
        return f"{self._name}v{number}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def network() -> Iterator[Network | None]:
    """Give two places; None where this machine cannot make them."""
    made = Network()
    try:
        try:
            if os.geteuid() != 0 or shutil.which("ip") is None:
                raise OSError(MISSING)
            made.begin()
        except (OSError, subprocess.CalledProcessError):
            yield None
            return
        yield made
    finally:
        if shutil.which("ip") is not None:
            made.end()
