"""Pictures of the verdict and its two dialogs, to be looked at by eye when they change.

The verdicts are written here, so that only the looks can change a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.diagnosis.drift import Drift, DriftState
from helpdesk.domain.diagnosis.fleet import FleetFinding, FleetFindings
from helpdesk.domain.diagnosis.verdicts import (
    CallerSaid,
    Evidence,
    Heard,
    NoUse,
    Question,
    RankedCause,
    Reply,
    Source,
    Strength,
    Verdict,
)
from helpdesk.tui.app import HelpdeskApp
from tests.tui.console import NOW, Console, Slow, demo_desk, login_of
from tests.tui.looks import SIZES, Walk, looks_the_same

HOSTILE, UNDECIDED, APP = "u158", "u217", "u84"
CALLER = Evidence(says="the caller says: Yes, it works there.", weight=5.0, source=Source.CALLER)
VERDICTS = {
    HOSTILE: Verdict(
        causes=(
            RankedCause(
                id="F1",
                title="codes nobody asked for: somebody has the password",
                p=0.998,
                strength=Strength.CERTAIN,
                evidence=(
                    Evidence(says="asked from a foreign place", weight=7.0, events=("#9",)),
                    Evidence(says="the user did not ask for these codes", weight=4.5),
                ),
                against=(Evidence(says="the browser is known", weight=-1.0, events=("#2",)),),
            ),
        ),
        say="Somebody else seems to know your password. Change it now,\nand give a code to nobody.",
        act="stop",
        act_says="Stop. End the sessions and flag the user; no reset.",
        will_not_help=(
            NoUse(act="reset-all", why="hostile until shown otherwise (F1)"),
            NoUse(act="send-code", why="hostile until shown otherwise (F1)"),
        ),
        is_hostile=True,
    ),
    UNDECIDED: Verdict(
        causes=(
            RankedCause(
                id="E2",
                title="a stale cookie after a release",
                p=0.62,
                strength=Strength.STRONG,
                evidence=(CALLER, Evidence(says="accepted, and asked again", weight=4.0)),
            ),
            RankedCause(
                id="E1", title="a loop: the session is not kept", p=0.31, strength=Strength.WEAK
            ),
        ),
        ask=Question(
            pair="E1/E2",
            text="Does a private window work?",
            lacks="word of others",
            replies=(
                Reply(id="works", text="Yes, it works there."),
                Reply(id="same", text="No, it is the same there."),
            ),
        ),
        cannot_tell="cannot tell E1 from E2, because the log has no word of others",
        say="Since our last change an old cookie is in the way. Delete our site's cookies.",
        act="route",
        act_says="Pass it to the product team; the site's cookies must go.",
        will_not_help=(NoUse(act="reset-all", why="a reset will not help: accepted (E2)"),),
        also_others="7 users are sent in circles since 13:20 UTC (E2)",
        heard=(Heard(ask="E1/E2", said="hm", reply=""),),
    ),
}
FLEET = FleetFindings(
    findings=(
        FleetFinding(
            cause="E2",
            says="7 users are sent in circles since 13:20 UTC",
            users=tuple(f"u{n}" for n in range(7)),
            since=datetime(2026, 5, 4, 13, 20, tzinfo=UTC),
            until=NOW,
            product="lead-gen-crm",
        ),
    )
)


class Written(Slow):
    """A desk with verdicts, readings and findings of this file."""

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict written here; of anybody else none."""
        return VERDICTS.get(user, Verdict())

    async def drift(self, user: str, factor: str, codes: Sequence[str]) -> Drift:
        """Give a phone that is fast."""
        says = "The phone is 90 s fast; the secret is right. Set its time to automatic."
        return Drift(state=DriftState.DRIFTED, says=says, offset_s=90)

    async def fleet(self) -> FleetFindings:
        """Give one finding."""
        return FLEET


async def hostile(agent: Console) -> None:
    await agent.find(login_of(HOSTILE), HOSTILE)
    await agent.sees("STOP")


async def undecided(agent: Console) -> None:
    await agent.find(login_of(UNDECIDED), UNDECIDED)
    await agent.sees("a stale cookie")


async def asking(agent: Console) -> None:
    await undecided(agent)
    await agent.press("q")
    await agent.sees("Ask the caller")


async def drift(agent: Console) -> None:
    await agent.find(login_of(APP), APP)
    await agent.press("d")
    await agent.sees("Drift meter")
    await agent.type("123456")
    await agent.press("enter")
    await agent.sees("90 s fast")


async def crowd(agent: Console) -> None:
    await agent.press("3")
    await agent.sees("reset nobody", "Channel")


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., bool]:
    """Walk somewhere and compare what is shown with the picture kept of it."""

    def take(walk: Walk, size: str, theme: str = "dark") -> bool:
        desk: Any = Written(demo_desk(tmp_path))
        app = HelpdeskApp(desk, theme=theme, clock=lambda: NOW)
        return looks_the_same(snap_compare, app, size, walk)

    return take


@pytest.mark.parametrize("size", SIZES)
def test_a_verdict_looks_as_it_was_looked_at(picture: Callable[..., bool], size: str) -> None:
    assert picture(hostile, size)


@pytest.mark.parametrize(
    ("walk", "size"),
    [(undecided, "130x34"), (asking, "80x24"), (drift, "130x34"), (crowd, "80x24")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_belongs_to_it_looks_as_it_was_looked_at(
    picture: Callable[..., bool], walk: Walk, size: str
) -> None:
    assert picture(walk, size)


@pytest.mark.parametrize("theme", ["light", "high-contrast", "monochrome"])
def test_it_looks_well_in_every_theme(picture: Callable[..., bool], theme: str) -> None:
    assert picture(hostile, "130x34", theme)
