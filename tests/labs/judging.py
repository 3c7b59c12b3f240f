"""Vendors' own clients as judges of our small servers: run in an environment of their own.

A client proves that a server speaks as the vendor's does; only then does a test of a connector on
that server mean something.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Give the address at which an ASGI application answers on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = uvicorn.Config(application, port=port, log_level="error", ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def verdict(package: str, script: Path, address: str, place: Path, **environment: str) -> str:
    """Return what a script says that asks with a vendor's client; skip where it cannot be had."""
    venv.create(place, with_pip=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [str(python), "-m", "pip", "install", "-q", package]
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    if got.returncode:
        pytest.skip(f"{package} cannot be installed: {got.stderr.strip()[-200:]}")
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), str(script), address],
        capture_output=True,
        text=True,
        check=False,
        env=kept | environment,
        timeout=120,
    )
    sys.stderr.write(done.stderr[-2000:])
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
