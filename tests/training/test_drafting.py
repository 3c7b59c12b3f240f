"""A scenario begun from a real case: it passes the check, and nobody is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpdesk.cli import main
from helpdesk.domain.diagnosis.casefile import decode_case
from helpdesk.domain.errors import BadInput
from helpdesk.domain.training.drafting import draft
from helpdesk.fixture.training import read_scenario
from tests.domain.diagnosis.stories import STORIES
from tests.factories import CARDS
from tests.training.stage import Played

SECRET = "zanzibar"


def marked(document: dict[str, Any]) -> dict[str, Any]:
    """A case in which everything that could tell somebody says so."""
    places = {"ip": "203.0.113.199", "browser": SECRET, "agent": SECRET, "place": SECRET}
    timeline = [
        event | {key: value for key, value in places.items() if key in event}
        for event in document["timeline"]
    ]
    timeline[0] |= {"door": f"https://{SECRET}.example/?key={SECRET}", "provider": SECRET}
    timeline.append(
        {"at": "2026-05-04T14:04:00Z", "kind": "report", "what": "not-me", "detail": SECRET}
    )
    timeline.append({"at": "2026-05-04T14:04:01Z", "kind": SECRET, "note": SECRET})
    user = document["user"] | {"name": SECRET, "login": f"{SECRET}@x.example", "account": SECRET}
    return document | {"user": user, "timeline": timeline}


@pytest.mark.parametrize("cause", sorted(STORIES))
def test_a_draft_of_any_case_passes_the_check_and_names_nobody(cause: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"

    file.write_text(draft(decode_case(marked(STORIES[cause].document)), CARDS), "utf-8")

    text = file.read_text("utf-8")
    told = read_scenario(file, CARDS)
    assert told.scenario.product == STORIES[cause].product
    assert SECRET not in text
    assert "203.0.113.199" not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_the_desk_comes_to_the_same_cause_in_the_draft(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(draft(decode_case(STORIES["D2"].document), CARDS), "utf-8")
    told = read_scenario(file, CARDS)

    played = Played(tmp_path / "world", told, told.scenario.model)

    assert played.lines("saw")[-1].causes[0][0] == "D2"


def test_a_case_in_which_nothing_happened_is_refused() -> None:
    empty = STORIES["D2"].document | {"timeline": []}

    with pytest.raises(BadInput, match="nothing in it says"):
        draft(decode_case(empty), CARDS)


def test_the_command_begins_a_file_and_writes_over_none(tmp_path: Path, capsys: Any) -> None:
    case, out = tmp_path / "case.json", tmp_path / "mine.toml"
    case.write_text(json.dumps(STORIES["D2"].document), "utf-8")

    codes = [
        main(["train", "new", str(case), "--out", str(out)]),
        main(["train", "new", str(case), "--out", str(out)]),
    ]

    assert codes == [0, 2]
    assert "is there already" in capsys.readouterr().err


def test_what_is_still_to_be_written_is_named_until_it_is(tmp_path: Path, capsys: Any) -> None:
    case, out = tmp_path / "case.json", tmp_path / "mine.toml"
    case.write_text(json.dumps(STORIES["D2"].document), "utf-8")
    main(["train", "new", str(case), "--out", str(out)])

    begun = main(["train", "check", str(out)])
    out.write_text(re.sub(r'"<[^"<>]+>"', '"written"', out.read_text("utf-8")), "utf-8")
    written = main(["train", "check", str(out)])

    found = capsys.readouterr()
    assert (begun, written) == (2, 0)
    assert "title: is still to be written: <a title>" in found.err
    assert "mine.toml: right. written" in found.out


def test_without_a_terminal_play_says_what_to_do(capsys: Any) -> None:
    code = main(["train", "play", "the-second-mail"])

    assert code == 2
    assert "needs a terminal" in capsys.readouterr().err
