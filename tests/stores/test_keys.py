"""The keys of the log are made once, wherever the data directory lies."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from helpdesk.stores.keys import Keys


def test_a_key_is_made_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)

    first, second = Keys(tmp_path / "keys").mac("text"), Keys(tmp_path / "keys").mac("text")

    assert first == second
    assert (tmp_path / "keys" / "log-hash.key").stat().st_mode & 0o777 == 0o600


def test_consoles_that_begin_at_once_take_the_same_key(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), list[str]()

    def begin() -> None:
        start.wait()
        found.append(Keys(tmp_path).mac("text"))

    consoles = [threading.Thread(target=begin) for _ in range(8)]
    for console in consoles:
        console.start()
    for console in consoles:
        console.join()

    assert len(found) == 8
    assert len(set(found)) == 1
