"""Pages of a list as text that a person reads, and which commands give them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from helpdesk.columns import room, table
from helpdesk.domain.audit import LogRow
from helpdesk.domain.notices import TrayRow
from helpdesk.domain.products import Product
from helpdesk.domain.search import ChallengeRow, LoopRow, Page, TicketRow, UserRow, UserState
from helpdesk.domain.text import NOT_DOCUMENTED, clean, counted


def user_text(page: Page[UserRow], cards: dict[str, Product]) -> str:
    """Return a page of users as lines."""
    lines = [
        (row.id, row.name, _short(row.product, cards), row.account, _state(row), _ticket(row))
        for row in page.rows
    ]
    return table(lines, "user name product account state ticket", room=room()) + _more(page)


def challenge_text(page: Page[ChallengeRow], cards: dict[str, Product]) -> str:
    """Return a page of challenges as lines, newest first."""
    lines = [
        (
            f"{row.line.at:%H:%M:%S}",
            row.line.user,
            row.name,
            _short(row.product, cards),
            row.line.rule or NOT_DOCUMENTED,
            f"{row.line.channel} {row.line.to}".strip(),
            f"{row.line.state.value} {row.line.reason}".strip(),
        )
        for row in page.rows
    ]
    return table(lines, "at user name product asked_by sent_to state", room=room()) + _more(page)


def loop_text(page: Page[LoopRow], cards: dict[str, Product]) -> str:
    """Return a page of loop reports as lines, worst first."""
    lines = [
        (
            row.report.id,
            row.report.user,
            row.name,
            _short(row.product, cards),
            f"{counted(row.report.rounds, 'round')} in {row.report.seconds} s",
            f"{row.report.at:%H:%M}",
            f"#{row.ticket.id}" if row.ticket else "",
        )
        for row in page.rows
    ]
    return table(lines, "report user name product rounds at ticket", room=room()) + _more(page)


def ticket_text(page: Page[TicketRow], cards: dict[str, Product]) -> str:
    """Return a page of tickets as lines."""
    lines = [
        (
            f"#{row.ticket.id}",
            row.ticket.user,
            row.name,
            _short(row.product, cards),
            row.ticket.subject,
            row.ticket.agent or "nobody",
            "on the phone" if row.ticket.on_phone else "",
        )
        for row in page.rows
    ]
    return table(lines, "ticket user name product subject taken_by now", room=room()) + _more(page)


def log_text(page: Page[LogRow], cards: dict[str, Product]) -> str:
    """Return a page of the log as lines, newest first."""
    lines = [
        (
            str(r.seq),
            f"{r.at:%Y-%m-%d %H:%M:%S}",
            r.agent,
            r.act,
            r.user,
            f"#{r.ticket.lstrip('#')}" if r.ticket else "",
            r.result.value,
            " ".join(filter(None, (r.says, f"Reason: {r.reason}" if r.reason else ""))),
        )
        for r in page.rows
    ]
    return table(lines, "row at agent act user ticket result says") + _more(page)


def tray_text(page: Page[TrayRow]) -> str:
    """Return a page of notices as lines, newest first, the newest one whole."""
    lines = [
        (
            f"{row.at:%Y-%m-%d %H:%M}",
            row.user,
            row.act,
            row.channel.value,
            row.to or "no address on record",
            " ".join(filter(None, (row.state.value, row.says))),
        )
        for row in page.rows
    ]
    whole = [f"  {clean(line)}".rstrip() for row in page.rows[:1] for line in row.body.split("\n")]
    return "\n".join((*((table(lines),) if lines else ()), *whole)) + _more(page)


def _state(row: UserRow) -> str:
    """A user's state in words, with since when MFA is off, whatever else is the matter."""
    is_off = row.state is UserState.OFF
    words = f"loop ×{row.rounds}" if row.state is UserState.LOOP else row.state.value
    if row.off_since is None:
        return f"{words}, since when unknown" if is_off else words
    # It is off through the whole of its last day: the moment on record is the midnight after it.
    last = row.off_until - timedelta(seconds=1) if row.off_until else None
    until = f" until {last:%Y-%m-%d}" if last else ""
    return f"{'' if is_off else f'{words}, '}off since {row.off_since:%Y-%m-%d}{until}"


def _ticket(row: UserRow) -> str:
    return f"#{row.ticket.id}" if row.ticket else ""


def _short(product: str, cards: dict[str, Product]) -> str:
    return cards[product].short if product in cards else product


def _more(page: Page[Any]) -> str:
    rest = page.total - page.offset - len(page.rows)
    far = "or more" if page.is_capped else "in all"
    count = f"{page.total} {far}" if page.total else "Nothing found."
    line = "\n" if page.rows else ""
    more = f", {rest} more: --limit or --offset" if rest > 0 else ""
    return f"{line}{count}{more}{f'. {clean(page.says)}' if page.says else ''}"


LISTS: dict[str, tuple[str, Callable[[Any, dict[str, Product]], str]]] = {
    "find": ("Find users by name, login, telephone, address, account or ticket", user_text),
    "challenges": ("List recent challenges: asked, sent, delivered, answered", challenge_text),
    "loops": ("List login-loop reports, worst first", loop_text),
    "tickets": ("List open tickets: yours, then those nobody has", ticket_text),
    "log": ("List what agents did, newest first", log_text),
}
"""The commands that list, what each gives, and how a page of it reads."""
