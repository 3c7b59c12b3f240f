"""Scenario files: what is wrong is refused, with the file, the table and the key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.errors import BadFile
from helpdesk.domain.training.checking import faults
from helpdesk.domain.training.scenario import scenario_of
from helpdesk.domain.training.spans import span_of, span_text
from helpdesk.fixture.training import read_scenario
from tests.factories import CARDS
from tests.training.stage import PLAIN, changed


def person(**keys: Any) -> dict[str, Any]:
    return {**changed()["person"], **keys}


def caller(**keys: Any) -> dict[str, Any]:
    return {**changed()["caller"], **keys}


ANSWER = {"ask": "D1/D2", "reply": "older", "says": "There is a later one."}
EVENT = {"ago": "5m", "kind": "password", "ok": True}

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"product": "acme"}, "product", "there is no product acme; there is activecampaign"),
    ({"cause": "D99"}, "cause", "there is no cause D99"),
    ({"also": ["D1", "Q1"]}, "also[1]", "there is no cause Q1"),
    ({"asks": ["D1/D9"]}, "asks[0]", "there is no pair D1/D9"),
    ({"asks": ["D1/D2"]}, "asks[0]", "the caller has no answer to D1/D2"),
    ({"acts": {"right": ["reboot"]}}, "acts.right[0]", "there is no act reboot"),
    ({"acts": {"dangerous": ["reboot"]}}, "acts.dangerous[0]", "there is no act reboot"),
    ({"acts": {"right": ["unlock"], "dangerous": ["unlock"]}}, "acts.dangerous[0]", "already"),
    ({"person": person(factors=[{"kind": "totp"}])}, "person.factors[0].kind", "no factor totp"),
    ({"caller": caller(answers=[ANSWER | {"ask": "X1"}])}, "caller.answers[0].ask", "no pair X1"),
    (
        {"caller": caller(answers=[ANSWER | {"reply": "maybe"}])},
        "caller.answers[0].reply",
        "the replies to D1/D2 are older, newest",
    ),
    ({"caller": caller(answers=[ANSWER, ANSWER])}, "caller.answers[1].ask", "answered twice"),
    (
        {"caller": caller(answers=[ANSWER | {"is_lie": True}])},
        "caller.answers[0].is_lie",
        "only an attacker lies",
    ),
    ({"caller": caller(meanwhile=[{"says": "Hm."}])}, "caller.meanwhile[0]", "exactly one of"),
    (
        {"caller": caller(meanwhile=[{"says": "Hm.", "after": "sing"}])},
        "caller.meanwhile[0].after",
        "there is no act sing",
    ),
    ({"past": [{"kind": "password", "ok": True}]}, "past[0]", "exactly one of `ago`"),
    ({"past": [EVENT | {"ago": "soon"}]}, "past[0]", "Expected a span"),
    ({"past": [EVENT | {"ok": "yes"}]}, "past[0].ok", "Expected `bool`"),
    ({"past": [EVENT | {"kind": "pasword"}]}, "past[0].kind", "no kind of event pasword"),
    ({"past": [EVENT | {"colour": "red"}]}, "past[0]", "a password has no key colour"),
    ({"then": [EVENT]}, "then[0]", "`at` or `after`"),
    ({"past": [{"at": "5m", "kind": "password", "ok": True}]}, "past[0]", "`ago`"),
    ({"others": [{"name": "Kim", "past": [{"ago": "1m"}]}]}, "others[0].past[0]", "kind"),
    ({"model": [{"at": "5s", "say": "Hi", "act": "note"}]}, "model[0]", "exactly one of ask"),
    ({"model": [{"at": "5s", "say": "Hi"}]}, "model[0]", "the last step is `end`"),
    (
        {"model": [{"at": "9s", "say": "Hi"}, {"at": "5s", "end": "D2"}]},
        "model[1].at",
        "before the step above",
    ),
    ({"model": [{"at": "5s", "act": "sing"}, {"at": "9s", "end": "D2"}]}, "model[0].act", "sing"),
    (
        {"model": [{"at": "5s", "act": "note", "set": {"x": "y"}}, {"at": "9s", "end": "D2"}]},
        "model[0].set.x",
        "note takes text",
    ),
    ({"model": [{"at": "5s", "end": "Z1"}]}, "model[0].end", "there is no cause Z1"),
    ({"bad": {"loses": [], "steps": [{"at": "5s", "end": "D2"}]}}, "bad.loses", "at least one"),
    ({"par": "0s"}, "par", "more than 0 s"),
]


@pytest.mark.parametrize(("keys", "place", "reason"), WRONG, ids=[row[1] for row in WRONG])
def test_what_does_not_fit_is_named_with_its_place(
    keys: dict[str, Any], place: str, reason: str
) -> None:
    found = list(faults(scenario_of(changed(**keys)), CARDS))

    assert found
    assert found[0][0] == place
    assert any(reason in says for _, says in found)


ILL_FORMED: list[tuple[str, str, str]] = [
    ('title = "The second mail"', "", "this key is missing: `title`"),
    ('difficulty = 1 -> difficulty = "hard"', "difficulty", "Expected a whole number"),
    ('title = "The second mail" -> title = 5', "title", 'Expected text in "…", got a whole number'),
    ('title = "The second mail" -> title = ""', "title", 'Expected text in "…" that is not empty'),
    ("[caller] -> [[caller]]", "caller", "Expected a table, got a list"),
    ("seed = 1 -> sead = 1", "", "there is no key here called `sead`"),
    ('kind = "email" }] -> kind = "email", of = 1 }]', "person.factors[0]", "called `of`"),
    ('kind = "email" }] -> kind = "pigeon" }]', "person.factors[0].kind", "'pigeon'"),
    ('par = "3m" -> par = "long"', "par", "Expected a span"),
    ('state = "delivered" -> state = "arrived"', "past[3].state", "arrived is none of accepted"),
    ('cause = "D2" -> cause = ', "line 4, column 9", "Invalid value"),
]


@pytest.mark.parametrize(("change", "place", "reason"), ILL_FORMED, ids=[r[2] for r in ILL_FORMED])
def test_a_file_of_the_wrong_form_is_refused_with_file_table_and_key(
    change: str, place: str, reason: str, tmp_path: Path
) -> None:
    old, _, new = change.partition(" -> ")
    file = tmp_path / "mine.toml"
    file.write_text(PLAIN.read_text("utf-8").replace(old, new, 1), "utf-8")

    with pytest.raises(BadFile) as refused:
        read_scenario(file, CARDS)

    assert (refused.value.file, refused.value.place) == (str(file), place)
    assert reason in refused.value.reason


def test_the_mark_that_some_editors_put_first_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PLAIN.read_bytes())

    assert read_scenario(file, CARDS).scenario.cause == "D2"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_what_has_no_end_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.toml")

    with pytest.raises(BadFile, match="is no file that can be read to its end"):
        read_scenario(tmp_path / "mine.toml", CARDS)


def test_the_bundled_one_is_right() -> None:
    assert read_scenario(PLAIN, CARDS).scenario.cause == "D2"


@pytest.mark.parametrize(("text", "seconds"), [("20s", 20), ("1m30s", 90), ("-2d", -172_800)])
def test_a_span_is_read_and_written_again(text: str, seconds: int) -> None:
    assert span_of(text) == seconds
    assert span_text(seconds) == text


@pytest.mark.parametrize("text", ["", "5", "5x", "m5", "99999999d", 5])
def test_what_is_no_span_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="Expected a span"):
        span_of(text)


def test_check_says_what_is_wrong_and_leaves_with_two(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(PLAIN.read_text("utf-8").replace('"D2"', '"D22"', 1), "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "helpdesk", "train", "check", "--play", str(PLAIN), str(wrong)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert f"{PLAIN}: right." in done.stdout
    assert f"{wrong}, cause: there is no cause D22" in done.stderr
