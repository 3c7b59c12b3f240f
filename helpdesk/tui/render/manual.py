"""Pages to read: the product's card with its sources, and the help of a place."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.products import Fact, Product
from helpdesk.domain.text import clean
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, lines, m_ss, show, silent

WIDE = 600


def card_page(card: Product) -> Content:
    """Return a product's card: facts, who may do what, routes, advice, and every rule with source."""
    return lines(
        (
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
            *_heading(f"All rules of {clean(card.source.file)}"),
            *(
                Content.assemble((f"{clean(rule.id):<8}", LABEL), show(rule.says, limit=WIDE))
                for rule in card.rules
            ),
        )
    )


def _heading(text: str) -> tuple[Content, Content]:
    return Content(" "), Content.assemble((text, f"underline {STRONG}"))


def _entry(label: str, text: str, rules: tuple[str, ...] = ()) -> Content:
    where = f"  {', '.join(rules)}" if rules else ""
    head = f"{clean(label):<22} " if label else ""
    return Content.assemble((head, LABEL), show(text, limit=WIDE), (clean(where), QUIET))


def _source(card: Product) -> Iterator[Content]:
    yield Content.assemble(show(card.name, STRONG), (f" · {clean(card.vendor)}", QUIET))
    yield _entry("source", f"{card.source.title} ({card.source.file})")
    yield _entry("kind", card.source.kind)
    yield _entry("dated", card.source.dated or "no date in the document")
    yield _entry("checked on", card.source.checked_on)
    yield _fact("second proof", card.mandatory)
    yield _fact("introduced", card.introduced)
    if card.synonyms:
        yield _entry("also called", ", ".join(card.synonyms))


def _fact(label: str, fact: Fact[object] | Fact[str], text: str = "") -> Content:
    rules = f"  {', '.join(fact.rules)}" if fact.rules else ""
    note = f"  {clean(fact.note, limit=WIDE)}" if fact.note else ""
    value = show(text or str(fact), limit=WIDE) if fact.is_documented else silent()
    return Content.assemble((f"{label:<22} ", LABEL), value, (f"{note}{clean(rules)}", QUIET))


def _codes(card: Product) -> Iterator[Content]:
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


def _acts(card: Product) -> Iterator[Content]:
    for name, kind in ACTIONS.items():
        act = card.acts.get(name)
        if act is None:
            continue
        who = ", ".join(role.words for role in act.who) or "nobody at any desk"
        silence = "" if act.documented else " (not documented; the desk's own rule)"
        yield _entry(kind.title, f"{who}{silence}", act.rules)
        yield Content.assemble(" " * 23, show(act.why, QUIET, limit=WIDE))


def _routes(card: Product) -> Iterator[Content]:
    for route in card.routes:
        yield _entry(route.to, route.how, route.rules)
        for number, step in enumerate(route.steps, 1):
            yield Content.assemble(" " * 23, show(f"{number}. {step}", limit=WIDE))


def _advice(card: Product) -> Iterator[Content]:
    for advice in card.advice:
        for number, step in enumerate(advice.steps, 1):
            label = advice.complaint.words if number == 1 else ""
            head = Content.assemble((f"{label:<22} ", LABEL))
            rules = f"  {', '.join(advice.rules)}" if number == 1 and advice.rules else ""
            yield Content.assemble(head, show(f"{number}. {step}", limit=WIDE), (clean(rules), QUIET))


def _articles(card: Product) -> Iterator[Content]:
    for article in card.articles:
        yield _entry(article.title, f"{article.about} {article.url}".strip(), article.rules)


def help_page(groups: dict[str, list[tuple[str, str]]]) -> Content:
    """Return pages of keys: a heading a group, a line a key."""
    parts: list[Content] = []
    for title, entries in groups.items():
        parts.extend(_heading(title) if parts else _heading(title)[1:])
        parts.extend(Content.assemble((f"{shown:<12} ", LABEL), says) for shown, says in entries)
    return lines(parts)
