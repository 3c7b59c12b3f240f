"""Who may ask what of whom: one line an endpoint and target, one column a role."""

from __future__ import annotations

from typing import Any, Final

from helpdesk.domain.agents import Role

AGENTS: Final = {
    Role.SUPPORT: "dana",
    Role.ACCOUNT_MANAGER: "sam",
    Role.LEAD: "lee",
    Role.TRAINER: "tess",
    Role.AUDITOR: "ari",
    Role.PRODUCT_ADMINISTRATOR: "pia",
}
"""The agents of the sample, in the order of the columns; the last administers one account."""

TARGETS: Final = {"own": "u4", "other": "u2", "-": ""}
"""A user of that account, one of another account, and nobody."""

BODIES: Final[dict[str, dict[str, Any]]] = {
    "whose": {"name": "{user}"},
    "original": {"event": "e1"},
    "drift": {"codes": ["123456"]},
    "ask_proof": {"method": "code"},
    "answer_proof": {"answer": "123456"},
    "approve": {"is_granted": False, "says": "No."},
    "erase_log": {"before": "2020-01-01T00:00:00Z"},
    "accept_log": {"reason": "The backup was put back."},
    "tray": {"user": "{user}"},
    "weigh": {"action": {"act": "note", "user": "{user}", "text": "Called."}},
    "perform": {"action": {"act": "note", "user": "{user}", "text": "Called."}},
}

EXPECTED: Final = """
desk            -       200 200 200 200 200 200
find            -       200 200 200 200 200 200
queue           -       200 200 200 200 200 200
whose           own     200 200 200 200 200 200
whose           other   200 200 200 200 200 404
case            own     200 200 200 200 200 200
case            other   200 200 200 200 200 404
original        own     404 404 404 404 404 404
original        other   404 404 404 404 404 404
challenges      -       200 200 200 200 200 200
loops           -       200 200 200 200 200 200
tickets         -       200 200 200 200 200 200
log             -       200 200 200 200 200 200
why             own     200 200 200 200 200 200
why             other   200 200 200 200 200 404
fleet           -       200 200 200 200 200 200
drift           own     403 403 403 403 403 403
drift           other   404 404 404 404 403 404
ways            own     200 200 200 200 200 200
ways            other   200 200 200 200 200 404
ask_proof       own     422 422 422 422 403 422
ask_proof       other   422 422 422 422 403 403
answer_proof    own     404 404 404 404 403 404
answer_proof    other   404 404 404 404 403 403
approvals       -       200 200 200 200 200 200
approve         -       404 404 404 404 404 404
alarms          -       200 200 200 200 200 200
holds           -       200 200 200 200 200 200
undo            -       404 404 404 404 404 404
carry_out_due   -       200 200 200 200 200 200
settle          -       200 200 200 200 200 200
phone           own     200 200 200 200 200 200
phone           other   200 200 200 200 200 404
inspect_log     -       200 200 200 200 200 200
reconcile_log   -       200 200 200 200 200 403
checkpoint      -       200 200 200 200 200 200
checkpoint_key  -       200 200 200 200 200 200
export_log      -       200 200 200 200 200 200
erase_log       -       403 403 200 403 403 403
accept_log      -       403 403 403 403 403 403
tray            own     200 200 200 200 200 200
tray            other   200 200 200 200 200 404
bundle          own     200 200 200 200 200 200
bundle          other   200 200 200 200 200 404
weigh           own     200 200 200 200 200 200
weigh           other   200 200 200 200 200 200
perform         own     200 200 200 200 403 200
perform         other   200 200 200 200 403 403
operation       -       404 404 404 404 404 404
withdraw        -       200 200 200 200 200 200
sign_out        -       200 200 200 200 200 200
changes         -       200 200 200 200 200 200
"""
"""The columns are `AGENTS`. 403: not by this role, or not on this user. 404: not seen, or there is
nothing of the kind. 422: a ticket is missing, so who asks may. A weighing says no in its answer."""
