"""Cards are found, read, and refused with file, line and reason."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

import helpdesk.products
from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.agents import Role
from helpdesk.domain.errors import BadFile
from helpdesk.domain.policies import DESK_ACTS
from helpdesk.domain.products import Asked, FactorRule, Product
from helpdesk.products import load_cards, read_card
from helpdesk.products.kept import kept_or_read
from helpdesk.products.lines import line_of
from tests.factories import case, weigh

PRODUCTS = Path(helpdesk.products.__file__).parent
GOOD = (PRODUCTS / "lead-gen-crm.toml").read_text("utf-8")
SIXTH = GOOD.replace('id = "lead-gen-crm"', 'id = "tulip-mail"', 1)


def test_the_five_come_in_their_order() -> None:
    assert list(load_cards()) == [
        "activecampaign",
        "partner-portal",
        "constant-contact",
        "sms-2fa",
        "lead-gen-crm",
    ]


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.id)
def test_each_card_answers_every_act_of_a_product(card: Product) -> None:
    assert set(card.acts) == {name for name, kind in ACTIONS.items() if kind not in DESK_ACTS}


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.id)
def test_every_value_of_our_cards_says_where_it_stands(card: Product) -> None:
    codes = [getattr(card.codes, name) for name in card.codes.__struct_fields__]
    memory = [getattr(card.memory, name) for name in card.memory.__struct_fields__]
    facts = [card.mandatory, *codes, *memory]
    tables: list[Asked | FactorRule] = [*card.asked, *card.factors]

    uncited = [fact for fact in facts if not fact.rules]
    bare = [table for table in tables if not table.rules]

    assert uncited == []
    assert bare == []
    assert all(act.rules for act in card.acts.values())
    assert all(route.rules and route.say for route in card.routes)
    assert all(advice.rules for advice in card.advice)


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.id)
def test_what_is_read_aloud_is_short_and_plain(card: Product) -> None:
    texts = [rule.says for rule in card.rules]
    texts += [text for act in card.acts.values() for text in (act.why, act.instead, act.first)]
    texts += [step for advice in card.advice for step in advice.steps]

    assert [text for text in texts if len(text) > 200 or "!" in text.replace("name]!", "")] == []


def test_a_sixth_card_is_found(tmp_path: Path) -> None:
    (tmp_path / "tulip.toml").write_text(SIXTH, "utf-8")
    (tmp_path / "notes.txt").write_text("not a card", "utf-8")

    cards = load_cards(tmp_path)

    assert list(cards)[5:] == ["tulip-mail"]
    assert not weigh(Role.LEAD, "temporary-pass", case(), cards["tulip-mail"]).is_refused


def test_an_act_that_a_card_leaves_out_is_refused_with_its_first_way(tmp_path: Path) -> None:
    path = tmp_path / "tulip.toml"
    path.write_text(re.sub(r"\[acts\.unlock\]\n(?:.+\n)+", "", SIXTH), "utf-8")

    decision = weigh(Role.LEAD, "unlock", case(), read_card(path))

    assert decision.is_refused
    assert "not documented" in decision.why
    assert "Priya Shah" in decision.instead
    assert decision.route == "administrator"
    assert not decision.documented


def test_a_directory_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert len(load_cards(tmp_path / "nowhere")) == 5


def test_a_card_with_an_id_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, "utf-8")

    with pytest.raises(BadFile) as raised:
        load_cards(tmp_path)

    line = GOOD.splitlines().index('id = "lead-gen-crm"') + 1
    assert str(raised.value) == f"{path}, line {line}: there is already a product 'lead-gen-crm'"


BAD = {
    "bad TOML": ('short = "Lead Gen"', "short = Lead Gen", "Invalid value", "short ="),
    "a missing key of the card": ('short = "Lead Gen"', "", "key `short` is missing", "# Constant"),
    "a missing key of a table": (
        'says = "There are four methods; the user chooses one at the next login."',
        "",
        "key `says` is missing",
        "[[rules]]",
    ),
    "a misspelt key": ("again =", "agian =", "no key `agian` here", "agian ="),
    "a misspelt key in one line": (
        "life_s = { rules",
        "life_s = { ruls",
        "no key `ruls`",
        "life_s",
    ),
    "a misspelt table": ("[memory]", "[memry]", "no key `memry` here", "[memry]"),
    "a wrong type": ("life_s = {", 'life_s = { value = "long",', "Expected `int", "life_s ="),
    "a wrong type in a list": ('  "Find {user}.",', "  3,", "Expected `str`, got `int`", "  3,"),
    "an unquoted date": ('"2026-11-21"', "2026-11-21", "got `date`", "checked_on ="),
    "an unknown role": (
        'who = ["product-administrator", "lead"]',
        'who = ["product-administrator", "boss"]',
        "'boss' is none of the words",
        '"boss"]',
    ),
    "an unknown factor": ('kind = "totp"', 'kind = "fax"', "'fax' is none", 'kind = "fax"'),
    "a badly written rule id": ('id = "S4.7"', 'id = "S4-7"', "matching regex", 'id = "S4-7"'),
    "a rule nobody wrote": ('"S4.13"]', '"S4.99"]', "S4.99 is cited", '"S4.99"]'),
    "a rule nobody wrote on the way in": ('["S4.3",', '["S4.98",', "S4.98 is cited", "login_rules"),
    "a rule twice": ('id = "S4.7"', 'id = "S4.6"', "S4.6 stands twice", 'id = "S4.6"'),
    "a way twice": ('id = "enrol"', 'id = "vendor"', "vendor stands twice", 'id = "vendor"'),
    "a role twice": ('"salesperson"', '"sales-manager"', "sales-manager stands twice", '-manager"'),
    "a way that is not there": ('again = "vendor"', 'again = "moon"', "route 'moon'", "again ="),
    "an act that is not there": (
        "[acts.unlock]",
        "[acts.unlok]",
        "'unlok' is no act",
        "[acts.unlok",
    ),
    "a badly written act": ("[acts.unlock]", '[acts."Un lock"]', "matching regex", '[acts."Un'),
    "a hidden character": ('"Find {user}."', '"Find \\u202e."', "invisible", "u202e"),
    "a terminal command": ('"Find {user}."', '"\\u001b[2J"', "steers the terminal", "u001b"),
}


@pytest.mark.parametrize(("old", "new", "reason", "at"), BAD.values(), ids=BAD)
def test_a_bad_card_is_refused_with_its_line(
    old: str, new: str, reason: str, at: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.toml"
    assert old in SIXTH
    text = SIXTH.replace(old, new, 1)
    path.write_text(text, "utf-8")

    with pytest.raises(BadFile) as raised:
        load_cards(tmp_path)

    number = re.match(r"line (\d+)", raised.value.place)
    assert number is not None
    assert raised.value.file == str(path)
    assert reason in raised.value.reason
    assert at in text.splitlines()[int(number.group(1)) - 1]
    assert str(raised.value).startswith(f"{path}, line ")


def test_of_two_equal_tables_the_second_is_blamed(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    text = SIXTH.replace('id = "S4.7"', 'id = "S4.6"')
    path.write_text(text, "utf-8")
    second = [n for n, line in enumerate(text.splitlines(), 1) if line == 'id = "S4.6"'][1]

    with pytest.raises(BadFile, match=rf"line {second}: S4\.6 stands twice"):
        read_card(path)


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b'id = "x"\nname = "\xe9"\n')

    with pytest.raises(BadFile, match=r"line 2: is not UTF-8 text"):
        read_card(path)


def test_an_array_that_never_ends_is_blamed_on_the_end(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nb = [1,\n2", "utf-8")

    with pytest.raises(BadFile, match=r"line 3"):
        read_card(path)


def test_brackets_without_end_are_a_sentence_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("a = " + "[" * 100_000, "utf-8")

    with pytest.raises(BadFile, match="nested too deeply"):
        read_card(path)


def test_a_directory_with_a_cards_name_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.mkdir()

    with pytest.raises(BadFile, match="cannot be read"):
        load_cards(tmp_path)


TOML = '''\
# [not.a.table]
a.b = 1
"quoted key" = """
[[not.a.table]]
x = 2
"""
list = [
  "one, [two]", # three = 3
  { k = "v" },
  'four',
]

[[t]]
x = 1
[[t]]
x = 2
[t.deep]
y = 2026-01-01 10:00:00
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a", "b"), 2),
        (("quoted key",), 3),
        (("list",), 7),
        (("list", 0), 8),
        (("list", 1, "k"), 9),
        (("list", 2), 10),
        (("t", 0, "x"), 14),
        (("t", 1), 15),
        (("t", 1, "x"), 16),
        (("t", 1, "deep", "y"), 18),
        (("t", 1, "deep", "missing"), 17),
        (("not", "a", "table"), 1),
        ((), 1),
    ],
)
def test_a_value_is_found_by_its_path(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(TOML, path) == line


def test_cards_that_are_kept_are_the_ones_that_were_read(tmp_path: Path) -> None:
    file = tmp_path / "cards.kept"
    read = partial(kept_or_read, file, [PRODUCTS / "sms-2fa.toml"])
    card = read_card(PRODUCTS / "sms-2fa.toml")

    first, then = read(lambda: (card,)), read(lambda: ())

    assert first == then == (card,)


@pytest.mark.parametrize("spoil", [b"", b"\x81", b"nothing of ours"])
def test_cards_are_read_anew_where_text_or_file_changed(tmp_path: Path, spoil: bytes) -> None:
    file, text = tmp_path / "cards.kept", tmp_path / "a.toml"
    card = read_card(PRODUCTS / "sms-2fa.toml")
    text.write_bytes(b"one")
    kept_or_read(file, [text], lambda: (card,))
    if spoil:
        file.write_bytes(spoil)
    else:
        text.write_bytes(b"two")

    found = kept_or_read(file, [text], lambda: (card, card))

    assert found == (card, card)
