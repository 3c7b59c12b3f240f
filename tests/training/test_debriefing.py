"""The debrief and the table over a class: from records alone, each trainee by themselves."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from helpdesk import answers
from helpdesk.cli import main
from helpdesk.domain.errors import BadInput
from helpdesk.domain.training.debriefing import class_csv, replay, results
from helpdesk.domain.training.recording import read_record
from helpdesk.domain.training.scenario import Part
from helpdesk.domain.training.scoring import score
from helpdesk.stores.plays import Plays, trainees
from tests.training.stage import Played, bundled


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The director's call, played well and badly."""
    told = bundled("the-director-has-no-time")
    assert told.scenario.bad is not None
    place = tmp_path_factory.mktemp("worlds")
    good = Played(place / "good", told, told.scenario.model)
    bad = Played(place / "bad", told, told.scenario.bad.steps)
    return good.record, bad.record


def test_the_debrief_replays_the_call_with_what_was_known_when(records: Any) -> None:
    told = [(one.at, one.who, one.says) for one in replay(read_record(records[0]))]

    assert told[0][:2] == (0, "caller")
    known = [says for at, who, says in told if (at, who) == (0, "known")]
    assert known[0].startswith("F3 9")
    assert known[0].endswith("to ask: F3/lost phone")
    assert (50, "you", "call-back: not proven") in told
    assert (80, "you", "Flag: done") in told
    assert told[-1] == (110, "you", "named F3")
    assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)


def test_every_mark_says_in_a_sentence_why(records: Any) -> None:
    for data in records:
        for mark in score(data).marks:
            assert mark.says.endswith(".")
            assert 0 <= mark.got <= mark.of


def test_the_best_of_two_plays_stands_in_the_table(records: Any) -> None:
    good, bad = records

    (row,) = results("kim", [score(bad), score(good)])

    assert (row.trainee, row.plays, row.total, row.named) == ("kim", 2, 100, "F3")


def test_a_play_without_an_end_is_not_in_the_table(records: Any) -> None:
    cut = b"".join(records[0].splitlines(keepends=True)[:-1])

    assert results("kim", [score(cut)]) == []


def test_no_cell_of_the_table_is_a_formula(records: Any) -> None:
    (row,) = results("kim", [score(records[0].replace(b"The director has", b"=HYPERLINK("))])

    (_, cells) = csv.reader(io.StringIO(class_csv([row])))

    assert not any(cell.startswith("=") for cell in cells)
    assert len(cells) == len(row.__struct_fields__)


def keep(directory: Path, trainee: str, *kept: bytes) -> None:
    for data in kept:
        with Plays(directory, trainee).begun("the-director-has-no-time") as (_, write, _):
            write(data)


def test_trainees_of_one_machine_do_not_touch_each_other(records: Any, tmp_path: Path) -> None:
    keep(tmp_path, "kim", *records)
    keep(tmp_path, "robin", records[0])

    assert trainees(tmp_path) == ["kim", "robin"]
    assert [path.name for path in Plays(tmp_path, "kim").records()] == [
        "the-director-has-no-time.001.jsonl",
        "the-director-has-no-time.002.jsonl",
    ]
    assert len(Plays(tmp_path, "robin").records()) == 1


def test_the_world_of_a_play_is_thrown_away_and_its_record_stays(tmp_path: Path) -> None:
    plays = Plays(tmp_path, "kim")

    with plays.begun("mine") as (world, write, path):
        (world / "world.json").write_text("{}")
        write(b"line\n")

    assert path.read_bytes() == b"line\n"
    assert list(plays.directory.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65, "na\nme"])
def test_a_name_that_is_no_name_of_a_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no name of a trainee"):
        Plays(tmp_path, name)


def test_the_commands_list_score_and_tabulate(
    records: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path))
    keep(tmp_path / "training", "kim", *records)
    record = tmp_path / "training" / "kim" / "the-director-has-no-time.002.jsonl"

    assert main(["train", "--trainee", "kim"]) == 0
    listed = capsys.readouterr().out
    codes = [
        main(["train", "--trainee", "kim", "--trainer"]),
        main(["train", "score", str(record)]),
        main(["train", "class", "--format", "json"]),
    ]

    out = capsys.readouterr().out
    assert codes == [0, 0, 0]
    row = next(line for line in listed.splitlines() if "100 of 100" in line)
    assert "hard" in row
    assert row.endswith("Director locked out, new address needed")
    assert f"{row}  [the-director-has-no-time: F3, The director has no time]" in out
    assert "verdict      0 of 25" in out
    assert json.loads(out[out.index("[\n") :])[0]["total"] == 100


def test_marks_in_json_are_of_their_schema(
    records: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path))
    keep(tmp_path / "training", "kim", *records)
    record = tmp_path / "training" / "kim" / "the-director-has-no-time.001.jsonl"

    code = main(["train", "score", str(record), "--json"])

    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, answers.schema("train-score"))
    assert code == 0
    assert {mark["part"] for mark in answer["marks"]} == {part.value for part in Part}


def test_a_record_that_cannot_be_read_is_told_of_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path))
    keep(tmp_path / "training", "kim", b"not a record\n")

    code = main(["train", "class"])

    found = capsys.readouterr()
    assert code == 0
    assert "left out" in found.err
    assert found.out.startswith('"trainee","scenario"')
