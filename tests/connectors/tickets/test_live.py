"""A whole journey on a django-helpdesk that runs: listed, taken, acted on, commented, closed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from helpdesk.domain.actions import AnyAction, CloseTicket, Note, TakeTicket, Unlock
from helpdesk.domain.cases import Outcome
from helpdesk.service.desk import Desk
from tests.conftest import Clock, Run
from tests.labs.djangohelpdesk.exchanges import answers, recorded
from tests.labs.djangohelpdesk.running import Lab, lab_in
from tests.labs.sessions import running
from tests.tui.console import desk_on

pytestmark = pytest.mark.lab

MAYA, PRIYA = "maya@northwind.example", "priya@northwind.example"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A django-helpdesk for all tests of this session."""
    yield from running(lab_in)


@pytest.fixture
def system(lab: Lab) -> Iterator[DjangoHelpdesk]:
    made = DjangoHelpdesk("lab", lab.url, "desk", lambda: lab.password, queue=str(lab.queue))
    yield made
    made.shut()


@pytest.fixture
def desk(sample_file: Path, clock: Clock, system: DjangoHelpdesk) -> Desk:
    return desk_on(sample_file, "dana", clock=clock, tickets=system)


def test_the_real_one_answers_as_it_did_when_it_was_recorded() -> None:
    with tempfile.TemporaryDirectory() as place, lab_in(Path(place) / "lab") as fresh:
        found = answers(fresh.answer)

    assert found == recorded()


async def test_a_ticket_goes_from_the_list_to_its_end(lab: Lab, desk: Desk) -> None:
    number = lab.file("No code since {{ ticket.id }}", MAYA, "My number is +44 20 7946 0018.")
    letters = lab.letters()

    async def done(wish: AnyAction) -> Outcome:
        return await desk.perform(wish)

    listed = [row.ticket.id for row in (await desk.queue()).rows if row.ticket]
    taken = await done(TakeTicket(user="u4", ticket=number))
    assigned = lab.call("GET", f"tickets/{number}/")["assigned_to"]
    acted = await done(Unlock(user="u4", reason="called", ticket=number))
    await done(Note(user="u4", ticket=number, text="Called back, see #1 {{ a b }}."))
    bundled = await done(Note(user="u4", ticket=number, bundle=True))
    closed = await done(CloseTicket(user="u4", ticket=number, reason="solved"))

    there = lab.call("GET", f"tickets/{number}/")
    comments = [one["comment"] for one in there["followup_set"]]
    assert number in listed
    assert taken.says == f"Ticket #{number} is yours."
    assert assigned == 1
    assert acted.says.startswith("Unlocked")
    assert bundled.says == f"The case bundle is on ticket #{number} as a comment, masked."
    assert closed.says == f"Ticket #{number} is closed."
    assert (there["title"], there["status"]) == ("No code since {{ ticket.id }}", 4)
    assert comments[1] == "Taken at the desk by dana."
    assert comments[2].startswith("Called back, see # 1 { { a b }}.")
    assert "# Maya Okafor" in comments[3]
    assert "## What happened" in comments[3]
    assert comments[4].startswith("Closed at the desk by dana. solved")
    assert not [text for text in comments[1:] if MAYA in text or "7946 0018" in text]
    assert lab.letters() == letters  # what the desk writes there is for those who work there


async def test_the_same_comment_is_written_once(lab: Lab, system: DjangoHelpdesk) -> None:
    number = lab.file("No code", MAYA)

    told = [await system.comment(number, "Reset.", "[desk:0123456789abcdef]") for _ in range(2)]

    assert told == [True, False]
    assert len(lab.call("GET", f"tickets/{number}/")["followup_set"]) == 2


async def test_a_new_ticket_is_opened_in_the_users_name(lab: Lab, desk: Desk) -> None:
    outcome = await desk.perform(TakeTicket(user="u9", subject="No code arrives"))

    ticket = next(one for one in outcome.case.open_tickets if one.subject == "No code arrives")
    there = lab.call("GET", f"tickets/{ticket.id}/")
    assert there["submitter_email"] == "zoe@othercrm.example"
    assert there["assigned_to"] == 1


async def test_what_a_colleague_there_closes_is_closed_here(lab: Lab, desk: Desk) -> None:
    number = lab.file("No code", PRIYA)
    before = [one.id for one in (await desk.case("u5")).open_tickets]
    lab.call("PATCH", f"tickets/{number}/", {"status": 4})

    outcome = await desk.perform(Note(user="u5", ticket=number, text="Called."))

    assert number in before
    assert number not in [one.id for one in outcome.case.open_tickets]


def test_the_commands_work_on_it_by_the_settings_the_lab_prints(
    lab: Lab, run: Run, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (places / "config").mkdir(exist_ok=True)
    (places / "config" / "helpdesk.toml").write_text(lab.settings(), "utf-8")
    monkeypatch.setenv("HELPDESK_SECRET_TICKETS", lab.password)
    number = lab.file("Locked out", PRIYA)

    code, doctor, _ = run("doctor")
    taken = run("perform", "take-ticket", "u5", "--ticket", number, "--as", "dana", "--json")
    put = run("bundle", "u5", "--ticket", number, "--as", "dana")
    monkeypatch.setenv("HELPDESK_SECRET_TICKETS", "wrong")
    refused = run("doctor")

    assert code == 0
    assert "takes the sign-in as desk" in doctor
    assert "open that is Open or Reopened; one is closed by Closed" in doctor
    assert json.loads(taken[1])["says"] == f"Ticket #{number} is yours."
    assert put[:2] == (0, f"The case bundle is on ticket #{number} as a comment, masked.\n")
    assert refused[0] == 5
    assert "refused the desk's own account" in refused[1]


async def test_a_token_signs_in_and_a_stranger_may_nothing(lab: Lab) -> None:
    token = DjangoHelpdesk("lab", lab.url, "", lambda: lab.token)
    stranger = DjangoHelpdesk("lab", lab.url, "nobody", lambda: lab.password)
    number = lab.file("No code", MAYA)

    found = [one.number for one in await token.open_tickets()]
    with pytest.raises(Exception, match="does not let this desk do that"):
        await stranger.open_tickets()
    token.shut()
    stranger.shut()

    assert number in found
