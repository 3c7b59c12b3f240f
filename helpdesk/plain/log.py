"""What is found about the log, as text that a person reads."""

from __future__ import annotations

from helpdesk.domain.inspection import Inspection
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.text import clean


def inspection_text(found: Inspection) -> str:
    """Return what an inspection found: what is broken, what holds, what it cannot show."""
    head = "The log is sound." if found.is_sound else "THE LOG IS NOT WHAT IT WAS."
    lines = [head if found.rows else "The log is empty."]
    for title, sentences in (
        ("Broken", found.broken),
        ("Proven", found.proven),
        ("Not proven", found.unproven),
    ):
        lines += [f"{title}:", *(f"  {one}" for one in sentences)] if sentences else []
    return "\n".join(clean(line) for line in lines)


def reconciliation_text(found: Reconciliation) -> str:
    """Return what belongs together and what does not, and what was not compared."""
    lines = [
        "The log and the provider tell the same."
        if found.does_match
        else "THE LOG AND THE PROVIDER DO NOT TELL THE SAME."
    ]
    for title, sentences in (
        ("Different", found.differ),
        ("The same", found.agree),
        ("Not compared", found.unknown),
    ):
        lines += [f"{title}:", *(f"  {one}" for one in sentences)] if sentences else []
    return "\n".join(clean(line) for line in lines)
