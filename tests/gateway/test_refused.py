"""A token the desk refuses: another is taken, once, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpdesk.domain.errors import Unauthorised
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.gateway.serving import Spoken, gateway


@pytest.mark.parametrize(("next_word", "is_taken"), [("dana", True), ("gone", False)])
def test_another_token_is_taken_once(
    desk_as: Callable[..., LocalDesk], clock: Clock, next_word: str, is_taken: bool
) -> None:
    spoken = Spoken("ended", next_word)

    with gateway(desk_as, clock) as (url, _):
        if is_taken:
            desk = RemoteDesk(Line(url, spoken))
            assert desk.agent.id == "dana"
            desk.close()
        else:
            with pytest.raises(Unauthorised):
                RemoteDesk(Line(url, spoken))

    assert spoken.refusals == ["ended"]


@pytest.mark.parametrize(("next_word", "is_taken"), [("dana", True), ("gone", False)])
async def test_who_follows_takes_another_token_once(
    desk_as: Callable[..., LocalDesk], clock: Clock, next_word: str, is_taken: bool
) -> None:
    spoken = Spoken("ended", next_word)

    with gateway(desk_as, clock) as (url, _):
        line = Line(url, spoken)
        if is_taken:
            async with line.stream("/v1/events", {}) as lines:
                assert (await anext(lines)) is not None
        else:
            with pytest.raises(Unauthorised):
                async with line.stream("/v1/events", {}):
                    pass
        await line.close()

    assert spoken.refusals == ["ended"]
