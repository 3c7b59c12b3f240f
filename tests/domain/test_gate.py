"""The gate over role × act × product × user × proof × ownership.

Held against tables one can read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, AnyAction, Risk
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case, Person
from helpdesk.domain.diagnosis import CAUSES
from helpdesk.domain.diagnosis.acts import act_says, no_use
from helpdesk.domain.diagnosis.verdicts import RankedCause, Strength, Verdict
from helpdesk.domain.gate import Answer, Standing, weigh
from helpdesk.domain.limits import alarms
from helpdesk.domain.previews import preview
from helpdesk.domain.proofs import Grade, Method, Proof
from tests.domain.test_policies import CELLS, LETTERS, PRODUCTS, ready
from tests.factories import CARDS, MAIL, NOW, action, agent, ago, event, factor

MAY = {(act, product): letters for act, product, letters in CELLS}

PROOFS = """
             none   mail    push   same   fresh  two  seen    stale  other  elsewhere  used
one-channel  proof  second  ·      proof  proof  ·    second  proof  proof  proof      proof
reset-all    proof  proof   proof  proof  proof  ·    proof   proof  proof  proof      proof
"""
"""What an act still lacks, by the proofs at hand: `·` nothing, `second` a second person.

mail: a code read back from a mailbox · push: confirmed on the telephone · same: over the very thing
that is changed ·
fresh: over what changed an hour ago · two: push and a call back · seen: in person · stale: ten
minutes old ·
other: another agent's · elsewhere: on another ticket · used: by another act before.
"""

PEOPLE = """
plain           ·
administrator   second
flagged         second
colleague       second
"""
"""Who the user is, and whether that alone takes a second person."""

ALWAYS_SECOND = {"turn-off-mfa"}

_HEAD, *_ROWS = [line.split() for line in PROOFS.strip().splitlines()]
LACKS = {(row[0], proof): cell for row in _ROWS for proof, cell in zip(_HEAD, row[1:], strict=True)}
SECOND = dict(line.split() for line in PEOPLE.strip().splitlines())
ASKED = {
    "change-address": {"address": "new@northwind.example"},
    "change-mobile": {"mobile": "+447700900999"},
    "note": {"text": "called"},
    "reset-factor": {"factor": "f1"},
    "resume-factor": {"factor": "f2"},
    "send-code": {"factor": "f1"},
    "suspend-factor": {"factor": "f1"},
}


def wish(act: str, **more: str) -> AnyAction:
    """An action with everything but proof and second person."""
    return action(act, reason="phone lost", ticket="4821", **ASKED.get(act, {}), **more)


def proof(channel: str, method: Method = Method.CODE, **keys: object) -> Proof:
    given = {
        "id": f"p-{channel}", "user": "u1", "agent": "me", "ticket": "4821", "at": ago(1),
        "grade": Grade.STRONG,
    }  # fmt: skip
    return Proof(method=method, channel=channel, **given | keys)  # type: ignore[arg-type]


PUSH = proof("fp", Method.PUSH)
HELD: dict[str, Callable[[str], tuple[Proof, ...]]] = {
    "none": lambda act: (),
    "mail": lambda act: (proof("fm", grade=Grade.WEAK),),
    "push": lambda act: (PUSH,),
    "same": lambda act: (
        proof({"change-mobile": "mobile", "change-address": "fn"}.get(act, "f1")),
    ),
    "fresh": lambda act: (proof("ff", Method.PUSH),),
    "two": lambda act: (PUSH, proof("mobile", Method.CALL_BACK)),
    "seen": lambda act: (proof("in-person", Method.IN_PERSON),),
    "stale": lambda act: (replace(PUSH, at=ago(10)),),
    "other": lambda act: (replace(PUSH, agent="somebody"),),
    "elsewhere": lambda act: (replace(PUSH, ticket="4999"),),
    "used": lambda act: (replace(PUSH, used_at=ago(0.5), used_for="unlock"),),
}


def looked_at(product: str, act: str, person: str) -> Case:
    """A case with telephones and mailboxes enough for every proof of the table."""
    it = ready(product, act)
    more = (
        factor("push", "fp", to="Pixel 8", since=ago(60 * 24 * 99)),
        factor("push", "ff", to="New phone", since=ago(60)),
        factor("email", "fm", to="home@northwind.example"),
        factor("email", "fn", to=MAIL),
    )
    user = replace(it.user, factors=(*it.user.factors, *more))
    if person == "flagged":
        user = replace(user, flagged="odd call")
    administrators = it.administrators
    if person == "administrator":
        administrators = (*administrators, Person(id="u1", name=user.name))
    return replace(it, user=user, administrators=administrators)


def expected(letter: str, act: str, product: str, person: str, held: str, owner: str) -> str:
    """What the tables say: refused, or what is lacking in the order of proof, second person."""
    if owner != "another's" or letter not in MAY[act, product]:
        return "refused"
    if ACTIONS[act].risk is not Risk.HIGH:
        return ""
    kind = "reset-all" if act == "reset-all" else "one-channel"
    if held == "same" and act not in {
        "change-mobile",
        "change-address",
        "reset-factor",
        "reset-all",
    }:
        first = proof("f1").grade
        return (
            "second" if needs_second(act, person) else ("" if first is Grade.STRONG else "second")
        )
    lacks = LACKS[kind, held]
    words = ["proof"] if lacks == "proof" else []
    if lacks == "second" or needs_second(act, person):
        words.append("second")
    return " ".join(words)


def needs_second(act: str, person: str) -> bool:
    return act in ALWAYS_SECOND or SECOND[person] == "second"


def said(answer: Answer) -> str:
    if answer.decision.is_refused:
        return "refused"
    names = {"second-person": "second"}
    return " ".join(names.get(need.what, need.what) for need in answer.decision.needs)


def someone(role: Role, owner: str) -> Agent:
    if owner == "own":
        return agent(role, id="me", login="maya.okafor@northwind.example")
    return agent(
        role, id="me", login="dana@desk.example", account="a9" if owner == "foreign" else None
    )


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_gate_says_what_the_tables_say(product: str) -> None:
    wrong = []
    cells = 0
    for act in ACTIONS:
        for person in SECOND:
            it = looked_at(product, act, person)
            colleagues = frozenset({it.user.login} if person == "colleague" else ())
            for held, make in HELD.items():
                standing = Standing(proofs=make(act), colleagues=colleagues)
                for letter, role in LETTERS.items():
                    for owner in ("another's", "own", "foreign"):
                        answer = weigh(
                            someone(role, owner), wish(act), CARDS[product], it, standing, NOW
                        )
                        cells += 1
                        want = expected(letter, act, product, person, held, owner)
                        if said(answer) != want:
                            wrong.append((act, person, held, letter, owner, said(answer), want))

    assert wrong == []
    assert cells == 19 * 4 * 11 * 6 * 3


def test_the_tables_make_more_than_twenty_thousand_cells() -> None:
    assert len(PRODUCTS) * len(ACTIONS) * len(SECOND) * len(HELD) * len(LETTERS) * 3 >= 20_000


def verdict(cause: str, strength: Strength = Strength.STRONG) -> Verdict:
    top = RankedCause(id=cause, title="a cause", p=0.9, strength=strength)
    return Verdict(causes=(top,), will_not_help=no_use({cause: 0.9}))


VAIN = """
      reset    code    because
A1    stopped  ·       nothing is broken
A2    stopped  ·       nothing is broken
A3    stopped  ·       nothing is broken
A4    stopped  ·       nothing is broken
A5    stopped  ·       nothing is broken
A6    stopped  ·       nothing is broken
A7    stopped  ·       nothing is broken
B1    no-use   ·       the second proof itself is fine
B2    no-use   ·       the second proof itself is fine
B3    no-use   ·       the second proof itself is fine
B4    no-use   ·       the second proof itself is fine
B5    no-use   ·       the second proof itself is fine
B6    no-use   ·       the second proof itself is fine
B7    no-use   ·       the second proof itself is fine
B8    no-use   ·       the second proof itself is fine
C1    ·        no-use  it goes to the same place
C2    ·        ·       ·
C3    no-use   no-use  may void the one on its way
C4    no-use   no-use  nothing leaves for that address
C5    stopped  no-use  our sender is at fault
C6    ·        ·       ·
C7    ·        ·       ·
C8    ·        ·       ·
C9    ·        ·       ·
C10   no-use   no-use  more requests only prolong it
C11   no-use   no-use  the password comes first
C12   no-use   no-use  nothing is ever sent
C13   ·        ·       ·
C14   ·        ·       ·
D1    ·        ·       ·
D2    no-use   no-use  voids the live one
D3    no-use   ·       a typing mistake
D4    no-use   ·       the clock is not
D4b   stopped  ·       it is our clock
D5    ·        ·       ·
D6    no-use   ·       the next number will do
D7    ·        ·       ·
D8    ·        ·       ·
D9    no-use   no-use  while locked
D10   no-use   no-use  while locked
E1    stopped  ·       the code is accepted
E2    no-use   ·       the code is accepted
E3    no-use   ·       the code is accepted
E4    no-use   ·       a method must be chosen now
E5    stopped  ·       something else blocks
E6    no-use   no-use  not the product's door
F1    no-use   no-use  hostile until shown otherwise
F2    no-use   no-use  hostile until shown otherwise
F3    no-use   no-use  hostile until shown otherwise
F4    no-use   no-use  hostile until shown otherwise
"""
"""What each likeliest cause says against a reset and a new code: `·` nothing.

no-use: it is said, by the verdict and by the act's preview · stopped: and the gate refuses it.
"""

CAUSED = [(line.split(maxsplit=3)) for line in VAIN.strip().splitlines()[1:]]


def test_the_table_names_every_cause() -> None:
    assert sorted(row[0] for row in CAUSED) == sorted(CAUSES)


@pytest.mark.parametrize(("cause", "reset", "code", "because"), CAUSED, ids=lambda cell: cell)
def test_gate_verdict_and_preview_agree_on_what_is_in_vain(
    cause: str, reset: str, code: str, because: str
) -> None:
    card, whole = CARDS["constant-contact"], looked_at("constant-contact", "reset-factor", "plain")
    words = verdict(cause)
    standing = Standing(proofs=(PUSH,), verdict=words)

    found = {
        act: (
            weigh(agent(id="me"), wish(act), card, whole, standing, NOW).decision,
            preview(wish(act), card, whole, verdict=words).vain,
        )
        for act in ("reset-factor", "reset-all", "send-code")
    }

    said = {no.act: no.why for no in words.will_not_help}
    for act, want in (("reset-factor", reset), ("reset-all", reset), ("send-code", code)):
        decision, vain = found[act]
        assert decision.is_refused is (want == "stopped"), act
        assert (because in said.get(act, "")) is (want != "·"), act
        assert vain == said.get(act, ""), act
        if want == "stopped":
            assert because in decision.why
            assert cause in decision.why
            assert decision.instead == act_says(cause)


@pytest.mark.parametrize(
    ("cause", "strength"),
    [("D5", Strength.CERTAIN), ("E1", Strength.WEAK), ("C7", Strength.STRONG)],
)
def test_other_causes_and_weak_ones_stop_nothing(cause: str, strength: Strength) -> None:
    it = looked_at("constant-contact", "reset-factor", "plain")
    standing = Standing(proofs=(PUSH,), verdict=verdict(cause, strength))

    answer = weigh(
        agent(id="me"), wish("reset-factor"), CARDS["constant-contact"], it, standing, NOW
    )

    assert answer.decision.is_allowed


@pytest.mark.parametrize("cause", ["F3", "F4"])
def test_where_the_caller_may_be_the_attacker_nobody_acts_alone(cause: str) -> None:
    it = looked_at("constant-contact", "reset-factor", "plain")
    standing = Standing(proofs=(PUSH,), verdict=verdict(cause))

    answer = weigh(
        agent(id="me"), wish("reset-factor"), CARDS["constant-contact"], it, standing, NOW
    )

    assert said(answer) == "second"


def test_a_number_changed_in_the_timeline_proves_nothing_for_three_days() -> None:
    it = looked_at("constant-contact", "reset-factor", "plain")
    call = Standing(proofs=(proof("mobile", Method.CALL_BACK),))
    moved = replace(it, timeline=(event("factor", 60 * 71, change="number-changed"),))
    old = replace(it, timeline=(event("factor", 60 * 73, change="number-changed"),))
    card = CARDS["constant-contact"]

    answers = [
        weigh(agent(id="me"), wish("reset-factor"), card, one, call, NOW)
        for one in (it, moved, old)
    ]

    assert [said(answer) for answer in answers] == ["", "proof", ""]


def row(
    act: str, minutes: float, user: str = "u7", who: str = "me", result: Result = Result.DONE
) -> LogRow:
    return LogRow(
        seq=1, at=ago(minutes), agent=who, role=Role.SUPPORT, act=act, user=user, result=result
    )


def limited(act: str, *log: LogRow) -> str:
    it = looked_at("constant-contact", act, "plain")
    rows = tuple(sorted(log, key=lambda one: one.at))
    standing = Standing(proofs=(PUSH,), log=rows)
    return said(weigh(agent(id="me"), wish(act), CARDS["constant-contact"], it, standing, NOW))


def test_limits_by_user_agent_and_desk() -> None:
    mine = [row("reset-all", m, user=f"u{m}") for m in (2, 9, 20, 31, 59)]
    whole = [row("reset-all", m, user=f"v{m}", who=f"a{m}") for m in range(1, 21)]

    assert limited("reset-factor", row("reset-all", 60 * 23, user="u1")) == "limit"
    assert limited("reset-factor", row("reset-all", 60 * 25, user="u1")) == ""
    assert limited("reset-factor", row("reset-all", 5, user="u1", result=Result.REFUSED)) == ""
    assert limited("reset-factor", *mine) == "limit"
    assert limited("reset-factor", *mine[1:]) == ""
    assert limited("reset-factor", *whole) == "second", "the breaker: nobody acts alone"
    assert limited("reset-factor", *whole[1:]) == ""


def test_what_was_begun_is_finished_also_where_the_limit_was_reached_by_it() -> None:
    it = looked_at("constant-contact", "enrol-totp", "plain")
    pending = factor("totp", "ft", state="pending")
    begun = replace(it, user=replace(it.user, factors=(*it.user.factors, pending)))
    log = tuple(row("reset-all", m, user=f"u{m}") for m in (59, 31, 20, 9, 2))
    standing = Standing(log=log)

    new, rest = (
        weigh(
            agent(id="me"), wish("enrol-totp", code=code), CARDS["constant-contact"], begun,
            standing, NOW,
        )
        for code in ("", "123456")
    )  # fmt: skip

    assert said(new) == "proof limit"
    assert said(rest) == ""


def test_six_resets_in_twenty_minutes_and_a_moved_number_raise_alarms() -> None:
    log = (
        row("change-mobile", 40, user="u5"),
        *(row("reset-all", 20 - 4 * n, user=f"u{n}") for n in range(6)),
    )

    found = alarms(log, NOW)

    assert {alarm.what for alarm in found} == {"many-resets", "moved-and-reset"}
    assert {alarm.user for alarm in found if alarm.what == "moved-and-reset"} == {"u5"}


def test_a_look_and_a_reset_within_seconds_raise_an_alarm() -> None:
    slow = (row("look", 5), row("reset-all", 1))
    fast = (row("look", 5), row("reset-all", 5 - 0.2))

    assert alarms(slow, NOW) == ()
    assert [alarm.what for alarm in alarms(fast, NOW)] == ["too-fast"]
    assert alarms(fast, NOW + timedelta(days=2)) == ()
