"""The clock of the deliveries: another machine stamps them, and it may be wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.timeline import Delivery

USUAL_S = 45.0
"""A log whose every message took longer, and each as long, shows its clock and no delay."""

SPREAD_S = 25.0
"""How far such delays may lie apart; a mail server's own seconds."""

AHEAD, BEFORE = timedelta(seconds=5), timedelta(seconds=2)
"""So far a message may seem to arrive after now, and after its code was typed."""


def set_clocks(rounds: Sequence[Round], now: datetime) -> None:
    """Note on every send by how much the clock of its channel's deliveries is ahead."""
    by_channel: dict[str, list[tuple[Round, Sent, Delivery]]] = defaultdict(list)
    for one in rounds:
        for sent in one.sends:
            arrived = sent.arrived
            if arrived:
                by_channel[sent.event.channel].append((one, sent, arrived))
    for came in by_channel.values():
        delays = [(arrived.at - sent.event.at).total_seconds() for _, sent, arrived in came]
        are_odd = [_is_impossible(one, sent, arrived.at, now) for one, sent, arrived in came]
        skew = _skew_s(delays, is_odd=any(are_odd))
        if skew == 0 and not any(are_odd):
            continue
        by = timedelta(seconds=skew)
        for (one, sent, arrived), own in zip(came, delays, strict=True):
            is_odd = _is_impossible(one, sent, arrived.at - by, now)
            sent.skew_s = own if is_odd else skew


def _skew_s(delays: Sequence[float], *, is_odd: bool) -> float:
    least = min(delays)
    if least < 0 or is_odd:
        return least
    is_even = len(delays) > 3 and least > USUAL_S and max(delays[:-1]) - least < SPREAD_S
    return least if is_even else 0.0


def _is_impossible(one: Round, sent: Sent, at: datetime, now: datetime) -> bool:
    """Whether a message that arrived then came after its code was typed, or after now."""
    if at > now + AHEAD:
        return True
    is_only = len(one.sends) == 1
    for answer in one.answers:
        if answer.ok and (is_only or answer.send == sent.event.send):
            return at - answer.at > BEFORE
    return False
