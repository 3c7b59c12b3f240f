"""The list of requests for a second person: what a row is, and its columns."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from helpdesk.domain.agents import Agent
from helpdesk.domain.approvals import Approval, why_not_approve
from helpdesk.domain.audit import title_of
from helpdesk.domain.users import At
from helpdesk.tui.render.proving import left_of, standing
from helpdesk.tui.render.rows import Cell, Column, Scene, outside
from helpdesk.tui.render.values import ago, m_ss


class ApprovalRow(Struct, frozen=True, kw_only=True):
    """One request as one agent sees it.

    Attributes:
        is_mine: Whether this agent asked.
        is_for_me: Whether this agent may answer it now.
    """

    approval: Approval
    is_mine: bool
    is_for_me: bool


def rows_of(approvals: tuple[Approval, ...], agent: Agent, now: At) -> tuple[ApprovalRow, ...]:
    """Return the requests: what waits for this agent, oldest first, then their own, then others."""
    rows = [
        ApprovalRow(
            approval=one,
            is_mine=one.requester == agent.id,
            is_for_me=not why_not_approve(agent, one, approvals, now),
        )
        for one in approvals
    ]
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                not row.is_for_me,
                not row.is_mine,
                left_of(row.approval, now) or float("inf"),
            ),
        )
    )


def waiting_for(approvals: tuple[Approval, ...], agent: Agent, now: At) -> int:
    """Return how many requests this agent can do something about: answer, or carry out."""
    return sum(
        row.is_for_me or (row.is_mine and row.approval.holds(now))
        for row in rows_of(approvals, agent, now)
    )


def _state(row: ApprovalRow, scene: Scene) -> Cell:
    words, look = standing(row.approval, scene.now)
    if row.is_for_me:
        return Cell("▶ waits for you", "strong")
    if row.is_mine and row.approval.holds(scene.now):
        return Cell("✓ carry it out", "good")
    return Cell(words, look)


def _asked_by(row: ApprovalRow, scene: Scene) -> Cell:
    return Cell("you" if row.is_mine else outside(row.approval.requester), "plain")


def _left(row: ApprovalRow, scene: Scene) -> Cell:
    left = left_of(row.approval, scene.now)
    return Cell(m_ss(left) if left else "", "warn" if left < 300 else "plain")


def _title(row: ApprovalRow, scene: Scene) -> Cell:
    act = row.approval.act
    return Cell(outside(title_of(act)), "strong")


APPROVALS: Final[tuple[Column[ApprovalRow], ...]] = (
    Column(title="State", width=17, cell=_state),
    Column(title="Act", width=18, cell=_title),
    Column(title="User", width=7, cell=lambda row, scene: Cell(outside(row.approval.user))),
    Column(title="Asked by", width=12, cell=_asked_by),
    Column(
        title="Age",
        width=11,
        from_width=90,
        cell=lambda row, scene: Cell(ago(row.approval.asked_at, scene.now), "quiet"),
    ),
    Column(title="Left", width=7, cell=_left),
    Column(
        title="Why a second person",
        weight=3,
        from_width=100,
        cell=lambda row, scene: Cell(outside(row.approval.why)),
    ),
    Column(
        title="Answer",
        weight=2,
        from_width=118,
        cell=lambda row, scene: Cell(
            outside(f"{row.approval.approver} {row.approval.says}".strip()), "quiet"
        ),
    ),
)
"""Requests for a second person."""
