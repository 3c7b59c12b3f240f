"""Duo as a provider of this desk.

people ◀─ user + phones + tokens + passkeys      timeline ◀─ authentication log
push to the caller ─▶ approve · deny · fraud: an alarm, kept until the desk closes
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final
from urllib.parse import urlsplit

from helpdesk.connectors.base import Found, Supports
from helpdesk.connectors.duo.api import Duo
from helpdesk.connectors.duo.events import timeline_of
from helpdesk.connectors.duo.lacking import LACKS
from helpdesk.connectors.elsewhere import Elsewhere
from helpdesk.connectors.parts import ids_of
from helpdesk.connectors.raw import epoch, number, rows, text
from helpdesk.domain.errors import (
    Conflict,
    Disowned,
    NotFound,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import LAST, AnyEvent
from helpdesk.domain.users import Account, Factor, FactorKind, FactorState, MfaState, User

LOG_DAYS: Final = 180
MOST_RECORDS: Final = 10_000
TOKEN: Final = "token-"  # noqa: S105  (what the id of a hardware token's factor begins with)
PASSKEY: Final = "webauthn-"
LOCKED_OUT: Final = "locked out"
DISABLED: Final = (
    "This user is disabled in Duo, which is no lock that ends: a Duo administrator enables them."
)
EXACT: Final = "Duo finds people by their whole login or address; names were looked for among the "
"""Why a search may leave somebody out; how many follows."""

LISTED_S: Final = 10.0
"""Seconds that the list of users is taken for true while somebody types."""


class DuoConnector(Elsewhere):
    """Users of one Duo account.

    Args:
        api: Its addresses.
        name: What the settings call it; ids of its users begin so.
        product: The card that its users are handled by.
        elapsed: Seconds on a clock that never goes back.
    """

    lacks = LACKS

    def __init__(
        self,
        api: Duo,
        *,
        name: str,
        product: str,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, elapsed)
        self._api, self._product = api, product
        self._pushes: dict[str, str] = {}

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user."""
        return Supports(provider="Duo", lacks=LACKS)

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None: the Duo account is the only one."""
        if name != f"{self.name}:-":
            return None
        host = urlsplit(self._api.http.url).hostname or "Duo"
        return Account(id=name, name=host, product=self._product)

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give the users, as many as were asked for, and whoever has the longest word for a login.

        Duo looks for whole logins and addresses; by name, the desk looks through what it listed.
        """
        listed, is_cut = await self.fresh(
            f"everybody, {limit}", lambda: self._api.users({}, limit), LISTED_S
        )
        word = max(words, key=len, default="")
        if not is_cut:
            return Found(users=self._users(listed))
        if not word:
            says = f"Duo gave the first {limit}: narrow the search."
            return Found(users=self._users(listed), says=says)
        by_name, by_mail = await asyncio.gather(
            self._api.users({"username": word}, limit), self._api.users({"email": word}, limit)
        )
        found = {user.id: user for user in self._users([*by_name[0], *by_mail[0], *listed])}
        return Found(users=tuple(found.values())[:limit], says=f"{EXACT}first {limit} only.")

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, whatever its case."""
        listed, _ = await self._api.users({"username": login.lower()}, 5)
        return [u for u in self._users(listed) if u.login.casefold() == login.casefold()]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give the ids of those who did something since a moment, those seen last first."""
        listed, _ = await self._api.log(_span(at), 1000)
        names = dict.fromkeys(text(raw, "user", "key") for raw in listed)
        return [f"{self.name}:{name}" for name in names if name][:limit]

    async def inspect(self) -> Sequence[str]:
        """Say what answers, how the clocks differ, and what will not be possible."""
        await self._api.users({}, 1)
        said = [f"Duo at {clean(urlsplit(self._api.http.url).netloc)} answers."]
        skew = self._api.http.skew
        if skew is not None and abs(skew.total_seconds()) > 5:
            far = "; from five minutes on it takes no signature" if abs(skew.seconds) > 60 else ""
            said.append(f"The clocks differ by {skew.total_seconds():.0f} s{far}.")
        await self._api.log(_span(datetime.now(UTC) - timedelta(minutes=5)), 1)
        said.append("The authentication log can be read; it is minutes behind.")
        return [*said, *(f"{lack.what}: {lack.says}" for lack in LACKS)]

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Take phones, tokens and passkeys from a user, one by one; what is gone is no error.

        Raises:
            Unreachable: It broke off; the sentence says what is gone and what is left.
        """
        await self.act(user, self.remove_each(self.native(user.id), factors))

    async def unlock(self, user: User, now: datetime) -> None:
        """Let a locked-out user in again; whoever is not locked out stays as they are.

        Raises:
            Conflict: An administrator disabled the user, which is no lock.
        """
        await self.act(user, self._unlock(self.native(user.id)))

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Change the mail address."""
        await self.act(user, self._api.change(self.native(user.id), {"email": address}))

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a bypass code that lets in once; those made before stay."""
        seconds = max(ceil((until - now).total_seconds()), 60)  # 0 would never end
        code = await self.act(user, self._api.bypass_code(self.native(user.id), seconds))
        if not code:
            raise Unsettled("Duo made a bypass code, and did not give it.")
        return code

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> str | None:
        """Send a push; give the number that the caller must see on the device."""
        if asking.method is not Method.PUSH:
            raise self.cannot(f"prove:{asking.method.value}")
        if person.factor(asking.channel) is None:
            raise NotFound("That device is not there any more: ask over another.")
        native = self.native(person.id)
        push = await self.act(person, self._api.push(native, asking.channel))
        self._pushes[asking.id] = push.id
        return push.number or None

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether the push was approved.

        Raises:
            Disowned: The customer marked it as fraud.
            Unreachable: It still waits.
            NotFound: It waits no more.
        """
        if asking.method is not Method.PUSH:
            raise self.cannot(f"prove:{asking.method.value}")
        native, push = self.native(person.id), self._pushes.get(asking.id, "")
        try:
            result = await self._api.pushed(native, push) if push else ""
        except NotFound:
            result = ""
        if result == "waiting":
            raise Unreachable("The push is not answered yet: it waits on the customer's device.")
        self._pushes.pop(asking.id, None)
        if not result:
            raise NotFound("The push was not answered in time: ask once more.")
        if result == "fraud":
            raise Disowned(
                "The customer marked the push as fraud: whoever calls is not they. "
                "Hold all changes, and call back on the number of record."
            )
        return result == "approve"

    def close(self) -> None:
        """Let go of all connections; blocking."""
        self._api.http.close()

    async def read(self, native: str) -> User | None:
        """Ask for a user with their devices."""
        return self._user(await self._api.user(native))

    def _users(self, listed: Sequence[Any]) -> tuple[User, ...]:
        return tuple(user for raw in listed if (user := self._user(raw)) is not None)

    def _user(self, raw: Any) -> User | None:
        native = text(raw, "user_id")
        if not native:
            return None
        login, mail, status = text(raw, "username"), text(raw, "email"), text(raw, "status")
        phones = rows(raw, "phones")
        factors = [_phone(one) for one in phones] + [_token(one) for one in rows(raw, "tokens")]
        factors += [_passkey(one) for one in rows(raw, "webauthncredentials")]
        numbers = (text(one, "number") for one in phones)
        return User(
            id=f"{self.name}:{native}",
            name=clean(text(raw, "realname") or login or native, limit=200),
            login=clean(login or mail or native, limit=200),
            account=f"{self.name}:-",
            product=self._product,
            role="user",
            notification_address=mail if mail and mail.casefold() != login.casefold() else None,
            mobile=next((found for found in numbers if found), None),
            mfa=MfaState.OFF if status == "bypass" else MfaState.ON,
            factors=tuple({f.id: f for f in factors if f is not None}.values()),
            locked_until=LAST if status in {LOCKED_OUT, "disabled"} else None,
            seen_at=epoch(number(raw, "last_login")),
        )

    async def events(self, native: str) -> tuple[AnyEvent, ...]:
        """Ask for what the authentication log tells of a user."""
        since = datetime.now(UTC) - timedelta(days=LOG_DAYS)
        listed, _ = await self._api.log(_span(since) | {"users": native}, MOST_RECORDS)
        return timeline_of(reversed(listed))

    async def _unlock(self, native: str) -> None:
        status = text(await self._api.user(native), "status").lower()
        if not status:
            raise Unreachable("Duo did not say how the user stands: nothing was changed.")
        if status == "disabled":
            raise Conflict(DISABLED)
        if status == LOCKED_OUT:
            await self._api.change(native, {"status": "active"})

    async def remove_one(self, native: str, factor: Factor) -> None:
        """Remove a factor; one that is gone already is no error."""
        key = factor.id.removeprefix(PASSKEY)
        if key != factor.id:
            await self._api.remove_passkey(key)
            return
        name = factor.id.removeprefix(TOKEN)
        await self._api.remove(native, "phones" if name == factor.id else "tokens", name)

    async def still_there(self, native: str) -> Collection[str]:
        """Give the ids of the devices that a user has now."""
        raw = await self._api.user(native)
        if not text(raw, "user_id"):
            raise Unreachable("Duo did not say which devices are left.")
        tokens = ids_of(rows(raw, "tokens"), "token_id")
        keys = ids_of(rows(raw, "webauthncredentials"), "webauthnkey")
        left = ids_of(rows(raw, "phones"), "phone_id") | {f"{TOKEN}{name}" for name in tokens}
        return left | {f"{PASSKEY}{name}" for name in keys}


def _span(since: datetime) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"mintime": int(since.timestamp() * 1000), "maxtime": int(now.timestamp() * 1000)}


def _phone(raw: Any) -> Factor | None:
    """Give a phone as one factor, by the best that it can: it comes and goes as a whole."""
    name = text(raw, "phone_id")
    can = raw.get("capabilities")
    known = {word for word in can if isinstance(word, str)} if isinstance(can, list) else set()
    kind = FactorKind.VOICE
    if "push" in known:
        kind = FactorKind.PUSH
    elif "sms" in known or text(raw, "type").lower() == "mobile":
        kind = FactorKind.SMS
    if not name:
        return None
    is_waiting = kind is FactorKind.PUSH and raw.get("activated") is False
    state = FactorState.PENDING if is_waiting else FactorState.ACTIVE
    to = text(raw, "number") or text(raw, "name") or text(raw, "model")
    return Factor(id=name, kind=kind, state=state, to=to or None)


def _token(raw: Any) -> Factor | None:
    name = text(raw, "token_id")
    if not name:
        return None
    to = clean(f"Token {text(raw, 'serial')}".strip(), limit=60)
    return Factor(id=f"{TOKEN}{name}", kind=FactorKind.TOTP, state=FactorState.ACTIVE, to=to)


def _passkey(raw: Any) -> Factor | None:
    name = text(raw, "webauthnkey")
    if not name:
        return None
    return Factor(
        id=f"{PASSKEY}{name}",
        kind=FactorKind.PASSKEY,
        state=FactorState.ACTIVE,
        since=epoch(number(raw, "date_added")),
        to=clean(text(raw, "credential_name") or text(raw, "label"), limit=60) or None,
    )
