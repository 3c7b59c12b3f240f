"""Every JSON answer of the command line is of the schema that is published for it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pyotp
import pytest

from helpdesk import answers
from helpdesk.cli import parser
from tests.conftest import Run, prove

OF_COMMAND = {
    "find": {"find"},
    "challenges": {"challenges"},
    "loops": {"loops"},
    "tickets": {"tickets"},
    "log": {"log"},
    "log verify": {"log-verify"},
    "log reconcile": {"log-reconcile"},
    "case": {"case-user", "original"},
    "perform": {"perform", "preview"},
    "why": {"why", "verdict"},
    "drift": {"drift"},
    "prove": {"ways", "asking", "proof"},
    "approvals": {"approvals"},
    "approve": {"approval"},
    "alarms": {"alarms"},
    "train score": {"train-score"},
    "doctor": {"doctor"},
    "holds": {"holds"},
    "undo": {"hold"},
    "phone": {"phone"},
    "tray": {"tray"},
    "bundle": {"bundle"},
}
"""What each command with `--json` answers with, by the name of its schema."""

ELSEWHERE = {"failure", "card", "case", "log-export"}
"""Schemas of what is no answer to `--json`: a failure, a product's card, two files."""

OFF = ("u1", "--reason", "asked", "--ticket", "4821", "--as", "sam")


def with_json(of: argparse.ArgumentParser, name: str = "") -> Iterator[str]:
    """Give the commands that answer in JSON."""
    for action in of._actions:
        if "--json" in action.option_strings:
            yield name.strip()
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from with_json(command, f"{name} {word}")


def strict(schema: Any) -> Any:
    """Return a schema that lets no key through which it does not name."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(part) for key, part in schema.items()}
    is_whole = isinstance(found.get("properties"), dict) and found.get("type") == "object"
    is_open = "additionalProperties" in found or set(found.get("required", ())) == {"at", "kind"}
    return found | {"additionalProperties": False} if is_whole and not is_open else found


def test_every_command_with_json_has_its_schema() -> None:
    assert sorted(with_json(parser())) == sorted(OF_COMMAND)
    named = set().union(*OF_COMMAND.values())
    assert named | ELSEWHERE == set(answers.SCHEMA_NAMES)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("find", ("find",)),
        ("challenges", ("challenges",)),
        ("doctor", ("doctor",)),
        ("loops", ("loops",)),
        ("tickets", ("tickets",)),
        ("log", ("log",)),
        ("log-verify", ("log", "verify")),
        ("log-reconcile", ("log", "reconcile")),
        ("case-user", ("case", "u1")),
        ("original", ("case", "u1", "--event", "e1")),
        ("preview", ("perform", "turn-off-mfa", *OFF, "--preview")),
        ("perform", ("perform", "temporary-pass", "u2", "--reason", "lost", "--ticket", "4822")),
        ("why", ("why", "u1")),
        ("drift", ("drift", "u2", "918273", "--factor", "u2-f2")),
        ("ways", ("prove", "u1", "--for", "reset-all")),
        ("asking", ("prove", "u1", "--method", "code", "--ticket", "4821")),
        ("approvals", ("approvals",)),
        ("alarms", ("alarms",)),
        ("holds", ("holds",)),
        ("phone", ("phone", "u2")),
        ("tray", ("tray",)),
        ("bundle", ("bundle", "u2")),
        ("failure", ("case", "nobody")),
        ("failure", ("perform", "reset-all", "u4", "--reason", "x", "--ticket", "4823")),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_an_answer_is_of_its_schema(
    run: Run, sample_file: Path, name: str, typed: tuple[str, ...]
) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    key = pyotp.random_base32()
    tables["secrets"] = {"1": {"user": "u2", "factor": "u2-f2", "totp": key, "note": "throw-away"}}
    sample_file.write_text(json.dumps(tables), "utf-8")
    run("perform", "note", "u1", "--set", "text=a call")
    prove(run, "u2", "4822", "dana", "--channel", "u2-f1")

    _, out, _ = run(*typed, "--json")

    jsonschema.validate(json.loads(out), strict(answers.schema(name)))


def test_a_proof_a_request_and_a_hold_are_of_their_schemas(run: Run, places: Path) -> None:
    (places / "config").mkdir(exist_ok=True)
    settings = places / "config" / "helpdesk.toml"
    settings.write_text("hold_minutes = 5\n", "utf-8")

    run("prove", "u1", "--method", "code", "--ticket", "4821", "--as", "sam")
    shown = json.loads(run("phone", "u1", "--json")[1])[-1]["secret"]
    _, proof, _ = run("prove", "u1", "--answer", shown, "--as", "sam", "--json")
    run("perform", "turn-off-mfa", *OFF)
    _, asked, _ = run("approvals", "--json")
    request = json.loads(asked)[0]["id"]
    _, approval, _ = run("approve", request, "--refuse", "--as", "lee", "--json")
    settings.write_text("prove_callers = false\nhold_minutes = 5\n", "utf-8")
    run("perform", "reset-factor", "u2", "--factor", "u2-f2", "--reason", "x", "--ticket", "4822")
    _, waiting, _ = run("holds", "--json")
    _, hold, _ = run("undo", json.loads(waiting)[0]["id"], "--json")

    for name, answer in (
        ("proof", proof),
        ("approvals", asked),
        ("approval", approval),
        ("holds", waiting),
        ("hold", hold),
    ):
        jsonschema.validate(json.loads(answer), strict(answers.schema(name)))


def test_what_is_printed_line_by_line_is_of_its_schema(run: Run, tmp_path: Path) -> None:
    run("perform", "note", "u1", "--set", "text=a call")
    run("bundle", "u1", "--out", str(tmp_path / "out"))
    case = next((tmp_path / "out").glob("*.case.json"))

    _, one, _ = run("why", "--case", str(case), "--json")
    _, many, _ = run("why", "--cases", str(case.parent), "--json")
    _, rows, _ = run("log", "export")

    jsonschema.validate(json.loads(one), strict(answers.schema("verdict")))
    assert one in many.replace(case.name, str(case))
    for line in rows.splitlines():
        jsonschema.validate(json.loads(line), strict(answers.schema("log-export")))
