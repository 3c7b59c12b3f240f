"""A gateway whose raw replies and log are kept, with the issuer of `serve --dev` beside it."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from helpdesk.gateway.devissuer import CLIENT, DevIssuer
from helpdesk.gateway.issuers import ONE_TIME_GRANT
from helpdesk.gateway.server import Gateway
from helpdesk.gateway.watch import LOG, log_to
from helpdesk.service.local import LocalDesk
from tests.gateway.serving import PLENTY, SomeDesks, free_port, served
from tests.reliability.canaries import Canaries
from tests.reliability.planting import LEAD

Open = Callable[[str], LocalDesk]


class Recording:
    """An application whose raw replies are kept, but those that hand something over."""

    def __init__(self, app: Any, seen: Canaries) -> None:
        self._app, self._seen = app, seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")

        async def passed(message: Any) -> None:
            raw = message.get("body", b"")
            heads = b"\n".join(b": ".join(each) for each in message.get("headers", ()))
            is_handing = (
                path.endswith(("/token", "/device_authorization", "/phone"))
                or b'"handover":{' in raw
            )
            self._seen.keep("raw replies of a gateway", heads, b"" if is_handing else raw)
            await send(message)

        await self._app(scope, receive, passed)


@contextlib.contextmanager
def gateway(seen: Canaries, open_as: Open) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Serve desks with the issuer of `serve --dev`; give the address, and who signs in."""
    codes: dict[str, str] = {}

    def tell(agent: Any, code: str) -> None:
        codes[agent.id] = code
        seen.plant("one-time code of an agent", code)

    desks = SomeDesks(open_as)
    agents = open_as(LEAD)._view.store.agents
    socket = free_port()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    dev = DevIssuer(f"{url}/issuer", agents, tell=tell)
    made = Gateway(
        desks, dev.tokens(), allowance=PLENTY, pages=[dev.router()],
        described=dev.issuer.described(url),
    )  # fmt: skip

    def sign_in(who: str) -> str:
        with httpx.Client(base_url=f"{url}/issuer", trust_env=False) as console:
            form = {"client_id": CLIENT, "grant_type": ONE_TIME_GRANT, "code": codes[who]}
            given = console.post("/token", data=form).json()
            again = {"client_id": CLIENT, "grant_type": "refresh_token"}
            newer = console.post("/token", data=again | {"refresh_token": given["refresh_token"]})
            device = console.post("/device_authorization", data={"client_id": CLIENT}).json()
            console.post("/token", data=form)  # the code again: refused
            console.post("/authorize", data={"one_time": given["refresh_token"]})
            console.post("/device", data={"user_code": given["access_token"]})
        for one in (given, newer.json()):
            for kind in ("access_token", "refresh_token", "id_token"):
                seen.plant(f"{kind.replace('_', ' ')} of an agent", one[kind])
        seen.plant("device code", device["device_code"])
        return str(newer.json()["access_token"])

    try:
        with served(Recording(made.app(), seen), socket) as there:
            yield there, sign_in
            for page in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/nothing"):
                httpx.get(f"{there}{page}", trust_env=False)
    finally:
        desks.close()


@contextlib.contextmanager
def logged(log: io.StringIO) -> Iterator[None]:
    """Let the gateway's log, and that of whatever else logs, go to a text."""
    before, root = list(LOG.handlers), logging.getLogger()
    level, hand = root.level, logging.StreamHandler(log)
    log_to(log)
    root.addHandler(hand)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.handlers = before
        root.removeHandler(hand)
        root.setLevel(level)
