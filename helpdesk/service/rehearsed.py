"""The desk of a rehearsal: the real one, each wish and each look of which the stage is told."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.cases import Case, Handover, Outcome
from helpdesk.domain.diagnosis.drift import Drift
from helpdesk.domain.diagnosis.verdicts import CallerSaid, Verdict
from helpdesk.domain.errors import BadInput, HelpdeskError, NeedsMore, Refused
from helpdesk.domain.proofs import Asking, Method, Proof
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.training.checking import PROVE
from helpdesk.domain.training.scenario import PERSON
from helpdesk.domain.users import User
from helpdesk.service.diagnosing import Diagnosing
from helpdesk.service.local import LocalDesk

if TYPE_CHECKING:
    from helpdesk.service.rehearsing import Stage


class RehearsedDesk(LocalDesk):
    """The real desk, each wish and each look of which is told to the stage it stands on."""

    stage: Stage

    def fall_by(self, seed: int) -> None:
        """Let the words of both sides and the names of requests fall by a seed, every time alike.

        Nobody is kept out by them: whom they would prove is invented.
        """
        self._proving.chance = Random(seed)  # noqa: S311

    async def perform(self, action: AnyAction, *, key: str = "") -> Outcome:
        """Carry an action out, or stumble over what goes wrong on cue; both are recorded."""
        try:
            self.stage.stumble(action.name)
            outcome = await super().perform(action, key=key)
        except HelpdeskError as error:
            await self.stage.note_failure(action.name, error)
            raise
        await self.stage.note_act(action.name)
        return outcome

    async def case(self, user: str) -> Case:
        """Give everything about one user; that it was opened is recorded."""
        case = await super().case(user)
        await self.stage.note_opened(case.user.id)
        return case

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give the verdict; what was put down of the caller's answers is recorded."""
        verdict = await super().why(user, said)
        if user == PERSON:
            await self.stage.note_heard(tuple(said), verdict)
        return verdict

    async def ask_proof(
        self, user: str, method: Method, *, channel: str = "", ticket: str = "", key: str = ""
    ) -> Asking:
        """Ask the caller over a channel on record; they answer by their script."""
        try:
            asking = await super().ask_proof(user, method, channel=channel, ticket=ticket, key=key)
        except (Refused, NeedsMore):
            self.stage.note_proof(method, "refused")
            raise
        self.stage.asking, self.stage.asked[asking.id] = asking, method
        self.stage.note_proof(method, "asked")
        return asking

    async def answer_proof(
        self, user: str, answer: str, *, asking: str = "", key: str = ""
    ) -> Proof:
        """Check what the caller read back; somebody else's caller never answers rightly."""
        method = self.stage.asked.get(asking) or next(reversed(self.stage.asked.values()), None)
        try:
            if method is not None and not self.stage.can(method):
                raise BadInput("That is not right: the caller does not have what was asked for.")
            proof = await super().answer_proof(user, answer, asking=asking, key=key)
        except BadInput:
            if method is not None:
                self.stage.note_proof(method, "wrong")
            raise
        self.stage.note_proof(proof.method, "right")
        await self.stage.note_act(PROVE)
        return proof

    async def phone(self, user: str) -> tuple[Handover, ...]:
        """Give what the devices show, where it is the caller who holds them."""
        shown = await super().phone(user)
        return shown if all(map(self.stage.can, self.stage.asked.values())) else ()

    async def happen(self, user: str, event: AnyEvent) -> None:
        """Let something happen to a user, between two acts of the trainee."""
        async with self._changing, self._recorder.transaction():
            await self.stage.connector.happen(user, event)
        await self._view.refresh()

    async def drift(self, user: str, factor: str, codes: Sequence[str], *, key: str = "") -> Drift:
        """Measure the clock of the caller's phone; that it was measured is recorded."""
        try:
            drift = await super().drift(user, factor, codes, key=key)
        except HelpdeskError as error:
            await self.stage.note_failure("drift", error)
            raise
        await self.stage.note_act("drift")
        return drift

    async def person(self) -> User:
        """Give the person the case is about, whole."""
        await self._view.refresh()
        return await self._view.anybody(PERSON)

    async def look(self, said: Sequence[CallerSaid]) -> Verdict:
        """Give the verdict on the person as it is at this moment, found anew."""
        # Its own finder: what was found for the screen a while ago must not be what is recorded.
        return await Diagnosing(self._view).of(await self.person(), said)
