"""What goes wrong between the desk and Okta: a sentence each, and no act half done in silence."""

from __future__ import annotations

import time

import pytest

from helpdesk.connectors.exchange import Busy
from helpdesk.connectors.okta.connector import OktaConnector
from helpdesk.connectors.okta.signing import ApiToken
from helpdesk.domain.errors import DeskRefused, HelpdeskError
from helpdesk.domain.timeline import Other
from tests.connectors.okta.line import connector
from tests.connectors.okta.system_log import USER
from tests.connectors.okta.test_connector import ID, maya_of
from tests.labs.okta.server import Lab
from tests.labs.troubles import Fault


async def test_a_wrong_token_is_told_with_oktas_code_and_request(lab: Lab) -> None:
    okta = connector(lab, ApiToken(lambda: "00aNotIt"))

    with pytest.raises(DeskRefused) as caught:
        await okta.people([ID])

    said = str(caught.value)
    assert "refused the desk's own account: its token is wrong" in said
    assert "(E0000011, request req" in said
    assert "00aNotIt" not in said
    okta.close()


async def test_the_organisations_limit_is_told_with_the_wait_of_its_own_header(
    lab: Lab, okta: OktaConnector
) -> None:
    lab.strike(Fault.ORG_LIMIT, times=9)
    started = time.time()

    with pytest.raises(Busy, match="asked too often") as caught:
        await okta.people([ID])

    assert caught.value.wait_s is not None
    assert 50 < caught.value.wait_s <= 61
    assert time.time() - started < 30


async def test_a_limit_on_questions_at_once_is_over_in_a_moment(lab: Lab) -> None:
    okta = connector(lab, patience_s=1.0)
    lab.strike(Fault.CONCURRENT_LIMIT)

    found = await okta.people([ID])

    assert [*found] == [ID]
    okta.close()


async def test_a_question_that_was_cut_off_is_asked_again(lab: Lab, okta: OktaConnector) -> None:
    lab.strike(Fault.CUT)

    found = await okta.people([ID])

    assert [*found] == [ID]


async def test_null_in_every_field_is_no_error(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.tell("user.session.start", USER, actor=USER)
    lab.tenant.tell("user.lifecycle.sideways", USER, actor=USER)
    lab.strike(Fault.NULLS, times=99)

    user = await maya_of(okta)
    events = await okta.timeline(ID)
    found = await okta.find(["may"], limit=5)

    assert (user.login, user.factors) == (USER, ())
    assert len(events) == 2
    assert {type(event) for event in events} == {Other}
    assert len(found.users) == 1


async def test_no_error_shows_the_token(lab: Lab) -> None:
    secret = "00aVerySecret"
    okta = connector(lab, ApiToken(lambda: secret))
    said = []
    for fault in Fault:
        lab.troubles.clear()
        lab.strike(fault, times=9)
        try:
            await okta.people([ID])
        except HelpdeskError as error:
            said.append(f"{error!r} {error.__cause__!r}")

    assert len(said) > 5
    assert secret not in " ".join(said)
    okta.close()
