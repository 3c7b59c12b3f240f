"""What a command needs that comes with an extra only, and how it is installed."""

from __future__ import annotations

from helpdesk.domain.errors import BadInput


def lacks(what: str, extra: str, error: ImportError) -> BadInput:
    """Return the error of a command whose extra is not installed.

    It names no package of a registry: one of the same name there may be somebody else's.
    """
    return BadInput(
        f"{what} needs the extra {extra}, and {error.name} is not there. In the clone: "
        f"pip install '.[{extra}]'"
    )
