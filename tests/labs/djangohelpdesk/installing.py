"""django-helpdesk from PyPI in an environment of its own, outside the tree; installed once."""

from __future__ import annotations

from pathlib import Path

from tests.labs.environment import alone, new_environment, place_of, run

WHO = "django-helpdesk"
VERSION = "2.6.1"
MORE = ("gunicorn==27.0.1",)
"""What it does not bring itself: a server to run in."""


def home() -> Path:
    """Return where everything of the lab lies."""
    return place_of(f"{WHO}-{VERSION}")


def installed() -> Path:
    """Return the environment's `bin`; install it where it is not there.

    Raises:
        Missing: It cannot be installed.
    """
    place = home()
    with alone(place / "lock"):
        if not (place / "installed").exists():
            pip = new_environment(place, WHO)
            run(WHO, *pip, "install", f"{WHO}=={VERSION}", *MORE)
            (place / "installed").touch()
    return place / "venv" / "bin"
