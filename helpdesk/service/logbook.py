"""The log as a whole: proven, taken away, parted from personal data; and the mail tray."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from helpdesk.domain.agents import Role
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import ACCEPT, DISOWNED, LOOK, LogRow, Result
from helpdesk.domain.bundle import Bundle, bundle_of
from helpdesk.domain.cases import Case
from helpdesk.domain.chain import Entry, chained
from helpdesk.domain.checkpoints import read_checkpoint
from helpdesk.domain.decisions import Decision, Need, Weight
from helpdesk.domain.diagnosis.verdicts import CallerSaid
from helpdesk.domain.erasing import Erased
from helpdesk.domain.errors import NeedsMore, Refused, Tampered
from helpdesk.domain.exports import ExportPart, ExportRow, export_row
from helpdesk.domain.holds import Hold
from helpdesk.domain.inspection import Held, Inspecting
from helpdesk.domain.limits import MOVES, RESETS, WATCHED, Alarm, alarms
from helpdesk.domain.notices import Notice, TrayRow, tray_row
from helpdesk.domain.proofs import Proof
from helpdesk.domain.reconciling import Reconciliation
from helpdesk.domain.search import Page
from helpdesk.domain.watch import has_come, opened_by_desk, stranger_alarm
from helpdesk.service.ground import look
from helpdesk.service.once import Wish, again, given, wish
from helpdesk.service.questions import Questions, window
from helpdesk.service.reconciling import reconciled

READERS = frozenset({Role.LEAD, Role.AUDITOR})
"""Who may take the log away with personal data."""

LEADS = frozenset({Role.LEAD})
"""Who may part the log from personal data, and accept another log."""

EXPORT: Final = "export-log"
"""The act of a row that says: this agent took the log away with personal data."""

EXPORTED: Final = timedelta(hours=1)
"""For so long the parts of an export may follow the row that says so."""

PART: Final = 2_000
"""Rows of an export that are given at once."""

WATCHED_ACTS: Final = RESETS | MOVES | {DISOWNED, ACCEPT}
"""The acts that an alarm may be about; looks are compared with them."""

INSIDERS = frozenset(Role) - {Role.PRODUCT_ADMINISTRATOR}
"""Who works at the desk itself, and not for one customer."""


class Logbook(Questions):
    """The half of a local desk that looks after its own record."""

    async def inspect_log(
        self, checkpoint: str = "", key: str = "", so_far: str = ""
    ) -> Inspecting:
        """Look at some of the log; against a checkpoint kept elsewhere too, if given."""
        if not so_far:
            await self._now()
        if checkpoint:
            read_checkpoint(checkpoint)
        given = (Held(by="The checkpoint given", note=checkpoint),) if checkpoint else ()
        return await self._recorder.inspect(given, key, so_far)

    async def reconcile_log(self) -> Reconciliation:
        """Say whether each change at the provider has its row and its notices, and the reverse."""
        self._may("reconcile-log", INSIDERS)
        async with self._changing:
            return await reconciled(self._view, self._recorder.pseudonym)

    async def checkpoint(self) -> str:
        """Give the newest checkpoint, of all rows there are, to keep elsewhere.

        Raises:
            Tampered: The log is not the one this console saw.
        """
        await self.settle()
        if self._recorder.alarm:
            raise Tampered(self._recorder.alarm)
        if not await self._recorder.newest():
            async with self._changing, self._recorder.transaction():
                await self._recorder.checkpoint()
        return await self._recorder.newest()

    async def checkpoint_key(self) -> str:
        """Give the public key this console's checkpoints are checked with, as one line."""
        await self._now()
        return await self._recorder.verifier()

    async def export_log(self, *, is_clear: bool = False, after: int = 0) -> ExportPart:
        """Give rows this agent may see, oldest first; with personal data only as recorded."""
        if is_clear:
            await self._may_export(is_first=not after)
        if not after:
            await self.settle()
            await self._now()
        kept = await self._view.store.kept(after, PART)
        mine = None
        if self.agent.account is not None:
            mine = await self._view.entries([*{row.user for row, _ in kept}])
        return ExportPart(
            rows=tuple(
                self._exported(row, entry, is_clear=is_clear)
                for row, entry in kept
                if mine is None or row.user in mine
            ),
            next=kept[-1][0].seq if len(kept) == PART else 0,
        )

    async def alarms(self) -> tuple[Alarm, ...]:
        """Give what a lead should look at, newest first: in the log of the last day, and strangers.

        A stranger who came in after an act of the desk stays for as long as the case is watched.
        """
        now = await self._now()
        asked = self._view.store.rows
        acted = await asked(acts=WATCHED_ACTS, since=now - WATCHED)
        looked = await asked(acts=(LOOK, "reveal"), since=now - timedelta(days=1))
        rows = sorted([*acted, *looked], key=lambda row: row.seq)
        found = [*alarms(rows, now), *await self._strangers(rows, now)]
        found.sort(key=lambda one: one.at, reverse=True)
        mine = await self._view.entries([one.user for one in found])
        return tuple(one for one in found if self.agent.account is None or one.user in mine)

    async def _strangers(self, rows: Sequence[LogRow], now: datetime) -> list[Alarm]:
        """The alarms of users to whom the desk opened a way, and a stranger came first."""
        opened = opened_by_desk(rows, now)
        entries = await self._view.entries([row.user for row in opened])
        found = []
        for row in opened:
            if row.user not in entries:
                continue
            user = entries[row.user].user
            case = await self._view.whole(user)
            if has_come(case, row.at):
                found.append(stranger_alarm(case, await self._diagnosing.of(user), row))
        return [one for one in found if one is not None]

    async def erase_log(self, before: datetime, *, key: str = "") -> Erased:
        """Part our record before a moment from personal data; recorded, the rows stay."""
        self._may("erase-log", LEADS)
        store = self._view.store
        asked = wish(key, "erase_log", before=before)
        with self._once.running(asked):
            async with self._changing, self._recorder.transaction():
                answered = await self._once.before(asked)
                if answered is not None:
                    return again(answered, Erased)
                look(None)
                erased = await store.erase(before, self._view.clock())
                says = f"Personal data before {before:%Y-%m-%d} was erased: {erased.words}."
                row = await self._recorder.record(
                    act="erase-log", user="", result=Result.DONE, says=says
                )
                await self._once.keep(asked, given(erased, says), Result.DONE, row.seq)
        # Written once more: the generation kept beside the file would still hold what was erased.
        async with self._changing, self._recorder.transaction():
            if not self._recorder.alarm:
                await self._recorder.checkpoint()
        return erased

    async def accept_log(self, reason: str, *, key: str = "") -> str:
        """Go on with a log that is not the one this console saw; recorded with both their roots."""
        self._may(ACCEPT, LEADS)
        if not reason.strip():
            need = Need(what="reason", says="Say why this log is the right one.")
            raise NeedsMore(Decision(act=ACCEPT, weight=Weight.NEEDS, needs=(need,)))
        asked = wish(key, "accept_log", reason=reason)
        with self._once.running(asked):
            async with self._changing:
                async with self._recorder.transaction():
                    answered = await self._once.before(asked)
                    if answered is not None:
                        return again(answered, str)
                    look(None)
                    says = await self._accepted(reason, asked)
                await self._recorder.accepted()
        return says

    async def _accepted(self, reason: str, asked: Wish) -> str:
        if not self._recorder.alarm:
            why = "The log is the one this console saw: there is nothing to accept."
            raise Refused(Decision(act=ACCEPT, weight=Weight.REFUSED, why=why))
        row = await self._recorder.accept(reason)
        await self._once.keep(asked, given(row.says, row.says), row.result, row.seq)
        return row.says

    async def tray(self, user: str = "", *, offset: int = 0, limit: int = 100) -> Page[TrayRow]:
        """Give the notices to customers, newest first, addresses masked; of one user, or of all."""
        await self._now()
        wanted = (await self._view.user(user)).id if user else ""
        notices = await self._view.store.select(Notice, user=wanted)
        mine = await self._view.entries(list({notice.user for notice in notices}))
        found = [
            notice
            for notice in reversed(notices)
            if self.agent.account is None or notice.user in mine
        ]
        return window(found, offset, limit, tray_row)

    async def bundle(self, user: str, said: Sequence[CallerSaid] = ()) -> Bundle:
        """Give all a ticket needs about one user, masked."""
        case = await self.case(user)
        await self.settle()
        return await self._bundle(await self._view.whole(await self._view.user(case.user.id)), said)

    async def _bundle(self, whole: Case, said: Sequence[CallerSaid]) -> Bundle:
        """Give the bundle of a case as it is now; also within a change."""
        verdict = await self.why(whole.user.id, said)
        notices, store = await self.tray(whole.user.id), self._view.store
        others = await self._diagnosing.others(whole.user)
        mine = self.agent.account
        return bundle_of(
            whole,
            self._view.card(whole.user),
            verdict,
            said=said,
            proofs=await store.select(Proof, user=whole.user.id),
            approvals=await store.select(Approval, user=whole.user.id),
            holds=[one for one in await store.select(Hold, user=whole.user.id) if one.is_held],
            others=[pair for pair in others if mine in {None, pair[0].account}],
            notices=notices.rows,
            checkpoint=await self._recorder.newest(),
            alarm=self.alarm,
        )

    def _exported(self, row: LogRow, entry: Entry | None, *, is_clear: bool) -> ExportRow:
        hashed = chained(entry.row).user if entry else self._recorder.pseudonym(row.user)
        return export_row(row, hashed[:16], entry.hash if entry else "", is_clear=is_clear)

    async def _may_export(self, *, is_first: bool) -> None:
        """Record that the log is taken away with personal data; what follows rests on that row."""
        self._may(EXPORT, READERS)
        if not is_first:
            since = self._view.clock() - EXPORTED
            rows = self._view.store.rows
            if not await rows(agent=self.agent.id, acts=(EXPORT,), since=since, limit=1):
                says = "Begin the export anew: that it began was recorded too long ago."
                need = Need(what="begin", says=says)
                raise NeedsMore(Decision(act=EXPORT, weight=Weight.NEEDS, needs=(need,)))
            return
        async with self._changing, self._recorder.transaction():
            says = "With personal data."
            await self._recorder.record(act=EXPORT, user="", result=Result.DONE, says=says)

    def _may(self, act: str, roles: frozenset[Role]) -> None:
        if self.agent.role not in roles:
            who = " or ".join(_one(role) for role in Role if role in roles)
            why = f"Only {who} may do that; you are {_one(self.agent.role)}."
            raise Refused(Decision(act=act, weight=Weight.REFUSED, why=why))


def _one(role: Role) -> str:
    """Return a role as one of its kind: `a lead`, `an auditor`."""
    return f"{'an' if role.words[0] in 'aeiou' else 'a'} {role.words}"
