"""Which causes a provider's log can show, measured on stories told in its own vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from helpdesk.connectors.duo.lacking import LACKS as DUO
from helpdesk.connectors.keycloak.lacking import LACKS as KEYCLOAK
from helpdesk.connectors.okta.lacking import LACKS as OKTA
from helpdesk.connectors.okta.lacking import NO_CODES
from helpdesk.connectors.privacyidea.abilities import ALWAYS as PRIVACYIDEA
from helpdesk.domain.diagnosis import CAUSES, Verdict
from helpdesk.domain.lacks import Lack, lack_of
from tests.connectors import privacyidea_stories as privacyidea
from tests.connectors.duo import stories as duo
from tests.connectors.keycloak import stories as keycloak
from tests.connectors.okta import stories as okta


class Told(Protocol):
    """A story of one cause."""

    @property
    def verdict(self) -> Verdict:
        """What the engine says of it."""
        ...


PROVIDERS: Mapping[str, tuple[Mapping[str, Told], Mapping[str, str]]] = {
    "Okta": (okta.STORIES, okta.UNSEEN),
    "Keycloak": (keycloak.STORIES, keycloak.UNSEEN),
    "privacyIDEA": (privacyidea.STORIES, privacyidea.UNSEEN),
    "Duo": (duo.STORIES, duo.UNSEEN),
}
"""By the provider's name: a story for each cause its log shows, and why it shows no other."""


LACKS: Mapping[str, tuple[Lack, ...]] = {
    "Okta": (*OKTA, NO_CODES),
    "Keycloak": KEYCLOAK,
    "privacyIDEA": PRIVACYIDEA,
    "Duo": DUO,
}
"""By the provider's name: what it cannot do, or cannot do everywhere."""


def lacking() -> str:
    """Return the table of what is not possible: a row an act, the reason where it is not."""
    acts = dict.fromkeys(lack.what for lacks in LACKS.values() for lack in lacks)
    lines = [_row("What", *LACKS), _row(*["---"] * (len(LACKS) + 1))]
    for act in acts:
        found = (lack_of(lacks, act) for lacks in LACKS.values())
        lines.append(_row(f"`{act}`", *(lack.why if lack else "yes" for lack in found)))
    return "\n".join(lines)


def is_first(cause: str, story: Told) -> bool:
    """Whether the verdict on a story names its cause before all others."""
    return bool(story.verdict.causes) and story.verdict.causes[0].id == cause


def cell(provider: str, cause: str) -> str:
    """Return `yes` where a story was told and understood, else why there is none."""
    told, unseen = PROVIDERS[provider]
    if cause in told:
        return "yes" if is_first(cause, told[cause]) else "not surely"
    return unseen[cause]


def table() -> str:
    """Return the table of the README: a row a cause, a column a provider."""
    lines = [_row("Cause", "What it is", *PROVIDERS), _row(*["---"] * (len(PROVIDERS) + 2))]
    lines += [
        _row(cause, CAUSES[cause].title, *(cell(name, cause) for name in PROVIDERS))
        for cause in sorted(CAUSES, key=_place)
    ]
    return "\n".join(lines)


def _place(cause: str) -> tuple[str, int, str]:
    """Where a cause stands: C2 before C10, D4 before D4b."""
    count = "".join(c for c in cause if c.isdigit())
    return cause[0], int(count), cause


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
