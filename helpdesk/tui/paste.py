"""What the keyboard sends, read so that pasted text stays text.

Textual's own reader gives up a bracketed paste at the first ESC in it and types the rest as keys.
Here a paste is one state, left only by its end marker or by silence:

    keys ──ESC[200~──▶ paste ──ESC[201~──▶ keys
                         └──nothing for `IDLE_S`──▶ keys

What a terminal answers when it is asked stands among the keys. Textual types what it does not know
of it, key by key: `ESC[?62;22c` opened the help and went to the first place. That is left out.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import (
    BRACKETED_PASTE_END,
    BRACKETED_PASTE_START,
    XTermParser,
)
from textual.message import Message

from helpdesk.domain.text import clean
from helpdesk.tui.filters import unmarked

if sys.platform != "win32":  # the driver needs termios, which Windows lacks
    from textual.drivers import linux_driver

PASTE_LIMIT: Final = 100_000
"""Characters of one paste that are kept; the rest is dropped, never typed."""

IDLE_S: Final = 2.0
"""Seconds of silence after which a paste without an end is over, so that keys work again."""

MARKER_S: Final = 1.0
"""Seconds a marker that has begun may take to arrive; no key sends the same beginning alone."""


_CONTROL: Final = re.compile(r"\x1b\[(?P<mark>[<-?]?)(?P<given>[0-9;:]*)(?P<end>[ -/]*[@-~])")
"""What begins so and has ended: a key, a click, or an answer."""

_STRING: Final = re.compile(
    r"(?:\x1b\][0-9lL]|\x1bP[0-9!>|$+=]|\x1b_G)[^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b[^\\]))"
)
"""An answer of many letters: a colour, the clipboard, a title, a version. No key begins so."""

_BEGUN: Final = re.compile(
    r"(?P<string>\x1b\][0-9lL]|\x1bP[0-9!>|$+=]|\x1b_G)[^\x07\x1b]*(?P<esc>\x1b?)\Z"
    r"|\x1b\[(?P<mark>[<-?]?)[0-9;:]*[ -/]*\Z|\x1b[\]P_]?\Z"
)
"""What has begun and not ended at the end of what came."""

_KEYS: Final = frozenset("ABCDEFHPQRS~uZIOMm[")
"""How keys, clicks and a cursor's place end."""


def _is_answer(found: re.Match[str]) -> bool:
    """Whether a sequence is neither a key nor a click nor an answer that Textual waits for."""
    whole, mark, end = found[0], found["mark"], found["end"]
    if whole in ANSI_SEQUENCES_KEYS:
        return False
    if mark == "?":
        return end != "$y"
    if mark == "<":
        return end not in {"M", "m"}
    return bool(mark) or not (end in _KEYS or (end == "t" and found["given"].startswith("48;")))


def _is_cut_off(begun: re.Match[str]) -> bool:
    """Whether what has begun can only be an answer, so that it is no key if it never ends."""
    return bool(begun["string"] or begun["mark"])


def pasted(text: str) -> str:
    r"""Return pasted *text* as it may be put into a field.

    Line breaks become `\n`, tabs spaces; every line is cleaned, and all of it bounded by
    `PASTE_LIMIT`.
    """
    lines = (
        unmarked(text[:PASTE_LIMIT]).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    )
    return "\n".join(clean(line, limit=PASTE_LIMIT) for line in lines.split("\n"))


class SafeParser(XTermParser):
    """Reads keys as Textual does, and pastes as text only.

    It sees the paste markers first; Textual's reader never does.
    """

    def __init__(self, debug: bool = False) -> None:
        self._held = ""
        self._paste: list[str] | None = None
        self._kept = 0
        self._since = self.clock()
        super().__init__(debug)

    def clock(self) -> float:
        """Give the time in seconds, only ever growing."""
        return time.monotonic()

    @property
    def is_waiting(self) -> bool:
        """Whether silence decides something soon, so that `tick` must be called."""
        return self._paste is not None or bool(self._held) or self._timeout_time is not None

    def feed(self, data: str) -> Iterable[Message]:
        """Give the keys, clicks and pastes that *data* completes; `""` is the end of input."""
        if not data:
            yield from self._end_of_paste()
            yield from super().feed("")
            return
        self._since = self.clock()
        text, self._held = self._held + data, ""
        while text:
            if self._paste is None:
                before, marker, text = text.partition(BRACKETED_PASTE_START)
                if marker:
                    self._paste, self._kept = [], 0
                else:
                    before, self._held = _split(before, BRACKETED_PASTE_START)
                before = self._without_answers(before, is_whole=bool(marker))
                if before:
                    yield from super().feed(before)
            else:
                inside, marker, text = text.partition(BRACKETED_PASTE_END)
                if not marker:
                    inside, self._held = _split(inside, BRACKETED_PASTE_END)
                self._keep(inside)
                if marker:
                    yield from self._end_of_paste()

    def tick(self) -> Iterable[Message]:
        """Give what silence decides: a lone Escape, a paste that never ended."""
        silent = self.clock() - self._since
        if self._paste is not None:
            if silent >= IDLE_S:
                yield from self._end_of_paste()
        elif self._held:
            patience = constants.ESCAPE_DELAY if len(self._held) < 3 else MARKER_S
            if silent >= patience:
                held, self._held = self._held, ""
                begun = _BEGUN.fullmatch(held)
                if begun is None or not _is_cut_off(begun):
                    yield from super().feed(held)
                if self._timeout_time is not None:
                    self._timeout_time = 0.0
        yield from super().tick()

    def _without_answers(self, text: str, *, is_whole: bool) -> str:
        """Leave out what a terminal answers; hold what may become that, unless it is all there."""
        text = _STRING.sub("", text + ("" if is_whole else self._held))
        text = _CONTROL.sub(lambda found: "" if _is_answer(found) else found[0], text)
        begun = _BEGUN.search(text)
        if is_whole:
            return text[: begun.start()] if begun and _is_cut_off(begun) else text
        self._held = text[begun.start() :] if begun else ""
        if begun and begun["string"]:  # whose letters nobody needs
            self._held = begun["string"] + begun["esc"]
        return text[: begun.start()] if begun else text

    def _keep(self, inside: str) -> None:
        if self._paste is not None and self._kept < PASTE_LIMIT:
            self._paste.append(inside[: PASTE_LIMIT - self._kept])
            self._kept += len(inside)

    def _end_of_paste(self) -> Iterator[Message]:
        if self._paste is None:
            return
        text, self._paste = "".join(self._paste), None
        self._held = ""
        yield events.Paste(pasted(text))


def _split(text: str, marker: str) -> tuple[str, str]:
    """Part *text* from an ending that may be the beginning of *marker*."""
    for size in range(min(len(marker) - 1, len(text)), 0, -1):
        if text.endswith(marker[:size]):
            return text[:-size], text[-size:]
    return text, ""


def forgiving_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """Return a maker of decoders that turn bytes that are no text into U+FFFD."""
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


def guard_input() -> None:
    """Make Textual's drivers, of terminal and page, read with `SafeParser` and forgivingly."""
    safe = {"XTermParser": SafeParser, "getincrementaldecoder": forgiving_decoder}
    if sys.platform != "win32":
        vars(linux_driver).update(safe)  # where the driver looks both up when it starts to read
    if os.environ.get("TEXTUAL_DRIVER"):
        from textual.drivers import web_driver  # noqa: PLC0415  (only behind a page)

        vars(web_driver).update(safe)
