"""Proving the caller and asking a second person: what is minted here, the gate asks for."""

from __future__ import annotations

import secrets
from datetime import datetime
from random import Random
from typing import Final

from msgspec.structs import replace

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import (
    RETURNED_IN,
    Approval,
    answered,
    payload_hash,
    payload_of,
    why_not_approve,
)
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.errors import BadInput, NeedsMore, NotFound, Refused
from helpdesk.domain.gate import Answer, Standing
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.limits import LIMITED, OF_USER, SPAN
from helpdesk.domain.needs import ticket_needs
from helpdesk.domain.proofs import TRIES, Asking, Method, Proof, Way, ways
from helpdesk.domain.text import clean
from helpdesk.domain.users import User
from helpdesk.service.diagnosing import Diagnosing
from helpdesk.service.view import View

WORDS: Final = (
    "amber", "anchor", "apple", "arrow", "autumn", "bamboo", "basket", "bridge", "button",
    "candle", "canyon", "castle", "cedar", "cherry", "circle", "clover", "copper", "coral",
    "cotton", "desert", "dolphin", "eagle", "ember", "falcon", "feather", "forest", "garden",
    "ginger", "harbour", "hazel", "island", "ivory", "jasmine", "juniper", "kettle", "lantern",
    "lemon", "linen", "maple", "marble", "meadow", "mirror", "mountain", "olive", "orange",
    "orchard", "otter", "paper", "pebble", "pepper", "pine", "planet", "pocket", "river",
    "rocket", "saffron", "sailor", "silver", "spruce", "summer", "sunset", "thunder", "tiger",
    "timber", "tulip", "valley", "velvet", "violet", "walnut", "window", "winter", "yellow",
)  # fmt: skip
"""Words that are not mistaken for one another over a bad line."""

CHOOSES: Final = "chooses it on the device"
"""What the customer does with a number that is read out to them."""


class Proving:
    """Proofs and approvals of a view, for one agent.

    Attributes:
        chance: What words and names fall by: the system's own, but in a rehearsal.
    """

    def __init__(self, agent: Agent, view: View, diagnosing: Diagnosing) -> None:
        self._agent, self._view, self._diagnosing = agent, view, diagnosing
        self.chance: Random = secrets.SystemRandom()

    async def standing(self, user: User) -> Standing:
        """Give what the gate asks for beside the case."""
        store, now = self._view.store, self._view.clock()
        return Standing(
            verdict=await self._diagnosing.of(user),
            proofs=tuple(
                proof
                for proof in await store.select(Proof, user=user.id)
                if proof.used_at is not None or self._view.is_proven(proof, now)
            ),
            approvals=tuple(
                one
                for one in await store.select(Approval, user=user.id)
                if self._view.is_agreed(one, now)
            ),
            log=[*await self._counted(user.id, now), *await self._under_way(now)],
            colleagues=frozenset(a.login.casefold() for a in store.agents if a.login),
        )

    async def _counted(self, user: str, now: datetime) -> list[LogRow]:
        """Rows a limit of an act on a user may count; of acts that bear on them alone, theirs."""
        store, since = self._view.store, now - SPAN
        mine = await store.rows(user=user, acts=OF_USER, since=since)
        all_ = await store.rows(acts=LIMITED - OF_USER, since=since)
        return sorted([*mine, *all_], key=lambda row: row.seq)

    async def _under_way(self, now: datetime) -> list[LogRow]:
        """Rows of acts that providers carry out just now: they count as if they were done."""
        return [
            LogRow(
                seq=0,
                at=min(hold.at, now),
                agent=hold.agent,
                role=hold.by.role if hold.by else self._agent.role,
                act=hold.act,
                user=hold.user,
                result=Result.DONE,
            )
            for hold in await self._view.store.select(Hold, only_open=True)
            if hold.ending is Ending.RUNS
        ]

    async def asking(
        self, case: Case, method: Method, channel: str, ticket: str, now: datetime
    ) -> Asking:
        """Give what to ask the caller over a channel on record; it is not asked yet.

        Raises:
            Refused, NeedsMore: Not by this agent, not over this channel, or a ticket is missing.
        """
        needs = ticket_needs(ticket, case)
        if needs:
            raise NeedsMore(Decision(act="prove", weight=Weight.NEEDS, needs=needs))
        way = self._way(case, method, channel, now)
        words = (self.chance.choice(WORDS), self.chance.choice(WORDS))
        asking = Asking(
            id=f"p{self.chance.randbytes(5).hex()}",
            user=case.user.id,
            agent=self._agent.id,
            ticket=ticket.lstrip("#"),
            method=way.method,
            grade=way.grade,
            channel=way.channel,
            at=now,
            words=words,
        )
        self._view.is_open(asking, now)  # its time runs from here on
        return asking

    async def ask(self, case: Case, asking: Asking, now: datetime) -> str:
        """Let the provider ask; give the number to read out for it, or an empty text."""
        if asking.method is Method.IN_PERSON:
            return ""
        person = await self._asked(case, asking)
        return await self._view.connector.ask_proof(person, asking, now) or ""

    async def asked(self, asking: Asking, number: str) -> Asking:
        """Keep that it was asked, without what was asked for; give it as it is read out."""
        await self._view.store.keep(asking)
        # The number is read out now and kept nowhere: whoever holds it can say yes on a phone.
        return replace(asking, words=(clean(number), CHOOSES)) if number else asking

    async def check(self, case: Case, asking: Asking, told: str, now: datetime) -> bool:
        """Whether what was read back is right, by the provider."""
        return await self._is_right(await self._asked(case, asking), asking, told, now)

    async def answered(self, asking: Asking, now: datetime, *, is_right: bool) -> Proof | None:
        """Give the proof that a right answer mints, or None for a wrong one, which is counted."""
        if not is_right:
            await self._view.store.keep(replace(asking, wrong=asking.wrong + 1))
            return None
        proof = Proof(
            id=asking.id,
            user=asking.user,
            agent=asking.agent,
            ticket=asking.ticket,
            method=asking.method,
            grade=asking.grade,
            channel=asking.channel,
            at=now,
        )
        await self._view.store.keep(replace(asking, closed_at=now))
        await self._view.store.keep(proof)
        self._view.is_proven(proof, now)
        return proof

    async def file(self, action: AnyAction, case: Case, answer: Answer, now: datetime) -> Approval:
        """Ask for a second person.

        Keep exactly what is to be agreed to, with the proofs it rests on.
        """
        payload = payload_of(action)
        sha256 = payload_hash(payload)
        waiting = [
            one
            for one in await self._view.store.select(Approval, user=case.user.id)
            if (one.sha256, one.requester) == (sha256, self._agent.id)
            and self._view.is_asked(one, now)
        ]
        if waiting:
            return waiting[0]
        approval = Approval(
            id=f"a{self.chance.randbytes(3).hex()}",
            act=action.name,
            user=case.user.id,
            payload=payload,
            sha256=sha256,
            why=answer.second,
            requester=self._agent.id,
            asked_at=now,
            proofs=tuple(proof.id for proof in answer.proofs),
        )
        await self._view.store.keep(approval)
        self._view.is_asked(approval, now)
        # A proof is for one act: from here on it is for this one, whenever the answer comes.
        for proof in answer.proofs:
            await self._view.store.keep(replace(proof, used_at=now, used_for=action.name))
        return approval

    async def decide(
        self, approval_id: str, *, is_granted: bool, says: str, now: datetime
    ) -> Approval:
        """Answer a request as the second person.

        Raises:
            NotFound: There is no such request.
            Refused: Not by this agent; the sentence says why.
        """
        found = await self._view.store.get(Approval, approval_id)
        if found is None:
            raise NotFound(f"There is no request {clean(approval_id)}. Try: helpdesk approvals")
        recent = await self._view.store.select(Approval, since=now - RETURNED_IN)
        reckoned = max(now, self._view.ages.reckoned(found.id, now, found.asked_at))
        why = why_not_approve(self._agent, found, tuple(recent), reckoned)
        if why:
            raise Refused(Decision(act="approve", weight=Weight.REFUSED, why=why))
        decided = answered(found, self._agent, is_granted=is_granted, says=clean(says), now=now)
        await self._view.store.keep(decided)
        self._view.is_agreed(decided, now)
        return decided

    async def use_up(
        self, answer: Answer, action: AnyAction, now: datetime, *, is_held: bool
    ) -> None:
        """Mark the proofs and the approval that an act rested on as used, those still unused."""
        if answer.approval is None:
            for proof in answer.proofs:
                if proof.used_at is None:
                    await self._view.store.keep(replace(proof, used_at=now, used_for=action.name))
        else:
            ending = Ending.WAITS if is_held else None
            await self._view.store.keep(replace(answer.approval, used_at=now, ending=ending))

    def _way(self, case: Case, method: Method, channel: str, now: datetime) -> Way:
        fits = [
            w for w in ways(case, None, now) if w.method is method and channel in {"", w.channel}
        ]
        if not fits:
            there = ", ".join(f"{w.method.value} ({w.channel})" for w in ways(case, None, now))
            raise BadInput(
                f"There is no way {clean(method.value)} {clean(channel)} here. There is {there}."
            )
        way = fits[0]
        if way.not_for:
            why = f"That proves nothing: {way.not_for}."
            raise Refused(Decision(act="prove", weight=Weight.REFUSED, why=why))
        if len(fits) > 1:
            choices = tuple(w.channel for w in fits)
            need = Need(what="channel", says="Say over which channel.", choices=choices)
            raise NeedsMore(Decision(act="prove", weight=Weight.NEEDS, needs=(need,)))
        return way

    async def _asked(self, case: Case, way: Asking) -> User:
        """Whose device is asked: the caller's, or the administrator's who vouches."""
        kind, _, person = way.channel.partition(":")
        return await self._view.anybody(person) if kind == "administrator" else case.user

    async def _is_right(self, person: User, asking: Asking, told: str, now: datetime) -> bool:
        if asking.method is Method.IN_PERSON:
            if len(told.strip()) < 3:
                raise BadInput("Say what was seen: the document, and where.")
            return True
        return await self._view.connector.check_proof(person, asking, told, now)

    async def waiting(self, user: User, asking_id: str, now: datetime) -> Asking:
        """Give what waits for an answer of this caller.

        Raises:
            NotFound: This agent asked nothing of the kind, or it is too late.
        """
        mine = [
            asking
            for asking in await self._view.store.select(Asking, user=user.id, only_open=True)
            if asking.agent == self._agent.id
            and asking_id in {"", asking.id}
            and self._view.is_open(asking, now)
        ]
        if not mine:
            raise NotFound(
                "Nothing is waiting for an answer of this caller: ask first. "
                f"It waits ten minutes and takes {TRIES} tries."
            )
        return mine[-1]
