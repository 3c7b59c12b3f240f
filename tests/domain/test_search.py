"""What an agent types, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.domain.errors import BadInput
from helpdesk.domain.search import Query, Sort, UserState, matches, parse
from helpdesk.domain.text import folded
from tests.factories import CARDS

PRODUCTS = [(card.id, card.names) for card in CARDS.values()]


def test_words_and_filters_come_in_any_order() -> None:
    query = parse("loop:yes Ødegård product:partner state:locked sort:seen maya", PRODUCTS)

    assert query == Query(
        words=("odegard", "maya"),
        product=("partner-portal",),
        state=UserState.LOCKED,
        loop=True,
        sort=Sort.SEEN,
    )


@pytest.mark.parametrize(
    ("value", "products"),
    [
        ("partner", ("partner-portal",)),
        ("sms-2fa", ("sms-2fa",)),
        ("crm", ("lead-gen-crm",)),
        ("activecampaign", ("activecampaign",)),
        ("constant", ("constant-contact", "lead-gen-crm")),
        ("Lead", ("lead-gen-crm",)),
    ],
)
def test_a_product_is_found_by_part_of_its_names(value: str, products: tuple[str, ...]) -> None:
    assert parse(f"product:{value}", PRODUCTS).product == products


@pytest.mark.parametrize("text", ["", "   ", "loop:", "state:", "\u200b"])
def test_half_a_filter_or_nothing_asks_for_nothing(text: str) -> None:
    assert parse(text, PRODUCTS).is_empty


def test_an_order_alone_is_still_an_empty_search() -> None:
    assert parse("sort:name", PRODUCTS).is_empty


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("product:moon", "sms-2fa"),
        ("state:tired", "locked"),
        ("sort:shoe", "heat"),
        ("loop:maybe", "yes or no"),
        ("ticket:mine", "yes or no"),
    ],
)
def test_a_wrong_value_is_named_with_those_there_are(text: str, offered: str) -> None:
    with pytest.raises(BadInput) as raised:
        parse(text, PRODUCTS)

    assert str(raised.value).startswith(f"{text}:")
    assert offered in str(raised.value)


def test_a_wrong_value_cannot_steer_the_terminal() -> None:
    with pytest.raises(BadInput) as raised:
        parse("state:\x1b[2J", PRODUCTS)

    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "is_on"), [("y", True), ("yes", True), ("n", False), ("NO", False)]
)
def test_yes_and_no_may_be_short(value: str, is_on: bool) -> None:
    assert parse(f"ticket:{value}", PRODUCTS).ticket is is_on


def test_a_colon_that_is_no_filter_is_a_word() -> None:
    assert parse("https://x.example", PRODUCTS).words == ("https://x.example",)


BLOB = folded("Maya Okafor maya.okafor@northwind.example Northwind Travel 4821")
NUMBERS = "447700900321"


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("maya", True),
        ("maya travel", True),
        ("maya lindqvist", False),
        ("+44-7700", True),
        ("(900)", True),
        ("44", False),
        ("7700x", False),
        ("#4821", True),
        ("999", False),
        ("", True),
    ],
)
def test_every_word_must_be_found_in_text_or_number(words: str, is_found: bool) -> None:
    assert matches(BLOB, NUMBERS, parse(words, PRODUCTS).words) is is_found


@given(st.text(max_size=40))
def test_anything_typed_gives_a_query_or_a_sentence(text: str) -> None:
    words: tuple[str, ...] = ()
    said = "."
    try:
        words = parse(text, PRODUCTS).words
    except BadInput as error:
        said = str(error)

    assert all(words)
    assert said.endswith(".")
