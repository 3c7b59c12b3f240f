"""The commands about the desk's own record, and what must never stand in what they give."""

from __future__ import annotations

import csv
import io
import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pyotp
import pytest

from helpdesk import answers
from helpdesk.cli import joined
from helpdesk.crashes import log_path
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import ACCEPT, DISOWNED, LOOK, TITLES, UNDO, LogRow, Result
from helpdesk.domain.chain import Entry, sealed
from helpdesk.domain.checkpoints import ORIGIN
from helpdesk.stores.keys import Keys
from helpdesk.stores.private import private_file
from tests.conftest import NOW, OFF, Run, prove

Act = Callable[[], None]


@pytest.fixture
def wrong_log(run: Run, sample_file: Path) -> Path:
    """The sample's file after an act, with a row changed by somebody."""
    run(*OFF)
    text = sample_file.read_text("utf-8")
    sample_file.write_text(text.replace('\\"agent\\":\\"sam\\"', '\\"agent\\":\\"lee\\"'), "utf-8")
    return sample_file


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("log", ["log"]),
        ("log verify", ["log verify"]),
        ("--desk x --as lead log export --out y", ["--desk", "x", "--as", "lead", "log export"]),
        ("--desk=x log erase", ["--desk=x", "log erase"]),
        ("log verified", ["log", "verified"]),
        ("find log verify", ["find", "log", "verify"]),
        ("--desk log verify", ["--desk", "log", "verify"]),
        ("", []),
    ],
)
def test_log_verify_and_its_like_are_commands(typed: str, means: list[str]) -> None:
    assert joined(typed.split())[: len(means)] == means


def test_any_other_word_is_looked_for_in_the_log(run: Run) -> None:
    run(*OFF)

    assert "1 in all" in run("log", "sam")[1]
    assert "Nothing found" in run("log", "dana")[1]


def test_the_log_names_its_columns_the_ticket_and_the_reason(run: Run, turn_off: Act) -> None:
    turn_off()

    head, *rows = run("log")[1].splitlines()

    assert head.split() == ["ROW", "AT", "AGENT", "ACT", "USER", "TICKET", "RESULT", "SAYS"]
    done = next(row for row in rows if "turn-off-mfa" in row and " done " in row)
    assert "#4821" in done
    assert done.endswith("Reason: asked")


def test_every_act_that_stands_in_the_log_has_a_title(run: Run, turn_off: Act) -> None:
    turn_off()
    run("log", "export", "--clear", "--as", "ari")
    run("log", "erase", "--before", "2999-01-01", "--as", "lead")

    rows = json.loads(run("log", "--json", "--limit", "100")[1])["rows"]

    acts = {row["act"] for row in rows}
    assert {"prove", "approve", "turn-off-mfa", "export-log", "erase-log"} <= acts
    assert [act for act in acts | {ACCEPT, UNDO, LOOK, DISOWNED} if act not in TITLES] == []


def test_a_request_says_in_words_what_is_agreed_to(run: Run) -> None:
    prove(run, "u1", "4821", "sam")
    run(*OFF)

    said = run("approvals", "--as", "lee")[1]

    assert "reason: asked, ticket: 4821" in said
    assert "{" not in said


def test_a_sound_log_is_verified(run: Run) -> None:
    run(*OFF)

    code, out, err = run("log", "verify")

    assert (code, err) == (0, "")
    assert out.startswith("The log is sound.\nProven:\n")
    assert "Not proven:" in out


def test_a_changed_log_ends_with_seven_and_warns_at_every_command(
    run: Run, wrong_log: Path
) -> None:  # fmt: skip
    code, out, _ = run("log", "verify")
    _, _, err = run("find")

    assert code == 7
    assert out.startswith("THE LOG IS NOT WHAT IT WAS.\nBroken:\n  Row 1: it was changed")
    assert "helpdesk: WARNING: The checkpoint this console holds" in err


def test_verifying_answers_in_json(run: Run, wrong_log: Path) -> None:
    code, out, _ = run("log", "verify", "--json")

    answer = json.loads(out)
    jsonschema.validate(answer, answers.schema("log-verify"))
    assert (code, answer["is_sound"], answer["rows"]) == (7, False, 1)


def test_no_checkpoint_is_given_of_a_changed_log(run: Run, wrong_log: Path) -> None:
    code, _, err = run("log", "checkpoint")

    assert code == 7
    assert "other rows" in err


def test_a_checkpoint_kept_elsewhere_is_compared(run: Run, tmp_path: Path) -> None:
    run(*OFF)
    kept = tmp_path / "kept.txt"
    kept.write_text(run("log", "checkpoint")[1], "utf-8")
    key = run("log", "checkpoint", "--key")[1].strip()
    run("perform", "note", "u1", "--set", "text=called")

    code, out, _ = run("log", "verify", "--checkpoint", str(kept), "--key", key)
    bad, _, err = run("log", "verify", "--checkpoint", str(tmp_path / "none.txt"))
    other = tmp_path / "other.txt"
    other.write_text("not a checkpoint", "utf-8")
    broken, _, why = run("log", "verify", "--checkpoint", str(other))

    assert code == 0
    assert "The checkpoint given fits: its 1 row is, unchanged, the first of this log." in out
    assert (bad, broken) == (2, 2)
    assert "none.txt: cannot be read" in err
    assert "other.txt: holds no checkpoint. A checkpoint has three lines" in why


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"helpdesk/log/1\nmany\nAAAA\n\n", b"[1, 2]", b"\n" * 20_000],
    ids=["empty", "binary", "no number", "JSON", "blank"],
)
def test_a_file_without_a_checkpoint_is_bad_input(run: Run, tmp_path: Path, data: bytes) -> None:
    run(*OFF)
    kept = tmp_path / "kept.txt"
    kept.write_bytes(data)

    code, out, err = run("log", "verify", "--checkpoint", str(kept))

    assert (code, out) == (2, "")
    assert "kept.txt: holds no checkpoint. " in err


def test_starting_over_on_purpose_is_no_attack(run: Run) -> None:
    user = json.loads(run("find", "--json", desk="demo")[1])["rows"][0]["id"]
    run("perform", "note", user, "--set", "text=called", desk="demo")

    run("fixture", "reset")
    _, _, err = run("find", desk="demo")

    assert err == ""


def test_a_copy_put_back_is_told(run: Run, sample_file: Path) -> None:
    before = sample_file.read_bytes()
    run(*OFF)
    sample_file.write_bytes(before)

    _, _, err = run("find")

    assert "is of 1 row, and the log has 0: rows were cut off, an older copy" in err


def test_a_copy_put_back_on_purpose_is_accepted_by_a_lead(run: Run, sample_file: Path) -> None:
    before = sample_file.read_bytes()
    run(*OFF)
    sample_file.write_bytes(before)

    refused, _, warned = run("log", "accept", "--reason", "the backup was put back")
    accepted, said, _ = run("log", "accept", "--reason", "the backup was put back", "--as", "lead")
    needless, _, err = run("log", "accept", "--reason", "once more", "--as", "lead")
    wrong, _, _ = run("log", "accept", "--as", "lead")

    assert (refused, accepted, needless, wrong) == (3, 0, 3, 2)
    assert "Only a lead may do that" in warned
    assert "0 rows, root 47DEQpj8HBSa" in said
    assert "in the place of the one this console saw" in said
    assert "there is nothing to accept" in err
    assert run("find")[2] == ""


def test_log_and_provider_are_held_against_each_other(
    run: Run, turn_off: Act, sample_file: Path
) -> None:
    turn_off()

    row = json.loads(run("log", "turn-off-mfa", "--json")[1])["rows"][0]["seq"]
    code, out, err = run("log", "reconcile")
    refused, _, _ = run("log", "reconcile", "--as", "pia")
    tables = json.loads(sample_file.read_text("utf-8"))
    tables["outbox"] = {}
    sample_file.write_text(json.dumps(tables), "utf-8")
    wrong, told, _ = run("log", "reconcile")
    _, answer, _ = run("log", "reconcile", "--json")

    assert (code, refused, wrong, err) == (0, 3, 7, "")
    assert out.startswith("The log and the provider tell the same.\nThe same:\n  1 change")
    assert told.startswith(
        "THE LOG AND THE PROVIDER DO NOT TELL THE SAME.\nDifferent:\n"
        f"  Row {row} (turn-off-mfa of u1): there is no notice of it; nobody was told.\n"
        "Not compared:\n"
    )
    jsonschema.validate(json.loads(answer), answers.schema("log-reconcile"))


def test_on_the_demo_all_that_is_not_from_before_the_log_belongs_together(run: Run) -> None:
    fresh, first, _ = run("log", "reconcile", desk="demo")
    done, _, _ = run("perform", "suspend-factor", "u84", "--factor", "f2", desk="demo")
    code, out, _ = run("log", "reconcile", desk="demo")

    assert (fresh, done, code) == (0, 0, 0)
    for text in (first, out):
        assert "2 changes by agents at the provider are from before the log began." in text
    assert "1 change at the provider and 1 row" in out


def test_the_log_is_exported(run: Run, tmp_path: Path) -> None:
    run(*OFF)
    out = tmp_path / "log.csv"

    code, lines, _ = run("log", "export")
    _, said, _ = run(
        "log", "export", "--format", "csv", "--out", str(out), "--clear", "--as", "ari"
    )
    _, table, _ = run("log", "export", "--format", "csv")
    refused, _, err = run("log", "export", "--clear")
    wrong, _, _ = run("log", "export", "--out", str(tmp_path))

    assert (code, refused, wrong) == (0, 3, 2)
    assert [json.loads(line)["act"] for line in lines.splitlines()] == ["turn-off-mfa"]
    assert "2 rows, with personal data" in said
    assert table.splitlines()[0].endswith('"factor"')
    assert next(csv.DictReader(io.StringIO(table)))["act"] == "turn-off-mfa"
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [(row["act"], row["user"]) for row in rows] == [
        ("turn-off-mfa", "u1"),
        ("export-log", ""),
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "Only a lead or an auditor may do that; you are a support agent." in err


def test_personal_data_is_erased_by_age(run: Run) -> None:
    run(*OFF)

    early, out, _ = run("log", "erase", "--before", "2026-01-01", "--as", "lead")
    done, told, _ = run("log", "erase", "--before", "2999-01-01", "--as", "lead")
    wrong, _, err = run("log", "erase", "--before", "yesterday", "--as", "lead")

    assert (early, done, wrong) == (0, 0, 2)
    assert "any more: 0 rows of the log, 0 notices" in out
    assert told.startswith("Before 2999-01-01 no personal data any more: 2 rows of the log, ")
    assert "yesterday is not a day" in err
    assert "u1" not in run("log")[1].replace("turn", "")
    assert run("log", "verify")[0] == 0


def test_the_tray_shows_who_was_told(run: Run, turn_off: Act) -> None:
    turn_off()

    code, out, _ = run("tray", "u1")
    _, answer, _ = run("tray", "--json")
    _, nothing, _ = run("tray", "u2")

    assert code == 0
    assert "m•••@rao.example" in out
    row = json.loads(run("log", "turn-off-mfa", "--json")[1])["rows"][0]["seq"]
    assert f"this wasn't me, reference {row}" in out
    assert "900123" not in out + answer
    jsonschema.validate(json.loads(answer), answers.schema("tray"))
    assert "Nothing found" in nothing


def test_a_bundle_is_said_and_written(run: Run, turn_off: Act, tmp_path: Path) -> None:
    turn_off()

    code, text, _ = run("bundle", "u1", "--said", "D1/D2=later")
    _, answer, _ = run("bundle", "u1", "--json")
    _, files, _ = run("bundle", "u1", "--out", str(tmp_path / "out"))
    wrong, _, _ = run("bundle", "u1", "--said", "later")
    case = next((tmp_path / "out").glob("*.case.json"))
    again, verdict, _ = run("why", "--case", str(case), "--json")

    assert (code, wrong, again) == (0, 2, 0)
    assert text.startswith("# Mayank Rao (u1), Rao Retail, ")
    assert "turn-off-mfa done ticket 4821" in text
    jsonschema.validate(json.loads(answer), answers.schema("bundle"))
    jsonschema.validate(json.loads(case.read_text("utf-8")), answers.schema("case"))
    assert len(files.splitlines()) == 3
    whole, all_of_them, err = run("why", "--cases", str(tmp_path / "out"))
    assert (whole, err, len(all_of_them.splitlines())) == (0, "", 1)
    case.unlink()
    lone, held, err = run("why", "--cases", str(tmp_path / "out"))
    assert (lone, err, len(held.splitlines())) == (0, "", 1)
    live = json.loads(run("why", "u1", "--json")[1])
    assert json.loads(verdict)["causes"][0]["id"] == live["causes"][0]["id"]


def test_mail_is_set_up_in_the_settings(run: Run, turn_off: Act, places: Path) -> None:
    (places / "config").mkdir()
    settings = places / "config" / "helpdesk.toml"
    settings.write_text('[mail]\nserver = "ftp://x"\nsender = "desk@helpdesk.example"\n', "utf-8")

    wrong, _, err = run("find")
    demo, _, _ = run("find", desk="demo")
    settings.write_text(
        '[mail]\nserver = "smtp://127.0.0.1:9"\nsender = "desk@helpdesk.example"\n'
        'contact = "Call 020 7946 0000"\n',
        "utf-8",
    )
    turn_off()
    _, told, _ = run("tray", "u1")

    assert (wrong, demo) == (2, 0)
    assert "ftp://x is no mail server" in err
    assert "waiting The mail server 127.0.0.1 cannot be reached" in told
    assert "Call 020 7946 0000 and say: this wasn't me" in told


# Canaries: what is secret or personal is planted, and every byte that comes out is searched.


@pytest.fixture
def planted(run: Run, sample_file: Path) -> dict[str, str]:
    """Secrets that the desk made or was told, by what they are."""
    prove(run, "u2", "4822", "dana", "--channel", "u2-f1")
    made = json.loads(
        run("perform", "enrol-totp", "u2", "--reason", "new phone", "--ticket", "4822", "--json")[1]
    )
    key = made["handover"]["secret"]
    code = pyotp.TOTP(key).now()
    run("perform", "enrol-totp", "u2", "--reason", "n", "--ticket", "4822", "--set", f"code={code}")
    drift = "918273"
    run("drift", "u2", drift, "--factor", "u2-f2")
    run("prove", "u2", "--method", "code", "--channel", "u2-f1", "--ticket", "4822")
    asked = json.loads(run("phone", "u2", "--json")[1])[0]["secret"]
    wrong = f"{(int(asked) + 1) % 1_000_000:06d}"
    run("prove", "u2", "--answer", wrong)
    proven = run("prove", "u2", "--answer", asked)
    passed = json.loads(
        run(
            "perform", "temporary-pass", "u2", "--reason", "on a journey", "--ticket", "4822",
            "--json",
        )[1]
    )  # fmt: skip
    assert proven[0] == 0, proven
    return {
        "key": key,
        "code read back": asked,
        "code misread": wrong,
        "pass": passed["handover"]["secret"],
        "first code": code,
        "drift code": drift,
        "mobile": "900124",
        "login": "ada@lakes",
    }


def every_output(run: Run, where: Path) -> dict[str, str]:
    """Return all that the desk says about a user without being asked for clear data."""
    said: dict[str, str] = {}
    for command in (
        ["log"], ["log", "look"], ["log", "--json"], ["log", "verify"], ["log", "checkpoint"],
        ["log", "export"], ["log", "export", "--format", "csv"], ["tray"], ["tray", "--json"],
        ["bundle", "u2"], ["bundle", "u2", "--json"], ["bundle", "u2", "--out", str(where)],
        ["case", "u2"], ["case", "u2", "--json"], ["why", "u2"], ["why", "u2", "--json"],
        ["approvals"], ["approvals", "--json"], ["holds", "--json"], ["alarms", "--json"],
        ["log", "reconcile"], ["log", "export", "--clear", "--as", "lead"],
        ["prove", "u2"], ["prove", "u2", "--json"], ["find"], ["find", "--json"], ["challenges"],
    ):  # fmt: skip
        _, out, err = run(*command)
        said[" ".join(command)] = out + err
    for file in where.iterdir():
        said[file.name] = file.read_text("utf-8")
    return said


def test_no_secret_and_no_address_stands_in_what_comes_out(
    run: Run, planted: dict[str, str], tmp_path: Path
) -> None:  # fmt: skip
    said = every_output(run, tmp_path / "bundle")

    clear = "log export --clear --as lead"  # asked for and recorded: addresses, never a secret
    found = [
        (where, what)
        for where, text in said.items()
        for what, it in planted.items()
        if it in text and not (where == clear and what in {"mobile", "login"})
    ]
    assert found == []
    assert "a code read back (strong)" in said["bundle u2"]


def test_no_code_and_no_pass_stands_in_any_file(
    run: Run, planted: dict[str, str], sample_file: Path, places: Path
) -> None:  # fmt: skip
    every_output(run, places / "bundle")

    for file in (path for path in places.rglob("*") if path.is_file()):
        data = file.read_bytes()
        for what in ("first code", "drift code", "code read back", "code misread", "pass"):
            assert planted[what].encode() not in data, (file.name, what)
        if file.name not in {"sample.json", "sample.json.bak"}:  # the provider keeps its keys
            assert planted["key"].encode() not in data, file.name
    tables = json.loads(sample_file.read_text("utf-8"))
    own = json.dumps({t: tables[t] for t in ("log", "checkpoints")})
    assert planted["key"] not in own


def test_a_crash_tells_nothing_of_what_it_held(
    run: Run,
    planted: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def fails(*given: Any, **more: Any) -> Callable[[], None]:
        raise ValueError(" ".join(planted.values()))

    with monkeypatch.context() as broken:
        broken.setattr(json, "dumps", fails)
        code, out, err = run("tray", "--json")

    told = out + err + log_path().read_text("utf-8")
    assert code == 1
    assert "ValueError" in told
    assert not any(it in told for it in planted.values())


def test_an_export_that_is_interrupted_says_so_and_ends_as_interrupted(
    sample_file: Path, places: Path
) -> None:
    lengthen(sample_file, Keys(places / "data"), rows=4_100)
    command = [sys.executable, "-m", "helpdesk", "--desk", str(sample_file), "log", "export"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        begun = export.stdout.read(1)  # the rest does not fit into a pipe: it waits
        export.send_signal(signal.SIGINT)
        _, told = export.communicate()

    assert begun == b"{"
    assert b"Interrupted: 2,000 rows were exported" in told
    assert b"Traceback" not in told
    assert export.returncode == 130


def lengthen(file: Path, keys: Keys, *, rows: int) -> None:
    """Let a file have a log of so many rows."""
    tables = json.loads(file.read_text("utf-8"))
    made: list[Entry] = []
    for seq in range(1, rows + 1):
        row = LogRow(
            seq=seq, at=NOW, agent="sam", role=Role.SUPPORT, act="look", user="u1",
            result=Result.DONE,
        )  # fmt: skip
        before = made[-1] if made else None
        made.append(sealed(row, before, keys, salt=f"{seq:032x}", log=f"{ORIGIN}1"))
    tables["log"] = {str(n): msgspec.to_builtins(one) for n, one in enumerate(made, 1)}
    file.write_text(json.dumps(tables), "utf-8")


def test_a_file_that_is_interrupted_while_it_is_written_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "log.jsonl"

    with pytest.raises(KeyboardInterrupt), private_file(path) as file:
        file.write(b"half of it")
        raise KeyboardInterrupt

    assert [*path.parent.iterdir()] == []
