"""Every rule of the five sources has a test, or a line saying why it needs none."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.factories import CARDS
from tests.products.rules_table import DISAGREEMENTS, NONE, RULES

COUNTS = {"S0": 32, "S1": 33, "S2": 16, "S3": 16, "S4": 19}
"""How many numbered statements were read out of each source."""


def named_tests() -> list[str]:
    """Give the test functions that stand beside this table, read and not run."""
    return [
        node.name
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def test_the_table_has_every_rule_once_and_no_other() -> None:
    every = [f"{seed}.{number}" for seed, last in COUNTS.items() for number in range(1, last + 1)]

    assert list(RULES) == every
    assert list(DISAGREEMENTS) == [f"X{number}" for number in range(1, 17)]


def test_every_named_test_exists_under_one_name() -> None:
    there = named_tests()
    wanted = {test for test in (RULES | DISAGREEMENTS).values() if not test.startswith(NONE)}

    assert wanted - set(there) == set()
    assert len(there) == len(set(there))


def test_a_rule_without_a_test_says_why() -> None:
    reasons = [test.removeprefix(NONE) for test in RULES.values() if test.startswith(NONE)]

    assert all(len(reason.split()) > 3 for reason in reasons)
    assert len(reasons) <= 6


def test_every_rule_of_a_card_is_in_the_table_and_of_its_own_source() -> None:
    for number, card in enumerate(CARDS.values()):
        ids = [rule.id for rule in card.rules]

        assert [i for i in ids if i not in RULES] == []
        assert {i.partition(".")[0] for i in ids} == {f"S{number}"}


def test_every_rule_that_is_tested_stands_on_a_card() -> None:
    on_cards = {rule.id for card in CARDS.values() for rule in card.rules}
    tested = {rule for rule, test in RULES.items() if not test.startswith(NONE)}

    assert tested - on_cards == set()


def test_every_source_is_named_with_its_trust_and_day() -> None:
    kinds = {name: card.source.kind for name, card in CARDS.items()}

    assert "third-party" in kinds["activecampaign"]
    assert "mirror" in kinds["partner-portal"]
    assert {card.source.checked_on for card in CARDS.values()} == {"2026-11-21"}
    assert len({card.source.file for card in CARDS.values()}) == 5
