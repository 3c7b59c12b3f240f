"""Group D: the code comes and is refused."""

from __future__ import annotations

from datetime import timedelta

from helpdesk.domain.codes import expiry
from helpdesk.domain.diagnosis import session
from helpdesk.domain.diagnosis.catalog import DECISIVE, FAIR, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Answer, Facts, once
from helpdesk.domain.diagnosis.rounds import Round, Sent
from helpdesk.domain.diagnosis.verdicts import Evidence

BLAND = frozenset({"wrong", None})
"""Words for a refusal that say nothing of why."""

UNSENT = frozenset({"totp", "push", "passkey"})
"""Factors whose answer is no code that was sent."""


class Refusal:
    """One refused answer and the codes that were out when it came.

    Attributes:
        out: Codes of the round sent before the answer, oldest first.
        typed: Whose code it was, where the log says so.
    """

    def __init__(self, facts: Facts, one: Round, answer: Answer) -> None:
        self.facts, self.round, self.answer = facts, one, answer
        self.out = [s for s in one.sends if s.event.at <= answer.at + timedelta(seconds=2)]
        self.typed = next((s for s in one.sends if s.event.send == answer.send), None)
        self.earlier = [s for r in facts.recent if self._is_earlier(r) for s in r.sends]
        self.typed_earlier = next((s for s in self.earlier if s.event.send == answer.send), None)

    def _is_earlier(self, one: Round) -> bool:
        """Whether a round is an abandoned try of the same browser just before this one."""
        mine = self.round
        near = timedelta(0) < mine.at - one.at <= timedelta(minutes=30)
        tabs = {r.asked.tab for r in (one, mine) if r.asked and r.asked.tab}
        return (
            one is not mine
            and near
            and not one.is_accepted
            and len(tabs) < 2
            and all(getattr(one, t) == getattr(mine, t) for t in ("browser", "ip", "factor"))
        )

    @property
    def newest(self) -> Sent | None:
        """The newest code that was out."""
        return self.out[-1] if self.out else None

    @property
    def is_typed(self) -> bool:
        """Whether a code was typed; a passkey answers by itself, so its refusal tells of none."""
        return self.round.factor != "passkey"

    @property
    def is_bland(self) -> bool:
        """Whether the log says neither why nor whose code it was."""
        return self.answer.reason in BLAND and self.answer.send is None

    def is_over(self, sent: Sent) -> bool | None:
        """Whether a code had died when it was typed; None where no life is known."""
        end = expiry(self.facts.card, sent.event)
        return None if end is None else self.answer.at > end

    @property
    def is_right(self) -> bool:
        """Whether it was the newest code, inside its life, and refused for no told reason."""
        mine = self.round.sends
        return (
            self.typed is not None
            and self.typed is mine[-1]
            and self.answer.reason in BLAND
            and not self.is_over(self.typed)
        )

    @property
    def is_ahead(self) -> bool:
        """Whether the code of a newer challenge was typed into this one."""
        owner = self.facts.sent_to.get(self.answer.send or "")
        return owner is not None and owner.at > self.round.at

    @property
    def age_s(self) -> float:
        """Seconds from the newest send to the answer."""
        return (self.answer.at - self.newest.event.at).total_seconds() if self.newest else 0.0


@once
def refusals(facts: Facts) -> list[Refusal]:
    """Refused answers of the last day, oldest first, at most 20."""
    found = [
        (answer, one)
        for one in facts.recent
        for answer in one.refusals
        if answer.reason not in {"declined", "timeout"}
    ]
    found.sort(key=lambda pair: pair[0].at)
    return [Refusal(facts, one, answer) for answer, one in found[-20:]]


@once
def sent_refusals(facts: Facts) -> list[Refusal]:
    """Refusals of codes that were sent, not made by an app."""
    told = {"expired", "superseded"}
    return [
        r
        for r in refusals(facts)
        if r.round.factor not in UNSENT and (r.out or r.answer.reason in told)
    ]


@once
def totp_refusals(facts: Facts) -> list[Refusal]:
    """Refusals of codes made by an app."""
    return [
        r for r in refusals(facts) if r.round.factor == "totp" or (not r.out and r.answer.drift_s)
    ]


def solved(facts: Facts, refusal: Refusal) -> Answer | None:
    """The good answer that soon followed a refusal on the same code, or None."""
    good = next((a for a in refusal.round.answers if a.ok and a.at >= refusal.answer.at), None)
    if good is None or good.at - refusal.answer.at > timedelta(minutes=5):
        return None
    resent = [s for s in refusal.round.sends if refusal.answer.at < s.event.at < good.at]
    return None if resent else good


@cause("D1", "the code had expired", prior=0.3, needs="email sms voice")
def expired(scene: Scene) -> list[Evidence]:
    """The code of the newest message, typed after its time."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(sent_refusals(facts)):
        answer, newest = refusal.answer, refusal.newest
        over = refusal.is_over(newest) if newest else None
        if answer.reason == "expired":
            is_older = refusal.typed is not None and refusal.typed is not newest
            lines.add(DECISIVE - (FAIR if is_older else 0), "refused as expired", answer)
        elif newest and refusal.typed is newest and over:
            lines.add(DECISIVE, "the newest code, typed after its time", answer, newest.event)
        elif refusal.is_bland:
            _expired_by_time(refusal, over, lines)
        elif refusal.typed is newest and over is None and refusal.age_s > 300:
            lines.add(
                FAIR + HINT, f"the newest code, typed {refusal.age_s / 60:.0f} min later", answer
            )
        if lines.found:
            break
    if lines.found and any(
        not r.is_bland and r.answer.reason != "expired" for r in sent_refusals(facts)[-2:]
    ):
        lines.add(-HINT, "the log names another reason as well")
    return lines.found


def _expired_by_time(refusal: Refusal, over: bool | None, lines: Lines) -> None:
    several = len(refusal.out) > 1
    answer, newest = refusal.answer, refusal.newest
    if over:
        lines.add(STRONG - (HINT if several else 0), "typed after its time was over", answer)
    elif over is None and refusal.age_s > 300:
        weight = FAIR + HINT if refusal.age_s > 600 else FAIR
        lines.add(weight, f"typed {refusal.age_s / 60:.0f} min after it was sent", answer)
    elif several:
        says = "several codes were out; the log does not say whose was typed"
        lines.add(
            FAIR - (HINT if over is False else 0), says, answer, newest.event if newest else None
        )


@cause("D2", "superseded by a newer code", prior=0.3, needs="email sms voice")
def superseded(scene: Scene) -> list[Evidence]:
    """The code of an older message, still inside its life."""
    facts, lines = scene.facts, Lines(scene.facts)
    for refusal in reversed(sent_refusals(facts)):
        answer, newest = refusal.answer, refusal.newest
        older = refusal.typed if refusal.typed is not newest else None
        if answer.reason == "superseded":
            lines.add(
                DECISIVE + 0.5,
                "refused as superseded by a newer code",
                answer,
                newest.event if newest else None,
            )
        elif older is not None and answer.reason in BLAND | {"expired"}:
            alive = not refusal.is_over(older) and answer.reason != "expired"
            says = "the code of an older message was typed"
            lines.add(DECISIVE if alive else FAIR, says, answer, older.event)
        elif refusal.typed_earlier is not None and answer.reason in BLAND:
            says = "the code of an older message, from the try before, was typed"
            lines.add(STRONG, says, answer, refusal.typed_earlier.event)
        elif refusal.is_bland and len(refusal.out) > 1:
            _older_by_time(refusal, lines)
        elif refusal.is_bland and refusal.earlier:
            often = len([r for r in sent_refusals(facts) if r.is_bland]) > 2
            says = "a code of the try before was still out"
            lines.add(HINT + 0.5 if often else FAIR, says, refusal.earlier[-1].event)
        if lines.found:
            break
    if not lines.found and any(r.is_bland for r in sent_refusals(facts)):
        lines.add(HINT / 2, "refused; the log does not say whose code was typed")
    if lines.found:
        _what_followed(facts, lines)
    return lines.found


def _what_followed(facts: Facts, lines: Lines) -> None:
    if solved(facts, sent_refusals(facts)[-1]):
        lines.add(HINT, "and the next code was taken")
    left = [r.answer for r in sent_refusals(facts) if is_left_behind(facts, r)]
    if left:
        lines.add(-FAIR, "it was typed on an older tab", *left[-1:])
    swapped = [r.answer for r in sent_refusals(facts) if r.is_ahead]
    if swapped:
        lines.add(-FAIR, "the code of a newer challenge was refused as well", *swapped)


def _older_by_time(refusal: Refusal, lines: Lines) -> None:
    newest, answer = refusal.newest, refusal.answer
    if newest is None:
        return
    over = refusal.is_over(newest)
    weight = FAIR + 0.5 if not over else HINT
    if not over and refusal.age_s < 60:
        weight = STRONG
    if newest.arrived_at and newest.arrived_at > answer.at:
        weight = STRONG + HINT
    lines.add(
        weight, "several codes were out, and the newest had just been sent", answer, newest.event
    )


@cause("D3", "a typing mistake", prior=0.2)
def typing(scene: Scene) -> list[Evidence]:
    """It fits no code, and the next try on the same code was good."""
    facts, lines = scene.facts, Lines(scene.facts)
    found = [
        r
        for r in refusals(facts)
        if r.answer.reason in BLAND and r.answer.send is None and r.is_typed
    ]
    if not found:
        if session.blind_loop(facts, Lines(facts)):
            lines.add(
                FAIR + 0.5, "asked again and again; the log holds no answers", facts.visits[-1]
            )
        return lines.found
    last = found[-1]
    right = [r.answer for r in refusals(facts) if r.is_right and r.answer.at > last.answer.at]
    if right:
        lines.add(-STRONG, "later even the right code was refused", *right[-2:])
    good = solved(facts, last)
    older = good or next((g for r in reversed(found) if (g := solved(facts, r))), None)
    if older and not good:
        lines.add(HINT, "an earlier slip was mended by the next try", older)
    if good:
        lines.add(
            STRONG + HINT, "the next try was good, with no new code in between", last.answer, good
        )
    else:
        lines.add(FAIR - HINT / 2, "refused as wrong", last.answer)
    if facts.tells_sends or facts.tells_reasons:
        lines.add(HINT + 0.5, "it fits no code that was sent", last.answer)
    _not_typing(facts, found, bool(good), lines)
    return lines.found


def _not_typing(facts: Facts, found: list[Refusal], is_mended: bool, lines: Lines) -> None:
    """Speak against a slip where something else explains the refusal."""
    last = found[-1]
    newest = last.newest
    if newest and last.is_over(newest):
        lines.add(-FAIR, "its time was over anyway", last.answer)
    if len(last.out) > 1 and not is_mended:
        lines.add(-HINT, "several codes were out", last.answer)
    if facts.lock_at(last.answer.at - timedelta(seconds=3)):
        lines.add(-STRONG, "a lock was in force, so the right code fails too", last.answer)
    if last.round.factor == "totp" and len(found) > 2 and not is_mended:
        lines.add(-HINT, "it fails each time", *(r.answer for r in found[-3:]))
    if facts.loops and not facts.last_refused:
        lines.add(-FAIR, "other codes were taken, and it asked again", facts.loops[-1][0].good)


def is_left_behind(facts: Facts, refusal: Refusal) -> bool:
    """Whether the same browser had asked anew, in another tab, before this answer came."""
    mine = refusal.round
    return any(
        mine.at < one.at < refusal.answer.at
        and one.browser == mine.browser
        and one.asked is not None
        and mine.asked is not None
        and one.asked.tab != mine.asked.tab
        for one in facts.recent
    )
