from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.connectors.several import Several
from helpdesk.domain.actions import Flag, Note, ResetAll, SendCode, TakeTicket
from helpdesk.domain.errors import NotFound, Refused
from helpdesk.domain.lacks import Lack
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.connectors.elsewhere import Elsewhere
from tests.desks import provider_desk

NO_CODE = Lack(what="send-code", why="Northern has no such call.", instead="Sign in again.")
NO_PUSH = Lack(what="prove:code", why="Northern checks no codes.")
NO_DRIFT = Lack(what="drift", why="Northern keeps its keys to itself.")


@pytest.fixture
def opened(sample_file: Path, clock: Clock, places: Path) -> Callable[..., LocalDesk]:
    """Open a desk whose people are elsewhere, and whose own record is a file of its own."""

    def open_with(
        *lacks: Lack, who: str = "support", most: int = 500, is_gated: bool = True
    ) -> LocalDesk:
        provider = Elsewhere(TinyFile(sample_file, clock), *lacks, most=most)
        record = places / "own" / "north.json"
        return provider_desk(provider, record, clock, places / "keys", who, is_gated=is_gated)

    return open_with


async def test_people_are_found_where_they_are_kept(opened: Callable[..., LocalDesk]) -> None:
    found = await opened().find(Query(words=("mayank",)))

    assert [row.name for row in found.rows] == ["Mayank Rao"]


async def test_a_case_and_its_verdict_rest_on_the_providers_timeline(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened()

    case, verdict = await desk.case("u1"), await desk.why("u1")

    assert case.timeline
    assert verdict.causes


async def test_tickets_are_our_own_and_are_found_by_number(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened()

    await desk.perform(TakeTicket(user="u1", subject="Codes do not come"))

    case = await desk.case("u1")
    (ticket,) = case.open_tickets
    assert (await desk.find(Query(words=(ticket.id,)))).rows[0].id == "u1"
    assert [row.id for row in (await desk.queue()).rows] == ["u1"]
    assert [row.id for row in (await desk.find(Query(ticket=True))).rows] == ["u1"]


async def test_another_console_on_the_same_record_sees_what_was_done(
    opened: Callable[..., LocalDesk],
) -> None:
    await opened().perform(Note(user="u1", text="asked for the second time"))

    rows = (await opened(who="lead").log(Query())).rows

    assert [row.says for row in rows] == ["asked for the second time"]


async def test_the_times_of_our_own_record_do_not_move(
    opened: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = opened()
    await desk.perform(TakeTicket(user="u1", subject="Codes do not come"))
    at = (await desk.case("u1")).open_tickets[0].opened_at
    clock.go_on(hours=40)

    assert (await opened().case("u1")).open_tickets[0].opened_at == at


async def test_a_mark_is_kept_here_where_the_provider_has_no_place_for_it(
    opened: Callable[..., LocalDesk],
) -> None:
    await opened().perform(Flag(user="u1", reason="asks for somebody else"))

    assert (await opened().case("u1")).user.flagged == "asks for somebody else"


async def test_what_the_provider_cannot_do_is_refused_in_its_words(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened(NO_CODE)

    decision = (await desk.case("u1")).decision("send-code")
    with pytest.raises(Refused, match=r"this provider\. Northern has no such call"):
        await desk.perform(SendCode(user="u1"))

    assert decision is not None
    assert (decision.is_refused, decision.instead) == (True, "Sign in again.")
    assert (await desk.log(Query())).rows[0].result == "refused"


async def test_a_way_of_proving_that_the_provider_lacks_says_so(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened(NO_PUSH)
    await desk.perform(TakeTicket(user="u1", subject="Codes do not come"))
    ticket = (await desk.case("u1")).open_tickets[0].id

    ways = await desk.ways("u1")
    with pytest.raises(Refused, match="Northern checks no codes"):
        await desk.ask_proof("u1", Method.CODE, ticket=ticket)

    assert "Northern checks no codes" in next(w for w in ways if w.method is Method.CODE).not_for


async def test_a_clock_the_provider_cannot_measure_is_said(
    opened: Callable[..., LocalDesk],
) -> None:
    with pytest.raises(Refused, match="keeps its keys to itself"):
        await opened(NO_DRIFT).drift("u2", "", ["123456"])


async def test_several_providers_are_one_and_each_id_goes_to_its_own(
    sample_file: Path, clock: Clock
) -> None:
    file = TinyFile(sample_file, clock)
    several = Several([Elsewhere(file, NO_CODE, name="north", most=1), Elsewhere(file, name="u1")])

    found = await several.find((), limit=9)
    users = await several.people(["u1", "nobody:u1"])

    assert "Northern gave the first 1 only." in found.says
    assert [*users] == ["u1"]
    with pytest.raises(NotFound):
        await several.timeline("nobody:u1")


async def test_the_log_is_held_against_whoever_it_names_also_past_the_first_people(
    opened: Callable[..., LocalDesk],
) -> None:
    desk = opened(most=1, is_gated=False)
    first = await desk.find(Query())
    await desk.perform(TakeTicket(user="u2", subject="A lost phone"))
    await desk.perform(ResetAll(user="u2", reason="asked", ticket="1001"))

    found = await desk.reconcile_log()

    assert [row.id for row in first.rows] != ["u2"]
    assert (found.does_match, found.rows, found.effects) == (True, 1, 1)
