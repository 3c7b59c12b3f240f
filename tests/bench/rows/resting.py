"""M: what a console costs while nobody presses a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.run import Run, peer, row
from tests.bench.screen import Screen
from tests.bench.table import Goal, Printed, Sample, line

REST_S = 20.0


@row("M1")
def memory(run: Run) -> Iterator[Printed]:
    """Resident memory with the list shown, at each size, beside a bare hello."""
    for users in run.sizes:
        with run.console(users) as ours, Screen(peer("hello")) as hello:
            hello.until("READY")
            found = {
                "ours": Sample([ours.memory_mb()], "MiB"),
                "Textual hello": Sample([hello.memory_mb()], "MiB"),
            }
            yield line("M1", "memory, list shown", found, {"Textual hello": Goal(most=1.3)}, users)


@row("M3")
def idle(run: Run) -> Iterator[Printed]:
    """Processor time and bytes of a second in which nothing happens, no code being live."""
    with ExitStack() as open_:
        screens = {
            "ours": open_.enter_context(run.console(1_000)),
            "Textual hello": open_.enter_context(Screen(peer("hello"))),
        }
        screens["Textual hello"].until("READY")
        screens["ours"].press(b"/zzzz", "0 found")  # nobody: no code counts down
        for screen in screens.values():
            screen.rest(3)  # what was looked at is written down
        seconds = REST_S / 4 if run.is_quick else REST_S
        cost: dict[str, list[float]] = {name: [] for name in screens}
        bytes_: dict[str, list[float]] = {name: [] for name in screens}
        for name, screen in screens.items():
            before = screen.cpu_ms()
            bytes_[name].append(screen.rest(seconds) / seconds)
            cost[name].append((screen.cpu_ms() - before) / seconds)
        found = {name: Sample(each, "ms CPU/s") for name, each in cost.items()}
        found["0.3 % of a core"] = Sample([3.0], "ms CPU/s")
        goals = {"Textual hello": Goal(most=2), "0.3 % of a core": Goal(most=1)}
        yield line("M3", "at rest", found, goals)
        said = Sample([bytes_["ours"][0]], "bytes/s")
        yield line(
            "M3",
            "at rest, written",
            {"ours": said, "one byte": Sample([1], "bytes/s")},
            {"one byte": Goal(most=1)},
        )
