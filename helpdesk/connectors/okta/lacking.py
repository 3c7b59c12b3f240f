"""What Okta cannot do at all, and why, in sentences for the agent."""

from __future__ import annotations

from typing import Final

from helpdesk.domain.lacks import Lack

POLICY: Final = "Okta asks by the organisation's policies, not user by user."
DEVICE: Final = "Okta suspends a device or the whole user, never one factor."
SET_UP: Final = "Reset the factor: the customer sets it up anew."

LACKS: Final = (
    Lack(what="turn-on-mfa", why=POLICY, instead="Ask whoever keeps the organisation's policies."),
    Lack(what="turn-off-mfa", why=POLICY, instead="Ask whoever keeps the organisation's policies."),
    Lack(what="suspend-factor", why=DEVICE, instead="Reset the factor, or pass it on."),
    Lack(what="resume-factor", why=DEVICE, instead=SET_UP),
    Lack(what="lost-factor", why=DEVICE, instead="Make a pass, and reset the lost factor."),
    Lack(
        what="change-mobile",
        why="In Okta a number belongs to its factor and is not changed in it.",
        instead=SET_UP,
    ),
    Lack(
        what="enrol-totp",
        why="In Okta the customer sets up an authenticator while signing in.",
        instead="Reset the old one: the next login asks for a new one.",
    ),
    Lack(
        what="drift",
        why="Okta keeps the secret and tells no code's offset.",
        instead="Let the customer set the phone's time to automatic.",
    ),
    Lack(what="prove:call-back", why="Okta has no code for a call back."),
    Lack(what="prove:administrator", why="Okta has no code for somebody who vouches."),
    Lack(
        what="show:mfa",
        why="Okta asks by policies: whether it asks this user is not in what it tells of them.",
    ),
    Lack(
        what="told:pass",
        why="No event of Okta's log is known here that tells of a Temporary Access Code.",
    ),
    Lack(what="told:mail-address", why="Okta's log names no address that a code was mailed to."),
)
"""Of every organisation, whatever its rights."""

NO_CODES: Final = Lack(
    what="temporary-pass",
    why="This organisation has no Temporary Access Code, or this desk may not see it.",
    instead="Reset the factor: the customer sets it up anew at the next login.",
)
"""Where the authenticator for it is missing, switched off, or hidden."""
