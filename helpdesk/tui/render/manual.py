"""Pages to read: the product's card with its sources, and the help of a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.content import Content

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.products import Fact, Product
from helpdesk.domain.text import clean
from helpdesk.tui.render.values import QUIET, SHORT, STRONG, Entry, entry, m_ss, show, silent

WIDE = 600


def card_page(card: Product) -> list[Entry]:
    """Return a product's card: facts, who may do what, routes, advice, every rule."""
    return [
        *_source(card),
        *_heading("Codes"),
        *_codes(card),
        *_heading("When a code is asked"),
        *(_entry(rule.mode or "", rule.when, rule.rules) for rule in card.asked),
        *_heading("Factors"),
        *(_entry("", factor.name, factor.rules) for factor in card.factors),
        *_heading("Who may"),
        *_acts(card),
        *_heading("Who can help"),
        *_routes(card),
        *_heading("Advice of the source, in its order"),
        *_advice(card),
        *_heading("Pages to send to the customer"),
        *_articles(card),
        *_heading(f"All rules of {clean(card.source.file, limit=SHORT)}"),
        *(entry(rule.id, show(rule.says, limit=WIDE), width=8) for rule in card.rules),
    ]


def _heading(text: str) -> tuple[Entry, Entry]:
    nothing = Content("")
    return Entry(nothing, nothing), Entry(Content.assemble((text, f"underline {STRONG}")), nothing)


HEAD = 24
"""Cells of an entry's head."""


def _entry(label: str, text: str, rules: tuple[str, ...] = (), look: str = "") -> Entry:
    where = f"  {', '.join(rules)}" if rules else ""
    body = Content.assemble(show(text, look, limit=WIDE), (clean(where, limit=SHORT), QUIET))
    return entry(label, body, width=HEAD)


def _source(card: Product) -> Iterator[Entry]:
    yield _entry("product", f"{card.name} · {card.vendor}", look=STRONG)
    yield _entry("source", f"{card.source.title} ({card.source.file})")
    yield _entry("kind", card.source.kind)
    yield _entry("dated", card.source.dated or "no date in the document")
    yield _entry("checked on", card.source.checked_on)
    yield _fact("second proof", card.mandatory)
    yield _fact("introduced", card.introduced)
    if card.synonyms:
        yield _entry("also called", ", ".join(card.synonyms))


def _fact(label: str, fact: Fact[Any], text: str = "") -> Entry:
    rules = f"  {', '.join(fact.rules)}" if fact.rules else ""
    note = f"  {clean(fact.note, limit=WIDE)}" if fact.note else ""
    value = show(text or str(fact), limit=WIDE) if fact.is_documented else silent()
    return entry(
        label, Content.assemble(value, (f"{note}{clean(rules, limit=SHORT)}", QUIET)), width=HEAD
    )


def _codes(card: Product) -> Iterator[Entry]:
    codes = card.codes
    yield _fact("called", codes.name)
    yield _fact("made of", codes.alphabet)
    yield _fact("lives", codes.life_s, m_ss(codes.life_s.value or 0))
    yield _fact("wait before another", codes.resend_wait_s, m_ss(codes.resend_wait_s.value or 0))
    yield _fact("new voids old", codes.newest_only, _yes(codes.newest_only.value))
    yield _fact("attempts", codes.attempts)
    yield _fact("locked for", codes.lock_s, m_ss(codes.lock_s.value or 0))
    yield _fact("goes to", codes.goes_to)
    yield _fact("mailbox is shared", codes.shared, _yes(codes.shared.value))
    yield _fact("remembered by", card.memory.by)
    yield _fact("remembered for", card.memory.unit)
    yield _fact("remembered how long", card.memory.lasts)


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"


def _acts(card: Product) -> Iterator[Entry]:
    for name, kind in ACTIONS.items():
        act = card.acts.get(name)
        if act is None:
            continue
        who = ", ".join(role.words for role in act.who) or "nobody at any desk"
        silence = "" if act.documented else " (not documented; the desk's own rule)"
        yield _entry(kind.title, f"{who}{silence}", act.rules)
        yield _entry("", act.why, look=QUIET)


def _routes(card: Product) -> Iterator[Entry]:
    for route in card.routes:
        yield _entry(route.to, route.how, route.rules)
        for number, step in enumerate(route.steps, 1):
            yield _entry("", f"{number}. {step}")


def _advice(card: Product) -> Iterator[Entry]:
    for advice in card.advice:
        for number, step in enumerate(advice.steps, 1):
            label = advice.complaint.words if number == 1 else ""
            yield _entry(label, f"{number}. {step}", advice.rules if number == 1 else ())


def _articles(card: Product) -> Iterator[Entry]:
    for article in card.articles:
        yield _entry(article.title, f"{article.about} {article.url}".strip(), article.rules)


def help_page(groups: dict[str, list[tuple[str, str]]]) -> list[Entry]:
    """Return pages of keys: a heading a group, a line a key."""
    found: list[Entry] = []
    for title, entries in groups.items():
        found.extend(_heading(title) if found else _heading(title)[1:])
        found.extend(entry(shown, Content(says), width=16) for shown, says in entries)
    return found
