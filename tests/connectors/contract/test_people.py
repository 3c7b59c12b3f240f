"""People: given by id and found by what one hears, their factors, and what happened to them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from helpdesk.domain.errors import NotFound
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState, MfaState, User
from tests.connectors.benches import Bench, clock
from tests.connectors.contract.asking import (
    KINDS,
    STRANGE,
    factor_of,
    lack,
    some,
    unknown,
    user_of,
)

# -- people ---------------------------------------------------------------------------------------


async def test_a_user_is_given_by_id_with_what_the_desk_needs(bench: Bench) -> None:
    name = bench.person(some(bench))

    user = await user_of(bench, name)

    assert (user.id, user.product, user.mfa) == (name, bench.product, MfaState.ON)
    assert user.name.startswith("Pat Number")
    assert user.notification_address
    assert user.mobile or await lack(bench, user, "factor:sms") is not None


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
async def test_whoever_is_not_known_is_left_out(bench: Bench, name: str) -> None:
    known = bench.person()

    found = await bench.connector.people([name, known])

    assert [*found] == [known]


async def test_nobody_has_two_ids(bench: Bench) -> None:
    user = await user_of(bench, bench.person())
    own, colon, native = user.id.rpartition(":")
    others = {f"{own}{colon}{one}" for one in (native.upper(), user.login, f"{native} ")}

    found = await bench.connector.people(sorted(others - {user.id}))

    assert found == {}


async def test_many_are_given_at_once_and_in_the_order_asked_for(bench: Bench) -> None:
    kinds = [(some(bench),), (), (), ("totp",)]
    names = [bench.person(*those) for those in kinds]

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

    assert user.factors == ()
    assert user.mfa is MfaState.OFF or await lack(bench, user, "show:mfa") is not None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_factor_is_shown_active_with_its_age(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return
    name = bench.person(kind)

    factor = await factor_of(bench, name, kind)

    is_ageless = await lack(bench, await user_of(bench, name), "show:since") is not None
    assert (factor.state, factor.failures) == (FactorState.ACTIVE, 0)
    assert (factor.since is None) is is_ageless
    assert factor.since is None or clock() - factor.since > timedelta(days=300)


@pytest.mark.parametrize("kind", ["email", "sms"])
async def test_a_factor_that_is_sent_to_says_where(bench: Bench, kind: str) -> None:
    if await unknown(bench, kind):
        return

    user = await user_of(bench, bench.person(kind))

    assert user.factors[0].to == {"sms": user.mobile, "email": user.notification_address}[kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_of_factor_is_had_or_it_is_said_that_nobody_has_it(
    bench: Bench, kind: str
) -> None:
    user = await user_of(bench, bench.person(*bench.kinds))

    found = await lack(bench, user, f"factor:{kind}")

    assert (found is None) is (kind in {factor.kind.value for factor in user.factors})


async def test_thirty_factors_are_thirty(bench: Bench) -> None:
    user = await user_of(bench, bench.person(*[some(bench)] * 30))

    assert len({factor.id for factor in user.factors}) == 30


async def test_what_is_not_possible_is_said_once_each_with_a_reason(bench: Bench) -> None:
    user = await user_of(bench, bench.person(some(bench)))

    found = (await bench.connector.supports(user)).lacks

    assert len({lack.what for lack in found}) == len(found)
    assert all(lack.why.endswith(".") for lack in found)


# -- found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["name", "part", "login", "case"])
async def test_people_are_found_by_what_one_hears(bench: Bench, how: str) -> None:
    user = await user_of(bench, bench.person(some(bench)))
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


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
async def test_a_timeline_of_nobody_is_not_found(bench: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        await bench.connector.timeline(name)


async def test_a_timeline_is_in_order_and_each_event_has_its_own_name(bench: Bench) -> None:
    name = bench.person("totp")
    await bench.lock(name)
    user = await user_of(bench, name)
    async with bench.store.transaction():
        await bench.connector.unlock(user, clock())
        await bench.connector.reset(user, user.factors, clock())
    await bench.connector.refresh()

    found = await bench.connector.timeline(name)

    names = [event.id for event in found if event.id]
    assert [event.at for event in found] == sorted(event.at for event in found)
    assert (len(names), bool(found)) == (len(set(names)), True)


async def test_timelines_of_several_are_each_ones_own(bench: Bench) -> None:
    names = [bench.person("totp"), bench.person("totp")]
    async with bench.store.transaction():
        user = await user_of(bench, names[0])
        await bench.connector.reset(user, user.factors, clock())
    await bench.lock(names[1])
    await bench.connector.refresh()

    found = await bench.connector.timelines(names)

    assert {*found} == {*names}
    assert [len(found[name]) for name in names] == [
        len(await bench.connector.timeline(name)) for name in names
    ]


async def test_a_user_written_down_and_read_again_is_the_same(bench: Bench) -> None:
    user = await user_of(bench, bench.person(*bench.kinds))

    assert msgspec.json.decode(msgspec.json.encode(user), type=User) == user
