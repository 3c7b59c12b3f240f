"""Classes of widgets, made with one look at each class they come of.

Textual looks, for each new class, through all that every class above it holds, and through the
names of all of them again: with eighty classes before the first frame that was a twentieth of it.
What one class holds itself does not change, so it is looked at once. What is found is the same.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from textual.dom import DOMNode
from textual.reactive import Reactive


class _Holds(NamedTuple):
    """What a class holds itself: its reactives, and what is computed for one."""

    reactives: dict[str, Reactive[Any]]
    computes: frozenset[str]


_KNOWN: Final[dict[type, _Holds]] = {}

TEXTUALS: Final[Any] = DOMNode.__dict__["__init_subclass__"]
"""How Textual itself begins a class."""


def hasten() -> None:
    """Make classes so from now on."""
    DOMNode.__init_subclass__ = classmethod(_begin)  # type: ignore[assignment]


def _begin(
    cls: type[DOMNode],
    inherit_css: bool = True,
    inherit_bindings: bool = True,
    inherit_component_classes: bool = True,
) -> None:
    """Begin a class as `DOMNode.__init_subclass__` does."""
    super(DOMNode, cls).__init_subclass__()
    cls._inherit_css = inherit_css
    cls._inherit_bindings = inherit_bindings
    cls._inherit_component_classes = inherit_component_classes
    names = [base.__name__ for base in cls._css_bases(cls)]
    cls._css_type_name, cls._css_type_names = names[0], frozenset(names)
    cls._merged_bindings = cls._merge_bindings()
    held = [_held(base) for base in reversed(cls.__mro__)]
    cls._reactives = {name: one for each in held for name, one in each.reactives.items()}
    cls._computes = frozenset().union(*(each.computes for each in held))


def _held(base: type) -> _Holds:
    """Give what a class holds itself."""
    if base not in _KNOWN:
        own = base.__dict__
        _KNOWN[base] = _Holds(
            {name: one for name, one in own.items() if isinstance(one, Reactive)},
            frozenset(
                name.lstrip("_")[8:] for name in own if name.startswith(("_compute_", "compute_"))
            ),
        )
    return _KNOWN[base]
