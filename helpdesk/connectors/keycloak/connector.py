"""Keycloak as a provider of this desk.

people ◀─ user + credentials + sessions + guard      timeline ◀─ events, where the realm saves them
reset of all ─▶ demand a new set-up ─▶ remove each: what breaks off leaves nobody without proof
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from helpdesk.connectors.base import Found, Supports
from helpdesk.connectors.elsewhere import Elsewhere
from helpdesk.connectors.exchange import NoRight
from helpdesk.connectors.keycloak.api import Keycloak
from helpdesk.connectors.keycloak.events import timeline_of
from helpdesk.connectors.keycloak.lacking import LACKS
from helpdesk.connectors.parts import ids_of
from helpdesk.connectors.raw import epoch, inner, number, text
from helpdesk.domain.errors import Conflict
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import LAST, AnyEvent, Other
from helpdesk.domain.users import Account, Factor, FactorKind, FactorState, MfaState, User

MOST_EVENTS: Final = 10_000
KINDS: Final[Mapping[str, FactorKind]] = {
    "otp": FactorKind.TOTP,
    "webauthn": FactorKind.PASSKEY,
    "webauthn-passwordless": FactorKind.PASSKEY,
}
"""Keycloak's types of credentials that are factors here; codes for recovery are not among them."""

SET_UP: Final = "CONFIGURE_TOTP"
"""The required action by which the next login asks for an authenticator."""

DISABLED: Final = (
    "This user is disabled in Keycloak, which is no lock that ends: "
    "whoever keeps the realm enables them."
)
NO_EVENTS: Final = "this realm saves no events, so there is no timeline"


class KeycloakConnector(Elsewhere):
    """Users of one realm.

    Args:
        api: Its addresses.
        name: What the settings call it; ids of its users begin so.
        product: The card that its users are handled by.
        elapsed: Seconds on a clock that never goes back.
    """

    lacks = LACKS

    def __init__(
        self,
        api: Keycloak,
        *,
        name: str,
        product: str,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, elapsed)
        self._api, self._product = api, product

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user."""
        return Supports(provider="Keycloak", lacks=LACKS)

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None: the realm is the only one."""
        known = f"{self.name}:{self._api.realm}"
        return (
            Account(id=name, name=self._api.realm, product=self._product) if name == known else None
        )

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give people in whose name or address the longest word occurs."""
        word = max(words, key=len, default="")
        listed, is_cut = await self._api.users({"search": word} if word else {}, limit)
        found = (self._user(raw) for raw in listed)
        says = f"Keycloak gave the first {limit}: narrow the search." if is_cut else ""
        return Found(users=tuple(user for user in found if user is not None), says=says)

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, whatever its case."""
        listed, _ = await self._api.users({"username": login.lower(), "exact": "true"}, 5)
        found = (self._user(raw) for raw in listed)
        return [u for u in found if u is not None and u.login.casefold() == login.casefold()]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give the ids of those who did something since a moment, those seen last first."""
        ms = int(at.timestamp() * 1000)
        listed, _ = await self._api.events({"dateFrom": ms}, 1000)
        listed.sort(key=lambda raw: -(number(raw, "time") or 0))
        names = dict.fromkeys(text(raw, "userId") for raw in listed)
        return [f"{self.name}:{name}" for name in names if name][:limit]

    async def inspect(self) -> Sequence[str]:
        """Say what answers, how the clocks differ, and what will not be possible."""
        await self._api.users({}, 1)
        host = clean(urlsplit(self._api.http.url).netloc)
        said = [f"Keycloak at {host}, realm {clean(self._api.realm)}, answers."]
        skew = self._api.http.skew
        if skew is not None and abs(skew.total_seconds()) > 5:
            said.append(f"The clocks differ by {skew.total_seconds():.0f} s.")
        saves = await self._api.saves_events()
        if saves is None:
            said.append("Whether events are saved cannot be seen: the account lacks view-events.")
        elif saves:
            said.append("Events are saved.")
        else:
            said.append("Events are not saved: turn on *Save events* in the realm's settings.")
        return [*said, *(f"{lack.what}: {lack.says}" for lack in LACKS)]

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors; of all of them, demand a set-up first and take what is unknown here too.

        What is gone already is no error.

        Raises:
            Unreachable: It broke off; the sentence says what is gone and what is left.
        """
        native = self.native(user.id)
        wanted = {factor.id for factor in factors}
        listed = [raw for raw in await self._api.credentials(native) if _is_second(raw)]
        before = ""
        is_all = wanted >= {factor.id for factor in user.live_factors}
        # To take one factor must not take codes for recovery, which the desk does not know.
        if is_all and (len(factors) > 1 or len(listed) == 1):
            await self.act(user, self._demand(native))
            factors = tuple(_factor(raw) for raw in listed)
            before = "The next login asks for a new set-up."
        await self.act(user, self.remove_each(native, factors, before))

    async def unlock(self, user: User, now: datetime) -> None:
        """Clear the count of failures, which lifts the lock that it made.

        Raises:
            Conflict: The user is disabled, which is no lock that the count made.
        """
        await self.act(user, self._unlock(self.native(user.id)))

    async def end_sessions(self, user: User, now: datetime) -> None:
        """End all sessions; Keycloak remembers no browsers."""
        await self.act(user, self._api.end_sessions(self.native(user.id)))

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Change the mail address; it counts as not yet verified."""

        def change(whole: dict[str, Any]) -> None:
            whole["email"], whole["emailVerified"] = address, False

        await self.act(user, self._api.change(self.native(user.id), change))

    def close(self) -> None:
        """Let go of all connections; blocking."""
        self._api.http.close()

    async def read(self, native: str) -> User | None:
        """Ask for a user with credentials, sessions and what the guard counts."""
        raw, listed, failures = await asyncio.gather(
            self._api.user(native), self._api.credentials(native), self._api.failures(native)
        )
        sessions = 0
        with contextlib.suppress(NoRight):
            sessions = await self._api.sessions(native)
        return self._user(raw, listed, failures, sessions)

    def _user(
        self,
        raw: Any,
        listed: Sequence[Any] | None = None,
        failures: Mapping[str, Any] | None = None,
        sessions: int = 0,
    ) -> User | None:
        native = text(raw, "id")
        if not native:
            return None
        login, mail = text(raw, "username"), text(raw, "email")
        full = " ".join(p for p in (text(raw, "firstName"), text(raw, "lastName")) if p)
        count = number(failures, "numSecondaryAuthFailures")
        wrong = number(failures, "numFailures") if count is None else count
        factors = tuple(
            _factor(one, int(wrong or 0)) for one in listed or () if text(one, "type") in KINDS
        )
        return User(
            id=f"{self.name}:{native}",
            name=clean(full or login or native, limit=200),
            login=clean(login or mail or native, limit=200),
            account=f"{self.name}:{self._api.realm}",
            product=self._product,
            role="user",
            notification_address=mail if mail and mail.casefold() != login.casefold() else None,
            mfa=_asked(raw, listed),
            factors=tuple({factor.id: factor for factor in factors if factor.id}.values()),
            locked_until=_locked_until(raw, failures or {}),
            sessions=sessions,
        )

    async def events(self, native: str) -> tuple[AnyEvent, ...]:
        """Ask for what the saved events tell; that none are saved is told as an event."""
        listed, is_cut = await self._api.events({"user": native}, MOST_EVENTS)
        events = timeline_of(reversed(listed))
        now = datetime.now(UTC)
        if not events and await self._api.saves_events() is False:
            return (_note(now, NO_EVENTS),)
        if is_cut and events:
            return (_note(events[0].at, f"only the newest {MOST_EVENTS} events were read"), *events)
        return events

    async def _unlock(self, native: str) -> None:
        if inner(await self._api.user(native), "enabled") is False:
            raise Conflict(DISABLED)
        await self._api.clear_failures(native)

    async def _demand(self, native: str) -> None:
        def change(whole: dict[str, Any]) -> None:
            actions = inner(whole, "requiredActions")
            known = [one for one in actions if one != SET_UP] if isinstance(actions, list) else []
            whole["requiredActions"] = [*known, SET_UP]

        await self._api.change(native, change)

    async def remove_one(self, native: str, factor: Factor) -> None:
        """Remove a factor; one that is gone already is no error."""
        await self._api.remove(native, factor.id)

    async def still_there(self, native: str) -> Collection[str]:
        """Give the ids of the credentials that a user has now."""
        return ids_of(await self._api.credentials(native), "id")


def _note(at: datetime, kind: str) -> Other:
    return Other(at=at, kind=kind, raw={"at": at.isoformat(), "kind": kind})


def _asked(raw: Any, listed: Sequence[Any] | None) -> MfaState:
    """Whether a second proof is asked: of whoever has set one up, or must at the next login."""
    actions = inner(raw, "requiredActions")
    if isinstance(actions, list) and SET_UP in actions:
        return MfaState.ON
    has = inner(raw, "totp") is not False if listed is None else any(map(_is_second, listed))
    return MfaState.ON if has else MfaState.OFF


def _is_second(raw: Any) -> bool:
    return text(raw, "type") not in {"", "password"} and bool(text(raw, "id"))


def _factor(raw: Any, failures: int = 0) -> Factor:
    made = number(raw, "createdDate")
    kind = KINDS.get(text(raw, "type"), FactorKind.TOTP)
    unnamed = "Authenticator app" if kind is FactorKind.TOTP else None
    return Factor(
        id=text(raw, "id"),
        kind=kind,
        state=FactorState.ACTIVE,
        since=None if made is None else epoch(made / 1000),
        to=clean(text(raw, "userLabel"), limit=60) or unnamed,
        failures=failures if kind is FactorKind.TOTP else 0,
    )


def _locked_until(raw: Any, failures: Mapping[str, Any]) -> datetime | None:
    """When a lock ends: that of the guard by its own time, a disabled user's never."""
    if inner(raw, "enabled") is False:
        return LAST
    if inner(failures, "disabled") is not True:
        return None
    until = epoch(number(failures, "failedLoginNotBefore"))
    return until or datetime.now(UTC) + timedelta(minutes=1)
