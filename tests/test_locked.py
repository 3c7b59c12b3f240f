"""The list of exact dependencies fits the bounds of the project, with a hash for each file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKED = (ROOT / ".ci" / "locked.txt").read_text("utf-8")
PINNED = dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", LOCKED, re.MULTILINE))


def test_all_that_is_installed_is_pinned_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*map(Requirement, (*project["dependencies"], *extras["gateway"], *extras["web"]))]

    wrong = [
        str(each)
        for each in wanted
        if not each.specifier.contains(PINNED.get(canonicalize_name(each.name), "0"))
    ]

    assert wanted
    assert wrong == []


def test_each_pin_has_a_hash_and_no_place_to_get_it_from() -> None:
    blocks = re.split(r"^(?=[a-z0-9])", LOCKED, flags=re.MULTILINE)[1:]

    assert len(blocks) == len(PINNED)
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    assert "://" not in LOCKED
    assert not re.search(r"^\s*--(?!hash)", LOCKED, re.MULTILINE)
