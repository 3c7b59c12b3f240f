"""An agent in front of a browser, for tests: opens what the console shows and fills in forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
from litestar import Litestar

from helpdesk.domain.agents import Agent
from helpdesk.fixture.cast import AGENTS
from helpdesk.gateway.devissuer import CLIENT, DevIssuer
from helpdesk.gateway.flows import Prompt, Registration, Way
from helpdesk.gateway.issuers import Provider
from helpdesk.gateway.keyrings import SafeKeeping
from helpdesk.gateway.signin import SignIn
from tests.conftest import Clock

URL = "http://127.0.0.1:8765/issuer"


class Demonstration:
    """A desk's own issuer, mounted in an application, with the codes it tells."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.codes: dict[str, str] = {}
        self.dev = DevIssuer(URL, AGENTS, tell=self._tell, clock=lambda: clock().timestamp())
        self.app = Litestar([self.dev.router()], logging_config=None)
        self.prompts: asyncio.Queue[Prompt] = asyncio.Queue()
        self.slept: list[float] = []

    def _tell(self, agent: Agent, code: str) -> None:
        self.codes[agent.id] = code

    def transport(self, client: str = "127.0.0.1") -> httpx.ASGITransport:
        """The way to the application, from an address."""
        return httpx.ASGITransport(cast(Any, self.app), client=(client, 50_000))

    def browser(self, **given: Any) -> httpx.AsyncClient:
        """A browser at the application."""
        given.setdefault("transport", self.transport())
        return httpx.AsyncClient(**given)

    def sign_in(self, way: Way, keeping: SafeKeeping | None = None, agent: str = "dana") -> SignIn:
        """A console that signs in."""

        async def ask() -> str:
            return self.codes[agent]

        return SignIn(
            Registration(issuer=URL, client_id=CLIENT),
            provider=Provider(URL, transport=self.transport()),
            way=way,
            on_prompt=self.prompts.put_nowait,
            ask_code=ask,
            keeping=keeping,
            clock=lambda: self.clock().timestamp(),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.go_on(seconds=seconds)
        await asyncio.sleep(0)

    async def in_browser(self, change: Callable[[str], str] = str, **form: str) -> httpx.Response:
        """Sign in in the browser, as the console shows; *change* spoils the way back."""
        prompt = await self.prompts.get()
        form = form or {"one_time": self.codes["dana"], "do": "sign-in"}
        async with self.browser() as browser:
            page = await browser.post(prompt.url, data=form)
        async with httpx.AsyncClient(trust_env=False) as back:
            return await back.get(change(page.headers["location"]))

    async def on_device(self, **form: str) -> httpx.Response:
        """Type the code the console shows elsewhere, and a one-time code."""
        prompt = await self.prompts.get()
        filled = {"one_time": self.codes["dana"], "do": "sign-in", "user_code": prompt.code} | form
        async with self.browser() as browser:
            await browser.get(prompt.url, params={"user_code": prompt.code})
            return await browser.post(prompt.url, data=filled)


async def both(console: Awaitable[str], person: Awaitable[Any]) -> str:
    """Let the console wait while the person signs in; give the console's token."""
    token, _ = await asyncio.gather(console, person)
    return token
