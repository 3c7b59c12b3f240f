"""A weighed action in words: what goes, what stays, who is told, which rule says so."""

from __future__ import annotations

from textual.content import Content

from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.decisions import Decision
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean, mask_mail
from helpdesk.tui.render.case import doubles
from helpdesk.tui.render.values import BAD, QUIET, STRONG, WARN, Entry, entry, joined, show

LONG = 1_200
"""Characters of a sentence of a card with all its steps."""


def identity(case: Case) -> Content:
    """Return who a dialog is about: id, masked address, account; the name proves nothing."""
    login = case.user.login
    masked = login if case.is_masked or "@" not in login else mask_mail(login)
    parts = (case.user.id, masked, case.account.name)
    return Content.assemble(
        joined((show(part, STRONG) for part in parts), " · "),
        "   ",
        show(case.user.name, QUIET),
        *((("\n", WARN), (doubles(case), WARN)) if case.doubles else ()),
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


def preview_entries(preview: Preview) -> list[Entry]:
    """Return exactly what an act will do, an entry a thing; before it, why it is of no use."""
    found: list[Entry] = []
    for label, look, items in (
        ("not", BAD, (preview.vain,)),
        ("goes", WARN, preview.goes),
        ("stays", "", preview.stays),
        ("sessions", "", (preview.signed_out,)),
        ("told", "", (preview.told,)),
        ("then", "", (preview.then,)),
    ):
        shown = [item for item in items if item]
        for index, item in enumerate(shown):
            found.append(entry("" if index else label, show(item, look, limit=600)))
    return found


def said_first(decision: Decision) -> list[Entry]:
    """Return what an allowed act should be thought of before it."""
    if not decision.instead:
        return []
    return [entry("first", show(decision.instead, STRONG, limit=LONG))]


def rests_on(decision: Decision) -> list[Entry]:
    """Return on whose word an allowed act rests."""
    if decision.is_refused:
        return []
    note = [entry("note", show(decision.why, limit=600))] if decision.why else []
    return [*note, *cited(decision)]


def cited(decision: Decision) -> list[Entry]:
    """Return the rules a decision rests on and the document they stand in."""
    if not decision.rules and not decision.source:
        return []
    rules = ", ".join(decision.rules) if decision.rules else "no rule of the source"
    return [entry("rule", show(f"{rules} · {decision.source}", QUIET))]


def refusal(decision: Decision) -> list[Entry]:
    """Return a refusal whole: why, what instead, the steps in order, the rules."""
    sentence, steps = steps_of(decision.instead)
    found = [entry("why", show(decision.why, BAD, limit=LONG))]
    if sentence:
        found.append(entry("instead", show(sentence, limit=LONG)))
    for number, step in enumerate(steps, 1):
        says = show(f"{number}. {step}", limit=LONG)
        found.append(entry("steps" if number == 1 else "", says))
    return [*found, *cited(decision)]


def refusal_text(case: Case, decision: Decision, card: Product | None) -> str:
    """Return a refusal as plain text, to be copied into a reply."""
    product = card.name if card else case.user.product
    return clean(f"{product}: {decision.why} {decision.instead}".strip(), limit=2_000)
