"""The diagnosis: why a user is asked again and again, from the card, the user and the timeline.

Its forty modules are loaded when the first verdict is asked for: no list waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpdesk.domain.diagnosis.acts import STOP
    from helpdesk.domain.diagnosis.catalog import CAUSES
    from helpdesk.domain.diagnosis.verdicts import Verdict
    from helpdesk.domain.diagnosis.why import diagnose

__all__ = ["CAUSES", "STOP", "Verdict", "diagnose"]


def __getattr__(name: str) -> Any:
    """Give what is named, once all modules that tell of causes are there."""
    if name not in __all__:
        raise AttributeError(name)
    from helpdesk.domain.diagnosis import acts, catalog, verdicts, why  # noqa: PLC0415

    found = {
        "CAUSES": catalog.CAUSES,
        "STOP": acts.STOP,
        "Verdict": verdicts.Verdict,
        "diagnose": why.diagnose,
    }
    globals().update(found)
    return found[name]
