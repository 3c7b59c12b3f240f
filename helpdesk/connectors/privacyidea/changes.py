"""What the audit says became of a user's tokens.

An authenticator that the desk enrols is made, switched off until its first code is right, and
switched on: three rows that are one change. Tokens that the desk removes one after another are one
reset.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from helpdesk.connectors.raw import bounded, text
from helpdesk.domain.originals import ROW
from helpdesk.domain.timeline import AnyEvent, FactorChange, Lock, Other, Reset

TOGETHER: Final = timedelta(seconds=10)
"""Rows this near one another are parts of one act of the desk."""

ADDRESSES: Final = {"email": "address-changed", "sms": "number-changed"}
"""By type of token: what changed where its address was set."""


def changes_of(audited: Iterable[dict[str, Any]], desk: str, ahead: timedelta) -> list[AnyEvent]:
    """Return what rows of the audit tell, oldest first.

    Args:
        audited: Rows, oldest first.
        desk: The login of the desk's own account: what it did, agents did.
        ahead: How far the server's own clock reads ahead of UTC; its audit names no zone.
    """
    told = _Told(desk)
    for row in audited:
        at = _moment(row, ahead)
        if at is not None and text(row, "success") == "1":
            told.of(row, at)
    return told.events


class _Told:
    """What the rows told so far; what comes later may still mend what came before."""

    def __init__(self, desk: str) -> None:
        self.events: list[AnyEvent] = []
        self._desk = desk
        self._waits: set[str] = set()
        self._reset: Reset | None = None

    def of(self, row: dict[str, Any], at: datetime) -> None:
        """Take one row in."""
        verb = ROUTES.get(text(row, "action"), "")
        tell = {
            "init": self._made,
            "disable": self._off,
            "enable": self._on,
            "delete": self._gone,
            "reset": self._freed,
            "set": self._set,
            "lost": self._lost,
        }.get(verb)
        if tell is not None:
            tell(row, at, self._by(row))
        elif verb:
            self._change(row, at, CHANGES[verb], self._by(row))

    def _made(self, row: dict[str, Any], at: datetime, by: str) -> None:
        if text(row, "token_type") in {"registration", "pw"}:
            self.events.append(_pass(row, at, by))
        else:
            self._change(row, at, "enrolled", by)

    def _lost(self, row: dict[str, Any], at: datetime, by: str) -> None:
        self.events.append(_pass(row, at, by))
        self._change(row, at, "suspended", by)

    def _off(self, row: dict[str, Any], at: datetime, by: str) -> None:
        serial = text(row, "serial")
        begun = [e for e in self.events if _is_enrolling(e, serial) and at - e.at <= TOGETHER]
        if begun and by == "agent":  # its first code is due: it was never in use
            self._waits.add(serial)
            self.events = [e for e in self.events if e not in begun]
        else:
            self._change(row, at, "suspended", by)

    def _on(self, row: dict[str, Any], at: datetime, by: str) -> None:
        serial = text(row, "serial")
        self._change(row, at, "enrolled" if serial in self._waits else "resumed", by)
        self._waits.discard(serial)

    def _gone(self, row: dict[str, Any], at: datetime, by: str) -> None:
        if by != "agent":
            self._change(row, at, "removed", by)
            return
        before = self._reset
        if before is None or at - before.at > TOGETHER:
            self._reset = Reset(at=at, id=_name(row, "reset"), ok=True, by=by, scope="one")
            self.events.append(self._reset)
        else:
            self._reset = replace(before, scope="all")
            self.events[self.events.index(before)] = self._reset
        self._change(row, self._reset.at, "removed", by)

    def _freed(self, row: dict[str, Any], at: datetime, by: str) -> None:
        why = f"lifted by an {'agent' if by == 'agent' else 'administrator'}"
        lifted = Lock(at=at, id=_name(row, "lift"), since=at, until=at, cause=why, failures=0)
        self.events.append(lifted)

    def _set(self, row: dict[str, Any], at: datetime, by: str) -> None:
        words = text(row, "action_detail")
        what = ADDRESSES.get(text(row, "token_type"), "")
        if what and ("email set" in words or "phone set" in words):
            self._change(row, at, what, by)

    def _change(self, row: dict[str, Any], at: datetime, change: str, by: str) -> None:
        self.events.append(
            FactorChange(
                at=at,
                id=_name(row, change),
                change=change,
                factor=text(row, "serial") or None,
                by=by,
                ip=text(row, "client") or None,
                extra={ROW: dict(row)},
            )
        )

    def _by(self, row: dict[str, Any]) -> str:
        who = text(row, "administrator")
        if who and who == self._desk:
            return "agent"
        return "administrator" if who else "user"


CHANGES: Final = {
    "assign": "enrolled",
    "revoke": "removed",
    "unassign": "removed",
}
"""What became of a token, by the route that was asked, where that is all there is to it."""

ROUTES: Final = {
    "POST /token/init": "init",
    "DELETE /token/<serial>": "delete",
    "DELETE /token/": "delete",
    **{
        f"POST /token/{verb}{rest}": verb
        for verb in ("assign", "unassign", "revoke", "disable", "enable", "reset", "set", "lost")
        for rest in ("", "/<serial>")
    },
}
"""The routes that change a token; the others of `/token/` only look, or note something."""


def _moment(row: dict[str, Any], ahead: timedelta) -> datetime | None:
    try:
        at = datetime.fromisoformat(text(row, "date"))
        return bounded(at if at.tzinfo else at.replace(tzinfo=UTC) - ahead)
    except (ValueError, OverflowError):
        return None


def _is_enrolling(event: AnyEvent, serial: str) -> bool:
    return isinstance(event, FactorChange) and event.change == "enrolled" and event.factor == serial


def _pass(row: dict[str, Any], at: datetime, by: str) -> Other:
    name = _name(row, "pass")
    stamp = at.isoformat().replace("+00:00", "Z")
    return Other(
        at=at,
        kind="pass",
        id=name,
        raw={ROW: dict(row), "kind": "pass", "at": stamp, "by": by, "id": name},
    )


def _name(row: dict[str, Any], what: str) -> str:
    return f"audit-{text(row, 'number')}-{what}"
