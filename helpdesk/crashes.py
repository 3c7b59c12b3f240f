"""What is told about a fault of our own: one sentence on the screen, the way to it in a log.

Neither holds a message or a variable of the fault, for either may hold a code, a number or a name.
"""

from __future__ import annotations

import os
import secrets
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

from helpdesk import __version__
from helpdesk.domain.text import clean

LOG_LIMIT: Final = 1_000_000
"""Bytes after which the log starts anew; the one before is kept as `errors.log.1`."""

_PACKAGE = Path(__file__).resolve().parent


STOPPED: Final = "The console had to stop because of a fault of its own"
"""How the sentence begins where the console cannot go on."""


def report(error: BaseException, what: str = STOPPED) -> str:
    """Write *error* to the log and return the sentence for the agent, which begins with *what*.

    The sentence names the kind of error, its place in this package and an id to find it in the log.
    """
    name = secrets.token_hex(4)
    path = log_path()
    try:
        _append(path, _entry(error, name))
        more = f"the details are in {_from_home(path)}"
    except OSError:
        more = "the log could not be written"
    return f"{what}: {_kind(error)} at {place(error)}, error {name}; {more}."


def log_path() -> Path:
    """Return where the log lies, whether it is there or not."""
    return user_log_path("helpdesk", appauthor=False) / "errors.log"


def place(error: BaseException) -> str:
    """Return `helpdesk/tui/app.py:12`, the deepest place in this package the error passed.

    Where it passed none, the deepest place of all.
    """
    frames = [
        (_short(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [frame for frame in frames if frame[0].startswith("helpdesk/")]
    file, line = (ours or frames or [("an unknown place", 0)])[-1]
    return f"{file}:{line}"


def _entry(error: BaseException, name: str) -> str:
    lines = [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} error {name} helpdesk {__version__}"]
    for link in _chain(error):
        lines.append(f"  {_kind(link)}")
        lines += [
            f"    {_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
            for frame, line in traceback.walk_tb(link.__traceback__)
        ]
    return clean_lines(lines)


def clean_lines(lines: list[str]) -> str:
    """Return *lines* as text for a log, each of them cleaned and ended."""
    return "".join(f"{clean(line)}\n" for line in lines)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give the error and what led to it, as Python would print them, at most ten."""
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        hidden = link.__suppress_context__
        link = link.__cause__ or (None if hidden else link.__context__)


def _kind(error: BaseException) -> str:
    return clean(type(error).__name__, limit=80)


def _short(filename: str) -> str:
    """Shorten a source file to its package's name and what is below, so that no home is told."""
    path = Path(filename)
    if path.is_relative_to(_PACKAGE):
        return f"helpdesk/{path.relative_to(_PACKAGE).as_posix()}"
    parts = path.parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    return "/".join(parts[-2:])


def _from_home(path: Path) -> str:
    home = Path.home()
    return clean(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o600)
        file.write(text)
