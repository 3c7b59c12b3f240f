"""What every connector holds to; what one cannot do, its `supports` says and nothing else."""

from __future__ import annotations

import secrets
from datetime import timedelta

import msgspec
import pyotp
import pytest

from helpdesk.domain.diagnosis.drift import DriftState
from helpdesk.domain.errors import BadInput, NotFound
from helpdesk.domain.proofs import Asking, Grade, Method
from helpdesk.domain.search import Query
from helpdesk.domain.timeline import FactorChange, Lock, Other, Reset, Send
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState, User
from helpdesk.products import load_cards, own_card
from tests.connectors.benches import Bench, DemoBench, clock

KINDS = ("email", "sms", "totp")
STRANGE = (
    "", "nobody", "../../token", "p*", "%", "a' or 1=1 --", "x" * 3_000, "Ünknown@corp", "a\nb",
    "lab:", "lab:@corp", "lab:p*@corp", "lab:p%@corp", "lab:nobody@nowhere", "other:alice@corp",
)  # fmt: skip
pytestmark = pytest.mark.parametrize(
    "bench", ["demo", pytest.param("privacyidea", marks=pytest.mark.lab)], indirect=True
)
CARDS = {**load_cards(), "own": own_card()}


async def user_of(bench: Bench, name: str) -> User:
    await bench.connector.refresh()
    return (await bench.connector.people([name]))[name]


async def factor_of(bench: Bench, name: str, kind: str) -> Factor:
    return next(f for f in (await user_of(bench, name)).factors if f.kind == kind)


async def lacks(bench: Bench, user: User, what: str) -> bool:
    """Whether a provider says that something is not possible, with a sentence that says why."""
    lack = (await bench.connector.supports(user)).lack(what)
    assert lack is None or (len(lack.why) > 20 and lack.why.endswith("."))
    return lack is not None


def asking(method: Method, factor: Factor) -> Asking:
    return Asking(
        id=f"p{secrets.token_hex(4)}", user="u", agent="dana", ticket="1", method=method,
        grade=Grade.STRONG, channel=factor.id, at=clock(),
    )  # fmt: skip


# -- people ---------------------------------------------------------------------------------------


async def test_a_user_is_given_by_id_with_what_the_desk_needs(bench: Bench) -> None:
    name = bench.person("sms")

    user = await user_of(bench, name)

    assert (user.id, user.product, user.mfa) == (name, bench.product, MfaState.ON)
    assert user.name.startswith("Pat Number")
    assert user.mobile
    assert user.notification_address


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
async def test_whoever_is_not_known_is_left_out(bench: Bench, name: str) -> None:
    known = bench.person()

    found = await bench.connector.people([name, known])

    assert [*found] == [known]


async def test_many_are_given_at_once_and_in_the_order_asked_for(bench: Bench) -> None:
    names = [bench.person("sms"), bench.person(), bench.person(), bench.person("email")]

    found = await bench.connector.people([*reversed(names), names[0]])

    assert [*found] == [*reversed(names)]
    assert [len(found[name].factors) for name in names] == [1, 0, 0, 1]


async def test_nobody_is_nobody(bench: Bench) -> None:
    assert await bench.connector.people([]) == {}
    assert await bench.connector.timelines([]) == {}


async def test_the_account_of_a_user_has_a_name(bench: Bench) -> None:
    user = await user_of(bench, bench.person())

    account = await bench.connector.account(user.account)

    assert account is not None
    assert (account.id, bool(account.name)) == (user.account, True)


@pytest.mark.parametrize("name", ["", "nothing", "lab:", "other:corp", "\x1b[2J"])
async def test_an_unknown_account_is_none(bench: Bench, name: str) -> None:
    assert await bench.connector.account(name) is None


async def test_a_user_without_a_factor_has_none(bench: Bench) -> None:
    user = await user_of(bench, bench.person())

    assert (user.factors, user.mfa) == ((), MfaState.OFF)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_shown_active_with_its_age(bench: Bench, kind: str) -> None:
    factor = await factor_of(bench, bench.person(kind), kind)

    assert (factor.state, factor.failures) == (FactorState.ACTIVE, 0)
    assert factor.since is not None
    assert clock() - factor.since > timedelta(days=300)


async def test_a_factor_that_is_sent_to_says_where(bench: Bench) -> None:
    name = bench.person("sms", "email")

    user = await user_of(bench, name)

    assert {f.to for f in user.factors} == {user.mobile, user.notification_address}


async def test_thirty_factors_are_thirty(bench: Bench) -> None:
    user = await user_of(bench, bench.person(*["sms"] * 30))

    assert len({factor.id for factor in user.factors}) == 30


async def test_what_is_not_possible_is_said_once_each_with_a_reason(bench: Bench) -> None:
    user = await user_of(bench, bench.person("sms"))

    found = (await bench.connector.supports(user)).lacks

    assert len({lack.what for lack in found}) == len(found)
    assert all(lack.why.endswith(".") for lack in found)


# -- found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["name", "part", "login", "case"])
async def test_people_are_found_by_what_one_hears(bench: Bench, how: str) -> None:
    user = await user_of(bench, bench.person("sms"))
    number = user.name.rpartition("Number")[2]
    login = user.login.partition("@")[0]
    words = {"name": ("pat", f"number{number}"), "part": (f"number{number}",), "login": (login,),
             "case": (f"number{number}",)}[how]  # fmt: skip
    await bench.directory.refresh()

    query = Query(words=words)
    total, rows = await bench.directory.find(query, clock(), account=None, offset=0, limit=9)

    assert (total, [row.user.id for row in rows]) == (1, [user.id])


@pytest.mark.parametrize("word", ["zzzzqqq", "%", "*", "_", "'", "\\", "\x00", "х" * 400])
async def test_what_nobody_is_called_finds_nobody_and_breaks_nothing(
    bench: Bench, word: str
) -> None:
    await bench.directory.refresh()

    query = Query(words=(word,))
    total, _ = await bench.directory.find(query, clock(), account=None, offset=0, limit=9)

    assert total == 0 or word in {"'", "_"}


async def test_a_window_is_cut_and_the_total_stays(bench: Bench) -> None:
    for _ in range(3):
        bench.person()
    await bench.directory.refresh()

    query = Query(words=("pat",))
    total, rows = await bench.directory.find(query, clock(), account=None, offset=1, limit=2)

    assert total >= 3
    assert len(rows) == 2


async def test_nobody_of_another_account_is_found(bench: Bench) -> None:
    bench.person()
    await bench.directory.refresh()

    found = await bench.directory.find(Query(), clock(), account="another", offset=0, limit=9)

    assert found == (0, [])


@pytest.mark.parametrize("change", [str.upper, str.lower])
async def test_a_login_is_known_whatever_its_case(bench: Bench, change: object) -> None:
    user = await user_of(bench, bench.person())
    await bench.directory.refresh()

    found = await bench.directory.named(change(user.login))  # type: ignore[operator]

    assert [entry.user.id for entry in found] == [user.id]


@pytest.mark.parametrize("login", ["", "nobody", "p*", "*", "p%@corp", "@corp", "@"])
async def test_a_login_nobody_has_is_nobodys(bench: Bench, login: str) -> None:
    bench.person()
    await bench.directory.refresh()

    assert [*await bench.directory.named(login)] == []


# -- what happened --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRANGE[:10], ids=range(10))
async def test_a_timeline_of_nobody_is_not_found(bench: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        await bench.connector.timeline(name)


async def test_a_timeline_is_in_order_and_each_event_has_its_own_name(bench: Bench) -> None:
    name = bench.person("sms", "totp")
    user = await user_of(bench, name)
    async with bench.store.transaction():
        await bench.connector.suspend(user, user.factors[0], clock())
        await bench.connector.resume(user, user.factors[0], clock())
    await bench.connector.refresh()

    found = await bench.connector.timeline(name)

    names = [event.id for event in found if event.id]
    assert [event.at for event in found] == sorted(event.at for event in found)
    assert len(names) == len(set(names))


async def test_an_act_is_news_to_whoever_asks(bench: Bench) -> None:
    user = await user_of(bench, bench.person("sms"))
    before = await bench.connector.refresh()

    async with bench.store.transaction():
        await bench.connector.suspend(user, user.factors[0], clock())

    assert await bench.connector.refresh() != before


# -- acts on a factor -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_suspended_and_the_timeline_says_so(bench: Bench, kind: str) -> None:
    name = bench.person("sms", kind)
    user = await user_of(bench, name)
    factor = user.factors[-1]

    async with bench.store.transaction():
        await bench.connector.suspend(user, factor, clock())

    after = await user_of(bench, name)
    states = [f.state for f in after.factors if f.id != factor.id]
    told = [e for e in await bench.connector.timeline(name) if isinstance(e, FactorChange)]
    assert after.factor(factor.id).state is FactorState.SUSPENDED  # type: ignore[union-attr]
    assert states == [FactorState.ACTIVE]
    assert ("suspended", factor.id, "agent") in {(e.change, e.factor, e.by) for e in told}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_resumed_and_the_timeline_says_so(bench: Bench, kind: str) -> None:
    name = bench.person(kind)
    user = await user_of(bench, name)
    async with bench.store.transaction():
        await bench.connector.suspend(user, user.factors[0], clock())

    async with bench.store.transaction():
        await bench.connector.resume(user, user.factors[0], clock())

    told = [e for e in await bench.connector.timeline(name) if isinstance(e, FactorChange)]
    assert (await user_of(bench, name)).factors[0].state is FactorState.ACTIVE
    assert told[-1].change == "resumed"


async def test_suspending_twice_is_suspending(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.suspend(user, user.factors[0], clock())
        await bench.connector.suspend(user, user.factors[0], clock())

    assert (await user_of(bench, name)).factors[0].state is FactorState.SUSPENDED


@pytest.mark.parametrize("kind", KINDS)
async def test_one_factor_is_removed_and_the_others_stay(bench: Bench, kind: str) -> None:
    name = bench.person("sms", "email", kind)
    user = await user_of(bench, name)
    gone = user.factors[-1]

    async with bench.store.transaction():
        await bench.connector.reset(user, (gone,), clock())

    left = (await user_of(bench, name)).live_factors
    told = [e for e in await bench.connector.timeline(name) if isinstance(e, Reset)]
    assert {f.id for f in left} == {f.id for f in user.factors} - {gone.id}
    assert [(e.ok, e.by, e.scope) for e in told] == [(True, "agent", "one")]


async def test_all_factors_are_removed_and_it_is_one_reset(bench: Bench) -> None:
    name = bench.person(*KINDS)
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.live_factors, clock())

    told = [e for e in await bench.connector.timeline(name) if isinstance(e, Reset)]
    assert (await user_of(bench, name)).live_factors == ()
    assert [(e.by, e.scope) for e in told] == [("agent", "all")]


async def test_what_is_gone_already_may_be_removed_again(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.factors, clock())
        await bench.connector.reset(user, user.factors, clock())

    assert (await user_of(bench, name)).live_factors == ()


async def test_an_act_touches_nobody_else(bench: Bench) -> None:
    name, other = bench.person("sms"), bench.person("sms")
    user, before = await user_of(bench, name), await user_of(bench, other)

    async with bench.store.transaction():
        await bench.connector.reset(user, user.factors, clock())

    assert await user_of(bench, other) == before


async def test_whoever_is_locked_is_shown_locked_and_is_unlocked(bench: Bench) -> None:
    name = bench.person("totp")
    await bench.lock(name)
    locked = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.unlock(locked, clock())

    free = await user_of(bench, name)
    told = [e for e in await bench.connector.timeline(name) if isinstance(e, Lock)]
    assert (locked.is_locked(clock()), free.is_locked(clock())) == (True, False)
    assert free.factors[0].failures == 0
    assert told[-1].until is not None


async def test_unlocking_whoever_is_free_changes_nothing(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.unlock(user, clock())

    assert (await user_of(bench, name)).factors == user.factors


# -- codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["email", "sms"])
async def test_a_code_is_sent_and_the_timeline_says_where(bench: Bench, kind: str) -> None:
    name = bench.person(kind)
    user = await user_of(bench, name)
    before = bench.sent_to(user.factors[0].to or "")

    async with bench.store.transaction():
        await bench.connector.send_code(user, user.factors[0], CARDS[user.product], clock())

    await bench.connector.refresh()
    sends = [e for e in await bench.connector.timeline(name) if isinstance(e, Send)]
    assert bench.sent_to(user.factors[0].to or "") == before + 1
    assert (sends[-1].channel, sends[-1].purpose) == (kind, "code")
    assert "•" in (sends[-1].to or "")


@pytest.mark.parametrize("kind", ["email", "sms"])
async def test_a_code_read_back_proves_and_another_does_not(bench: Bench, kind: str) -> None:
    user = await user_of(bench, bench.person(kind))
    asked = asking(Method.CODE, user.factors[0])
    async with bench.store.transaction():
        await bench.connector.ask_proof(user, asked, clock())
    right = await bench.code(user, asked)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    async with bench.store.transaction():
        found = [
            await bench.connector.check_proof(user, asked, told, clock()) for told in (wrong, right)
        ]

    assert found == [False, True]


async def test_the_number_of_an_app_proves_once(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    asked = asking(Method.TOTP, user.factors[0])
    right = bench.app_code(user.factors[0].id)

    async with bench.store.transaction():
        await bench.connector.ask_proof(user, asked, clock())
        found = [
            await bench.connector.check_proof(user, asked, told, clock()) for told in (right, right)
        ]

    assert found == [True, False]


@pytest.mark.parametrize("told", ["", "abc", "000000", "1" * 500, "٣٣٣٣٣٣", "12 34 56 78"])
async def test_nonsense_proves_nothing(bench: Bench, told: str) -> None:
    user = await user_of(bench, bench.person("totp"))
    asked = asking(Method.TOTP, user.factors[0])

    async with bench.store.transaction():
        assert not await bench.connector.check_proof(user, asked, told, clock())


async def test_proving_is_no_sign_in(bench: Bench) -> None:
    name = bench.person("email")
    user = await user_of(bench, name)
    asked = asking(Method.CODE, user.factors[0])

    async with bench.store.transaction():
        await bench.connector.ask_proof(user, asked, clock())
        await bench.connector.check_proof(user, asked, await bench.code(user, asked), clock())

    await bench.connector.refresh()
    kinds = {event.kind for event in await bench.connector.timeline(name)}
    assert not kinds & {"answer", "session", "challenge", "password"}


# -- addresses ------------------------------------------------------------------------------------


async def test_codes_go_to_the_new_address_from_then_on(bench: Bench) -> None:
    name, address = bench.person("email"), f"n{secrets.token_hex(4)}@example.test"
    user = await user_of(bench, name)

    async with bench.store.transaction():
        await bench.connector.change_address(user, address, clock())
    after = await factor_of(bench, name, "email")
    async with bench.store.transaction():
        await bench.connector.send_code(user, after, CARDS[user.product], clock())

    await bench.connector.refresh()
    told = [e for e in await bench.connector.timeline(name) if isinstance(e, FactorChange)]
    assert after.to == address
    assert bench.sent_to(address) >= 1
    assert told[-1].change == "address-changed"


async def test_the_new_number_is_confirmed_by_an_sms(bench: Bench) -> None:
    name, number = bench.person("sms"), "+447700912377"
    user = await user_of(bench, name)
    before = bench.sent_to(number)

    async with bench.store.transaction():
        await bench.connector.change_mobile(user, number, clock())
        await bench.connector.send_confirmation(user, number, clock())

    await bench.connector.refresh()
    told = [e for e in await bench.connector.timeline(name) if isinstance(e, FactorChange)]
    assert (await factor_of(bench, name, "sms")).to == number
    assert bench.sent_to(number) == before + 1
    assert told[-1].change == "number-changed"


# -- ways in --------------------------------------------------------------------------------------


async def test_a_pass_is_given_once_and_is_nowhere_else(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        secret = await bench.connector.make_pass(user, clock(), clock() + timedelta(minutes=30))

    await bench.connector.refresh()
    timeline = await bench.connector.timeline(name)
    assert len(secret) >= 10
    assert secret not in str(timeline)
    assert secret.encode() not in bench.file.read_bytes()
    assert [e.raw["by"] for e in timeline if isinstance(e, Other) and e.kind == "pass"] == ["agent"]


async def test_an_app_waits_for_its_first_code(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        key, uri = await bench.connector.begin_totp(user, "Own", clock())

    factor = await factor_of(bench, name, "totp")
    assert factor.state is FactorState.PENDING
    assert (key in uri, uri.startswith("otpauth://totp/")) == (True, True)


async def test_the_first_code_makes_the_app_a_factor(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)
    async with bench.store.transaction():
        key, _ = await bench.connector.begin_totp(user, "Own", clock())
    waiting = await user_of(bench, name)
    right = pyotp.TOTP(key).now()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    async with bench.store.transaction():
        told = [
            await bench.connector.confirm_totp(waiting, code, clock()) for code in (wrong, right)
        ]

    await bench.connector.refresh()
    changes = [e for e in await bench.connector.timeline(name) if isinstance(e, FactorChange)]
    assert told == [False, True]
    assert (await factor_of(bench, name, "totp")).state is FactorState.ACTIVE
    assert changes[-1].change == "enrolled"
    assert not [e for e in changes if e.change in {"suspended", "resumed"}]


async def test_beginning_anew_leaves_one_app_that_waits(bench: Bench) -> None:
    name = bench.person()
    for _ in range(2):
        user = await user_of(bench, name)
        async with bench.store.transaction():
            await bench.connector.begin_totp(user, "Own", clock())

    live = (await user_of(bench, name)).live_factors
    assert [f.state for f in live if f.kind is FactorKind.TOTP] == [FactorState.PENDING]


async def test_no_code_confirms_what_nobody_began(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))

    async with bench.store.transaction():
        right = bench.app_code(user.factors[0].id)
        assert not await bench.connector.confirm_totp(user, right, clock())


# -- clocks ---------------------------------------------------------------------------------------


async def test_a_right_code_says_that_the_clock_is_right(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    factor = user.factors[0]

    async with bench.store.transaction():
        codes = [bench.app_code(factor.id)]
        found = await bench.connector.drift(user, factor, codes, clock(), ())

    assert found.state is DriftState.RIGHT


async def test_a_phone_that_is_fast_is_said_to_be_fast(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    factor = user.factors[0]
    codes = [bench.app_code(factor.id, ahead) for ahead in (270, 300)]

    async with bench.store.transaction():
        found = await bench.connector.drift(user, factor, codes, clock(), ())

    assert found.state is DriftState.DRIFTED
    assert found.offset_s == pytest.approx(300, abs=60)
    assert "fast" in found.says


async def test_codes_of_another_key_fit_no_moment(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))
    other = pyotp.TOTP(pyotp.random_base32())

    async with bench.store.transaction():
        codes = [other.at(100), other.at(130)]
        found = await bench.connector.drift(user, user.factors[0], codes, clock(), ())

    assert found.state is DriftState.NO_MATCH


# -- what not every provider can ------------------------------------------------------------------


async def test_mfa_is_turned_off_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        if await lacks(bench, user, "turn-off-mfa"):
            with pytest.raises(BadInput, match="Not possible with this provider"):
                await bench.connector.turn_off(user, clock(), None)
            return
        await bench.connector.turn_off(user, clock(), None)

    assert (await user_of(bench, name)).mfa is MfaState.OFF


async def test_mfa_is_turned_on_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person()
    user = await user_of(bench, name)

    async with bench.store.transaction():
        if await lacks(bench, user, "turn-on-mfa"):
            with pytest.raises(BadInput, match="Not possible with this provider"):
                await bench.connector.turn_on(user, clock())
            return
        await bench.connector.turn_on(user, clock())

    assert (await user_of(bench, name)).mfa is MfaState.ON


async def test_sessions_are_ended_or_that_is_not_possible(bench: Bench) -> None:
    name = bench.person("sms")
    user = await user_of(bench, name)

    async with bench.store.transaction():
        if await lacks(bench, user, "end-sessions"):
            with pytest.raises(BadInput, match="Not possible with this provider"):
                await bench.connector.end_sessions(user, clock())
            return
        await bench.connector.end_sessions(user, clock())

    assert (await user_of(bench, name)).sessions == 0


async def test_the_other_side_is_shown_by_a_demo_only(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp"))

    shown = await bench.connector.shown(user, [], clock())

    assert bool(shown) is isinstance(bench, DemoBench)


async def test_a_user_written_down_and_read_again_is_the_same(bench: Bench) -> None:
    user = await user_of(bench, bench.person(*KINDS))

    assert msgspec.json.decode(msgspec.json.encode(user), type=User) == user
