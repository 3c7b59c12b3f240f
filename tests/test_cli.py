from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pyotp
import pytest

from helpdesk import __version__, answers, assets, commands
from helpdesk.assets import DEMO
from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.diagnosis.verdicts import RankedCause, Strength, Verdict
from helpdesk.plain.case import verdict_text
from helpdesk.stores.replica import Replica
from helpdesk.tui import themes
from tests.conftest import OFF, Run, prove


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """Run a command with `--json`; give exit code and what it answered, held against its schema."""

    def ask_it(*arguments: str) -> tuple[int, Any]:
        code, out, _ = run(*arguments, "--json")
        answer = json.loads(out)
        name = arguments[0] if code == 0 else "failure"
        if "--preview" in arguments:
            name = "preview"
        if name in answers.SCHEMAS:
            jsonschema.validate(answer, answers.schema(name))
        return code, answer

    return ask_it


def test_the_version_is_said(run: Run) -> None:
    code, out, _ = run("--version")

    assert (code, out) == (0, f"helpdesk {__version__}\n")


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    code, out, _ = run("--help")

    assert code == 0
    for word in (
        "find",
        "case",
        "challenges",
        "loops",
        "tickets",
        "log",
        "perform",
        "fixture",
        "schema",
    ):
        assert word in out
    assert "6 needs something first" in " ".join(out.split())


def test_help_of_perform_names_every_act(run: Run) -> None:
    _, out, _ = run("perform", "--help")

    for name in ACTIONS:
        assert f"  {name} " in out


@pytest.mark.parametrize("command", ["find", "challenges", "loops", "tickets", "log"])
def test_every_list_answers_in_json_and_in_text(
    run: Run, ask: Callable[..., Any], command: str
) -> None:
    run("perform", "unlock", "u4")

    code, answer = ask(command)
    text_code, text, _ = run(command)

    assert code == text_code == 0
    assert answer["total"] == len(answer["rows"]) > 0
    assert f"{answer['total']} in all" in text


def test_a_case_is_masked_and_speaks_the_case_format(run: Run, ask: Callable[..., Any]) -> None:
    code, case = ask("case", "u1")

    assert code == 0
    assert case["user"]["login"] == "m•••@rao.example"
    assert case["timeline"][0]["kind"] == "challenge"
    assert case["timeline"][0]["x-raw"] == "•••", "what nobody knows could be anything"
    assert "900123" not in json.dumps(case)
    assert "900123" not in run("case", "u1")[1]


def test_a_case_shows_notes_closed_tickets_and_what_the_desk_did(run: Run) -> None:
    run("perform", "take-ticket", "u1")
    run("perform", "note", "u1", "--set", "text=told to use the newest")
    run("perform", "close-ticket", "u1")
    run("perform", "note", "u1", "--set", "text=called once more")

    _, shown, _ = run("case", "u1")

    tickets, log = shown.split("\nTickets\n")[1].split("\nLog\n")
    assert ", closed\n    › told to use the newest" in tickets
    assert "dana  called once more" in log.split("\nMay I\n")[0]


def test_revealing_shows_it_and_is_in_the_log(run: Run, ask: Callable[..., Any]) -> None:
    code, answer = ask("perform", "reveal", "u1")

    assert code == 0
    assert answer["case"]["user"]["mobile"] == "+447700900123"
    assert answer["case"]["timeline"][0]["x-raw"] == {"kept": True}
    assert ask("log")[1]["rows"][0]["act"] == "reveal"


def test_a_refusal_exits_3_with_why_and_instead(ask: Callable[..., Any]) -> None:
    code, answer = ask("perform", "turn-off-mfa", "u1", "--reason", "asked", "--ticket", "4821")

    assert code == answer["exit"] == 3
    assert answer["result"] == "refused"
    assert "Sam Osei" in answer["why"] + answer["instead"]
    assert answer["rules"] == ["S3.14"]


def test_a_need_exits_6_and_lists_the_needs(ask: Callable[..., Any]) -> None:
    code, answer = ask("perform", "turn-off-mfa", "u1", "--as", "account-manager")

    assert code == answer["exit"] == 6
    needs = {need["what"]: need.get("choices", []) for need in answer["needs"]}
    assert list(needs) == ["proof", "reason", "ticket", "second-person"]
    assert needs["ticket"] == ["4821"]


def test_what_is_done_exits_0_and_changes_the_file(
    run: Run, ask: Callable[..., Any], sample_file: Path
) -> None:
    prove(run, "u2", "4822", "dana", "--channel", "u2-f1")
    wish = ("perform", "reset-factor", "u2", "--factor", "u2-f2", "--reason", "lost")

    code, answer = ask(*wish, "--ticket", "4822")

    assert (code, answer["result"]) == (0, "done")
    user = json.loads(sample_file.read_text("utf-8"))["users"]["2"]
    assert [factor["state"] for factor in user["factors"]] == ["active", "removed"]


def test_preview_changes_nothing(ask: Callable[..., Any], sample_file: Path) -> None:
    before = json.loads(sample_file.read_bytes())

    code, answer = ask("perform", "reset-all", "u2", "--preview")

    assert code == 0
    assert answer["result"] == "needs"
    assert len(answer["preview"]["goes"]) == 2
    after = json.loads(sample_file.read_bytes())
    assert [json.loads(row["row"])["act"] for row in after["log"].values()] == ["look"]
    assert {t: after[t] for t in before if t not in {"meta", "log"}} == {
        t: before[t] for t in before if t not in {"meta", "log"}
    }


def test_values_are_given_with_set(ask: Callable[..., Any]) -> None:
    code, answer = ask("perform", "turn-on-mfa", "u8", "--set", "mobile=+447700900199")
    saved, answer_2 = ask("perform", "turn-on-mfa", "u8", "--set", "save=yes")

    assert (code, saved) == (0, 0)
    assert answer["case"]["user"]["mfa"] == "pending"
    assert answer_2["case"]["user"]["mfa"] == "on"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("perform", "turn-on-mfa", "u8", "--set", "number=1"), "It takes mobile=…, save=…."),
        (("perform", "unlock", "u8", "--set", "x=1"), "It takes none."),
        (("perform", "turn-on-mfa", "u8", "--set", "save=maybe"), "say yes or no"),
        (("perform", "unlock", "u8", "--factor", "f1"), "not about one factor"),
        (
            ("perform", "note", "u8", "--set", "text=" + "x" * 3000),
            "note: Expected `str` of length <= 2000",
        ),
        (("find", "product:nothing"), "There are activecampaign"),
        (("find", "state:odd"), "There are locked"),
        (("find", "loop:perhaps"), "say yes or no"),
        (("find", "--limit", "-1"), "whole number"),
        (("serve", "--dev", "--port", "65536"), "ports go up to 65535"),
        (("web", "--port", "65536"), "ports go up to 65535"),
        (("perform", "explode", "u1"), "invalid choice"),
        (("case",), "required"),
        (("schema", "nothing"), "invalid choice"),
        ((), "needs a terminal"),
    ],
)
def test_bad_words_get_a_sentence_and_exit_2(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run(*arguments)

    assert code == 2
    assert says in err
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("case", "nobody"), 4),
        (("perform", "unlock", "nobody"), 4),
        (("perform", "send-code", "u1", "--factor", "f99"), 4),
        (("find", "--as", "nobody"), 4),
        (("find", "--desk", "none.json"), 5),
        (("find", "--desk", "https://desk.example"), 2),
    ],
)
def test_what_is_not_there_has_its_own_exit_code(
    run: Run, arguments: tuple[str, ...], exit_code: int
) -> None:
    code, out, err = run(*arguments)

    assert code == exit_code
    assert out == ""
    assert err.startswith("helpdesk: ")
    assert len(err.splitlines()) == 1


def test_hostile_arguments_do_not_reach_the_terminal(run: Run) -> None:
    hostile = "\x1b]52;c;ZXZpbA==\x07\u202ex"

    for arguments in (
        ("case", hostile),
        ("perform", hostile, "u1"),
        ("find", f"product:{hostile}"),
    ):
        _, out, err = run(*arguments)
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_hostile_data_does_not_reach_the_terminal(run: Run, sample_file: Path) -> None:
    hostile = "Eve\x1b[31m\u202e\x9b1m [/]"
    text = sample_file.read_text("utf-8").replace("Mayank Rao", json.dumps(hostile)[1:-1])
    sample_file.write_text(text, "utf-8")

    for arguments in (
        ("find",),
        ("find", "--json"),
        ("case", "u1"),
        ("case", "u1", "--json"),
        ("loops",),
    ):
        code, out, _ = run(*arguments)
        assert code == 0
        assert not {"\x1b", "\x9b", "\u202e"} & set(out)
    assert json.loads(run("case", "u1", "--json")[1])["user"]["name"] == hostile


def test_a_damaged_fixture_is_refused_by_name(run: Run, sample_file: Path) -> None:
    sample_file.write_bytes(sample_file.read_bytes()[:-40])

    code, _, err = run("find")

    assert code == 2
    assert str(sample_file) in err
    assert "cut short" in err


def test_a_wrong_field_is_named(run: Run, sample_file: Path) -> None:
    text = sample_file.read_text("utf-8").replace('"kind": "push"', '"kind": "telepathy"')
    sample_file.write_text(text, "utf-8")

    code, _, err = run("find")

    assert code == 2
    assert "users.5.factors[0].kind" in err


def test_every_schema_is_json_schema(run: Run) -> None:
    listed = run("schema")[1].split()

    assert set(listed) == set(answers.SCHEMA_NAMES)
    for name in listed:
        jsonschema.Draft202012Validator.check_schema(json.loads(run("schema", name)[1]))


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_the_commands(run: Run, shell: str) -> None:
    code, out, _ = run("completion", shell)

    assert code == 0
    assert "perform" in out
    assert "reset-all" in out


def test_a_profile_names_a_desk_and_a_role(run: Run, places: Path, sample_file: Path) -> None:
    config = places / "config"
    config.mkdir()
    (config / "helpdesk.toml").write_text(
        f'[profiles.north]\ndesk = "{sample_file}"\nagent = "sam"\n', "utf-8"
    )

    code, out, _ = run("find", "--desk", "north", "mayank")
    wish = ("perform", "turn-off-mfa", "u1", "--reason", "asked", "--ticket", "4821")
    may, _, _ = run(*wish, "--desk", "north")
    may_not, _, _ = run(*wish)

    assert code == 0
    assert "Mayank" in out
    assert (may, may_not) == (6, 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("desk = 1", "line 1"),
        ('theme = "dark"\ncolour = "red"', "line 2"),
        ('[profiles.north]\nagent = "sam"', "desk"),
        ("desk = ", "Invalid value"),
        ('desk = "demo"\ntheme = "pink"', "line 2: there is no theme pink; there are dark, light,"),
    ],
)
def test_a_bad_configuration_names_its_line(run: Run, places: Path, text: str, place: str) -> None:
    config = places / "config"
    config.mkdir()
    (config / "helpdesk.toml").write_text(text, "utf-8")

    code, _, err = run("find")

    assert code == 2
    assert "helpdesk.toml" in err
    assert place in err


def test_a_theme_there_is_none_of_is_told_with_those_there_are(run: Run) -> None:
    code, _, err = run("--theme", "pink")

    assert code == 2
    assert all(name in err for name in ("pink", *themes.NAMES))


def test_a_theme_of_the_environment_there_is_none_of_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_THEME", "pink")

    code, _, err = run("find")

    assert code == 2
    assert err.startswith("helpdesk: HELPDESK_THEME: there is no theme pink; there are dark,")


def test_the_command_line_knows_every_theme_of_the_console() -> None:
    assert assets.THEMES == themes.NAMES


@pytest.mark.parametrize(("strength", "is_said"), [(Strength.WEAK, False), (Strength.STRONG, True)])
def test_a_guess_is_no_all_clear(strength: Strength, is_said: bool) -> None:
    cause = RankedCause(id="A1", title="asks always", p=0.4, strength=strength)
    verdict = Verdict(causes=(cause,), nothing_is_broken=True)

    text = verdict_text(verdict)

    assert ("Nothing is broken" in text) is is_said


def test_a_sixth_product_is_a_sixth_file(run: Run, places: Path, sample_file: Path) -> None:
    products = places / "config" / "products"
    products.mkdir(parents=True)
    card = (DEMO.parent.parent / "helpdesk/products/sms-2fa.toml").read_text("utf-8")
    (products / "sixth.toml").write_text(card.replace('id = "sms-2fa"', 'id = "sixth"', 1), "utf-8")
    text = sample_file.read_text("utf-8").replace('"product": "sms-2fa"', '"product": "sixth"')
    sample_file.write_text(text, "utf-8")

    code, out, _ = run("find", "product:sixth")

    assert code == 0
    assert "2 in all" in out


def test_the_bundled_fixture_is_never_written(run: Run, places: Path) -> None:
    before = DEMO.read_bytes()

    code, out, _ = run("find", "--json", desk=str(DEMO))
    user = json.loads(out)["rows"][0]["id"]
    run("perform", "note", user, "--set", "text=called", desk=str(DEMO))

    assert code == 0
    assert DEMO.read_bytes() == before
    log = json.loads(run("log", "--json", desk=str(places / "data" / "demo.json"))[1])
    assert [row["act"] for row in log["rows"]].count("note") == 1


def test_reset_starts_over(run: Run, places: Path) -> None:
    run("find", desk="demo")
    user = json.loads(run("find", "--json", desk="demo")[1])["rows"][0]["id"]
    run("perform", "note", user, "--set", "text=called", desk="demo")

    code, out, _ = run("fixture", "reset")

    assert code == 0
    assert str(places / "data" / "demo.json") in out
    assert json.loads(run("log", "--json", desk="demo")[1])["total"] == 0


def test_a_fixture_is_made_and_checked(run: Run, tmp_path: Path) -> None:
    out_file = tmp_path / "made.json"

    made, _, _ = run("fixture", "make", "--users", "20", "--seed", "7", "--out", str(out_file))
    checked, out, _ = run("fixture", "check", str(out_file))
    listed, page, _ = run("find", "--json", desk=str(out_file))

    assert (made, checked, listed) == (0, 0, 0)
    assert "20 users" in out
    assert json.loads(page)["total"] == 20


def test_a_wrong_fixture_is_refused_with_its_place(run: Run, tmp_path: Path) -> None:
    out_file = tmp_path / "made.json"
    run("fixture", "make", "--users", "20", "--out", str(out_file))
    out_file.write_text(out_file.read_text("utf-8").replace('"active"', '"odd"', 1), "utf-8")

    code, _, err = run("fixture", "check", str(out_file))

    assert code == 2
    assert "made.json" in err


@pytest.mark.parametrize(
    ("product", "who", "exit_code", "says"),
    [
        ("sms-2fa", "support", 3, "account manager"),
        ("sms-2fa", "account-manager", 6, "prove the caller first. a second person must agree"),
        *(
            ("partner-portal", role, 3, "")
            for role in (
                "support", "account-manager", "product-administrator", "lead", "trainer", "auditor",
            )
        ),
    ],
)  # fmt: skip
def test_on_the_bundled_fixture_the_product_decides_who_turns_it_off(
    run: Run, product: str, who: str, exit_code: int, says: str
) -> None:
    rows = json.loads(run("tickets", f"product:{product}", "--json", desk=str(DEMO))[1])["rows"]
    states = {
        row["id"]: row["state"]
        for row in json.loads(
            run("find", f"product:{product}", "--json", "--limit", "500", desk=str(DEMO))[1]
        )["rows"]
    }
    ticket = next(
        r["ticket"] for r in rows if states[r["ticket"]["user"]] in {"ok", "loop", "locked"}
    )

    wish = (
        "perform",
        "turn-off-mfa",
        ticket["user"],
        "--reason",
        "asked",
        "--ticket",
        ticket["id"],
    )
    code, _, err = run(*wish, "--as", who, desk=str(DEMO))

    assert code == exit_code
    assert says in err.casefold()


CASE = {
    "format": "helpdesk-case/1",
    "product": "partner-portal",
    "now": "2026-05-04T14:09:00Z",
    "complaint": "code-refused",
    "user": {"id": "u17", "login": "ma@agency.example",
             "notification_address": "mfa@agency.example"},
    "timeline": [
        {"id": "e1", "at": "2026-05-04T14:00:58Z", "kind": "password", "ok": True},
        {"id": "e2", "at": "2026-05-04T14:01:00Z", "kind": "challenge", "challenge": "c1",
         "rule": "every-login", "factor": "email", "ip": "192.0.2.7"},
        {"id": "e3", "at": "2026-05-04T14:01:01Z", "kind": "send", "challenge": "c1", "send": "s1",
         "channel": "email", "to": "m•••@agency.example", "expires_at": "2026-05-04T14:06:01Z"},
        {"id": "e4", "at": "2026-05-04T14:01:06Z", "kind": "delivery", "send": "s1",
         "state": "delivered"},
        {"id": "e5", "at": "2026-05-04T14:08:10Z", "kind": "answer", "challenge": "c1", "ok": False,
         "reason": "expired", "send": "s1"},
    ],
    "truth": ["D1"],
}  # fmt: skip


def test_why_names_cause_evidence_and_what_to_say(run: Run, ask: Callable[..., Any]) -> None:
    code, verdict = ask("why", "u6")
    text_code, text, _ = run("why", "u6")

    assert code == text_code == 0
    assert verdict["causes"][0]["evidence"]
    assert verdict["say"].splitlines()[0] in text


def test_what_the_caller_said_is_weighed(ask: Callable[..., Any]) -> None:
    code, verdict = ask("why", "u6", "--said", "E1/D3=it simply asks again")

    assert code == 0
    assert verdict["heard"][0]["ask"] == "E1/D3"


def test_one_case_file_gives_one_line_anybody_can_score(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE), "utf-8")

    code, out, _ = run("why", "--case", str(path), "--json")

    assert code == 0
    line = json.loads(out)
    assert out.count("\n") == 1
    assert set(line) == {"file", "causes", "ask", "act", "not", "say"}
    assert line["causes"][0]["id"] == "D1"
    assert line["act"] == "send-code"
    jsonschema.validate(CASE, json.loads(run("schema", "case")[1]))


def test_a_bad_case_file_is_named_and_the_others_still_run(run: Run, tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    late = {
        **CASE,
        "timeline": [{"at": "2026-05-04T14:00:00Z", "kind": "answer", "challenge": "c1"}],
    }
    for name, text in (
        ("a.json", json.dumps(CASE)), ("b.json", json.dumps(late)), ("c.json", "{"),
        ("d.json", json.dumps({**CASE, "product": "nobody's"})), ("e.json", json.dumps(CASE)),
        ("f.json", json.dumps({**CASE, "now": "9999-12-31T23:59:59Z"})),
        ("g.json", json.dumps({**CASE, "timeline": [{"at": "0001-01-01T00:00:00Z", "kind": "x"}]})),
    ):  # fmt: skip
        (cases / name).write_text(text, "utf-8")

    code, out, err = run("why", "--cases", str(cases), "--json")

    assert code == 2
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["a.json", "e.json"]
    named = [line.split()[1].strip(",:") for line in err.splitlines()]
    assert named == ["b.json", "c.json", "d.json", "f.json", "g.json"]
    assert "timeline[0]" in err
    assert "`ok`" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("why",), "required"),
        (("why", "--case", "none.json"), "No such file"),
        (("why", "--cases", "none"), "is not a directory"),
        (("why", "u1", "--said", "nothing"), "say it as"),
        (("why", "--case", "x.json", "--said", "D1/D2=later"), "is for a USER"),
    ],
)
def test_why_refuses_bad_words(run: Run, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert says in err


def test_a_clock_is_measured_and_the_code_is_kept_nowhere(
    run: Run, ask: Callable[..., Any], sample_file: Path
) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    key = pyotp.random_base32()
    tables["secrets"] = {"1": {"user": "u2", "factor": "u2-f2", "totp": key, "note": "throw-away"}}
    sample_file.write_text(json.dumps(tables), "utf-8")
    late = pyotp.TOTP(key).at(datetime.now(UTC) - timedelta(minutes=4))

    code, reading = ask("drift", "u2", late)

    assert (code, reading["state"], reading["offset_s"]) == (0, "second-code", None)
    assert late not in sample_file.read_text("utf-8")
    assert run("drift", "u1", "123456")[0] == 3
    assert key not in run("case", "u2", "--json")[1]


def test_turning_off_goes_from_what_it_lacks_over_proof_and_a_colleague_to_done(
    run: Run, ask: Callable[..., Any], sample_file: Path
) -> None:
    refused, why = ask(*OFF[:3], "--as", "dana", *OFF[5:])
    weighed, preview = ask(*OFF, "--preview")
    first, lacking = ask(*OFF)
    listed = run("prove", "u1", "--as", "sam")[1]
    prove(run, "u1", "4821", "sam")
    second, waiting = ask(*OFF)
    request = waiting["needs"][0]["choices"][0]
    early, _ = ask(*OFF)
    mine, _, own = run("approve", request, "--as", "sam")
    agreed, _, _ = run("approve", request, "--as", "lee")
    done, _ = ask(*OFF)
    again, off = ask(*OFF)

    both = ["proof", "second-person"]
    assert (refused, "Sam Osei" in why["why"] + why["instead"]) == (3, True)
    assert (weighed, [need["what"] for need in preview["decision"]["needs"]]) == (0, both)
    assert (first, [need["what"] for need in lacking["needs"]]) == (6, both)
    assert "call-back" in listed
    assert (second, [need["what"] for need in waiting["needs"]]) == (6, ["second-person"])
    assert (early, mine, agreed, done) == (6, 3, 0, 0)
    assert "your own request" in own
    assert json.loads(sample_file.read_text("utf-8"))["users"]["1"]["mfa"] == "off"
    assert (again, "off already" in off["why"]) == (3, True)


@pytest.mark.parametrize(("method", "has_pair"), [("code", True), ("in-person", False)])
def test_a_word_pair_is_given_where_something_reaches_the_caller_with_their_half(
    run: Run, method: str, has_pair: bool
) -> None:
    over = ["--channel", "u2-f1"] if method == "code" else []

    code, said, _ = run("prove", "u2", "--method", method, *over, "--ticket", "4822")

    assert code == 0
    assert ("You say" in said, "customer answers" in said) == (has_pair, has_pair)
    assert "helpdesk prove u2 --answer" in said


def test_a_desk_that_proves_nobody_says_so_at_every_command(run: Run, places: Path) -> None:
    (places / "config").mkdir()
    (places / "config" / "helpdesk.toml").write_text("prove_callers = false", "utf-8")

    done, _, err = run(*OFF)
    _, _, told = run("find")

    assert done == 0
    assert "callers are not proven" in err.casefold()
    assert told == err


def test_a_held_reset_is_undone(run: Run, ask: Callable[..., Any], places: Path) -> None:
    config = places / "config"
    config.mkdir()
    (config / "helpdesk.toml").write_text("hold_minutes = 5", "utf-8")
    prove(run, "u2", "4822", "dana", "--channel", "u2-f1")
    wish = ("perform", "reset-factor", "u2", "--factor", "u2-f2", "--reason", "lost")
    run(*wish, "--ticket", "4822")

    hold = ask("holds")[1][0]
    code, out, _ = run("undo", hold["id"])

    assert code == 0
    assert "undone" in out
    assert ask("holds")[1] == []


def test_a_fault_of_our_own_is_one_sentence_without_values(
    run: Run, monkeypatch: pytest.MonkeyPatch, places: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(places / "state"))
    monkeypatch.setattr(commands, "listing", lambda given: 1 // len(given.text[0:0]))

    code, out, err = run("find", "canary-555")

    assert code == 1
    assert out == ""
    assert "ZeroDivisionError" in err
    assert "canary-555" not in err
    assert "Traceback" not in err


def test_a_closed_pipe_is_no_error(sample_file: Path) -> None:
    command = f"{sys.executable} -m helpdesk --desk {sample_file} find --json | head -1"

    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=dict(os.environ), check=False
    )

    assert done.stderr == ""
    assert done.stdout == "{\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_answer_that_cannot_be_written_is_said(sample_file: Path) -> None:
    command = f"{sys.executable} -m helpdesk --desk {sample_file} find > /dev/full"

    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=dict(os.environ), check=False
    )

    assert done.returncode == 5
    assert done.stderr == "helpdesk: The answer cannot be written: No space left on device.\n"


def test_python_m_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "helpdesk", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"helpdesk {__version__}\n"


def test_a_desk_of_this_machine_has_nothing_to_bring_over(run: Run) -> None:
    code, _, err = run("sync")

    assert code == 2
    assert "there is nothing to bring over" in err


def test_forgetting_leaves_nothing_of_desks_elsewhere(run: Run, places: Path) -> None:
    Replica(places / "data" / "replica" / "one")

    code, out, _ = run("sync", "--forget")

    assert (code, out) == (0, "Forgotten: what this machine kept of 1 desk.\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("find", "--offset=--"), "argument --offset: -- is no value"),
        (("case", "u1", "--reason=--"), "-- is no value"),
        (("why", "--cases", "x" * 300), "can be the name of no file"),
        (("train", "check", "a\x00b"), "can be the name of no file"),
        (("fixture", "check", "x/" * 3_000), "can be the name of no file"),
        (("log export", "--out", "/"), "cannot be written"),
    ],
)
def test_what_can_be_no_value_is_said_in_a_sentence(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert says in err
    assert "fault" not in err


def test_a_directory_is_no_fixture_wherever_it_lies(run: Run) -> None:
    for place in "", ".", "/":
        code, out, err = run("fixture", "check", place)

        assert (code, out) == (5, "")
        assert "Is a directory" in err
