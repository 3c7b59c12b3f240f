"""django-helpdesk as the desk speaks it, on a small one that is held to what the real one said."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from helpdesk.connectors.tickets.base import OPENING, mark_of, unmarked
from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from helpdesk.domain.errors import (
    BadInput,
    DeskRefused,
    HelpdeskError,
    NotFound,
    Unreachable,
    Unsettled,
)
from tests.labs.djangohelpdesk.exchanges import answers, recorded
from tests.labs.djangohelpdesk.line import on
from tests.labs.djangohelpdesk.server import PASSWORD, TOKEN, Server
from tests.labs.troubles import Fault, Trouble

ANN = "ann@customers.example"
MARK = mark_of("a test")


def test_the_small_server_answers_as_the_real_one_did(server: Server) -> None:
    def asked(method: str, path: str, body: Any, account: str) -> tuple[int, Any]:
        name, wrong, _ = account.partition("+")
        told = base64.b64encode(f"{name}:{PASSWORD}{wrong}".encode()).decode()
        headers = {"authorization": f"Basic {told}"} if name else {}
        place, _, query = path.partition("?")
        raw = json.dumps(body).encode() if body else b""
        return server.reply(method, f"/helpdesk/api/{place}", query, raw, headers)

    found = answers(asked)

    assert found == recorded()


async def test_open_tickets_come_page_by_page_with_who_asked_and_since_when(
    server: Server, system: DjangoHelpdesk
) -> None:
    for number in range(103):
        server.file(f"Trouble {number}", ANN)
    server.move("2", status=4)
    server.move("3", status=2)

    found = await system.open_tickets()

    assert [one.number for one in found] == [str(n) for n in range(1, 104) if n != 2]
    assert {one.mail for one in found} == {ANN}
    assert all(one.is_open and one.opened_at for one in found)


async def test_a_state_that_is_none_there_lists_nothing_that_is_closed(server: Server) -> None:
    server.file("No code", ANN)
    system = on(server, is_open=("9",))

    found = await system.open_tickets()
    system.shut()

    assert found == []


async def test_a_comment_leaves_the_title_and_is_for_those_who_work_there(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)

    is_new = await system.comment(number, "Reset.\nSecond line.", MARK)

    ticket = server.tickets[1]
    assert is_new
    assert ticket["title"] == "No code"
    assert ticket["followup_set"][-1]["public"] is False
    assert unmarked(server.comments(number)[-1]) == "Reset.\nSecond line."


@pytest.mark.parametrize(
    "hostile", ["{{ ticket.title }}", "{{{ a b }}}", "{# gone #}", "{% load x %}", "see #1, #12"]
)
async def test_what_a_comment_holds_is_never_run_there_and_links_nothing(
    server: Server, system: DjangoHelpdesk, hostile: str
) -> None:
    number = server.file("No code", ANN)

    await system.comment(number, hostile, MARK)

    (_, written) = server.comments(number)
    kept = unmarked(written)
    assert kept.replace(" ", "") == hostile.replace(" ", "")
    assert not any(live in kept for live in ("{{", "{#", "{%", "#1"))


async def test_the_same_comment_is_written_once(server: Server, system: DjangoHelpdesk) -> None:
    number = server.file("No code", ANN)
    await system.comment(number, "Reset.", MARK)

    is_new = await system.comment(number, "Reset.", MARK)

    assert not is_new
    assert len(server.comments(number)) == 2


async def test_a_comment_whose_answer_was_lost_is_looked_for_and_not_written_again(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)
    server.strike(Fault.CUT_AFTER, "POST")

    is_new = await system.comment(number, "Reset.", MARK)

    assert is_new
    assert len(server.comments(number)) == 2


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.FAILS])
async def test_a_comment_that_is_not_there_after_a_fault_may_be_tried_again(
    server: Server, system: DjangoHelpdesk, fault: Fault
) -> None:
    number = server.file("No code", ANN)
    server.strike(fault, "POST")

    with pytest.raises(Unreachable, match="was to be written is not there"):
        await system.comment(number, "Reset.", MARK)
    await system.comment(number, "Reset.", MARK)

    assert len(server.comments(number)) == 2


async def test_a_write_of_which_nobody_can_say_what_became_is_said_to_be_lost(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)
    server.strike(Fault.CUT_AFTER, "POST")
    server.after = Trouble(Fault.CUT, "GET", 3)

    with pytest.raises(Unsettled, match="does not say what became of the write"):
        await system.comment(number, "Reset.", MARK)
    await system.comment(number, "Reset.", MARK)

    assert len(server.comments(number)) == 2


async def test_taking_says_who_has_it_and_assigns_it_to_the_desks_account(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)

    await system.take(number, "mia")
    await system.take(number, "mia")

    assert (await system.ticket(number)).holder == "mia"
    assert server.tickets[1]["assigned_to"] == 1
    assert server.comments(number)[1:] == ["Taken at the desk by mia."]


async def test_a_taking_that_broke_off_halfway_goes_on_where_it_was(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)
    server.strike(Fault.CUT, "PATCH")

    with pytest.raises(Unreachable):
        await system.take(number, "mia")
    half = (await system.ticket(number)).holder
    await system.take(number, "mia")

    assert (half, (await system.ticket(number)).holder) == ("", "mia")
    assert len(server.comments(number)) == 2


async def test_the_last_who_took_a_ticket_has_it(server: Server, system: DjangoHelpdesk) -> None:
    number = server.file("No code", ANN)
    for agent in ("mia", "zoe", "mia"):
        await system.take(number, agent)

    holder = (await system.ticket(number)).holder

    assert holder == "mia"
    assert len(server.comments(number)) == 4


async def test_what_somebody_there_was_given_is_not_the_desks(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)
    await system.take(number, "mia")
    server.move(number, assigned_to=2)

    holder = (await system.ticket(number)).holder

    assert holder == "#2"


async def test_closing_is_one_write_and_is_done_once(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)

    await system.close(number, "Closed at the desk by mia.", MARK)
    await system.close(number, "Closed at the desk by mia.", MARK)

    found = await system.ticket(number)
    assert (found.is_open, found.state, found.title) == (False, "4", "No code")
    assert len(server.comments(number)) == 2


async def test_a_closing_whose_answer_was_lost_is_done(
    server: Server, system: DjangoHelpdesk
) -> None:
    number = server.file("No code", ANN)
    server.strike(Fault.CUT_AFTER, "POST")

    await system.close(number, "Closed at the desk by mia.", MARK)

    assert server.tickets[1]["status"] == 4


async def test_a_ticket_is_opened_once_also_when_the_answer_was_lost(
    server: Server, system: DjangoHelpdesk
) -> None:
    server.strike(Fault.CUT_AFTER, "POST")

    first = await system.open(ANN, "No {{ code }}", "Calls.", MARK)
    second = await system.open(ANN, "No {{ code }}", "Calls.", MARK)

    assert (first.number, second.number, len(server.tickets)) == ("1", "1", 1)
    assert (first.mail, first.title) == (ANN, "No { { code }}")


async def test_what_it_refuses_is_said_field_by_field(system: DjangoHelpdesk) -> None:
    with pytest.raises(BadInput, match="refuses that: submitter_email: Enter a valid email"):
        await system.open("ann", "No code", "Calls.", MARK)


async def test_without_a_queue_nothing_can_be_opened_and_that_is_said(server: Server) -> None:
    system = on(server, queue="")

    lack = system.supports().lack(OPENING)
    with pytest.raises(BadInput, match="name no queue"):
        await system.open(ANN, "No code", "Calls.", MARK)
    system.shut()

    assert lack is not None
    assert server.asked == []


@pytest.mark.parametrize("number", ["99", "0"])
async def test_a_ticket_that_is_not_there_is_not_found(system: DjangoHelpdesk, number: str) -> None:
    with pytest.raises(NotFound):
        await system.ticket(number)


@pytest.mark.parametrize("number", ["", "1/../2", "١", "1?x=1", "-1", "a"])
async def test_a_number_that_is_none_is_never_asked_for(
    server: Server, system: DjangoHelpdesk, number: str
) -> None:
    with pytest.raises(BadInput, match="is no number of a ticket"):
        await system.comment(number, "Reset.", MARK)

    assert server.asked == []


@pytest.mark.parametrize(
    ("user", "secret", "error", "says"),
    [
        ("desk", "wrong", DeskRefused, "refused the desk's own account"),
        ("", "wrong", DeskRefused, "refused the desk's own account"),
        ("nobody", PASSWORD, Unreachable, "does not let this desk do that"),
    ],
)
async def test_an_account_that_may_not_is_told_so(
    server: Server, user: str, secret: str, error: type[HelpdeskError], says: str
) -> None:
    system = on(server, user=user, secret=secret)

    with pytest.raises(error, match=says):
        await system.open_tickets()
    system.shut()


async def test_a_token_signs_in_as_well(server: Server) -> None:
    server.file("No code", ANN)
    system = on(server, user="", secret=TOKEN)

    found = await system.open_tickets()
    system.shut()

    assert len(found) == 1


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.CONCURRENT_LIMIT])
async def test_every_fault_of_a_list_is_a_sentence_or_none(
    server: Server, system: DjangoHelpdesk, fault: Fault
) -> None:
    server.file("No code", ANN)
    server.strike(fault, "GET", times=3)

    try:
        said = f"{len(await system.open_tickets())} tickets."
    except HelpdeskError as error:
        said = str(error)

    assert said.endswith(".")
    assert (said == "1 tickets.") is (fault is Fault.UNKNOWN_FIELDS)


async def test_it_says_what_holds_and_what_is_not_possible(
    server: Server, system: DjangoHelpdesk
) -> None:
    server.file("No code", ANN)

    says = " ".join(await system.inspect())

    assert "takes the sign-in as desk; 1 ticket is open" in says
    assert "does not say which version" in says
    assert "open that is Open or Reopened; one is closed by Closed" in says
    assert "no list of its agents" in says


async def test_a_state_in_the_settings_that_it_does_not_have_is_named(server: Server) -> None:
    system = on(server, closed="7")

    says = " ".join(await system.inspect())
    system.shut()

    assert "There is no state 7 there; there is 1 Open, 2 Reopened" in says
