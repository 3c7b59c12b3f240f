"""What is taken over from one moment to the next is what one finds who looks anew."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from helpdesk.domain.tickets import Ticket
from helpdesk.stores import atomic
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.listed import AT_ONCE, Listed
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock

USERS, LONG = 80, 100_000

AT = datetime(2026, 5, 4, tzinfo=UTC)

SOME = tuple(
    Ticket(id=str(number), user=f"u{number % 7}", subject="Codes", opened_at=AT)
    for number in range(3 * AT_ONCE)
)


def changed(tickets: tuple[Ticket, ...], chance: random.Random) -> tuple[Ticket, ...]:
    """Some of these closed, some another's, some gone, or some new ones behind them."""
    some = [*tickets]
    for place in chance.sample(range(len(some)), 2):
        some[place] = replace(some[place], closed_at=AT)
    if chance.random() < 0.3:
        some[chance.randrange(len(some))] = replace(some[0], user="u9")
    if chance.random() < 0.3:
        del some[chance.randrange(len(some))]
    if chance.random() < 0.5:
        some.append(replace(some[0], id="new", user=chance.choice(("u1", "u8"))))
    return tuple(some)


@pytest.mark.parametrize("seed", range(8))
def test_the_records_of_a_user_are_the_same_taken_over_as_looked_for(seed: int) -> None:
    chance, listed = random.Random(seed), Listed(SOME)
    listed.of("u1")

    for _ in range(12):
        before, listed = listed, Listed(changed(listed.all, chance), listed)

        anew = {f"u{n}": [one for one in listed.all if one.user == f"u{n}"] for n in range(10)}
        assert {user: listed.of(user) for user in anew} == anew
        places = listed.others(before)
        if places is not None:
            same = [p for p in range(len(before.all)) if p not in places]
            assert [listed.all[p] for p in same] == [before.all[p] for p in same]


async def test_a_directory_that_goes_on_knows_what_one_knows_that_begins(
    long_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "FROM", LONG)
    file = TinyFile(long_file, clock)
    store = TinyStore(file)
    store.load()
    on = TinyDirectory(file, store)
    await on.refresh()
    first, second, *_ = [one for one in store.listed(Ticket).all if one.is_open]
    acts = (
        replace(first, notes=("Called.",)),
        replace(first, closed_at=clock.now),
        replace(second, id="9001"),
        replace(second, id="9001", notes=("Called back.",)),
        replace(second, id="9002", user="nobody"),
        replace(second, closed_at=clock.now),
    )

    for act in acts:
        async with store.transaction():
            await store.keep(act)
        await on.refresh()

        fresh = TinyStore(TinyFile(long_file, clock))
        fresh.load()
        anew = TinyDirectory(fresh._file, fresh)
        await anew.refresh()
        assert store.listed(Ticket).all == fresh.listed(Ticket).all
        assert on._known.opened.by_place == anew._known.opened.by_place
        assert on._known.ticketed == anew._known.ticketed
        assert on._known.opened.numbers == anew._known.opened.numbers
        assert await on.entries([act.user]) == await anew.entries([act.user])
        assert await store.get(Ticket, act.id) == act
        assert len([one for one in store.listed(Ticket).all if one.id == act.id]) == 1
