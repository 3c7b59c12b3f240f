"""What a search must find, counted before it is typed: `python -m tests.bench.counting FIXTURE`.

Writes JSON: the words to type, how many our desk and a plain search find after each letter, and a
line with the name of everybody.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from helpdesk.config import Config
from helpdesk.domain.search import Query, parse
from helpdesk.door import open_desk
from helpdesk.service.desk import Desk

WORDS, LETTERS = 15, 5
"""How many names are typed, and how much of each."""


async def _found(desk: Desk, typed: str) -> int:
    return (await desk.find(parse(typed, []), limit=1)).total


async def counted(desk: Desk) -> dict[str, object]:
    """Give the words with what each letter of them finds."""
    everybody = (await desk.find(Query(), limit=10_000_000)).rows
    names = [f"{row.name} {row.login}" for row in everybody]
    folded = [name.lower() for name in names]
    last = sorted({row.name.split()[-1].lower() for row in everybody if row.name.isascii()})
    words = [name[:LETTERS] for name in random.Random(len(names)).sample(last, WORDS)]
    parts = {word[: end + 1] for word in words for end in range(len(word))}
    return {
        "words": words,
        "ours": {part: await _found(desk, part) for part in parts},
        "plain": {part: sum(part in name for name in folded) for part in parts},
        "names": names,
    }


if __name__ == "__main__":
    with open_desk(Config(), sys.argv[1]) as opened:
        json.dump(asyncio.run(counted(opened)), sys.stdout)
