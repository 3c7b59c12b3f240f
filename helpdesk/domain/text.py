"""Text from outside, made safe to show, to mask and to compare.

`clean` is the one way in: whatever comes from a provider, a file or a person passes it before it
is shown.
What it changes stays visible: a control character becomes its picture, an invisible one its code
point.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 4_096
"""Characters of a text that are kept; enough for the longest note, too few to freeze a screen."""

MARKS: Final = 3
"""Combining marks kept on one letter.

Vietnamese needs two, a pile of them only hides the text beneath.
"""

NOT_DOCUMENTED: Final = "not documented"
"""What is shown where the product's source is silent."""

_PLAIN = re.compile(r"[\x20-\x7e]*")
_LETTERS_WITHOUT_PARTS = str.maketrans(
    {
        "đ": "d",
        "ø": "o",
        "ł": "l",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
    }
)
_LONE = re.compile("[\ud800-\udfff]")
_JOINERS = "\u200c\u200d"


def clean(text: str, *, limit: int = LIMIT) -> str:
    """Return *text* fit for a terminal.

    Bounded, one line, nothing invisible, nothing that commands.

    Idempotent. Lone surrogates and C1 controls become U+FFFD, C0 controls their pictures (U+2400
    …), a newline
    ` ⏎ `, bidirectional and invisible characters `‹202E›`. Joiners stay between letters or emoji
    that need them.

    Args:
        text: Anything.
        limit: Characters to keep; a longer text ends in `…`.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if _PLAIN.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", _LONE.sub("\ufffd", text)).replace("\r\n", "\n")
    out: list[str] = []
    marks = 0
    for at, character in enumerate(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS:
            continue
        out.append(_visible(character, text, at))
    return "".join(out)


def _visible(character: str, text: str, at: int) -> str:
    code = ord(character)
    if character in "\n\u2028\u2029\x85":
        return " ⏎ "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code <= 0x9F:
        return "\ufffd"
    if character in _JOINERS and _joins(text, at):
        return character
    if (
        unicodedata.category(character) in {"Cf", "Co", "Cn", "Zl", "Zp"}
        or character in "\u034f\u115f\u1160\u3164\uffa0"
    ):
        return f"‹{code:04X}›"
    return character


def _joins(text: str, at: int) -> bool:
    """Whether a joiner stands where a script or an emoji needs it.

    Between two letters or signs that are not ASCII.
    """
    if at == 0 or at + 1 >= len(text):
        return False
    before, after = text[at - 1], text[at + 1]
    if unicodedata.combining(before) or before == "\ufe0f":
        before = text[at - 2] if at > 1 else before
    both = unicodedata.category(before) + unicodedata.category(after)
    return (before > "\u05ff" and after > "\u05ff") and (both in {"LoLo", "SoSo"})


def folded(text: str) -> str:
    """Return *text* as it is compared in a search: no case, no accents, no look-alike widths."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(
        _LETTERS_WITHOUT_PARTS
    )


def digits(text: str) -> str:
    """Return the digits of *text*, as a telephone number is compared."""
    return "".join(c for c in text if c.isascii() and c.isdigit())


def mask_mail(address: str) -> str:
    """Return `m•••@agency.example` for an e-mail address: the first letter and the domain."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}" if at else "•••"


def mask_phone(number: str) -> str:
    """Return `•••• 21` for a telephone number: the last two digits."""
    tail = digits(number)[-2:]
    return f"•••• {tail}" if tail else "••••"


def mask(value: str) -> str:
    """Return the masked form of a destination, by what it looks like.

    Mail, telephone, or a device's name as it is.
    """
    if "@" in value:
        return mask_mail(value)
    if len(digits(value)) >= 6 and re.fullmatch(r"[+\d\s()./-]+", value):
        return mask_phone(value)
    return value
