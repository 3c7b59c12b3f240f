"""Names that a person could take for one another: one shape for all that look the same.

Read aloud or at a glance, `alice.smith`, `аlice.smith` with a Cyrillic letter, `aIice.srnith` and
`Alice  Smith` are one name. Two users of one shape are told apart by their id and account only.
The table holds letters that Unicode lists as confusable with a Latin letter or digit (UTS 39), as
far as they are in living scripts, and some pairs within the Arabic and the Japanese scripts.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from msgspec import Struct

LOOKS_LIKE: Final = {
    "2": "ƧϨᒿꙄꝚ",
    "3": "ƷȜЗӠⳌꝪꞫ",
    "4": "Ꮞ",
    "5": "Ƽ",
    "6": "бᏮⳒ",
    "7": "𐓒",
    "8": "Ȣȣ৪੪𐌚",
    "9": "৭੧୨൭ⳊꝮ",
    "A": "ΑАᎪᗅꓮ",
    "B": "ΒВᏴᗷꓐꞴ𐌁",
    "C": "СᏟⲤꓚ𐌂𐐕",
    "D": "ĐᎠᗞᗪꓓ",
    "E": "ΕЕᎬⴹꓰ",
    "F": "ϜᖴꓝꞘ",
    "G": "ԌᏀᏳꓖ",
    "H": "ĦΗНᎻᕼⲎꓧ",
    "J": "ͿЈᎫᒍꓙꞲ",
    "K": "ΚКᏦᛕⲔꓗ",
    "L": "ŁᏞᒪⳐꓡ𐐛",
    "M": "ΜϺМᎷᗰᛖⲘꓟ𐌑",
    "N": "ΝⲚꓠ",
    "O": "ØΟОՕ০ଠ୦ዐⲞⵔ〇ꓳ𐐄𐓂",
    "P": "ΡРᏢᑭⲢꓑ",
    "Q": "ⵕ",
    "R": "ƦᎡᏒᖇꓣ𐒴",
    "S": "ЅՏᏕᏚꓢ𐐠",
    "T": "ŦΤТᎢⲦꓔ𐌕",
    "U": "Սሀᑌꓴ𐓎",
    "V": "Ѵ۷Ꮩᐯⴸꓦ",
    "W": "ԜᎳᏔꓪ",
    "X": "ΧХᚷⲬⵝꓫꞳ𐌗𐌢",
    "Y": "ΥУҮᎩᎽⲨꓬ",
    "Z": "ΖᏃꓜ𐋵",
    "a": "ɑαа",
    "b": "ƄЬᏏᑲᖯ",
    "c": "сᴄⲥꮯ𐐽",
    "d": "đԁᏧᑯꓒ",
    "e": "еҽꬲ",
    "f": "քẝꞙꬵ",
    "g": "ƍɡցᶃ",
    "h": "ħнһհᏂ",
    "i": "ıɩɪιіӏᎥꙇꭵ",
    "j": "ϳј",
    "k": "ĸк",
    "l": "łƖǀΙІӀ۱ᛁⲒⵏꓲ𐌉𐌠",
    "m": "м",
    "n": "ոռ",
    "o": "øοσоօ۵०੦૦௦౦೦ഠ൦๐໐ဝ၀ჿᴏᴑⲟꬽ𐐬𐓪",
    "p": "ρрⲣ",
    "q": "ԛգզ",
    "r": "гᴦⲅꭇꭈꮁ",
    "s": "ƽѕꜱꮪ𐑈",
    "t": "ŧт",
    "u": "ʋυսᴜꞟꭎꭒ𐓶",
    "v": "νѵᴠꮩ",
    "w": "ɯѡԝաᴡꮃ",
    "x": "хᕁᕽ",
    "y": "ɣʏγуүყᶌỿꭚ",
    "z": "ᴢꮓ",
}
"""A Latin letter or digit, and the letters of all scripts that are drawn like it."""

SAME_SHAPE: Final = {
    "ى": "يی",
    "ك": "کڪ",
    "ه": "ةەہھ",
    "エ": "工",
    "カ": "力",
    "タ": "夕",
    "ト": "卜",
    "ニ": "二",
    "ハ": "八",
    "ロ": "口囗",
    "一": "ー",
}
"""A letter, and those of its own script, or of one written beside it, that are drawn like it."""

_DRAWN: Final = {ord(other): letter for letter, others in LOOKS_LIKE.items() for other in others}

_SAME: Final = {ord(other): letter for letter, others in SAME_SHAPE.items() for other in others}

_STROKES: Final = {"i": "l", "1": "l", "|": "l", "!": "l", "0": "o"}
"""Strokes that are told apart in few fonts, after the case is gone: I, l, 1; O, 0."""

_RUNS: Final = (("rn", "m"), ("vv", "w"))
"""Two letters that are read as one."""

_TALL: Final = str.maketrans(_STROKES)

_QUICK: Final = str.maketrans(_STROKES | dict.fromkeys("\t\n\r\v\f._-'`", " "))
"""Strokes and what stands between words, for ASCII, which most names are."""

_BETWEEN: Final = re.compile(r"[\s._\-‐-―'’`]+")


SHAPE_LIMIT: Final = 200
"""Characters of a name that are compared; nobody reads further."""


class Double(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another user whose name or login could be taken for this one's.

    Attributes:
        login: Masked where the case is.
        account: The name of their account.
    """

    id: str
    name: str
    login: str
    product: str
    account: str


def shape(text: str) -> str:
    """Return what *text* looks like: equal for texts that a person could take for one another.

    Without case, accents, what is invisible, and what stands between words. It is for comparing
    only, never to be shown. Only the first `SHAPE_LIMIT` characters are looked at.
    """
    text = text[:SHAPE_LIMIT]
    if text.isascii():
        plain = " ".join(text.lower().translate(_QUICK).split())
    else:
        parts = unicodedata.normalize("NFKD", text)
        seen = "".join(c for c in parts if _is_seen(c)).translate(_SAME)
        words = " ".join(map(_latin, _BETWEEN.split(seen)))
        plain = _BETWEEN.sub(" ", words.casefold()).strip().translate(_TALL)
    for run, letter in _RUNS:
        plain = plain.replace(run, letter)
    return plain


def _latin(word: str) -> str:
    """Return a word with its look-alikes as Latin letters, unless it can only be of its own script.

    So `вова` and `Вова` stay one name, whose first letters are drawn like two Latin ones.
    """
    drawn = word.translate(_DRAWN)
    if _is_latin(drawn) or any(map(_is_latin, filter(str.isalpha, word))):
        return drawn
    return word


def _is_latin(text: str) -> bool:
    return all(c < "\u0250" for c in text if c.isalpha())


def _is_seen(character: str) -> bool:
    """Whether a character takes room of its own on a line."""
    return unicodedata.category(character) not in {"Mn", "Me", "Cf", "Cc", "Cs"}
