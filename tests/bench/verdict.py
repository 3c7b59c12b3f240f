"""Scores the verdict engine on the labelled set, and times it.

    python -m tests.bench.verdict              # the report: odd seeds
    python -m tests.bench.verdict --dev        # development: even seeds
    python -m tests.bench.verdict --dev --cause D2 --show 3

The engine is called through its public contract only: a case file in, one line out.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Union

import msgspec

from helpdesk.domain.diagnosis.casefile import decode_case, verdict_line
from helpdesk.domain.diagnosis.fleet import fleet
from helpdesk.domain.timeline import KINDS
from helpdesk.domain.users import User
from helpdesk.products import load_cards
from tests.bench.brief import brief
from tests.bench.score import Scored, calibration, confusion, scored, share, table
from tests.bench.simulate import RICHNESS, generate, one, seeds_of
from tests.bench.world.plots import CONTROLS

Case = dict[str, Any]
Line = dict[str, Any]
Engine = Callable[[Case], Line]


@cache
def engine() -> Engine:
    """The program's own engine, bound to the cards that come with it."""
    cards = load_cards()
    return lambda case: verdict_line(decode_case(case), cards)


def commonest(cause: str) -> Engine:
    """An engine that always says the same: what any other must beat."""
    line = {"causes": [{"id": cause, "p": 1.0, "strength": "weak"}], "ask": None, "act": None}
    return lambda _: line


def run_seeds(
    seeds: Sequence[int], plots: Sequence[str] | None, richness: str | None
) -> list[Scored]:
    """Generate the cases of some seeds and score the engine on them."""
    judge = engine()
    results = []
    for case in generate(seeds, richness or RICHNESS, plots):
        raw = {key: value for key, value in case.case.items() if key != "truth"}
        begin = time.perf_counter()
        line = judge(raw)
        results.append(scored(case, line, (time.perf_counter() - begin) * 1000))
    return results


def _seed(job: tuple[int, Sequence[str] | None, str | None]) -> list[Scored]:
    return run_seeds([job[0]], job[1], job[2])


def run_all(
    seeds: Sequence[int], plots: Sequence[str] | None, richness: str | None, jobs: int
) -> list[Scored]:
    """As `run_seeds`, on several processors."""
    if jobs == 1:
        return run_seeds(seeds, plots, richness)
    with ProcessPoolExecutor(jobs) as pool:
        work = [(seed, plots, richness) for seed in seeds]
        return [score for part in pool.map(_seed, work) for score in part]


def report(results: Sequence[Scored]) -> Iterator[str]:
    """Give the figures the issue asks for, line by line."""
    caused = [case for case in results if case.truth]
    for richness in RICHNESS:
        mine = [case for case in caused if case.richness == richness]
        if not mine:
            continue
        for name, part in _parts(mine, richness):
            yield (
                f"{name:34} n={len(part):6}  top-1 {share(part, 'top1'):6.1%}  "
                f"main first {share(part, 'main_first'):6.1%}  top-3 {share(part, 'top3'):6.1%}"
            )
        open_ = [case for case in results if case.richness == richness and case.undecidable]
        said_so = share(open_, "honest")
        yield f"{richness}: cannot be decided, said so       n={len(open_):6}  {said_so:6.1%}"
        yield f"{richness}: expected calibration error              {calibration(mine):.3f}"
    yield from _safety(results, caused)
    main = Counter(case.truth[0] for case in caused).most_common(1)
    if main:
        cause, count = main[0]
        yield f"baseline: always {cause:23} {count / len(caused):6.1%}"
    times = sorted(case.ms for case in results)
    if times:
        mean = sum(times) / len(times)
        median = times[len(times) // 2]
        yield f"ms per verdict: mean {mean:.2f}, median {median:.2f}, worst {times[-1]:.1f}"


def _parts(mine: list[Scored], richness: str) -> Iterator[tuple[str, list[Scored]]]:
    yield richness, mine
    yield f"{richness}, one cause", [case for case in mine if len(case.truth) == 1]
    yield f"{richness}, two causes", [case for case in mine if len(case.truth) > 1]
    if richness == "poor":
        yield "poor, only trace dropped", [case for case in mine if case.blind]
        yield "poor, some trace left", [case for case in mine if not case.blind]


def _safety(results: Sequence[Scored], caused: Sequence[Scored]) -> Iterator[str]:
    harm = [case for case in caused if case.harmful]
    yield f"harmful advice                           {len(harm)} of {len(caused)}"
    yield from (f"    {case.name}: {case.act}" for case in harm[:10])
    hostile = [case for case in caused if case.hostile]
    missed = [case for case in hostile if not case.alarmed]
    seen = [case for case in missed if not case.blind and not case.undecidable]
    counts = f"{len(missed)} of {len(hostile)}, with the deciding fact in the log {len(seen)}"
    yield f"group F missed                           {counts}"
    yield from (f"    {case.name}: {case.said[:3]}" for case in seen[:10])
    calm = [
        case for case in results if not case.hostile and "F3/lost phone" not in case.undecidable
    ]
    alarms = [case for case in calm if case.alarmed]
    rate = len(alarms) / max(len(calm), 1)
    yield f"false alarm of F                         {rate:6.2%} of {len(calm)}"
    yield from (f"    {plot}: {n}" for plot, n in Counter(c.plot for c in alarms).most_common(8))
    for control in CONTROLS:
        mine = [case for case in results if case.plot == control]
        if mine:
            said = Counter(case.said[0] if case.said else "-" for case in mine).most_common(5)
            rate = share(mine, "alarmed")
            yield f"control {control:12} n={len(mine):5} alarms {rate:6.2%} said {said}"


def tables(results: Sequence[Scored]) -> Iterator[str]:
    """Give recall and precision per cause, and the commonest mistakes."""
    for richness in RICHNESS:
        mine = [case for case in results if case.truth and case.richness == richness]
        yield f"{richness}: cause  n  recall  precision  said instead"
        for cause, count, recall, precision, instead in table(mine):
            yield f"  {cause:4} {count:5} {recall:7.1%} {precision:7.1%}  {instead}"
        yield f"{richness}: played → said: " + ", ".join(
            f"{plot}→{said} {count}" for plot, said, count in confusion(mine)
        )


def long_case(events: int) -> Case:
    """A case whose customer has *events* rows: a real trouble after very many quiet days."""
    case = copy.deepcopy(one(1, "D2", "partner-portal", "rich").case)
    timeline = case["timeline"]
    first = min(row["at"] for row in timeline)
    quiet = [row for row in timeline if row["at"][:10] != case["now"][:10]] or timeline
    rows, shift = list(timeline), 0
    while len(rows) < events:
        shift += 30
        for row in quiet:
            new = dict(row)
            for key in ("at", "expires_at", "trust_since", "from", "until"):
                if isinstance(new.get(key), str) and new[key][:2] == "20":
                    moment = datetime.fromisoformat(new[key]) - timedelta(days=shift)
                    new[key] = moment.isoformat().replace("+00:00", "Z")
            for key in ("id", "challenge", "send"):
                if isinstance(new.get(key), str):
                    new[key] = f"{new[key]}-{shift}"
            rows.append(new)
    assert first
    case["timeline"] = sorted(rows[:events], key=lambda row: str(row["at"]))
    return case


def _named(row: Case) -> Case:
    """Give an event without what its kind does not name, which is read apart."""
    kind = KINDS[row["kind"]]
    return {key: row[key] for key in row if key in {"kind", *kind.__struct_encode_fields__}}


def best_of(times: int, what: Callable[[], object]) -> float:
    """The least milliseconds that *what* took."""
    least = float("inf")
    for _ in range(times):
        begin = time.perf_counter()
        what()
        least = min(least, time.perf_counter() - begin)
    return least * 1000


def tempo(judge: Engine) -> Iterator[str]:
    """Give the times: 10,000 events beside msgspec decoding them, and many users at once."""
    case = long_case(10_000)
    data = msgspec.json.encode([*map(_named, case["timeline"])])
    decoder = msgspec.json.Decoder(list[Union[tuple(KINDS.values())]])  # type: ignore[misc]  # noqa: UP007
    decoding = best_of(5, lambda: decoder.decode(data))
    judging = best_of(3, lambda: judge(case))
    yield (
        f"10,000 events: msgspec decodes them in {decoding:.1f} ms, a verdict from the raw case "
        f"takes {judging:.1f} ms: {judging / decoding:.1f} times (20 allowed)"
    )
    crowd = one(1, "C5", "partner-portal", "rich").case
    others = crowd["others"]
    for users in (1000, 2000, 4000, 8000):
        many = {**crowd, "others": [
            {**others[n % len(others)], "user": {"id": f"x{n}", "account": f"a{n % 500}"}}
            for n in range(users)
        ]}  # fmt: skip
        taken = best_of(1, lambda many=many: judge(many))  # type: ignore[misc]
        each = taken / users * 1000
        yield f"one case beside {users:5} others: {taken:8.1f} ms, {each:6.1f} µs a user"
    yield from crowds(crowd)


def crowds(case: Case) -> Iterator[str]:
    """Give the time of a pass over many users' last hours, for more and more users."""
    told = decode_case(case)
    hour = told.now - timedelta(hours=1)
    last = [tuple(e for e in other.timeline if e.at >= hour) for other in told.others]
    for users in (12_500, 25_000, 50_000, 100_000):
        pairs = [
            (
                User(
                    id=f"x{n}", name="", login="", account=f"a{n % 5000}", product=told.product,
                    role="",
                ),
                last[n % len(last)],
            )
            for n in range(users)
        ]  # fmt: skip
        taken = best_of(1, lambda pairs=pairs: fleet(pairs, told.now))  # type: ignore[misc]
        rows = sum(len(rows) for _, rows in pairs)
        each = taken / users * 1000
        yield f"fleet pass: {users:6} users, {rows:7} rows: {taken:8.1f} ms, {each:6.1f} µs a user"


def show(results: Sequence[Scored], count: int) -> Iterator[str]:
    """Give the first *count* cases that went wrong, with what was said."""
    judge = engine()
    wrong = [case for case in results if case.truth and not (case.top1 and case.top3)]
    wrong += [case for case in results if case.undecidable and case.truth and not case.honest]
    wrong += [case for case in results if not case.truth and case.alarmed]
    for name in list(dict.fromkeys(case.name for case in wrong))[:count]:
        _, product, seed, richness = name.rsplit("_", 3)
        plot = next(case.plot for case in wrong if case.name == name)
        case = one(int(seed), plot, product, richness)
        yield f"\n== {name} truth={case.truth} undecidable={case.undecidable}"
        yield f"  lacks={case.lacks} {case.disorder} blind={case.blind}"
        yield from brief(case.case, 30)
        yield "  said " + json.dumps(judge(case.case), ensure_ascii=False)


def main() -> None:
    """Print the report, or look into one cause."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="the development half: even seeds")
    parser.add_argument("--seeds", type=seeds_of, default=seeds_of("0-79"))
    parser.add_argument("--cause", action="append", help="only this plot; may be repeated")
    parser.add_argument("--richness", choices=RICHNESS)
    parser.add_argument("--show", type=int, default=0, help="print so many failing cases")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-times", action="store_true")
    given = parser.parse_args()
    half = [seed for seed in given.seeds if seed % 2 == (0 if given.dev else 1)]
    write = sys.stdout.write
    results = run_all(half, given.cause, given.richness, given.jobs)
    lines = [*tables(results), *report(results), *show(results, given.show)]
    if not given.no_times and not given.cause:
        lines += tempo(engine())
    write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
