"""A class as its trainer gives it: three browsers that know nothing of each other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpdesk.web import Wanted, command, surroundings
from tests import chromium
from tests.test_web import children, gone
from tests.waiting import PATIENCE_S

PICTURES = os.environ.get("HELPDESK_PICTURES", "")
"""A directory for pictures of what was seen; empty for none."""


@contextlib.asynccontextmanager
async def held(*more: str) -> AsyncIterator[tuple[subprocess.Popen[str], str, str]]:
    """Hold a class as a process of its own; give it, the class link and the trainer's."""
    process = subprocess.Popen(
        [*command(Wanted()), "web", "--training", "--port", "0", *more],
        env=os.environ | surroundings(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert "until this ends" in process.stdout.readline()
        for_class, for_trainer = (process.stdout.readline().split()[0] for _ in range(2))
        yield process, for_class, for_trainer
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, PATIENCE_S)
        process.stdout.close()


async def pictured(tab: chromium.Tab, name: str) -> None:
    if PICTURES:
        await tab.picture(Path(PICTURES) / f"{name}.png")


async def joined(tab: chromium.Tab, link: str, name: str) -> None:
    """Join as somebody does: open the link, type a name, press Enter."""
    await tab.goto(link)
    await tab.says("Your name")
    await pictured(tab, f"1-join-{name}")
    await tab.type(f"{name}\n")
    await tab.says(f"Hello {name}")
    await pictured(tab, f"2-calls-{name}")


async def played(tab: chromium.Tab, call: str) -> None:
    """Choose a call from the list, and wait for the caller."""
    await tab.value(f"document.querySelector('a[href=\"call-{call}\"]').click()")
    await tab.shows("On the line")


async def begun_anew(tab: chromium.Tab) -> None:
    """Throw the try away, and wait until the page has the call from its start."""
    await tab.press_function(7)
    await tab.shows("Press F7 again")
    await tab.press_function(7)
    await tab.until("performance.getEntriesByType('navigation')[0].type", "reload")
    await tab.shows("On the line")


async def hung_up(tab: chromium.Tab, cause: str, name: str) -> str:
    """Name the cause, look at the debrief and go back to the calls; give the debrief."""
    await pictured(tab, f"3-call-{name}")
    await tab.press_function(6)
    box = await tab.shows("Hang up: what was it?")
    line = next(each for each in box.splitlines() if f"○ {cause} " in each)
    await tab.rest()
    await tab.type(line.split("○")[0].split()[-1])
    await tab.type("\n")
    debrief = ""
    async with asyncio.timeout(PATIENCE_S):
        while " of 100" not in debrief:
            await tab.rest()  # what comes too soon is not heard: one presses again
            debrief = await tab.value(chromium.READ_TERMINAL) or ""
            if "Hang up: what was it?" in debrief:
                await tab.type("\n")
    await pictured(tab, f"4-debrief-{name}")
    await tab.rest()
    await tab.press_escape()
    await tab.says("Once more")
    await pictured(tab, f"5-after-{name}")
    return debrief


@pytest.mark.slow
@pytest.mark.skipif(chromium.program() is None, reason=chromium.MISSING)
async def test_three_browsers_play_and_the_trainer_has_their_marks() -> None:
    names = ("Kim", "Robin", "Sam")
    async with held() as (process, for_class, for_trainer), contextlib.AsyncExitStack() as opened:
        browsers = [await opened.enter_async_context(chromium.browser()) for _ in range(4)]
        trainer, *tabs = [await each.tab() for each in browsers]
        await trainer.goto(for_trainer)
        await trainer.says("Nobody has joined yet.")
        for tab, name in zip(tabs, names, strict=True):
            await joined(tab, for_class, name)
        for tab, call in zip(
            tabs, ("the-second-mail", "every-morning", "the-second-mail"), strict=True
        ):
            await played(tab, call)
        now = await trainer.says("Every morning")
        await pictured(trainer, "6-trainer-while-they-play")
        await begun_anew(tabs[2])
        plays = children(process)
        debriefs = [
            await hung_up(tab, cause, name)
            for tab, cause, name in zip(tabs, ("D2", "B1", "D2"), names, strict=True)
        ]
        table = await trainer.until("document.body?.innerText", "Every morning: ")
        await pictured(trainer, "7-trainer-after")
        room = await tabs[0].value("window.location.href")
        await tabs[1].goto(room)
        stranger = await tabs[1].says("Open")
        ended = await gone(plays)

    assert len(plays) == 3
    assert all(name in now for name in names)
    assert "B1 was the cause." in debriefs[1]
    assert all(f"Hello {name}" not in stranger for name in names)
    assert "of 100" in table
    assert ended
