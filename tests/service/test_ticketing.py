"""A desk whose tickets are kept in a ticket system: what it shows, tells and refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from helpdesk.domain.actions import CloseTicket, Note, SuspendFactor, TakeTicket
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import BadInput, HelpdeskError, NeedsMore, Refused, Unreachable
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.service.provided import ProvidedDirectory
from helpdesk.service.ticketing import EVERY, Ticketing
from helpdesk.stores.own import own_record
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.connectors.elsewhere import Elsewhere
from tests.labs.djangohelpdesk.server import Server
from tests.labs.troubles import Fault
from tests.tui.console import desk_on

PRIYA, ZOE = "priya@northwind.example", "zoe@othercrm.example"
Open = Callable[..., LocalDesk]


@pytest.fixture
def opened(sample_file: Path, clock: Clock, system: DjangoHelpdesk) -> Open:
    """Open the sample desk with its tickets in the system; several are several consoles."""

    def open_as(who: str = "dana", *, is_linked: bool = True, **more: Any) -> LocalDesk:
        tickets = system if is_linked else None
        return desk_on(sample_file, who, clock=clock, tickets=tickets, **more)

    return open_as


async def numbers(desk: LocalDesk, user: str) -> list[str]:
    """The open tickets of a user, as the case shows them."""
    return [ticket.id for ticket in (await desk.case(user)).open_tickets]


async def test_a_ticket_is_of_the_user_whose_address_asked(server: Server, opened: Open) -> None:
    server.file("No code since Monday", "Priya@Northwind.example")
    desk = opened()

    case = await desk.case("u5")
    queue = await desk.queue()

    (ticket,) = case.open_tickets
    assert (ticket.id, ticket.subject, ticket.agent) == ("1", "No code since Monday", None)
    assert {row.id: row.ticket.id for row in queue.rows if row.ticket}["u5"] == "1"


async def test_a_notification_address_is_a_users_address_too(server: Server, opened: Open) -> None:
    server.file("No code", "mfa@agency.example")

    found = await numbers(opened(), "u6")

    assert "1" in found


async def test_people_kept_at_a_provider_are_known_by_their_address_there(
    server: Server, system: DjangoHelpdesk, sample_file: Path, clock: Clock, places: Path
) -> None:
    server.file("No code", PRIYA)
    store = TinyStore(own_record(places / "own" / "north.json", (), clock))
    store.load()
    people = ProvidedDirectory(Elsewhere(TinyFile(sample_file, clock)), store)

    (ticket,) = await Ticketing(system, store, people, clock).look()

    assert (ticket.id, ticket.user, ticket.system) == ("1", "u5", "north")


async def test_a_ticket_of_nobody_here_is_named_and_proves_no_one(
    server: Server, opened: Open
) -> None:
    server.file("Printer jams, call +44 20 7946 0018", "sam@elsewhere.example")
    desk = opened()

    says = (await desk.queue()).says
    with pytest.raises(NeedsMore, match="is not an open ticket of this user"):
        await desk.perform(CloseTicket(user="u1", ticket="1"))

    assert "1 open ticket is of no single user here" in says
    assert "#1 Printer jams" in says
    assert "7946" not in says


async def test_an_address_that_two_users_have_is_nobodys(
    server: Server, opened: Open, sample_file: Path
) -> None:
    text = sample_file.read_text("utf-8")
    sample_file.write_text(text.replace("mfa@agency.example", PRIYA), "utf-8")
    server.file("No code", PRIYA)
    desk = opened()

    says = (await desk.queue()).says

    assert "#1 No code" in says
    assert await numbers(desk, "u5") == []
    assert "1" not in await numbers(desk, "u6")


async def test_an_address_that_only_looks_like_a_users_is_nobodys(
    server: Server, opened: Open
) -> None:
    server.file("No code", "priya@northwínd.example")
    desk = opened()

    says = (await desk.queue()).says

    assert "#1 No code" in says
    assert await numbers(desk, "u5") == []


async def test_who_works_for_one_customer_hears_nothing_of_the_others_tickets(
    server: Server, opened: Open
) -> None:
    server.file("Printer jams", "sam@elsewhere.example")
    agent = Agent(id="pat", name="Pat", role=Role.PRODUCT_ADMINISTRATOR, account="a3")

    says = (await opened(agent=agent).queue()).says

    assert says == ""


async def test_what_changes_there_is_seen_here_a_little_later(
    server: Server, opened: Open, clock: Clock
) -> None:
    server.file("No code", PRIYA)
    server.file("No code", ZOE)
    desk = opened()
    before = (await numbers(desk, "u5"), await numbers(desk, "u9"))

    server.move("1", status=4)
    server.move("2", submitter_email=PRIYA, title="Still no code")
    clock.now += EVERY + timedelta(seconds=1)
    after = (await numbers(desk, "u5"), await numbers(desk, "u9"))

    assert (before, after) == ((["1"], ["2"]), (["2"], []))


async def test_a_question_that_follows_at_once_asks_nothing_there(
    server: Server, opened: Open
) -> None:
    desk = opened()
    await desk.queue()
    asked = len(server.asked)

    await desk.queue()
    await desk.case("u5")

    assert len(server.asked) == asked


async def test_taking_noting_and_closing_go_to_the_system(server: Server, opened: Open) -> None:
    server.file("No code", PRIYA)
    desk = opened()
    await desk.perform(TakeTicket(user="u5", ticket="1"))
    await desk.perform(Note(user="u5", ticket="1", text="Called back."))

    outcome = await desk.perform(CloseTicket(user="u5", ticket="1", reason="solved"))

    assert outcome.says == "Ticket #1 is closed."
    assert server.tickets[1]["status"] == 4
    assert server.tickets[1]["title"] == "No code"
    said = [text.partition("\n")[0] for text in server.comments("1")]
    assert said[1:] == [
        "Taken at the desk by dana.",
        "Called back.",
        "Closed at the desk by dana. solved",
    ]
    assert outcome.case.open_tickets == ()


async def test_who_took_a_ticket_is_seen_at_another_console(server: Server, opened: Open) -> None:
    server.file("No code", PRIYA)
    await opened().perform(TakeTicket(user="u5", ticket="1"))

    (ticket,) = (await opened("lee").case("u5")).open_tickets

    assert ticket.agent == "dana"


async def test_a_ticket_that_somebody_there_took_meanwhile_is_not_taken_over(
    server: Server, opened: Open
) -> None:
    server.file("No code", PRIYA)
    desk = opened()
    await desk.case("u5")
    server.move("1", assigned_to=2)

    with pytest.raises(BadInput, match="was taken by #2 meanwhile"):
        await desk.perform(TakeTicket(user="u5"))

    assert server.tickets[1]["assigned_to"] == 2


async def test_a_new_ticket_is_opened_there_in_the_users_name(server: Server, opened: Open) -> None:
    desk = opened()

    outcome = await desk.perform(TakeTicket(user="u9", subject="No code arrives"))

    (ticket,) = outcome.case.open_tickets
    assert server.tickets[1]["submitter_email"] == ZOE
    assert server.tickets[1]["title"] == "No code arrives"
    assert (ticket.id, ticket.agent, ticket.on_phone) == ("1", "dana", True)


async def test_a_ticket_whose_taking_failed_is_not_opened_again(
    server: Server, opened: Open
) -> None:
    desk = opened()
    wish = TakeTicket(user="u9", subject="No code arrives")
    server.strike(Fault.CUT, "PATCH")

    with pytest.raises(Unreachable):
        await desk.perform(wish, key="a-key-of-eighteen-and-more")
    outcome = await desk.perform(wish, key="a-key-of-eighteen-and-more")

    assert len(server.tickets) == 1
    assert outcome.case.open_tickets[0].agent == "dana"


async def test_an_act_rests_on_the_ticket_as_it_is_there_now(server: Server, opened: Open) -> None:
    server.file("No code", PRIYA)
    desk = opened()
    await desk.case("u5")
    server.move("1", status=3)

    with pytest.raises(Refused, match="has no open ticket"):
        await desk.perform(CloseTicket(user="u5", ticket="1"))

    assert server.tickets[1]["status"] == 3


async def test_a_ticket_that_came_a_moment_ago_can_be_named_at_once(
    server: Server, opened: Open
) -> None:
    desk = opened()
    await desk.case("u5")
    server.file("No code", PRIYA)

    outcome = await desk.perform(CloseTicket(user="u5", ticket="#1"))

    assert outcome.says == "Ticket #1 is closed."


async def test_an_act_that_names_a_ticket_is_not_done_while_nobody_answers(
    server: Server, opened: Open
) -> None:
    server.file("No code", "maya@northwind.example")
    desk = opened()
    await desk.case("u4")
    server.strike(Fault.CUT, "GET", times=50)
    factor = (await desk.case("u4")).user.live_factors[0]

    with pytest.raises(Unreachable):
        await desk.perform(SuspendFactor(user="u4", factor=factor.id, ticket="1"))

    (row, *_) = (await desk.log(Query())).rows
    assert (row.act, row.result) == ("suspend-factor", Result.FAILED)
    assert (await desk.case("u4")).user.factor(factor.id) == factor


async def test_tickets_stay_as_last_seen_while_the_system_is_not_reached(
    server: Server, opened: Open, clock: Clock
) -> None:
    server.file("No code", PRIYA)
    desk = opened()
    await desk.case("u5")
    server.strike(Fault.CUT, "GET", times=50)
    clock.now += timedelta(minutes=1)

    found, says = await numbers(desk, "u5"), (await desk.queue()).says

    assert found == ["1"]
    assert "cannot be reached" in says
    assert "Tickets are as of 09:00 UTC." in says


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.FAILS, Fault.NO_RIGHT, Fault.WEB_PAGE])
async def test_what_the_system_does_not_take_is_not_written_here_either(
    server: Server, opened: Open, fault: Fault
) -> None:
    server.file("No code", PRIYA)
    desk = opened()
    await desk.case("u5")
    server.strike(fault, "POST")

    with pytest.raises(HelpdeskError):
        await desk.perform(CloseTicket(user="u5", ticket="1"))

    assert await numbers(desk, "u5") == ["1"]
    assert server.tickets[1]["status"] == 1


async def test_the_bundle_becomes_a_comment_masked_and_the_title_stays(
    server: Server, opened: Open
) -> None:
    server.file("No code {{ ticket.id }}", "maya@northwind.example")
    desk = opened()

    outcome = await desk.perform(Note(user="u4", ticket="1", bundle=True))

    text = server.comments("1")[-1]
    assert outcome.says == "The case bundle is on ticket #1 as a comment, masked."
    assert server.tickets[1]["title"] == "No code {{ ticket.id }}"
    assert "# Maya Okafor" in text
    assert "## What happened" in text
    assert "maya@northwind.example" not in text
    (row, *_) = (await desk.log(Query())).rows
    assert (row.act, row.ticket, row.says) == ("note", "1", outcome.says)


async def test_the_bundle_holds_what_the_caller_said(server: Server, opened: Open) -> None:
    server.file("No code", "maya@northwind.example")
    desk = opened()

    await desk.perform(Note(user="u4", bundle=True, ticket="1", said="D1/D2=later"))

    assert "D1/D2" in server.comments("1")[-1]


async def test_a_bundle_of_one_key_is_one_comment(server: Server, opened: Open) -> None:
    server.file("No code", "maya@northwind.example")
    desk, key = opened(), "a-key-of-eighteen-and-more"
    wish = Note(user="u4", bundle=True, ticket="1")
    server.strike(Fault.CUT_AFTER, "POST")

    await desk.perform(wish, key=key)
    await desk.perform(wish, key=key)

    assert len(server.comments("1")) == 2


async def test_a_bundle_needs_a_ticket_that_a_system_keeps(server: Server, opened: Open) -> None:
    with pytest.raises(NeedsMore, match="kept in a ticket system"):
        await opened().perform(Note(user="u1", bundle=True, ticket="4821"))


async def test_a_desk_of_its_own_tickets_says_that_the_bundle_is_a_file(opened: Open) -> None:
    with pytest.raises(NeedsMore, match="write the bundle to a file"):
        await opened(is_linked=False).perform(Note(user="u1", bundle=True))


async def test_tickets_the_desk_kept_before_stay_its_own(server: Server, opened: Open) -> None:
    desk = opened()

    await desk.perform(TakeTicket(user="u1", ticket="4821"))
    outcome = await desk.perform(CloseTicket(user="u1", ticket="4821"))

    assert outcome.says == "Ticket #4821 is closed."
    assert not [line for line in server.asked if not line.startswith("GET")]


async def test_a_number_that_both_have_open_is_said_and_neither_is_mixed_up(
    server: Server, opened: Open
) -> None:
    server.file("No code", PRIYA)
    server.tickets[4821] = server.tickets.pop(1) | {"id": 4821}
    desk = opened()

    says = (await desk.queue()).says

    assert "#4821 is also the number of an open ticket of this desk's own" in says
    assert await numbers(desk, "u1") == ["4821"]
    assert await numbers(desk, "u5") == []


async def test_without_the_system_in_the_settings_its_tickets_can_only_be_closed(
    server: Server, opened: Open
) -> None:
    server.file("No code", PRIYA)
    await opened().case("u5")
    desk = opened(is_linked=False)

    with pytest.raises(BadInput, match="kept in north, which the settings do not name"):
        await desk.perform(Note(user="u5", ticket="1", text="Called."))
    outcome = await desk.perform(CloseTicket(user="u5", ticket="1"))

    assert outcome.says == "Ticket #1 is closed."
    assert server.tickets[1]["status"] == 1


async def test_comments_are_shown_without_addresses_and_without_marks(
    server: Server, opened: Open
) -> None:
    server.file("Code to priya@northwind.example", PRIYA, "My number is +44 20 7946 0018.\nThanks")
    desk = opened()
    await desk.perform(Note(user="u5", ticket="1", text="Called."))

    (ticket,) = (await opened().case("u5")).open_tickets

    shown = "\n".join((ticket.subject, *ticket.notes))
    assert "Called." in shown
    assert not [secret for secret in ("priya@", "7946", "[desk:", "\x1b") if secret in shown]
