"""The clock of the deliveries: another machine stamps them, and it may be wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.rounds import Round, Sent

USUAL_S = 45.0
"""A log whose every message took longer, and each as long, shows its clock and no delay."""

SPREAD_S = 25.0
"""How far such delays may lie apart; a mail server's own seconds."""


def set_clocks(rounds: Sequence[Round], now: datetime) -> None:
    """Note on every send by how much the clock of its channel's deliveries is ahead."""
    by_channel: dict[str, list[tuple[Round, Sent]]] = defaultdict(list)
    for one in rounds:
        for sent in one.sends:
            if sent.arrived:
                by_channel[sent.event.channel].append((one, sent))
    for pairs in by_channel.values():
        skew = _skew_s(pairs, now)
        for one, sent in pairs:
            own = sent.delay_s or 0.0
            sent.skew_s = skew
            if _is_impossible(one, sent, now):
                sent.skew_s = own


def _skew_s(pairs: Sequence[tuple[Round, Sent]], now: datetime) -> float:
    delays = [sent.delay_s or 0.0 for _, sent in pairs]
    least = min(delays)
    if least < 0:
        return least
    if any(_is_impossible(one, sent, now) for one, sent in pairs):
        return least
    is_even = len(delays) > 3 and least > USUAL_S and max(delays[:-1]) - least < SPREAD_S
    return least if is_even else 0.0


def _is_impossible(one: Round, sent: Sent, now: datetime) -> bool:
    """Whether a message is noted as arrived after its code was typed, or after now."""
    at = sent.arrived_at or sent.event.at
    if at > now + timedelta(seconds=5):
        return True
    typed = [
        a.at for a in one.answers if a.ok and (a.send == sent.event.send or len(one.sends) == 1)
    ]
    return bool(typed) and typed[0] < at - timedelta(seconds=2)
