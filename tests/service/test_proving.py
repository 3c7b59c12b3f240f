from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import (
    ChangeMobile,
    EnrolTotp,
    Flag,
    ResetAll,
    ResetFactor,
    SendCode,
    TakeTicket,
    TurnOffMfa,
)
from helpdesk.domain.agents import Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Preview
from helpdesk.domain.errors import BadInput, NeedsMore, NotFound, Refused
from helpdesk.domain.limits import LIMITED, OF_USER, reached
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.domain.users import MfaState
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.proving import needs, prove

OFF = TurnOffMfa(user="u1", reason="asked in writing", ticket="4821")


@pytest.fixture
def at(desk_as: Callable[..., LocalDesk]) -> Callable[[str], LocalDesk]:
    """Open the sample desk as somebody."""
    return desk_as


async def test_turning_off_takes_proof_and_a_colleague(at: Callable[[str], LocalDesk]) -> None:
    manager, lead = at("sam"), at("lee")

    first = await needs(manager, OFF)
    await prove(manager, "u1", Method.CODE, "4821")
    second = await needs(manager, OFF)
    waiting = await lead.approvals()
    await lead.approve(waiting[0].id, is_granted=True, says="seen the letter")
    outcome = await manager.perform(OFF)

    assert first == ["proof", "second-person"]
    assert second == ["second-person"]
    assert outcome.case.user.mfa is MfaState.OFF
    assert (await lead.log(Query(words=("turn-off-mfa",)))).rows[0].proof == waiting[0].proofs[0]
    with pytest.raises(Refused, match="off already"):
        await manager.perform(OFF)


async def test_the_second_person_sees_exactly_what_will_happen(
    at: Callable[[str], LocalDesk],
) -> None:
    manager, lead = at("sam"), at("lee")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    approval = (await lead.approvals())[0]
    await lead.approve(approval.id, is_granted=True)

    other = TurnOffMfa(user="u1", reason="another reason", ticket="4821")

    assert '"reason":"asked in writing"' in approval.payload
    assert "proof" in await needs(manager, other)


async def test_nobody_agrees_to_their_own_request(at: Callable[[str], LocalDesk]) -> None:
    manager = at("sam")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    approval = (await manager.approvals())[0]

    with pytest.raises(Refused, match="your own request"):
        await manager.approve(approval.id, is_granted=True)

    assert "second-person" in await needs(manager, OFF)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("tess", "second person is never"),
        ("ari", "reads and changes nothing"),
        ("pia", "There is no request"),
    ],
)
async def test_trainers_auditors_and_customers_are_no_second_person(
    at: Callable[[str], LocalDesk], who: str, says: str
) -> None:
    manager = at("sam")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    approval = (await manager.approvals())[0]

    with pytest.raises((Refused, NotFound), match=says):
        await at(who).approve(approval.id, is_granted=True)


async def test_an_administrator_reaches_nobody_of_another_account(
    at: Callable[[str], LocalDesk],
) -> None:
    desk = at("pia")

    with pytest.raises(Refused, match="another account"):
        await desk.ask_proof("u1", Method.CODE, ticket="4821")
    with pytest.raises(NotFound):
        await desk.phone("u1")
    weighed = await desk.weigh(OFF)
    assert weighed.decision.is_refused
    assert weighed.preview == Preview()


async def test_an_approval_waits_an_hour_and_holds_a_quarter(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    manager, lead = at("sam"), at("lee")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    approval = (await lead.approvals())[0]
    clock.go_on(minutes=50)
    await lead.approve(approval.id, is_granted=True)
    clock.go_on(minutes=16)

    late = await needs(manager, OFF)
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    clock.go_on(minutes=61)

    assert late == ["proof", "second-person"]
    with pytest.raises(Refused, match="waited for more than an hour"):
        await lead.approve((await lead.approvals())[0].id, is_granted=True)


async def test_a_reset_of_everything_takes_two_channels(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")
    reset = ResetAll(user="u2", reason="phone lost", ticket="4822")

    await prove(desk, "u2", Method.CODE, "4822")
    once = await needs(desk, reset)
    await prove(desk, "u2", Method.CALL_BACK, "4822")
    same_number = await needs(desk, reset)
    await prove(desk, "u2", Method.IN_PERSON, "4822")
    alone = await needs(desk, reset)

    assert once == same_number == ["proof"], "SMS and call back go to one number"
    assert alone == ["second-person"], "one agent alone has seen the caller"


async def test_the_factor_that_goes_proves_nothing(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")
    await prove(desk, "u2", Method.CODE, "4822", channel="u2-f1")

    wish = ResetFactor(user="u2", factor="u2-f1", reason="new phone", ticket="4822")
    other = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")

    assert await needs(desk, wish) == ["proof"]
    assert (await desk.perform(other)).says.startswith("Reset")


async def test_a_proof_is_used_once(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")
    await prove(desk, "u1", Method.CODE, "4821")
    move = ChangeMobile(user="u1", mobile="+447700900177", reason="new SIM", ticket="4821")

    over_the_number = await needs(desk, move)
    await prove(desk, "u1", Method.IN_PERSON, "4821")
    with_a_colleague = await needs(desk, move)

    assert over_the_number == ["proof"], "never over the very number that is changed"
    assert with_a_colleague == ["second-person"]


async def test_a_number_changed_an_hour_ago_proves_nothing(
    at: Callable[[str], LocalDesk], desk_as: Callable[..., LocalDesk], clock: Clock
) -> None:
    free = desk_as("dana", is_gated=False)
    await free.perform(ChangeMobile(user="u1", mobile="+447700900177", reason="r", ticket="4821"))
    clock.go_on(hours=1)

    ways = {way.method: way.not_for for way in await at("sam").ways("u1")}

    assert "72 hours" in ways[Method.CODE]
    assert "72 hours" in ways[Method.CALL_BACK]
    assert ways[Method.IN_PERSON] == ""
    with pytest.raises(Refused, match="proves nothing"):
        await at("sam").ask_proof("u1", Method.CODE, ticket="4821")


async def test_a_proof_is_the_agents_and_the_tickets_own(at: Callable[[str], LocalDesk]) -> None:
    await prove(at("dana"), "u1", Method.CODE, "4821")

    assert "proof" in await needs(at("sam"), OFF)


async def test_a_proof_lasts_ten_minutes(at: Callable[[str], LocalDesk], clock: Clock) -> None:
    desk = at("sam")
    await prove(desk, "u1", Method.CODE, "4821")

    clock.go_on(minutes=10)

    assert await needs(desk, OFF) == ["proof", "second-person"]


async def test_three_wrong_answers_end_it(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")
    await desk.ask_proof("u1", Method.CODE, ticket="4821")
    right = (await desk.phone("u1"))[0].secret
    wrong = str((int(right) + 1) % 10**6).zfill(6)

    for _ in range(3):
        with pytest.raises(BadInput, match="not right"):
            await desk.answer_proof("u1", wrong)

    with pytest.raises(NotFound, match="ask first"):
        await desk.answer_proof("u1", right)
    rows = (await desk.log(Query())).rows
    assert [row.result for row in rows if row.act == "prove"][:4] == [Result.REFUSED] * 4


async def test_an_authenticators_number_proves_once(
    at: Callable[[str], LocalDesk], sample_file: Path, clock: Clock
) -> None:
    key = pyotp.random_base32()
    text = sample_file.read_text("utf-8")
    secret = (
        f'"secrets": {{"1": {{"user": "u2", "factor": "u2-f2", "totp": "{key}", "note": "x"}}}}'
    )
    sample_file.write_text(text.replace('"secrets": {}', secret), "utf-8")
    desk = at("dana")
    await desk.ask_proof("u2", Method.TOTP, ticket="4822")
    number = pyotp.TOTP(key).at(clock.now)

    proof = await desk.answer_proof("u2", number)
    await desk.ask_proof("u2", Method.TOTP, ticket="4822")

    assert proof.method is Method.TOTP
    with pytest.raises(BadInput):
        await desk.answer_proof("u2", number)


async def test_no_code_is_in_the_file_or_in_the_log(
    at: Callable[[str], LocalDesk], sample_file: Path
) -> None:
    desk = at("dana")
    await desk.ask_proof("u1", Method.CODE, ticket="4821")
    code = (await desk.phone("u1"))[0].secret

    await desk.answer_proof("u1", code)

    written = "".join(p.read_text("utf-8") for p in sample_file.parent.glob("sample.json*"))
    assert f'"{code}"' not in written
    assert code not in "".join(row.says for row in (await desk.log(Query())).rows)


async def test_both_sides_read_one_word_of_a_pair(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")

    asking = await desk.ask_proof("u1", Method.CODE, ticket="4821")

    said = (await desk.phone("u1"))[0].says
    assert all(asking.words)
    assert all(word in said for word in asking.words)


async def test_an_agent_proves_neither_themselves_nor_without_a_ticket(
    at: Callable[[str], LocalDesk],
) -> None:
    with pytest.raises(Refused, match="own user"):
        await at("dana").ask_proof("u3", Method.CODE, ticket="1")
    with pytest.raises(NeedsMore, match="4821"):
        await at("dana").ask_proof("u1", Method.CODE)
    with pytest.raises(Refused, match="reads and changes nothing"):
        await at("ari").ask_proof("u1", Method.CODE, ticket="4821")


async def test_an_administrator_vouches_over_their_own_device(
    at: Callable[[str], LocalDesk],
) -> None:
    desk = at("pia")
    await prove(desk, "u4", Method.ADMINISTRATOR, "4823")

    wish = ResetFactor(user="u4", factor="u4-f1", reason="phone lost", ticket="4823")

    assert (await desk.perform(wish)).says.startswith("Reset")


async def test_a_reset_of_an_administrator_takes_a_second_person(
    at: Callable[[str], LocalDesk],
) -> None:
    desk = at("product-administrator")
    await at("lee").perform(TakeTicket(user="u5", subject="lost my phone"))
    ticket = (await desk.case("u5")).open_tickets[0].id
    await prove(desk, "u5", Method.IN_PERSON, ticket)

    wish = ResetFactor(user="u5", factor="u5-f1", reason="phone lost", ticket=ticket)

    assert await needs(desk, wish) == ["second-person"]


async def test_a_flagged_user_takes_a_second_person(at: Callable[[str], LocalDesk]) -> None:
    desk = at("dana")
    await desk.perform(Flag(user="u2", reason="did not know the mailbox"))
    await prove(desk, "u2", Method.CODE, "4822", channel="u2-f1")

    wish = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")

    assert await needs(desk, wish) == ["second-person"]


async def test_an_enrolment_counts_once_toward_the_limits_and_is_always_finished(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await prove(desk, "u2", Method.CODE, "4822", channel="u2-f1")
    wish = EnrolTotp(user="u2", reason="new phone", ticket="4822")
    begun = await desk.perform(wish)
    assert begun.handover is not None
    code = pyotp.parse_uri(begun.handover.uri)
    assert isinstance(code, pyotp.TOTP)
    others = tuple(
        LogRow(seq=n, at=clock.now, agent="dana", role=Role.SUPPORT, act="reset-all", user=f"x{n}",
               result=Result.DONE)
        for n in range(4)
    )  # fmt: skip

    await desk.perform(replace(wish, code=code.at(clock.now)))

    rows = tuple(reversed((await desk.log(Query())).rows))
    both = [row.proof for row in rows if row.act == "enrol-totp"]
    assert len(both) == 2
    assert len(set(both)) == 1
    assert reached("temporary-pass", "dana", "u7", (*rows, *others[:3]), clock.now) == ()
    assert reached("temporary-pass", "dana", "u7", (*rows, *others), clock.now) != ()


def test_what_bears_on_its_user_alone_counts_for_nobody_else(clock: Clock) -> None:
    others = [
        LogRow(seq=n, at=clock.now, agent="dana", role=Role.SUPPORT, act=act, user=f"x{n}",
               result=Result.DONE)
        for act in OF_USER for n in range(100)
    ]  # fmt: skip

    held_up = [act for act in LIMITED if reached(act, "dana", "u7", others, clock.now)]

    assert "send-code" in OF_USER
    assert held_up == []


async def test_codes_are_limited_to_one_a_minute_and_three_a_quarter(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    desk = at("dana")
    await desk.perform(SendCode(user="u1"))

    at_once = await needs(desk, SendCode(user="u1"))
    for _ in range(2):
        clock.go_on(seconds=61)
        await desk.perform(SendCode(user="u1"))
    clock.go_on(seconds=61)
    fourth = await needs(desk, SendCode(user="u1"))
    clock.go_on(minutes=15)
    later = await desk.perform(SendCode(user="u1"))

    assert at_once == ["limit"]
    assert fourth == ["limit"]
    assert later.case.codes.live is not None


async def test_two_agents_do_not_agree_to_each_other_on_one_day(
    at: Callable[[str], LocalDesk],
) -> None:
    manager, lead = at("sam"), at("lee")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, OFF)
    await lead.approve((await lead.approvals())[0].id, is_granted=True)
    await prove(lead, "u2", Method.IN_PERSON, "4822")
    wish = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")
    await needs(lead, wish)

    with pytest.raises(Refused, match="another colleague"):
        await manager.approve((await manager.approvals())[0].id, is_granted=True)


async def test_the_case_carries_the_proofs_of_this_agent_and_those_a_request_rests_on(
    at: Callable[[str], LocalDesk], clock: Clock
) -> None:
    manager, lead, dana = at("sam"), at("lee"), at("dana")
    await prove(manager, "u1", Method.CODE, "4821")

    mine, not_mine = (await manager.case("u1")).proofs, (await dana.case("u1")).proofs
    await needs(manager, OFF)
    for_the_second_person = (await lead.case("u1")).proofs
    clock.go_on(hours=2)
    later = (await lead.case("u1")).proofs

    assert [proof.method for proof in mine] == [Method.CODE]
    assert not_mine == ()
    assert [proof.used_for for proof in for_the_second_person] == ["turn-off-mfa"]
    assert later == ()
