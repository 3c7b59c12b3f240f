"""What is old and ended is parted from personal data, in every byte; what is open is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import ChangeAddress, ChangeMobile, ResetFactor, Reveal, TurnOffMfa
from helpdesk.domain.approvals import Approval, payload_hash, payload_of
from helpdesk.domain.erasing import Erased, Kept, bare, is_open, needed_proofs
from helpdesk.domain.errors import NeedsMore
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.notices import Notice, Posted
from helpdesk.domain.proofs import Asking, Method, Proof
from helpdesk.domain.records import begun
from helpdesk.domain.search import Query
from helpdesk.service.inspecting import inspected
from helpdesk.service.local import LocalDesk
from helpdesk.stores.keys import Keys
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import LEFT_ALONE
from tests.conftest import Clock
from tests.service.test_log import cut, put, tables_of

Open = Callable[..., LocalDesk]

CANARIES = {
    "a reason of a row": "canary-reveal",
    "a reason of a request": "canary-asked",
    "a number of a request": "+447700911111",
    "what the second person said": "canary-answer",
    "a reason of a hold": "canary-held",
    "an address of a notice": "canary@agency.example",
}
OFF = TurnOffMfa(user="u1", reason="canary-asked", ticket="4821")


async def proven(desk: LocalDesk, user: str, ticket: str) -> None:
    """Have the caller read a code back."""
    await desk.ask_proof(user, Method.CODE, ticket=ticket)
    await desk.answer_proof(user, (await desk.phone(user))[-1].secret)


def tiny(desk: LocalDesk) -> TinyStore:
    """The store of a desk on a file, which holds all of it."""
    store = desk._view.store
    assert isinstance(store, TinyStore)
    return store


@pytest.fixture
async def planted(desk_as: Open, clock: Clock) -> LocalDesk:
    """A desk that kept something of every kind, all of it ended two days ago; as the lead."""
    manager, lead = desk_as("sam"), desk_as("lee", is_gated=False)
    await lead.perform(Reveal(user="u4", reason=CANARIES["a reason of a row"]))
    await proven(manager, "u1", "4821")
    with pytest.raises(NeedsMore, match="waits for a colleague"):
        await manager.perform(OFF)
    request = (await lead.approvals())[0]
    await lead.approve(request.id, is_granted=False, says="canary-answer")
    there = "mfa@agency.example"
    for address in (CANARIES["an address of a notice"], there):
        await lead.perform(
            ChangeAddress(user="u6", address=address, reason="canary-asked", ticket="4824")
        )
    holding = desk_as("dana", hold_minutes=10, is_gated=False)
    await holding.perform(
        ResetFactor(user="u2", factor="u2-f2", reason="canary-held", ticket="4822")
    )
    await holding.undo((await holding.holds())[0].id)
    await desk_as("dana").ask_proof("u2", Method.CODE, ticket="4822", channel="u2-f1")
    await filed(lead, ChangeMobile(user="u2", mobile="+447700911111"), clock)
    clock.go_on(days=2)
    return lead


async def filed(desk: LocalDesk, action: ChangeMobile, clock: Clock) -> None:
    """Keep a request for a second person as the desk keeps it."""
    payload = payload_of(action)
    it = Approval(
        id="a-filed", act=action.name, user=action.user, payload=payload, why="a weak proof",
        sha256=payload_hash(payload), requester="dana", asked_at=clock.now, proofs=("p1",),
    )  # fmt: skip
    store = tiny(desk)
    async with store.transaction():
        await store.keep(it)


def everywhere(places: Path) -> bytes:
    """Return all bytes of all files of a desk."""
    return b"\n".join(path.read_bytes() for path in places.rglob("*") if path.is_file())


async def test_no_byte_of_any_file_holds_what_was_erased(
    planted: LocalDesk, places: Path, clock: Clock, sample_file: Path
) -> None:
    before = everywhere(places)

    erased = await planted.erase_log(clock.now - timedelta(days=1))

    after = everywhere(places)
    texts = [text.encode() for text in CANARIES.values()]
    assert [text for text in texts if text not in before] == []
    assert [text for text in texts if text in after] == []
    tables = tables_of(sample_file)
    for table in ("proofs", "askings", "approvals", "holds"):
        assert {row["user"] for row in tables[table].values()} == {"(erased)"}
    assert erased.still_open == 0
    assert (await inspected(planted)).is_sound


async def test_what_a_killed_change_left_behind_goes_too(
    planted: LocalDesk, clock: Clock, places: Path, sample_file: Path
) -> None:
    left = sample_file.with_name(f".{sample_file.name}.ab12cd_3")
    left.write_bytes(sample_file.read_bytes())

    await planted.erase_log(clock.now)

    assert not left.exists()


async def test_what_is_open_is_left_and_said(
    planted: LocalDesk, desk_as: Open, clock: Clock, sample_file: Path
) -> None:
    await planted.perform(Reveal(user="u4", reason="the desk is in use"))
    manager = desk_as("sam")
    await proven(manager, "u1", "4821")
    with pytest.raises(NeedsMore):
        await manager.perform(OFF)
    await manager.ask_proof("u1", Method.CODE, ticket="4821")
    await desk_as("dana", hold_minutes=10, is_gated=False).perform(
        ResetFactor(user="u2", factor="u2-f2", reason="canary-held", ticket="4822")
    )
    async with tiny(planted).transaction():
        waiting = replace(tiny(planted).listed(Notice).all[-1], id="n-late", state=Posted.WAITING)
        await tiny(planted).keep(waiting)

    erased = await planted.erase_log(clock.now + timedelta(days=1))

    store = tiny(desk_as("ari"))
    assert erased.still_open == 5
    assert "5 still open were left" in (await planted.log(Query(words=("erase-log",)))).rows[0].says
    assert [one.user for one in store.listed(Approval).all] == ["(erased)", "(erased)", "u1"]
    assert [one.user for one in store.listed(Proof).all] == ["(erased)", "u1"]
    assert [one.is_open(clock.now) for one in store.listed(Asking).of("u1")] == [True]
    assert [one.ending for one in store.listed(Hold).of("u2")] == [Ending.WAITS]
    assert [one.to for one in store.listed(Notice).all if one.user] == [waiting.to]


async def test_what_is_young_is_left(planted: LocalDesk, clock: Clock, places: Path) -> None:
    before = everywhere(places)

    erased = await planted.erase_log(clock.now - timedelta(days=3))

    after = everywhere(places)
    assert erased == Erased()
    assert all(text.encode() in before and text.encode() in after for text in CANARIES.values())


async def test_erasing_twice_finds_nothing_more(planted: LocalDesk, clock: Clock) -> None:
    first = await planted.erase_log(clock.now)
    again = await planted.erase_log(clock.now)

    assert (first.rows > 0, first.others > 0) == (True, True)
    assert (again.rows, again.others) == (0, 0)


async def test_a_demo_that_was_left_alone_is_as_old_as_the_calendar_says(
    planted: LocalDesk, desk_as: Open, clock: Clock, places: Path
) -> None:
    clock.go_on(days=30)
    lead = desk_as("lee")
    assert clock.now - tiny(lead).listed(Hold).all[0].at < LEFT_ALONE

    erased = await lead.erase_log(clock.now - timedelta(days=20))

    after = everywhere(places)
    left = [what for what, text in CANARIES.items() if text.encode() in after]
    assert left == ["a number of a request"]  # as if no time had passed: it still waits
    assert erased.still_open == 2


async def test_what_is_erased_goes_from_the_copy_beside_too_while_the_log_is_in_doubt(
    planted: LocalDesk, desk_as: Open, clock: Clock, places: Path, sample_file: Path
) -> None:
    await planted.checkpoint()
    tables = tables_of(sample_file)
    cut(tables, Keys(places / "keys"))
    put(sample_file, tables)
    lead = desk_as("lee")

    await lead.erase_log(clock.now)

    after = everywhere(places)
    assert lead.alarm
    assert [text for text in CANARIES.values() if text.encode() in after] == []


def test_nothing_of_a_person_is_left_in_what_is_bare(planted: LocalDesk, clock: Clock) -> None:
    store = tiny(planted)
    kept: list[Kept] = [
        *store.listed(Proof).all,
        *store.listed(Asking).all,
        *store.listed(Approval).all,
        *store.listed(Hold).all,
        *store.listed(Notice).all,
    ]

    ended = [bare(one) for one in kept]

    text = msgspec.json.encode(ended).decode()
    approvals = store.listed(Approval).all
    words = (*CANARIES.values(), '"u1', '"u2', '"u6', *(one.sha256 for one in approvals))
    assert [word for word in words if word in text] == []
    assert [begun(one) for one in ended] == [begun(one) for one in kept]
    assert not any(is_open(one, clock.now, needed_proofs(approvals, clock.now)) for one in kept)
