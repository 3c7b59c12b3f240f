"""A database finds whom a file finds, whichever index it walks along."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from helpdesk.domain.search import parse
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.sql.directory import SqlDirectory
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.sql import imported

WORDS = (
    "", "m", "ma", "maya", "m o", "maya ok", "ma okafor", "okafor maya", "#48", "#4821", "4821",
    "+44", "o'", "é", "ma é", 'a"b', "m*", "*", "@", "state:off m", "may state:ok", "loop:yes",
    "m sort:name", "maya sort:heat", "ticket:yes m", "zz", "m zz",
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("account", [None, "a1"])
async def test_a_database_finds_whom_a_file_finds(
    words: str, account: str | None, sample_file: Path, tmp_path: Path, clock: Clock
) -> None:
    file = TinyFile(sample_file, clock)
    store = TinyStore(file)
    store.load()
    tiny, query = TinyDirectory(file, store), parse(words, [])
    await tiny.refresh()
    with closing(imported(f"sqlite:///{tmp_path}/desk.db", sample_file, clock)) as database:
        found = await SqlDirectory(database).find(
            query, clock.now, account=account, offset=0, limit=100
        )

    expected = await tiny.find(query, clock.now, account=account, offset=0, limit=100)
    assert found[0] == expected[0]
    assert [one.user.id for one in found[1]] == [one.user.id for one in expected[1]]
