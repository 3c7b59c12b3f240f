"""Text from outside, made safe to show, to mask and to compare.

`clean` is the one way in: whatever comes from a provider, a file or a person passes it before it
is shown.
What it changes stays visible: a control character becomes its picture, an invisible one its code
point.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LIMIT: Final = 4_096
"""Characters of a text that are kept; enough for the longest note, too few to freeze a screen."""

MARKS: Final = 3
"""Combining marks kept on one letter.

Vietnamese needs two, a pile of them only hides the text beneath.
"""

NOT_DOCUMENTED: Final = "not documented"
"""What is shown where the product's source is silent."""

_PLAIN = re.compile(
    "[\x20-\x7e\u00a1-\u00ac\u00ae-\u017f\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]*"
)
"""What is shown as it is beside anything: ASCII, Latin letters, what masks are made of."""
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
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")
_LONE = re.compile("[\ud800-\udfff]")
_JOINERS = "\u200c\u200d"
_VARIANT = re.compile("[\ufe00-\ufe0f\u180b-\u180d\u180f\U000e0100-\U000e01ef]")
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs that leave a cell empty."""


def clean(text: str, *, limit: int = LIMIT) -> str:
    """Return *text* fit for a terminal.

    Bounded, one line, nothing invisible, nothing that commands.

    Idempotent. Lone surrogates and C1 controls become U+FFFD, C0 controls their pictures (U+2400
    …), a newline ` ⏎ `, any other space a space, bidirectional and invisible characters `‹202E›`.
    Joiners and variation selectors stay where a script or an emoji needs them.

    Args:
        text: Anything.
        limit: Characters to keep; a longer text ends in `…`.
    """
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    is_cut = len(text) > limit
    raw = _LONE.sub("\ufffd", text[:limit] if is_cut else text)
    raw = unicodedata.normalize("NFC", raw.replace("\r\n", "\n"))
    out: list[str] = []
    marks = 0
    for at, character in enumerate(raw):
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MARKS:
            out.append(_visible(character, out, raw[at + 1 : at + 2]))
    shown = "".join(out)
    return shown[: limit - 1] + "…" if is_cut or len(shown) > limit else shown


def _is_mark(character: str) -> bool:
    """Whether a character is drawn on top of the letter before it."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) == "Me"


def _visible(character: str, out: list[str], after: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if character in "\n\u2028\u2029\x85":
        return " ⏎ "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code <= 0x9F:
        return "\ufffd"
    if unicodedata.category(character) == "Zs":
        return " "
    if character in _JOINERS and _joins(out, after):
        return character
    if _VARIANT.match(character) and _is_drawn(out[-1] if out else ""):
        return character
    return f"‹{code:04X}›" if is_hidden(character) else character


def is_hidden(character: str) -> bool:
    """Return whether a character leaves nothing to be seen, or only changes another."""
    return (
        unicodedata.category(character) in {"Cf", "Co", "Cn", "Zl", "Zp"}
        or character in _BLANKS
        or bool(_VARIANT.match(character))
    )


def _is_drawn(before: str) -> bool:
    """Whether a variation selector can change how *before* looks: a sign, an ideograph, a digit."""
    return len(before) == 1 and (
        unicodedata.category(before) in {"So", "Sm", "Po", "Lo", "Nd"} and not is_hidden(before)
    )


def _joins(out: list[str], after: str) -> bool:
    """Whether a joiner stands where a script or an emoji needs it.

    Between two letters or two signs that are not ASCII, marks and colours of skin aside.
    """
    shown = [part for part in out[-3:] if not (_is_mark(part[-1]) or _VARIANT.match(part))]
    before = shown[-1] if shown else ""
    if len(before) != 1 or not after or is_hidden(after):
        return False
    return before > "\u05ff" and after > "\u05ff" and _kinds(before) & _kinds(after) != set()


def _kinds(character: str) -> set[str]:
    """Return what a joiner can join here: letters to letters, signs to signs."""
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return {"So"}
    return {unicodedata.category(character)} & {"Lo", "So"}


def is_text(text: str) -> bool:
    """Return whether *text* can be written down: no half of a pair stands alone in it."""
    return not _LONE.search(text)


def safe_json(text: str) -> str:
    """Return JSON whose strings hold what is invisible or commands as JSON escapes."""

    def escape(found: re.Match[str]) -> str:
        character = found.group()
        if character.isprintable() and not is_hidden(character):
            return character
        units = character.encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))

    return text if text.isascii() and "\x7f" not in text else _NOT_PLAIN.sub(escape, text)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, and what else agrees with it: `1 row is`, `2,000 rows are`.

    Args:
        number: How many there are.
        one: The words where it is one.
        many: Those where it is not; *one* with an s where nothing is said.
    """
    return f"1 {one}" if number == 1 else f"{number:,} {many or f'{one}s'}"


def folded(text: str) -> str:
    """Return *text* as it is compared in a search.

    No case, no accents, no look-alike widths, nothing invisible.
    """
    return text.casefold() if text.isascii() else _folded(text)


@lru_cache(4_096)  # the names of accounts come again and again
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    ).translate(_LETTERS_WITHOUT_PARTS)


def digits(text: str) -> str:
    """Return the digits of *text*, as a telephone number is compared."""
    found = "".join(filter(str.isdigit, text))
    return found if found.isascii() else "".join(filter(str.isascii, found))


def mask_mail(address: str) -> str:
    """Return `m•••@agency.example` for an e-mail address: the first letter and the domain."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1].strip('•')}•••@{domain}" if at else "•••"


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
    count = sum(c.isdigit() for c in value)
    if count >= 7 or (count >= 6 and re.fullmatch(r"[+\d\s()./-]+", value)):
        return mask_phone(value)
    return value
