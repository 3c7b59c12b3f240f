"""A desk over HTTP: everything a desk can be asked and told, asked of a gateway.

write sent ─▶ answer ─▶ given
   └─▶ answer lost ─▶ what became of its key? ─▶ done: the first answer, given again
                           │                 └─▶ not known: sent again with the same key
                           │                        └─▶ in vain ─▶ taken back: now it is not done
                           └─▶ that cannot be asked: `Unknown`; it is not sent anew
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from helpdesk.connectors.exchange import Lost
from helpdesk.connectors.own_loop import OwnLoop
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import (
    CursorTooOld,
    HelpdeskError,
    NotFound,
    OtherAgent,
    SignInAgain,
    StillRunning,
    Unauthorised,
    Unknown,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.feed import Freshness
from helpdesk.domain.learning import learn
from helpdesk.domain.signing import AskSignIn
from helpdesk.domain.text import clean
from helpdesk.gateway import travelling, wire
from helpdesk.gateway.endpoints import ENDPOINTS, Endpoint
from helpdesk.gateway.line import Line, Reply, events
from helpdesk.service.asking import from_here

T = TypeVar("T")

AGAIN: Final = 4
"""How often a write whose answer was lost is sent with its key, at most."""

WAIT_S: Final = 0.5
"""How long a write that is under way is waited for, before it is asked for again."""

RECENT_S: Final = 270
"""How long ago the agent may have signed in where the desk asks for a recent sign-in: it takes
five minutes, and sending takes its time."""

SEEN: Final = 2_000
"""Cases whose ETag is remembered."""

UNSEEN: Final = '"unseen"'
"""The ETag of a case that this agent may not see: the policy says why."""


class Connection:
    """One line to a gateway, on a loop of its own that no screen holds up.

    Attributes:
        info: The desk, and who works at it.
        alarm: What is wrong with the desk's log, as it was told last.

    Args:
        line: The line.
        known: What the desk said of itself another day: it is asked anew when it first answers,
            where without it nothing begins before that.
        heed: Is given what the desk says of itself; None where somebody else signed in.
    """

    def __init__(
        self,
        line: Line,
        known: wire.Info | None = None,
        heed: Callable[[wire.Info | None], None] = lambda _: None,
    ) -> None:
        self._line, self._heed = line, heed
        learn(travelling.FORMS)
        learn(one.gives for one in ENDPOINTS.values() if one.gives not in travelling.TRANSLATED)
        self._loop = OwnLoop("desk")
        self._seen: OrderedDict[str, str] = OrderedDict()
        self._ids: dict[str, str] = {}
        self._told_at: datetime | None = None
        self._greeting: asyncio.Task[None] | None = None
        self._is_greeted = known is None
        self._whose: dict[str, str] = {}
        self.alarm = ""
        try:
            self.info = known or self._loop.result(self._introduced())
        except BaseException:
            self.close()
            raise
        self._whose = {wire.AGENT_HEADER: wire.agent_header(self.info.agent)}
        self.alarm = self.info.alarm

    def close(self) -> None:
        """Close the line; blocking, from outside its loop."""
        self._loop.close(self._line.close)

    @property
    def skew(self) -> timedelta:
        """How far this machine's clock is ahead of the desk's."""
        return self._line.skew or timedelta(0)

    @property
    def freshness(self) -> Freshness:
        """How old what one sees is: live, as long as the desk answers."""
        says = self._line.circuit.says
        return Freshness(at=self._told_at if says else None, is_live=not says, says=says)

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent, in the loop that runs now; None takes that back."""
        self._line.prompt_with(ask and from_here(asyncio.get_running_loop(), ask))

    async def sign_out(self) -> None:
        """Forget the sign-in, until `sign_in`."""
        await self._run(self._line.sign_out())

    async def sign_in(self) -> None:
        """Let the agent sign in anew, however short a time ago they did.

        Raises:
            OtherAgent: Somebody else signed in.
        """
        await self._run(self._introduced(max_age_s=RECENT_S))

    async def ask(self, name: str, /, **values: Any) -> Any:
        """Give the answer to a question."""
        return await self._run(self._ask(name, **values))

    async def tell(self, name: str, whose: str, key: str, /, **values: Any) -> Any:
        """Carry out a write once; *whose* case it rests on, if on one.

        Raises:
            Unknown: The answer was lost, and what became of it cannot be asked.
        """
        work = self._tell(ENDPOINTS[name], whose, key or secrets.token_urlsafe(18), values)
        return await asyncio.shield(self._run(work))

    async def page(self, name: str, offset: int, limit: int, /, **values: Any) -> Any:
        """Give a window on a list, however long, in as many questions as it takes."""
        return await self._run(self._page(name, offset, limit, values))

    async def changed(self, after: str) -> str:
        """Wait until something changed after a cursor; give the new one."""
        return await self._run(self._changed(after))

    async def case(self, user: str) -> Case:
        """Give a case, and remember how it was seen."""
        return await self._run(self._case(user))

    async def user(self, name: str) -> str:
        """Give an id as it may stand in an address, for an id or a login."""
        return await self._run(self._user(name))

    def _run(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return self._loop.run(work)

    async def _ask(self, name: str, /, **values: Any) -> Any:
        endpoint = ENDPOINTS[name]
        return self._read(endpoint, await self._sent(endpoint, values))

    async def _sent(
        self,
        endpoint: Endpoint,
        values: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        max_age_s: int | None = None,
    ) -> Reply:
        path, rest = wire.placed(endpoint.path, values)
        try:
            reply = await self._line.ask(
                endpoint.method,
                path,
                values=rest,
                headers={**self._whose, **(headers or {})},
                is_write=endpoint.is_write,
                max_age_s=max_age_s,
            )
        except OtherAgent:
            self._heed(None)
            raise
        self.alarm, self._told_at = reply.alarm, datetime.now(UTC)
        if not self._is_greeted and self._greeting is None:
            self._greeting = asyncio.create_task(self._greet())
        return reply

    async def _introduced(self, max_age_s: int | None = None) -> wire.Info:
        """Give what the desk says of itself and of who works at it."""
        endpoint = ENDPOINTS["desk"]
        self._is_greeted = True
        info: wire.Info = self._read(endpoint, await self._sent(endpoint, {}, max_age_s=max_age_s))
        self.info = info
        self._heed(info)
        return info

    async def _greet(self) -> None:
        """Ask the desk what it says of itself now; what is known counts until it has said it."""
        try:
            await self._introduced()
        except HelpdeskError:
            self._is_greeted = False
        finally:
            self._greeting = None

    def _read(self, endpoint: Endpoint, reply: Reply) -> Any:
        try:
            return travelling.from_wire(reply.body, endpoint.gives)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreachable(
                f"The desk answered in a form that this version does not know: {clean(str(error))}."
            ) from error

    async def _case(self, name: str) -> Case:
        user = await self._user(name)
        reply = await self._sent(ENDPOINTS["case"], {"user": user})
        case: Case = self._read(ENDPOINTS["case"], reply)
        if name != case.user.id:
            self._ids[name] = case.user.id
        self._remember(case.user.id, reply.tag)
        return case

    async def _user(self, name: str) -> str:
        try:
            return msgspec.convert(name, wire.UserId)
        except msgspec.ValidationError:
            found: wire.Whose = await self._ask("whose", name=name[:200])
            return found.user

    async def _tell(
        self, endpoint: Endpoint, user: str, key: str, values: Mapping[str, Any]
    ) -> Any:
        headers = {wire.KEY_HEADER: key}
        if endpoint.is_matched:
            headers["If-Match"] = await self._as_seen(user)
        reply = await self._carried(endpoint, key, values, headers)
        self._remember(self._ids.get(user, user), reply.tag)
        try:
            return self._read(endpoint, reply)
        except Unreachable as error:  # it was carried out all the same
            raise Unknown(
                f"{error} What became of it can be looked at in the case.", key
            ) from error

    async def _carried(
        self, endpoint: Endpoint, key: str, values: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Reply:
        lost: Lost | None = None
        max_age_s = None
        for again in range(AGAIN):
            try:
                return await self._sent(endpoint, values, headers=headers, max_age_s=max_age_s)
            except Unauthorised as error:
                if isinstance(error, SignInAgain) and max_age_s is None:
                    max_age_s = RECENT_S
                elif lost is None:
                    raise
                else:
                    raise _unknown(key) from error  # whose key it is was not looked at
            except StillRunning:
                if lost is None:
                    raise
                await asyncio.sleep(WAIT_S)
            except Lost as error:
                lost = error
                await self._learn(key)
                await asyncio.sleep(WAIT_S * again)
            except Unreachable as error:
                if lost is None or isinstance(error, Unsettled):
                    raise
                raise _unknown(key) from error  # the first may have been done, and was looked for
        return await self._taken_back(endpoint, key, values, headers, lost)

    async def _taken_back(
        self,
        endpoint: Endpoint,
        key: str,
        values: Mapping[str, Any],
        headers: Mapping[str, str],
        lost: Lost | None,
    ) -> Reply:
        """Raise what the desk told, once it is sure that nothing was or will be done.

        Another gateway may have it in hand still: that this one does not know it says nothing.
        """
        if lost is None or lost.told is None:
            raise _unknown(key)
        try:
            found = await self._ask("withdraw", key=key)
            if not found.is_withdrawn:
                return await self._sent(endpoint, values, headers=headers)
        except HelpdeskError as error:
            raise _unknown(key) from error
        raise lost.told

    async def _learn(self, key: str) -> None:
        """Ask what became of a write whose answer was lost: done, or nothing, but not running.

        Raises:
            Unknown: It cannot be asked.
        """
        for _ in range(2 * AGAIN):
            try:
                await self._ask("operation", key=key)
            except NotFound:
                return
            except StillRunning:
                await asyncio.sleep(WAIT_S)
            except HelpdeskError as error:
                raise _unknown(key) from error
            else:
                return
        raise _unknown(key)

    async def _as_seen(self, user: str) -> str:
        """The ETag of the case as it was seen last; it is looked at where it never was."""
        if self._ids.get(user, user) not in self._seen:
            try:
                await self._case(user)
            except NotFound:
                return UNSEEN
        return self._seen[self._ids.get(user, user)]

    def _remember(self, user: str, tag: str) -> None:
        if tag:
            self._seen[user] = tag
            self._seen.move_to_end(user)
        while len(self._seen) > SEEN:
            self._seen.popitem(last=False)

    async def _page(self, name: str, offset: int, limit: int, values: Mapping[str, Any]) -> Any:
        sort = getattr(getattr(values.get("query"), "sort", None), "value", "")
        found = await self._window(name, offset, min(max(limit, 1), wire.MOST_ROWS), sort, values)
        rows = list(found.rows)
        while len(rows) < limit and found.next and found.rows:
            wanted = min(limit - len(rows), wire.MOST_ROWS)
            found = await self._window(name, offset + len(rows), wanted, sort, values)
            rows += found.rows
        return msgspec.structs.replace(found, offset=offset, rows=tuple(rows[:limit]))

    async def _window(
        self, name: str, offset: int, limit: int, sort: str, values: Mapping[str, Any]
    ) -> Any:
        cursor = wire.cursor_of(offset, sort)
        return await self._ask(name, cursor=cursor, limit=limit, **values)

    async def _changed(self, after: str) -> str:
        while True:
            values = {"after": after} if after else {}
            async with self._line.stream(ENDPOINTS["changed"].path, values, self._whose) as lines:
                async for name, cursor in events(lines):
                    if name == "gone":
                        raise CursorTooOld("What changed since is no longer known: look anew.")
                    if name == "changed" or (after and cursor != after):
                        return cursor
                    after = cursor


def _unknown(key: str) -> Unknown:
    return Unknown(
        "It is unknown whether this was done: the answer was lost, and the desk cannot be asked "
        "now. It is not sent anew. Look at the case when the desk answers again.",
        key,
    )
