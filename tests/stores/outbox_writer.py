"""Begins children that write wishes into an outbox until killed; tells what was durable."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from helpdesk.domain.offline import State
from helpdesk.stores.replica import Replica
from tests.conftest import NOW
from tests.stores.test_replica import wish


async def write(directory: Path, number: int, pipe: int) -> None:
    """Queue wishes and take every third in hand, and tell each once it is durable."""
    replica = Replica(directory)
    for count in range(10_000):
        key = f"{number}-{count}"
        await replica.put(wish(key))
        os.write(pipe, f"{json.dumps({'taken': [key]})}\n".encode())
        if count % 3 == 0 and await replica.claim(key, str(number), NOW):
            os.write(pipe, f"{json.dumps({'claimed': [key]})}\n".encode())
        if count % 3 == 1:
            await replica.put(wish(key, State.UNKNOWN))


def main() -> None:
    """Begin a child for each line; its last words come before `ended`."""
    for number, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            asyncio.run(write(Path(sys.argv[1]), number, 1))
            os._exit(0)
        sys.stdout.write(f"{json.dumps({'child': child})}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
