"""Changes: of factors and addresses, locks and their end, what the user reports."""

from __future__ import annotations

from datetime import datetime

from helpdesk.connectors.okta.rows import Row
from helpdesk.connectors.okta.telling import Telling, Told, cause_of, other, second_id
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import FactorChange, Lock, Report, Reset


def change(what: str) -> Told:
    """Give what tells that a factor was changed so, by the user or by somebody else."""

    def tell(telling: Telling, row: Row, at: datetime) -> None:
        telling.add(_factor_change(telling, row, at, what))

    return tell


def _factor_change(telling: Telling, row: Row, at: datetime, change: str) -> FactorChange:
    named = row.target("AuthenticatorEnrollment", "Factor", "Authenticator") or row.factor
    return FactorChange(
        at=at,
        id=row.id or None,
        change=change,
        factor=named or None,
        by=telling.who(row),
        ip=row.ip,
    )


def removed(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that a factor was removed; by this desk that is a reset of the one."""
    if telling.who(row) == "agent":
        reset = second_id(row, "reset")
        telling.add(Reset(at=at, id=reset, ok=row.is_good, by="agent", scope="one"))
    telling.add(_factor_change(telling, row, at, "removed"))


def factor_update(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that a factor was changed: a telephone's or mailbox's leads codes elsewhere."""
    change = {"sms": "number-changed", "voice": "number-changed", "email": "address-changed"}
    told = change.get(row.factor or "")
    if told is None:
        other(telling, row, at)
        return
    telling.add(_factor_change(telling, row, at, told))


def profile(telling: Telling, row: Row, at: datetime) -> None:
    """The profile was changed: only number and mail lead codes elsewhere."""
    changed = row.debug("changedAttributes").casefold()
    if "phone" in changed:
        telling.add(_factor_change(telling, row, at, "number-changed"))
    elif "mail" in changed:
        telling.add(_factor_change(telling, row, at, "address-changed"))
    else:
        other(telling, row, at)


def reset_all(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that all factors were reset, or could not be."""
    who = telling.who(row)
    telling.add(Reset(at=at, id=row.id or None, ok=row.is_good, by=who, scope="all"))


def locked(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that the user is locked; Okta does not say until when."""
    cause = cause_of(row, "too many failures")
    telling.lock(Lock(at=at, id=row.id or None, since=at, cause=cause))


def unlocked(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that the lock was lifted."""
    telling.lifted(at)
    cause = f"lifted by an {'agent' if telling.who(row) == 'agent' else 'administrator'}"
    telling.add(Lock(at=at, id=row.id or None, since=at, until=at, cause=cause))


def reported(telling: Telling, row: Row, at: datetime) -> None:
    """Tell that the user said it was not they."""
    about = clean(row.debug("suspiciousActivityEventType"), limit=200)
    telling.add(Report(at=at, id=row.id or None, what="not-me", detail=about or None))
