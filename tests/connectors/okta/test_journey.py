"""A whole desk on the small Okta: found, shown, proven by what really was sent, reset, told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpdesk.connectors.okta.connector import OktaConnector
from helpdesk.domain.actions import ResetFactor, SendCode, TakeTicket, TurnOffMfa
from helpdesk.domain.errors import BadInput, Refused
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from tests.connectors.okta.stories import STORIES
from tests.connectors.okta.system_log import USER
from tests.connectors.okta.test_connector import ID
from tests.desks import provider_desk
from tests.factories import NOW
from tests.labs.okta.server import Lab


def present() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(okta: OktaConnector, places: Path) -> Iterator[LocalDesk]:
    made = provider_desk(okta, places / "own" / "okta.json", present, places / "keys")
    yield made
    made.close()


async def test_a_caller_is_found_proven_by_code_and_push_and_a_factor_is_reset(
    lab: Lab, desk: LocalDesk, places: Path
) -> None:
    (row,) = (await desk.find(Query(words=("okafor",)))).rows
    await desk.perform(TakeTicket(user=row.id, subject="Codes do not come"))
    ticket = (await desk.case(row.id)).open_tickets[0].id
    await desk.perform(SendCode(user=row.id, factor="clf1", ticket=ticket))

    by_code = await desk.ask_proof(row.id, Method.CODE, channel="sms1", ticket=ticket)
    code = lab.tenant.outbox[-1][2]
    with pytest.raises(BadInput, match="not right"):
        await desk.answer_proof(row.id, "000000", asking=by_code.id)
    await desk.answer_proof(row.id, code, asking=by_code.id)
    by_push = await desk.ask_proof(row.id, Method.PUSH, channel="opf1", ticket=ticket)
    lab.tenant.pushes[lab.tenant.outbox[-1][2]] = {"factorResult": "SUCCESS"}
    await desk.answer_proof(row.id, "yes", asking=by_push.id)
    reset = ResetFactor(user=row.id, factor="gtf1", ticket=ticket, reason="a new telephone")
    outcome = await desk.perform(reset)

    assert by_push.words[0] == "72"
    assert "Reset" in outcome.says
    assert "gtf1" not in {f.id for f in lab.tenant.people[USER].factors}
    kept = (places / "own" / "okta.json").read_text("utf-8")
    assert code not in kept
    assert '"72"' not in kept


async def test_what_okta_cannot_do_is_refused_before_anybody_tries(
    lab: Lab, desk: LocalDesk
) -> None:
    with pytest.raises(Refused) as caught:
        await desk.perform(TurnOffMfa(user=ID, reason="asked for it"))

    decision = (await desk.case(ID)).decision("suspend-factor")
    assert caught.value.decision.why
    assert decision is not None
    assert "Okta suspends a device" in decision.why


async def test_a_verdict_rests_on_the_system_log(lab: Lab, desk: LocalDesk) -> None:
    shift = present() - NOW
    for raw in STORIES["C6"].rows:
        at = datetime.fromisoformat(raw["published"]) + shift
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lab.tenant.log.append({**raw, "published": stamp})

    verdict = await desk.why(ID)

    assert verdict.causes[0].id == "C6"
