"""A server with nothing behind it but, where asked, one indexed query: `… bare PORT [STORE]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from litestar import Litestar, get

WINDOW = 40
QUERY = "SELECT id, name, login, account_name FROM users WHERE name >= {} ORDER BY name, key LIMIT"
"""One page by an index: what a search must at least do."""


def asking(store: str) -> Callable[[str], list[Any]]:
    """Give what asks a store for a page of names from a word on."""
    if store.startswith("sqlite"):
        import sqlite3  # noqa: PLC0415

        lite = sqlite3.connect(store.removeprefix("sqlite:///"), check_same_thread=False)
        query = QUERY.format("?") + f" {WINDOW}"
        return lambda word: lite.execute(query, (word,)).fetchall()
    import psycopg  # noqa: PLC0415

    server, query = psycopg.connect(store, autocommit=True), QUERY.format("%s") + f" {WINDOW}"
    return lambda word: server.execute(query.encode(), (word,)).fetchall()


def app(store: str) -> Litestar:
    """Give the server."""
    ask = asking(store) if store else list

    @get("/", sync_to_thread=False)
    def hello() -> str:
        return "hello"

    @get("/find", sync_to_thread=False)
    def find(word: str) -> list[Any]:
        return ask(word)

    return Litestar([hello, find])


if __name__ == "__main__":
    uvicorn.run(
        app(sys.argv[2] if len(sys.argv) > 2 else ""),
        port=int(sys.argv[1]),
        log_level="critical",
        access_log=False,
    )
