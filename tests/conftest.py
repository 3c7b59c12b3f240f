"""Places of their own for every test, and the desks most of them need."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helpdesk.cli import main
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.agents import Agent
from helpdesk.service.diagnosing import Found
from helpdesk.service.local import LocalDesk
from helpdesk.stores.tiny import TinyStore
from tests import postgres
from tests.desks import fixture_desk
from tests.sample import write_sample

Run = Callable[..., tuple[int, str, str]]
"""Runs a command; gives exit code, output and errors."""

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the real configuration and data directories."""
    for name in ("DATA", "CONFIG"):
        monkeypatch.setenv(f"HELPDESK_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("HELPDESK_DESK", "HELPDESK_AS", "HELPDESK_THEME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def sample_file(tmp_path: Path) -> Path:
    """The small fixture of `tests.sample` in a place of its own."""
    return write_sample(tmp_path / "sample.json")


@pytest.fixture
def desk_as(sample_file: Path, clock: Clock, places: Path) -> Callable[..., LocalDesk]:
    """Open the sample desk as somebody; several desks are several consoles on one file."""

    def open_as(
        who: str,
        *,
        is_gated: bool = True,
        hold_minutes: float = 0,
        store: type[TinyStore] = TinyStore,
        agent: Agent | None = None,
        connector: type[DemoConnector] = DemoConnector,
        found: Found | None = None,
    ) -> LocalDesk:
        return fixture_desk(
            sample_file,
            clock,
            places / "keys",
            agent or who,
            store=store,
            connector=connector,
            is_gated=is_gated,
            hold=timedelta(minutes=hold_minutes),
            found=found,
        )

    return open_as


@pytest.fixture
def desk(desk_as: Callable[..., LocalDesk]) -> LocalDesk:
    """The sample desk, as a support agent."""
    return desk_as("support")


def prove(run: Run, user: str, ticket: str, who: str, *over: str) -> None:
    """Prove a caller at the command line: ask for a code, and read back what the phone shows."""
    where = ("--as", who, "--method", "code", "--ticket", ticket, *over)
    assert run("prove", user, *where)[0] == 0
    shown = json.loads(run("phone", user, "--json")[1])
    assert run("prove", user, "--answer", shown[0]["secret"], "--as", who)[0] == 0


OFF = ("perform", "turn-off-mfa", "u1", "--as", "sam", "--reason", "asked", "--ticket", "4821")
"""The wish of an account manager that takes proof of the caller and a second person."""


@pytest.fixture
def turn_off(run: Run) -> Callable[..., None]:
    """Turn MFA off for u1 as the desk wants it: proven by a code, agreed to by the lead."""

    def turn_it_off(*more: str) -> None:
        prove(run, "u1", "4821", "sam")
        code, waiting, _ = run(*OFF, *more, "--json")
        request = json.loads(waiting)["needs"][0]["choices"][0]
        agreed = run("approve", request, "--as", "lee")[0]
        assert (code, agreed, run(*OFF, *more)[0]) == (6, 0, 0)

    return turn_it_off


@pytest.fixture
def run(sample_file: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the sample desk; give exit code, output and errors."""

    def run_it(*arguments: str, desk: str = str(sample_file)) -> tuple[int, str, str]:
        try:
            code = main(["--desk", desk, *arguments])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run_it


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], str]]:
    """Give the address of a PostgreSQL, started for whoever asks first."""
    with contextlib.ExitStack() as stack:
        started: list[str] = []

        def address() -> str:
            if not started:
                if postgres.programs() is None and postgres.GIVEN not in os.environ:
                    pytest.skip(postgres.MISSING)
                started.append(stack.enter_context(postgres.server("fsync=off")))
            return started[0]

        yield address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that take long by nature take as long as they need."""
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.timeout(0))
