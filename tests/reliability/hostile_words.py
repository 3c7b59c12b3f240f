"""Everything the command line and the pages say, of values with hostile text in every field.

value of each type ─▶ every function that makes words of it ─▶ text, JSON, HTML, CSV ─▶ looked at
"""

from __future__ import annotations

import csv
import html.parser
import inspect
import io
import json
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from helpdesk import answers
from helpdesk.domain import bundle_text, exports, originals
from helpdesk.domain.cases import Case, case_data, explicit
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, folded, mask
from helpdesk.domain.training import debriefing
from helpdesk.domain.training.debriefing import Result, Standing
from helpdesk.plain import case, lists, log, proving
from helpdesk.web import pages
from tests.reliability.corpus import HUGE
from tests.reliability.hostile_screens import READABLE, squeezed
from tests.reliability.spoiled import CARDS, Spoiler, all_errors

LONG: Final = 20_000
"""Characters of a text where it stands in hundreds of fields that are written in full."""

MAY_STAY: Final = frozenset("\u200c\u200d") | {chr(n) for n in range(0xFE00, 0xFE10)} | {
    chr(n) for n in (0x180B, 0x180C, 0x180D, 0x180F, *range(0xE0100, 0xE01F0))
}  # fmt: skip
"""Invisible characters that a script or an emoji may need."""

PAGES: Final[Mapping[str, Callable[[Spoiler], str]]] = {
    "joining": lambda s: pages.joining(s.text),
    "calls": lambda s: pages.calls(s.text, [s.of(pages.Call)], {s.text: s.of(Result)}),
    "playing": lambda s: pages.playing(s.text),
    "overview": lambda s: pages.overview(s.text, s.text, [s.of(Standing)], [s.of(Result)]),
}
"""The pages of a class."""


def unsafe_in(text: str, *, allowed: str = "\n") -> list[str]:
    """Give the characters of a text that command a terminal or that nobody sees."""
    return sorted(
        {c for c in text if not c.isprintable() and c not in allowed and c not in MAY_STAY}
    )


def _writers() -> Iterator[tuple[str, Callable[[Spoiler], str]]]:
    """Give everything in `plain` and beside it that makes words of values, by name."""
    makers: list[Callable[..., Any]] = [
        *(
            maker
            for subject in (case, lists, log, proving)
            for name, maker in vars(subject).items()
            if name.endswith("_text") and inspect.isfunction(maker)
        ),
        bundle_text.bundle_text,
        originals.original_lines,
        debriefing.standings_text,
    ]
    for maker in makers:
        hints = typing.get_type_hints(maker)
        result = hints.pop("return")
        wanted = {name: form for name, form in hints.items() if form is not dict[str, Product]}
        cards = next((n for n, form in hints.items() if form == dict[str, Product]), "")
        yield maker.__name__, _calling(maker, wanted, cards, is_list=result is not str)


def _calling(
    maker: Callable[..., Any], wanted: Mapping[str, Any], cards: str, *, is_list: bool
) -> Callable[[Spoiler], str]:
    def call(spoiler: Spoiler) -> str:
        given = {name: spoiler.of(form) for name, form in wanted.items() if name != cards}
        said = maker(**given, **({cards: dict(CARDS)} if cards else {}))
        return "\n".join(said) if is_list else str(said)

    return call


WRITERS: Final = dict(_writers())


def words(text: str, turn: int, *, is_wicked: bool = False) -> tuple[int, list[str]]:
    """Say one text in every way; give how many ways there were, and what was wrong."""
    spoiler = Spoiler(text, turn, is_wicked=is_wicked)
    brief = Spoiler(text[:LONG], turn, is_wicked=is_wicked)
    tried, failures = 0, []
    for name, wrong in (
        *_core(text),
        *_text(spoiler),
        *_json(brief),
        *_pages(spoiler),
        *_csv(brief),
    ):
        tried += 1
        if wrong:
            failures.append(f"{name}, {text[:40]!r}: {wrong}")
    return tried, failures


def _tried(call: Callable[[], str]) -> str:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (the row says it and goes on)
        return f"{error!r:.200}"


def _core(text: str) -> Iterator[tuple[str, str]]:
    """The one way in: safe, bounded, and nothing more to do the second time."""
    shown = clean(text)
    yield "clean", f"leaves {unsafe_in(shown, allowed='')}" if unsafe_in(shown, allowed="") else ""
    yield "clean twice", "" if clean(shown) == shown else "is not what it was"
    yield "clean within", _tried(lambda: str(unsafe_in(clean(f"a{text[:50]}b"), allowed="") or ""))
    yield "mask and fold", _tried(lambda: (mask(text), folded(text[:LONG]), "")[-1])
    for kind in all_errors():
        says = clean(str(Spoiler(text).error(kind)))
        yield kind.__name__, str(unsafe_in(says, allowed="") or "")


def _text(spoiler: Spoiler) -> Iterator[tuple[str, str]]:
    wanted = squeezed(clean(spoiler.text, limit=60))[:READABLE]

    def judged(make: Callable[[Spoiler], str]) -> str:
        said = make(spoiler)
        if found := unsafe_in(said):
            return f"says {found}"
        if make is WRITERS["proof_text"]:
            return ""  # says the way of proving, in our own words
        return "" if wanted in squeezed(said.replace("\\", "")) or "\\" in wanted else "is not said"

    for name, make in WRITERS.items():
        yield name, _tried(lambda make=make: judged(make))  # type: ignore[misc]


def _json(spoiler: Spoiler) -> Iterator[tuple[str, str]]:
    def judged(form: Any) -> str:
        value = case_data(spoiler.of(form)) if form is Case else spoiler.of(form)
        said = answers.as_json(value)
        if found := sorted({c for c in said if not c.isprintable() and c != "\n"}):
            return f"says {found[:9]}"
        return "" if json.loads(said) == explicit(value) else "is another value"

    for name, form in {**answers.SCHEMAS, "case-user": Case}.items():
        yield f"{name} --json", _tried(lambda form=form: judged(form))  # type: ignore[misc]


class _Tags(html.parser.HTMLParser):
    """Keeps which tags and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Give each tag of a page with the names of its attributes."""
    reader = _Tags()
    reader.feed(page)
    reader.close()
    return reader.found


def _pages(spoiler: Spoiler) -> Iterator[tuple[str, str]]:
    def judged(make: Callable[[Spoiler], str]) -> str:
        page = make(spoiler)
        if Counter(tags(page)) - Counter(tags(make(Spoiler("plain", spoiler.turn)))):
            return "has tags of its own"
        return str(unsafe_in(page) or "")

    for name, make in PAGES.items():
        yield f"the page {name}", _tried(lambda make=make: judged(make))  # type: ignore[misc]


def _csv(spoiler: Spoiler) -> Iterator[tuple[str, str]]:
    def judged(text: str, cells: int) -> str:
        rows = list(csv.reader(io.StringIO(text)))
        if [len(row) for row in rows] != [len(rows[0])] * cells:
            return f"is {len(rows)} rows"
        live = [cell for row in rows[1:] for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")]
        return (
            f"a formula: {live[:1]!r:.60}" if live else str(unsafe_in(text, allowed="\r\n") or "")
        )

    csv.field_size_limit(HUGE * 10)
    yield (
        "the log as CSV",
        _tried(lambda: judged(exports.as_csv([spoiler.of(exports.ExportRow)]), 2)),
    )
    yield "a class as CSV", _tried(lambda: judged(debriefing.class_csv([spoiler.of(Result)]), 2))
    yield (
        "the log as JSON",
        _tried(
            lambda: str(
                sorted(
                    {c for c in exports.as_jsonl([spoiler.of(exports.ExportRow)]) if c < " "}
                    - {"\n"}
                )
                or ""
            )
        ),
    )


def all_words(texts: Sequence[tuple[str, str]]) -> tuple[int, list[str]]:
    """Say all texts in every way; every second one as no honest desk would."""
    tried = 0
    failures: list[str] = []
    for turn, (_, text) in enumerate(texts):
        count, found = words(text, turn, is_wicked=bool(turn % 2))
        tried, failures = tried + count, failures + found
    return tried, failures
