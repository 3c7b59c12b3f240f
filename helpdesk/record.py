"""The commands about the desk's own record: the log as a whole, the mail tray, the case bundle."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from helpdesk.commands import bytes_of, opened
from helpdesk.domain.actions import Note
from helpdesk.domain.bundle_text import bundle_text
from helpdesk.domain.checkpoints import read_checkpoint
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.errors import BadFile, BadInput, Tampered
from helpdesk.domain.exports import as_csv, as_jsonl
from helpdesk.domain.text import clean, counted
from helpdesk.plain.lists import tray_text
from helpdesk.plain.log import inspection_text, reconciliation_text
from helpdesk.progress import RowsLine
from helpdesk.saying import answer, say, warn
from helpdesk.service.bundles import write_bundle
from helpdesk.service.desk import Desk
from helpdesk.service.inspecting import exported, inspected

LOG = ("verify", "export", "reconcile", "checkpoint", "erase", "accept")
"""The words after `log` that are commands of their own; any other word is looked for in it."""


def verify(given: argparse.Namespace) -> int:
    """Say what is proven about the log and what is not; exit code 7 where it is broken."""
    note = checkpoint_in(given.checkpoint) if given.checkpoint else ""
    with opened(given) as desk, _rows("verified") as rows:
        found = asyncio.run(inspected(desk, note, given.key, rows))
    answer(given, found, inspection_text(found))
    return 0 if found.is_sound else Tampered.exit_code


def reconcile(given: argparse.Namespace) -> int:
    """Say whether log and provider tell the same; exit code 7 where they do not."""
    with opened(given) as desk:
        found = asyncio.run(desk.reconcile_log())
    answer(given, found, reconciliation_text(found))
    return 0 if found.does_match else Tampered.exit_code


def checkpoint_in(file: Path) -> str:
    """Return the checkpoint that a file holds.

    Raises:
        BadFile: It cannot be read, or holds none: the sentence says what is missing.
    """
    note = bytes_of(file).decode("utf-8", "replace")
    try:
        read_checkpoint(note)
    except BadInput as error:
        raise BadFile(str(file), "", f"holds no checkpoint. {error}") from error
    return note


def export(given: argparse.Namespace) -> int:
    """Give the log away: as lines of JSON, or as a table."""
    with opened(given) as desk, _rows("exported") as rows:
        if given.out is None:
            asyncio.run(_exported(desk, given, lambda text: say(text.removesuffix("\n")), rows))
            return 0
        with _written(given.out) as file:
            count = asyncio.run(
                _exported(desk, given, lambda text: file.write(text.encode()), rows)
            )
    out = clean(str(given.out))
    say(f"{out}: {counted(count, 'row')}, {'with' if given.clear else 'without'} personal data.")
    return 0


async def _exported(
    desk: Desk, given: argparse.Namespace, write: Callable[[str], object], heed: RowsLine
) -> int:
    """Write the log as it comes, never more than a part of it in memory; give how many rows."""
    count, is_table = 0, given.format == "csv"
    async for rows in exported(desk, is_clear=given.clear):
        text = as_csv(rows, has_head=not count) if is_table else as_jsonl(rows)
        if text:
            write(text)
        count += len(rows)
        heed(count, 0)
    return count


@contextlib.contextmanager
def _rows(done: str) -> Iterator[RowsLine]:
    """Give what shows how far it is; who interrupts it is told how far it came."""
    rows = RowsLine()
    try:
        yield rows
    except KeyboardInterrupt:
        rows.end()
        warn(f"Interrupted: {rows.far} were {done}, and nothing is said of the log.")
        raise
    finally:
        rows.end()


def checkpoint(given: argparse.Namespace) -> int:
    """Say the newest checkpoint, or the public key it is checked with."""
    with opened(given) as desk:
        text = asyncio.run(desk.checkpoint_key() if given.key else desk.checkpoint())
    say(text.rstrip("\n"))
    return 0


def erase(given: argparse.Namespace) -> int:
    """Part old rows from their personal data."""
    with opened(given) as desk:
        erased = asyncio.run(desk.erase_log(given.before))
    say(f"Before {given.before:%Y-%m-%d} no personal data any more: {erased.words}.")
    return 0


def accept(given: argparse.Namespace) -> int:
    """Go on with a log that is not the one this console saw."""
    with opened(given) as desk:
        says = asyncio.run(desk.accept_log(given.reason))
    say(clean(says))
    return 0


def tray(given: argparse.Namespace) -> int:
    """Say the notices to customers, newest first."""
    with opened(given) as desk:
        page = asyncio.run(desk.tray(given.user or "", offset=given.offset, limit=given.limit))
    answer(given, page, tray_text(page))
    return 0


def bundle(given: argparse.Namespace) -> int:
    """Say all a ticket needs about one user, or write it into a directory as text and JSON."""
    said = [CallerSaid(ask=ask, reply=reply) for ask, reply in map(said_of, given.said)]
    with opened(given) as desk:
        found = asyncio.run(desk.bundle(given.user, said))
        if given.ticket:
            wish = Note(
                user=found.user, ticket=given.ticket, bundle=True, said="\n".join(given.said)
            )
            done = asyncio.run(desk.perform(wish))
            answer(given, done, clean(done.says))
    if given.ticket and given.out is None:
        return 0
    if given.out is None:
        answer(given, found, bundle_text(found).rstrip("\n"))
        return 0
    for file in write_bundle(found, given.out):
        say(clean(str(file)))
    return 0


def said_of(pair: str) -> tuple[str, str]:
    """Return what `--said D1/D2=later` means."""
    ask, equals, reply = pair.partition("=")
    if not equals or not ask or not reply:
        raise BadInput(f"--said {clean(pair)}: say it as D1/D2=later.")
    return ask, reply


def day(text: str) -> datetime:
    """Return the beginning of a day, in UTC, as an argument of the command line."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{clean(text)} is not a day: 2026-05-04 is one"
        ) from error


def add_log(to: Any, where: argparse.ArgumentParser) -> None:
    """Add the commands of two words: `log verify` and all of `LOG`."""
    says = "Say what is proven about the log, and what is not"
    command = to.add_parser("log verify", parents=[where], help=says, description=f"{says}.")
    command.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="a checkpoint that was kept elsewhere"
    )
    command.add_argument("--key", default="", help="the public key of who signed it, as one line")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=verify)
    says = "Say whether each change at the provider has its row and its notices, and the reverse"
    command = to.add_parser("log reconcile", parents=[where], help=says, description=f"{says}.")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=reconcile)
    says = "Give the log away, masked unless --clear, which is recorded"
    command = to.add_parser("log export", parents=[where], help=says, description=f"{says}.")
    command.add_argument("--format", choices=["jsonl", "csv"], default="jsonl", help="(jsonl)")
    command.add_argument("--out", type=Path, metavar="FILE", help="write a file of mode 0600")
    command.add_argument("--clear", action="store_true", help="with personal data")
    command.set_defaults(run=export)
    says = "Print the newest checkpoint of the log, to keep elsewhere"
    command = to.add_parser("log checkpoint", parents=[where], help=says, description=f"{says}.")
    command.add_argument("--key", action="store_true", help="print the public key instead")
    command.set_defaults(run=checkpoint)
    says = "Part the log and what is kept beside it from old personal data; the rows stay"
    command = to.add_parser("log erase", parents=[where], help=says, description=f"{says}.")
    command.add_argument(
        "--before", type=day, required=True, metavar="DAY", help="rows before this day, 2026-05-04"
    )
    command.set_defaults(run=erase)
    says = "Go on with a log that is not the one this console saw; recorded, for a lead"
    command = to.add_parser("log accept", parents=[where], help=says, description=f"{says}.")
    command.add_argument("--reason", required=True, help="why, such as: the backup was put back")
    command.set_defaults(run=accept)


def add_tray(to: Any, where: argparse.ArgumentParser, count: Any) -> None:
    """Add `tray`: who was told of what."""
    says = "List who was told of which change, newest first"
    command = to.add_parser("tray", parents=[where], help=says, description=f"{says}.")
    command.add_argument("user", metavar="USER", nargs="?", help="id or login; without: everybody")
    command.add_argument("--limit", type=count, default=20, help="notices to give (20)")
    command.add_argument("--offset", type=count, default=0, help="notices to skip (0)")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=tray)


def add_bundle(to: Any, where: argparse.ArgumentParser) -> None:
    """Add `bundle`: all a ticket needs."""
    says = "Give all a ticket needs about one user, masked, to paste"
    command = to.add_parser("bundle", parents=[where], help=says, description=f"{says}.")
    command.add_argument("user", metavar="USER", help="id or login")
    command.add_argument(
        "--said", metavar="ASK=REPLY", action="append", default=[], help="what the caller said"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="write text, JSON and a case file there"
    )
    command.add_argument(
        "--ticket", default="", metavar="NUMBER", help="put it on this ticket as a comment"
    )
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=bundle)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes its name once all of it is written."""
    from helpdesk.stores.private import private_file  # noqa: PLC0415  (only where one writes)

    try:
        with private_file(path) as file:
            yield file
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be written: {error.strerror}") from error
