"""The labelled set: cases whose cause was put into a simulated world, written as case files.

    python -m tests.bench.simulate --seeds 0-39 --out DIR

One seed gives each cause in each product where it can occur once, rich and poor, with pairs of
causes and harmless controls besides. Even seeds are for development, odd seeds for the report.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.world.doubt import REPLIES, undecidable
from tests.bench.world.logs import write
from tests.bench.world.plots import CONTROLS, FACTORS, PLOTS, SENT, TWO, says, setting
from tests.bench.world.products import RULES, WHERE
from tests.bench.world.stage import Stage

RICHNESS = ("rich", "poor")
OWN_MAILBOX = frozenset({"C1", "C1+C10", "C2", "C9"})
"""Plots whose evidence is whose mailbox it is."""


@dataclass(frozen=True)
class Labelled:
    """A case and what is known about it beside its truth.

    Attributes:
        name: Unique and stable: plot, product, seed, richness.
        plot: What was played: a cause, two joined by `+`, or a control.
        undecidable: Pairs whose deciding fact is not in the log.
        lacks: What a poor log lacks.
        blind: Whether even the only trace of the cause was dropped.
    """

    name: str
    plot: str
    product: str
    seed: int
    richness: str
    case: dict[str, Any]
    truth: tuple[str, ...]
    undecidable: tuple[str, ...]
    lacks: tuple[str, ...]
    disorder: tuple[str, ...]
    blind: bool

    @property
    def label(self) -> dict[str, Any]:
        """The sidecar: everything but the case."""
        return {
            "file": f"{self.name}.json", "plot": self.plot, "product": self.product,
            "seed": self.seed, "richness": self.richness, "truth": self.truth,
            "undecidable": self.undecidable, "lacks": self.lacks, "disorder": self.disorder,
            "blind": self.blind,
        }  # fmt: skip


def programme() -> Iterator[tuple[str, str]]:
    """Every (plot, product) that one seed plays."""
    for cause, products in WHERE.items():
        for product in products:
            yield cause, product
    for name, (_, products, _) in TWO.items():
        for product in products:
            yield name, product
    for control, (products, _) in CONTROLS.items():
        for product in products:
            yield control, product


def generate(
    seeds: Iterable[int],
    richness: str | Iterable[str] = RICHNESS,
    only: Iterable[str] | None = None,
) -> Iterator[Labelled]:
    """Give the labelled cases of *seeds*, of all plots or *only* some."""
    wanted = None if only is None else set(only)
    kinds = (richness,) if isinstance(richness, str) else tuple(richness)
    for seed in seeds:
        for plot, product in programme():
            if wanted is None or plot in wanted:
                for kind in kinds:
                    yield one(seed, plot, product, kind)


def one(seed: int, plot: str, product: str, richness: str) -> Labelled:
    """The case of one seed, plot, product and richness: always the same."""
    key = f"{seed}/{plot}/{product}"
    stage = _stage(key, plot, product)
    scene = stage.scene
    if plot in TWO:
        truth, _, play = TWO[plot]
    else:
        truth = () if plot in CONTROLS else (plot,)
        play = CONTROLS[plot][1] if plot in CONTROLS else PLOTS[plot]
    scene.truth = list(truth)
    scene.complaint = says(truth[0] if truth else plot, stage.world.rng)
    if stage.world.chance(0.03):
        stage.server.chatty = 400
    play(stage)
    if not scene.shown and stage.world.chance(0.2):
        stage.passers_by()
    now = stage.finish()
    _also(stage, plot)
    truth = tuple(scene.truth)
    rng = random.Random(f"{key}/{richness}")
    written = write(stage, now, richness, rng)
    open_ = undecidable(stage, written)
    reply = REPLIES.get(open_[0], {}).get(truth[0]) if open_ and truth else None
    if reply and rng.random() < 0.25:
        written.case.setdefault("answers", []).append({"ask": open_[0], "reply": rng.choice(reply)})
        open_ = undecidable(stage, written)
    return Labelled(
        name=f"{plot.replace('+', '-')}_{product}_{seed:03d}_{richness}", plot=plot,
        product=product, seed=seed, richness=richness, case=written.case, truth=truth,
        undecidable=tuple(open_), lacks=tuple(sorted(written.lacks)),
        disorder=written.disorder, blind=written.blind,
    )  # fmt: skip


def _also(stage: Stage, plot: str) -> None:
    """Add to the truth what the world made of the plot besides."""
    late = [
        why
        for who, at, why in stage.server.refusals
        if who == stage.me.record.id and at >= stage.trouble
    ]
    if plot == "C3" and "expired" in late:
        stage.scene.truth.append("D1")


def _stage(key: str, plot: str, product: str) -> Stage:
    rng = random.Random(f"{key}/stage")
    if plot in TWO:
        main = TWO[plot][0][0]
        mode, factor = setting(main, product, rng)
        if plot in ("D1+A2", "C2+A3") and "device" in RULES[product].modes:
            mode = "device"
        wanted = FACTORS.get(main, SENT) & SENT
        if plot == "D9+D4":
            wanted = frozenset({"totp"})
        if plot in ("D2+C3", "C3+D1"):
            wanted = frozenset({"email", "sms"})
        factor = rng.choice([f for f in RULES[product].factors if f in wanted])
    else:
        mode, factor = setting(plot, product, rng)
    stage = Stage(key, product, mode=mode, factor=factor)
    if product == "partner-portal" and plot not in OWN_MAILBOX and rng.random() < 0.45:
        # A mailbox the whole agency reads, and the customer with it.
        login = stage.me.record.login
        stage.me.record.mailbox.address = f"mfa@{login.partition('@')[2]}"
    return stage


def seeds_of(text: str) -> list[int]:
    """The seeds that `0-39` or `1,3,5` names."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def main() -> None:
    """Write the cases and one sidecar line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-39", type=seeds_of)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--cause", action="append", help="only this plot; may be repeated")
    parser.add_argument("--richness", choices=RICHNESS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for case in generate(given.seeds, given.richness or RICHNESS, given.cause):
            text = json.dumps(case.case, ensure_ascii=False, indent=1)
            (given.out / f"{case.name}.json").write_text(text, encoding="utf-8")
            labels.write(json.dumps(case.label, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
