"""Proving a caller and asking a colleague in a test, in one line each."""

from __future__ import annotations

import pytest

from helpdesk.domain.actions import AnyAction
from helpdesk.domain.errors import NeedsMore
from helpdesk.domain.proofs import Method
from helpdesk.service.local import LocalDesk


async def prove(desk: LocalDesk, user: str, method: Method, ticket: str, channel: str = "") -> None:
    """Ask a caller and answer rightly, with what the demo telephone shows."""
    asking = await desk.ask_proof(user, method, channel=channel, ticket=ticket)
    if method is Method.IN_PERSON:
        await desk.answer_proof(user, "passport, by video")
        return
    kind, _, other = asking.channel.partition(":")
    shown = await desk.phone(other if kind == "administrator" else user)
    asked = [one for one in shown if one.says]  # the authenticator's own number stands there too
    await desk.answer_proof(user, asked[-1].secret)


async def needs(desk: LocalDesk, action: AnyAction) -> list[str]:
    """Give what a wish still lacks; the last of it files the request."""
    with pytest.raises(NeedsMore) as caught:
        await desk.perform(action)
    return [need.what for need in caught.value.decision.needs]


async def agreed(desk: LocalDesk, action: AnyAction, colleague: LocalDesk) -> str:
    """Have a colleague agree to a wish that lacks nothing else; give the request's id."""
    assert await needs(desk, action) == ["second-person"]
    request = (await colleague.approvals())[0].id
    await colleague.approve(request, is_granted=True)
    return request
