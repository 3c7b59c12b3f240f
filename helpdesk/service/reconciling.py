"""Reading log and provider as they are at one moment, to hold them against each other."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

from helpdesk.domain.audit import Result
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.notices import Notice
from helpdesk.domain.reconciling import (
    COMPARED,
    Effect,
    Reconciliation,
    effects_of,
    reconcile,
    untold_by,
)
from helpdesk.domain.search import Query
from helpdesk.service.view import View

TRIES: Final = 5
"""How often both are read until nobody wrote in between."""

WINDOW: Final = 5_000
"""How many users are read at once."""


async def reconciled(view: View, pseudonym: Callable[[str], str]) -> Reconciliation:
    """Give what of log, notices and the provider's changes belongs together.

    Raises:
        Unreachable: Others wrote all the time.
    """
    store = view.store
    for _ in range(TRIES):
        before = await _moment(view)
        bound, rows, notices = await store.bound(), await store.rows(), await store.select(Notice)
        acted = {row.user for row in rows if row.result is Result.DONE and row.act in COMPARED}
        users, effects = await _changes(view, acted)
        untold = await _untold(view, acted)
        if await _moment(view) == before:
            return reconcile(
                bound,
                notices,
                effects,
                old=len(rows) - len(bound),
                users=users,
                pseudonym=pseudonym,
                untold=untold,
            )
    raise Unreachable("Others change the desk all the time; try again in a moment.")


async def _moment(view: View) -> tuple[int, int, int, int]:
    """What is another as soon as somebody wrote."""
    provider, records = await view.connector.refresh(), await view.store.refresh()
    ends = await view.store.ends()
    return provider, records, ends.version, ends.size


async def _untold(view: View, acted: AbstractSet[str]) -> dict[str, frozenset[str]]:
    """By user about whom the log has acts: those that their provider tells no timeline of."""
    people = await view.connector.people(sorted(acted))
    return {
        user.id: untold_by((await view.connector.supports(user)).lacks) for user in people.values()
    }


async def _changes(view: View, acted: AbstractSet[str]) -> tuple[list[str], list[Effect]]:
    """All users, and what agents changed about them.

    A provider elsewhere gives its first users only: whoever the log has acts about is asked for.
    """
    users: list[str] = []
    effects: list[Effect] = []
    now, is_more = view.clock(), True
    await view.directory.refresh()
    while is_more:  # a directory counts only so far: what it gives is counted, not what it says
        _, found = await view.directory.find(
            Query(), now, account=None, offset=len(users), limit=WINDOW
        )
        is_more = len(found) == WINDOW
        names = [entry.user.id for entry in found]
        timelines = await view.connector.timelines(names)
        effects += [one for user in names for one in effects_of(user, timelines[user])]
        users += names
    rest = [*await view.connector.people(sorted(acted - {*users}))]
    timelines = await view.connector.timelines(rest)
    effects += [one for user in rest for one in effects_of(user, timelines[user])]
    return users + rest, effects
