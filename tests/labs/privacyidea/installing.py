"""privacyIDEA from PyPI in an environment of its own, outside the tree; installed once.

Only what Python brings is imported here: it installs while there is nothing else yet.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from tests.labs.environment import alone, new_environment, place_of, run

WHO = "privacyIDEA"
VERSION = "3.14"
MORE = ("gunicorn==27.0.1", "aiosmtpd==1.4.6")
"""What it does not bring itself: a server to run in, and the sink's mail."""


def home() -> Path:
    """Return where everything of the lab lies."""
    return place_of(f"privacyidea-{VERSION}")


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
        pip = new_environment(place, WHO)
        with tempfile.TemporaryDirectory() as scratch:
            run(WHO, *pip, "download", "--no-deps", "-d", scratch, f"privacyidea=={VERSION}")
            wheel = next(Path(scratch).glob("privacyidea-*.whl"))
            with zipfile.ZipFile(wheel) as packed:
                name = next(n for n in packed.namelist() if n.endswith("/requirements.txt"))
                pins = Path(scratch) / "pins.txt"
                pins.write_bytes(packed.read(name))
            run(WHO, *pip, "install", "-r", str(pins))
            run(WHO, *pip, "install", "--no-deps", str(wheel))
            run(WHO, *pip, "install", *MORE)
        done.touch()
    return bin_
