"""Each guard that the mutations take away stands where they say, and an open test notices."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.reliability.mutations import MUTATIONS, TREE, Mutation, main, spoil


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_there_is_a_guard_to_be_taken_away_and_a_test_to_notice(
    mutation: Mutation, tmp_path: Path
) -> None:
    place = tmp_path / "helpdesk" / mutation.file
    place.parent.mkdir(parents=True)
    shutil.copy(TREE / "helpdesk" / mutation.file, place)

    spoil(tmp_path, mutation)

    compile(place.read_text("utf-8"), mutation.file, "exec")
    assert all((TREE / each.partition("::")[0]).is_file() for each in mutation.tests.split())


def test_a_guard_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "helpdesk" / "domain").mkdir(parents=True)
    (tmp_path / "helpdesk" / "domain" / "text.py").write_text("", "utf-8")

    with pytest.raises(ValueError, match=r"domain/text\.py has that place 0 times, not once"):
        spoil(tmp_path, MUTATIONS[0])


@pytest.mark.slow
def test_every_mutation_is_noticed() -> None:
    assert main([]) == 0
