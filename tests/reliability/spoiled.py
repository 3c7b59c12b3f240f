"""Values of every type there is with one text in every field that can hold any.

    type ─▶ msgspec's own description of it ─▶ a value: each str the text, each choice by turns

Nothing is listed here by hand but what is a word of our own although its type is a plain text, so
that a field that comes tomorrow is tried tomorrow.
"""

from __future__ import annotations

import asyncio
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain import errors
from helpdesk.domain.actions import ACTIONS, Note
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.approvals import Approval, payload_of
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.feed import Freshness
from helpdesk.domain.search import Page
from helpdesk.domain.timeline import AnyEvent, Other
from helpdesk.products import load_cards
from helpdesk.service.desk import Desk

NOW: Final = datetime(2026, 5, 4, 14, 5, tzinfo=UTC)

DEEPEST: Final = 7
"""Values within values; beneath that what may be left out is left out."""

CARDS: Final = load_cards()

OURS: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("User", "product"): tuple(CARDS),
    ("UserRow", "product"): tuple(CARDS),
    ("Account", "product"): tuple(CARDS),
    ("Decision", "act"): tuple(ACTIONS),
}
"""Fields whose text names something of this desk's own, and what an honest desk writes there."""


class Spoiler:
    """Makes values.

    Args:
        text: What stands in every field that can hold a text.
        turn: Which of several choices is taken, counted from 0 and around.
        is_wicked: Whether even what has to be known is not: no honest desk answers so.
    """

    def __init__(self, text: str, turn: int = 0, *, is_wicked: bool = False) -> None:
        self.text, self.turn, self.is_wicked = text, turn, is_wicked

    def of(self, form: Any) -> Any:
        """Give a value of a type; what *form* is not made for raises `TypeError`."""
        return self._made(form, 0)

    def error(self, kind: type[HelpdeskError]) -> HelpdeskError:
        """Give an error that says the text."""
        if kind is errors.BadFile:
            return errors.BadFile(self.text, self.text, self.text)
        if kind in {errors.Refused, errors.NeedsMore}:
            return kind(self.of(Decision))
        return kind(self.text)

    def _made(self, form: Any, depth: int) -> Any:
        origin, parts = typing.get_origin(form), typing.get_args(form)
        if form is AnyEvent:
            return self._by_turn([self._made(kind, depth + 1) for kind in parts])
        if origin is Annotated:
            return self._bounded(self._made(parts[0], depth), parts[1:])
        if origin in {Union, types.UnionType}:
            some = [one for one in parts if one is not type(None)]
            return None if depth > DEEPEST else self._made(self._by_turn(some), depth)
        if origin is Literal:
            return self._by_turn(list(parts))
        if origin in {dict, Mapping}:
            return {self._made(parts[0], depth + 1): self._made(parts[1], depth + 1)}
        if origin in {tuple, list, Sequence}:
            return self._several(origin, parts, depth)
        if inspect.isclass(origin or form) and issubclass(origin or form, Struct):
            return self._struct(form, origin or form, depth)
        return self._plain(form, depth)

    def _plain(self, form: Any, depth: int) -> Any:
        if inspect.isclass(form) and issubclass(form, Enum):
            return self._by_turn(list(form))
        plain = {
            str: self.text,
            int: 3,
            float: 0.5,
            bool: bool(self.turn % 2),
            datetime: NOW,
            Any: {self.text: [self.text]} if depth % 2 else self.text,
            type(None): None,
        }
        if form not in plain:
            raise TypeError(f"{form} is a type that nothing is known of")
        return plain[form]

    def _bounded(self, value: Any, metas: Sequence[Any]) -> Any:
        most = next((m.max_length for m in metas if getattr(m, "max_length", None)), None)
        least = next((m.min_length for m in metas if getattr(m, "min_length", None)), 0)
        return (value or "x" * least)[:most] if isinstance(value, str) else value

    def _struct(self, form: Any, kind: type[Struct], depth: int) -> Any:
        made: dict[str, Any] = {}
        for field in msgspec.structs.fields(form):
            where = (kind.__name__, field.name)
            if depth > DEEPEST and not field.required:
                continue
            if self.is_wicked or where not in OURS:
                made[field.name] = self._made(field.type, depth + 1)
            else:
                made[field.name] = self._by_turn(list(OURS[where]))
        if kind is Page:
            made |= {"total": len(made["rows"]), "offset": 0}
        if kind is Case and not self.is_wicked:
            made["decisions"] = self._decisions()
        if kind is Case:
            made["timeline"] = self._timeline()
        if kind is Other:
            made["raw"] = {"at": str(NOW), "kind": self.text, self.text: self.text}
        if kind is Approval and not self.is_wicked:
            made["payload"] = payload_of(Note(user=self._said("u"), text=self._said("x")))
        return kind(**made)

    def _said(self, otherwise: str) -> str:
        """The text as an act may hold it: some of it, and never half a character."""
        return self.text.encode("utf-8", "replace").decode()[:200] or otherwise

    def _several(self, origin: Any, parts: Sequence[Any], depth: int) -> Any:
        if depth > DEEPEST:
            return ()
        if origin is tuple and parts[-1] is not Ellipsis:
            return tuple(self._made(part, depth + 1) for part in parts)
        return (
            [self._made(parts[0], depth + 1)]
            if origin is list
            else (self._made(parts[0], depth + 1),)
        )

    def _decisions(self) -> tuple[Decision, ...]:
        """An answer to each act, weighed by turns."""
        one: Decision = self.of(Decision)
        weights = list(Weight)
        return tuple(
            replace(one, act=act, weight=weights[(n + self.turn) % len(weights)])
            for n, act in enumerate(ACTIONS)
        )

    def _timeline(self) -> tuple[AnyEvent, ...]:
        """An event of each kind, and one of a kind that nobody knows."""
        known = (self.of(kind) for kind in typing.get_args(AnyEvent) if kind is not Other)
        return (*known, self.of(Other))

    def _by_turn(self, choices: list[Any]) -> Any:
        return choices[self.turn % len(choices)]


def fields_of(form: Any) -> list[str]:
    """Give each field that can hold a text, of a type and of all within it, as `User.name`."""
    found: set[str] = set()
    seen: set[Any] = set()

    def walk(one: Any, name: str) -> None:
        kind = typing.get_origin(one) or one
        if inspect.isclass(kind) and issubclass(kind, Struct):
            if one not in seen:
                seen.add(one)
                for field in msgspec.structs.fields(one):
                    walk(field.type, f"{kind.__name__}.{field.name}")
        elif one in {str, Any}:
            found.add(name)
        for part in typing.get_args(one):
            walk(part, name)

    walk(form, "")
    return sorted(found)


def all_errors(of: type[HelpdeskError] = HelpdeskError) -> Iterator[type[HelpdeskError]]:
    """Give every kind of error there is."""
    yield of
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from all_errors(kind)


ANSWERS: Final[dict[str, Any]] = {
    name: typing.get_type_hints(method)["return"]
    for name, method in vars(Desk).items()
    if inspect.iscoroutinefunction(method)
}
"""By name, what each question to a desk and each act on it is answered with."""


class SpoiledDesk:
    """A desk that answers everything with one text; `text` may be another one at any time.

    Attributes:
        error: What is raised in place of every answer; None where it answers.
    """

    is_demo = is_gated = True

    def __init__(self, text: str, *, is_wicked: bool = False) -> None:
        self.text, self.turn, self.is_wicked = text, 0, is_wicked
        self.error: HelpdeskError | None = None
        self.cards = CARDS

    @property
    def spoiler(self) -> Spoiler:
        """What makes its answers."""
        return Spoiler(self.text, self.turn, is_wicked=self.is_wicked)

    @property
    def label(self) -> str:
        return self.text

    @property
    def alarm(self) -> str:
        return self.text

    @property
    def agent(self) -> Agent:
        return Agent(id=self.text, name=self.text, role=Role.LEAD, login=self.text)

    @property
    def freshness(self) -> Freshness:
        return Freshness(is_live=bool(self.turn % 2), says=self.text, at=NOW)

    def prompt_with(self, ask: Any) -> None:
        """Ask nobody."""

    def __getattr__(self, name: str) -> Any:
        if name not in ANSWERS:
            raise AttributeError(name)

        async def answer(*_given: Any, **_more: Any) -> Any:
            if self.error is not None:
                raise self.error
            if name == "changed":  # never again
                await asyncio.Event().wait()
            return self.spoiler.of(ANSWERS[name])

        return answer
