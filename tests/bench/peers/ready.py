"""A server of nothing but bytes that are ready, as bare as ASGI is: `… ready PORT FILE`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn


def app(content: bytes) -> Any:
    """Give what answers every question with these bytes."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]

    async def answer(scope: Any, _: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    return answer


if __name__ == "__main__":
    uvicorn.run(
        app(Path(sys.argv[2]).read_bytes()),
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="critical",
        access_log=False,
    )
