"""The fixture as a provider: every act really changes the file, and the timeline tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from helpdesk.connectors.base import Supports
from helpdesk.connectors.documents import Filed
from helpdesk.domain.cases import Handover
from helpdesk.domain.challenges import OPEN_FOR
from helpdesk.domain.diagnosis.drift import STEP_S, Drift, measure
from helpdesk.domain.errors import NotFound
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Method
from helpdesk.domain.text import clean, digits, mask_mail, mask_phone
from helpdesk.domain.timeline import (
    AnyEvent,
    Challenge,
    Delivery,
    FactorChange,
    Lock,
    Other,
    Reset,
    Send,
    Session,
)
from helpdesk.domain.users import (
    Factor,
    FactorKind,
    FactorState,
    MfaState,
    Pass,
    User,
)

READABLE: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Letters and digits that are not mistaken for one another when read aloud."""

GROUPS: Final = 4
"""Groups of four characters.

Sixteen of 31 are 79 bits, above the 64 that NIST asks of a saved recovery code.
"""


class DemoConnector(Filed):
    """The people of a fixture. They are read when asked for; timelines are kept once read."""

    takes_part = True

    async def supports(self, user: User) -> Supports:
        """Give what can be done for a user: everything."""
        return Supports(provider="The fixture")

    async def send_code(self, user: User, factor: Factor, card: Product, now: datetime) -> None:
        """Send a new code for the challenge that waits, or for the next one."""
        timeline = await self.timeline(user.id)
        waiting = [e for e in timeline if isinstance(e, Challenge) and now - e.at <= OPEN_FOR]
        life_s = card.codes.life_s.value
        send = f"desk-{secrets.token_hex(6)}"
        await self._append(
            user.id,
            Send(
                at=now,
                id=f"{send}-s",
                send=send,
                challenge=waiting[-1].challenge if waiting else None,
                channel=factor.kind.value,
                to=_masked(factor, user),
                purpose="code",
                expires_at=now + timedelta(seconds=life_s) if life_s else None,
            ),
            Delivery(at=now, id=f"{send}-d", send=send, state="accepted"),
        )

    async def send_confirmation(self, user: User, mobile: str, now: datetime) -> None:
        """Send the SMS that confirms a number; it is not a login code."""
        send = f"desk-{secrets.token_hex(6)}"
        event = Send(
            at=now,
            id=f"{send}-s",
            send=send,
            channel="sms",
            to=mask_phone(mobile),
            purpose="confirmation",
        )
        await self._append(
            user.id, event, Delivery(at=now, id=f"{send}-d", send=send, state="accepted")
        )

    async def reset(self, user: User, factors: tuple[Factor, ...], now: datetime) -> None:
        """Remove factors; with all of them gone the user must enrol at the next login."""
        gone = {factor.id for factor in factors}

        def change(old: User) -> User:
            kept = tuple(
                replace(f, state=FactorState.REMOVED, failures=0) if f.id in gone else f
                for f in old.factors
            )
            return replace(old, factors=kept)

        after = await self._edit(user.id, change)
        is_all = not after.live_factors
        events: list[AnyEvent] = [
            Reset(at=now, ok=True, by="agent", scope="all" if is_all else "one")
        ]
        events += [FactorChange(at=now, change="removed", factor=f.id, by="agent") for f in factors]
        if is_all:
            events.append(FactorChange(at=now, change="must-enrol", by="system"))
        await self._append(user.id, *events)

    async def turn_off(self, user: User, now: datetime, until: datetime | None) -> None:
        """Stop asking for a second proof; *until* is when somebody should turn it on again."""
        off = MfaState.OFF
        await self._edit(
            user.id, lambda old: replace(old, mfa=off, mfa_since=now, mfa_off_until=until)
        )
        await self._append(user.id, FactorChange(at=now, change="turned-off", by="agent"))

    async def turn_on(self, user: User, now: datetime) -> None:
        """Ask for a second proof from now on (the Save of the set-up)."""
        factor = Factor(
            id=_new_factor_id(user),
            kind=FactorKind.SMS,
            state=FactorState.ACTIVE,
            since=now,
            to=user.mobile,
        )

        def change(old: User) -> User:
            has_one = any(f.kind is FactorKind.SMS for f in old.live_factors)
            factors = old.factors if has_one else (*old.factors, factor)
            return replace(
                old,
                mfa=MfaState.ON,
                mfa_since=now,
                mfa_off_until=None,
                mobile_confirmed=True,
                factors=factors,
            )

        await self._edit(user.id, change)
        confirmed = FactorChange(at=now, change="number-confirmed", by="user")
        await self._append(user.id, confirmed, FactorChange(at=now, change="turned-on", by="agent"))

    async def change_address(self, user: User, address: str, now: datetime) -> None:
        """Send codes to another notification address from now on."""

        def change(old: User) -> User:
            factors = tuple(
                replace(f, to=address) if f.kind is FactorKind.EMAIL else f for f in old.factors
            )
            return replace(old, notification_address=address, factors=factors)

        await self._edit(user.id, change)
        await self._append(user.id, FactorChange(at=now, change="address-changed", by="agent"))

    async def change_mobile(self, user: User, mobile: str, now: datetime) -> None:
        """Put another mobile number on record; its confirmation is `send_confirmation`."""

        def change(old: User) -> User:
            factors = tuple(
                replace(f, to=mobile) if f.kind in {FactorKind.SMS, FactorKind.VOICE} else f
                for f in old.factors
            )
            mfa = MfaState.PENDING if old.mfa is MfaState.OFF else old.mfa
            return replace(old, mobile=mobile, mobile_confirmed=False, factors=factors, mfa=mfa)

        await self._edit(user.id, change)
        await self._append(user.id, FactorChange(at=now, change="number-changed", by="agent"))

    async def unlock(self, user: User, now: datetime) -> None:
        """Lift locks and clear failure counts."""

        def free(factor: Factor) -> Factor:
            state = FactorState.ACTIVE if factor.state is FactorState.LOCKED else factor.state
            return replace(factor, state=state, failures=0)

        def change(old: User) -> User:
            return replace(old, locked_until=None, factors=tuple(map(free, old.factors)))

        await self._edit(user.id, change)
        # The format has no word for it: a lock that ends as it begins says that none is in force.
        lifted = Lock(at=now, since=now, until=now, cause="lifted by an agent", failures=0)
        await self._append(user.id, lifted)

    async def end_sessions(self, user: User, now: datetime) -> None:
        """End all sessions and forget remembered browsers."""
        await self._edit(user.id, lambda old: replace(old, sessions=0, remembered=0))
        await self._append(user.id, Session(at=now, state="ended", cause="ended by the desk"))

    async def suspend(self, user: User, factor: Factor, now: datetime) -> None:
        """Let nobody in by this factor until it is resumed."""
        await self._set_state(user, factor, FactorState.SUSPENDED, "suspended", now)

    async def resume(self, user: User, factor: Factor, now: datetime) -> None:
        """Let the user in by this factor again."""
        await self._set_state(user, factor, FactorState.ACTIVE, "resumed", now)

    async def make_pass(self, user: User, now: datetime, until: datetime) -> str:
        """Make a temporary way in and give it once; only a salted hash is kept."""
        groups = ("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(GROUPS))
        secret = "-".join(groups)
        salt = secrets.token_hex(16)
        digest = hashlib.sha256(bytes.fromhex(salt) + secret.encode()).hexdigest()
        made = Pass(id=secrets.token_hex(4), made_at=now, until=until, salt=salt, sha256=digest)
        await self._edit(user.id, lambda old: replace(old, passes=(made,)))
        told = {"kind": "pass", "at": msgspec.to_builtins(now), "by": "agent"}
        await self._append(user.id, Other(at=now, kind="pass", raw=told))
        return secret

    async def replace_lost(self, user: User, factor: Factor, now: datetime, until: datetime) -> str:
        """Suspend a lost factor, and make a pass that stands in for it."""
        await self.suspend(user, factor, now)
        return await self.make_pass(user, now, until)

    async def begin_totp(self, user: User, issuer: str, now: datetime) -> tuple[str, str]:
        """Make a pending authenticator; give its key and its `otpauth://` address once."""
        import pyotp  # noqa: PLC0415  (not on the way to the first frame)

        key = pyotp.random_base32()
        factor = Factor(
            id=_new_factor_id(user),
            kind=FactorKind.TOTP,
            state=FactorState.PENDING,
            since=now,
            to="Authenticator app",
        )

        def change(old: User) -> User:
            kept = tuple(f for f in old.factors if not _is_pending_totp(f))
            return replace(old, factors=(*kept, factor))

        await self._edit(user.id, change)
        await self._file.step(self._put_secret, user.id, factor.id, key)
        return key, pyotp.TOTP(key).provisioning_uri(name=clean(user.login), issuer_name=issuer)

    async def confirm_totp(self, user: User, code: str, now: datetime) -> bool:
        """Check the first code of the pending authenticator.

        If it is right, the factor is active.
        """
        factor = next((f for f in user.factors if _is_pending_totp(f)), None)
        if factor is None:
            return False
        totp = await self._file.step(self._totp, user.id, factor.id)
        if not totp.verify(code, for_time=now, valid_window=1):
            return False
        await self._set_state(user, factor, FactorState.ACTIVE, "enrolled", now)
        return True

    async def drift(
        self,
        user: User,
        factor: Factor,
        codes: Sequence[str],
        now: datetime,
        others_s: Sequence[float],
    ) -> Drift:
        """Measure a phone's clock by codes read out; only the offset leaves."""
        totp = await self._file.step(self._totp, user.id, factor.id)
        used = int(factor.used_at.timestamp()) // STEP_S if factor.used_at else None
        return measure(codes, totp.generate_otp, now, used_step=used, others_s=others_s)

    async def ask_proof(self, person: User, asking: Asking, now: datetime) -> None:
        """Send what proves the caller; on the fixture it shows on the demo telephone (`shown`)."""
        told = {"kind": "proof", "at": msgspec.to_builtins(now), "method": asking.method.value}
        await self._append(person.id, Other(at=now, kind="proof", raw=told))
        await self._file.step(self._make_key)

    async def check_proof(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        """Whether what the caller read back is right."""
        said = digits(told)
        if asking.method is Method.TOTP:
            return await self._file.step(self._is_new_code, person.id, asking.channel, said, now)
        code = await self._file.step(self._code_of, asking)
        return hmac.compare_digest(code, said)

    async def shown(self, person: User, askings: Sequence[Asking], now: datetime) -> list[Handover]:
        """Give what the devices of a person of the fixture show now: so one can play both sides."""
        found = [
            Handover(
                title=f"{asking.method.words}, asked {asking.at:%H:%M:%S}",
                secret=await asyncio.to_thread(self._code_of, asking),
                says=f"The agent says {asking.words[0]}, the customer answers {asking.words[1]}.",
            )
            for asking in askings
            if asking.method.has_pair
        ]
        for factor in person.factors:
            if factor.kind is FactorKind.TOTP and factor.state is FactorState.ACTIVE:
                with contextlib.suppress(NotFound):
                    totp = await asyncio.to_thread(self._totp, person.id, factor.id)
                    title = f"{clean(factor.to or 'Authenticator')}, now"
                    found.append(Handover(title=title, secret=totp.at(now), says=""))
        return found

    def _is_new_code(self, user: str, factor: str, said: str, now: datetime) -> bool:
        """Whether an authenticator's number is right and was not taken before (RFC 6238, 5.2)."""
        totp = self._totp(user, factor)
        step = int(now.timestamp()) // STEP_S
        right = [n for n in (step - 1, step, step + 1) if totp.generate_otp(n) == said]
        number, row = next(
            (number, row)
            for number, row in self._file.of("secrets", user)
            if row.get("factor") == factor
        )
        if not right or right[0] <= row.get("used_step", 0):
            return False
        self._file.put("secrets", number, row | {"used_step": right[0]})
        return True

    def _code_of(self, asking: Asking) -> str:
        """The six digits of an asking.

        Made anew each time from the fixture's own throw-away key.
        """
        meta = self._file.row("meta", 1) or {}
        key = str(meta.get("key", "")).encode()
        digest = hmac.digest(key, asking.id.encode(), "sha256")
        return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"

    def _make_key(self) -> None:
        meta = self._file.row("meta", 1) or {}
        if "key" not in meta:
            self._file.put("meta", 1, meta | {"key": secrets.token_hex(16)})

    async def flag(self, user: User, reason: str, now: datetime) -> None:
        """Mark the user as suspicious."""
        await self._edit(user.id, lambda old: replace(old, flagged=reason))

    async def _set_state(
        self, user: User, factor: Factor, state: FactorState, word: str, now: datetime
    ) -> None:
        def change(old: User) -> User:
            factors = tuple(
                replace(f, state=state) if f.id == factor.id else f for f in old.factors
            )
            return replace(old, factors=factors)

        await self._edit(user.id, change)
        await self._append(user.id, FactorChange(at=now, change=word, factor=factor.id, by="agent"))


def _masked(factor: Factor, user: User) -> str:
    if factor.kind is FactorKind.EMAIL:
        return mask_mail(factor.to or user.notification_address or user.login)
    if factor.kind is FactorKind.PUSH:
        return factor.to or ""
    return mask_phone(factor.to or user.mobile or "")


def _is_pending_totp(factor: Factor) -> bool:
    return factor.kind is FactorKind.TOTP and factor.state is FactorState.PENDING


def _new_factor_id(user: User) -> str:
    taken = {factor.id for factor in user.factors}
    return next(name for n in range(1, len(taken) + 2) if (name := f"{user.id}-f{n}") not in taken)
