"""Codes, numbers of an app, ways in and clocks: what proves does so once, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from helpdesk.domain.diagnosis.drift import Drift, DriftState
from helpdesk.domain.proofs import Method
from helpdesk.domain.reconciling import effects_of
from helpdesk.domain.timeline import FactorChange, Other, Send
from helpdesk.domain.users import FactorKind, FactorState, User
from tests.connectors.benches import Bench, DemoBench, clock
from tests.connectors.contract.asking import (
    CARDS,
    asking,
    cannot,
    factor_of,
    lack,
    some,
    told,
    unknown,
    untold,
    user_of,
)

SENT = ("email", "sms")

# -- codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SENT)
async def test_a_code_is_sent_and_the_timeline_says_where(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    name = bench.person(kind)
    user = await user_of(bench, name)
    before = bench.sent_to(user.factors[0].to or "")

    async def send() -> None:
        await bench.connector.send_code(user, user.factors[0], CARDS[user.product], clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "send-code", send):
            return
        await send()

    sent = (await told(bench, name, Send))[-1]
    assert bench.sent_to(user.factors[0].to or "") == before + 1
    assert (sent.channel, sent.purpose) == (kind, "code")
    is_silent = kind == "email" and await lack(bench, user, "told:mail-address") is not None
    assert sent.to is None if is_silent else "•" in (sent.to or "")


@pytest.mark.parametrize("kind", SENT)
async def test_a_code_read_back_proves_and_another_does_not(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    user = await user_of(bench, bench.person(kind))
    asked = asking(Method.CODE, user.factors[0])

    async def ask() -> None:
        await bench.connector.ask_proof(user, asked, clock())

    async def check(code: str = "123456") -> bool:
        return await bench.connector.check_proof(user, asked, code, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "prove:code", ask, check):
            return
        await ask()
    right = await bench.code(user, asked)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    async with bench.store.transaction():
        found = [await check(code) for code in (wrong, right)]

    assert found == [False, True]


async def test_the_number_of_an_app_proves_once(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    asked = asking(Method.TOTP, user.factors[0])
    right = bench.app_code(user.factors[0].id)

    async def ask() -> None:
        await bench.connector.ask_proof(user, asked, clock())

    async def check() -> bool:
        return await bench.connector.check_proof(user, asked, right, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "prove:totp", ask, check):
            return
        await ask()
        found = [await check(), await check()]

    assert found == [True, False]


@pytest.mark.parametrize("words", ["", "abc", "000000", "1" * 500, "٣٣٣٣٣٣", "12 34 56 78"])
async def test_nonsense_proves_nothing(bench: Bench, words: str) -> None:
    user = await user_of(bench, bench.person("totp"))
    asked = asking(Method.TOTP, user.factors[0])

    async def check() -> bool:
        return await bench.connector.check_proof(user, asked, words, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "prove:totp", check):
            return
        found = await check()

    assert found is False


async def test_proving_is_no_sign_in(bench: Bench) -> None:
    name = bench.person("email" if "email" in bench.kinds else some(bench))
    user = await user_of(bench, name)
    asked = asking(Method.CODE, user.factors[0])

    async def ask() -> None:
        await bench.connector.ask_proof(user, asked, clock())

    async with bench.store.transaction():
        if not await cannot(bench, user, "prove:code", ask):
            await ask()
            code = await bench.code(user, asked)
            await bench.connector.check_proof(user, asked, code, clock())

    await bench.connector.refresh()
    kinds = {event.kind for event in await bench.connector.timeline(name)}
    assert not kinds & {"answer", "session", "challenge", "password"}


# -- ways in --------------------------------------------------------------------------------------


async def test_a_pass_is_given_once_and_is_nowhere_else(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async def make() -> str:
        return await bench.connector.make_pass(user, clock(), clock() + timedelta(minutes=30))

    async with bench.store.transaction():
        if await cannot(bench, user, "temporary-pass", make):
            return
        secret = await make()

    passes = [e for e in await told(bench, name, Other) if e.kind == "pass"]
    assert len(secret) >= 8
    assert secret not in str(await bench.connector.timeline(name))
    assert secret.encode() not in bench.file.read_bytes()
    is_silent = await untold(bench, user) or await lack(bench, user, "told:pass") is not None
    assert [e.raw["by"] for e in passes] == ([] if is_silent else ["agent"])


async def test_a_password_takes_the_place_of_a_lost_factor(bench: Bench) -> None:
    name = bench.person(some(bench), "totp")
    user = await user_of(bench, name)
    lost, until = user.factors[-1], clock() + timedelta(days=3)

    async def replace() -> str:
        return await bench.connector.replace_lost(user, lost, clock(), until)

    async with bench.store.transaction():
        if await cannot(bench, user, "lost-factor", replace):
            return
        secret = await replace()

    after = await user_of(bench, name)
    changes = [e.change for e in await told(bench, name, FactorChange) if e.factor == lost.id]
    timeline = await bench.connector.timeline(name)
    suspended = [f.id for f in after.factors if f.state is FactorState.SUSPENDED]
    assert (suspended, changes[-1]) == ([lost.id], "suspended")
    assert secret not in str(timeline)
    assert secret.encode() not in bench.file.read_bytes()
    assert [effect.acts for effect in effects_of(name, timeline)] == [{"temporary-pass"}]


async def test_an_app_waits_for_its_first_code(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async def begin() -> tuple[str, str]:
        return await bench.connector.begin_totp(user, "Own", clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "enrol-totp", begin):
            return
        key, uri = await begin()

    factor = await factor_of(bench, name, "totp")
    assert factor.state is FactorState.PENDING
    assert (key in uri, uri.startswith("otpauth://totp/")) == (True, True)


async def test_the_first_code_makes_the_app_a_factor(bench: Bench) -> None:
    name = bench.person("sms" if "sms" in bench.kinds else some(bench))
    user = await user_of(bench, name)

    async def begin() -> tuple[str, str]:
        return await bench.connector.begin_totp(user, "Own", clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "enrol-totp", begin):
            return
        key, _ = await begin()
    waiting = await user_of(bench, name)
    right = pyotp.TOTP(key).now()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    async with bench.store.transaction():
        found = [
            await bench.connector.confirm_totp(waiting, code, clock()) for code in (wrong, right)
        ]

    changes = await told(bench, name, FactorChange)
    assert found == [False, True]
    assert (await factor_of(bench, name, "totp")).state is FactorState.ACTIVE
    assert changes[-1].change == "enrolled"
    assert not [e for e in changes if e.change in {"suspended", "resumed"}]


async def test_beginning_anew_leaves_one_app_that_waits(bench: Bench) -> None:
    name = bench.person()
    for _ in range(2):
        user = await user_of(bench, name)

        async def begin(user: User = user) -> tuple[str, str]:
            return await bench.connector.begin_totp(user, "Own", clock())

        async with bench.store.transaction():
            if await cannot(bench, user, "enrol-totp", begin):
                assert (await user_of(bench, name)).factors == ()
                return
            await begin()

    live = (await user_of(bench, name)).live_factors
    assert [f.state for f in live if f.kind is FactorKind.TOTP] == [FactorState.PENDING]


async def test_no_code_confirms_what_nobody_began(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    right = bench.app_code(user.factors[0].id)

    async def confirm() -> bool:
        return await bench.connector.confirm_totp(user, right, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "enrol-totp", confirm):
            return
        found = await confirm()

    assert found is False


# -- clocks ---------------------------------------------------------------------------------------


async def measured(bench: Bench, user: User, codes: list[str]) -> Drift | None:
    """What is said of a phone's clock; None where that is not possible."""

    async def measure() -> Drift:
        return await bench.connector.drift(user, user.factors[0], codes, clock(), ())

    async with bench.store.transaction():
        return None if await cannot(bench, user, "drift", measure) else await measure()


async def test_a_right_code_says_that_the_clock_is_right(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))

    found = await measured(bench, user, [bench.app_code(user.factors[0].id)])

    assert found is None or found.state is DriftState.RIGHT


async def test_a_phone_that_is_fast_is_said_to_be_fast(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    codes = [bench.app_code(user.factors[0].id, ahead) for ahead in (270, 300)]

    found = await measured(bench, user, codes)

    if found is not None:
        assert found.state is DriftState.DRIFTED
        assert found.offset_s == pytest.approx(300, abs=60)
        assert "fast" in found.says


async def test_codes_of_another_key_fit_no_moment(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    other = pyotp.TOTP(pyotp.random_base32())

    found = await measured(bench, user, [other.at(100), other.at(130)])

    assert found is None or found.state is DriftState.NO_MATCH


async def test_the_other_side_is_shown_by_a_demo_only(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))

    shown = await bench.connector.shown(user, [], clock())

    assert bool(shown) is isinstance(bench, DemoBench)
