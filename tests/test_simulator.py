"""The simulated world: what its case files promise to whoever scores an engine on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.events import decode_timeline
from helpdesk.domain.timeline import Other
from tests.bench.score import Scored, calibration, scored, share
from tests.bench.simulate import Labelled, generate, main, one, seeds_of
from tests.bench.verdict import commonest, long_case, report
from tests.bench.world.doubt import PAIRS
from tests.bench.world.logs import DROPS
from tests.bench.world.plots import CONTROLS, PLOTS, TWO
from tests.bench.world.products import RULES, WHERE

DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@cache
def sample() -> tuple[Labelled, ...]:
    """Two seeds of everything, one of each half."""
    return tuple(generate((0, 1)))


def rows(case: Labelled) -> list[dict[str, Any]]:
    others = [row for other in case.case.get("others", ()) for row in other["timeline"]]
    return [*case.case["timeline"], *others]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_same_seed_gives_the_same_case() -> None:
    again = tuple(generate([1], only=["D2", "F3", "C5"]))

    before = [case for case in sample() if case.seed == 1 and case.plot in ("D2", "F3", "C5")]

    assert json.dumps([c.case for c in again]) == json.dumps([c.case for c in before])


def test_another_seed_gives_another_case() -> None:
    texts = {json.dumps(one(seed, "D2", "partner-portal", "rich").case) for seed in range(20)}

    assert len(texts) == 20


def test_all_fifty_causes_are_played_in_each_product_where_they_can_occur() -> None:
    played = Counter((case.plot, case.product, case.richness) for case in sample())

    wanted = {(c, p, r) for c, ps in WHERE.items() for p in ps for r in ("rich", "poor")}

    assert len(PLOTS) == len(WHERE) == 50
    assert wanted <= played.keys()
    assert set(RULES) == {product for products in WHERE.values() for product in products}


def test_each_case_decodes_as_a_timeline_oldest_first() -> None:
    for case in sample():
        events = decode_timeline(case.case["timeline"])

        assert list(events) == sorted(events, key=lambda event: event.at)
        for other in case.case.get("others", ()):
            decode_timeline(other["timeline"])


def test_nothing_is_logged_after_now() -> None:
    late = [
        (case.name, row)
        for case in sample()
        for row in rows(case)
        if moment(row["at"]) > moment(case.case["now"])
    ]

    assert late == []


def test_the_trouble_is_in_the_log_shortly_before_now() -> None:
    for case in sample():
        last = [moment(row["at"]) for row in case.case["timeline"]]

        assert last, case.name
        assert moment(case.case["now"]) - max(last) < timedelta(hours=2), case.name


def test_every_address_belongs_to_nobody() -> None:
    for case in sample():
        text = json.dumps(case.case, ensure_ascii=False)

        hosts = re.findall(r"@([\w.-]+)", text) + re.findall(r"https?://([\w.-]+)", text)
        ips = [row["ip"] for row in rows(case) if "ip" in row]

        assert all(host.endswith(".example") for host in hosts)
        assert all(any(ip_address(ip) in net for net in DOCUMENTATION) for ip in ips)
        assert set(re.findall(r"\+\d+", text)) <= set(re.findall(r"\+155501\d+", text))


@pytest.mark.parametrize("word", sorted(DROPS))
def test_a_poor_log_lacks_what_its_label_says(word: str) -> None:
    cases = [case for case in sample() if word in case.lacks]

    for case in cases:
        for place in DROPS[word]:
            kind, _, key = place.partition(".")
            for row in rows(case):
                named = kind in ("*", row["kind"])
                assert not named or (key != "" and row.get(key) is None), (case.name, place)


def test_one_word_for_every_refusal_leaves_one_word() -> None:
    cases = [case for case in sample() if "one-word" in case.lacks]

    for case in cases:
        reasons = {
            row.get("reason") for row in rows(case) if row["kind"] == "answer" and not row["ok"]
        }
        assert len(reasons) <= 1 or len(case.case.get("others", ())) > 0
    assert len(cases) > 10


def test_a_rich_log_lacks_nothing_and_is_in_order() -> None:
    cases = [case for case in sample() if case.richness == "rich"]

    for case in cases:
        times = [row["at"] for row in case.case["timeline"]]
        assert case.lacks == ()
        assert times == sorted(times)


def test_the_case_never_carries_the_sidecar() -> None:
    for case in sample():
        assert case.case["truth"] == list(case.truth)
        assert not {"undecidable", "lacks", "blind"} & case.case.keys()
        assert set(case.undecidable) <= set(PAIRS)


def test_some_logs_come_twice_shuffled_or_with_kinds_nobody_knows() -> None:
    disorder = Counter(word for case in sample() for word in case.disorder)
    strange = [
        case
        for case in sample()
        if any(isinstance(e, Other) for e in decode_timeline(case.case["timeline"]))
    ]

    assert min(disorder.values()) > 5
    assert set(disorder) == {"missing", "twice", "shuffled", "minutes", "mail-clock", "no-ids"}
    assert strange


def test_shared_causes_come_with_others_in_the_same_trouble() -> None:
    cases = [c for c in sample() if c.plot in ("C5", "D4b", "E2", "B8") and c.richness == "rich"]

    assert cases
    assert all(len(case.case["others"]) >= 3 for case in cases)


def test_two_causes_are_labelled_main_first() -> None:
    cases = [case for case in sample() if case.plot in TWO]

    assert {case.truth[:2] for case in cases} == {truth for truth, _, _ in TWO.values()}


def test_an_open_pair_has_the_main_cause_on_one_side() -> None:
    for case in sample():
        for pair in case.undecidable:
            sides = pair.split("/")

            assert (case.truth[0] if case.truth else "lost phone") in sides


def test_a_drift_without_others_cannot_tell_the_phone_from_the_server() -> None:
    cases = [c for c in generate(range(8), "poor", ["D4b"]) if "others" in c.lacks]

    drifts = [c for c in cases if any("drift_s" in row for row in c.case["timeline"])]

    assert drifts
    assert all("D4/D4b" in case.undecidable for case in drifts)


def test_a_question_the_caller_answered_is_no_longer_open() -> None:
    answered = [c for c in generate(range(30), "poor", ["C3", "E1"]) if "answers" in c.case]

    assert answered
    for case in answered:
        assert not {said["ask"] for said in case.case["answers"]} & set(case.undecidable)


def test_the_command_writes_a_file_a_case_and_a_label_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["simulate", "--seeds", "0", "--cause", "D2", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", given)

    main()

    lines = (tmp_path / "labels.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(text) for text in lines]
    cases = sorted(path.name for path in tmp_path.glob("*.json"))
    assert sorted(label["file"] for label in labels) == cases
    assert len(cases) == 2 * len(WHERE["D2"])


def test_the_world_knows_nothing_of_the_program() -> None:
    world = Path(__file__).parent / "bench" / "world"

    told = [path.name for path in world.glob("*.py") if "import helpdesk" in path.read_text("utf-8")
            or "from helpdesk" in path.read_text("utf-8")]  # fmt: skip

    assert list(world.glob("plots_*.py"))
    assert told == []


def test_controls_have_no_cause() -> None:
    assert {c.truth for c in sample() if c.plot in CONTROLS} == {()}


def test_seeds_are_read_as_ranges_and_lists() -> None:
    assert seeds_of("0-3,7") == [0, 1, 2, 3, 7]


def test_a_refused_older_code_is_in_the_log_as_one() -> None:
    for seed in range(12):
        case = one(seed, "D2", "partner-portal", "rich")

        answers = [r for r in case.case["timeline"] if r["kind"] == "answer" and not r["ok"]]
        sends = [r["send"] for r in case.case["timeline"] if r["kind"] == "send"]

        assert any(a.get("send") in sends[:-1] for a in answers)


def test_a_case_can_be_made_as_long_as_one_likes() -> None:
    case = long_case(3000)

    assert len(decode_timeline(case["timeline"])) == 3000


# -- the scorer ------------------------------------------------------------------------------


def line(*causes: str, p: float = 0.9, ask: str | None = None, act: str | None = None) -> Any:
    return {
        "causes": [{"id": cause, "p": p, "strength": "strong"} for cause in causes],
        "ask": ask,
        "act": act,
    }


def said(plot: str, product: str, answer: dict[str, Any]) -> Scored:
    return scored(one(1, plot, product, "rich"), answer, 1.0)


def test_always_saying_the_commonest_cause_is_right_as_often_as_it_is_common() -> None:
    cases = [case for case in sample() if case.truth]
    judge = commonest("D1")

    results = [scored(case, judge(case.case), 1.0) for case in cases]

    assert 0 < share(results, "top1") < 0.1
    assert any(text.startswith("rich") for text in report(results))


def test_a_reset_for_a_loop_is_harmful_and_a_route_is_not() -> None:
    assert said("E1", "partner-portal", line("E1", act="reset-all")).harmful
    assert not said("E1", "partner-portal", line("E1", act="route")).harmful


def test_any_act_but_holding_still_is_harmful_while_an_attacker_is_about() -> None:
    assert said("F3", "lead-gen-crm", line("F3", act="send-code")).harmful
    assert not said("F3", "lead-gen-crm", line("F3", act="stop")).harmful


def test_another_code_is_harmful_where_waiting_is_the_cure() -> None:
    assert said("C3", "partner-portal", line("C3", act="send-code")).harmful
    assert not said("D1", "partner-portal", line("D1", act="send-code")).harmful


def test_an_open_pair_wants_both_candidates_and_the_question() -> None:
    case = next(c for c in generate(range(40), "poor", ["C3"]) if "C3/C2" in c.undecidable)

    assert scored(case, line("C2", "C3", ask="C3/C2"), 1.0).honest
    assert not scored(case, line("C2", "C3"), 1.0).honest
    assert not scored(case, line("C2", "C1", "C3", ask="C3/C2"), 1.0).honest


def test_a_number_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    right = [said("D1", "partner-portal", line("D1", p=0.75))] * 3
    wrong = [said("D1", "partner-portal", line("D2", p=0.75))]

    assert calibration(right + wrong) == pytest.approx(0.0)
    assert calibration(wrong) == pytest.approx(0.75)


def test_now_is_after_the_epoch_of_the_products() -> None:
    assert all(moment(case.case["now"]) > datetime(2026, 1, 1, tzinfo=UTC) for case in sample())
