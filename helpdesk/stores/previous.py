"""The generation of a file before the one that is there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def keep_previous(path: Path, backup: Path) -> None:
    """Make the file as it is now its *backup*, without a moment in which there is none."""
    if not path.exists():
        return
    beside = backup.with_name(f"{backup.name}.new")
    beside.unlink(missing_ok=True)
    try:
        os.link(path, beside)
    except OSError:  # a file system without hard links
        shutil.copy2(path, beside)
    beside.replace(backup)
