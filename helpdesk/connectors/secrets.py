"""Where a connector's secret comes from: the environment, a file only its owner reads, a keyring.

Never from the settings: they are copied, shown and put under version control.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.text import clean

SERVICE: Final = "helpdesk connector"
"""What the entry of the keyring is filed under; its user is the connector's name."""

MOST: Final = 64 * 1024


def secret_of(name: str, environment: Mapping[str, str], file: Path | None = None) -> str:
    """Return the secret of a connector.

    Args:
        name: What the settings call it.
        environment: Looked into first: `HELPDESK_SECRET_` and the name in capitals.
        file: Looked into next, where there is one; only its owner may read it (0400 or 0600).

    Raises:
        BadFile: The file cannot be read, or others can read it.
        BadInput: There is none anywhere; the sentence says where it may be.
    """
    variable = variable_of(name)
    if environment.get(variable):
        return environment[variable]
    if file is not None:
        return _from_file(file)
    kept = _from_keyring(name)
    if kept:
        return kept
    raise BadInput(
        f"No secret is known for the connector {clean(name)}. Put it into {variable}, into a file "
        f"that only you can read (secret_file), or into the keyring ({SERVICE}, {clean(name)})."
    )


def variable_of(name: str) -> str:
    """Return the environment's name for a connector's secret."""
    return "HELPDESK_SECRET_" + "".join(c if c.isalnum() else "_" for c in name.upper())


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise BadFile(str(path), "", "is no file")
            if os.name == "posix" and found.st_mode & 0o077:
                raise BadFile(str(path), "", "others can read it: chmod 0400 it first")
            text = file.read(MOST).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(str(path), "", "is not UTF-8 text") from error
    if not text:
        raise BadFile(str(path), "", "is empty")
    return text


def _from_keyring(name: str) -> str:
    """Return what the system's keyring keeps; empty where it has nothing, or there is none."""
    try:
        import keyring  # noqa: PLC0415  (looks through every installed package)
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, name) or ""
    except Exception:  # noqa: BLE001  (each system's keyring raises what it likes)
        return ""
