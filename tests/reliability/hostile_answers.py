"""Hostile text in what answers: a gateway's problems, a terminal's replies; and in what goes on.

problem body ─▶ error ─▶ sentence · a terminal's answer, typed back ─▶ console as it was
serve, web, sync, demo, train ─▶ in a terminal and a process of their own, ended at last
"""

from __future__ import annotations

import contextlib
import io
import os
import pty
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from helpdesk import saying
from helpdesk.cli import main
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.problems import KINDS, SPACE, error_of
from tests.reliability.hostile_words import LONG, unsafe_in
from tests.reliability.spoiled import Spoiler

STATUSES: Final = (400, 401, 403, 404, 409, 412, 422, 429, 500, 503)

ENDS_S: Final = 20.0
"""Seconds after which a command that goes on is ended."""

REPLIES: Final = (
    "\x1b[?62;22c", "\x1b[>1;4402;0c", "\x1b[?1;2c", "\x1b[24;80R", "\x1b[0n", "\x1b[?2026;2$y",
    "\x1b]10;rgb:ffff/ffff/ffff\x1b\\", "\x1b]11;rgb:0000/0000/0000\x1b\\",
    "\x1b]11;rgb:0000/0000/0000\x07", "\x1b]12;rgb:00/00/00\x07", "\x1b]52;c;cg==\x07",
    "\x1b]4;1;rgb:ff/00/00\x1b\\", "\x1bP>|tmux 3.3a\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b[8;34;130t",
    "\x1b[3;0;0t", "\x1b]lowned\x1b\\", "\x1b]Lowned\x1b\\", "\x1b[?997;1n", "\x1b[I", "\x1b[O",
    "\x1b_Gi=31;OK\x1b\\", "\x1b[?1u", "\x1bP!|00000000\x1b\\",
)  # fmt: skip
"""What a terminal types back when it is asked; nobody asked here."""


def problems(texts: Sequence[tuple[str, str]], *, is_quick: bool) -> Iterator[tuple[str, str]]:
    """Answer with each text in every field of a problem, of every kind and status."""
    for turn, (kind, text) in enumerate(texts):
        for number, body in enumerate(_bodies(text[:LONG], turn)):
            statuses = STATUSES[(turn + number) % len(STATUSES) :][:1] if is_quick else STATUSES
            for status in statuses:
                yield f"{status}, problem {number}, {kind} {text[:40]!r}", _said(status, body)


def _bodies(text: str, turn: int) -> Iterator[bytes]:
    plain = text.encode("utf-8", "replace").decode()
    decision = msgspec.to_builtins(Spoiler(plain, turn).of(Decision))
    for name in ("", plain, *(SPACE + slug for slug in KINDS)):
        whole: dict[str, Any] = {"type": name, "title": plain, "status": 400, "detail": plain}
        yield msgspec.json.encode(whole)
        yield msgspec.json.encode(whole | {"decision": decision})
    raw = text.encode("utf-8", "surrogatepass")
    yield raw
    yield b'{"type": "' + raw + b'", "detail": "' + raw + b'"}'
    yield msgspec.json.encode({plain: plain})


def _said(status: int, body: bytes) -> str:
    """Return what is wrong with what an agent reads of an answer."""
    try:
        error = error_of(status, body)
    except Exception as fault:  # noqa: BLE001  (whatever it is: it is told)
        return f"broke with {fault!r:.200}"
    if not isinstance(error, HelpdeskError):
        return f"is {error!r:.100}"
    for is_json in (False, True):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            saying.fail(error, is_json=is_json)
        if found := unsafe_in(out.getvalue() + err.getvalue()):
            return f"says {found}"
    return ""


# Commands that go on


def going_on(place: Path, texts: Sequence[tuple[str, str]], step: int) -> Iterator[tuple[str, str]]:
    """Put each text into every argument of what opens a port or a window, by turns of so many."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = list(_templates(port, place))
        for turn, (kind, text) in enumerate(texts):
            short = text[:LONG].replace("\0", "")
            for words in found[turn % step :: step]:
                given = [word.replace("{}", short) for word in words]
                name = f"{' '.join(words[:3])}, {kind} {text[:40]!r}"
                yield name, _in_terminal(given)


def _templates(port: str, place: Path) -> Iterator[list[str]]:
    """Words of commands; none of them could go on: its port is taken or none, or the call is."""
    for one in (
        "--host={}", "--store={}", "--desk={}", "--import={}", "--port={}x", "--read-from={}",
        "--read-lag={}",
    ):  # fmt: skip
        store = [] if one.startswith("--store") else [f"--store=sqlite:///{place / 'x.db'}"]
        yield ["serve", one, "--dev", *store, *([] if "--port" in one else ["--port", port])]
    for one in ("--host={}", "--url={}", "--desk={}", "--as={}", "--port={}x", "--scenario={}",
                "--theme={}", "--seats={}", "--idle={}"):  # fmt: skip
        yield ["web", one, *([] if "--port" in one else ["--port", port])]
    yield ["web", "--training", "--scenario={}", "--port", port]
    yield ["sync", "--desk={}"]
    yield ["sync", "--as={}"]
    yield ["demo", "--", "x{}"]
    yield ["train", "play", "--", "x{}"]
    yield ["train", "--trainee={}", "play", "x"]
    yield ["train", "new", "--", "x{}"]
    yield ["train", "export", "x{}", "--strip={}"]
    yield ["train", "export", "the-second-mail", "--size={}", "--strip", "x.svg"]
    yield ["withdraw", "{}"]
    yield ["withdraw", "x", "--store={}"]
    yield ["fixture", "make", "--users={}", "--out", "x"]


def _in_terminal(arguments: Sequence[str]) -> str:
    """Run a command in a process and a terminal of its own; give what is wrong with its end."""
    process, terminal = pty.fork()
    if process == 0:
        os._exit(_run(arguments))
    said, ends, is_over = b"", time.monotonic() + ENDS_S, False
    while not is_over and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                more = os.read(terminal, 65_536)
            except OSError:  # its end has closed the terminal
                more = b""
            said, is_over = said + more, not more
    if not is_over:
        os.kill(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    text = said.decode("utf-8", "replace")
    if not is_over:
        return f"goes on after {ENDS_S:.0f} s: {text[-200:]!r}"
    if code not in {0, 2, 3, 4, 5, 6, 7, 8} or "Traceback" in text:
        return f"exit {code}: {text[-200:]!r}"
    return (
        f"says {unsafe_in(text, allowed=_TERMINAL)}" if unsafe_in(text, allowed=_TERMINAL) else ""
    )


def _run(arguments: Sequence[str]) -> int:
    """Run a command on the terminal of this process; give its exit code."""
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  (of the process that was forked)
    sys.stdout, sys.stderr = (open(n, "w", closefd=False) for n in (1, 2))  # noqa: SIM115
    try:
        return main(list(arguments))
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 1
    except BaseException as error:  # noqa: BLE001  (whatever gets out of `main` is a fault)
        os.write(1, f"Traceback {error!r:.200}".encode("utf-8", "replace"))
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


_TERMINAL: Final = "\r\n"


# What a terminal answers


def replies(ask: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Type a terminal's answers into a console in tmux; give each, and what it changed.

    *ask* tells tmux something, and gives what it says.
    """
    ask("send-keys", "Home")
    time.sleep(0.5)
    for reply in (*REPLIES, "".join(REPLIES)):
        wrong = _typed(ask, reply)  # a code that ran out meanwhile changes the screen once
        if wrong:
            ask("send-keys", "Escape")
            time.sleep(1.0)
            wrong = _typed(ask, reply)
        yield f"a terminal's answer {reply[:30]!r}", wrong


def _typed(ask: Callable[..., str], reply: str) -> str:
    """Type an answer; give what it changed on the screen."""
    before = _looks(ask)
    ask("send-keys", "-H", *(f"{byte:02x}" for byte in reply.encode()))
    time.sleep(0.5)
    ends, after = time.monotonic() + 3.0, ""
    while time.monotonic() < ends and (after := _looks(ask)) != before:
        time.sleep(0.2)
    return "" if after == before else _told(before, after)


def _looks(ask: Callable[..., str]) -> str:
    """The screen without digits: clocks go on."""
    return "".join(c for c in ask("capture-pane", "-p") if not c.isdigit())


def _told(before: str, after: str) -> str:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((f"{a!r} became {b!r}" for a, b in lines if a != b), "another screen")
