"""Classes of widgets, made with one look at each class they come of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.dom import DOMNode
from textual.reactive import reactive, var
from textual.widgets import Static

from helpdesk.tui import kinds
from helpdesk.tui.screens.desk import DeskScreen

MADE = ("_reactives", "_computes", "_css_type_name", "_css_type_names", "_inherit_css")
"""What is made of a class when it begins, beside its keys."""


class Counting(Static):
    """Counts, and what it counts is computed."""

    count = reactive(1)
    double = var(0)

    def _compute_double(self) -> int:
        return self.count * 2


class Halving:
    """No widget, but what holds something for one."""

    half = var(0)

    def compute_half(self) -> int:
        """Give nothing."""
        return 0


class Both(Halving, Counting, inherit_css=False, inherit_bindings=False):
    """Comes of both, and counts from another number."""

    BINDINGS = [("x", "do", "Do")]  # noqa: RUF012
    count = reactive(2)


def every(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for one in kind.__subclasses__():
        yield one
        yield from every(one)


def made(kind: type[DOMNode]) -> dict[str, Any]:
    bindings = kind._merged_bindings
    keys = {} if bindings is None else dict(bindings.key_to_bindings)
    found = {name: getattr(kind, name) for name in MADE}
    return found | {"order": [*kind._reactives], "keys": keys}


def begun_by_textual(kind: type[DOMNode]) -> dict[str, Any]:
    flags = (kind._inherit_css, kind._inherit_bindings, kind._inherit_component_classes)
    kinds.TEXTUALS.__func__(kind, *flags)
    found = made(kind)
    DOMNode.__dict__["__init_subclass__"].__func__(kind, *flags)
    return found


def test_a_class_of_widgets_is_what_textual_would_make_of_it() -> None:
    ours = {kind: made(kind) for kind in every(DOMNode)}

    textuals = {kind: begun_by_textual(kind) for kind in ours}

    assert {Both, Counting, DeskScreen} <= ours.keys()
    assert ours == textuals
    assert [*ours[Both]["keys"]] == ["x"]
    assert ours[Both]["_computes"] == {"half", "double"}
