"""A line that loses things, between a console and a gateway: what is lost is said beforehand."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class Lossy(httpx.AsyncBaseTransport):
    """A transport that does to each request what its plan says, and then nothing more.

    `refuse` it never arrives · `lose` it is carried out and the answer lost · `cut` it is sent and
    breaks off · any number is answered in its place · `pass` nothing happens to it.

    Attributes:
        plan: What happens to the next requests; those to addresses in *only*, if given.
        seen: Each request that was made, as method and path.
    """

    def __init__(
        self, plan: list[str], only: Callable[[httpx.Request], bool] | None = None
    ) -> None:
        self._inner = httpx.AsyncHTTPTransport(http1=True, trust_env=False)
        self.plan, self._only = plan, only or (lambda _: True)
        self.seen: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, or not."""
        self.seen.append((request.method, request.url.path))
        todo = self.plan.pop(0) if self.plan and self._only(request) else "pass"
        if todo == "refuse":
            raise httpx.ConnectError("refused", request=request)
        if todo == "cut":
            raise httpx.WriteError("broken", request=request)
        if todo.isdigit():
            told = httpx.ByteStream(b"")
            return httpx.Response(int(todo), headers={"Retry-After": "0"}, stream=told)
        answer = await self._inner.handle_async_request(request)
        if todo == "lose":
            await answer.aclose()
            raise httpx.ReadError("lost", request=request)
        return answer

    async def aclose(self) -> None:
        """Close what is beneath."""
        await self._inner.aclose()
