"""Every place, dialog and page of the console on a desk that answers with hostile text only.

    desk (one text in every field) ─▶ console ─▶ frame ─▶ cells, links, actions, what is readable

One console shows one text after the other; after a fault the next text gets a new one.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from rich.cells import cell_len
from textual.screen import Screen

import helpdesk.tui
from helpdesk.domain.actions import ACTIONS, SendCode
from helpdesk.domain.approvals import Approval
from helpdesk.domain.cases import Case, Handover, Preview, Weighed
from helpdesk.domain.decisions import Decision, Need
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.offline import Wish
from helpdesk.domain.originals import Original
from helpdesk.domain.products import Product
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.domain.signing import SignInPrompt
from helpdesk.domain.text import clean
from helpdesk.domain.training.scoring import Score
from helpdesk.tui.app import HelpdeskApp
from helpdesk.tui.dialogs.act import ActDialog
from helpdesk.tui.dialogs.approving import ApprovalDialog, FiledDialog
from helpdesk.tui.dialogs.asking import AskDialog
from helpdesk.tui.dialogs.drift import DriftDialog
from helpdesk.tui.dialogs.ending import CauseDialog, DebriefDialog, SayDialog
from helpdesk.tui.dialogs.event import EventDialog
from helpdesk.tui.dialogs.fields import Field
from helpdesk.tui.dialogs.guarded import Dialog, Guarded
from helpdesk.tui.dialogs.outbox import OutboxDialog
from helpdesk.tui.dialogs.pages import (
    HandoverDialog,
    MoreDialog,
    PageDialog,
    ReasonsDialog,
    RefusedDialog,
)
from helpdesk.tui.dialogs.proving import Caller, PhoneDialog, VerifyDialog
from helpdesk.tui.dialogs.signing import SignInDialog
from helpdesk.tui.render.manual import card_page
from helpdesk.tui.render.verdict import whole
from helpdesk.tui.screens.curtain import Curtain
from helpdesk.tui.screens.desk import DeskScreen
from helpdesk.tui.widgets.why import NAMED
from tests.reliability.rows import is_over, tell
from tests.reliability.spoiled import NOW, SpoiledDesk, Spoiler, all_errors
from tests.tui.console import Console

SIZES: Final = ((130, 34), (80, 24), (200, 50))
"""Columns and lines, by turns."""

READABLE: Final = 4
"""Characters of a text that have to be there, spaces aside, where it is shown at all."""

FROZEN_S: Final = 1.0
"""Seconds of processor that one view may take."""

TURNS: Final = 300
"""Rounds of the event loop in which a view has to come to rest."""

_UNSEEN = frozenset("\u200c\u200d\ufe0e\ufe0f") | {chr(n) for n in range(0xE0100, 0xE01F0)}
_FRAMES = frozenset("│╭╮╰╯─▐▌┃█▁▂▃▄▅▆▇ \u00a0")


def answers(value: Any) -> Callable[..., Awaitable[Any]]:
    """Give what answers whatever it is asked with one value."""

    async def answer(*_given: Any, **_more: Any) -> Any:
        return value

    return answer


def _act(s: Spoiler) -> ActDialog:
    name = list(ACTIONS)[s.turn % len(ACTIONS)]
    action = ACTIONS[name](user=s.text or "u1", reason=s.text)
    options = ((s.text, s.text), ("b", s.text))
    fields = (
        Field(name="reason", label="Reason", options=options, value=s.text),
        Field(name="ticket", label="Ticket", takes_words=True),
    )
    found: Weighed = s.of(Weighed)
    return ActDialog(action, found, s.of(Case), fields, answers(found), says=s.text)


def _caller(s: Spoiler) -> Caller:
    return Caller(
        case=s.of(Case),
        ticket=s.text,
        wish=s.text,
        ways=answers((s.of(Way), s.of(Way))),
        ask=answers(s.of(Asking)),
        answer=answers(s.of(Proof)),
        lacks=answers(s.text),
        clock=lambda: NOW,
        phone=answers((s.of(Handover),)),
    )


def _verdict_page(s: Spoiler) -> MoreDialog:
    shown = whole(s.of(Verdict), s.of(Case), [s.of(CallerSaid)], {}, NAMED, 100)
    return MoreDialog(s.text, shown, frozenset())


DIALOGS: Final[Mapping[type[Screen[Any]], Callable[[Spoiler], Screen[Any]]]] = {
    ActDialog: _act,
    ApprovalDialog: lambda s: ApprovalDialog(
        s.of(Approval), s.of(Case), s.of(Product), s.of(Preview), NOW, is_mine=bool(s.turn % 2),
        why_not=s.text,
    ),
    AskDialog: lambda s: AskDialog(s.of(Case), s.of(Verdict), (s.of(CallerSaid),), says=s.text),
    CauseDialog: lambda s: CauseDialog([(s.text, s.text)]),
    DebriefDialog: lambda s: DebriefDialog(s.of(Score), [(s.text, s.text, s.text)]),
    DriftDialog: lambda s: DriftDialog(s.of(Case), NOW, answers(s.of(Drift))),
    EventDialog: lambda s: EventDialog(s.of(Case), s.turn % 9, answers(s.of(Original))),
    FiledDialog: lambda s: FiledDialog(
        SendCode(user=s.text or "u1"), s.of(Need), s.of(Case), s.text
    ),
    HandoverDialog: lambda s: HandoverDialog(s.of(Handover), NOW),
    MoreDialog: _verdict_page,
    OutboxDialog: lambda s: OutboxDialog([s.of(Wish)], NOW),
    PageDialog: lambda s: PageDialog(s.text, card_page(s.of(Product))),
    PhoneDialog: lambda s: PhoneDialog(s.text, [s.of(Handover)]),
    ReasonsDialog: lambda s: ReasonsDialog(s.of(Case)),
    RefusedDialog: lambda s: RefusedDialog(
        s.of(Case), s.of(Decision), can_route=True, copy=lambda: None
    ),
    SayDialog: lambda s: SayDialog(),
    SignInDialog: lambda s: SignInDialog(s.of(SignInPrompt)),
    VerifyDialog: lambda s: VerifyDialog(_caller(s)),
    Curtain: lambda s: Curtain("helpdesk", s.text, "sign in"),
}  # fmt: skip
"""Every dialog there is, filled with one text; and the curtain."""

SILENT: Final = frozenset({SayDialog.__name__})
"""Views that show nothing from outside."""


def all_dialogs() -> set[type[Screen[Any]]]:
    """Give all dialogs of the console, whether anything has opened them yet or not."""
    for module in pkgutil.walk_packages(helpdesk.tui.__path__, "helpdesk.tui."):
        importlib.import_module(module.name)

    def kinds(of: type[Screen[Any]]) -> Iterator[type[Screen[Any]]]:
        for kind in of.__subclasses__():
            yield from ([] if kind is Guarded else [kind])
            yield from kinds(kind)

    return set(kinds(Dialog)) | {Curtain}


def squeezed(text: str) -> str:
    """Give a text without blanks and frames, to be looked for where lines are broken anywhere."""
    return "".join(c for c in text if c not in _FRAMES and c not in _UNSEEN)


def wrong_with(agent: Console, text: str, *, is_silent: bool = False) -> Iterator[str]:
    """Give what is wrong with what is shown now, each in a few words."""
    width = agent.app.size.width
    strips = agent.app.screen._compositor.render_strips()
    for strip in strips:
        line = strip.text
        if odd := {c for c in line if not c.isprintable() and c not in _UNSEEN}:
            yield f"shows {sorted(odd)!r}"
        if cell_len(line) != width:
            yield f"a line of {cell_len(line)} cells of {width}"
        for segment in strip:
            if segment.style and segment.style.link:
                yield f"a link to {segment.style.link!r}"
            if segment.style and "@click" in segment.style.meta:
                yield f"an action: {segment.style.meta!r}"
    wanted = squeezed(clean(text, limit=60))[:READABLE]
    if wanted and not is_silent and wanted not in squeezed("".join(s.text for s in strips)):
        yield f"{wanted!r} cannot be read"


async def rests(agent: Console) -> None:
    """Wait until nothing is shown anew, without waiting for the sake of waiting."""
    before, calm = "", 0
    for _ in range(TURNS):
        await agent.pilot.pause()
        now = agent.text
        calm = calm + 1 if now == before and agent._has_taken_all else 0
        if agent.app._exception is not None:
            raise agent.app._exception
        if calm >= 2:
            return
        before = now


@asynccontextmanager
async def opened(desk: SpoiledDesk, size: tuple[int, int]) -> AsyncIterator[Console]:
    """Give a console on a desk, at rest."""
    app = HelpdeskApp(desk, clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=size, notifications=True) as pilot:
        agent = Console(pilot)
        await rests(agent)
        yield agent


async def look_at(agent: Console, desk: SpoiledDesk, step: int) -> AsyncIterator[tuple[str, str]]:
    """Go through all views with one text; give each view's name and what is wrong there.

    Args:
        agent: The console.
        desk: Whose text it is.
        step: Which dialogs: all (1), or every so many, which ones by the desk's turn.
    """
    for where in agent.app.PLACES:  # type: ignore[attr-defined]
        agent.app.switch_mode(where.value)
        await rests(agent)
        await agent.press("ctrl+r")
        await rests(agent)
        yield type(agent.app.screen).__name__, "; ".join(wrong_with(agent, desk.text))
    agent.app.switch_mode(DeskScreen.WHERE.value)
    await agent.press("enter")
    await rests(agent)
    yield "the case", "; ".join(wrong_with(agent, desk.text))
    agent.app.notify(desk.text, title=desk.text, markup=True)
    await rests(agent)
    yield "a notice", "; ".join(wrong_with(agent, desk.text))
    agent.app.clear_notifications()
    for kind in list(DIALOGS)[desk.turn % step :: step]:
        agent.app.push_screen(DIALOGS[kind](desk.spoiler))
        await rests(agent)
        is_silent = kind.__name__ in SILENT
        yield kind.__name__, "; ".join(wrong_with(agent, desk.text, is_silent=is_silent))
        agent.app.pop_screen()


async def look_at_errors(agent: Console, desk: SpoiledDesk) -> AsyncIterator[tuple[str, str]]:
    """Let the desk fail in every way it can, each saying the text."""
    for kind in all_errors():
        desk.error = desk.spoiler.error(kind)
        await agent.press("ctrl+r")
        await rests(agent)
        yield kind.__name__, "; ".join(wrong_with(agent, desk.text, is_silent=True))
        agent.app.clear_notifications()
    desk.error = None


async def screens(
    texts: Sequence[tuple[str, str]], *, step: int = 1, is_timed: bool = False
) -> tuple[int, list[str]]:
    """Show each text everywhere; give how many views there were, and what was wrong.

    Args:
        texts: Each with its trick.
        step: Every how many dialogs are shown with one text.
        is_timed: Whether a view that takes too long of the processor is a failure.
    """
    tried, failures, left = 0, [], list(enumerate(texts))
    while left and not is_over():
        size = SIZES[left[0][0] // 40 % len(SIZES)]
        chunk, left = left[:40], left[40:]
        while chunk:
            desk = SpoiledDesk(chunk[0][1][1])
            where = "the start"
            try:
                async with opened(desk, size) as agent:
                    while chunk and not is_over():
                        turn, (kind, text) = chunk[0]
                        desk.text, desk.turn = text, turn
                        began = time.process_time()
                        async for where, wrong in _views(agent, desk, step):
                            tried += 1
                            spent, began = time.process_time() - began, time.process_time()
                            is_late = is_timed and spent > FROZEN_S
                            if wrong or is_late:
                                wrong = f"{wrong}; {spent:.1f} s"  # noqa: PLW2901
                                failures.append(f"{where}, {size}, {kind} {text[:40]!r}: {wrong}")
                        chunk.pop(0)
                        if is_timed and turn % 10 == 9:
                            tell(f"{turn + 1} texts: {tried:,} views, {len(failures)} failed")
                if is_over():
                    break
            except Exception as error:  # noqa: BLE001  (the row says it, the next text goes on)
                failures.append(f"after {where}, {chunk[0][1][1][:40]!r}: {error!r:.300}")
                chunk.pop(0)
    return tried, failures


async def _views(agent: Console, desk: SpoiledDesk, step: int) -> AsyncIterator[tuple[str, str]]:
    async for found in look_at(agent, desk, step):
        yield found
    if desk.turn % (4 * step) == 3:
        async for found in look_at_errors(agent, desk):
            yield found
