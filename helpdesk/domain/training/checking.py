"""What is wrong inside a scenario whose form is right: causes, acts, pairs, products, moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from helpdesk.domain.actions import ACTIONS, own_fields
from helpdesk.domain.diagnosis import CAUSES
from helpdesk.domain.diagnosis.questions import PAIRS
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.domain.timeline import Other
from helpdesk.domain.training.scenario import (
    BEGINS,
    Acts,
    Caller,
    Part,
    Reply,
    Scenario,
    Step,
    event_at,
    when,
)

Fault = tuple[str, str]
"""A place in the file, and what is wrong there."""

PROVE = "prove"
"""Stands beside the acts where something follows from what the trainee does."""


def faults(scenario: Scenario, cards: Mapping[str, Product]) -> Iterator[Fault]:
    """Give what is wrong, in the order of the file: the place, and a sentence without a full stop.

    Args:
        scenario: Of the right form.
        cards: The products there are.
    """
    yield from _known("product", [scenario.product], cards, "product")
    yield from _known("cause", [scenario.cause], CAUSES, "cause")
    yield from _known("also", scenario.also, CAUSES, "cause")
    yield from _person(scenario, cards.get(scenario.product))
    yield from _caller(scenario.caller)
    yield from _events("past", scenario.past, is_past=True)
    yield from _events("then", scenario.then, is_past=False)
    for n, other in enumerate(scenario.others):
        yield from _events(f"others[{n}].past", other.past, is_past=True)
        yield from _events(f"others[{n}].then", other.then, is_past=False)
    for n, fault in enumerate(scenario.faults):
        if min(fault.at, fault.lasts, fault.delay) < 0:
            yield f"faults[{n}]", "nothing goes wrong before the beginning"
    yield from _asks(scenario)
    yield from _acts(scenario.acts)
    if scenario.par <= 0:
        yield "par", "is not a span of more than 0 s"
    yield from _steps("model", scenario, scenario.model)
    if scenario.bad is not None:
        yield from _steps("bad.steps", scenario, scenario.bad.steps)
        if not scenario.bad.loses or len(set(scenario.bad.loses)) != len(scenario.bad.loses):
            yield "bad.loses", f"names each of {_list(list(Part))} once, and at least one"


def _known(
    place: str, names: Sequence[str], there: Mapping[str, Any], noun: str
) -> Iterator[Fault]:
    is_list = not isinstance(names, list)
    for n, name in enumerate(names):
        if name not in there:
            at = f"{place}[{n}]" if is_list else place
            yield at, f"there is no {noun} {clean(name)}; there is {_list(list(there))}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _person(scenario: Scenario, card: Product | None) -> Iterator[Fault]:
    for n, factor in enumerate(scenario.person.factors):
        if card is not None and card.factor(factor.kind) is None:
            yield f"person.factors[{n}].kind", f"{card.name} has no factor {factor.kind.value}"


def _caller(caller: Caller) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, reply in enumerate(caller.answers):
        yield from _reply(f"caller.answers[{n}]", reply, seen)
        if reply.is_lie and not caller.is_attacker:
            yield f"caller.answers[{n}].is_lie", "only an attacker lies"
        seen.add(reply.ask)
    for n, aside in enumerate(caller.meanwhile):
        place = f"caller.meanwhile[{n}]"
        if (aside.at is None) == (not aside.after):
            yield place, "says exactly one of `at` and `after`"
        if aside.after:
            yield from _after(f"{place}.after", aside.after)
        if (aside.at or 0) < 0 or aside.lag < 0:
            yield place, "nothing is said before the beginning"
    ways = [proving.method for proving in caller.proofs]
    for n, proving in enumerate(caller.proofs):
        if proving.method in ways[:n]:
            yield f"caller.proofs[{n}].method", f"{proving.method.value} stands twice"


def _reply(place: str, reply: Reply, seen: set[str]) -> Iterator[Fault]:
    if reply.ask not in PAIRS:
        yield from _known(f"{place}.ask", [reply.ask], PAIRS, "pair")
        return
    known = [meaning.id for meaning in PAIRS[reply.ask].meanings]
    if reply.reply not in known:
        yield f"{place}.reply", f"the replies to {reply.ask} are {_list(known)}"
    if reply.ask in seen:
        yield f"{place}.ask", f"{reply.ask} is answered twice"


def _after(place: str, act: str) -> Iterator[Fault]:
    if act != PROVE and act not in ACTIONS:
        yield place, f"there is no act {clean(act)}; there is {PROVE}, {_list(list(ACTIONS))}"


def _events(place: str, raws: Sequence[dict[str, Any]], *, is_past: bool) -> Iterator[Fault]:
    for n, raw in enumerate(raws):
        try:
            told = when(raw)
            event = event_at(raw, BEGINS, "e0")
        except msgspec.ValidationError as error:
            says, _, path = str(error).partition(" - at `$")
            yield f"{place}[{n}]{path.rstrip('`')}", says
            continue
        except (ValueError, TypeError) as error:
            yield f"{place}[{n}]", str(error)
            continue
        if isinstance(event, Other):
            yield f"{place}[{n}].kind", f"there is no kind of event {clean(event.kind)}"
        elif event.extra:
            yield f"{place}[{n}]", f"a {event.kind} has no key {clean(next(iter(event.extra)))}"
        if told.after:
            yield from _after(f"{place}[{n}].after", told.after)
        if is_past != (told.at is not None and told.at < 0):
            says = "`ago`, more than 0 s" if is_past else "`at` or `after`, from 0 s on"
            yield f"{place}[{n}]", f"says when by {says}"


def _asks(scenario: Scenario) -> Iterator[Fault]:
    yield from _known("asks", scenario.asks, PAIRS, "pair")
    answered = {reply.ask for reply in scenario.caller.answers}
    for n, ask in enumerate(scenario.asks):
        if ask in PAIRS and ask not in answered:
            yield f"asks[{n}]", f"the caller has no answer to {ask} in caller.answers"


def _acts(acts: Acts) -> Iterator[Fault]:
    for name in ("right", "fine", "dangerous", "proof"):
        yield from _known(f"acts.{name}", getattr(acts, name), ACTIONS, "act")
    lists = {"right": acts.right, "fine": acts.fine, "dangerous": acts.dangerous}
    seen: dict[str, str] = {}
    for name, found in lists.items():
        for n, act in enumerate(found):
            if act in seen:
                yield f"acts.{name}[{n}]", f"{act} stands in acts.{seen[act]} already"
            seen[act] = name


def _steps(place: str, scenario: Scenario, steps: Sequence[Step]) -> Iterator[Fault]:
    answered = {reply.ask for reply in scenario.caller.answers}
    last = 0
    for n, step in enumerate(steps):
        at = f"{place}[{n}]"
        if len(step.deeds) != 1:
            yield at, "does exactly one of ask, act, prove, say and end"
            continue
        if step.at < last:
            yield f"{at}.at", "is before the step above it"
        last = step.at
        if step.ask and step.ask not in answered:
            yield f"{at}.ask", f"the caller has no answer to {clean(step.ask)}"
        if step.end:
            yield from _known(f"{at}.end", [step.end], CAUSES, "cause")
        if bool(step.end) != (n == len(steps) - 1):
            yield at, "`end` is the last step, and the last step is `end`"
        yield from _deed(at, step)


def _deed(at: str, step: Step) -> Iterator[Fault]:
    if not step.act:
        return
    if step.act not in ACTIONS:
        yield f"{at}.act", f"there is no act {clean(step.act)}; there is {_list(list(ACTIONS))}"
        return
    names = own_fields(ACTIONS[step.act])
    for key in step.set:
        if key not in names:
            there = _list(names) or "nothing"
            yield f"{at}.set.{clean(key)}", f"{step.act} takes {there}"
