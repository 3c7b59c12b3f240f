"""Okta as a provider of this desk: its truth is asked for each time, and its acts are done there.

people ◀─ user + factors + enrolments      timeline ◀─ System Log
reset of all ─▶ one call      of some ─▶ one by one: what is gone and what is left is said
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final
from urllib.parse import urlsplit

from helpdesk.connectors.base import Found, Supports
from helpdesk.connectors.elsewhere import Elsewhere
from helpdesk.connectors.exchange import NoRight
from helpdesk.connectors.okta.api import LOG_DAYS, Okta
from helpdesk.connectors.okta.events import timeline_of
from helpdesk.connectors.okta.faults import NothingLocked, WrongCode
from helpdesk.connectors.okta.lacking import LACKS, NO_CODES
from helpdesk.connectors.okta.shapes import (
    ENROLMENT,
    account_of,
    factors_of,
    user_of,
)
from helpdesk.connectors.parts import held_against, ids_of
from helpdesk.connectors.raw import text
from helpdesk.domain.codes import has_bounced
from helpdesk.domain.errors import BadInput, HelpdeskError, NotFound, Unreachable, Unsettled
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.text import clean, digits
from helpdesk.domain.timeline import AnyEvent, Other
from helpdesk.domain.users import Account, Factor, FactorKind, FactorState, User

MOST_ROWS: Final = 10_000
"""Rows of the log that one timeline is made of, the newest."""

KEPT_S: Final = 600.0
"""Seconds that what the organisation has is taken for true."""

PREFIX: Final = "Okta finds people by how first name, last name or address begin."
"""Why a search may leave somebody out."""

NATIVE: Final = {FactorKind.SMS: "sms", FactorKind.VOICE: "call", FactorKind.EMAIL: "email"}
"""Our kind of factor and Okta's, of those that a code is sent to."""


class OktaConnector(Elsewhere):
    """Users of one organisation.

    Args:
        api: Its addresses.
        name: What the settings call it; ids of its users begin so.
        products: The card that its users are handled by, by the organisation they name in their
            profile; empty for all others.
        forgets_devices: Whether ending sessions forgets the browsers as well, after which each of
            them is asked again.
        elapsed: Seconds on a clock that never goes back.
    """

    lacks = LACKS

    def __init__(
        self,
        api: Okta,
        *,
        name: str,
        products: Mapping[str, str],
        forgets_devices: bool = True,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, elapsed)
        self._api, self._products, self._forgets = api, products, forgets_devices
        self._polls: dict[str, str] = {}

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user, here and with the rights this desk has."""
        codes = await self._codes()
        return Supports(provider="Okta", lacks=LACKS if codes else (*LACKS, NO_CODES))

    async def account(self, name: str) -> Account | None:
        """Give the account of this id, or None: an organisation that users name as theirs."""
        host = urlsplit(self._api.http.url).hostname or "Okta"
        return account_of(name, self.name, self._products, host)

    async def find(self, words: Sequence[str], *, limit: int) -> Found:
        """Give people whose first name, last name or address begins with the longest word."""
        word = max(words, key=len, default="")
        listed, is_cut = await self._api.users({"q": word} if word else {}, limit)
        found = (user_of(raw, self.name, self._products) for raw in listed)
        more = f"Okta gave the first {limit}: narrow the search." if is_cut else ""
        says = " ".join(part for part in (PREFIX if word else "", more) if part)
        return Found(users=tuple(user for user in found if user is not None), says=says)

    async def named(self, login: str) -> Sequence[User]:
        """Give the users of this login, whatever its case."""
        if not login:  # without one, Okta would list everybody
            return []
        try:
            found = await self.read(login)
        except NotFound:
            return []
        return [] if found is None or found.login.casefold() != login.casefold() else [found]

    async def since(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Give the ids of those who did something since a moment, those seen last first."""
        listed, _ = await self._api.log("", at, most=1000)
        names = [
            text(raw, "actor", "id")
            for raw in listed
            if text(raw, "actor", "type") == "User" and text(raw, "eventType").startswith("user.")
        ]
        return [f"{self.name}:{name}" for name in dict.fromkeys(names) if name][:limit]

    async def inspect(self) -> Sequence[str]:
        """Say what answers, how the clocks differ, and what will not be possible."""
        listed, _ = await self._api.users({}, 1)
        said = [f"Okta at {clean(urlsplit(self._api.http.url).netloc)} answers."]
        skew = self._api.http.skew
        if skew is not None and abs(skew.total_seconds()) > 5:
            said.append(f"The clocks differ by {skew.total_seconds():.0f} s.")
        if listed:
            has = await self._api.enrolments(text(listed[0], "id")) is not None
            said.append(
                "Factors come from Okta's list of factors and its list of enrolments."
                if has
                else "Factors come from Okta's list of factors only: it leaves out those that "
                "the policy hides from this desk's network."
            )
        try:
            await self._api.log("", datetime.now(UTC) - timedelta(minutes=5), most=1)
            said.append(f"The System Log can be read, {LOG_DAYS} days back.")
        except NoRight as error:
            said.append(f"The System Log cannot be read, so there is no timeline: {error}")
        forgets = "are forgotten too: each asks again" if self._forgets else "stay remembered"
        said.append(f"When sessions are ended, browsers {forgets}.")
        codes = await self._codes()
        lacks = LACKS if codes else (*LACKS, NO_CODES)
        return [*said, *(f"{lack.what}: {lack.says}" for lack in lacks)]

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code; while a factor is being set up, its code once more.

        Where mail came back, Okta is told first to send to that address again: it keeps a list.
        """
        native, name = self.native(user.id), self._listed(factor)
        if factor.kind is FactorKind.EMAIL and has_bounced(await self.timeline(user.id)):
            address = factor.to or user.notification_address or user.login
            with contextlib.suppress(NoRight):  # the code is sent all the same, as without it
                await self._api.unbounce([address])
        if factor.state is FactorState.PENDING and factor.kind in NATIVE:
            await self.act(user, self._api.resend(native, name, NATIVE[factor.kind]))
        else:
            await self.act(user, self._api.challenge(native, name))

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors: all of them in one call, some of them one by one.

        What is gone already is no error.

        Raises:
            Unreachable: It broke off; the sentence says what is gone and what is left.
        """
        native = self.native(user.id)
        wanted = {factor.id for factor in factors}
        # A user can have factors that the desk does not know, such as questions: to take one factor
        # must not take those.
        if len(factors) > 1 and wanted >= {factor.id for factor in user.live_factors}:
            await self.act(user, self._reset_all(native, factors))
        else:
            await self.act(user, self.remove_each(native, factors))

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Put another mail address into the profile."""
        native = self.native(user.id)
        await self.act(user, self._api.change(native, {"email": address}))

    async def unlock(self, user: User, now: datetime) -> None:
        """Lift the lock, and what blocks devices; whoever is free stays free."""
        with contextlib.suppress(NothingLocked):
            await self.act(user, self._api.unlock(self.native(user.id)))

    async def end_sessions(self, user: User, now: datetime) -> None:
        """End all sessions, and forget remembered browsers where the settings say so."""
        native = self.native(user.id)
        await self.act(user, self._api.end_sessions(native, forget_devices=self._forgets))

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a temporary access code; an older one of this user ends by it.

        It lives at least ten minutes and at most ten days, as Okta has it.
        """
        authenticator = await self._codes()
        if not authenticator:
            raise BadInput(NO_CODES.says)
        minutes = min(max(ceil((until - now).total_seconds() / 60), 10), 14_400)
        native = self.native(user.id)
        code, _ = await self.act(user, self._api.temporary_code(native, authenticator, minutes))
        if not code:
            raise Unsettled("Okta made a temporary access code, and did not give it.")
        return code

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> str | None:
        """Send a code or a push; give the number to read out, which the device asks for."""
        if asking.method not in {Method.CODE, Method.PUSH, Method.TOTP}:
            raise self.cannot(f"prove:{asking.method.value}")
        factor = self._factor(person, asking)
        native = self.native(person.id)
        if asking.method is Method.CODE:
            await self.act(person, self._api.challenge(native, factor.id))
        elif asking.method is Method.PUSH:
            push = await self.act(person, self._api.push(native, factor.id))
            self._polls[asking.id] = push.poll
            return push.number or None
        return None

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether the code that was read back is right, or the push was confirmed.

        Raises:
            Unreachable: The push still waits.
            NotFound: It waits no more.
        """
        if asking.method is Method.PUSH:
            return await self._confirmed(asking)
        if asking.method not in {Method.CODE, Method.TOTP}:
            raise self.cannot(f"prove:{asking.method.value}")
        factor = self._factor(person, asking)
        code = digits(told)
        if not code:
            return False
        try:
            return await self._api.check(self.native(person.id), factor.id, code)
        except WrongCode:
            return False
        finally:
            self.forget(person.id)

    def close(self) -> None:
        """Let go of all connections; blocking."""
        self._api.http.close()

    async def _confirmed(self, asking: Asking) -> bool:
        poll = self._polls.get(asking.id)
        result = await self._api.poll(poll) if poll else "TIMEOUT"
        if result in {"WAITING", ""}:
            raise Unreachable("The push is not answered yet: it waits on the customer's device.")
        self._polls.pop(asking.id, None)
        if result == "TIMEOUT":
            raise NotFound("The push was not answered in time: ask once more.")
        return result == "SUCCESS"

    async def read(self, name: str) -> User | None:
        """Ask for a user by id or login, with factors and enrolments."""
        raw = await self._api.user(name)
        native = text(raw, "id")
        if not native:
            return None
        listed, enrolled = await asyncio.gather(
            self._api.factors(native), self._api.enrolments(native)
        )
        return user_of(raw, self.name, self._products, factors_of(listed, enrolled or ()))

    async def events(self, native: str) -> tuple[AnyEvent, ...]:
        """Ask for what the System Log tells; what this desk did is told as an agent's."""
        since = datetime.now(UTC) - timedelta(days=LOG_DAYS)
        about = f'actor.id eq "{native}" or target.id eq "{native}"'
        listed, is_cut = await self._api.log(about, since, most=MOST_ROWS)
        desk = await self.fresh("desk", self._api.desk, KEPT_S)
        events = timeline_of(reversed(listed), native, desk)
        if not is_cut or not events:
            return events
        kind = f"only the newest {MOST_ROWS} rows of the log were read"
        raw = {"at": events[0].at.isoformat(), "kind": kind}
        return (Other(at=events[0].at, kind=kind, raw=raw), *events)

    async def _codes(self) -> str:
        return await self.fresh("tac", self._asked_codes, KEPT_S)

    async def _asked_codes(self) -> str:
        try:
            return await self._api.temporary_authenticator()
        except (NoRight, NotFound):
            return ""

    async def _reset_all(self, native: str, factors: Sequence[Factor]) -> None:
        """Remove all in one call; where its answer is lost, each is held against what is there."""
        try:
            await self._api.reset(native)
        except Unsettled as error:
            try:
                left = ids_of(await self._api.factors(native), "id")
            except HelpdeskError:
                raise error from None
            if left:
                raise held_against("The reset", factors, left, error) from error

    async def remove_one(self, native: str, factor: Factor) -> None:
        """Remove a factor; one that is gone already is no error."""
        own = factor.id.removeprefix(ENROLMENT)
        if own != factor.id:
            await self._api.remove_enrolment(native, own)
        else:
            await self._api.remove(native, own)

    async def still_there(self, native: str) -> Collection[str]:
        """Give the ids of the factors that a user has now."""
        listed = ids_of(await self._api.factors(native), "id")
        enrolled = ids_of(await self._api.enrolments(native) or (), "id")
        return listed | {f"{ENROLMENT}{name}" for name in enrolled}

    def _listed(self, factor: Factor) -> str:
        if factor.id.startswith(ENROLMENT):
            raise Unreachable(
                "Okta's policy hides this factor from the desk's network: nothing can be sent to "
                "it from here."
            )
        return factor.id

    def _factor(self, person: User, asking: Asking) -> Factor:
        factor = person.factor(asking.channel)
        if factor is None:
            raise NotFound("That factor is not there any more: ask over another.")
        self._listed(factor)
        return factor
