"""What Okta's log can show of the fifty causes, and what it cannot."""

from __future__ import annotations

import pytest

from helpdesk.domain.diagnosis import CAUSES
from tests.connectors.okta.stories import STORIES, UNSEEN


@pytest.mark.parametrize("cause", STORIES)
def test_the_verdict_on_a_story_told_in_oktas_events_names_its_cause_first(cause: str) -> None:
    story = STORIES[cause]

    verdict = story.verdict

    assert [one.id for one in verdict.causes][:1] == [cause]


def test_each_cause_is_either_told_or_has_a_reason_why_it_cannot_be() -> None:
    known = set(CAUSES)

    told, unseen = set(STORIES), set(UNSEEN)

    assert told | unseen == known
    assert not told & unseen
