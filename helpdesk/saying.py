"""What the command line says, and how it ends: the one place where it speaks."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from helpdesk.domain.errors import HelpdeskError, Unreachable
from helpdesk.domain.text import clean

if TYPE_CHECKING:  # the console speaks here too, and waits for none of these
    import argparse

    from helpdesk import opening

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
"""What commands a terminal: no tab, as completion scripts have it, and no end of a line of CSV."""


def forgive() -> None:
    """Let what a stream cannot write be written in another way, where it would end the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def ended(given: argparse.Namespace | opening.Wish, run: Callable[[], int]) -> int:
    """Run a command; return its exit code, having said what went wrong."""
    try:
        return run()
    except HelpdeskError as error:
        return fail(error, is_json=getattr(given, "json", False))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  (a fault of our own: one sentence, no values)
        return fault(error)


def fail(error: HelpdeskError, *, is_json: bool) -> int:
    """Say why it could not be done; return the error's exit code."""
    if is_json:
        from helpdesk import answers

        say(answers.as_json(answers.failure(error)))
    else:
        sys.stderr.write(f"helpdesk: {clean(str(error))}\n")
    return error.exit_code


def fault(error: Exception) -> int:
    """Say that we are at fault, without any value of the data; return exit code 1."""
    from helpdesk.crashes import report

    sys.stderr.write(f"helpdesk: {report(error)}\n")
    return 1


def warn(alarm: str) -> None:
    """Say beside the answer what is wrong with the desk's own log."""
    sys.stderr.write(f"helpdesk: WARNING: {clean(alarm)}\n")


def answer(given: argparse.Namespace, found: object, text: str) -> None:
    """Say what was found: in JSON where that is asked for, else as text."""
    if given.json:
        from helpdesk.answers import as_json

        text = as_json(found)
    say(text)


def say(text: str) -> None:
    """Write to standard output; the one place where the command line speaks.

    The last guard: whoever made the text cleaned it, and here a control shows as its picture.
    """
    try:
        sys.stdout.write(f"{_CONTROLS.sub(lambda found: clean(found.group()), text)}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Unreachable(f"The answer cannot be written: {error.strerror}.") from error
