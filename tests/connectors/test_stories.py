"""What a provider's log can show of the fifty causes, and what it cannot."""

from __future__ import annotations

import pytest

from helpdesk.domain.diagnosis import CAUSES
from tests.connectors.showing import PROVIDERS

TOLD = [(name, cause) for name, (told, _) in PROVIDERS.items() for cause in told]


@pytest.mark.parametrize(("provider", "cause"), TOLD)
def test_the_verdict_on_a_story_told_in_a_providers_events_names_its_cause_first(
    provider: str, cause: str
) -> None:
    told, _ = PROVIDERS[provider]

    verdict = told[cause].verdict

    assert [one.id for one in verdict.causes][:1] == [cause]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_cause_is_either_told_or_has_a_reason_why_it_cannot_be(provider: str) -> None:
    told, unseen = PROVIDERS[provider]

    named = set(told) | set(unseen)

    assert named == set(CAUSES)
    assert not set(told) & set(unseen)
