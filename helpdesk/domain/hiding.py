"""Free text that leaves the desk, without what in it may be personal or secret."""

from __future__ import annotations

import re

from helpdesk.domain.text import clean, mask_mail

_MAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w:./-])(?:\+|00|0)\d[\d\s().-]{5,}\d")
_PASS = re.compile(r"\b[A-Z2-9]{4}(?:-[A-Z2-9]{4}){2,}\b")
_SEED = re.compile(r"\b[A-Z2-7]{16,}\b")
_CODE = re.compile(r"(?<![\w.:/-])\d{3}[ -]?\d{3,}(?![\w:/-])")


def hidden(text: str) -> str:
    """Return free text with what looks like an address, a number, a code, a key or a pass hidden.

    Better a word too much than a code in a ticket.
    """
    text = _MAIL.sub(lambda found: mask_mail(found.group()), clean(text))
    for pattern in (_PASS, _SEED, _NUMBER, _CODE):
        text = pattern.sub("••••••", text)
    return text
