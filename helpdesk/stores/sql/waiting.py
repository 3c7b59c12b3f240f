"""Who waits for an agent, as SQL that is put together once: every console asks it all the time."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    true,
)

from helpdesk.domain.agents import Agent, Role
from helpdesk.stores.sql.finding import Now, locks_no_more, locks_now
from helpdesk.stores.sql.schema import LOCKED_HEAT, OFF_ASKED, Moment, users
from helpdesk.stores.sql.staged import Asked, Part, Stage, keys_of

_ASKED: Final = users.c.ticket_complaint == literal_column(f"'{OFF_ASKED}'")
_ELSE: Final = func.coalesce(users.c.ticket_complaint, "") != OFF_ASKED


def queue_of(agent: Agent, now: datetime) -> Asked:
    """Return what is asked for an agent's queue: their own tickets first, of each the hottest."""
    is_manager = agent.role is Role.ACCOUNT_MANAGER
    counted, stages = _queue(is_manager=is_manager, is_bound=agent.account is not None)
    given = {"agent": agent.id, "account": agent.account, "now": now}
    return Asked(counted, lambda _: stages, given, is_quick=not is_manager)


@functools.cache
def _queue(*, is_manager: bool, is_bound: bool) -> tuple[Sequence[Select[Any]], Sequence[Any]]:
    """Put the questions for a queue together: they are asked all the time."""
    who: BindParameter[str] = bindparam("agent", type_=Text)
    now: BindParameter[datetime] = bindparam("now", type_=Moment)
    account: BindParameter[str] = bindparam("account", type_=Text)
    of = users.c.account == account if is_bound else true()
    mine, free = users.c.ticket_agent == who, users.c.ticket_agent.is_(None)
    stages: list[Stage]
    if is_manager:
        others = func.coalesce(users.c.ticket_agent, "") != who
        is_not_free = or_(users.c.ticket_agent.is_not(None), _ELSE)
        all_ = [and_(_ASKED, whose, of) for whose in (mine, free)]
        their_due = ((mine, _ELSE), (others, is_not_free))
        due = [and_(users.c.off_until <= now, *more, of) for more in their_due]
        stages = [
            [*_hottest(one, now), *_hottest(two, now, is_few=True)]
            for one, two in zip(all_, due, strict=True)
        ]
        all_ += due
    else:
        all_ = [and_(users.c.ticket_at.is_not(None), whose, of) for whose in (mine, free)]
        stages = [_hottest(one, now) for one in all_]
    counted = [Part(users, one, ()).counted() for one in all_]
    return counted, [keys_of(stage) for stage in stages]


def _hottest(holds: ColumnElement[bool], now: Now, *, is_few: bool = False) -> Stage:
    """Return them in two parts; where they are few, by no index of heat."""
    higher = users.c.heat - literal_column(str(LOCKED_HEAT))
    heat = users.c.heat + literal_column("0") if is_few else users.c.heat
    return [
        Part(users, and_(holds, locks_no_more(now)), (heat, users.c.key)),
        Part(users, and_(holds, locks_now(now)), (higher, users.c.key)),
    ]
