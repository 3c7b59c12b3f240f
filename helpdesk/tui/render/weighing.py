"""A weighed action in words: what goes, what stays, who is told, which rule says so."""

from __future__ import annotations

from textual.content import Content

from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.decisions import Decision
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, mask_mail
from helpdesk.tui.render.values import BAD, LABEL, QUIET, STRONG, WARN, joined, lines, show

LONG = 1_200
"""Characters of a sentence of a card with all its steps."""


def identity(case: Case) -> Content:
    """Return who a dialog is about: id, masked address and account; the name alone proves nothing."""
    login = case.user.login
    masked = login if case.is_masked or "@" not in login else mask_mail(login)
    return joined(
        (show(case.user.id, STRONG), show(masked, STRONG), show(case.account.name, STRONG)), " · "
    )


def steps_of(instead: str) -> tuple[str, tuple[str, ...]]:
    """Return the sentence before the numbered steps, and the steps without their numbers."""
    parts: list[str] = []
    rest = instead
    while True:
        head, number, tail = rest.partition(f"{len(parts) + 1}. ")
        if not number or (head and not head.endswith(" ")):
            break
        parts.append(head.strip())
        rest = tail
    parts.append(rest.strip())
    return parts[0], tuple(parts[1:])


def preview_lines(preview: Preview) -> Content:
    """Return exactly what an act will do, one line a thing, labelled."""
    parts: list[Content] = []
    for label, look, items in (
        ("goes", WARN, preview.goes),
        ("stays", "", preview.stays),
        ("sessions", "", (preview.signed_out,)),
        ("told", "", (preview.told,)),
        ("then", "", (preview.then,)),
    ):
        for index, item in enumerate(item for item in items if item):
            head = label if index == 0 else ""
            parts.append(_labelled(head, show(item, look, limit=600)))
    return lines(parts)


def _labelled(label: str, content: Content) -> Content:
    return Content.assemble((f"{label:<10}", LABEL), content)


def advice(decision: Decision) -> Content:
    """Return what an allowed act should be thought of first, and on whose word it rests."""
    parts = [
        _labelled("first", show(decision.instead, WARN, limit=LONG)) if decision.instead else Content(""),
        _labelled("note", show(decision.why, limit=600)) if decision.why else Content(""),
        cited(decision),
    ]
    return lines(parts)


def cited(decision: Decision) -> Content:
    """Return the rules a decision rests on and the document they stand in."""
    if not decision.rules and not decision.source:
        return Content("")
    rules = ", ".join(decision.rules) if decision.rules else "no rule of the source"
    silent = "" if decision.documented else " (the source is silent; the desk's own rule)"
    return _labelled("rule", show(f"{rules} · {decision.source}{silent}", QUIET))


def refusal(decision: Decision) -> Content:
    """Return a refusal whole: why, what instead, the steps in order, the rules."""
    sentence, steps = steps_of(decision.instead)
    parts = [_labelled("why", show(decision.why, BAD, limit=LONG))]
    if sentence:
        parts.append(_labelled("instead", show(sentence, limit=LONG)))
    for number, step in enumerate(steps, 1):
        parts.append(_labelled("steps" if number == 1 else "", show(f"{number}. {step}", limit=LONG)))
    parts.append(cited(decision))
    return lines(parts)


def refusal_text(case: Case, decision: Decision, card: Product | None) -> str:
    """Return a refusal as plain text, to be copied into a reply."""
    product = card.name if card else case.user.product
    return clean(f"{product}: {decision.why} {decision.instead}".strip(), limit=2_000)
