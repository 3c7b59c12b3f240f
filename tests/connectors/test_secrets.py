from __future__ import annotations

from pathlib import Path

import pytest

from helpdesk.connectors.secrets import secret_of, variable_of
from helpdesk.domain.errors import BadFile, BadInput


def test_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "secret"

    found = secret_of("north-1", {"HELPDESK_SECRET_NORTH_1": "hush"}, file)

    assert (variable_of("north-1"), found) == ("HELPDESK_SECRET_NORTH_1", "hush")


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_file_of_ones_own_is_read_without_its_line_end(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("hush hush\n", "utf-8")
    file.chmod(mode)

    assert secret_of("north", {}, file) == "hush hush"


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("hush", "utf-8")
    file.chmod(mode)

    with pytest.raises(BadFile, match="others can read it") as caught:
        secret_of("north", {}, file)

    assert "hush" not in str(caught.value)


def test_a_file_that_is_not_there_or_empty_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(BadFile, match="cannot be read"):
        secret_of("north", {}, file)
    file.touch(0o600)

    with pytest.raises(BadFile, match="is empty"):
        secret_of("north", {}, file)


def test_without_any_it_says_where_one_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")

    with pytest.raises(BadInput, match="HELPDESK_SECRET_NORTH, into a file"):
        secret_of("north", {})
