"""A play: the real desk in a world of its own, the same every time, nothing real within reach."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.errors import BadFile
from helpdesk.domain.training.recording import read_record
from helpdesk.domain.training.scoring import score
from helpdesk.staging import open_stage
from tests.factories import CARDS
from tests.training.stage import PLAIN, Played, bundled, changed, steps, told_of

END = {"at": "4m", "end": "D2"}
SEND = {"act": "send-code"}


def test_the_same_acts_give_the_same_bytes_at_once_and_sixty_times_as_fast(tmp_path: Path) -> None:
    told = told_of(faults=[{"kind": "late-mail", "at": "10s"}])
    way = steps(SEND | {"at": "61s"}, {"at": "90s", "say": "Wait."}, {"at": "5m", "end": "D2"})

    slow = Played(tmp_path / "1", told, way, tick_s=1)
    fast = Played(tmp_path / "60", told, way, tick_s=60)

    assert slow.record == fast.record
    assert slow.record.count(b"\n") > 8


def test_the_record_alone_is_enough_for_the_marks(tmp_path: Path) -> None:
    played = Played(tmp_path / "world", told_of(), told_of().scenario.model)

    assert score(played.record) == played.score


def test_a_record_cut_off_in_the_middle_of_a_line_is_read_up_to_there(tmp_path: Path) -> None:
    played = Played(tmp_path / "world", told_of(), told_of().scenario.model)

    record = read_record(played.record[:-7])

    assert len(record.lines) == len(played.stage.lines) - 1
    assert score(played.record[:-7]).named == ""


@pytest.mark.parametrize(
    "name", ["the-line-goes-down", "turn-it-off", "is-it-only-me", "the-director-has-no-time"]
)
def test_a_bundled_scenario_plays_identically_at_any_speed(name: str, tmp_path: Path) -> None:
    told = bundled(name)

    slow = Played(tmp_path / "1", told, told.scenario.model, tick_s=1)
    fast = Played(tmp_path / "60", told, told.scenario.model, tick_s=60)

    assert slow.record == fast.record


async def test_the_numbers_a_caller_reads_are_those_of_their_phone(tmp_path: Path) -> None:
    told = bundled("the-fast-phone")
    stage = open_stage(told, CARDS, tmp_path, lambda line: None)
    await stage.begin()

    says = await stage.ask("D4/D5")

    first, second = re.findall(r"\d{6}", says)
    drift = await stage.desk.drift("t1", "", [first, second])
    assert drift.offset_s is not None
    assert 60 <= drift.offset_s <= 124
    await stage.desk.settle()


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"", "line 1"), (b"{}\n", "line 1"), (b'{"what":"told","at":1,"says":"x"}\n', "line 1")],
)
def test_what_is_no_record_is_refused(data: bytes, place: str) -> None:
    with pytest.raises(BadFile) as refused:
        score(data)

    assert refused.value.place == place


def test_what_happens_later_is_seen_at_the_desk_when_it_has_happened(tmp_path: Path) -> None:
    then = [{"at": "50s", "kind": "lock", "from": "0s", "until": "20m", "failures": 5}]

    played = Played(tmp_path / "world", told_of(then=then), steps(END))

    (came,) = played.lines("came")
    assert (came.at, came.event["kind"]) == (50, "lock")
    assert [saw.at for saw in played.lines("saw")][-1] == 50


def test_an_answer_of_the_world_follows_an_act(tmp_path: Path) -> None:
    then = [{"after": "send-code", "in": "25s", "kind": "answer", "challenge": "c1", "ok": True}]
    aside = [{"after": "send-code", "in": "30s", "says": "I am in!"}]
    caller = changed()["caller"] | {"meanwhile": aside}

    played = Played(
        tmp_path / "world", told_of(then=then, caller=caller), steps(SEND | {"at": "10s"}, END)
    )

    assert [came.at for came in played.lines("came")] == [35]
    assert (40, "I am in!") in [(said.at, said.says) for said in played.lines("said")]


def test_late_mail_is_deferred_and_delivered_when_it_is_due(tmp_path: Path) -> None:
    told = told_of(faults=[{"kind": "late-mail", "at": "0s", "delay": "70s"}], then=[])

    played = Played(tmp_path / "world", told, steps(SEND | {"at": "20s"}, END))

    (came,) = played.lines("came")
    assert (came.at, came.event["state"]) == (90, "delivered")


def test_too_many_requests_are_refused_until_they_are_taken_again(tmp_path: Path) -> None:
    told = told_of(faults=[{"kind": "too-many", "at": "0s", "lasts": "60s"}])

    played = Played(
        tmp_path / "world", told, steps(SEND | {"at": "20s"}, SEND | {"at": "80s"}, END)
    )

    assert [(did.result, did.lacks) for did in played.lines("did")] == [
        ("needs", ("wait",)),
        ("done", ()),
    ]


def test_while_the_line_is_down_nothing_is_done(tmp_path: Path) -> None:
    told = told_of(faults=[{"kind": "line-down", "at": "10s", "lasts": "60s"}])

    played = Played(
        tmp_path / "world", told, steps(SEND | {"at": "20s"}, SEND | {"at": "80s"}, END)
    )

    assert [did.result for did in played.lines("did")] == ["failed", "done"]
    assert "line to the desk is down" in played.lines("did")[0].why


def test_the_first_act_meets_a_conflict_and_the_second_does_not(tmp_path: Path) -> None:
    told = told_of(faults=[{"kind": "conflict", "at": "0s", "lasts": "4m"}])

    played = Played(
        tmp_path / "world", told, steps(SEND | {"at": "20s"}, SEND | {"at": "80s"}, END)
    )

    assert [did.result for did in played.lines("did")] == ["failed", "done"]


PROOF = {"prove": "code"}


def test_the_person_is_proven_and_the_attacker_is_not(tmp_path: Path) -> None:
    told, attacker = told_of(), told_of(caller=changed()["caller"] | {"is_attacker": True})
    way = steps(PROOF | {"at": "20s"}, END)

    person = Played(tmp_path / "person", told, way)
    thief = Played(tmp_path / "thief", attacker, way)

    assert [one.result for one in person.lines("proved")] == ["asked", "right"]
    assert [one.result for one in thief.lines("proved")] == ["asked", "wrong"]


def test_the_real_desk_decides_what_an_act_lacks(tmp_path: Path) -> None:
    change = {"act": "change-address", "set": {"address": "new@agency.example"}}

    played = Played(tmp_path / "world", told_of(), steps(change | {"at": "20s"}, END))

    assert [did.lacks for did in played.lines("did")] == [("proof",)]


NETWORK = """
import socket, sys
from pathlib import Path

def watch(event, found):
    is_local = event in ("socket.__new__",) and found[1] == socket.AF_UNIX
    if event.startswith("socket.") and not is_local:
        raise SystemExit(f"reached out: {event} {found}")

sys.addaudithook(watch)
from tests.training.stage import Played, bundled
told = bundled("the-second-mail")
played = Played(Path(sys.argv[1]), told, told.scenario.bad.steps)
assert played.score.total < 100
assert not {"httpx", "smtplib", "aiohttp"} & set(sys.modules), "a way out was loaded"
"""


def test_nothing_outside_can_be_reached(tmp_path: Path) -> None:
    home = tmp_path / "home"

    done = subprocess.run(
        [sys.executable, "-c", NETWORK, str(tmp_path / "world")],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(PLAIN.parents[2]),
            "HELPDESK_DATA_DIR": str(home / "data"),
            "HELPDESK_CONFIG_DIR": str(home / "config"),
        },
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert not home.exists()


def test_all_that_a_play_writes_lies_in_its_own_place(tmp_path: Path) -> None:
    told: Any = bundled("the-second-mail")
    Played(tmp_path / "one", told, told.scenario.model)

    before = {path: path.read_bytes() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    Played(tmp_path / "two", told, told.scenario.bad.steps)

    after = {path: path.read_bytes() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert after == before
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}
