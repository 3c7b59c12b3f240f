"""What Duo's Admin API cannot do, and why, in sentences for the agent."""

from __future__ import annotations

from typing import Final

from helpdesk.domain.lacks import Lack

BYPASS: Final = "Duo's bypass leaves a user without a second proof until somebody ends it."
PHONE: Final = "In Duo a number is a device of its own."
ONE: Final = "Duo disables the whole user, never one device."
CODES: Final = "Duo's Admin API checks no codes."
SET_UP: Final = "Reset the device: the customer sets it up anew."
MAILS: Final = "Duo mails no codes that let in."
UNREAD: Final = "Duo writes what administrators do into a log of its own, which is not read here."

LACKS: Final = (
    Lack(
        what="send-code",
        why="Duo sends codes while somebody signs in, not from a desk.",
        instead="The customer gets one by signing in again.",
    ),
    Lack(what="turn-on-mfa", why=BYPASS, instead="Ask a Duo administrator."),
    Lack(what="turn-off-mfa", why=BYPASS, instead="A temporary pass ends by itself."),
    Lack(
        what="suspend-factor",
        why=ONE,
        instead="Reset the device, or pass it on.",
    ),
    Lack(what="resume-factor", why="Duo suspends no single device.", instead=SET_UP),
    Lack(what="lost-factor", why=ONE, instead="Make a pass, and reset the lost device."),
    Lack(what="change-mobile", why=PHONE, instead=SET_UP),
    Lack(what="end-sessions", why="Duo keeps no sessions: the applications do."),
    Lack(what="enrol-totp", why="In Duo the customer sets up a device.", instead=SET_UP),
    Lack(what="drift", why="Duo keeps the secret and tells no code's offset."),
    Lack(what="prove:code", why=CODES, instead="Send a push."),
    Lack(what="prove:totp", why=CODES, instead="Send a push."),
    Lack(what="prove:call-back", why="Duo has no code for a call back."),
    Lack(what="prove:administrator", why="Duo has no code for somebody who vouches."),
    Lack(what="factor:email", why=MAILS),
    Lack(
        what="show:mfa",
        why="Duo asks by policies: whether it asks a user without a device is not shown.",
    ),
    Lack(what="show:since", why="Duo does not tell since when a phone or token is there."),
    Lack(what="told:acts", why=UNREAD),
    Lack(what="told:pass", why=UNREAD),
    Lack(what="told:mail-address", why=MAILS),
)
"""Of every account, whatever its rights."""
