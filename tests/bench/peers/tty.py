"""The least a Python program does with a key: a thread reads it, a loop answers, a thread writes.

`python -m tests.bench.peers.tty BYTES` writes that many bytes as a frame for every key.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import tty


async def main(size: int) -> None:
    """Answer keys until Ctrl+Q."""
    tty.setraw(0)
    loop, keys = asyncio.get_running_loop(), asyncio.Queue[bytes]()
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        while key := os.read(0, 64):
            loop.call_soon_threadsafe(keys.put_nowait, key)

    def write() -> None:
        while frame := frames.get():
            os.write(1, frame)

    for each in (read, write):
        threading.Thread(target=each, daemon=True).start()
    frame = b"\x1b[?2026h\x1b[H" + b"x" * size + "▌".encode() + b"\x1b[?2026l"
    frames.put(frame)
    while await keys.get() != b"\x11":
        frames.put(frame)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
    os._exit(0)
