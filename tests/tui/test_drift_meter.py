"""The drift meter: codes read out by the caller, what they say, and that none of them stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from textual.widgets import Input

from helpdesk.assets import DEMO
from helpdesk.domain.diagnosis.drift import Drift, DriftState
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.tui.dialogs.drift import DriftDialog
from helpdesk.tui.render.drift import LOOKS, reading, ruler
from helpdesk.tui.render.values import hanging
from tests.tui.console import NOW, Console, Slow, console, desk_on, login_of

KEY = "JBSWY3DPEHPK3PXP" * 2
OLD = "GEZDGNBVGY3TQOJQ" * 2


def users_with_app() -> list[str]:
    """Return the users of the demo that have one active authenticator."""
    users = json.loads(DEMO.read_text("utf-8"))["users"].values()
    return [
        str(user["id"])
        for user in users
        if [f["kind"] for f in user.get("factors", ()) if f["state"] == "active"].count("totp") == 1
    ]


USER = users_with_app()[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The demo, in which the user's authenticator has a secret that is known here."""
    tables = json.loads(DEMO.read_text("utf-8"))
    user = next(each for each in tables["users"].values() if each["id"] == USER)
    factor = next(each for each in user["factors"] if each["kind"] == "totp")
    factor.pop("used_at", None)
    tables["secrets"] = {
        "1": {"user": USER, "factor": factor["id"], "totp": KEY, "note": "throw-away"}
    }
    place = tmp_path / "drift.json"
    place.write_text(json.dumps(tables), "utf-8")
    return place


def code(key: str = KEY, *, fast_s: float = 0) -> str:
    """Return what a phone shows whose clock is fast by so much."""
    return pyotp.TOTP(key).at(NOW + timedelta(seconds=fast_s))


async def open_meter(agent: Console, user: str = USER) -> None:
    await agent.find(login_of(user), user)
    await agent.press("d")
    await agent.sees("Drift meter", "5 of 5 tries left")


async def read_out(agent: Console, said: str) -> None:
    await agent.type(said)
    await agent.press("enter")


async def test_a_right_code_says_so_and_is_nowhere_afterwards(file: Path) -> None:
    desk = desk_on(file)
    async with console(desk) as agent:
        await open_meter(agent)
        said = code()
        await read_out(agent, said)

        await agent.sees("✓ right", "The code is right, and so is the phone's clock.", "4 of 5")
        assert agent.app.screen.query_one("#code", Input).value == ""
        assert said not in agent.text
        await agent.press("escape")
        await agent.stands_on_desk()

    row = (await desk.log(Query(), limit=1)).rows[0]
    assert (row.act, row.user) == ("drift", USER)
    assert said not in file.read_text("utf-8")


async def test_a_far_code_asks_for_a_second_one_and_then_tells_the_offset(file: Path) -> None:
    async with console(desk_on(file)) as agent:
        await open_meter(agent)
        await read_out(agent, code(fast_s=90))
        await agent.sees("? a second code", "Wait for the next code", "The next code, as soon as")
        assert "90 s" not in agent.flat

        await read_out(agent, code(fast_s=120))

        await agent.sees("▲ clock is off", "s fast; the secret is right. Set its time to automatic")
        await agent.sees("−7 min", "◆", "+7 min", "A reset will not help.")


async def test_a_code_of_another_entry_matches_nothing(file: Path) -> None:
    async with console(desk_on(file)) as agent:
        await open_meter(agent)
        await read_out(agent, code(OLD))

        await agent.sees("✗ no match", "an old entry in the app", "a reset by whoever may")


async def test_too_few_digits_are_no_code(file: Path) -> None:
    async with console(desk_on(file)) as agent:
        await open_meter(agent)
        await agent.press("enter")
        await agent.sees("Type the code the caller reads.", "5 of 5 tries left")

        await read_out(agent, "12 34")

        await agent.sees("A code has six digits", "No try was used up", "5 of 5 tries left")


async def test_tries_are_counted_down_and_then_refused_with_the_wait(file: Path) -> None:
    desk = desk_on(file)
    async with console(desk) as agent:
        await open_meter(agent)
        for left in (4, 3, 2, 1, 0):
            await read_out(agent, code(OLD))
            await agent.sees(f"{left} of 5 tries left")
        await read_out(agent, code())
        await agent.sees("5 tries in a quarter of an hour are enough", "wait")
        await agent.press("escape")
        await agent.stands_on_desk()

        await agent.press("d")
        await agent.sees("0 of 5 tries left")


async def test_who_may_not_measure_is_told_so(file: Path) -> None:
    async with console(desk_on(file, "auditor")) as agent:
        await open_meter(agent)
        await read_out(agent, "123456")

        await agent.sees("An auditor reads and changes nothing. Ask a support agent or a lead.")


async def test_without_an_authenticator_there_is_nothing_to_measure(
    demo: Callable[..., LocalDesk],
) -> None:
    async with console(demo()) as agent:
        await agent.find("okafor", "u1")
        await agent.press("d")

        await agent.sees("no active authenticator app whose clock could be measured")


class Measuring(Slow):
    """A desk that notes which authenticator is measured, and with how many codes."""

    def __init__(self, desk: LocalDesk) -> None:
        super().__init__(desk)
        self.measured: list[tuple[str, int]] = []

    async def drift(self, user: str, factor: str, codes: Sequence[str]) -> Drift:
        """Give a reading that wants a second code every time."""
        self.measured.append((factor, len(codes)))
        return Drift(state=DriftState.SECOND_CODE, says="Far.")


async def test_of_several_authenticators_one_is_chosen_and_begins_anew(file: Path) -> None:
    tables = json.loads(file.read_text("utf-8"))
    user = next(each for each in tables["users"].values() if each["id"] == USER)
    factor = next(each for each in user["factors"] if each["kind"] == "totp")
    user["factors"].append(factor | {"id": "another", "to": "Tablet [x]"})
    file.write_text(json.dumps(tables), "utf-8")
    desk = Measuring(desk_on(file))
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.find(login_of(USER), USER)
        await agent.press("d")
        await agent.sees("Which authenticator", "Tablet [x]")
        await agent.press("tab")
        await read_out(agent, "123456")
        await agent.sees("Choose the authenticator first.")
        assert desk.measured == []

        await agent.press("shift+tab", "2")
        await read_out(agent, "123456")
        await agent.sees("a second code")
        await agent.press("shift+tab", "1")
        await read_out(agent, "123456")
        await agent.until(lambda: len(desk.measured) == 2, "the second reading")

    assert desk.measured == [("another", 1), (factor["id"], 1)]


async def test_the_meter_is_deaf_at_first_as_every_dialog_is(file: Path, guarded: float) -> None:
    async with console(desk_on(file)) as agent:
        await agent.find(login_of(USER), USER)
        await agent.press("d")
        await agent.sees("Drift meter")
        await agent.type("123456")

        assert isinstance(agent.app.screen, DriftDialog)
        assert agent.app.screen.query_one("#code", Input).value == ""
    assert guarded > 0.5


def test_a_used_code_counts_down_to_the_next() -> None:
    used = Drift(state=DriftState.USED, says="Wait 11 s.", offset_s=0, wait_s=11)

    waiting = hanging(reading(used, 7.0), 80).plain
    over = hanging(reading(used, 0.0), 80).plain

    assert "Wait 7 s for the next one." in waiting
    assert "The next one is there." in over


@pytest.mark.parametrize(
    ("offset_s", "says", "at"),
    [(0, "in step", 14), (90, "90 s fast", 17), (-60, "60 s slow", 12), (9_999, "9999 s fast", 28)],
)
def test_the_ruler_shows_where_the_phone_stands(offset_s: int, says: str, at: int) -> None:
    drawn = ruler(offset_s, "").plain

    assert drawn.endswith(says)
    assert drawn.partition("min ")[2].index("◆") == at


def test_every_reading_has_a_glyph_and_a_word() -> None:
    assert set(LOOKS) == set(DriftState)
    assert len({word for word, _ in LOOKS.values()}) == len(LOOKS)
