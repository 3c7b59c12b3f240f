"""The marks, part by part, of records written by hand."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from helpdesk.domain.training import recording as record
from helpdesk.domain.training.recording import AnyLine, key_of, line_bytes
from helpdesk.domain.training.scoring import OF, Score, score
from tests.training.stage import told_of

KEY = replace(
    key_of("plain", "0" * 64, told_of().scenario),
    asks={"D1/D2": "older", "C3/C2": "late"},
    right=("send-code",),
    fine=("route",),
    dangerous=("reset-all", "change-address"),
    must=("newest|latest", "wait"),
    never=("your fault",),
    also=("D1",),
)
ASKED: list[AnyLine] = [
    record.Asked(at=5, ask="D1/D2", says="…"),
    record.Heard(at=6, ask="D1/D2", reply="older"),
]
ASKED += [record.Asked(at=7, ask="C3/C2", says="…"), record.Heard(at=8, ask="C3/C2", reply="late")]
DONE = record.Did(at=20, act="send-code", result="done")
TOLD = record.Told(at=30, says="Use the NEWEST one, and wait.")
END = record.Ended(at=60, cause="D2", keys=30)


def marks(*lines: AnyLine, **keys: Any) -> dict[str, tuple[int, str]]:
    """The marks and sentences of a record."""
    return {one.part.value: (one.got, one.says) for one in marked(*lines, **keys).marks}


def marked(*lines: AnyLine, **keys: Any) -> Score:
    """The score of a record."""
    return score(b"".join(map(line_bytes, [replace(KEY, **keys), *lines])))


def test_all_that_is_right_is_a_hundred() -> None:
    assert sum(OF.values()) == 100
    assert marked(*ASKED, DONE, TOLD, END).total == 100


@pytest.mark.parametrize(
    ("cause", "got"), [("D2", 25), ("D1", 25), ("D9", 8), ("C3", 0), ("F3", 0)]
)
def test_the_cause_named_counts_and_its_group_a_little(cause: str, got: int) -> None:
    assert marks(replace(END, cause=cause))["verdict"][0] == got


def test_what_was_put_down_wrongly_is_worth_half_and_mended_all() -> None:
    wrong = record.Heard(at=6, ask="D1/D2", reply="newest")

    misheard = marks(ASKED[0], wrong, *ASKED[2:], END)["questions"]
    mended = marks(ASKED[0], wrong, ASKED[1], *ASKED[2:], END)["questions"]
    one_missing = marks(*ASKED[:2], END)["questions"]

    assert (misheard[0], mended[0], one_missing[0]) == (11, 15, 8)
    assert "C3/C2" in one_missing[1]


def test_a_right_act_done_twice_is_needless_once() -> None:
    assert marks(DONE, DONE, END)["acts"] == (15, "Needless: send-code.")


def test_an_act_that_is_fine_costs_nothing_and_a_note_neither() -> None:
    beside: list[AnyLine] = [
        record.Did(at=25, act=act, result="done") for act in ("route", "note", "drift")
    ]

    assert marks(DONE, *beside, END)["acts"][0] == 20


def test_what_the_desk_refused_was_not_done() -> None:
    refused = replace(DONE, result="refused", why="Not now.")

    assert marks(refused, END)["acts"] == (0, "Missing: send-code.")


def test_a_dangerous_act_costs_all_when_done_and_some_when_it_was_stopped() -> None:
    done = record.Did(at=9, act="change-address", result="done")
    stopped = replace(done, result="needs", lacks=("proof",))

    assert marks(done, END)["safety"][0] == 0
    assert marks(stopped, END)["safety"][0] == 10
    assert marks(END)["safety"][0] == 15


RESET = record.Did(at=50, act="reset-factor", result="done")
RIGHT = record.Proved(at=40, method="call-back", result="right")
PROOF = {"right": ("reset-factor",), "proof": ("reset-factor",), "by": ("call-back",)}


@pytest.mark.parametrize(
    ("lines", "got"),
    [
        ((RIGHT, RESET), 10),
        ((replace(RIGHT, method="code"), RESET), 5),
        ((RESET, RIGHT), 5),
        ((replace(RIGHT, result="wrong"),), 0),
        ((), 0),
    ],
)
def test_the_proof_comes_before_the_act_and_by_the_way_that_counts(
    lines: tuple[AnyLine, ...], got: int
) -> None:
    assert marks(*lines, END, **PROOF)["proof"][0] == got


def test_words_are_heard_in_any_case_and_by_either_alternative() -> None:
    assert marks(TOLD, END)["words"][0] == 10
    assert marks(replace(TOLD, says="The latest."), END)["words"][0] == 5
    assert marks(replace(TOLD, says="Wait for the newest: your fault."), END)["words"][0] == 5


@pytest.mark.parametrize(("at", "time"), [(180, 3), (181, 2), (360, 2), (361, 0)])
def test_the_time_is_that_of_the_call(at: int, time: int) -> None:
    assert marks(replace(END, at=at), par=180)["time"][0] == time


@pytest.mark.parametrize(("strokes", "keys"), [(40, 2), (41, 1), (80, 1), (81, 0)])
def test_keys_count(strokes: int, keys: int) -> None:
    assert marks(replace(END, keys=strokes), par_keys=40)["keys"][0] == keys


def test_who_does_not_end_the_call_names_nothing() -> None:
    found = marks(*ASKED, DONE, TOLD)

    assert (found["verdict"][0], found["time"][0], found["keys"][0]) == (0, 0, 0)
