"""Desks on a copy of the demo; dialogs hear at once, but where a test is about their guard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.guarded import Guarded
from tests.tui.console import AGES_S, demo_desk


@pytest.fixture
def demo(tmp_path: Path) -> Callable[..., LocalDesk]:
    """Open the demo as somebody."""
    return lambda who="support", **more: demo_desk(tmp_path, who, **more)


@pytest.fixture
def guarded() -> float:
    """The seconds a dialog really stays deaf."""
    return REAL_S


REAL_S = Guarded.guard_s


@pytest.fixture
def deaf_for_ages(guarded: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dialogs be deaf, and keys be repeated, until a test says otherwise."""
    assert guarded == pytest.approx(0.8)
    monkeypatch.setattr(Guarded, "guard_s", AGES_S)
    monkeypatch.setattr(Guarded, "pause_s", AGES_S)


@pytest.fixture(autouse=True)
def _hears_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "guarded" not in request.fixturenames:
        monkeypatch.setattr(Guarded, "guard_s", 0.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a console test anew, twice: it waits for a screen, and a busy machine paints late.

    What is tried again is said in the summary (`R`), so that a test that needs it often is seen.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=2))
