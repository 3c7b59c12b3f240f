"""What is made once for the tests of a file: a generated fixture that is long, a PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.fixture.make import make


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixture of as many `USERS` as the module has: more than its `LONG` bytes."""
    path = tmp_path_factory.mktemp("made") / "made.json"
    make(request.module.USERS, 3, path)
    assert path.stat().st_size > request.module.LONG
    return path


@pytest.fixture(scope="module")
def server(postgres_server: Callable[[], str]) -> str:
    """A PostgreSQL."""
    return postgres_server()


@pytest.fixture
def long_file(made: Path, tmp_path: Path) -> Path:
    """A copy to write to."""
    path = tmp_path / "long.json"
    path.write_bytes(made.read_bytes())
    return path
