"""The README tells the truth: its tables are the code's, its commands do what it says."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from helpdesk.cli import main
from helpdesk.domain.agents import Role
from tests.readme import MADE, README, command, with_made_parts

TEXT = README.read_text("utf-8")


def examples() -> list[tuple[str, int]]:
    """Return the command lines of the README that name their exit code."""
    found = re.findall(r"^(helpdesk .*?) +# (\d)$", TEXT, re.MULTILINE)
    return [(line, int(code)) for line, code in found]


def test_the_made_parts_are_current() -> None:
    assert with_made_parts(TEXT) == TEXT, "run: python -m tests.readme"


@pytest.mark.parametrize("name", sorted(set(MADE) - {"screens"}))
def test_no_made_part_is_empty(name: str) -> None:
    assert MADE[name]().count("\n") > 5


def test_the_two_commands_stand_near_the_top() -> None:
    top = "\n".join(TEXT.splitlines()[:25])

    assert command(".venv/bin/helpdesk") in top
    assert command("-m pytest") in top


def test_every_picture_and_file_it_names_is_there() -> None:
    root = README.parent
    named = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    named += re.findall(r"`((?:helpdesk|tests|fixtures|styles|\.ci)/[\w./-]*)`", TEXT)

    missing = [name for name in named if not (root / name).exists()]

    assert missing == []


def test_every_role_is_explained() -> None:
    section = TEXT.partition("## Roles")[2].partition("\n## ")[0]

    assert [role for role in Role if f"`{role.value}`" not in section] == []


def test_there_are_examples() -> None:
    assert {code for _, code in examples()} == {0, 3, 4, 6}


def test_the_examples_end_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    ended = []
    for line, _ in examples():
        words = shlex.split(line)[1:]
        if "REQUEST" in words:
            words[words.index("REQUEST")] = last_request(capsys)
        ended.append((line, main(words)))

    assert ended == examples()
    assert "Traceback" not in capsys.readouterr().err


def last_request(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the id of the newest request for a second person."""
    capsys.readouterr()
    assert main(["approvals", "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)[0]["id"])


def test_ci_runs_the_commands_that_stand_here_and_none_of_its_own() -> None:
    script = (README.parent / ".ci" / "run").read_text("utf-8")

    assert "readme '-m pytest'" in script
    assert "readme '&& .venv/bin/helpdesk'" in script
    assert "pip install" not in script
