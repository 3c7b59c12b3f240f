"""The code clock in words: which code is live and for how long, where it went, what a new one does.

14:01 ✗ void   14:02 ✗ void: a newer one was sent   14:03 ● LIVE ▓▓▓▓░░░░ 2:41   next send in 0:42
to m•••@agency.example   life 5:00   wait 2:00   ▲ a new one voids the live one
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from textual.content import Content

from helpdesk.domain.cases import Case
from helpdesk.domain.codes import Code, CodeClock, CodeState
from helpdesk.domain.products import Product
from helpdesk.domain.text import mask
from helpdesk.tui.render.values import (
    BAD,
    GOOD,
    LIVE,
    QUIET,
    STRONG,
    WARN,
    bar,
    clock,
    flow,
    lines,
    m_ss,
    show,
    silent,
)

CODES_SHOWN: Final = 5
"""How many of the last codes the strip shows."""

PLAIN: Final = frozenset({"", "answered well", "its time is over"})
"""Reasons that a code's state says already."""

LOOKS: Final = {
    CodeState.VOID: ("✗", QUIET),
    CodeState.OLDER: ("○", QUIET),
    CodeState.EXPIRED: ("○", WARN),
    CodeState.USED: ("✓", GOOD),
    CodeState.UNDELIVERED: ("✗", BAD),
}


def codes(
    case: Case, card: Product | None, now: datetime, width: int, *, brief: bool = False
) -> Content:
    """Return the codes strip: every code with its state, the live one counting down; then rules."""
    code_clock = case.codes
    last = code_clock.codes[-(2 if brief else CODES_SHOWN) :]
    shown = [_code(code, last[at + 1 :], now, brief=brief) for at, code in enumerate(last)]
    if not shown:
        shown = [Content.assemble(("no code sent in 24 h", QUIET))]
    shown.append(_next_send(code_clock, now))
    if brief:
        warning = _voids(code_clock, now)
        return flow((*shown, *([warning] if "▲" in warning.plain else [])), width)
    strip = flow(shown, width)
    return lines((strip, flow((*_went_to(case, last), *_rules(card, code_clock, now)), width)))


def _code(code: Code, later: Sequence[Code], now: datetime, *, brief: bool) -> Content:
    at = clock(code.at, now)
    if code.state is not CodeState.LIVE:
        glyph, look = LOOKS[code.state]
        says = Content.assemble((f"{at} ", QUIET), (f"{glyph} {code.state.value}", look))
        reasons = {(other.state, other.why) for other in later}
        if brief or code.why in PLAIN or (code.state, code.why) in reasons:
            return says
        return Content.assemble(says, ": ", show(code.why.partition(";")[0], QUIET))
    if code.expires_at is None:
        return Content.assemble(
            (f"{at} ", STRONG), (" ● LIVE ", LIVE), (" its life is ", QUIET), silent()
        )
    left = (code.expires_at - now).total_seconds()
    if left <= 0:
        return Content.assemble((f"{at} ", QUIET), ("○ expired", WARN))
    life = (code.expires_at - code.at).total_seconds() or 1
    return Content.assemble(
        (f"{at} ", STRONG), (" ● LIVE ", LIVE), f" {bar(left / life)} ", (m_ss(left), STRONG)
    )


def _next_send(code_clock: CodeClock, now: datetime) -> Content:
    if code_clock.next_send_at is None or code_clock.next_send_at <= now:
        return Content.assemble(("may send now", GOOD)) if code_clock.codes else Content("")
    left = m_ss((code_clock.next_send_at - now).total_seconds())
    return Content.assemble(("next send in ", QUIET), (left, STRONG))


def _went_to(case: Case, last: Sequence[Code]) -> tuple[Content, ...]:
    """Where the newest code went; a warning where that is not the login address."""
    if not last or not last[-1].to:
        return ()
    newest = last[-1]
    to = show(mask(newest.to))
    if newest.channel == "email" and not _same_address(newest.to, case.user.login):
        return (Content.assemble(("▲ went to ", WARN), to, (", not to the login address", WARN)),)
    return (Content.assemble(("went to ", QUIET), to),)


def _same_address(one: str, other: str) -> bool:
    """Whether two addresses, masked or not, may be the same."""
    masked = [mask(address).casefold() for address in (one, other)]
    return masked[0] == masked[1] or "@" not in masked[1]


def _rules(card: Product | None, code_clock: CodeClock, now: datetime) -> tuple[Content, ...]:
    """Return life, wait and what a new code does to the old, as the card says or does not say."""
    if card is None:
        return ()
    spans = (("life", card.codes.life_s.value), ("wait", card.codes.resend_wait_s.value))
    told = [
        Content.assemble((f"{name} ", QUIET), m_ss(seconds))
        for name, seconds in spans
        if seconds is not None
    ]
    unknown = [name for name, seconds in spans if seconds is None]
    if code_clock.voids is None:
        unknown.append("newer voids older")
    else:
        told.append(_voids(code_clock, now))
    if unknown:
        told.append(Content.assemble((f"{', '.join(unknown)} ", QUIET), silent()))
    return tuple(told)


def _voids(code_clock: CodeClock, now: datetime) -> Content:
    """Whether sending now voids what is out."""
    live = code_clock.live
    is_live = live is not None and (live.expires_at is None or live.expires_at > now)
    if code_clock.voids is None:
        return Content("")
    if not is_live:
        word = "yes" if code_clock.voids else "no"
        return Content.assemble(("newer voids older ", QUIET), word)
    if code_clock.voids:
        return Content.assemble(("▲ a new one voids the live one", WARN))
    return Content.assemble(("a new one leaves the live one good", QUIET))
