"""A gateway on a provider: people there, our own record in a database, several agents at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpdesk import providing
from helpdesk.config import Config
from helpdesk.domain.actions import Flag, ResetFactor, TakeTicket
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import BadInput
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState
from helpdesk.gateway.server import Gateway
from helpdesk.hosting import SqlDesks, Wanted, desks_at
from helpdesk.providing import Given
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock
from tests.connectors.elsewhere import Elsewhere
from tests.gateway.serving import Words, remote, served

NORTH = "northern+https://desk@mfa.example"
AGENTS = (
    Agent(id="dana", name="Dana Whitfield", role=Role.SUPPORT),
    Agent(id="lee", name="Lee Sun", role=Role.LEAD),
)


@pytest.fixture
def wanted(
    places: Path, sample_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Wanted]:
    """What is asked of a gateway whose people are at a provider of another kind."""

    def make(given: Given) -> Elsewhere:
        return Elsewhere(TinyFile(sample_file, clock), name=given.name)

    monkeypatch.setitem(providing.KINDS, "northern", make)
    return lambda desk=NORTH: Wanted(desk=desk, store=f"sqlite:///{places}/desk.db")


@pytest.fixture
def desks(wanted: Callable[..., Wanted]) -> Iterator[SqlDesks]:
    with closing(desks_at(wanted(), Config(agents=AGENTS, prove_callers=False))) as opened:
        yield opened


def test_agents_over_http_share_one_record_of_people_kept_elsewhere(desks: SqlDesks) -> None:
    words = Words(desks.agents, lambda: datetime.now(UTC))

    async def work(url: str) -> tuple[object, ...]:
        with remote(url, "dana") as dana, remote(url, "lee") as lee:
            found = (await dana.find(Query(words=("ada",)))).rows
            user, factor = found[0].id, "u2-f2"
            await dana.perform(TakeTicket(user=user, subject="Lost a telephone"))
            ticket = (await dana.case(user)).open_tickets[0].id
            wish = ResetFactor(user=user, factor=factor, reason="lost", ticket=ticket)
            await dana.perform(wish)
            await lee.perform(Flag(user=user, reason="codes nobody asked for"))
            seen = await lee.case(user)
            log = (await lee.log(Query())).rows
            states = {f.id: f.state for f in seen.user.factors}
            return (user, [t.subject for t in seen.open_tickets], states[factor],
                    [row.act for row in log if row.act != "look"])  # fmt: skip

    with served(Gateway(desks, words).app()) as url:
        user, tickets, state, acts = asyncio.run(work(url))

    assert (user, tickets) == ("u2", ["Lost a telephone"])
    assert state is FactorState.REMOVED
    assert acts == ["flag", "reset-factor", "take-ticket"]


def test_the_record_is_there_again_and_nobody_is_copied_into_it(
    desks: SqlDesks, wanted: Callable[..., Wanted], places: Path
) -> None:
    async def open_ticket(desk: SqlDesks) -> None:
        dana = desk.desk(AGENTS[0])
        await dana.perform(TakeTicket(user="u1", subject="Called"))

    asyncio.run(open_ticket(desks))
    desks.close()

    with closing(desks_at(wanted(), Config(agents=AGENTS[:1]))) as again:
        rows = asyncio.run(again.desk(AGENTS[0]).tickets(Query())).rows

        assert [row.ticket.user for row in rows] == ["u1"]
        assert [agent.id for agent in again.agents] == ["dana"]
        assert b"mayank@" not in (places / "desk.db").read_bytes()


@pytest.mark.parametrize(
    ("desk", "says"),
    [
        ("", "is the record of northern-mfa.example: serve it with --desk"),
        ("northern+https://other.example", "is the record of northern-mfa.example, not of"),
        ("fixtures/demo.json", "serve --desk takes a provider or connectors, not fixtures"),
        ("https://desk.example", "a desk over HTTP is served already"),
    ],
)
def test_a_store_of_one_desk_is_not_anothers(
    desks: SqlDesks, wanted: Callable[..., Wanted], desk: str, says: str
) -> None:
    desks.close()

    with pytest.raises(BadInput, match=says):
        desks_at(wanted(desk), Config(agents=AGENTS))


def test_a_store_with_people_of_its_own_is_no_record_of_a_providers(
    wanted: Callable[..., Wanted], sample_file: Path
) -> None:
    plain = Wanted(store=wanted().store, imported=sample_file)
    desks_at(plain, Config()).close()

    with pytest.raises(BadInput, match="This store has people of its own"):
        desks_at(wanted(), Config(agents=AGENTS))
