"""Playing a scenario by its own steps: how a model answer, and a bad one, are tried."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.proofs import Method
from helpdesk.domain.training.scenario import BEGINS, PERSON, TICKET, Step
from helpdesk.domain.training.scoring import Score
from helpdesk.service.rehearsing import Stage


async def play(stage: Stage, steps: Sequence[Step], *, tick: timedelta) -> Score:
    """Carry steps out, each at its moment, with the time moving on by *tick*; give the marks.

    What the desk refuses is recorded, and the next step comes.
    """
    try:
        return await _played(stage, steps, tick)
    finally:
        await stage.leave()


async def _played(stage: Stage, steps: Sequence[Step], tick: timedelta) -> Score:
    await stage.begin()
    await stage.front.case(PERSON)
    said: tuple[CallerSaid, ...] = ()
    for step in steps:
        moment = BEGINS + step.at.delta
        while stage.now < moment:
            await stage.advance(min(stage.now + tick, moment))
        await stage.advance(moment)
        if step.end:
            return stage.end(step.end)
        if step.ask:
            said = (*said, await _ask(stage, step))
        with contextlib.suppress(HelpdeskError):
            await _do(stage, step, said)
    return stage.end("")


async def _ask(stage: Stage, step: Step) -> CallerSaid:
    await stage.ask(step.ask)
    meant = {reply.ask: reply.reply for reply in stage.scenario.caller.answers}
    return CallerSaid(ask=step.ask, reply=step.reply or meant.get(step.ask, "?"))


async def _do(stage: Stage, step: Step, said: tuple[CallerSaid, ...]) -> None:
    if step.ask:
        await stage.front.why(PERSON, said)
    elif step.say:
        stage.tell(step.say)
    elif step.act:
        await _perform(stage, step)
    elif step.prove is not None:
        await _prove(stage, step.prove, step.channel)


async def _perform(stage: Stage, step: Step) -> None:
    told = {"act": step.act, "user": PERSON, "reason": step.reason or "Said on the telephone."}
    told |= {"ticket": TICKET, **({"factor": step.factor} if step.factor else {})}
    await stage.front.perform(msgspec.convert({**told, **step.set}, ACTIONS[step.act]))


async def _prove(stage: Stage, method: Method, channel: str) -> None:
    """Ask over the channel, and type what the caller reads out."""
    asking = await stage.front.ask_proof(PERSON, method, channel=channel, ticket=TICKET)
    _, answer = await stage.reading()
    await stage.front.answer_proof(PERSON, answer or "000000", asking=asking.id)
