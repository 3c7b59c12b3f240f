"""Hold a running gateway against its own description, with requests nobody would think of.

`python -m tests.gateway.fuzz --examples 150` sends more than 20,000 requests and tells how it went.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
from msgspec import Struct

from tests.gateway.serving import gateway
from tests.sample import write_sample
from tests.sql import desks_on, imported

SETTINGS = """
[[operations]]
include-name = "GET /v1/events"
enabled = false

[checks]
positive_data_acceptance.expected-statuses = [200, 401, 403, 404, 409, 410, 412, 422]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 412, 413, 415, 422, 428]
missing_required_header.expected-statuses = [400, 401, 403, 428]
"""
"""What we call right: a form that is kept may still name nobody, or what is not as it was seen."""

ALL = "examples,coverage,fuzzing,stateful"

WHOSE = """
[parameters]
"path.user" = "u2"
"""


class Told(Struct, frozen=True, kw_only=True):
    """How a run went.

    Attributes:
        code: What schemathesis ended with: 0 where no check failed.
        requests: How many requests the gateway counted.
        faults: How many of them it answered with 500 or more.
        accepted: How many it answered with 200.
        says: What schemathesis said.
    """

    code: int
    requests: int
    faults: int
    accepted: int
    says: str


def run(
    directory: Path, *, examples: int, seed: int, who: str, is_known: bool, phases: str = ALL
) -> Told:
    """Send requests as an agent, about anybody or about one user who is there."""
    (directory / "schemathesis.toml").write_text(SETTINGS + (WHOSE if is_known else ""), "utf-8")
    program = Path(sys.executable).with_name("schemathesis")
    with served_sample(directory) as url:
        ended = subprocess.run(
            [
                str(program),
                "run",
                f"{url}/openapi.json",
                *("--header", f"Authorization: Bearer {who}"),
                *("--max-examples", str(examples), "--seed", str(seed)),
                *("--checks", "all", "--continue-on-failure", "--max-failures", "40"),
                *("--phases", phases, "--warnings", "off", "--request-timeout", "30"),
            ],
            cwd=directory,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        numbers = httpx.get(f"{url}/metrics", trust_env=False).text
    counted = re.findall(r'helpdesk_requests_total\{.*status="(\d+)"\} ([\d.e+]+)', numbers)
    return Told(
        code=ended.returncode,
        requests=sum(int(float(count)) for _, count in counted),
        faults=sum(int(float(count)) for status, count in counted if status >= "500"),
        accepted=sum(int(float(count)) for status, count in counted if status == "200"),
        says=ended.stdout + ended.stderr,
    )


@contextlib.contextmanager
def served_sample(directory: Path) -> Iterator[str]:
    """Serve the sample desk; give its address."""
    path = write_sample(directory / "sample.json")

    def now() -> datetime:
        return datetime.now(UTC)

    # As `helpdesk serve` keeps it, so that what no database takes is found here.
    with (
        contextlib.closing(imported(f"sqlite:///{directory}/desk.db", path, now)) as database,
        gateway(desks_on(database, now, directory), now) as (url, _),
    ):
        yield url


def main() -> int:
    """Run it, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    code = 0
    for who, is_known in (("dana", True), ("lee", False)):
        with tempfile.TemporaryDirectory() as place:
            told = run(
                Path(place), examples=given.examples, seed=given.seed, who=who, is_known=is_known
            )
        sys.stdout.write(told.says[-6_000:])
        sys.stdout.write(
            f"\n{who}: {told.requests} requests, {told.accepted} accepted, "
            f"{told.faults} answered with 5xx, exit code {told.code}\n"
        )
        code |= told.code or int(told.faults > 0)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
