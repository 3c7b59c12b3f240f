"""The desk over HTTP: who asks, may they, how often; then the desk itself answers.

request ─▶ bounds ─▶ sign-in, withdrawn? ─▶ right ─▶ form ─▶ recent? ─▶ key? ─▶ as seen? ─▶ Desk
              429              401            403     400       401      400      428 412
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from litestar import Litestar, Request, Response, Router, get

from helpdesk.domain.agents import Agent
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.errors import (
    Conflict,
    HelpdeskError,
    NotFound,
    OtherAgent,
    Refused,
    SignInAgain,
    Stale,
    Unauthorised,
)
from helpdesk.domain.learning import learn
from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.gateway import problems, wire
from helpdesk.gateway.bounds import Allowance, Bounds
from helpdesk.gateway.calls import Call, Given, Malformed, give
from helpdesk.gateway.encoded import Body, Encoded, body_of
from helpdesk.gateway.endpoints import ENDPOINTS, RIGHTS, Endpoint
from helpdesk.gateway.forms import asked, asks_of, seen_of, tag_of
from helpdesk.gateway.issuers import RESOURCE_PATH
from helpdesk.gateway.leaving import Leaving, signed_out
from helpdesk.gateway.openapi import document
from helpdesk.gateway.refusals import NotInThisWay, refusal
from helpdesk.gateway.relay import tell
from helpdesk.gateway.routes import Routes
from helpdesk.gateway.tokens import (
    Signed,
    asks_step_up,
    needs_step_up,
)
from helpdesk.gateway.travelling import etag
from helpdesk.gateway.watch import AGENT, ROUTE, App, Numbers, Receive, Send, Watched, tell_fault
from helpdesk.service.desk import Desk
from helpdesk.service.ground import resting_on

T = TypeVar("T")

TIME_LIMIT_S: Final = 20.0
"""Seconds one answer may take; a change goes on to its end, and can be asked for by its key."""

LATEST_S: Final = 45.0
"""Seconds after which a change that still waits for its turn is not begun any more.

Nobody waits for it, and a console whose question came to nothing takes it after a minute that it
never came.
"""

CHORES_S: Final = 10.0
"""How often what waits is looked after."""


class Desks(Protocol):
    """Gives each agent the desk they work at; all of them on one truth."""

    def desk(self, agent: Agent) -> Desk:
        """Give the desk of an agent, who has signed in."""
        ...

    async def ready(self) -> None:
        """Raise `HelpdeskError` where no desk could answer now."""
        ...

    def chores(self) -> Coroutine[Any, Any, None]:
        """Do what is due, whoever asks for it: acts that waited long enough."""
        ...

    async def withdrawals(self) -> Sequence[Withdrawal]:
        """Give who and which sign-ins count no more."""
        ...

    async def withdraw(self, withdrawal: Withdrawal) -> None:
        """Keep one more, for all gateways on this truth."""
        ...


class SignIns(Protocol):
    """Says whose a token is."""

    async def agent(self, bearer: str) -> Signed:
        """Give who signed in, or raise `Unauthorised`."""
        ...


class Gateway:
    """Answers for the desks.

    Args:
        desks: The desks.
        sign_ins: Reads the tokens.
        allowance: How much may be asked.
        now: The present, aware.
        time_limit_s: Seconds one answer may take.
        latest_s: Seconds after which a change is not begun any more.
        pages: What else is answered at this address: an issuer of its own, who signs agents in.
        described: What consoles are told about signing in (RFC 9728).
    """

    def __init__(
        self,
        desks: Desks,
        sign_ins: SignIns,
        *,
        allowance: Allowance | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        time_limit_s: float = TIME_LIMIT_S,
        latest_s: float = LATEST_S,
        pages: Sequence[Router] = (),
        described: Mapping[str, Any] | None = None,
    ) -> None:
        learn(endpoint.asks for endpoint in ENDPOINTS.values())
        self._desks, self._sign_ins, self._now = desks, sign_ins, now
        self._bounds = Bounds(allowance or Allowance(), time.monotonic)
        self._time_limit_s, self._latest_s = time_limit_s, latest_s
        self._pages, self._described = pages, described
        self._encoded = Encoded()
        self._running: set[asyncio.Task[Any]] = set()
        self._leaving = Leaving(desks.withdrawals)
        self._asking: asyncio.Task[None] | None = None
        self.numbers = Numbers()

    def app(self) -> App:
        """Return the ASGI application."""
        inner = Litestar(
            route_handlers=[*self._open(), *self._pages],
            exception_handlers={Exception: self._problem},
            lifespan=[self._lifespan],
            openapi_config=None,
            logging_config=None,
            request_max_body_size=wire.BODY_LIMIT,
        )
        routes = Routes(ENDPOINTS.values())

        async def outer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            found = routes.find(scope["path"]) if scope["type"] == "http" else None
            if found is None:
                await inner(scope, receive, send)  # type: ignore[arg-type]
                return
            try:
                endpoint = found.ways.get(scope["method"])
                if endpoint is None:
                    raise NotInThisWay(found.ways)
                given = await self.answer(endpoint, Call(scope, receive, found.placed))
            except Exception as error:  # noqa: BLE001  (each is answered as the problem it is)
                given = refusal(error, self.numbers)
            await give(given, receive, send)

        return Watched(outer, self.numbers)

    def _open(self) -> list[Any]:
        """What answers without a sign-in: nothing of it is about anybody."""

        @get("/healthz")
        async def healthz() -> Response[bytes]:
            return Response(b'{"is_done":true}', media_type="application/json")

        @get("/readyz")
        async def readyz() -> Response[bytes]:
            await self._ready()
            return Response(b'{"is_done":true}', media_type="application/json")

        @get("/metrics")
        async def metrics() -> Response[bytes]:
            return Response(self.numbers.text(), media_type="text/plain; version=0.0.4")

        @get("/openapi.json")
        async def openapi() -> Response[bytes]:
            return Response(document(), media_type="application/json")

        @get(RESOURCE_PATH)
        async def resource() -> Response[bytes]:
            if self._described is None:
                raise NotFound("This desk does not say who signs agents in.")
            return Response(msgspec.json.encode(self._described), media_type="application/json")

        return [healthz, readyz, metrics, openapi, resource]

    async def _ready(self) -> None:
        """Ask whether a desk could answer; all who want to know at once have one answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._desks.ready())
            self._asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        async with asyncio.timeout(self._time_limit_s):
            await asyncio.shield(self._asking)

    async def answer(self, endpoint: Endpoint, call: Call) -> Given:
        """Answer one question, or carry out one wish.

        Raises:
            HelpdeskError: It is not answered; made a problem further out.
        """
        call.scope[ROUTE] = endpoint.path
        with self._bounds.anybody():
            async with asyncio.timeout(self._time_limit_s):
                signed = await self._signed(call)
                call.scope[AGENT] = signed.agent.id
                self._bounds.agent(signed.agent.id)
                await self._leaving.check(signed)
                permit(endpoint, signed.agent)
                asks = await asks_of(endpoint, call)
                if is_grave(endpoint, asks) and needs_step_up(signed, self._now()):
                    raise SignInAgain("This act asks for a sign-in of the last minutes.")
                desk = self._desks.desk(signed.agent)
                if endpoint.name == "sign_out":
                    await self._desks.withdraw(signed_out(signed, self._now()))
                    return _answer(Body(msgspec.json.encode(wire.Done())), desk)
                if endpoint.is_write:
                    return await self._write(endpoint, asks, desk, call, signed)
                if endpoint.name == "changed":
                    return await self._events(asks, desk, signed)
                if endpoint.name == "desk":
                    return _answer(self._encoded.info(desk), desk)
                work = asked(desk, endpoint, asks)
                # What is due may be at a provider when nobody waits for it any more.
                found = await (self._whole(work) if endpoint.name == "carry_out_due" else work)
                return _answer(self._encoded.of(found, endpoint, asks), desk)

    async def _signed(self, call: Call) -> Signed:
        scheme, _, bearer = call.header("authorization").partition(" ")
        if scheme.casefold() != "bearer" or not bearer.strip():
            raise Unauthorised("Sign in first: there is no sign-in with this question.")
        signed = await self._sign_ins.agent(bearer.strip())
        meant = call.header(wire.AGENT_HEADER)
        if meant and meant != wire.agent_header(signed.agent):
            raise OtherAgent(
                f"You signed in as {signed.agent.id}, and this console is another agent's: "
                "nothing was done. Quit, and open it anew."
            )
        return signed

    async def _write(
        self, endpoint: Endpoint, asks: wire.Asks, desk: Desk, call: Call, signed: Signed
    ) -> Given:
        key = call.header(wire.KEY_HEADER)
        if not key:
            raise Malformed(f"Every change needs a key of its own: {wire.KEY_HEADER}.")
        seen = seen_of(endpoint, call)
        # Where nobody waits for it any more, its answer is asked for by its key.
        body = await self._whole(self._carried(endpoint, asks, desk, key, seen, signed))
        return _answer(body, desk)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Go on with something to its end, also where nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def _carried(
        self,
        endpoint: Endpoint,
        asks: wire.Asks,
        desk: Desk,
        key: str,
        seen: str,
        signed: Signed,
    ) -> Body:
        """Carry out a wish, if the case is as it was seen, or the key has answered before."""
        user = _user(asks) if endpoint.is_matched else ""
        ends = time.monotonic() + self._latest_s
        tags = [tag.strip() for tag in seen.split(",")] if user else []

        def ground(case: Case | None) -> None:
            if time.monotonic() > ends:
                raise Conflict("It waited too long for its turn: nothing was done.")
            self._leaving.hold_against(signed)
            if tags and case is not None and etag(case) not in tags:
                raise Stale("Somebody changed this case since you looked: look again.")

        with resting_on(ground):
            found = await asked(desk, endpoint, asks, key=key)
        body = body_of(found, endpoint, asks)
        if user and not body.tag:
            with contextlib.suppress(HelpdeskError):  # it is done, whatever can be read now
                body = body._replace(tag=tag_of(await desk.case(user)))
        return body

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever waited; nobody may have

    async def _events(self, asks: Any, desk: Desk, signed: Signed) -> Given:
        begin = await desk.changes(asks.after, limit=1)  # raises before the stream begins
        stream = self._bounds.stream(signed.agent.id)
        stream.__enter__()

        async def events() -> AsyncIterator[bytes]:
            with self.numbers.streams.track_inprogress(), self._leaving.stream(signed) as over:
                left_s = max(0.0, (signed.expires_at - self._now()).total_seconds())
                async for event in tell(desk, asks.after or begin.cursor, left_s, over):
                    yield event

        async def counted() -> AsyncGenerator[bytes, None]:
            try:
                async with contextlib.aclosing(events()) as told:  # type: ignore[type-var]
                    async for event in told:
                        yield event
            finally:
                stream.__exit__(None, None, None)

        return Given(b"", media=b"text/event-stream", events=counted())

    def end(self) -> None:
        """End all streams of events, so that nobody who listens holds up the stop."""
        self._leaving.end()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncIterator[None]:
        beside = [asyncio.create_task(one) for one in (self._chores(), self._leaving.go_on())]
        try:
            yield
        finally:
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if self._running:
                await asyncio.wait(self._running, timeout=self._time_limit_s)

    async def _chores(self) -> None:
        while True:
            try:
                await self._whole(self._desks.chores())
            except Exception as error:  # noqa: BLE001  (whatever it was, the next round is due)
                tell_fault(error)
            await asyncio.sleep(CHORES_S)

    def _problem(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Return what is answered where something went wrong on a page."""
        given = refusal(error, self.numbers)
        headers = {name.decode(): value.decode() for name, value in given.headers}
        return Response(
            given.content,
            status_code=given.status,
            media_type=problems.MEDIA_TYPE,
            headers=headers,
        )


def permit(endpoint: Endpoint, agent: Agent) -> None:
    """Let an agent use an endpoint.

    Raises:
        Refused: Not in this role; an endpoint without a listed right is for nobody.
    """
    roles = RIGHTS.get(endpoint.name, frozenset())
    if agent.role not in roles:
        who = ", ".join(sorted(role.words for role in roles)) or "nobody"
        why = f"That is for {who}; you are: {agent.role.words}."
        raise Refused(Decision(act=endpoint.name, weight=Weight.REFUSED, why=why))


def is_grave(endpoint: Endpoint, asks: wire.Asks) -> bool:
    """Whether this wish asks for a recent sign-in."""
    action = getattr(asks, "action", None)
    if endpoint.is_write and action is not None:
        return asks_step_up(action)
    return endpoint.is_grave


def _user(asks: Any) -> str:
    return str(getattr(asks, "user", "") or asks.action.user)


def _answer(body: Body, desk: Desk) -> Given:
    headers = [(b"etag", body.tag.encode())] if body.tag else []
    if desk.alarm:
        headers.append((wire.ALARM_HEADER.encode(), quote(desk.alarm).encode()))
    return Given(body.content, headers=headers)
