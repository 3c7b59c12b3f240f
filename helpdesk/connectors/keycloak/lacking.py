"""What Keycloak cannot do at all, and why, in sentences for the agent."""

from __future__ import annotations

from typing import Final

from helpdesk.domain.lacks import Lack

ASKS: Final = "Keycloak asks whoever has set up a second proof; there is no switch for one user."
SENDS: Final = "Keycloak sends no codes: they are made on the phone."
NO_WAY_IN: Final = "Keycloak has no temporary way in."
CHECKS: Final = "Keycloak checks nobody outside a sign-in."
SET_UP: Final = "Reset the factor: the next login asks for a new one."
UNREAD: Final = "Keycloak writes what administrators do into its admin events, not read here."

LACKS: Final = (
    Lack(what="send-code", why=SENDS, instead="Open the app and read the code there."),
    Lack(
        what="turn-on-mfa", why=ASKS, instead="A reset of all asks for a set-up at the next login."
    ),
    Lack(what="turn-off-mfa", why=ASKS, instead="Pass it on to whoever keeps the realm."),
    Lack(
        what="suspend-factor",
        why="Keycloak suspends the whole user, never one credential.",
        instead="Reset the factor, or pass it on.",
    ),
    Lack(what="resume-factor", why="Keycloak suspends no single credential.", instead=SET_UP),
    Lack(what="change-mobile", why="Keycloak keeps no number that codes go to.", instead=SET_UP),
    Lack(what="temporary-pass", why=NO_WAY_IN, instead=SET_UP),
    Lack(what="lost-factor", why=NO_WAY_IN, instead=SET_UP),
    Lack(
        what="enrol-totp",
        why="In Keycloak the customer sets up an authenticator while signing in.",
        instead=SET_UP,
    ),
    Lack(
        what="drift",
        why="Keycloak keeps the secret and tells no code's offset.",
        instead="Let the customer set the phone's time to automatic.",
    ),
    *(
        Lack(what=f"prove:{method}", why=CHECKS)
        for method in ("code", "push", "totp", "call-back", "administrator")
    ),
    *(Lack(what=what, why=SENDS) for what in ("factor:email", "factor:sms", "told:mail-address")),
    Lack(what="told:acts", why=UNREAD),
    Lack(what="told:pass", why="Keycloak has no temporary way in."),
)
"""Of every realm, whatever its rights."""
