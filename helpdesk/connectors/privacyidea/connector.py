"""privacyIDEA as a `Provider`: one method for each act.

An answer of 200 may say no: each act reads `value`. What is removed already counts as removed, so
an act that broke off halfway is simply done again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from helpdesk.connectors.parts import Part, ids_of, one_by_one, removals
from helpdesk.connectors.privacyidea import abilities, reading
from helpdesk.connectors.privacyidea.line import WHO, Reply
from helpdesk.connectors.privacyidea.questions import PiQuestions
from helpdesk.connectors.privacyidea.reading import parts_of
from helpdesk.connectors.raw import number, rows, text
from helpdesk.domain.cases import Handover
from helpdesk.domain.diagnosis.drift import Drift, DriftState
from helpdesk.domain.errors import (
    BadInput,
    BrokeOff,
    HelpdeskError,
    NotFound,
    Unreachable,
    Unsettled,
)
from helpdesk.domain.lacks import lack_of
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.text import clean, digits
from helpdesk.domain.users import Factor, FactorKind, FactorState, User

TRIES: Final = 10
TRIES_IN_S: Final = 900.0
"""How often an authenticator's number may be checked: privacyIDEA itself does not count these."""


class PrivacyIdea(PiQuestions):
    """The people of one privacyIDEA, asked and told."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._tried: dict[str, deque[float]] = {}

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code to one factor; the code before it is dead from then on."""
        await self._trigger(factor)

    async def send_confirmation(self, user: User, mobile: str, now: datetime) -> None:
        """Send an SMS to the number that was just put on record."""
        factor = next(iter(await self._of_kind(user, FactorKind.SMS)), None)
        if factor is None:
            raise BadInput(f"The user has no SMS factor at {WHO}: nothing was sent.")
        try:
            await self._trigger(factor)
        except HelpdeskError as error:
            says = clean(str(error), limit=200)
            raise BrokeOff(f"The number is changed, but no SMS went there: {says}") from error

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors, one after another; those that are gone already count as removed."""

        async def remove(factor: Factor) -> None:
            await self._act("DELETE", f"/token/{_path(factor.id)}")

        async def still() -> Collection[str]:
            login, realm = parts_of(user.id)
            return ids_of(await self._tokens({"user": login, "realm": realm}), "serial")

        parts = removals(reading.gone_first(factors), remove)
        await one_by_one("The reset", parts, verb="Gone", still=still)

    async def turn_off(self, user: User, now: datetime, until: datetime | None) -> None:
        """Refuse: there is no such switch."""
        raise BadInput(abilities.NO_SWITCH.says)

    async def turn_on(self, user: User, now: datetime) -> None:
        """Refuse: there is no such switch."""
        raise BadInput(abilities.NO_SWITCH.says)

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Set the address of every e-mail factor."""
        await self._readdress(user, FactorKind.EMAIL, "email", address)

    async def change_mobile(self, user: User, mobile: str, now: datetime) -> None:
        """Set the number of every SMS factor."""
        await self._readdress(user, FactorKind.SMS, "phone", mobile)

    async def unlock(self, user: User, now: datetime) -> None:
        """Reset the count of failures of each factor that has one, and lift a lock of the user."""

        async def clear(factor: Factor) -> None:
            await self._act("POST", f"/token/reset/{_path(factor.id)}", body={})

        async def lift() -> None:
            login, realm = parts_of(user.id)
            query = {"user": login, "realm": realm}
            await self._act("DELETE", "/conditionalaccess/lock/user", query=query)

        counted = [f for f in user.factors if f.failures or f.state is FactorState.LOCKED]
        parts = removals(counted, clear)
        if user.locked_until is not None:
            parts += (Part(id="lock", words="the lock of the user", do=lift),)
        await one_by_one("The unlocking", parts)

    async def end_sessions(self, user: User, now: datetime) -> None:
        """Refuse: it keeps none."""
        raise BadInput(abilities.NO_SESSIONS.says)

    async def suspend(self, user: User, factor: Factor, now: datetime) -> None:
        """Switch a token off."""
        await self._act("POST", f"/token/disable/{_path(factor.id)}", body={})

    async def resume(self, user: User, factor: Factor, now: datetime) -> None:
        """Switch a token on."""
        await self._act("POST", f"/token/enable/{_path(factor.id)}", body={})

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a registration code: it lets in once, with the password before it."""
        login, realm = parts_of(user.id)
        wish = {"type": "registration", "user": login, "realm": realm, **_ends(until)}
        told = await self._act("POST", "/token/init", body=wish)
        code = text(told.detail, "registrationcode")
        if not code:
            raise Unsettled(f"{WHO} made a pass and did not say it: remove it and make another.")
        return code

    async def replace_lost(self, user: User, factor: Factor, now: datetime, until: datetime) -> str:
        """Let privacyIDEA switch a token off and make a password instead; end that with the desk's.

        privacyIDEA itself lets it hold for as long as its policy says, ten days without one.

        Raises:
            BrokeOff: The password could not be given an end: it is taken back, or the sentence
                says that it is still there.
        """
        told = await self._act("POST", f"/token/lost/{_path(factor.id)}", body={})
        serial, secret = text(told.value, "serial"), text(told.value, "password")
        off = f"Factor {clean(factor.id, limit=40)} is switched off"
        try:
            if not serial or not secret:
                raise Unreachable(f"{WHO} did not say the password.")
            await self._act("POST", "/token/set", body={"serial": serial, **_ends(until)})
        except HelpdeskError as error:
            left = await self._take_back(serial)
            why = clean(str(error), limit=110)
            raise BrokeOff(f"{off}, but no password takes its place. {left} {why}") from error
        return secret

    async def _take_back(self, serial: str) -> str:
        """Remove a password that nobody read; give what to know of it."""
        try:
            if serial:
                await self._act("DELETE", f"/token/{_path(serial)}")
                return "Nothing of it is left: resume the factor, or do it again."
        except HelpdeskError:
            pass  # it is said where it is
        named = clean(serial, limit=40) or "lost…"
        return f"One may be at {WHO}, read by nobody, as {named}: remove it."

    async def begin_totp(self, user: User, issuer: str, now: datetime) -> tuple[str, str]:
        """Make an authenticator that lets nobody in until its first code is right."""
        waiting = tuple(filter(_waits, user.factors))
        await self.reset(user, waiting, now)
        login, realm = parts_of(user.id)
        wish = {"type": "totp", "genkey": 1, "user": login, "realm": realm}
        try:
            told = await self._act("POST", "/token/init", body=wish)
        except HelpdeskError as error:
            if not waiting or isinstance(error, Unsettled):
                raise
            raise BrokeOff(
                "The authenticator that waited is removed, and no new one was made: begin anew. "
                f"{clean(str(error), limit=180)}"
            ) from error
        serial, key = text(told.detail, "serial"), text(told.detail, "otpkey", "value_b32")
        uri = text(told.detail, "googleurl", "value")
        if not serial or not key:
            raise Unsettled(f"{WHO} made an authenticator and did not say it all: look, reset it.")
        try:
            await self._act("POST", f"/token/disable/{_path(serial)}", body={})
            mark = f"/token/info/{_path(serial)}/{reading.MARK}"
            await self._act("POST", mark, body={"value": "pending"})
        except HelpdeskError as error:
            raise BrokeOff(
                f"Authenticator {clean(serial, limit=60)} was made and is not finished: reset it "
                f"and begin anew. {clean(str(error), limit=160)}"
            ) from error
        return key, uri

    async def confirm_totp(self, user: User, code: str, now: datetime) -> bool:
        """Check the first code; if it is right, switch the authenticator on."""
        factor = next((f for f in user.factors if _waits(f)), None)
        if factor is None or not await self._is_right_number(factor.id, code):
            return False
        try:
            await self._act("POST", f"/token/enable/{_path(factor.id)}", body={})
            await self._act("DELETE", f"/token/info/{_path(factor.id)}/{reading.MARK}")
        except HelpdeskError as error:
            raise BrokeOff(
                f"The code fits, and authenticator {clean(factor.id, limit=60)} is not finished: "
                f"type the app's next code. {clean(str(error), limit=160)}"
            ) from error
        return True

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        """Check one code, or resynchronise by two: what privacyIDEA itself found is the offset."""
        spoken = [digits(code) for code in codes]
        if len(spoken) < 2:
            if await self._is_right_number(factor.id, spoken[0]):
                says = f"The code is right by {WHO}, which allows some minutes either way."
                return Drift(state=DriftState.RIGHT, says=says, offset_s=0)
            says = f"Not right, or used already. With a second code {WHO} can set the clocks right."
            return Drift(state=DriftState.SECOND_CODE, says=says)
        wish = {"otp1": spoken[-2], "otp2": spoken[-1]}
        told = await self._act("POST", f"/token/resync/{_path(factor.id)}", body=wish)
        if told.value is not True:
            says = "The two fit no moment near now: an old entry in the app, or another account's."
            return Drift(state=DriftState.NO_MATCH, says=says)
        offset = await self._offset(factor.id)
        if offset is None:
            says = f"{WHO} has set the clocks right: codes fit again. It does not say by how much."
            return Drift(state=DriftState.DRIFTED, says=says)
        alike = [other for other in others_s if abs(other - offset) <= 30]
        if len(alike) >= 2 and abs(offset) > 30:
            says = f"{len(alike)} other users have the same offset: it is the server's clock."
            return Drift(state=DriftState.SERVER, says=says, offset_s=offset)
        way = "fast" if offset > 0 else "slow"
        says = (
            f"The phone was {abs(offset)} s {way}. {WHO} has taken that in: codes fit again. "
            "Set the phone's time to automatic all the same."
        )
        return Drift(state=DriftState.DRIFTED, says=says, offset_s=offset)

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> None:
        """Send a code or a push to a factor on record; the number of an app is not asked for."""
        _possible(asking)
        if asking.method is Method.TOTP:
            return
        await self._trigger(_factor(person, asking.channel))

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether what was read back is right, or the push was confirmed.

        Raises:
            BadInput: The push is not answered yet, or nothing of this kind can be checked.
        """
        _possible(asking)
        factor = _factor(person, asking.channel)
        if asking.method is Method.TOTP:
            return await self._is_right_number(factor.id, told)
        transaction = await self._open_challenge(factor, asking.at)
        if asking.method is Method.PUSH:
            path = f"/validate/polltransaction/{_path(transaction)}"
            state = text((await self._ask("GET", path)).detail, "challenge_status")
            if state == "pending":
                raise BadInput("The push is not answered yet. Ask the customer to look at it.")
            if state != "accept":
                return False
            told = ""
        wish = {"serial": factor.id, "transaction_id": transaction, "pass": told.strip()}
        answer = await self._act("POST", "/validate/check", body=wish)
        return answer.value is True and answer.said == "ACCEPT"

    async def shown(self, person: User, askings: Sequence[Asking], now: datetime) -> list[Handover]:
        """Give nothing: no desk sees what a customer's telephone shows."""
        return []

    async def flag(self, user: User, reason: str, now: datetime) -> None:
        """Do nothing: it has no place for a mark, which the desk keeps in its own log."""

    async def _act(self, method: str, path: str, **more: Any) -> Reply:
        try:
            return await self._line.ask(method, path, is_act=True, **more)
        finally:
            self._forget()

    async def _trigger(self, factor: Factor) -> None:
        """Send one code or push.

        Raises:
            Unreachable: It said with 200 that nothing went out.
        """
        told = await self._act("POST", "/validate/triggerchallenge", body={"serial": factor.id})
        count = number({"": told.value}, "")
        if count is None or count < 0:
            raise Unsettled(f"{WHO} did not say whether anything was sent: ask the customer.")
        if count == 0 or told.said == "REJECT":
            reason = told.message.rstrip(".") or "no reason"
            raise Unreachable(f"Nothing was sent. {WHO} says: {reason}.")

    async def _is_right_number(self, serial: str, told: str) -> bool:
        """Whether an authenticator's number is right; checked so often only, for it does not count.

        Raises:
            BadInput: It was checked too often just now.
        """
        now, tried = time.monotonic(), self._tried.setdefault(serial, deque())
        while tried and now - tried[0] > TRIES_IN_S:
            tried.popleft()
        if len(tried) >= TRIES:
            wait = TRIES_IN_S - (now - tried[0])
            raise BadInput(f"{TRIES} numbers were checked just now; the next in {wait:.0f} s.")
        tried.append(now)
        wish = {"serial": serial, "pass": digits(told), "otponly": 1}
        answer = await self._act("POST", "/validate/check", body=wish)
        if not isinstance(answer.value, bool):
            raise Unreachable(f"{WHO} did not say whether the code is right: try the next one.")
        return answer.value

    async def _offset(self, serial: str) -> int | None:
        """By how many seconds an app's clock was off, as it is kept; None where it is not told."""
        try:
            raw: Any = next(iter(await self._tokens({"serial": serial})), {})
        except HelpdeskError:
            return None  # the clocks are set right all the same
        found = number(raw, "info", "timeShift")
        return None if found is None else round(found)

    async def _open_challenge(self, factor: Factor, asked_at: datetime) -> str:
        """The transaction of the newest challenge of a factor that the desk asked for.

        Raises:
            BadInput: It is answered, has ended, or another was asked for since.
        """
        query = {"sortby": "timestamp", "sortdir": "desc", "page": 1, "pagesize": 5}
        told = await self._ask("GET", f"/token/challenges/{_path(factor.id)}", query=query)
        for raw in rows(told.value, "challenges"):
            at = reading.http_date(raw, "timestamp")
            if at is not None and at >= asked_at - timedelta(seconds=5):
                return text(raw, "transaction_id")
        raise BadInput("Nothing waits for an answer any more at privacyIDEA: ask anew.")

    async def _readdress(self, user: User, kind: FactorKind, field: str, address: str) -> None:
        login, realm = parts_of(user.id)
        tokens = await self._tokens({"user": login, "realm": realm, "type": kind.value})
        own = [raw for raw in tokens if not reading.is_dynamic(raw)]
        if not own:
            whose = "take it from the user's record, which is changed where people are kept"
            why = whose if tokens else "there are none"
            raise BadInput(f"No {kind.words} factor at {WHO} has an address of its own: {why}.")

        async def readdress(serial: str) -> None:
            await self._act("POST", f"/token/set/{_path(serial)}", body={field: address})

        serials = ids_of(own, "serial")
        parts = [
            Part(id=one, words=f"{kind.words} {clean(one, limit=60)}", do=partial(readdress, one))
            for one in sorted(serials)
        ]
        await one_by_one("The change of the address", parts)

    async def _of_kind(self, user: User, kind: FactorKind) -> list[Factor]:
        found = (await self.people([user.id])).get(user.id, user)
        return [f for f in found.factors if f.kind is kind and f.state is FactorState.ACTIVE]


def _possible(asking: Asking) -> None:
    lack = lack_of(abilities.ALWAYS, f"prove:{asking.method.value}")
    if lack is not None:
        raise BadInput(lack.says)


def _factor(person: User, serial: str) -> Factor:
    found = person.factor(serial)
    if found is None:
        raise NotFound(f"This user has no factor {clean(serial)} any more.")
    return found


def _ends(until: datetime) -> dict[str, str]:
    """Return the end of a token as privacyIDEA takes it: by the minute, with its zone."""
    return {"validity_period_end": until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M+0000")}


def _waits(factor: Factor) -> bool:
    return factor.kind is FactorKind.TOTP and factor.state is FactorState.PENDING


def _path(part: str) -> str:
    return quote(part, safe="")
