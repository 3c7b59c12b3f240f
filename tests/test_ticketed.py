"""A desk is pointed at a ticket system by its settings; what they say wrong is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk import ticketed as settings_of
from helpdesk.config import load_config
from helpdesk.domain.actions import CloseTicket
from helpdesk.domain.errors import BadInput
from helpdesk.hosting import Wanted, desks_at
from helpdesk.service.local import LocalDesk
from helpdesk.ticketed import ticketed
from tests.conftest import Run
from tests.labs.djangohelpdesk.line import on
from tests.labs.djangohelpdesk.server import Server
from tests.labs.troubles import Fault

NORTH = """
[tickets]
kind = "django-helpdesk"
url = "https://tickets.example/helpdesk"
user = "desk"
{}
"""

Write = Callable[..., None]


@pytest.fixture
def written(places: Path) -> Write:
    def write(more: str = "", *, kind: str = "django-helpdesk") -> None:
        (places / "config").mkdir(exist_ok=True)
        text = NORTH.format(more).replace("django-helpdesk", kind)
        (places / "config" / "helpdesk.toml").write_text(text, "utf-8")

    return write


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A small django-helpdesk behind the kind `north`."""
    found = Server()
    monkeypatch.setitem(settings_of.KINDS, "north", lambda settings, secret, trusted: on(found))
    return found


def test_the_settings_name_where_tickets_are_kept(
    written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_SECRET_TICKETS", "hush")
    written('[tickets.options]\nqueue = "3"\nopen = "1, 2, 6"\nclosed = "7"')

    with ticketed(load_config({})) as system:
        assert system is not None
        assert system.name == "django-helpdesk+https://tickets.example/helpdesk"
        assert system.supports().lacks == ()


def test_without_the_section_tickets_are_the_desks_own() -> None:
    with ticketed(load_config({})) as system:
        assert system is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[tickets.options]\nteam = "1"', "there is no team; there is queue, open, closed"),
        ('[tickets.options]\nqueue = "Sign-in"', "queue is one number, not Sign-in"),
        ('[tickets.options]\nclosed = "4,5"', "closed is one number, not 4,5"),
        ('[tickets.options]\nopen = "1;2"', "open is numbers with commas between"),
        ('[connectors.tickets]\nkind = "okta"\nurl = "https://x.example"', "rename it"),
    ],
)
def test_what_the_settings_say_wrong_is_named(written: Write, more: str, says: str) -> None:
    written(more)

    with pytest.raises(BadInput, match=says), ticketed(load_config({})):
        pass


def test_a_kind_that_there_is_not_is_named(written: Write) -> None:
    written(kind="jira")

    with (
        pytest.raises(BadInput, match="there is no kind jira; there is django-helpdesk"),
        ticketed(load_config({})),
    ):
        pass


def test_the_doctor_says_what_holds_of_the_ticket_system(
    written: Write, server: Server, run: Run
) -> None:
    written(kind="north")

    code, out, _ = run("doctor")

    assert code == 0
    assert "The desk FIXTURE sample.json opens" in out
    assert "answers and takes the sign-in as desk; 0 tickets are open" in out


def test_the_doctor_says_that_the_ticket_system_is_not_reached(
    written: Write, server: Server, run: Run
) -> None:
    written(kind="north")
    server.strike(Fault.CUT, "GET", times=99)

    code, out, _ = run("doctor")

    assert code == 5
    assert "The desk FIXTURE sample.json opens" in out
    assert "cannot be reached" in out


def test_the_command_puts_the_bundle_on_the_ticket(
    written: Write, server: Server, run: Run
) -> None:
    written(kind="north")
    number = server.file("No code", "priya@northwind.example")

    told = run("bundle", "u5", "--ticket", number, "--as", "dana")
    wrong = run("bundle", "u5", "--ticket", "77", "--as", "dana")

    assert told == (0, "The case bundle is on ticket #1 as a comment, masked.\n", "")
    assert len(server.comments(number)) == 2
    assert wrong[0] == 6
    assert "Ticket 77 is not an open ticket of this user; there is 1." in wrong[2]


async def test_a_gateway_takes_its_tickets_from_the_system(
    written: Write, server: Server, sample_file: Path, places: Path
) -> None:
    written(kind="north")
    number = server.file("No code", "priya@northwind.example")
    people = json.loads(sample_file.read_text("utf-8"))
    del people["meta"]["1"]["seed"]  # by which a desk knows that its people are invented
    sample_file.write_text(json.dumps(people), "utf-8")
    wanted = Wanted(store=f"sqlite:///{places / 'gateway.db'}", imported=sample_file)
    desks = desks_at(wanted, load_config({}))
    desk = desks.desk(next(agent for agent in desks.agents if agent.id == "dana"))

    queue = {row.id: row.ticket.id for row in (await desk.queue()).rows if row.ticket}
    outcome = await desk.perform(CloseTicket(user="u5", ticket=number))
    assert isinstance(desk, LocalDesk)
    await desk.aclose()
    await asyncio.to_thread(desks.close)

    assert queue["u5"] == number
    assert outcome.case.open_tickets == ()
    assert server.tickets[1]["status"] == 4


def test_the_queue_of_the_bundled_demo_is_never_that_of_a_system(
    written: Write, server: Server, run: Run
) -> None:
    written(kind="north")
    server.file("No code", "priya@northwind.example")

    code, out, _ = run("find", "--json", "--limit", "1", desk="demo")

    assert code == 0
    assert json.loads(out)["says"] == ""
    assert server.asked == []


def test_the_doctor_asks_no_system_about_the_bundled_demo(
    written: Write, server: Server, run: Run
) -> None:
    written(kind="north")

    code, out, _ = run("doctor", desk="demo")

    assert code == 0
    assert out.splitlines() == ["The desk DEMO DATA opens; 240 users can be found at it."]
    assert server.asked == []
