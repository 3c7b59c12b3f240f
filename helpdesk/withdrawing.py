"""Taking agents off a desk that is served, on the machine its store is reached from.

helpdesk withdraw AGENT ─▶ the store, with a row of the log ─▶ every gateway on it, in a second
                       └─▶ what they asked for and waits still is undone
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.config import data_directory
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import UNDO, Result
from helpdesk.domain.errors import BadInput
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.text import clean
from helpdesk.domain.withdrawals import Withdrawal
from helpdesk.hosting import THE_DESK
from helpdesk.service.recording import Recorder
from helpdesk.stores.keys import Keys
from helpdesk.stores.seen import Seen
from helpdesk.stores.sql.database import Database
from helpdesk.stores.sql.leaving import SqlWithdrawals
from helpdesk.stores.sql.record import SqlStore
from helpdesk.wiring import clock

USUAL: Final = ("gateway.db", "gateway-provider.db")
"""The files a gateway of this machine keeps its record in, unless it is told another."""

ID_LIMIT: Final = 200


class Wish(Struct, frozen=True, kw_only=True):
    """What is to become of an agent's sign-ins.

    Attributes:
        agent: Whose, by id; empty to list who is withdrawn.
        store: The address of the store; empty for the usual file.
        ends_sign_ins: Only end those of up to now; new ones count.
        lets_in: Take a withdrawal back.
    """

    agent: str = ""
    store: str = ""
    reason: str = ""
    ends_sign_ins: bool = False
    lets_in: bool = False


def carry_out(wish: Wish) -> list[str]:
    """Do it, and return what to say.

    Raises:
        BadInput: There is no such store, the name can be no agent's, or to end sign-ins would
            let an agent in again who is withdrawn.
        NoRecord: The store cannot be reached.
        Tampered: Never; an alarm of the log holds nothing up here.
    """
    with _database(wish.store) as database:
        return asyncio.run(_listed(database) if not wish.agent else _kept(database, wish))


@contextlib.contextmanager
def _database(store: str) -> Iterator[Database]:
    there = [path for name in USUAL if (path := data_directory() / name).exists()]
    if not store and len(there) != 1:
        names = " or ".join(f"--store sqlite:///{path}" for path in there)
        raise BadInput(f"Say which desk: {names}." if there else "No desk is served here: --store.")
    address = store or f"sqlite:///{there[0]}"
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        raise BadInput(f"{clean(address, limit=200)}: there is no such store.")
    with contextlib.closing(Database(address)) as database:
        yield database


async def _listed(database: Database) -> list[str]:
    barred = sorted(one.agent for one in await SqlWithdrawals(database).all() if one.is_barred)
    return [f"Withdrawn: {clean(agent)}" for agent in barred] or ["Nobody is withdrawn."]


async def _kept(database: Database, wish: Wish) -> list[str]:
    agent, store = wish.agent, SqlStore(database)
    if clean(agent) != agent or len(agent) > ID_LIMIT:
        raise BadInput(f"{clean(agent, limit=80)} can be no agent's id.")
    recorder = Recorder(
        THE_DESK, store, clock, Keys(data_directory()), Seen(data_directory(), database.place)
    )
    says = _says(wish)
    is_barred = not (wish.ends_sign_ins or wish.lets_in)
    withdrawal = Withdrawal(agent=agent, at=clock(), is_barred=is_barred)
    async with recorder.transaction():
        there = await SqlWithdrawals(database).all()
        if wish.ends_sign_ins and any(one.agent == agent and one.is_barred for one in there):
            raise BadInput(
                f"{agent} is withdrawn already, and no sign-in of theirs counts. A new one would "
                "again with --again."
            )
        await SqlWithdrawals(database).keep(withdrawal, clock())
        await recorder.record(
            act="withdraw", user="", result=Result.DONE, says=says, reason=clean(wish.reason)
        )
        undone = await _undone(store, recorder, agent) if is_barred else []
    since = clock() - timedelta(days=90)
    told = [says, *undone]
    store.load()
    is_known = any(one.id == agent for one in store.agents)
    if not is_known and not await store.rows(agent=agent, since=since, limit=1):
        told.append(f"No row of 90 days is by {agent}: make sure that this is the agent's id.")
    return [*told, *([recorder.alarm] if recorder.alarm else [])]


async def _undone(store: SqlStore, recorder: Recorder, agent: str) -> list[str]:
    """Undo what an agent asked for and waits still; inside a transaction."""
    says = []
    for hold in await store.select(Hold, only_open=True):
        if hold.agent == agent and hold.ending is Ending.WAITS:
            now = clock()
            await store.keep(replace(hold, ending=Ending.UNDONE, ended_at=now))
            agreed = await store.get(Approval, hold.approval)
            if agreed is not None:
                await store.keep(replace(agreed, ending=Ending.UNDONE))
            says.append(f"Undone: {hold.act} of {clean(hold.user)}, {hold.id}.")
            await recorder.record(
                act=UNDO,
                user=hold.user,
                result=Result.DONE,
                says=f"Undone: {hold.act}, {hold.id}.",
                reason="Who asked for it was withdrawn.",
                idempotency=hold.id,
            )
    return says


def _says(wish: Wish) -> str:
    if wish.lets_in:
        return f"{wish.agent} may sign in again, anew."
    if wish.ends_sign_ins:
        return f"All sign-ins of {wish.agent} are ended; a new one counts."
    return f"{wish.agent} is withdrawn: no sign-in of theirs counts here, whatever the issuer says."
