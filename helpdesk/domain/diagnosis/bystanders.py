"""The others of a product, and what was worked out of each once for all who are judged beside them.

A verdict looks at everybody who did something in the same hours. Most of what it wants of them is
the same for the next verdict: which symptoms they left, and what they were let in with.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Final

from msgspec import Struct

from helpdesk.domain.diagnosis.fleet import HEARD_BY, WINDOW, Symptom, symptoms_of
from helpdesk.domain.diagnosis.log import by_at
from helpdesk.domain.timeline import FIRST, Answer, AnyEvent, Challenge, Session
from helpdesk.domain.users import User

Told = tuple[User, Sequence[AnyEvent]]
"""A user with their timeline."""

Shares = Mapping[str, Sequence[Symptom]]
"""Symptoms by what they can be shared as, each oldest first."""

LOST: Final = "lost"
SHARED_AS: Final = {
    "send": "send", "totp": "totp", "session": LOST, "trust": LOST, "memory": LOST,
}  # fmt: skip
"""By symptom: what can be shared of it. A lost session, trust and memory are looked at together."""

NEWEST: Final = 20
"""So many of the newest events say whether somebody was logging in just then."""


class _Left(Struct, frozen=True):
    """The symptoms of somebody since a moment, and for which other moments they are the same.

    Attributes:
        after: They are the same since any moment after this one …
        upto: … up to this one,
        settled: and at any later than this: until then a code may still be heard of.
    """

    after: datetime
    upto: datetime
    settled: datetime
    symptoms: Shares


class Bystander:
    """One user beside others.

    Attributes:
        events: Oldest first.
    """

    def __init__(self, user: User, events: Sequence[AnyEvent]) -> None:
        self.user, self.told = user, events
        self._left: _Left | None = None

    @cached_property
    def events(self) -> Sequence[AnyEvent]:
        """What happened to them, oldest first."""
        return sorted(self.told, key=by_at)

    @cached_property
    def traits(self) -> dict[str, set[str]]:
        """The addresses and browsers with which they were let in."""
        return traits_of([self.told])

    def symptoms(self, since: datetime, now: datetime) -> Shares:
        """What went right and wrong for them since a moment; kept where it can change no more."""
        left = self._left
        if left is not None and left.after < since <= left.upto and now > left.settled:
            return left.symptoms
        events = self.events
        found = by_share(symptoms_of(self.user.id or str(id(self)), events, since, now))
        first = bisect_left(events, since, key=by_at)
        if first < len(events) and now - events[-1].at > HEARD_BY:
            after = events[first - 1].at if first else FIRST
            self._left = _Left(after, events[first].at, events[-1].at + HEARD_BY, found)
        return found

    def was_here(self, at: datetime) -> bool:
        """Whether they were asked for a code within minutes of a moment."""
        newest = self.events[-NEWEST:]
        return any(isinstance(e, Challenge) and abs(e.at - at) < WINDOW for e in newest)


class Bystanders:
    """Whoever may stand beside somebody who is judged; each of them may be judged, too.

    Args:
        before: The same a while ago: whose timeline is the same is not worked out anew.
    """

    def __init__(self, pairs: Sequence[Told], before: Bystanders | None = None) -> None:
        known = before.by_id if before is not None else {}
        self.everybody = [_as_before(known.get(user.id), user, told) for user, told in pairs]

    @cached_property
    def by_id(self) -> dict[str, Bystander]:
        """Each by the user's id."""
        return {one.user.id: one for one in self.everybody}

    @cached_property
    def by_account(self) -> dict[str, list[Bystander]]:
        """Those of each account, in their order."""
        found: dict[str, list[Bystander]] = {}
        for one in self.everybody:
            found.setdefault(one.user.account, []).append(one)
        return found

    @property
    def pairs(self) -> list[Told]:
        """Each with their timeline, as it came."""
        return [(one.user, one.told) for one in self.everybody]

    def beside(self, user: User) -> Beside:
        """Give all but a user themselves."""
        return Beside(self, self.by_id.get(user.id))


class Beside:
    """Those who stand beside one user.

    Args:
        own: The user themselves, who does not; None where they are not among them.
    """

    def __init__(self, all_: Bystanders, own: Bystander | None = None) -> None:
        self._all, self._own = all_, own

    def __iter__(self) -> Iterator[Bystander]:
        return (one for one in self._all.everybody if one is not self._own)

    def __bool__(self) -> bool:
        return len(self._all.everybody) > (self._own is not None)

    def of_account(self, account: str) -> list[Bystander]:
        """Give those of an account; of no account there is nobody."""
        found = self._all.by_account.get(account, []) if account else []
        return [one for one in found if one is not self._own]

    @property
    def pairs(self) -> list[Told]:
        """Each of them with their timeline, as it came."""
        return [(one.user, one.told) for one in self]


def by_share(symptoms: Iterable[Symptom]) -> Shares:
    """Return symptoms by what they can be shared as, each in the order they have."""
    found: dict[str, list[Symptom]] = {}
    for symptom in symptoms:
        found.setdefault(SHARED_AS[symptom.what], []).append(symptom)
    return found


def traits_of(timelines: Iterable[Sequence[AnyEvent]]) -> dict[str, set[str]]:
    """Addresses and browsers with which users were let in."""
    found: dict[str, set[str]] = {"ip": set(), "browser": set()}
    for event in chain.from_iterable(timelines):
        if type(event) is Session or (type(event) is Answer and event.ok):
            for trait, values in found.items():
                value = getattr(event, trait)
                if value:
                    values.add(value)
    return found


def _as_before(known: Bystander | None, user: User, told: Sequence[AnyEvent]) -> Bystander:
    is_same = known is not None and known.told is told and known.user == user
    return known if known is not None and is_same else Bystander(user, told)
