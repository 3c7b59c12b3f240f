"""A gateway on a real socket for tests, with sign-ins that are words."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import uvicorn

from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import NoRecord, Unauthorised
from helpdesk.domain.signing import AskSignIn
from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.gateway.bounds import Allowance
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.server import Gateway
from helpdesk.gateway.tokens import Signed
from helpdesk.gateway.watch import App
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from tests.waiting import PATIENCE_S

PLENTY = Allowance(agent_per_s=1e6, agent_at_once=1_000_000, total_per_s=1e6, total_at_once=10**6)
"""No test is stopped for asking too often, but those that are about it."""


class Words:
    """Sign-ins for tests: the token is the agent's id; `dana, 9 minutes` signed in then."""

    def __init__(self, agents: Sequence[Agent], now: Callable[[], datetime]) -> None:
        self._agents, self._now = {agent.id: agent for agent in agents}, now

    async def agent(self, bearer: str) -> Signed:
        """Give who that is."""
        name, _, ago = bearer.partition(", ")
        if name not in self._agents:
            raise Unauthorised("This is no sign-in that can be read.")
        minutes = float(ago.partition(" ")[0] or 0)
        return Signed(
            agent=self._agents[name],
            authenticated_at=self._now() - timedelta(minutes=minutes),
            expires_at=self._now() + timedelta(minutes=5),
            subject=name,
            sign_in=secrets.token_hex(8),  # a sign-in a request: one that is ended ends no other
            issued_at=self._now(),
        )


class SomeDesks:
    """One desk for each agent, opened when it is asked for first."""

    def __init__(self, open_as: Callable[[str], LocalDesk]) -> None:
        self._open_as = open_as
        self.opened: dict[str, LocalDesk] = {}
        self.is_ready, self.asked_ready, self.chores_done = True, 0, 0
        self.fault: Exception | None = None
        self.withdrawn: list[Withdrawal] = []

    def desk(self, agent: Agent) -> Desk:
        """Give the desk of an agent."""
        if agent.id not in self.opened:
            self.opened[agent.id] = self._open_as(agent.id)
        return self.opened[agent.id]

    async def ready(self) -> None:
        """Be ready, after a moment."""
        self.asked_ready += 1
        await asyncio.sleep(0.2)
        if not self.is_ready:
            raise NoRecord("postgresql://desk:***@inner-canary:5432/desk went away.")

    async def chores(self) -> None:
        """Do nothing by oneself: tests say when, and what goes wrong."""
        self.chores_done += 1
        if self.fault is not None:
            raise self.fault

    async def withdrawals(self) -> Sequence[Withdrawal]:
        """Give those that were kept."""
        return self.withdrawn

    async def withdraw(self, withdrawal: Withdrawal) -> None:
        """Keep one more."""
        self.withdrawn.append(withdrawal)

    def close(self) -> None:
        """End all desks."""
        for desk in self.opened.values():
            desk.close()


class Spoken:
    """Gives a word for a token; another one once the desk refused it.

    Args:
        word: The token.
        next_word: What is given after a refusal.
    """

    def __init__(self, word: str, next_word: str = "") -> None:
        self._word, self._next = word, next_word or word
        self.refusals: list[str] = []

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        """Give it; who signs in anew did so just now."""
        return self._word if max_age_s is None else self._word.partition(",")[0]

    def refused(self, token: str) -> None:
        """Give the next from now on."""
        self.refusals.append(token)
        self._word = self._next

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Ask nobody."""

    async def sign_out(self) -> None:
        """Say nothing that counts from now on."""
        self._word = ""


def free_port() -> socket.socket:
    """Give a socket on a free port of this machine."""
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


@contextlib.contextmanager
def served(app: App, at: socket.socket | None = None) -> Iterator[str]:
    """Serve an application on a free port of this machine, in a thread; give its address.

    Args:
        app: The application.
        at: A socket that is bound already, where the application has to know its address.
    """
    with at or free_port() as listener:
        config = uvicorn.Config(
            app, lifespan="on", log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="gateway")
        thread.start()
        try:
            ends = time.monotonic() + PATIENCE_S
            while not server.started and thread.is_alive() and time.monotonic() < ends:
                time.sleep(0.005)
            assert server.started
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@contextlib.contextmanager
def gateway(
    open_as: Callable[[str], LocalDesk],
    now: Callable[[], datetime],
    allowance: Allowance = PLENTY,
    time_limit_s: float = 20,
    latest_s: float = 45,
) -> Iterator[tuple[str, SomeDesks]]:
    """Serve desks; give the address and the desks behind it."""
    desks = SomeDesks(open_as)
    first = open_as("lee")
    agents = first._view.store.agents
    words = Words(agents, now)
    made = Gateway(
        desks,
        words,
        allowance=allowance,
        now=now,
        time_limit_s=time_limit_s,
        latest_s=latest_s,
    )
    try:
        with served(made.app()) as url:
            yield url, desks
    finally:
        desks.close()


@contextlib.contextmanager
def remote(url: str, who: str) -> Iterator[RemoteDesk]:
    """Open the desk behind an address, signed in as somebody."""

    desk = RemoteDesk(Line(url, Spoken(who)))
    try:
        yield desk
    finally:
        desk.close()
