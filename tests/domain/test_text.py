"""Text from outside: made safe, compared, masked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpdesk.domain.text import LIMIT, MARKS, clean, digits, folded, mask, mask_mail, mask_phone

HOSTILE = "\x00\x1b\x7f\x85\x9b\r\n\t\u200b\u200d\u200c\ufe0f\u202e\u2066\u034f\u115f\u3164\ufeff"
ANY = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(HOSTILE + "\xa0\u3000\u0301\u0308\u0488\ud800\udfff👩🏽🚀❤あ한가م=\u0338"),
    ),
    max_size=60,
)
BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
ZERO_WIDTH = set("\u200b\u2060\ufeff\u00ad\u034f\u115f\u1160\u3164")


@given(ANY, st.sampled_from([1, 2, 7, LIMIT]))
@example("\u202e" * LIMIT, LIMIT)
@example("\u115f\u200dあ", LIMIT)
def test_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    once = clean(text, limit=limit)

    assert clean(once, limit=limit) == once


@given(ANY, st.sampled_from([1, 2, 7, LIMIT]))
@example("\u202e" * LIMIT, LIMIT)
def test_a_cleaned_text_is_bounded(text: str, limit: int) -> None:
    assert len(clean(text, limit=limit)) <= limit


@given(ANY)
def test_nothing_that_commands_or_hides_is_left(text: str) -> None:
    shown = clean(text)

    assert [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}] == []
    assert not set(shown) & (BIDI | ZERO_WIDTH)
    assert {c for c in shown if unicodedata.category(c) == "Zs"} <= {" "}
    shown.encode("utf-8")


@given(ANY)
def test_comparing_and_masking_never_fail(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert mask(mask(text)) == mask(text)
    assert digits(text).isdigit() or digits(text) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Maya Okafor", "Maya Okafor"),
        ("\u00a0Maya\u3000Okafor\u202f", " Maya Okafor "),
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("one\r\ntwo\nthree\u2028four\x85five", "one ⏎ two ⏎ three ⏎ four ⏎ five"),
        ("\x9b31m", "\ufffd31m"),
        ("lone \ud800", "lone \ufffd"),
        ("user\u202egpj.exe", "user‹202E›gpj.exe"),
        ("in\u200bvisible", "in‹200B›visible"),
        ("a\u200db", "a‹200D›b"),
        ("a\ufe0f", "a‹FE0F›"),
        ("blank\u3164", "blank‹3164›"),
        ("\U000e0041", "‹E0041›"),
        ("Ngo\u0323c A\u0301nh", "Ngọc Ánh"),
    ],
)
def test_what_is_changed_stays_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    ["Ødegård", "Ngọc Ánh", "陳美玲", "محمد", "می‌خواهم", "क्‍ष", "👩🏽‍🚀", "❤️‍🔥", "1️⃣", "O'Brien"],
)
def test_honest_names_and_signs_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


def test_a_pile_of_marks_is_cut_down() -> None:
    shown = clean("Z" + "\u0353" * 50 + "x")

    assert shown == "Z" + "\u0353" * MARKS + "x"


def test_a_long_text_ends_in_a_sign() -> None:
    assert clean("x" * 20, limit=5) == "xxxx…"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("odegard", "Ødegård"),
        ("ØDEGÅRD", "ødegård"),
        ("ngoc anh", "Ngọc Ánh"),
        ("ngoc", "Ngo\u0323c"),
        ("陳美", "陳美玲"),
        ("محمد", "مُحَمَّد"),
        ("strasse", "Straße"),
        ("istanbul", "İstanbul"),
        ("dang", "Đặng"),
        ("maya", "Ｍａｙａ"),
        ("maya", "𝐌𝐚𝐲𝐚"),
        ("maya", "Ma\u200bya"),
        ("o'brien", "O'Brien"),
    ],
)
def test_a_name_is_found_however_it_is_typed(typed: str, name: str) -> None:
    assert folded(typed) in folded(name)


def test_different_names_stay_different() -> None:
    assert folded("محمد") != folded("محمود")
    assert folded("陳美玲") != folded("陳美琳")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("maya@agency.example", "m•••@agency.example"),
        ("+44 7700 900321", "•••• 21"),
        ("+447700900321", "•••• 21"),
        ("tel:+447700900321", "•••• 21"),
        ("•••• 21", "•••• 21"),
        ("m•••@agency.example", "m•••@agency.example"),
        ("Pixel 8", "Pixel 8"),
        ("", ""),
    ],
)
def test_a_destination_is_masked_by_what_it_looks_like(value: str, shown: str) -> None:
    assert mask(value) == shown


def test_what_is_no_address_and_no_number_is_hidden_whole() -> None:
    assert mask_mail("not an address") == "•••"
    assert mask_phone("none") == "••••"
    assert mask("٠٧٧٠٠٩٠٠٣٢١") == "••••"


def test_what_is_shown_at_once_is_what_the_long_way_shows() -> None:
    letters = [chr(code) for code in (*range(0x20, 0xD800), *range(0xE000, 0x10000))]

    at_once = [clean(f"a{letter}b") for letter in letters]
    the_long_way = [clean(f"a{letter}b\n").removesuffix(" ⏎ ") for letter in letters]

    assert at_once == the_long_way
