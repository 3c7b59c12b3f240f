"""The case bundle: all a ticket needs, nothing it must not hold, read back by the diagnosis."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from helpdesk.domain.approvals import Approval
from helpdesk.domain.bundle import Bundle, bundle_of, plain_event
from helpdesk.domain.bundle_text import bundle_text
from helpdesk.domain.cases import explicit
from helpdesk.domain.diagnosis import diagnose
from helpdesk.domain.diagnosis.casefile import case_verdict, decode_case
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Heard, Verdict
from helpdesk.domain.hiding import hidden
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.proofs import Grade, Method, Proof
from helpdesk.domain.timeline import AnyEvent
from tests.factories import CARDS, NOW, ago, case, event, user

LOOP = (
    event("password", 9, ok=True, browser="b1", door="https://x.example/in?session=5ecr3t#k"),
    event("challenge", 8, challenge="c1", rule="every-login", factor="sms", browser="b1"),
    event("send", 8, send="s1", challenge="c1", channel="sms", to="+447700900321"),
    event("answer", 7, challenge="c1", ok=True, browser="b1"),
    event("session", 7, state="created", challenge="c1", browser="b1"),
    event("session", 6, state="missing", browser="b1"),
)


def bundled(*timeline: AnyEvent, verdict: Verdict | None = None, **keys: Any) -> Bundle:
    it = case(user(**keys), *timeline)
    return bundle_of(it, CARDS[it.user.product], verdict or Verdict(), checkpoint="helpdesk/log/1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to maya.okafor@northwind.example", "write to m•••@northwind.example"),
        ("her number is +44 7700 900321 now", "her number is •••••• now"),
        ("call 07700 900321", "call ••••••"),
        ("she read 482193 aloud", "she read •••••• aloud"),
        ("the code was 482 193.", "the code was ••••••."),
        ("pass ABCD-EFGH-2345-WXYZ", "pass ••••••"),
        ("key JBSWY3DPEHPK3PXPJBSWY3DP", "key ••••••"),
        ("ticket #4821 at 14:05 on 2026-05-04", "ticket #4821 at 14:05 on 2026-05-04"),
        ("from 203.0.113.255, SMTP 550 5.1.1, error 30007", None),
        ("asked twice in 90 s", None),
    ],
)
def test_free_text_is_hidden_where_it_may_be_personal(text: str, shown: str | None) -> None:
    assert hidden(text) == (shown if shown is not None else text)


def test_an_event_leaves_without_what_nobody_here_knows() -> None:
    known = event("send", 1, send="s1", channel="sms", to="+447700900321", detail_of="secret")
    strange = event("weather", 1, id="e9", text="secret")

    assert "secret" not in json.dumps([plain_event(known), plain_event(strange)])
    assert plain_event(known)["to"] == "••••••"
    assert plain_event(strange) == {"at": plain_event(strange)["at"], "kind": "weather", "id": "e9"}


def test_a_page_is_named_without_its_keys() -> None:
    door = plain_event(event("password", 1, ok=True, door="https://u:p@x.example:8443/a?b=c#d"))

    assert door["door"] == "https://x.example:8443/a"


def test_the_bundle_is_masked_whatever_it_is_made_of() -> None:
    found = bundled(*LOOP)

    text = bundle_text(found) + json.dumps(found.case)
    for personal in ("900321", "maya.okafor@", "mfa@", "5ecr3t"):
        assert personal not in text
    assert "Maya Okafor" in text
    assert "helpdesk/log/1" in text


def test_its_case_file_is_read_back_with_the_same_verdict() -> None:
    it = case("lead-gen-crm", *LOOP)
    card = CARDS["lead-gen-crm"]
    live = diagnose(card, it.user, it.timeline, NOW, cards=CARDS.values())

    found = bundle_of(it, card, live)
    read = case_verdict(decode_case(json.dumps(found.case)), CARDS)

    assert live.top is not None
    assert [one.id for one in read.causes[:3]] == [one.id for one in live.causes[:3]]


def test_what_the_caller_said_goes_along() -> None:
    said = [CallerSaid(ask="D1/D2", reply="later, on 07700 900321")]

    found = bundle_of(case("lead-gen-crm"), CARDS["lead-gen-crm"], Verdict(), said=said)

    assert found.case["answers"] == [{"ask": "D1/D2", "reply": "later, on ••••••"}]


def test_text_from_outside_is_no_markup() -> None:
    name = "Maya](http://evil.example) <script> `x` **bold** | #1"
    verdict = Verdict(heard=(Heard(ask="D1/D2", said="<img src=x>\n# Title"),))

    text = bundle_text(bundled(event("call", 1, asks="reset"), verdict=verdict, name=name))

    head = text.splitlines()[0]
    assert head.startswith("# Maya\\](http://evil.example) \\<script\\> \\`x\\` \\*\\*bold\\*\\*")
    assert "<img" not in text.replace("\\<", "")
    assert not any(line.startswith("# Title") for line in text.splitlines())


def test_an_empty_bundle_says_so_in_every_part() -> None:
    text = bundle_text(bundled())

    assert text.count("    –") == 6
    assert "The log says nothing from which a cause could be told." in text


def test_proofs_approvals_and_holds_go_along_without_what_was_asked() -> None:
    proof = Proof(
        id="p-5ecr3t", user="u1", agent="dana", ticket="4821", method=Method.CODE,
        grade=Grade.STRONG, channel="f1", at=ago(9), used_at=ago(2), used_for="reset-all",
    )  # fmt: skip
    unused = replace(proof, method=Method.ADMINISTRATOR, channel="administrator:u9", used_at=None)
    approval = Approval(
        id="ap1", act="change-mobile", user="u1", payload='{"mobile":"+447700900321"}',
        sha256="ab" * 32, why="weak proof", requester="dana", asked_at=ago(8), approver="lee",
        is_granted=True, decided_at=ago(7), says="called +44 7700 900321", used_at=ago(2),
    )  # fmt: skip
    hold = Hold(
        id="h1", act="reset-all", user="u1", payload='{"reason":"5ecr3t"}', agent="dana",
        at=ago(6), due_at=ago(1), ending=Ending.UNDONE, ended_at=ago(3),
    )  # fmt: skip
    it = case("lead-gen-crm")

    found = bundle_of(
        it, CARDS["lead-gen-crm"], Verdict(),
        proofs=[proof, unused], approvals=[approval], holds=[hold],
    )  # fmt: skip

    text = bundle_text(found)
    assert "13:56 a code read back (strong) by dana for ticket 4821: used 05-04 14:03" in text
    assert "an administrator who vouches (strong) by dana for ticket 4821: not used" in text
    assert "change-mobile asked by dana: agreed by lee 05-04 13:58, carried out" in text
    assert "reset-all by dana, due 14:04: undone 05-04 14:02 (h1)" in text
    assert "sha256 abababababab" in text
    for secret in ("5ecr3t", "900321", "administrator:u9", "payload"):
        assert secret not in text + json.dumps(explicit(found))


def test_what_happened_to_others_goes_along_under_invented_names() -> None:
    mine = user("lead-gen-crm")
    near = event("answer", 5, challenge="c7", ok=False, ip="192.0.2.9")
    old = event("answer", 3 * 24 * 60, challenge="c8", ok=False)
    same = user(id="u77", name="Priya Shah", login="priya@northwind.example")
    other = user(id="u78", account="a99")
    silent = user(id="u79", account="a98")
    others = [(same, (old, near)), (other, (near,)), (silent, (old,)), (mine, (near,))]

    found = bundle_of(case(mine, *LOOP), CARDS["lead-gen-crm"], Verdict(), others=others)

    told = found.case["others"]
    assert sorted(one["user"]["id"] for one in told) == ["other-1", "other-2"]
    assert sorted(one["user"]["account"] for one in told) == ["a1", "account-1"]
    assert [len(one["timeline"]) for one in told] == [1, 1]
    assert decode_case(json.dumps(found.case)).others
    for name in ("Priya", "priya", "u77", "u78", "a99"):
        assert name not in json.dumps(told)


def test_a_bundle_is_read_as_the_case_it_holds() -> None:
    found = bundled(*LOOP)

    whole = decode_case(json.dumps(explicit(found)))

    assert whole == decode_case(json.dumps(found.case))
