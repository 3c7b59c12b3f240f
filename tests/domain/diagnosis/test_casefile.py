"""The case file: what is required, what may be absent, and the line it gives."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from helpdesk.domain.diagnosis.casefile import case_schema, decode_case, verdict_line
from helpdesk.domain.errors import BadFile
from tests.domain.diagnosis.stories import STORIES
from tests.domain.diagnosis.telling import Row
from tests.factories import CARDS

SMALLEST: Row = {"product": "partner-portal"}


def test_only_the_product_is_required() -> None:
    line = verdict_line(decode_case(SMALLEST), CARDS, file="x.json")

    assert line == {"file": "x.json", "causes": [], "ask": None, "act": None, "not": [], "say": ""}


def test_the_line_has_the_documented_shape() -> None:
    case = decode_case(json.dumps(STORIES["D2"].document))

    line = verdict_line(case, CARDS, file="d2.json")

    assert list(line) == ["file", "causes", "ask", "act", "not", "say"]
    assert list(line["causes"][0]) == ["id", "p", "strength"]
    assert line["causes"][0]["id"] == "D2"
    assert 0 <= sum(one["p"] for one in line["causes"]) <= 1.001
    assert json.loads(json.dumps(line)) == line


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({}, ""),
        ({"product": 7}, "product"),
        ({"product": "partner-portal", "format": "helpdesk-case/9"}, "format"),
        ({"product": "partner-portal", "now": "yesterday"}, "now"),
        ({"product": "partner-portal", "complaint": "hungry"}, "complaint"),
        ({"product": "partner-portal", "user": {"login": 3}}, "user.login"),
        ({"product": "partner-portal", "timeline": [{"kind": "send"}]}, "timeline[0]"),
        (
            {
                "product": "partner-portal",
                "timeline": [{"kind": "answer", "at": "2026-05-04T14:00:00Z", "challenge": "c1"}],
            },
            "timeline[0]",
        ),
        (
            {"product": "partner-portal", "others": [{"timeline": [{"at": 1, "kind": "lock"}]}]},
            "others[0].timeline[0].at",
        ),
        ({"product": "nobody-knows"}, "product"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(wrong: dict[str, Any], place: str) -> None:
    with pytest.raises(BadFile) as caught:
        verdict_line(decode_case(wrong, file="bad.json"), CARDS, file="bad.json")

    assert caught.value.place == place
    assert str(caught.value).startswith("bad.json")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'"x"'])
def test_what_is_no_case_at_all_is_refused(text: bytes) -> None:
    with pytest.raises(BadFile):
        decode_case(text)


def test_unknown_keys_and_kinds_are_no_error() -> None:
    document = STORIES["D1"].document
    document["colour"] = "blue"
    document["timeline"] += [
        {"at": "2026-05-04T14:01:00Z", "kind": "coffee", "cup": 2},
        {"at": "2026-05-04T14:02:00Z", "kind": "export", "ok": True, "rows": 12},
    ]

    line = verdict_line(decode_case(document), CARDS)

    assert line["causes"][0]["id"] == "D1"


@pytest.mark.parametrize("cause", STORIES)
def test_disorder_and_duplicates_change_nothing(cause: str) -> None:
    document = STORIES[cause].document
    plain = verdict_line(decode_case(document), CARDS)
    document["timeline"] = [*reversed(document["timeline"]), *document["timeline"][:3]]

    disordered = verdict_line(decode_case(document), CARDS)

    assert disordered["causes"][0]["id"] == plain["causes"][0]["id"]


@pytest.mark.parametrize("cause", STORIES)
def test_rows_without_ids_that_stand_twice_change_nothing(cause: str) -> None:
    document = STORIES[cause].document
    for one in document["timeline"]:
        del one["id"]
    plain = verdict_line(decode_case(document), CARDS)
    document["timeline"] = [one for one in document["timeline"] for _ in range(2)]

    twice = verdict_line(decode_case(document), CARDS)

    assert twice == plain


def test_the_truth_of_a_labelled_case_is_never_read() -> None:
    document = STORIES["D1"].document
    plain = verdict_line(decode_case(document), CARDS)

    lied = verdict_line(decode_case(document | {"truth": ["F1"]}), CARDS)

    assert lied == plain


@pytest.mark.parametrize("cause", STORIES)
def test_every_story_fits_the_schema(cause: str) -> None:
    validator = jsonschema.Draft202012Validator(case_schema())

    validator.validate(STORIES[cause].document)
    validator.validate(STORIES[cause].poor.document)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"product": "x", "timeline": [{"kind": "answer", "at": "2026-05-04T14:00:00Z"}]},
        {"product": "x", "timeline": [{"kind": "coffee"}]},
        {"product": "x", "complaint": "hungry"},
    ],
)
def test_the_schema_refuses_what_the_decoder_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(case_schema())

    assert list(validator.iter_errors(wrong))
    with pytest.raises(BadFile):
        decode_case(wrong)
