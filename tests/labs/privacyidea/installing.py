"""privacyIDEA from PyPI in an environment of its own, outside the tree; installed once.

Only what Python brings is imported here: it installs while there is nothing else yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.14"
MORE = ("gunicorn==27.0.1", "aiosmtpd==1.4.6")
"""What it does not bring itself: a server to run in, and the sink's mail."""


class Missing(Exception):
    """The lab cannot be had here; the sentence says why."""


def home() -> Path:
    """Return where everything of the lab lies."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    given = os.environ.get("HELPDESK_LABS")
    return (Path(given) if given else cache / "helpdesk-labs") / f"privacyidea-{VERSION}"


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Do something that no other process does meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def installed() -> Path:
    """Return the environment's `bin`; install it where it is not there.

    The wheel pins nothing; the set that its makers tested lies within it, and is what is installed.

    Raises:
        Missing: It cannot be installed.
    """
    place = home()
    bin_, done = place / "venv" / "bin", place / "installed"
    with alone(place / "lock"):
        if done.exists():
            return bin_
        _run(sys.executable, "-m", "venv", str(place / "venv"))
        pip = (str(bin_ / "python"), "-m", "pip", "--disable-pip-version-check", "-q")
        with tempfile.TemporaryDirectory() as scratch:
            _run(*pip, "download", "--no-deps", "-d", scratch, f"privacyidea=={VERSION}")
            wheel = next(Path(scratch).glob("privacyidea-*.whl"))
            with zipfile.ZipFile(wheel) as packed:
                name = next(n for n in packed.namelist() if n.endswith("/requirements.txt"))
                pins = Path(scratch) / "pins.txt"
                pins.write_bytes(packed.read(name))
            _run(*pip, "install", "-r", str(pins))
            _run(*pip, "install", "--no-deps", str(wheel))
            _run(*pip, "install", *MORE)
        done.touch()
    return bin_


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"privacyIDEA cannot be installed here: {type(error).__name__}.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]
        raise Missing(f"privacyIDEA cannot be installed here: {last}")
