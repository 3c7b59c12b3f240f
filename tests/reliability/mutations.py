"""Spoil the safety code, one place at a time, and look whether an open test notices.

    python -m tests.reliability.mutations [NAME ...] [--jobs 2]

Each mutation takes one guard away, in a copy of the tree; the tests named beside it must then fail,
and pass in a copy that nobody spoiled. One that no test notices is printed as SURVIVED, and the
program ends with 1. The tree it is started in is never changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.reliability.rows import Tried, is_over, tell

TREE: Final = Path(__file__).resolve().parents[2]

LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "*.egg-info")

MOST_S: Final = 240
"""How long the tests of one mutation may take; longer is a failure too, for they hang."""


class Mutation(Struct, frozen=True):
    """One guard taken away.

    Attributes:
        name: What is taken away.
        file: Where, below the package.
        old: The one place, as it stands there; it must stand there exactly once.
        new: What stands there instead.
        tests: Arguments of pytest: the tests that must notice.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str


MUTATIONS: Final = (
    # What is shown
    Mutation(
        "clean lets C0 controls through",
        "domain/text.py",
        "return chr(0x2400 + code)",
        "return character",
        "tests/domain/test_text.py",
    ),
    Mutation(
        "clean lets C1 controls through",
        "domain/text.py",
        'if code <= 0x9F:\n        return "\\ufffd"',
        "if code <= 0x9F:\n        return character",
        "tests/domain/test_text.py",
    ),
    Mutation(
        "clean shows nothing of what is invisible",
        "domain/text.py",
        'return f"‹{code:04X}›" if is_hidden(character) else character',
        "return character",
        "tests/domain/test_text.py",
    ),
    Mutation(
        "a pile of combining marks is kept",
        "domain/text.py",
        "if marks <= MARKS:",
        "if True:",
        "tests/domain/test_text.py",
    ),
    Mutation(
        "the last filter before the terminal lets controls through",
        "tui/filters.py",
        "Segment(_CONTROLS.sub(_picture, segment.text), _unlinked(segment.style))",
        "Segment(segment.text, _unlinked(segment.style))",
        "tests/tui/test_terminal.py",
    ),
    Mutation(
        "the last filter before the terminal lets links through",
        "tui/filters.py",
        "_unlinked(segment.style))\n            for segment",
        "segment.style)\n            for segment",
        "tests/tui/test_terminal.py",
    ),
    Mutation(
        "what is pasted is not cleaned",
        "tui/paste.py",
        '"\\n".join(clean(line, limit=PASTE_LIMIT) for line in lines.split("\\n"))',
        "lines",
        "tests/tui/test_terminal.py",
    ),
    Mutation(
        "a crash log holds what the error said",
        "crashes.py",
        'lines.append(f"  {_kind(link)}")',
        'lines.append(f"  {_kind(link)} {link}")',
        "tests/tui/test_terminal.py tests/test_cli.py",
    ),
    Mutation(
        "personal data is not masked in mail addresses",
        "domain/text.py",
        'return f"{name[:1].strip(\'•\')}•••@{domain}" if at else "•••"',
        "return address",
        "tests/domain/test_text.py",
    ),
    # What is typed
    Mutation(
        "dialogs hear at once",
        "tui/dialogs/guarded.py",
        "return self._hears_at is None or time.monotonic() < self._hears_at",
        "return False",
        "tests/tui/test_deaf.py",
    ),
    Mutation(
        "a held key is heard as soon as the dialog hears",
        "tui/dialogs/guarded.py",
        "self._hears_at = max(self._hears_at or 0, time.monotonic() + pause)",
        "pause",
        "tests/tui/test_dialogs.py",
    ),
    # Who may
    Mutation(
        "the requester may agree to their own request",
        "domain/approvals.py",
        "if agent.id == approval.requester:",
        "if False:",
        "tests/service/test_proving.py tests/domain/test_gate.py",
    ),
    Mutation(
        "two colleagues may agree to each other's requests in return",
        "domain/approvals.py",
        "    if in_return:",
        "    if False:",
        "tests/service/test_proving.py tests/domain/test_gate.py tests/service/test_attacks.py",
    ),
    Mutation(
        "an approval holds for other words than it was given for",
        "domain/approvals.py",
        "if a.requester == agent and a.sha256 == sha256 and a.holds(now)",
        "if a.requester == agent and a.holds(now)",
        "tests/service/test_proving.py tests/service/test_attacks.py tests/domain/test_gate.py",
    ),
    Mutation(
        "a proof counts for another ticket",
        "domain/proofs.py",
        "and (proof.user, proof.agent, proof.ticket) == (case.user.id, agent, ticket)",
        "and (proof.user, proof.agent) == (case.user.id, agent)",
        "tests/service/test_proving.py tests/service/test_attacks.py tests/domain/test_gate.py",
    ),
    Mutation(
        "a proof is not used up",
        "service/proving.py",
        "                if proof.used_at is None:\n",
        "                if False:\n",
        "tests/service/test_proving.py tests/service/test_attacks.py",
    ),
    Mutation(
        "wrong answers are not counted",
        "service/proving.py",
        "await self._view.store.keep(replace(asking, wrong=asking.wrong + 1))",
        "pass",
        "tests/service/test_proving.py tests/service/test_attacks.py",
    ),
    Mutation(
        "a channel that was changed an hour ago proves a caller",
        "domain/proofs.py",
        '        return "it was changed in the last 72 hours"',
        '        return ""',
        "tests/service/test_proving.py tests/domain/test_gate.py tests/service/test_attacks.py",
    ),
    Mutation(
        "one proof is enough to reset everything",
        "domain/proofs.py",
        "wanted = 2 if isinstance(action, ResetAll) else 1",
        "wanted = 1",
        "tests/service/test_proving.py tests/domain/test_gate.py",
    ),
    Mutation(
        "no limit is ever reached",
        "domain/limits.py",
        "if len(at) >= limit.most:",
        "if False:",
        "tests/service/test_proving.py tests/service/test_attacks.py tests/domain/test_gate.py",
    ),
    Mutation(
        "a hold is carried out though it was undone meanwhile",
        "service/holding.py",
        "            if not self._is_due(fresh, now):\n                return None",
        "            if False:\n                return None",
        "tests/service/test_holding.py",
    ),
    # What is kept
    Mutation(
        "a change is written without fsync of the file",
        "stores/atomic.py",
        "                os.fsync(file.fileno())\n",
        "",
        "tests/stores/test_tiny.py",
    ),
    Mutation(
        "a change is written in place",
        "stores/atomic.py",
        "            Path(name).replace(self.path)\n",
        "            self.path.write_bytes(Path(name).read_bytes())\n",
        "tests/stores/test_tiny.py",
    ),
    Mutation(
        "no lock is taken across processes",
        "stores/lock.py",
        "            self._lock.acquire()\n        except Timeout",
        "            pass\n        except Timeout",
        "tests/stores/test_tiny.py tests/service/test_sharing.py",
    ),
    Mutation(
        "an empty file is taken for a new one",
        "stores/form.py",
        '        raise BadFile(name, "", f"is empty; it was not made a new one.{back}")',
        "        return {}",
        "tests/stores/test_tiny.py",
    ),
    Mutation(
        "a key that answered before is carried out again",
        "service/once.py",
        "        return kept.answered\n",
        "        return None\n",
        "tests/service/test_once.py",
    ),
    Mutation(
        "a write that was taken back is carried out",
        "service/once.py",
        "        await self._store.keep(taken)\n",
        "",
        "tests/contract/test_desk.py::test_what_was_taken_back_is_never_carried_out",
    ),
    # The log
    Mutation(
        "a row is bound to no row before it",
        "domain/chain.py",
        "hashlib.sha256(bytes.fromhex(before) + _bytes(row)).hexdigest()",
        "hashlib.sha256(_bytes(row)).hexdigest()",
        "tests/domain/test_chain.py",
    ),
    Mutation(
        "leaves and nodes of the log's tree are hashed alike",
        "domain/chain.py",
        'sha256(b"\\0" + _bytes(row)).digest()',
        "sha256(_bytes(row)).digest()",
        "tests/domain/test_chain.py",
    ),
    Mutation(
        "another log than the one seen raises no alarm",
        "service/witness.py",
        '            watched.alarm = f"{says} {way_back}" if says else ""\n',
        '            watched.alarm = ""\n',
        "tests/service/test_log.py tests/service/test_accepting.py",
    ),
    # Who is who at the gateway
    Mutation(
        "who was withdrawn is answered",
        "gateway/leaving.py",
        "            await self._look_now()\n        self.hold_against(signed)\n",
        "            await self._look_now()\n",
        "tests/gateway/test_leaving.py",
    ),
    Mutation(
        "a token for another service is taken",
        "gateway/tokens.py",
        '        "aud": {"essential": True, "value": audience},\n',
        '        "aud": {"essential": True},\n',
        "tests/gateway/test_tokens.py",
    ),
    Mutation(
        "a token of another issuer is taken",
        "gateway/tokens.py",
        '        "iss": {"essential": True, "value": issuer},\n',
        '        "iss": {"essential": True},\n',
        "tests/gateway/test_tokens.py",
    ),
    Mutation(
        "an expired token is taken",
        "gateway/tokens.py",
        '        raise Unauthorised("This sign-in has expired. Sign in again.") from error\n',
        "        pass\n",
        "tests/gateway/test_tokens.py",
    ),
    Mutation(
        "a token of another kind is taken",
        "gateway/tokens.py",
        "    if header.typ.casefold() not in _KINDS:\n",
        "    if False:\n",
        "tests/gateway/test_tokens.py",
    ),
    Mutation(
        "a token that was ended is taken",
        "gateway/tokens.py",
        "        if self._is_revoked(claims):\n",
        "        if False:\n",
        "tests/gateway/test_tokens.py",
    ),
    Mutation(
        "what cannot be taken back asks for no recent sign-in",
        "gateway/tokens.py",
        "return now - signed.authenticated_at > STEP_UP",
        "return False",
        "tests/gateway/test_tokens.py tests/gateway/test_refused.py tests/gateway/test_server.py",
    ),
    Mutation(
        "nobody at the gateway asks too much",
        "gateway/bounds.py",
        "        wait_s = bucket.wait_s(now)\n",
        "        wait_s = 0.0\n",
        "tests/gateway/test_server.py tests/gateway/test_refused.py",
    ),
    Mutation(
        "a change rests on nothing",
        "service/ground.py",
        "        ground(case)\n",
        "        pass\n",
        "tests/gateway/test_server.py tests/gateway/test_refused.py",
    ),
    Mutation(
        "redirects are followed, with the token",
        "connectors/exchange.py",
        "follow_redirects=False",
        "follow_redirects=True",
        "tests/connectors/test_http.py tests/gateway/test_client.py",
    ),
    Mutation(
        "a secret's file may be read by others",
        "connectors/secrets.py",
        "found.st_mode & 0o077",
        "found.st_mode & 0",
        "tests/connectors/test_secrets.py",
    ),
    # The page
    Mutation(
        "any link leads in",
        "web/door.py",
        "if not self._key or not _is_same(key, self._key):",
        "if not self._key:",
        "tests/test_web.py",
    ),
    Mutation(
        "another page may speak for this one",
        "web/site.py",
        "if origins != [self._origin] and (",
        "if False and (",
        "tests/test_web.py",
    ),
    Mutation(
        "the page answers under any host's name",
        "web/site.py",
        '        if request.headers.getall("Host", []) != [self._host]:\n',
        "        if False:\n",
        "tests/test_web.py",
    ),
)


def spoil(tree: Path, mutation: Mutation) -> None:
    """Take one guard away in a tree.

    Raises:
        ValueError: What is to be spoiled does not stand there exactly once.
    """
    path = tree / "helpdesk" / mutation.file
    text = path.read_text("utf-8")
    found = text.count(mutation.old)
    if found != 1:
        raise ValueError(f"{mutation.name}: {mutation.file} has that place {found} times, not once")
    path.write_text(text.replace(mutation.old, mutation.new), "utf-8")


def noticed(tree: Path, tests: str) -> str:
    """Run tests in a tree; give the first that failed, empty where none did."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header"]
    quiet = {"PYTEST_ADDOPTS": "", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, "-o", "addopts=", "-m", "not slow and not lab", *tests.split()],
            cwd=tree,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            timeout=MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "a test that hangs"
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"pytest, with {done.returncode}"


def tried(mutation: Mutation | None, tests: str) -> str:
    """Run tests in a copy of the tree, spoiled or as it is; give the first that failed."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        tree = Path(place) / "tree"
        shutil.copytree(TREE, tree, ignore=LEFT_OUT)
        if mutation is not None:
            spoil(tree, mutation)
        return noticed(tree, tests)


def row(_seed: int, is_quick: bool) -> Tried:
    """Try all; quickly, only that each guard still stands where it can be taken away."""
    if is_quick:
        with tempfile.TemporaryDirectory() as place:
            for number, one in enumerate(MUTATIONS):
                tree = Path(place) / str(number)
                (tree / "helpdesk" / one.file).parent.mkdir(parents=True)
                shutil.copy(TREE / "helpdesk" / one.file, tree / "helpdesk" / one.file)
                spoil(tree, one)
        return Tried(len(MUTATIONS))
    count, alive = 0, list[str]()
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda one: "" if is_over() else tried(one, one.tests), MUTATIONS)
        for one, by in zip(MUTATIONS, found, strict=True):
            if is_over() and not by:
                continue  # not tried, or broken off
            count += 1
            alive += [] if by else [one.name]
            tell(f"{one.name}: {by or 'NOBODY NOTICES'}")
    return Tried(count, tuple(f"nobody notices: {name}" for name in alive))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutations whose names hold one of the words, or all; print what became of each."""
    given = argparse.ArgumentParser(prog="python -m tests.reliability.mutations")
    given.add_argument("name", nargs="*", help="only those whose name holds one of these words")
    given.add_argument("--jobs", type=int, default=2, help="how many at once")
    asked = given.parse_args(arguments)
    chosen = [one for one in MUTATIONS if not asked.name or any(w in one.name for w in asked.name)]
    whole = sorted({one.tests for one in chosen})
    with ThreadPoolExecutor(asked.jobs) as pool:
        broken = [says for says in pool.map(lambda tests: tried(None, tests), whole) if says]
        if broken:
            _say(f"Nothing was tried: {broken[0]} fails in the tree as it is.")
            return 1
        alive = 0
        for one, by in zip(
            chosen, pool.map(lambda one: tried(one, one.tests), chosen), strict=True
        ):
            alive += not by
            _say(f"killed    {one.name}  ({by})" if by else f"SURVIVED  {one.name}")
    _say(f"{len(chosen)} tried, {alive} survived")
    return 1 if alive else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
