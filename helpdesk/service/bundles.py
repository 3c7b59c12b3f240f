"""Bundles as files: the same three, whoever asks for them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from helpdesk.domain.bundle import Bundle
from helpdesk.domain.bundle_text import bundle_text
from helpdesk.domain.cases import explicit
from helpdesk.domain.errors import BadFile


def write_bundle(bundle: Bundle, into: Path | None = None) -> tuple[Path, ...]:
    """Write a bundle as text, as JSON and as a case file, each its owner's alone; give the files.

    Args:
        bundle: What is written.
        into: The directory, made where it is not there; None for the one the program runs in.

    Raises:
        BadFile: A file is there already, or cannot be written; the sentence says which.
    """
    try:
        where = Path.cwd() if into is None else into
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = "The bundle" if into is None else str(into)
        raise BadFile(name, "", f"cannot be written: {error.strerror}") from error
    name = f"{re.sub(r'[^A-Za-z0-9-]', '-', bundle.user)}-{bundle.made_at:%Y%m%dT%H%M%S}"
    texts = {
        where / f"{name}.md": bundle_text(bundle),
        where / f"{name}.json": json.dumps(explicit(bundle), indent=2),
        where / f"{name}.case.json": json.dumps(explicit(bundle.case), indent=2),
    }
    for file, text in texts.items():
        _write_new(file, f"{text.rstrip()}\n")
    return tuple(texts)


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet, so that nothing is ever written over."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise BadFile(str(file), "", "is there already; wait a second and try again") from error
    except OSError as error:
        raise BadFile(str(file), "", f"cannot be written: {error.strerror}") from error
