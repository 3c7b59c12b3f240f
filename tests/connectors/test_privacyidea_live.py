"""Journeys on a privacyIDEA that runs: opened as the command line opens it, told as agents tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpdesk.config import Config, load_config
from helpdesk.domain.actions import (
    SendCode,
    SuspendFactor,
    TakeTicket,
    TemporaryPass,
)
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import Result
from helpdesk.domain.cases import Case
from helpdesk.domain.errors import BadInput, DeskRefused, Refused, Unreachable
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.domain.timeline import Answer, Reset
from helpdesk.domain.users import FactorKind, FactorState
from helpdesk.door import open_desk
from helpdesk.gateway.server import Gateway
from helpdesk.hosting import Wanted, desks_at
from helpdesk.service.desk import Desk
from helpdesk.tui.app import present
from helpdesk.tui.dialogs.guarded import Guarded
from tests.conftest import Run
from tests.connectors.benches import PiBench
from tests.connectors.privacyidea_journey import REFUSED, SIZE, Journey, caller_of
from tests.gateway.serving import Words, remote, served
from tests.labs.privacyidea.people import PASSWORD, PEOPLE
from tests.labs.privacyidea.phone import Phone
from tests.labs.privacyidea.running import Lab
from tests.tui.console import console

pytestmark = pytest.mark.lab


@pytest.fixture
def lab(pi_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("HELPDESK_SECRET_PRIVACYIDEA", pi_lab.desk_password)
    return pi_lab


@pytest.fixture
def desk(lab: Lab) -> Iterator[Desk]:
    with open_desk(load_config({}), lab.address, "support") as found:
        yield found


@pytest.fixture
def later(lab: Lab) -> Iterator[Desk]:
    """Another console on the same record, which has read nothing yet."""
    with open_desk(load_config({}), lab.address, "support") as found:
        yield found


@pytest.fixture
def viewing(lab: Lab) -> Iterator[Desk]:
    """The desk with an account that has rights to read only."""
    address = lab.address.replace("desk%40", "viewer%40")
    with open_desk(load_config({}), address, "support") as found:
        yield found


@pytest.fixture
def login(lab: Lab, pi_people: Iterator[int], tmp_path: Path) -> Callable[..., tuple[str, PiBench]]:
    """Give somebody nobody else has: their id at the desk, and the other side of them."""
    benches: list[PiBench] = []

    def somebody(*kinds: str) -> tuple[str, PiBench]:
        bench = PiBench(lab, tmp_path, pi_people)
        benches.append(bench)
        return bench.person(*kinds).replace("lab:", "privacyidea:"), bench

    return somebody


def newest_code(lab: Lab, to: str) -> str:
    """Give the newest code that really arrived somewhere."""
    told = [message["text"] for message in lab.messages() if message["to"] == to]
    return "".join(c for c in told[-1] if c.isdigit())


async def proven(desk: Desk, lab: Lab, case: Case, ticket: str) -> None:
    """Prove a caller by a code that goes to their telephone and is read back."""
    factor = next(f for f in case.user.factors if f.kind is FactorKind.SMS)
    await desk.ask_proof(case.user.id, Method.CODE, channel=factor.id, ticket=ticket)
    login = case.user.id.partition(":")[2].partition("@")[0]
    number = f"+4477009{int(login[1:]):05}"
    await desk.answer_proof(case.user.id, newest_code(lab, number))


async def test_log_and_provider_agree_after_a_journey(
    desk: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms")
    factor = (await desk.case(name)).user.factors[0].id

    await desk.perform(SuspendFactor(user=name, factor=factor))

    rows = (await desk.log(Query())).rows
    assert rows[0].act == "suspend-factor"
    assert (await desk.case(name)).user.factors[0].state is FactorState.SUSPENDED


async def test_a_pass_lets_in_once(
    desk: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms")
    short = name.partition(":")[2].partition("@")[0]
    await desk.perform(TakeTicket(user=name, subject="No phone today"))
    case = await desk.case(name)
    ticket = case.open_tickets[0].id
    await proven(desk, lab, case, ticket)

    made = await desk.perform(TemporaryPass(user=name, ticket=ticket, reason="no phone today"))

    assert made.handover is not None
    tries = [lab.sign_in(short, PASSWORD + made.handover.secret) for _ in range(2)]
    first, second = (each["result"]["authentication"] for each in tries)
    assert (first, second == "ACCEPT") == ("ACCEPT", False)


async def test_a_password_takes_the_place_of_a_lost_factor_and_is_kept_nowhere(
    desk: Desk, later: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]], places: Path
) -> None:
    name, bench = login("sms", "totp")
    short = name.partition(":")[2].partition("@")[0]
    await desk.perform(TakeTicket(user=name, subject="Lost my phone"))
    case = await desk.case(name)
    lost = next(f.id for f in case.user.factors if f.kind is FactorKind.TOTP)
    because = {"ticket": case.open_tickets[0].id, "reason": "phone lost"}
    await proven(desk, lab, case, because["ticket"])

    shown = (await desk.weigh(TemporaryPass(user=name, lost=lost, **because))).preview
    made = await desk.perform(TemporaryPass(user=name, lost=lost, **because))

    assert made.handover is not None
    assert made.handover.until is not None
    secret, end = made.handover.secret, f"{made.handover.until:%Y-%m-%d}"
    assert "disabled" in shown.goes[0]
    assert f"until {end}" in shown.goes[1]
    tries = [lab.sign_in(short, PASSWORD + told) for told in (secret, bench.app_code(lost))]
    assert [each["result"]["authentication"] for each in tries] == ["ACCEPT", "REJECT"]
    there = lab.call("GET", f"/token/?user={short}&realm=corp&type=pw")["result"]["value"]
    assert there["tokens"][0]["info"]["validity_period_end"].startswith(end)
    states = {f.kind: f.state for f in (await later.case(name)).user.factors}
    assert states == {FactorKind.SMS: FactorState.ACTIVE, FactorKind.TOTP: FactorState.SUSPENDED}
    assert (await desk.log(Query())).rows[0].factor == lost
    bundle = await desk.bundle(name)
    kept = [file.read_bytes() for file in places.rglob("*") if file.is_file()]
    assert secret not in f"{bundle} {await later.case(name)} {await desk.tray(name)}"
    assert [one for one in kept if secret.encode() in one] == []


async def test_a_code_that_the_mail_server_refuses_is_said_and_is_no_code(
    desk: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("email")
    lab.refuse(mail=True)
    try:
        with pytest.raises(Unreachable, match=r"Nothing was sent\. privacyIDEA says"):
            await desk.perform(SendCode(user=name))
    finally:
        lab.refuse(mail=False)

    assert (await desk.log(Query())).rows[0].result == "failed"


async def test_an_old_code_read_back_proves_nothing(
    desk: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms")
    await desk.perform(TakeTicket(user=name, subject="No code"))
    case = await desk.case(name)
    ticket, factor = case.open_tickets[0].id, case.user.factors[0].id
    number = f"+4477009{int(name.partition(':p')[2].partition('@')[0]):05}"
    await desk.ask_proof(name, Method.CODE, channel=factor, ticket=ticket)
    old = newest_code(lab, number)
    await desk.ask_proof(name, Method.CODE, channel=factor, ticket=ticket)

    with pytest.raises(BadInput, match="not right"):
        await desk.answer_proof(name, old)

    await desk.answer_proof(name, newest_code(lab, number))


def test_a_wrong_password_of_the_desk_is_a_sentence(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_SECRET_PRIVACYIDEA", "wrong")

    with (
        pytest.raises(DeskRefused, match="refused the desk's own account"),
        open_desk(load_config({}), lab.address, "support"),
    ):
        pass


async def test_an_account_that_only_reads_sees_everything_and_may_nothing(
    viewing: Desk, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms")

    case = await viewing.case(name)
    with pytest.raises(Refused, match="lacks the right triggerchallenge"):
        await viewing.perform(SendCode(user=name))

    assert case.user.factors
    assert {d.act for d in case.decisions if d.is_refused} >= {"send-code", "unlock", "reset-all"}


async def test_whoever_comes_from_another_address_is_seen_there(
    desk: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms")
    short = name.partition(":")[2].partition("@")[0]
    lab.sign_in(short, PASSWORD, client="198.51.100.7")

    challenges = (await desk.case(name)).challenges

    assert [(c.ip, c.channel, c.sends) for c in challenges] == [("198.51.100.7", "sms", 1)]


def test_a_gateway_serves_it_to_several_agents(
    lab: Lab, login: Callable[..., tuple[str, PiBench]], places: Path
) -> None:
    name, _ = login("sms")
    agents = tuple(Agent(id=who, name=who.title(), role=Role.SUPPORT) for who in ("dana", "kim"))
    wanted = Wanted(desk=lab.address, store=f"sqlite:///{places}/desk.db")

    async def work(url: str) -> tuple[FactorState, list[str], list[str]]:
        with remote(url, "dana") as dana, remote(url, "kim") as kim:
            await dana.perform(TakeTicket(user=name, subject="No code"))
            factor = (await dana.case(name)).user.factors[0].id
            await dana.perform(SendCode(user=name))
            await dana.perform(SuspendFactor(user=name, factor=factor))
            seen, log = await kim.case(name), (await kim.log(Query())).rows
            acts = [row.act for row in log if row.act != "look"]
            return seen.user.factors[0].state, [t.subject for t in seen.open_tickets], acts

    with closing(desks_at(wanted, Config(agents=agents))) as desks:
        words = Words(desks.agents, lambda: datetime.now(UTC))
        with served(Gateway(desks, words).app()) as url:
            state, tickets, acts = asyncio.run(work(url))

    assert (state, tickets) == (FactorState.SUSPENDED, ["No code"])
    assert acts == ["suspend-factor", "send-code", "take-ticket"]


def test_the_doctor_says_what_holds(lab: Lab, run: Run) -> None:
    code, out, _ = run("doctor", desk=lab.address)

    assert code == 0
    assert "privacyIDEA 3.14 answers at" in out
    assert "The clocks agree" in out
    assert "end-sessions: Not possible with this provider." in out


def test_the_command_line_gives_a_case_as_json(
    lab: Lab, run: Run, login: Callable[..., tuple[str, PiBench]]
) -> None:
    name, _ = login("sms", "email")

    code, out, _ = run("case", name, "--json", desk=lab.address)

    assert code == 0
    assert json.loads(out)["user"]["id"] == name


@pytest.mark.flaky(reruns=1)  # it waits for screens, and a busy machine paints late
async def test_a_call_is_played_by_keys_from_hello_to_signed_in(
    desk: Desk, later: Desk, lab: Lab, pi_people: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guarded, "guard_s", 0.0)
    number = next(pi_people)
    person = next(one for one in PEOPLE if one.login == f"p{number:03}")
    caller = caller_of(lab, person)

    async with console(desk, size=SIZE, clock=present) as agent:
        journey = Journey(lab=lab, caller=caller, agent=agent)
        await journey.play()

    case = await later.case(caller.user)
    rows = (await later.log(Query())).rows
    done = [row.act for row in reversed(rows) if row.result is Result.DONE and row.act != "look"]
    factors = {(f.kind, f.state) for f in case.user.live_factors}
    assert (len(set(journey.codes)), journey.answers) == (2, ["ACCEPT"])
    assert done == [
        "take-ticket", "prove", "prove", "reset-factor", "prove", "prove", "enrol-totp",
        "enrol-totp",
    ]  # fmt: skip
    assert caller.old not in {f.id for f in case.user.live_factors}
    assert factors == {
        (FactorKind.SMS, FactorState.ACTIVE), (FactorKind.TOTP, FactorState.ACTIVE),
    }  # fmt: skip
    assert [e.ok for e in case.timeline if isinstance(e, Answer)] == [*[False] * REFUSED, True]
    assert [e.by for e in case.timeline if isinstance(e, Reset)] == ["agent"]


@pytest.mark.parametrize("declines", ["", "unknown_trigger"])
async def test_a_push_proves_once_it_is_confirmed_and_not_before(
    desk: Desk, later: Desk, lab: Lab, login: Callable[..., tuple[str, PiBench]], declines: str
) -> None:
    name, _ = login()
    short = name.partition(":")[2].partition("@")[0]
    made = lab.enrol(short, "push", genkey=1)
    phone = Phone(lab.url, made["pushurl"]["value"])
    lab.age(phone.serial)
    await desk.perform(TakeTicket(user=name, subject="Is it really me"))
    ticket = (await desk.case(name)).open_tickets[0].id
    await desk.ask_proof(name, Method.PUSH, channel=phone.serial, ticket=ticket)

    with pytest.raises(BadInput, match="not answered yet"):
        await desk.answer_proof(name, "")
    phone.answer(phone.asked(), declines=declines)

    if declines:
        with pytest.raises(BadInput, match="not right"):
            await desk.answer_proof(name, "")
        assert "not-me" in {getattr(e, "what", "") for e in (await later.case(name)).timeline}
    else:
        assert (await desk.answer_proof(name, "")).method is Method.PUSH
