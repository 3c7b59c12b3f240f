"""Grouping: what of a log belongs to one challenge, though rows lack, double or come late."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta

from helpdesk.domain.diagnosis.deliveries import set_clocks
from helpdesk.domain.diagnosis.log import Log, by_at
from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.timeline import (
    Answer,
    Challenge,
    Delivery,
    Fetch,
    Password,
    Resend,
    Send,
    Session,
)

NEAR = timedelta(minutes=10)
"""What is further apart does not belong together."""

SLACK, SOON = timedelta(seconds=5), timedelta(seconds=2)
"""By so much rows of one moment may stand in the wrong order."""


def rounds_of(log: Log, now: datetime) -> tuple[list[Round], list[Sent]]:
    """Group what belongs to one challenge, and keep confirmations of numbers aside."""
    rounds: dict[str, Round] = {}

    def of(challenge: str, at: datetime) -> Round:
        if challenge not in rounds:
            rounds[challenge] = Round(challenge, at)
        return rounds[challenge]

    for asked in log.every(Challenge):
        of(asked.challenge, asked.at).asks.append(asked)
    for resend in log.every(Resend):
        of(resend.challenge, resend.at).resends.append(resend)
    ordered = sorted(rounds.values(), key=by_at)
    sents, floating, confirmations = _sents(log, of)
    for answer in log.every(Answer):
        of(answer.challenge, answer.at).answers.append(answer)
    if len(rounds) != len(ordered):
        ordered = sorted(rounds.values(), key=by_at)
    starts = [one.at for one in ordered]
    for sent in floating:
        owner = _before(ordered, starts, sent.event.at, NEAR)
        if owner is None:
            owner = rounds.setdefault(f"\0{sent.event.send}", Round("", sent.event.at))
        owner.sends.append(sent)
    _link(log, sents)
    _give_passwords(log, ordered)
    ordered = sorted(rounds.values(), key=by_at)
    for one in ordered:
        one.settle()
    set_clocks(ordered, now)
    _attach(log, ordered)
    return ordered, confirmations


def _sents(
    log: Log, of: Callable[[str, datetime], Round]
) -> tuple[dict[str, Sent], list[Sent], list[Sent]]:
    sents: dict[str, Sent] = {}
    floating: list[Sent] = []
    confirmations: list[Sent] = []
    for send in log.every(Send):
        sent = sents.setdefault(send.send, Sent(send))
        if sent.event is not send:
            continue
        if send.purpose in {"confirmation", "enrolment"}:
            confirmations.append(sent)
        elif send.challenge is None:
            floating.append(sent)
        else:
            of(send.challenge, send.at).sends.append(sent)
    return sents, floating, confirmations


def _link(log: Log, sents: dict[str, Sent]) -> None:
    """Give each send what became of it."""
    told: set[str] = set()
    for delivery in log.every(Delivery):
        sent = sents.get(delivery.send)
        if sent is not None:
            sent.deliveries.append(delivery)
            if delivery.state == "delivered":
                told.add(sent.event.channel)
    for sent in sents.values():
        sent.is_accepted_final = sent.event.channel not in told
    for fetch in log.every(Fetch):
        if fetch.send in sents:
            sents[fetch.send].fetches.append(fetch)


def _give_passwords(log: Log, ordered: list[Round]) -> None:
    """Give each round the good password shortly before it, of the same address where both tell."""
    passwords = log.every(Password)
    times = log.times(Password)
    for one in ordered:
        upto = bisect_right(times, one.at + SLACK)
        for password in reversed(passwords[max(0, upto - 4) : upto]):
            if not password.ok or one.at - password.at > NEAR:
                continue
            ip = one.told("ip")
            if not (password.ip and ip) or password.ip == ip:
                one.password = password
                break


def _attach(log: Log, ordered: list[Round]) -> None:
    """Give each session to the round that made it: by its challenge, else the last good one."""
    by_id: dict[str | None, Round] = {one.id: one for one in ordered if one.id}
    good = sorted((one for one in ordered if one.is_accepted), key=_end)
    begins = [_end(one) - SOON for one in good]
    ends = [_end(one) + NEAR for one in good]
    upto = 0
    for session in log.every(Session):
        owner = by_id.get(session.challenge)
        if owner is not None:
            owner.sessions.append(session)
            continue
        at, browser = session.at, session.browser
        while upto < len(good) and begins[upto] <= at:  # sessions come oldest first
            upto += 1
        if not upto or at > ends[upto - 1]:
            continue  # nobody was asked just before
        for place in range(upto - 1, max(-1, upto - 4), -1):
            if at > ends[place]:
                break  # so are all before it
            one = good[place]
            if not (browser and one.browser) or browser == one.browser:
                one.sessions.append(session)
                break


def _end(one: Round) -> datetime:
    return one.ended_at or one.at


def _before(
    ordered: list[Round], starts: list[datetime], at: datetime, span: timedelta
) -> Round | None:
    upto = bisect_right(starts, at + SLACK)
    if upto and at - starts[upto - 1] <= span:
        return ordered[upto - 1]
    return None
