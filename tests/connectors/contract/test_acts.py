"""Acts on factors, locks and addresses: what is done is done, and the timeline tells it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.proofs import Method
from helpdesk.domain.timeline import FactorChange, Lock, Reset
from helpdesk.domain.users import FactorState, MfaState, User
from tests.connectors.benches import Bench, clock
from tests.connectors.contract.asking import (
    CARDS,
    KINDS,
    asking,
    cannot,
    factor_of,
    some,
    told,
    unknown,
    untold,
    user_of,
)

QUESTIONS = {
    *(f"factor:{kind}" for kind in KINDS), "show:mfa", "show:since",
    "told:acts", "told:pass", "told:mail-address",
}  # fmt: skip
"""What a provider may be asked, and not show or not tell."""


def tries(bench: Bench, user: User) -> dict[str, list[Callable[[], Awaitable[Any]]]]:
    """By what it is called: every way to carry out an act, or to have a proof checked."""
    at, factor, now = bench.connector, user.factors[0], clock()
    found: dict[str, list[Callable[[], Awaitable[Any]]]] = {
        "send-code": [lambda: at.send_code(user, factor, CARDS[user.product], now)],
        "reset-factor": [lambda: at.reset(user, (factor,), now)],
        "reset-all": [lambda: at.reset(user, user.factors, now)],
        "turn-off-mfa": [lambda: at.turn_off(user, now, None)],
        "turn-on-mfa": [lambda: at.turn_on(user, now)],
        "change-address": [lambda: at.change_address(user, "n@example.test", now)],
        "change-mobile": [
            lambda: at.change_mobile(user, "+447700912377", now),
            lambda: at.send_confirmation(user, "+447700912377", now),
        ],
        "unlock": [lambda: at.unlock(user, now)],
        "end-sessions": [lambda: at.end_sessions(user, now)],
        "suspend-factor": [lambda: at.suspend(user, factor, now)],
        "resume-factor": [lambda: at.resume(user, factor, now)],
        "temporary-pass": [lambda: at.make_pass(user, now, now)],
        "lost-factor": [lambda: at.replace_lost(user, factor, now, now)],
        "enrol-totp": [
            lambda: at.begin_totp(user, "Own", now),
            lambda: at.confirm_totp(user, "123456", now),
        ],
        "drift": [lambda: at.drift(user, factor, ("123456", "654321"), now, ())],
    }
    for method in Method:
        one = asking(method, factor)
        found[f"prove:{method.value}"] = [
            lambda one=one: at.ask_proof(user, one, now),  # type: ignore[misc]
            lambda one=one: at.check_proof(user, one, "123456", now),  # type: ignore[misc]
        ]
    return found


async def test_whatever_is_not_possible_is_refused_in_its_words_and_nothing_is_sent(
    bench: Bench,
) -> None:
    user = await user_of(bench, bench.person(some(bench)))

    lacks = (await bench.connector.supports(user)).lacks

    ways = tries(bench, user)
    proofs = {f"prove:{method.value}" for method in Method}
    assert {*ways} <= {*ACTIONS, *proofs, "drift", "lost-factor"}
    assert {one.what for one in lacks} <= {*ways, *QUESTIONS}
    for one in lacks:
        assert one.what in QUESTIONS or await cannot(bench, user, one.what, *ways[one.what])
    assert await user_of(bench, user.id) == user


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_suspended_and_the_timeline_says_so(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    name = bench.person(some(bench), kind)
    user = await user_of(bench, name)
    factor = user.factors[-1]

    async def suspend() -> None:
        await bench.connector.suspend(user, factor, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "suspend-factor", suspend):
            return
        await suspend()

    after = await user_of(bench, name)
    states = [f.state for f in after.factors if f.id != factor.id]
    changes = await told(bench, name, FactorChange)
    assert after.factor(factor.id).state is FactorState.SUSPENDED  # type: ignore[union-attr]
    assert states == [FactorState.ACTIVE]
    assert ("suspended", factor.id, "agent") in {(e.change, e.factor, e.by) for e in changes}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_resumed_and_the_timeline_says_so(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    name = bench.person(kind)
    user = await user_of(bench, name)

    async def resume() -> None:
        await bench.connector.resume(user, user.factors[0], clock())

    if await cannot(bench, user, "resume-factor", resume):
        return
    async with bench.store.transaction():
        await bench.connector.suspend(user, user.factors[0], clock())

    async with bench.store.transaction():
        await resume()

    assert (await user_of(bench, name)).factors[0].state is FactorState.ACTIVE
    assert (await told(bench, name, FactorChange))[-1].change == "resumed"


async def test_suspending_twice_is_suspending(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async def suspend() -> None:
        await bench.connector.suspend(user, user.factors[0], clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "suspend-factor", suspend, suspend):
            return
        await suspend()
        await suspend()

    assert (await user_of(bench, name)).factors[0].state is FactorState.SUSPENDED


@pytest.mark.parametrize("kind", KINDS)
async def test_one_factor_is_removed_and_the_others_stay(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    name = bench.person(*bench.kinds, kind)
    user = await user_of(bench, name)
    gone = next(factor for factor in reversed(user.factors) if factor.kind == kind)

    async with bench.store.transaction():
        await bench.connector.reset(user, (gone,), clock())

    left = (await user_of(bench, name)).live_factors
    assert {f.id for f in left} == {f.id for f in user.factors} - {gone.id}
    if not await untold(bench, user):
        resets = await told(bench, name, Reset)
        assert [(e.ok, e.by, e.scope) for e in resets] == [(True, "agent", "one")]


async def test_all_factors_are_removed_and_it_is_one_reset(bench: Bench) -> None:
    name = bench.person(*bench.kinds, some(bench))
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.live_factors, clock())

    assert (await user_of(bench, name)).live_factors == ()
    if not await untold(bench, user):
        assert [(e.by, e.scope) for e in await told(bench, name, Reset)] == [("agent", "all")]


async def test_what_is_gone_already_may_be_removed_again(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.factors, clock())
        await bench.connector.reset(user, user.factors, clock())

    assert (await user_of(bench, name)).live_factors == ()


async def test_an_act_touches_nobody_else(bench: Bench) -> None:
    name, other = bench.person(some(bench)), bench.person(some(bench))
    user, before = await user_of(bench, name), await user_of(bench, other)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.factors, clock())

    assert await user_of(bench, other) == before


async def test_an_act_is_news_to_whoever_asks(bench: Bench) -> None:
    user = await user_of(bench, bench.person(some(bench)))
    before = await bench.connector.refresh()

    async with bench.store.transaction():
        await bench.connector.reset(user, user.factors, clock())

    assert await bench.connector.refresh() != before


async def test_whoever_is_locked_is_shown_locked_and_is_unlocked(bench: Bench) -> None:
    name = bench.person("totp")
    await bench.lock(name)
    locked = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.unlock(locked, clock())

    free = await user_of(bench, name)
    assert (locked.is_locked(clock()), free.is_locked(clock())) == (True, False)
    assert free.factors[0].failures == 0
    if not await untold(bench, free):
        assert (await told(bench, name, Lock))[-1].until is not None


async def test_unlocking_whoever_is_free_changes_nothing(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.unlock(user, clock())

    after = await user_of(bench, name)
    assert (after.factors, after.locked_until) == (user.factors, user.locked_until)


async def test_codes_go_to_the_new_address_from_then_on(bench: Bench) -> None:
    kind = "email" if "email" in bench.kinds else some(bench)
    name, address = bench.person(kind), f"n{secrets.token_hex(4)}@example.test"
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.change_address(user, address, clock())

    if not await untold(bench, user):
        assert (await told(bench, name, FactorChange))[-1].change == "address-changed"
    if await unknown(bench, "email"):
        assert (await user_of(bench, name)).notification_address == address
        return
    after = await factor_of(bench, name, "email")
    async with bench.store.transaction():
        await bench.connector.send_code(user, after, CARDS[user.product], clock())
    assert after.to == address
    assert bench.sent_to(address) >= 1


async def test_the_new_number_is_confirmed_by_an_sms(bench: Bench) -> None:
    name, number = bench.person(some(bench)), "+447700912377"
    user = await user_of(bench, name)
    before = bench.sent_to(number)

    async def change() -> None:
        await bench.connector.change_mobile(user, number, clock())

    async def confirm() -> None:
        await bench.connector.send_confirmation(user, number, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "change-mobile", change, confirm):
            return
        await change()
        await confirm()

    assert (await factor_of(bench, name, "sms")).to == number
    assert bench.sent_to(number) == before + 1
    assert (await told(bench, name, FactorChange))[-1].change == "number-changed"


async def test_mfa_is_turned_off_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async def turn_off() -> None:
        await bench.connector.turn_off(user, clock(), None)

    async with bench.store.transaction():
        if await cannot(bench, user, "turn-off-mfa", turn_off):
            return
        await turn_off()

    assert (await user_of(bench, name)).mfa is MfaState.OFF


async def test_mfa_is_turned_on_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person()
    user = await user_of(bench, name)

    async def turn_on() -> None:
        await bench.connector.turn_on(user, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "turn-on-mfa", turn_on):
            return
        await turn_on()

    assert (await user_of(bench, name)).mfa is MfaState.ON


async def test_sessions_are_ended_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person(some(bench))
    user = await user_of(bench, name)

    async def end() -> None:
        await bench.connector.end_sessions(user, clock())

    async with bench.store.transaction():
        if await cannot(bench, user, "end-sessions", end):
            return
        await end()

    assert (await user_of(bench, name)).sessions == 0
