"""What a privacyIDEA cannot do: at all, for one user, and with the rights of the desk's account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from string import digits
from typing import Final

from helpdesk.connectors.privacyidea.line import WHO, PiLine
from helpdesk.domain.lacks import Lack
from helpdesk.domain.text import clean
from helpdesk.domain.users import User

SINCE: Final = (3, 14)
"""The first version with the sign-in log that timelines are made of."""

NO_SWITCH: Final = Lack(
    what="turn-off-mfa",
    why="privacyIDEA has no switch for one user: whoever has an active factor is asked for it.",
    instead="Suspend or reset single factors. Whether the password alone lets in is its policy.",
)
NO_SESSIONS: Final = Lack(
    what="end-sessions",
    why="privacyIDEA only says yes or no to a sign-in; the application keeps the session.",
    instead="End them in the application.",
)

ALWAYS: Final = (
    NO_SWITCH,
    Lack(
        what="turn-on-mfa",
        why=NO_SWITCH.why,
        instead="Enrol a factor: from then on it is asked for.",
    ),
    NO_SESSIONS,
    Lack(
        what="prove:call-back",
        why="privacyIDEA makes no calls, so nothing of a call can be checked.",
        instead="Send a code, or see the caller in person or by video.",
    ),
    Lack(
        what="prove:administrator",
        why="privacyIDEA knows no administrators of a realm who could vouch.",
        instead="Send a code, or see the caller in person or by video.",
    ),
)
"""What no right would change."""

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "send-code": ("triggerchallenge",),
    "reset-factor": ("delete",),
    "reset-all": ("delete",),
    "change-address": ("set",),
    "change-mobile": ("set", "triggerchallenge"),
    "unlock": ("reset",),
    "suspend-factor": ("disable",),
    "resume-factor": ("enable",),
    "temporary-pass": ("enrollREGISTRATION",),
    "lost-factor": ("losttoken", "set", "delete"),
    "enrol-totp": ("enrollTOTP", "disable", "enable", "settokeninfo"),
    "drift": ("resync",),
    "prove:code": ("triggerchallenge", "getchallenges"),
    "prove:push": ("triggerchallenge", "getchallenges"),
}
"""The rights of the desk's account that each act takes."""

READS: Final[Mapping[str, str]] = {
    "userlist": "people cannot be found",
    "tokenlist": "factors are not shown",
    "authentication_log_read": "there is no timeline, and so no verdict",
    "auditlog": "what became of factors is not shown",
    "getchallenges": "when a code ends is not shown",
    "user_lock_read": "locks of users are not shown",
}
"""What is missing on the screen without a right to read."""


def lacks_of(rights: frozenset[str], user: User, others: Sequence[str]) -> tuple[Lack, ...]:
    """Return what is not possible for a user.

    Args:
        rights: Of the desk's own account.
        user: Whose case it is.
        others: Types of tokens they have that are no factors here.
    """
    found = [*ALWAYS]
    for what, needed in RIGHTS.items():
        missing = [right for right in needed if right not in rights]
        if missing:
            *more, last = missing
            named = f"rights {', '.join(more)} and {last}" if more else f"right {last}"
            why = f"The desk's account there lacks the {named}."
            found.append(Lack(what=what, why=why, instead=ASK))
    if others and not any(lack.what == "reset-all" for lack in found):
        kinds = ", ".join(others)
        why = f"This user also signs in by {kinds}, which this desk cannot show nor remove."
        found.append(Lack(what="reset-all", why=why, instead=ONE_BY_ONE))
    return tuple(found)


ASK: Final = "Ask whoever runs privacyIDEA for it."
ONE_BY_ONE: Final = "Reset the factors one by one, and the others on its own pages."


async def inspected(line: PiLine, ahead: timedelta) -> list[str]:
    """Return what holds of a privacyIDEA and of the desk's rights there, in sentences."""
    signed = await line.signed()
    version = clean(signed.version, limit=40)
    found = [f"{WHO} {version} answers at {clean(line.http.url, limit=200)}."]
    if _number(version) < SINCE:
        found.append(f"It is too old: timelines need {'.'.join(map(str, SINCE))} or newer.")
    skew = line.http.skew
    if skew is None:
        found.append("It tells no time, so clocks cannot be compared.")
    elif abs(skew.total_seconds()) > 30:
        way = "ahead of" if skew > timedelta(0) else "behind"
        found.append(f"This machine's clock is {abs(skew.total_seconds()):.0f} s {way} its own.")
    else:
        found.append("The clocks agree to half a minute.")
    if ahead:
        hours = ahead.total_seconds() / 3600
        found.append(f"Its audit is written in a zone {hours:+g} h from UTC; it is reckoned with.")
    found.append(f"The desk works there as {clean(signed.login, limit=80)}.")
    found += [f"Without the right {r}: {w}." for r, w in READS.items() if r not in signed.rights]
    nobody = User(id="", name="", login="", account="", product="", role="user")
    found += [f"{each.what}: {each.says}" for each in lacks_of(signed.rights, nobody, ())]
    return found


def _number(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int("".join(c for c in part if c in digits) or 0) for part in parts)
