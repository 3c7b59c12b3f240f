"""What goes wrong between the desk and Okta: a sentence each, and no act half done in silence."""

from __future__ import annotations

import time

import pytest

from helpdesk.connectors.exchange import Busy
from helpdesk.connectors.okta.connector import OktaConnector
from helpdesk.connectors.okta.signing import ApiToken
from helpdesk.domain.errors import DeskRefused, HelpdeskError, Unreachable, Unsettled
from helpdesk.domain.timeline import Other
from tests.connectors.okta.line import connector
from tests.connectors.okta.system_log import USER, log
from tests.connectors.okta.test_connector import ID, NOW, maya_of
from tests.labs.okta.server import Fault, Lab


async def test_a_wrong_token_is_told_with_oktas_code_and_request(lab: Lab) -> None:
    okta = connector(lab, ApiToken(lambda: "00aNotIt"))

    with pytest.raises(DeskRefused) as caught:
        await okta.people([ID])

    said = str(caught.value)
    assert "refused the desk's own account: its token is wrong" in said
    assert "(E0000011, request req" in said
    assert "00aNotIt" not in said
    okta.close()


async def test_a_missing_right_is_told_and_nothing_is_done(lab: Lab, okta: OktaConnector) -> None:
    user = await maya_of(okta)
    lab.strike(Fault.NO_RIGHT, "reset_factors")

    with pytest.raises(Unreachable, match="does not let this desk do that") as caught:
        await okta.reset(user, user.live_factors, NOW)

    assert "E0000006" in str(caught.value)
    assert len(lab.tenant.people[USER].factors) == 6


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


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault.FAILS, "failed with 500"),
        (Fault.WEB_PAGE, "with a web page, not data"),
        (Fault.BROKEN, "broken data"),
        (Fault.CUT, "cannot be reached"),
    ],
)
async def test_a_question_that_gets_no_good_answer_is_told_in_a_sentence(
    lab: Lab, okta: OktaConnector, fault: Fault, says: str
) -> None:
    lab.strike(fault, times=9)

    with pytest.raises(Unreachable, match=says):
        await okta.people([ID])


async def test_a_question_that_was_cut_off_is_asked_again(lab: Lab, okta: OktaConnector) -> None:
    lab.strike(Fault.CUT)

    found = await okta.people([ID])

    assert [*found] == [ID]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.CUT_AFTER, Fault.FAILS])
async def test_an_act_whose_answer_is_lost_is_sent_once_and_said_to_be_uncertain(
    lab: Lab, okta: OktaConnector, fault: Fault
) -> None:
    user = await maya_of(okta)
    lab.strike(fault, "DELETE", times=9)

    with pytest.raises(Unsettled, match="may be done or not"):
        await okta.end_sessions(user, NOW)

    assert len([line for line in lab.asked if line.startswith("DELETE")]) == 1


async def test_fields_that_nobody_knows_change_nothing(lab: Lab, okta: OktaConnector) -> None:
    lab.tenant.log = [log(5, "user.session.start")]
    plain = await maya_of(okta)
    lab.strike(Fault.UNKNOWN_FIELDS, times=99)

    user = await maya_of(okta)

    assert user == plain


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
