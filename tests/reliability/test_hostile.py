"""A few hostile texts through every place that text comes from and goes to; and the corpus."""

from __future__ import annotations

import pytest

from helpdesk.domain.cases import Case
from helpdesk.domain.products import Product
from helpdesk.tui.dialogs.pages import ReasonsDialog
from helpdesk.tui.render.manual import card_page
from tests.reliability import hostile_commands
from tests.reliability.corpus import ALL, CORPUS, HUGE, QUICK
from tests.reliability.hostile_screens import DIALOGS, all_dialogs, screens
from tests.reliability.hostile_text import PARTS, tried
from tests.reliability.spoiled import ANSWERS, Spoiler, fields_of


def test_the_corpus_has_enough_of_every_trick() -> None:
    assert len({text for _, text in ALL}) >= 300
    assert len(QUICK) == len(CORPUS) == 15
    assert all(len(texts) >= 7 for texts in CORPUS.values())


def test_every_dialog_there_is_is_shown_with_hostile_text() -> None:
    assert all_dialogs() == set(DIALOGS)


def test_every_answer_of_a_desk_holds_the_text_in_every_field() -> None:
    fields = {field for form in ANSWERS.values() for field in fields_of(form)}
    made = {name: Spoiler("hostile").of(form) for name, form in ANSWERS.items()}

    assert len(fields) > 200
    assert "hostile" in repr(made["case"].user.name)


def test_every_command_is_tried() -> None:
    tried_ones = {name.rpartition(" ")[0] for name, _ in hostile_commands.templates()}

    assert tried_ones >= {"find", "case", "perform", "why", "approve", "undo", "log accept"}


@pytest.mark.parametrize("name", sorted(PARTS.keys() - {"going on", "terminals"}))
def test_hostile_text_is_only_text(name: str) -> None:
    texts = [one for one in QUICK if one[0] != "a megabyte"]

    count, failures = tried(name, texts, is_quick=True)

    assert count > 20
    assert failures == []


def test_of_a_megabyte_in_each_field_a_page_holds_no_more_than_can_be_read() -> None:
    spoiler = Spoiler("x" * HUGE)

    entries = [*card_page(spoiler.of(Product)), *ReasonsDialog(spoiler.of(Case))._page]

    assert len(entries) > 50
    assert max(len(one.head.plain) + len(one.body.plain) for one in entries) <= 1_500


async def test_where_a_desk_says_nothing_at_all_every_view_is_drawn() -> None:
    views, wrong = await screens([("nothing", "")])

    assert views > len(DIALOGS)
    assert not wrong
