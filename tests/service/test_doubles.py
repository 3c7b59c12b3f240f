"""Whoever could be taken for somebody else is told of: to those who may see both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.domain.cases import DOUBLES
from helpdesk.service.local import LocalDesk

DeskAs = Callable[..., LocalDesk]


@pytest.fixture
def spoofed(sample_file: Path) -> None:
    """Mayank Rao, u1, and others who call themselves so, in letters of other scripts."""
    tables = json.loads(sample_file.read_text("utf-8"))
    people = {one["id"]: one for one in tables["users"].values()}
    people["u2"]["name"] = "Мayank Rao"
    people["u3"]["login"] = "mayаnk@rao.example"
    sample_file.write_text(json.dumps(tables), "utf-8")


@pytest.mark.usefixtures("spoofed")
async def test_a_case_names_who_looks_like_its_user(desk_as: DeskAs) -> None:
    case = await desk_as("support").case("u1")

    assert {one.id for one in case.doubles} == {"u2", "u3"}
    assert [one.login for one in case.doubles if one.id == "u3"] == ["m•••@rao.example"]


@pytest.mark.usefixtures("spoofed")
async def test_who_looks_like_nobody_has_no_double(desk_as: DeskAs) -> None:
    assert (await desk_as("support").case("u4")).doubles == ()


@pytest.mark.usefixtures("spoofed")
async def test_an_administrator_hears_of_nobody_of_another_account(
    desk_as: DeskAs, sample_file: Path
) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    theirs = next(one["id"] for one in tables["users"].values() if one["account"] == "a3")
    for one in tables["users"].values():
        one["name"] = "Same Name" if one["id"] in {theirs, "u1"} else one["name"]
    sample_file.write_text(json.dumps(tables), "utf-8")

    seen = (await desk_as("pia").case(theirs)).doubles
    all_seen = (await desk_as("support").case(theirs)).doubles

    assert seen == ()
    assert [one.id for one in all_seen] == ["u1"]


async def test_of_very_many_some_are_named(desk_as: DeskAs, sample_file: Path) -> None:
    tables = json.loads(sample_file.read_text("utf-8"))
    for one in tables["users"].values():
        one["name"] = "Same Name"
    sample_file.write_text(json.dumps(tables), "utf-8")

    assert len((await desk_as("support").case("u1")).doubles) == DOUBLES
