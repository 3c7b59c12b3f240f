"""Okta's own recorded answers, from the source package of its client, read by the connector.

Slow: it fetches the package by name. Nothing of it is kept here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from helpdesk.connectors.exchange import Answer, Busy, next_link
from helpdesk.connectors.okta.faults import error_of, wait_of
from helpdesk.connectors.okta.shapes import KINDS, factors_of, user_of
from helpdesk.domain.errors import HelpdeskError

PACKAGE = "okta==3.4.6"
USERS = re.compile(r"/api/v1/users(/[^/]+)?")
FACTORS = re.compile(r"/api/v1/users/[^/]+/factors")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Answer]]:
    """Verb and answer of each recorded exchange whose body is words."""
    yaml = pytest.importorskip("yaml")
    place = tmp_path_factory.mktemp("recorded")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*command, "-d", str(place), PACKAGE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{PACKAGE} cannot be fetched: {done.stderr.strip()[-200:]}")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    (package,) = place.glob("*.tar.gz")
    return [*_exchanges(package, lambda raw: yaml.load(raw, loader))]


def _exchanges(package: Path, load: Any) -> Iterator[tuple[str, Answer]]:
    with tarfile.open(package) as archive:
        for member in archive:
            if "/cassettes/" in member.name and member.name.endswith(".yaml"):
                file = archive.extractfile(member)
                if file and any(
                    word in member.name for word in ("User", "Factor", "user", "factor")
                ):
                    yield from _told(load(file.read()))


def _told(cassette: Any) -> Iterator[tuple[str, Answer]]:
    for one in cassette["interactions"]:
        said = one["response"]["body"].get("string") or ""
        if isinstance(said, str):
            headers = {k.lower(): ", ".join(v) for k, v in one["response"]["headers"].items()}
            yield (
                one["request"]["method"],
                Answer(
                    who="Okta",
                    status=one["response"]["status"]["code"],
                    url=one["request"]["uri"],
                    body=said.encode(),
                    headers=headers,
                    request_id=headers.get("x-okta-request-id", ""),
                ),
            )


def good(recorded: list[tuple[str, Answer]], path: re.Pattern[str]) -> list[Any]:
    """The objects that were answered to questions of a path."""
    found: list[Any] = []
    for verb, answer in recorded:
        if verb == "GET" and answer.is_ok and path.fullmatch(urlsplit(answer.url).path):
            said = json.loads(answer.body)
            found += said if isinstance(said, list) else [said]
    return found


def test_every_recorded_user_is_one_of_ours(recorded: list[tuple[str, Answer]]) -> None:
    raws = good(recorded, USERS)

    users = [user_of(raw, "okta", {"": "own"}) for raw in raws]

    assert len(users) > 30
    assert all(user is not None and user.login and user.name for user in users)


def test_every_recorded_factor_of_a_kind_we_know_is_one_of_ours(
    recorded: list[tuple[str, Answer]],
) -> None:
    raws = [raw for raw in good(recorded, FACTORS) if raw["factorType"] in KINDS]

    factors = factors_of(raws, ())

    assert raws
    assert {factor.id for factor in factors} == {raw["id"] for raw in raws}


def test_every_recorded_error_is_a_sentence_with_its_request(
    recorded: list[tuple[str, Answer]],
) -> None:
    failed = [
        answer for _, answer in recorded if answer.status >= 400 and b"errorCode" in answer.body
    ]

    errors = [error_of(answer) for answer in failed]

    assert len(failed) > 5
    for answer, error in zip(failed, errors, strict=True):
        if answer.status == 429:
            assert isinstance(error, Busy | None)
            assert wait_of(answer) is not None
        else:
            assert isinstance(error, HelpdeskError)
            assert answer.request_id in str(error)


def test_every_recorded_list_with_a_next_page_leads_to_it(
    recorded: list[tuple[str, Answer]],
) -> None:
    cut = [a for _, a in recorded if 'rel="next"' in a.headers.get("link", "")]

    assert all("after=" in (next_link(answer) or "") for answer in cut)
