"""The case bundle at the console: one key writes what the ticket needs, masked."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

from textual import work

from helpdesk.domain.bundle import Bundle, bundle_text
from helpdesk.domain.cases import explicit
from helpdesk.domain.errors import BadFile, HelpdeskError
from helpdesk.tui.screens.telling import TellingPlace


class BundlingPlace(TellingPlace):
    """A place that writes bundles."""

    @work(group="bundle", exit_on_error=False)
    async def action_bundle(self) -> None:
        """Write the bundle of the user into the directory the console was started in."""
        case = await self.settled_case()
        if case is None:
            self.app.notify("Choose a user first.", markup=False)
            return
        try:
            bundle = await self.desk.bundle(case.user.id, self.said)
            files = await asyncio.to_thread(write_bundle, bundle)
        except HelpdeskError as error:
            self.tell(error)
            return
        names = " and ".join(file.name for file in files)
        says = f"Written to {names}, in {files[0].parent}. Addresses and numbers are masked."
        self.app.notify(says, title=case.user.id, timeout=12, markup=False)


def write_bundle(bundle: Bundle) -> tuple[Path, ...]:
    """Write a bundle as Markdown and as JSON, readable by its owner only; give the files.

    They are written into the directory the console was started in.

    Raises:
        BadFile: A file is there already, or cannot be written; the sentence says which.
    """
    try:
        into = Path.cwd()
    except OSError as error:
        raise BadFile("The bundle", "", f"cannot be written: {error.strerror}") from error
    name = f"{re.sub(r'[^A-Za-z0-9-]', '-', bundle.user)}-{bundle.made_at:%Y%m%dT%H%M%S}"
    texts = {
        into / f"{name}.md": bundle_text(bundle),
        into / f"{name}.json": json.dumps(explicit(bundle), indent=2),
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
