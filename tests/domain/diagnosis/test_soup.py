"""Any timeline that can be decoded gives a verdict: nothing raises, whatever the log holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.domain.diagnosis.casefile import case_verdict, decode_case, user_of
from helpdesk.domain.diagnosis.facts import Facts
from helpdesk.domain.diagnosis.fleet import fleet
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.diagnosis.rounds import differences, loop_rounds
from helpdesk.domain.products import Fact
from tests.domain.diagnosis.stories import STORIES
from tests.domain.diagnosis.telling import NOW, Row, at
from tests.factories import CARDS

moments = st.one_of(
    st.floats(-60, 200), st.floats(0, 60 * 24 * 70), st.sampled_from([5.0, 6.0])
).map(at)
few = st.sampled_from(["c1", "c2", "c3", "", "x" * 30])
ips = st.sampled_from([None, "192.0.2.7", "203.0.113.9", "2001:db8::1", "nonsense", ""])
words = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["b1", "b2", "m•••@agency.example", "•••• 21", "http://[", "https://affiliate.example/x"]
    ),
)
SHAPES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "password": {
        "ok": st.booleans(),
        "ip": ips,
        "browser": words,
        "door": words,
        "network": st.sampled_from(["vpn", "hosting", None]),
        "place": words,
        "agent": words,
    },
    "challenge": {
        "challenge": few,
        "rule": st.sampled_from(["every-login", "new-ip", "export", "policy", "odd", None]),
        "factor": st.sampled_from(["email", "sms", "push", "totp", "pigeon", None]),
        "ip": ips,
        "browser": words,
        "tab": words,
        "trust": st.sampled_from(["none", "good", "expired", "foreign", None]),
        "trust_since": st.one_of(st.none(), moments),
        "policies": st.sampled_from([None, [], [{"name": "a"}, {"name": "b", "hours": 0}]]),
    },
    "resend": {
        "challenge": few,
        "allowed": st.sampled_from([True, False, None]),
        "retry_after_s": st.sampled_from([None, -5, 0, 30, 1e12]),
    },
    "send": {
        "send": few,
        "challenge": st.one_of(st.none(), few),
        "channel": st.sampled_from(["email", "sms", "push", "smoke"]),
        "to": words,
        "purpose": st.sampled_from(["code", "confirmation", None]),
        "expires_at": st.one_of(st.none(), moments),
    },
    "delivery": {
        "send": few,
        "state": st.sampled_from(
            ["queued", "accepted", "deferred", "delivered", "bounced", "failed", "lost"]
        ),
        "code": words,
        "detail": words,
    },
    "fetch": {"send": few, "ip": ips, "agent": words},
    "answer": {
        "challenge": few,
        "ok": st.booleans(),
        "reason": st.sampled_from(
            [
                "wrong",
                "expired",
                "superseded",
                "reused",
                "locked",
                "foreign",
                "drift",
                "declined",
                "timeout",
                "odd",
                None,
            ]
        ),
        "send": st.one_of(st.none(), few),
        "drift_s": st.sampled_from([None, 0, 94, -1e9]),
        "ip": ips,
        "browser": words,
    },
    "session": {
        "state": st.sampled_from(["created", "returned", "missing", "ended", "odd"]),
        "challenge": st.one_of(st.none(), few),
        "browser": words,
        "level": st.sampled_from([None, 1, 2, "aal1", ""]),
        "cause": words,
    },
    "redirect": {
        "from": words,
        "to": words,
        "count": st.integers(-3, 90),
        "seconds": st.sampled_from([None, 0, 20]),
    },
    "factor": {
        "change": st.sampled_from(
            [
                "enrolled",
                "removed",
                "number-changed",
                "address-changed",
                "number-confirmed",
                "must-enrol",
                "turned-on",
                "odd",
            ]
        ),
        "factor": words,
        "by": words,
        "ip": ips,
    },
    "lock": {
        "from": moments,
        "until": st.one_of(st.none(), moments),
        "cause": words,
        "failures": st.sampled_from([None, 0, 5, -1]),
    },
    "report": {"what": st.sampled_from(["not-me", "declined", "suspicious", "odd"])},
    "reset": {"ok": st.booleans(), "by": words, "scope": st.sampled_from(["one", "all", None])},
    "call": {"asks": st.sampled_from(["reset", "code", "change-number", None]), "from": words},
    "export": {"ok": st.sampled_from([True, None])},
    "release": {"detail": words},
}
events = st.sampled_from(sorted(SHAPES)).flatmap(
    lambda kind: st.fixed_dictionaries({"kind": st.just(kind), "at": moments, **SHAPES[kind]})
)
soups = st.lists(events, max_size=14)
answers = st.lists(
    st.fixed_dictionaries(
        {
            "ask": st.sampled_from([*PAIRS, "C9", "odd", "A/B"]),
            "reply": st.one_of(st.text(max_size=20), st.sampled_from(["yes", "no", "it is"])),
        }
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    product=st.sampled_from(sorted(CARDS)),
    complaint=st.sampled_from([None, "no-code", "loop", "unasked-codes", "lost-factor", "locked"]),
    timeline=soups,
    others=st.lists(soups, max_size=4),
    said=answers,
)
def test_any_soup_of_events_gives_a_verdict(
    product: str,
    complaint: str | None,
    timeline: list[Row],
    others: list[list[Row]],
    said: list[Row],
) -> None:
    document = {
        "product": product,
        "now": at(0),
        "complaint": complaint,
        "timeline": timeline,
        "others": [{"user": {"id": f"o{n}"}, "timeline": one} for n, one in enumerate(others)],
        "answers": said,
    }
    case = decode_case(document)

    verdict = case_verdict(case, CARDS)

    chances = [one.p for one in verdict.causes]
    assert all(0 <= p <= 1 for p in chances)
    assert sum(chances) <= 1.001
    assert verdict.is_hostile == (verdict.act == "stop")
    assert verdict.say.count("\n") < 3
    facts = Facts(CARDS[product], user_of(case.user, product), case.timeline, case.now)
    loop_rounds(facts.rounds)
    differences(facts.rounds)
    fleet([(user_of(one.user, product), one.timeline) for one in case.others], case.now)


def test_an_empty_timeline_says_nothing() -> None:
    verdict = case_verdict(decode_case({"product": "sms-2fa", "now": at(0)}), CARDS)

    assert verdict.causes == ()
    assert verdict.act is None


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_one_event_alone_gives_a_verdict(kind: str) -> None:
    required: dict[str, Row] = {
        "password": {"ok": False},
        "challenge": {"challenge": "c"},
        "resend": {"challenge": "c"},
        "send": {"send": "s", "channel": "sms"},
        "delivery": {"send": "s", "state": "failed"},
        "fetch": {"send": "s"},
        "answer": {"challenge": "c", "ok": True},
        "session": {"state": "missing"},
        "redirect": {"count": 9},
        "factor": {"change": "must-enrol"},
        "lock": {"from": at(3)},
        "report": {"what": "not-me"},
        "reset": {"ok": True},
        "call": {},
        "export": {},
        "release": {},
    }
    document = {
        "product": "lead-gen-crm",
        "now": at(0),
        "timeline": [{"kind": kind, "at": at(4), **required[kind]}],
    }

    verdict = case_verdict(decode_case(document), CARDS)

    assert all(0 <= one.p <= 1 for one in verdict.causes)


@pytest.mark.parametrize("cause", STORIES)
def test_a_card_that_nobody_knows_gives_a_verdict_and_no_act_it_does_not_name(cause: str) -> None:
    own = msgspec.structs.replace(
        CARDS["activecampaign"], id="own-product", acts={}, routes=(), asked=(), landing=Fact()
    )
    document = STORIES[cause].document | {"product": "own-product"}

    verdict = case_verdict(decode_case(document), {"own-product": own})

    assert verdict.act in {None, "stop"}


def test_events_after_now_are_taken_as_they_come() -> None:
    document = STORIES["D1"].document | {"now": (NOW - timedelta(hours=1)).isoformat()}

    verdict = case_verdict(decode_case(document), CARDS)

    assert verdict.causes[0].id == "D1"
