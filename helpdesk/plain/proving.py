"""Who was proven, who has to agree and what is held, as text that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from helpdesk.columns import table
from helpdesk.domain.approvals import Approval, action_of
from helpdesk.domain.errors import BadInput
from helpdesk.domain.holds import Ending, Hold
from helpdesk.domain.proofs import Asking, Proof, Way
from helpdesk.domain.text import clean


def ways_text(ways: Sequence[Way]) -> str:
    """Return the ways of proving a caller as lines, those that prove nothing with the reason."""
    rows = [
        (
            way.method.value,
            way.channel,
            way.grade.value,
            way.to,
            f"not: {way.not_for}" if way.not_for else "",
        )
        for way in ways
    ]
    return table(rows)


def asking_text(asking: Asking) -> str:
    """Return what an agent says and waits for after asking."""
    pair = f" You say {asking.words[0]}; the customer answers {asking.words[1]}."
    said = pair if asking.method.has_pair else ""
    return clean(
        f"Asked by {asking.method.words}.{said} Then: helpdesk prove {asking.user} --answer …"
    )


def proof_text(proof: Proof) -> str:
    """Return a proof as one sentence."""
    return clean(f"Proven by {proof.method.words} ({proof.grade.value}), for ten minutes, once.")


def approvals_text(approvals: Sequence[Approval]) -> str:
    """Return requests for a second person as lines: exactly what is to be agreed to."""
    rows = [
        (
            one.id,
            f"{one.asked_at:%H:%M}",
            one.requester,
            one.act,
            one.user,
            _stand(one),
            _own_words(one),
            one.why,
        )
        for one in approvals
    ]
    return table(rows, "request at asked_by act user state what because") or "Nothing waits."


def _own_words(one: Approval) -> str:
    """Name all that an act was given beside its user, as it is to be agreed to."""
    if not one.payload:
        return ""  # erased
    try:
        given = msgspec.structs.asdict(action_of(one))
    except BadInput as error:
        return str(error)
    return ", ".join(
        f"{name}: {value}" for name, value in given.items() if value and name != "user"
    )


def holds_text(holds: Sequence[Hold]) -> str:
    """Return acts that wait as lines, the next one first."""
    rows = [
        (one.id, f"due {one.due_at:%H:%M:%S}", one.agent, one.act, one.user, one.ending.value)
        for one in holds
    ]
    return table(rows) or "Nothing waits."


def _stand(one: Approval) -> str:
    if one.decided_at is None:
        return "waits"
    then = f", {ENDED[one.ending]}" if one.used_at else ""
    return f"{'agreed' if one.is_granted else 'refused'} by {one.approver}{then}"


ENDED: Final = {
    None: "carried out",
    Ending.DONE: "carried out",
    Ending.WAITS: "held",
    Ending.UNDONE: "undone",
    Ending.REFUSED: "not carried out",
    Ending.RUNS: "under way",
    Ending.UNKNOWN: "nobody knows whether it was done",
}
"""What became of what was agreed to and used."""
