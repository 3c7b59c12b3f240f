"""A desk under random hands: whatever three agents try, in whatever order, the promises hold.

The long run is `HELPDESK_MACHINE=2000 python -m pytest tests/service/test_machine.py`: so many
stories of fifty steps.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    ChangeMobile,
    ResetAll,
    ResetFactor,
    Risk,
    SendCode,
    TakeTicket,
    TemporaryPass,
    TurnOffMfa,
)
from helpdesk.domain.approvals import Approval
from helpdesk.domain.audit import LogRow, Result
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.notices import WORDS, Notice
from helpdesk.domain.proofs import Method, Proof
from helpdesk.products import load_cards
from helpdesk.service.local import LocalDesk
from helpdesk.stores.base import R
from helpdesk.stores.seen import Seen
from tests.conftest import Clock
from tests.desks import fixture_desk
from tests.sample import write_sample

T = TypeVar("T")
AGENTS = ("dana", "sam", "lee", "tess")
TICKETS = {"u1": "4821", "u2": "4822", "u4": "4823", "u6": "4824"}
WISHES: tuple[AnyAction, ...] = (
    ResetAll(user="u2", reason="lost", ticket="4822"),
    ResetFactor(user="u2", factor="u2-f1", reason="lost", ticket="4822"),
    ResetFactor(user="u2", factor="u2-f2", reason="lost", ticket="4822"),
    TurnOffMfa(user="u1", reason="asked", ticket="4821"),
    ChangeMobile(user="u1", mobile="+447700900155", reason="new", ticket="4821"),
    TemporaryPass(user="u2", reason="lost", ticket="4822"),
    ResetAll(user="u4", reason="lost", ticket="4823"),
    SendCode(user="u1"),
    SendCode(user="u2", factor="u2-f1"),
    TakeTicket(user="u9", subject="called"),
)
CARDS = load_cards()


class DeskMachine(RuleBasedStateMachine):
    """Four consoles on one file, and a clock that only the machine moves."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.clock = Clock()
        path = write_sample(self.place / "desk.json")
        self.desks = {who: self.open(path, who) for who in AGENTS}

    def open(self, path: Path, who: str) -> LocalDesk:
        witness = Seen(self.place / who, path)
        return fixture_desk(path, self.clock, self.place, who, label="MACHINE", witness=witness)

    def teardown(self) -> None:
        self.runner.close()
        shutil.rmtree(self.place)

    def run(self, doing: Coroutine[Any, Any, T]) -> T | None:
        """Do something; a sentence instead of a result is an answer too."""
        try:
            return self.runner.run(doing)
        except HelpdeskError:
            return None

    @rule(who=st.sampled_from(AGENTS), wish=st.sampled_from(WISHES))
    def try_to(self, who: str, wish: AnyAction) -> None:
        self.run(self.desks[who].perform(wish))

    @rule(
        who=st.sampled_from(AGENTS),
        user=st.sampled_from(sorted(TICKETS)),
        method=st.sampled_from(list(Method)),
        is_right=st.booleans(),
    )
    def prove(self, who: str, user: str, method: Method, is_right: bool) -> None:
        desk = self.desks[who]
        asking = self.run(desk.ask_proof(user, method, ticket=TICKETS[user]))
        if asking is None:
            return
        other = asking.channel.partition(":")[2]
        shown = self.run(desk.phone(other or user)) or ()
        code = shown[-1].secret if shown and is_right else "000000"
        self.run(desk.answer_proof(user, "passport" if method is Method.IN_PERSON else code))

    @rule(who=st.sampled_from(AGENTS), is_granted=st.booleans())
    def answer_a_colleague(self, who: str, is_granted: bool) -> None:
        waiting = [a for a in self.run(self.desks[who].approvals()) or () if a.decided_at is None]
        if waiting:
            self.run(self.desks[who].approve(waiting[0].id, is_granted=is_granted))

    @rule(minutes=st.sampled_from([0.2, 1.1, 5.0, 9.0, 16.0, 61.0, 60.0 * 25]))
    def let_time_pass(self, minutes: float) -> None:
        self.clock.go_on(minutes=minutes)

    def rows(self) -> list[LogRow]:
        store = self.desks["dana"]._view.store
        self.runner.run(store.refresh())
        return list(self.runner.run(store.rows()))

    def kept(self, kind: type[R]) -> Sequence[R]:
        store = self.desks["dana"]._view.store
        self.runner.run(store.refresh())
        return self.runner.run(store.select(kind))

    @invariant()
    def the_log_has_no_gap(self) -> None:
        assert [row.seq for row in self.rows()] == list(range(1, len(self.rows()) + 1))

    @invariant()
    def no_way_is_opened_without_an_unused_proof_of_that_caller(self) -> None:
        used = [proof for proof in self.kept(Proof) if proof.used_at is not None]
        approvals = {a.used_at: a for a in self.kept(Approval) if a.used_at is not None}
        spent: set[str] = set()
        for row in self.rows():
            if row.result is Result.DONE and row.act in ACTIONS and _is_high(row.act):
                agreed = approvals.get(row.at)
                mine = [
                    p
                    for p in used
                    if p.used_for == row.act
                    and (p.user, p.agent) == (row.user, row.agent)
                    and (p.id in agreed.proofs if agreed else p.used_at == row.at)
                    and p.id not in spent
                ]
                wanted = 2 if row.act == "reset-all" else 1
                assert len({p.channel for p in mine}) >= wanted, row
                spent |= {p.id for p in mine}

    @invariant()
    def nobody_agrees_to_their_own_wish_and_nothing_is_off_without_a_second(self) -> None:
        for approval in self.kept(Approval):
            assert approval.approver != approval.requester
            assert approval.approver != "tess", "a trainer is no second person"
        offs = [r for r in self.rows() if r.act == "turn-off-mfa" and r.result is Result.DONE]
        requests = [a for a in self.kept(Approval) if a.act == "turn-off-mfa"]
        agreed = [a for a in requests if a.used_at is not None]
        assert len(offs) == len(agreed)

    @invariant()
    def every_change_told_somebody_and_nothing_else_did(self) -> None:
        acts = {str(kind.__struct_config__.tag) for kind in WORDS}
        done = {r.seq for r in self.rows() if r.act in acts and r.result is Result.DONE}
        assert {notice.seq for notice in self.kept(Notice)} == done

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        done = [row for row in self.rows() if row.result is Result.DONE]
        for user in ("u1", "u2", "u4"):
            codes = [r.at for r in done if r.act == "send-code" and r.user == user]
            assert _most_within(codes, timedelta(seconds=60)) <= 1
            assert _most_within(codes, timedelta(minutes=15)) <= 3
            resets = [r.at for r in done if r.act.startswith("reset-") and r.user == user]
            assert _most_within(resets, timedelta(days=1)) <= 1


def _is_high(act: str) -> bool:
    return ACTIONS[act].risk is Risk.HIGH


def _most_within(moments: list[Any], span: timedelta) -> int:
    return max(
        (sum(1 for other in moments if timedelta(0) <= other - at < span) for at in moments),
        default=0,
    )


DeskMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("HELPDESK_MACHINE", "12")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_desk_machine = DeskMachine.TestCase
