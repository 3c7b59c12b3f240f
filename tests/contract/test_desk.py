"""What every desk keeps, wherever its truth lies."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    ChangeMobile,
    CloseTicket,
    EnrolTotp,
    Flag,
    Note,
    ResetAll,
    ResetFactor,
    Reveal,
    SendCode,
    TakeTicket,
    TemporaryPass,
    TurnOffMfa,
    Unlock,
)
from helpdesk.domain.audit import LOOK, Result
from helpdesk.domain.diagnosis.drift import DriftState
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.errors import (
    BadInput,
    CursorTooOld,
    KeyExpired,
    KeyTaken,
    NeedsMore,
    NotFound,
    Refused,
    StillRunning,
)
from helpdesk.domain.feed import Change, Kind
from helpdesk.domain.holds import Ending
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query, Sort, parse
from helpdesk.domain.users import FactorState, MfaState
from helpdesk.service.desk import Desk
from helpdesk.service.inspecting import inspected
from tests.conftest import NOW, Clock
from tests.contract.conftest import Open
from tests.factories import everything
from tests.waiting import PATIENCE_S

KEY, OTHER = "k-0123456789abcdef", "k-fedcba9876543210"
OFF = TurnOffMfa(user="u1", reason="asked in writing", ticket="4821")
RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")
PASS = TemporaryPass(user="u2", reason="phone lost", ticket="4822")


def query(desk: Desk, text: str) -> Query:
    return parse(text, [(card.id, card.name) for card in desk.cards.values()])


async def prove(desk: Desk, user: str, method: Method, ticket: str, channel: str = "") -> None:
    """Ask a caller and answer rightly, with what the demo telephone shows."""
    await desk.ask_proof(user, method, channel=channel, ticket=ticket)
    shown = await desk.phone(user)
    await desk.answer_proof(user, shown[-1].secret)


async def needs(desk: Desk, action: AnyAction) -> list[str]:
    """What a wish still lacks."""
    with pytest.raises(NeedsMore) as caught:
        await desk.perform(action)
    return [need.what for need in caught.value.decision.needs]


async def acts(desk: Desk) -> list[tuple[str, str, Result]]:
    """What was done, newest first."""
    return [(row.agent, row.act, row.result) for row in (await desk.log(Query())).rows]


async def test_its_header_says_whose_and_what_it_is(dana: Desk) -> None:
    assert (dana.label, dana.is_demo, dana.agent.name) == ("SAMPLE", True, "Dana Reyes")
    assert len(dana.cards) == 5
    assert dana.alarm == ""
    assert dana.freshness.is_live


async def test_a_case_is_whole_and_masked(dana: Desk) -> None:
    case = await dana.case("u1")

    assert case.is_masked
    assert (case.user.login, case.user.mobile) == ("m•••@rao.example", "•••• 23")
    assert [decision.act for decision in case.decisions] == list(ACTIONS)
    assert case.timeline[0].at == NOW - timedelta(minutes=1)
    assert case.manager is not None
    assert case.tickets[0].id == "4821"
    assert [line.to for line in case.challenges] == ["•••• 23"]


async def test_what_nobody_here_knows_of_an_event_is_hidden(dana: Desk) -> None:
    event: Any = (await dana.case("u1")).timeline[0]

    assert event.extra == {"x-raw": "•••"}


async def test_the_original_of_an_event_is_masked_and_has_no_secret(dana: Desk) -> None:
    told = await dana.original("u1", "e1")

    assert told.row == {
        "uuid": "n-17",
        "by": "m•••@rao.example",
        "passcode": "(a secret, left out)",
        "reason": "NEW_IP",
    }
    assert (told.name, told.kind, told.is_masked) == ("n-17", "challenge", True)


async def test_the_original_is_clear_for_who_revealed_the_case_a_little_while_ago(
    dana: Desk, open_as: Open, clock: Clock
) -> None:
    with pytest.raises(NeedsMore, match="Reveal the case first"):
        await dana.original("u1", "e1", is_clear=True)
    outcome = await dana.perform(Reveal(user="u1", reason="reads it back"))

    told = await dana.original("u1", "e1", is_clear=True)

    assert told.row["by"] == "maya.rao@rao.example"
    assert told.row["passcode"] == "(a secret, left out)"
    event: Any = outcome.case.timeline[0]
    assert event.extra == {"x-raw": {"kept": True}}, "the case itself never carries it"
    with pytest.raises(NeedsMore, match="Reveal the case first"):
        await open_as("lee").original("u1", "e1", is_clear=True)
    clock.go_on(minutes=16)
    with pytest.raises(NeedsMore, match="Reveal the case first"):
        await dana.original("u1", "e1", is_clear=True)


async def test_an_event_that_no_provider_told_has_no_other_form(dana: Desk) -> None:
    told = await dana.original("u1", "e2")

    assert (told.row, told.says) == (
        {},
        "This event has no other form: it was not told by a provider.",
    )


async def test_the_original_of_an_event_that_is_not_there_is_said_so(dana: Desk) -> None:
    with pytest.raises(NotFound, match="The timeline of user u1 has no event e99"):
        await dana.original("u1", "e99")
    with pytest.raises(NotFound, match="There is no user"):
        await dana.original("nobody", "e1")


async def test_whoever_administers_one_account_sees_no_original_of_another(open_as: Open) -> None:
    with pytest.raises(NotFound, match="User u1 is not of the account you administer"):
        await open_as("pia").original("u1", "e1")


async def test_a_case_is_found_by_login_too(dana: Desk) -> None:
    by_login = await dana.case("ADA@lakes.example")
    by_id = await dana.case("u2")

    assert by_login.user == by_id.user


@pytest.mark.parametrize("name", ["nobody", "no/body", "u1/../u2", "ü@\x1b[2J", " ", "x" * 300])
async def test_nobody_of_that_name_is_said_so(dana: Desk, name: str) -> None:
    with pytest.raises(NotFound, match="There is no user"):
        await dana.case(name)


async def test_everybody_is_found_in_windows(dana: Desk) -> None:
    whole = await dana.find(Query(sort=Sort.NAME))
    first = await dana.find(Query(sort=Sort.NAME), limit=4)
    rest = await dana.find(Query(sort=Sort.NAME), offset=4, limit=100)
    beyond = await dana.find(Query(), offset=100)
    none = await dana.find(Query(), limit=0)

    assert whole.total == first.total == rest.total == beyond.total == none.total == 9
    assert first.rows + rest.rows == whole.rows
    assert rest.offset == 4
    assert beyond.rows == none.rows == ()
    assert whole.rows[0].name == "Ada O'Brien"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("odegard", ["u7"]),
        ("4822", ["u2"]),
        ("+44 7700 900126", ["u4"]),
        ("product:partner", ["u6"]),
        ("state:locked", ["u4"]),
        ("loop:yes sort:name", ["u1", "u6"]),
        ("nobody at all", []),
    ],
)
async def test_users_are_found_by_words_and_filters(
    dana: Desk, text: str, found: list[str]
) -> None:
    page = await dana.find(query(dana, text))

    assert sorted(row.id for row in page.rows) == found


async def test_a_login_is_masked_in_a_list(dana: Desk) -> None:
    page = await dana.find(query(dana, "brien"))

    assert page.rows[0].login == "a•••@lakes.example"


async def test_the_queue_is_the_agents_own(open_as: Open) -> None:
    dana = await open_as("dana").queue()
    sam = await open_as("sam").queue()

    assert {row.id for row in dana.rows} == {"u1", "u2", "u6", "u7", "u8"}
    assert {row.id for row in sam.rows} == {"u1"}


async def test_lists_of_challenges_loops_and_tickets(dana: Desk) -> None:
    challenges = await dana.challenges(Query())
    loops = await dana.loops(Query())
    tickets = await dana.tickets(Query(), limit=2)
    mine = await dana.tickets(query(dana, "4824"))

    assert {row.line.user for row in challenges.rows} == {"u1", "u6"}
    assert [row.report.id for row in loops.rows] == ["l1", "l2"]
    assert loops.rows[0].cause is not None
    assert (tickets.total, len(tickets.rows)) == (6, 2)
    assert [row.ticket.id for row in mine.rows] == ["4824"]


async def test_an_administrator_sees_their_own_account_only(open_as: Open) -> None:
    pia = open_as("pia")
    page = await pia.find(Query())

    assert {row.id for row in page.rows} == {"u4", "u5"}
    with pytest.raises(NotFound, match="not of the account"):
        await pia.case("u1")
    with pytest.raises(Refused):
        await pia.perform(Note(user="u1", text="hello"))


async def test_a_verdict_has_evidence_and_takes_what_the_caller_said(dana: Desk) -> None:
    bare = await dana.why("u6")
    again = await dana.why("u6", [CallerSaid(ask=bare.causes[0].id, reply="yes")])

    assert bare.top is not None
    assert bare.top.evidence
    assert again.top is not None


async def test_what_many_share_is_told(dana: Desk) -> None:
    found = await dana.fleet()

    assert found == await dana.fleet()


async def test_an_act_is_weighed_before_it_is_done(free: Desk) -> None:
    allowed = await free.weigh(RESET)
    lacking = await free.weigh(ResetFactor(user="u2", factor="u2-f2"))
    refused = await free.weigh(OFF)

    assert allowed.decision.is_allowed
    assert allowed.preview.goes
    assert [need.what for need in lacking.decision.needs] == ["reason", "ticket"]
    assert refused.decision.is_refused
    assert await acts(free) == []


async def test_an_act_is_carried_out_recorded_and_told(free: Desk) -> None:
    outcome = await free.perform(RESET)
    tray = await free.tray("u2")

    assert outcome.case.user.factors[1].state is FactorState.REMOVED
    assert outcome.case.log[0].act == "reset-factor"
    assert outcome.handover is None
    assert await acts(free) == [("dana", "reset-factor", Result.DONE)]
    assert tray.total == len(tray.rows) >= 1
    assert all("@lakes.example" not in row.to or "•" in row.to for row in tray.rows)


async def test_a_refusal_says_why_and_is_recorded(dana: Desk) -> None:
    with pytest.raises(Refused) as caught:
        await dana.perform(OFF)

    decision = caught.value.decision
    assert decision.why
    assert decision.rules
    assert str(caught.value).startswith(decision.why)
    assert await acts(dana) == [("dana", "turn-off-mfa", Result.REFUSED)]


async def test_what_is_missing_is_asked_for_one_by_one(free: Desk) -> None:
    with pytest.raises(NeedsMore) as caught:
        await free.perform(ResetFactor(user="u2"))

    needs = {need.what: need for need in caught.value.decision.needs}
    assert list(needs) == ["factor", "reason", "ticket"]
    assert needs["factor"].choices == ("u2-f1", "u2-f2")
    assert await acts(free) == [("dana", "reset-factor", Result.NEEDS)]


async def test_an_act_on_nobody_is_not_found(dana: Desk) -> None:
    with pytest.raises(NotFound, match="no user u77"):
        await dana.perform(Flag(user="u77", reason="odd"))
    with pytest.raises(NotFound, match="no factor"):
        await dana.perform(SendCode(user="u2", factor="u2-f9"))


async def test_an_auditor_changes_nothing(open_as: Open) -> None:
    ari = open_as("ari")
    with pytest.raises(Refused, match="reads and changes nothing"):
        await ari.perform(Unlock(user="u4"))

    assert (await ari.case("u4")).user.factors[0].state is FactorState.LOCKED


async def test_nobody_acts_on_themselves(dana: Desk) -> None:
    with pytest.raises(Refused):
        await dana.perform(SendCode(user="u3"))


async def test_a_pass_is_handed_over_once(free: Desk) -> None:
    outcome = await free.perform(PASS)

    assert outcome.handover is not None
    assert outcome.handover.secret not in outcome.says
    assert outcome.handover.until == NOW + timedelta(hours=1)
    assert (await free.case("u2")).user.passes == ()


async def test_what_is_masked_is_revealed_on_record(dana: Desk) -> None:
    outcome = await dana.perform(Reveal(user="u2", reason="to compare the number"))
    after = await dana.case("u2")

    assert outcome.case.user.login == "ada@lakes.example"
    assert not outcome.case.is_masked
    assert after.is_masked
    assert await acts(dana) == [("dana", "reveal", Result.DONE)]


async def test_an_authenticator_is_enrolled_and_its_clock_measured(free: Desk) -> None:
    begun = await free.perform(EnrolTotp(user="u2", reason="new phone", ticket="4822"))
    assert begun.handover is not None
    totp = pyotp.parse_uri(begun.handover.uri)
    assert isinstance(totp, pyotp.TOTP)
    enrol = {"user": "u2", "reason": "new phone", "ticket": "4822"}
    right = totp.at(NOW)
    wrong = str((int(right) + 1) % 10**6).zfill(6)

    with pytest.raises(BadInput, match="does not fit"):
        await free.perform(EnrolTotp(code=wrong, **enrol))
    await free.perform(EnrolTotp(code=right, **enrol))
    reading = await free.drift("u2", "u2-f3", [right])

    for _ in range(4):
        await free.drift("u2", "u2-f3", [right])
    with pytest.raises(NeedsMore, match="tries in a quarter") as caught:
        await free.drift("u2", "u2-f3", [right])

    assert reading.state is DriftState.RIGHT
    assert [need.what for need in caught.value.decision.needs] == ["wait"]
    assert caught.value.decision.needs[0].seconds == 900
    assert [act for _, act, _ in await acts(free)] == [*["drift"] * 6, *["enrol-totp"] * 3]


@pytest.mark.parametrize("codes", [[], ["12"], ["12345x"]])
async def test_a_code_that_is_none_uses_up_no_try(dana: Desk, codes: list[str]) -> None:
    with pytest.raises(BadInput):
        await dana.drift("u2", "", codes)

    assert await acts(dana) == []


async def test_no_clock_is_measured_where_there_is_none(dana: Desk) -> None:
    with pytest.raises(Refused, match="no active authenticator"):
        await dana.drift("u1", "", ["123456"])


async def test_ways_of_proving_say_what_rules_itself_out(dana: Desk) -> None:
    ways = await dana.ways("u2", "change-mobile")
    plain = await dana.ways("u2")
    factor = await dana.ways("u2", "reset-factor", factor="u2-f1")

    assert {way.method for way in plain} >= {Method.CODE, Method.IN_PERSON, Method.CALL_BACK}
    assert any("being changed" in way.not_for for way in ways if way.channel == "mobile")
    assert any("being changed" in way.not_for for way in factor if way.channel == "u2-f1")
    assert not any(way.not_for for way in plain)


async def test_a_caller_is_proven_by_a_code_read_back(open_as: Open) -> None:
    dana = open_as("dana")
    asking = await dana.ask_proof("u2", Method.CODE, channel="u2-f1", ticket="4822")
    with pytest.raises(BadInput, match="not right"):
        await dana.answer_proof("u2", "000000", asking=asking.id)
    shown = await dana.phone("u2")
    proof = await dana.answer_proof("u2", shown[-1].secret, asking=asking.id)

    assert (asking.method, asking.channel, asking.at) == (Method.CODE, "u2-f1", NOW)
    assert proof.id == asking.id
    assert [one.id for one in (await dana.case("u2")).proofs] == [proof.id]
    assert [result for _, _, result in await acts(dana)] == [
        Result.DONE,
        Result.REFUSED,
        Result.DONE,
    ]


async def test_asking_over_no_such_channel_or_without_a_ticket(dana: Desk) -> None:
    with pytest.raises(BadInput, match="There is no way"):
        await dana.ask_proof("u2", Method.PUSH, ticket="4822")
    with pytest.raises(NeedsMore, match=r"(?i)ticket"):
        await dana.ask_proof("u2", Method.CODE, channel="u2-f1")
    with pytest.raises(NotFound, match="Nothing is waiting"):
        await dana.answer_proof("u2", "123456")


async def test_a_dangerous_act_takes_proof_and_a_second_person(open_as: Open) -> None:
    sam, lee = open_as("sam"), open_as("lee")

    first = await needs(sam, OFF)
    await prove(sam, "u1", Method.CODE, "4821")
    second = await needs(sam, OFF)
    waiting = (await lee.approvals())[0]
    granted = await lee.approve(waiting.id, is_granted=True, says="seen the letter")
    outcome = await sam.perform(OFF)

    assert (first, second) == (["proof", "second-person"], ["second-person"])
    assert (waiting.requester, waiting.act) == ("sam", "turn-off-mfa")
    assert (granted.approver, granted.is_granted, granted.says) == ("lee", True, "seen the letter")
    assert outcome.case.user.mfa is MfaState.OFF


async def test_nobody_agrees_to_their_own_request_or_to_none(open_as: Open) -> None:
    sam = open_as("sam")
    await prove(sam, "u1", Method.CODE, "4821")
    await needs(sam, OFF)
    request = (await sam.approvals())[0]

    with pytest.raises(Refused, match="your own request"):
        await sam.approve(request.id, is_granted=True)
    with pytest.raises(NotFound, match="no request a000000"):
        await sam.approve("a000000", is_granted=True)
    assert (await sam.approvals())[0].decided_at is None


async def test_a_request_that_is_refused_stays_refused(open_as: Open) -> None:
    sam, lee = open_as("sam"), open_as("lee")
    await prove(sam, "u1", Method.CODE, "4821")
    await needs(sam, OFF)
    request = (await lee.approvals())[0]
    refused = await lee.approve(request.id, is_granted=False, says="the letter is not signed")

    assert not refused.is_granted
    with pytest.raises(Refused, match="answered already"):
        await lee.approve(request.id, is_granted=True)
    assert "proof" in await needs(sam, OFF)


async def test_a_reset_waits_and_can_be_undone(open_as: Open, clock: Clock) -> None:
    dana, lee = (
        open_as("dana", hold_minutes=10, is_gated=False),
        open_as("lee", hold_minutes=10, is_gated=False),
    )
    held = await dana.perform(RESET)
    waiting = await lee.holds()
    undone = await lee.undo(waiting[0].id)
    clock.go_on(minutes=11)

    assert "undone" in held.says
    assert waiting[0].due_at == NOW + timedelta(minutes=10)
    assert undone.ending is Ending.UNDONE
    assert await dana.carry_out_due() == 0
    assert (await dana.case("u2")).user.factors[1].state is FactorState.ACTIVE
    with pytest.raises(NotFound, match="done already"):
        await lee.undo(waiting[0].id)


async def test_what_waited_long_enough_is_carried_out(open_as: Open, clock: Clock) -> None:
    dana = open_as("dana", hold_minutes=10, is_gated=False)
    await dana.perform(RESET)
    clock.go_on(minutes=10)

    assert await dana.carry_out_due() == 1
    assert await dana.holds() == ()
    assert (await dana.case("u2")).user.factors[1].state is FactorState.REMOVED


async def test_the_telephone_of_a_demo_shows_what_was_asked(dana: Desk) -> None:
    before = await dana.phone("u2")
    await dana.ask_proof("u2", Method.CODE, channel="u2-f1", ticket="4822")
    shown = await dana.phone("u2")

    assert before == ()
    assert [len(one.secret) for one in shown] == [6]


async def test_tickets_are_taken_and_closed(dana: Desk) -> None:
    taken = await dana.perform(TakeTicket(user="u2", ticket="4822"))
    closed = await dana.perform(CloseTicket(user="u2", ticket="4822"))
    opened = await dana.perform(TakeTicket(user="u5", subject="called the desk"))

    assert taken.case.open_tickets[0].agent == "dana"
    assert closed.case.open_tickets == ()
    assert opened.case.open_tickets[0].subject == "called the desk"


async def test_the_log_is_searched_and_windowed(open_as: Open) -> None:
    dana, lee = open_as("dana"), open_as("lee")
    await dana.perform(Note(user="u1", text="first"))
    await lee.perform(Note(user="u2", text="second"))
    await dana.perform(Flag(user="u2", reason="odd calls"))

    whole = await dana.log(Query())
    flags = await dana.log(Query(words=("flag",)))
    middle = await dana.log(Query(), offset=1, limit=1)

    assert [(row.agent, row.act) for row in whole.rows] == [
        ("dana", "flag"),
        ("lee", "note"),
        ("dana", "note"),
    ]
    assert [row.seq for row in whole.rows] == sorted({r.seq for r in whole.rows}, reverse=True)
    assert [row.reason for row in flags.rows] == ["odd calls"]
    assert middle.rows == whole.rows[1:2]


async def test_a_look_is_recorded_too(open_as: Open) -> None:
    dana, ari = open_as("dana"), open_as("ari")
    await dana.case("u5")
    await dana.settle()

    rows = (await ari.log(Query(words=("look",)))).rows
    assert [(row.agent, row.user) for row in rows] == [("dana", "u5")]


async def test_the_log_is_inspected_against_a_checkpoint_kept_elsewhere(open_as: Open) -> None:
    dana, ari = open_as("dana", is_gated=False), open_as("ari", is_gated=False)
    await dana.perform(RESET)
    note, key = await dana.checkpoint(), await dana.checkpoint_key()
    found = await inspected(ari, note, key)

    assert found.is_sound
    assert found.rows >= 1
    assert any("The checkpoint given fits" in one for one in found.proven)
    assert key.startswith("helpdesk/log/")
    with pytest.raises(BadInput):
        await inspected(ari, note, "no key")


async def test_the_log_leaves_masked_unless_a_lead_or_auditor_asks(open_as: Open) -> None:
    dana, ari = open_as("dana"), open_as("ari")
    await dana.perform(Flag(user="u2", reason="odd calls"))

    masked = next(row for row in await everything(dana) if row.act == "flag")
    clear = next(row for row in await everything(ari, is_clear=True) if row.act == "flag")

    assert masked.reason == ""
    assert masked.user != "u2"
    assert (clear.user, clear.reason) == ("u2", "odd calls")
    assert clear.hash == masked.hash
    with pytest.raises(Refused):
        await everything(dana, is_clear=True)


async def test_the_log_is_parted_from_personal_data_by_a_lead(open_as: Open, clock: Clock) -> None:
    dana, lee = open_as("dana"), open_as("lee")
    await dana.perform(Flag(user="u2", reason="odd calls"))
    clock.go_on(days=1)
    erased = await lee.erase_log(clock())

    assert erased.rows >= 1
    assert (await dana.log(Query())).rows[-1].reason == ""
    assert (await inspected(dana)).is_sound
    with pytest.raises(Refused):
        await dana.erase_log(clock())


async def test_a_log_that_is_sound_needs_no_acceptance(open_as: Open) -> None:
    with pytest.raises(Refused, match="nothing to accept"):
        await open_as("lee").accept_log("it is the right one")
    with pytest.raises(NeedsMore):
        await open_as("lee").accept_log(" ")
    with pytest.raises(Refused):
        await open_as("dana").accept_log("it is the right one")


async def test_alarms_are_told(open_as: Open) -> None:
    lee = open_as("lee")

    assert await lee.alarms() == ()


async def test_a_bundle_has_all_a_ticket_needs(free: Desk) -> None:
    await free.perform(RESET)
    bundle = await free.bundle("u2")

    assert bundle == await free.bundle("u2")
    assert "ada@lakes.example" not in str(bundle)


async def test_the_same_key_gives_the_first_answer(free: Desk) -> None:
    first = await free.perform(RESET, key=KEY)
    again = await free.perform(RESET, key=KEY)

    assert first.says == again.says
    assert await acts(free) == [("dana", "reset-factor", Result.DONE)]
    found = await free.operation(KEY)
    assert (found.result, found.answered.says) == (Result.DONE, first.says)


async def test_a_key_is_for_one_wish_and_for_seven_days(dana: Desk, clock: Clock) -> None:
    await dana.perform(Note(user="u2", text="one"), key=KEY)

    with pytest.raises(KeyTaken):
        await dana.perform(Note(user="u2", text="two"), key=KEY)
    with pytest.raises(NotFound, match="Nothing of yours"):
        await dana.operation(OTHER)
    clock.go_on(days=7)
    with pytest.raises(KeyExpired):
        await dana.perform(Note(user="u2", text="one"), key=KEY)
    assert await acts(dana) == [("dana", "note", Result.DONE)]


async def test_what_was_taken_back_is_never_carried_out(dana: Desk) -> None:
    taken = await dana.withdraw(KEY)
    again = await dana.withdraw(KEY)

    with pytest.raises(KeyTaken, match="taken back"):
        await dana.perform(Note(user="u2", text="one"), key=KEY)
    assert taken.is_withdrawn
    assert again == taken == await dana.operation(KEY)
    assert await acts(dana) == []


async def test_what_was_carried_out_is_not_taken_back(dana: Desk) -> None:
    await dana.perform(Note(user="u2", text="one"), key=KEY)

    found = await dana.withdraw(KEY)

    assert (found.is_withdrawn, found.result) == (False, Result.DONE)
    assert await acts(dana) == [("dana", "note", Result.DONE)]


async def test_of_an_act_and_its_withdrawal_at_once_exactly_one_comes_true(open_as: Open) -> None:
    dana, elsewhere = open_as("dana"), open_as("dana")
    for number in range(6):
        key = f"{KEY}-{number}"
        done, taken = await asyncio.gather(
            dana.perform(Note(user="u2", text=str(number)), key=key),
            elsewhere.withdraw(key),
            return_exceptions=True,
        )
        if isinstance(taken, StillRunning):
            taken = await elsewhere.withdraw(key)

        assert not isinstance(taken, BaseException)
        assert isinstance(done, KeyTaken) is taken.is_withdrawn
    said = {row.says for row in (await dana.log(Query())).rows if row.act == "note"}
    kept = [await elsewhere.operation(f"{KEY}-{number}") for number in range(6)]
    assert len(said) == sum(not one.is_withdrawn for one in kept)


async def test_a_key_that_is_none_is_said_so(dana: Desk) -> None:
    with pytest.raises(BadInput, match="16 to 255"):
        await dana.perform(Note(user="u2", text="one"), key="short")


async def test_a_refusal_under_a_key_is_given_again(dana: Desk) -> None:
    for _ in range(2):
        with pytest.raises(Refused):
            await dana.perform(OFF, key=KEY)

    assert await acts(dana) == [("dana", "turn-off-mfa", Result.REFUSED)]


async def test_a_pass_asked_for_again_shows_no_secret(free: Desk) -> None:
    first = await free.perform(PASS, key=KEY)
    again = await free.perform(PASS, key=KEY)

    assert first.handover is not None
    assert again.handover is None
    assert "not shown again" in again.says
    assert first.handover.secret not in (await free.operation(KEY)).answer


async def test_of_many_at_once_with_one_key_one_is_carried_out(dana: Desk) -> None:
    wish = Note(user="u2", text="one")
    ended = await asyncio.gather(
        *(dana.perform(wish, key=KEY) for _ in range(6)), return_exceptions=True
    )

    assert {type(one).__name__ for one in ended} <= {"Outcome", StillRunning.__name__}
    assert await acts(dana) == [("dana", "note", Result.DONE)]


async def test_many_consoles_at_once_lose_nothing(open_as: Open) -> None:
    desks = [open_as(who) for who in ("dana", "lee", "sam")]
    for desk in desks:
        await desk.case("u5")
    await asyncio.gather(
        *(
            desk.perform(Note(user=f"u{number}", text=f"{number}"))
            for number, desk in enumerate(desks * 2, 1)
            if number != 3
        )
    )

    rows = (await desks[0].log(Query())).rows
    assert sorted(row.reason or row.says for row in rows) == ["1", "2", "4", "5", "6"]
    looks = (await desks[0].log(Query(words=(LOOK,)))).rows  # they are written beside, at any time
    numbers = sorted(row.seq for row in (*rows, *looks))
    assert numbers == [*range(1, len(numbers) + 1)]


async def test_the_feed_tells_what_changed_in_pages(open_as: Open) -> None:
    dana, lee = open_as("dana"), open_as("lee")
    begin = await dana.changes()
    await lee.perform(Note(user="u2", text="one"))
    await lee.perform(Note(user="u1", text="two"))
    page = await dana.changes(begin.cursor, limit=1)
    seen = list(page.changes)
    while page.is_more:
        page = await dana.changes(page.cursor, limit=1)
        seen += page.changes

    assert begin.changes == ()
    assert seen.index(Change(kind=Kind.USER, id="u2")) < seen.index(Change(kind=Kind.USER, id="u1"))
    rows = [one.id for one in seen if one.kind is Kind.LOG]
    assert rows == [str(number) for number in range(1, len(rows) + 1)]
    assert len(rows) >= 2


async def test_a_cursor_that_is_none_is_not_taken(dana: Desk) -> None:
    with pytest.raises((BadInput, CursorTooOld)):
        await dana.changes("MTIzLmFiYw")


async def test_whoever_waits_is_woken(open_as: Open) -> None:
    dana, lee = open_as("dana"), open_as("lee")
    await lee.case("u2")
    await lee.settle()  # that lee looked is a change too, and is written when there is time for it
    begin = (await dana.changes()).cursor
    waiting = asyncio.create_task(dana.changed(begin))
    await asyncio.sleep(0.05)
    await lee.perform(Note(user="u2", text="one"))
    newest = await asyncio.wait_for(waiting, PATIENCE_S)

    assert newest != begin
    assert (await dana.changes(newest)).changes == ()


async def test_hostile_text_comes_back_as_it_was_written_or_cleaned(dana: Desk) -> None:
    text = "[@click=app.quit]x[/] \x1b]0;owned\x07 \u202e \u2066 \ud7ff \U0001d11e"
    outcome = await dana.perform(Note(user="u2", text=text))

    assert "\x1b" not in outcome.says
    assert "[@click=app.quit]x[/]" in outcome.says


async def test_a_change_of_number_is_seen_by_all(open_as: Open) -> None:
    sam, lee = open_as("sam", is_gated=False), open_as("lee", is_gated=False)
    change = ChangeMobile(user="u1", mobile="+447700900555", reason="new", ticket="4821")
    outcome = await sam.perform(change)

    assert (await lee.case("u1")).user == outcome.case.user


async def test_a_reset_of_everything_is_done_by_who_may(open_as: Open) -> None:
    dana = open_as("dana", is_gated=False)
    outcome = await dana.perform(ResetAll(user="u2", reason="new phone", ticket="4822"))

    live = [one for one in outcome.case.user.factors if one.state is FactorState.ACTIVE]
    assert live == []
