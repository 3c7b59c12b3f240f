"""What a privacyIDEA is asked: people, their factors, and what happened to them.

people ─▶ one by one where few are asked for, with lists where many are · kept for three seconds
timeline ─▶ sign-in log and audit of one · of many the sign-ins of the last day
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from helpdesk.connectors.base import Found, Supports
from helpdesk.connectors.privacyidea import abilities, reading
from helpdesk.connectors.privacyidea.events import Known, ends_of, timeline_of
from helpdesk.connectors.privacyidea.line import WHO, PiLine, Reply
from helpdesk.connectors.privacyidea.reading import parts_of, user_id, user_of
from helpdesk.connectors.raw import moment, rows, text
from helpdesk.domain.errors import NotFound
from helpdesk.domain.text import clean, digits
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import Account, User

T = TypeVar("T")

FRESH_S: Final = 3.0
"""How long what was read of a person counts as read: the questions of one screen ask it once."""

LOOK_S: Final = 10.0
"""How often the sign-in log is looked at for news; each look is a row of its audit."""

FIELDS: Final = ("username", "givenname", "surname", "email")
NUMBERS: Final = ("mobile", "phone")
"""What of people is searched in."""

FEW: Final = 3
"""Up to so many people are asked for one by one; more come with lists."""

MOST_ROWS: Final = 1_000
"""Rows of a log that are read for one person, the newest."""

MOST_SEEN: Final = 2_000
"""Rows of a log that are read to see who did something."""

MOST_TOKENS: Final = 20_000
"""Tokens that are read to see the factors of many."""


class PiQuestions:
    """The half of a connector that changes nothing.

    Args:
        name: What the settings call it; ids begin with it.
        line: How it is asked.
        products: By realm the product its people are of; under the empty name that of all others.
        clock: Gives the time.
        fresh_s: How long what was read counts as read.
    """

    takes_part = False

    def __init__(
        self,
        name: str,
        line: PiLine,
        products: Mapping[str, str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        fresh_s: float = FRESH_S,
    ) -> None:
        self.name, self._line, self._products, self._clock = name, line, products, clock
        self._fresh_s = fresh_s
        self._people: dict[str, tuple[float, User]] = {}
        self._timelines: dict[str, tuple[float, tuple[AnyEvent, ...]]] = {}
        self._others: dict[str, tuple[str, ...]] = {}
        self._generation, self._newest, self._looked = 0, "", -LOOK_S
        self._ahead: timedelta | None = None

    async def refresh(self) -> int:
        """Give a number that changes when the sign-in log grew, or an act was done here."""
        now = time.monotonic()
        if now - self._looked >= LOOK_S and await self._may("authentication_log_read"):
            self._looked = now
            told = await self._ask("GET", "/authenticationlog/", query={"page": 1, "page_size": 1})
            newest = next((text(r, "id") for r in rows(told.value, "auth_logs")), "")
            if newest != self._newest:
                self._newest = newest
                self._forget()
        return self._generation

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user, by the rights of the desk's own account."""
        signed = await self._line.signed()
        others = self._others.get(user.id, ())
        return Supports(provider=WHO, lacks=abilities.lacks_of(signed.rights, user, others))

    async def people(self, users: Sequence[str]) -> Mapping[str, User]:
        """Give these users by id; whoever is not known is left out."""
        begun, found = self._generation, self._fresh(self._people, users)
        wanted = [user for user in dict.fromkeys(users) if user not in found]
        if len(wanted) > FEW:
            read = await self._read_many(wanted)
        else:
            read = [*await asyncio.gather(*(self._read_one(user) for user in wanted))]
        found |= self._kept(self._people, begun, {one.id: one for one in read if one is not None})
        return {user: found[user] for user in users if user in found}

    async def account(self, name: str) -> Account | None:
        """Give a realm."""
        own, _, realm = name.partition(":")
        if own != self.name or not realm:
            return None
        return Account(id=name, name=clean(realm, limit=80), product=self._product(realm) or "")

    async def timeline(self, user: str) -> tuple[AnyEvent, ...]:
        """Give what happened to a user, oldest first: the newest thousand rows of each log."""
        return (await self.timelines([user]))[user]

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        """Give the timelines of several users; of many the last day, and the newest changes."""
        begun, found = self._generation, self._fresh(self._timelines, users)
        wanted = [user for user in dict.fromkeys(users) if user not in found]
        if len(wanted) > FEW:
            return found | await self._read_sign_ins(wanted)  # short ones, for this question only
        read = await asyncio.gather(*(self._read_timeline(user) for user in wanted))
        return found | self._kept(self._timelines, begun, dict(zip(wanted, read, strict=True)))

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give people whose login, name, mail or number holds the longest word."""
        begun, word = self._generation, max(words, key=len, default="")
        pattern = "".join(c for c in word if c not in "*%")
        found: dict[str, Any] = {}
        says: list[str] = []
        if pattern:
            fields = (*FIELDS, *NUMBERS) if len(digits(pattern)) >= 3 else FIELDS
            wishes = [{field: f"*{pattern}*"} for field in fields]
            for told in await asyncio.gather(*(self._searched(wish) for wish in wishes)):
                self._collect(told, found, says)
        if not found:  # what is typed has lost its accents: then everybody is looked through
            self._collect(await self._searched({}), found, says)
        people = [*found.items()][:limit]
        if len(found) > limit:
            says.append(f"{len(found)} people were found; these are the first {limit}.")
        users = await self._with_factors(people)
        self._kept(self._people, begun, {user.id: user for user in users})
        return Found(users=tuple(users), says=" ".join(dict.fromkeys(says)))

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, with or without their realm, whatever its case."""
        begun, (bare, at, realm) = self._generation, login.rpartition("@")
        pairs = {(login, ""), (bare, realm.lower())} if at else {(login, "")}
        found: dict[str, Any] = {}
        for name, place in pairs:
            exact = "".join(c for c in name if c not in "*%")
            wish = {"username": exact, **({"realm": place} if place else {})}
            if exact and (not place or self._product(place) is not None):
                self._collect(await self._searched(wish), found, [])
        people = await self._with_factors([*found.items()])
        self._kept(self._people, begun, {user.id: user for user in people})
        return [u for u in people if login.casefold() in _logins(u)]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give the ids of those with a row in the sign-in log, those seen last first."""
        if not await self._may("authentication_log_read"):
            return []
        logged = await self._logged({"start_time": _stamp(at)}, most=MOST_SEEN)
        names = dict.fromkeys(
            user_id(self.name, text(row, "username"), text(row, "realm"))
            for row in logged
            if text(row, "username") and self._product(text(row, "realm")) is not None
        )
        return [*names][:limit]

    async def inspect(self) -> Sequence[str]:
        """Say version, account, clocks, logs, and what will not be possible."""
        return await abilities.inspected(self._line, await self._server_ahead())

    def close(self) -> None:
        """Let go of all connections; blocking."""
        self._line.http.close()

    async def _ask(self, method: str, path: str, **more: Any) -> Reply:
        return await self._line.ask(method, path, **more)

    def _fresh(self, kept: Mapping[str, tuple[float, T]], wanted: Sequence[str]) -> dict[str, T]:
        """Give what was read of some users a moment ago."""
        now = time.monotonic()
        known = [user for user in wanted if user in kept and now - kept[user][0] < self._fresh_s]
        return {user: kept[user][1] for user in known}

    def _kept(
        self, kept: dict[str, tuple[float, T]], begun: int, read: dict[str, T]
    ) -> dict[str, T]:
        """Keep what was read for a moment, and let go of what is older; give what was read.

        What something changed meanwhile may be of before.
        """
        now = time.monotonic()
        for user in [user for user, (at, _) in kept.items() if now - at >= self._fresh_s]:
            del kept[user]
        if begun == self._generation:
            kept |= {user: (now, one) for user, one in read.items()}
        return read

    def _forget(self) -> None:
        """Let go of what was read: something changed."""
        self._generation += 1
        self._people.clear()
        self._timelines.clear()

    async def _may(self, right: str) -> bool:
        return right in (await self._line.signed()).rights

    def _product(self, realm: str) -> str | None:
        """The product of a realm's people; None where they are none of this desk's."""
        return self._products.get(realm, self._products.get(""))

    async def _searched(self, wish: Mapping[str, str]) -> Reply:
        named = [realm for realm in self._products if realm]
        realm = {} if "" in self._products or len(named) != 1 else {"realm": named[0]}
        return await self._ask("GET", "/user/", query={**realm, **wish})

    def _collect(self, told: Reply, found: dict[str, Any], says: list[str]) -> None:
        people = rows({"": told.value}, "")
        for raw in people:
            if text(raw, "username") and self._product(text(raw, "realm")) is not None:
                name = user_id(self.name, text(raw, "username"), text(raw, "realm"))
                found.setdefault(name, raw)
        if told.skipped:
            skipped = ", ".join(clean(one, limit=60) for one in told.skipped)
            says.append(f"{WHO} did not look into {skipped}: its people are missing.")
        if len(people) >= 100 and len(people) % 100 == 0:
            says.append(
                f"{WHO} gave exactly {len(people)} people: the limit of a resolver may have cut "
                "the list. Type more of the name."
            )

    async def _with_factors(self, people: Sequence[tuple[str, Any]]) -> list[User]:
        if len(people) > FEW:
            tokens = await self._tokens({"assigned": "True"}, most=MOST_TOKENS)
            by_user: dict[str, list[Any]] = {}
            for raw in tokens:
                name = user_id(self.name, text(raw, "username"), text(raw, "user_realm"))
                by_user.setdefault(name, []).append(raw)
            return [self._made(name, raw, by_user.get(name, [])) for name, raw in people]
        return [*await asyncio.gather(*(self._whole(name, raw) for name, raw in people))]

    async def _whole(self, name: str, raw: Any) -> User:
        query = {"user": text(raw, "username"), "realm": text(raw, "realm")}
        lock = {}
        if await self._may("user_lock_read"):
            told = await self._ask("GET", "/conditionalaccess/lock/user", query=query)
            lock = told.value
        return self._made(name, raw, await self._tokens(query), lock)

    def _made(self, name: str, raw: Any, tokens: Sequence[Any], lock: Any = None) -> User:
        product = self._product(text(raw, "realm")) or ""
        user = user_of(raw, tokens, connector=self.name, product=product, lock=lock)
        self._others[name] = reading.others_of(tokens)
        return user

    async def _tokens(self, query: Mapping[str, str], *, most: int = 1_000) -> list[Any]:
        asked = {**query, "hidden_tokeninfo": reading.HIDDEN}
        return await self._line.list("/token/", asked, "pagesize", "tokens", most=most)

    async def _read_one(self, user: str) -> User | None:
        login, realm = parts_of(user)
        is_ours = user.startswith(f"{self.name}:") and self._product(realm) is not None
        if not login or not is_ours or set(login) & set("*%"):
            return None
        told = await self._ask("GET", "/user/", query={"username": login, "realm": realm})
        for raw in rows({"": told.value}, ""):
            if (text(raw, "username"), text(raw, "realm")) == (login, realm):
                return await self._whole(user, raw)
        return None

    async def _read_many(self, users: Sequence[str]) -> list[User | None]:
        """Read people with one question a realm; who is not among them is asked for alone."""
        found: dict[str, Any] = {}
        for realm in dict.fromkeys(parts_of(user)[1] for user in users):
            if self._product(realm) is not None:
                told = await self._ask("GET", "/user/", query={"realm": realm})
                self._collect(told, found, [])
        there = await self._with_factors([(user, found[user]) for user in users if user in found])
        return [*there, *[await self._read_one(user) for user in users if user not in found]]

    async def _read_timeline(self, user: str) -> tuple[AnyEvent, ...]:
        login, realm = parts_of(user)
        person = (await self.people([user])).get(user)
        if person is None:
            raise NotFound(f"There is no user {clean(user)} here.")
        signed = await self._line.signed()
        whose = {"user": login, "realm": realm}
        logged, begun, removed, ends = await asyncio.gather(
            self._logged({"usernames": login, "realms": realm}, most=MOST_ROWS),
            self._audited({**whose, "action": "POST /token*"}),
            self._audited({**whose, "action": "DELETE /token*"}),
            self._ends(whose),
        )
        known = Known(
            factors={factor.id: factor for factor in person.factors},
            ends=ends,
            desk=signed.login,
            ahead=await self._server_ahead() if begun or removed else timedelta(0),
        )
        return timeline_of(logged, [*begun, *removed], known)

    async def _read_sign_ins(self, users: Sequence[str]) -> dict[str, tuple[AnyEvent, ...]]:
        people = await self.people(users)
        since = {"start_time": _stamp(self._clock() - timedelta(days=1))}
        logged, begun, removed = await asyncio.gather(
            self._logged(since, most=MOST_SEEN),
            self._audited({"action": "POST /token*"}),
            self._audited({"action": "DELETE /token*"}),
        )
        signed_in = self._by_user(logged, "username")
        changed = self._by_user([*begun, *removed], "user")
        desk, ahead = (await self._line.signed()).login, await self._server_ahead()
        told: dict[str, tuple[AnyEvent, ...]] = {}
        for user in users:
            factors = {f.id: f for f in people[user].factors} if user in people else {}
            known = Known(factors=factors, ends={}, desk=desk, ahead=ahead)
            told[user] = timeline_of(signed_in.get(user, ()), changed.get(user, ()), known)
        return told

    def _by_user(self, raws: Sequence[Any], column: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for row in raws:
            name = user_id(self.name, text(row, column), text(row, "realm"))
            found.setdefault(name, []).append(row)
        return found

    async def _logged(self, query: Mapping[str, str], *, most: int) -> list[Any]:
        if not await self._may("authentication_log_read"):
            return []
        path = "/authenticationlog/"
        return await self._line.list(path, query, "page_size", "auth_logs", most=most)

    async def _audited(self, query: Mapping[str, str]) -> list[Any]:
        if not await self._may("auditlog"):
            return []
        asked = {**query, "sortorder": "desc"}
        return await self._line.list("/audit/", asked, "page_size", "auditdata", most=MOST_ROWS)

    async def _ends(self, whose: Mapping[str, str]) -> dict[str, datetime]:
        if not await self._may("getchallenges"):
            return {}
        told = await self._ask("GET", "/token/challenges/", query=whose)
        return ends_of(rows(told.value, "challenges"))

    async def _server_ahead(self) -> timedelta:
        """How far the server's own clock reads ahead of UTC, told by its newest audit row.

        That is the row of what was asked just now; its clock is right to the quarter of an hour.
        """
        if not await self._may("auditlog"):
            return timedelta(0)
        if self._ahead is None:
            query = {"page": 1, "page_size": 1, "sortorder": "desc"}
            told = await self._ask("GET", "/audit/", query=query)
            newest = next((moment(r, "date") for r in rows(told.value, "auditdata")), None)
            skew = self._line.http.skew or timedelta(0)
            now = datetime.now(UTC) - skew
            seconds = (newest - now).total_seconds() if newest else 0.0
            self._ahead = timedelta(seconds=round(seconds / 900) * 900)
        return self._ahead


def _logins(user: User) -> set[str]:
    return {user.login.casefold(), parts_of(user.id)[0].casefold()}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
