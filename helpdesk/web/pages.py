"""The pages of a class besides the console: a name, the calls, and the trainer's table.

Whatever came from outside, a name above all, is cleaned and escaped before it stands here.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from helpdesk.domain.text import clean
from helpdesk.domain.training.debriefing import Result, Standing
from helpdesk.domain.training.scenario import Part
from helpdesk.domain.training.scoring import OF
from helpdesk.domain.training.spans import clock_words

_HERE = Path(__file__).parent

FILES: Final = {"class.js": _HERE / "class.js"}
"""The file of these pages, beside those of the console."""

LOOK_S: Final = 3
"""Seconds after which the trainer's page looks again."""


class Call(Struct, frozen=True, kw_only=True):
    """A call there is to play.

    Attributes:
        name: In the list, and in the page's address.
        path: Of its file, where it is none of the list; else empty.
        level: How hard it is, in a word.
    """

    name: str
    title: str
    level: str
    product: str
    path: str = ""


def joining(wrong: str) -> str:
    """Return the page that asks for a name, with what was wrong with the last one."""
    said = f"<p class=wrong role=alert>{_safe(wrong)}</p>" if wrong else ""
    return _page(
        "Join the class",
        "<p>You answer calls on invented data. Nothing real can be reached from here.</p>"
        f"{said}<form method=post><label for=name>Your name</label>"
        "<input id=name name=name maxlength=40 autocomplete=off autofocus required>"
        "<button>Join</button></form>",
    )


def calls(name: str, of: Sequence[Call], best: Mapping[str, Result]) -> str:
    """Return the page of a trainee: what there is to play, with their best marks."""
    rows = "".join(_call(call, best.get(call.name)) for call in of)
    return _page(
        f"Hello {name}",
        "<p>Choose a call. <b>F6</b> hangs up and shows the marks, <b>?</b> the keys.</p>"
        "<table><tr><th>Call</th><th>How hard</th><th>Product</th><th>Your best</th><th></th></tr>"
        f"{rows}</table>",
    )


def _call(call: Call, best: Result | None) -> str:
    done = f"{best.total} of 100" if best else "–"
    cells = (_safe(call.title), _safe(call.level), _safe(call.product), done)
    to = f'<a class=go href="call-{_safe(call.name)}">{"Once more" if best else "Play"}</a>'
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}<td>{to}</td></tr>"


def playing(socket: str) -> str:
    """Return the page of one play."""
    return (_HERE / "call.html").read_text("utf-8").replace("{socket}", _safe(socket))


def overview(name: str, link: str, now: Sequence[Standing], marks: Sequence[Result]) -> str:
    """Return the trainer's page: who plays what now, and everybody's marks."""
    heads = ("Trainee", "Call", "Last entry", "Calls ended", "The last of them")
    on = [
        (
            _safe(one.trainee),
            _safe(one.title) or "–",
            clock_words(one.seconds) if one.scenario else "",
            str(one.calls),
            f"{_safe(one.last)}: {one.total} of 100" if one.total is not None else "–",
        )
        for one in now
    ]
    parts = [f"{part.value} /{OF[part]}" for part in Part]
    rows = [
        (
            *(_safe(row.trainee), _safe(row.title), str(row.plays), f"<b>{row.total}</b>"),
            f"{_safe(row.named)} ({_safe(row.cause)})",
            *(str(getattr(row, part.value)) for part in Part),
        )
        for row in marks
    ]
    return _page(
        f"Class {name}",
        f"<p>Everybody joins by <code>{_safe(link)}</code></p>"
        f"<h2>Now</h2>{_table(heads, on, 'Nobody has joined yet.')}<h2>Best marks</h2>"
        f"{_table(('Trainee', 'Call', 'Plays', 'Marks', 'Named (was)', *parts), rows, 'None yet.')}"
        '<p><a href="class.csv">As CSV</a> · <a href="class.json">as JSON</a></p>',
        every_s=LOOK_S,
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], without: str) -> str:
    if not rows:
        return f"<p>{without}</p>"
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _page(title: str, body: str, *, every_s: int = 0) -> str:
    again = f'<meta http-equiv="refresh" content="{every_s}">' if every_s else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{again}'
        f'<title>{_safe(title)}</title><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{(_HERE / 'class.css').read_text('utf-8')}</style></head><body>"
        f"<header>TRAINING</header><main><h1>{_safe(title)}</h1>{body}</main></body></html>\n"
    )


def _safe(text: str) -> str:
    return html.escape(clean(text, limit=400))
