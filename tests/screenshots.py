"""Draws the pictures of the README from the real console on the bundled fixture.

`python -m tests.screenshots` writes them to `.github/`, then `python -m tests.readme` shows them.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from helpdesk.assets import DEMO
from helpdesk.connectors.demo import DemoConnector
from helpdesk.products import load_cards
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.stores.tiny import TinyFile, TinyStore
from helpdesk.tui.app import HelpdeskApp
from helpdesk.wiring import agent_named

TO = Path(__file__).resolve().parent.parent / ".github"

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

PATIENCE_S: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture.

    Attributes:
        name: Its file's name, which is also what the README calls it.
        keys: What is pressed to get there; a word of several letters is typed.
        until: A text that is there when it may be drawn.
    """

    name: str
    keys: Sequence[str]
    until: str
    who: str = "support"
    theme: str = "dark"
    size: tuple[int, int] = (130, 34)


MAYA = ("/", "maya okafor", "enter", "enter")

PICTURES: Final = (
    Picture(name="1-the-desk", keys=MAYA, until="Priya Shah"),
    Picture(name="2-before-a-code-is-sent", keys=(*MAYA, "s"), until="Send code"),
    Picture(name="3-a-refusal-says-who-may", keys=(*MAYA, "R"), until="User Accounts"),
    Picture(name="4-the-card-of-a-product", keys=(*MAYA, "c"), until="S4."),
    Picture(name="5-login-loops-in-the-light-theme", keys=("2",), until="Rounds", theme="light"),
)


@contextmanager
def demo_desk(who: str) -> Iterator[Desk]:
    """Give a desk on a copy of the bundled fixture, at a time that stands still."""
    with tempfile.TemporaryDirectory() as place:
        file = TinyFile(Path(shutil.copy(DEMO, place)), lambda: NOW)
        store = TinyStore(file)
        store.load()
        yield LocalDesk(
            agent=agent_named(who, store.agents),
            cards=load_cards(),
            connector=DemoConnector(file),
            store=store,
            clock=lambda: NOW,
            label="DEMO DATA",
            is_demo=True,
        )


async def draw(picture: Picture) -> str:
    """Return one picture as SVG, without fonts from elsewhere.

    Raises:
        LookupError: What should be on it does not come.
    """
    with demo_desk(picture.who) as desk:
        app = HelpdeskApp(desk, theme=picture.theme, clock=lambda: NOW)
        async with app.run_test(size=picture.size) as pilot:
            await pilot.pause(0.5)
            for key in picture.keys:
                await pilot.press(*(key if " " in key else [key]))
                await pilot.pause(0.3)
            drawn = await _drawn(pilot, picture)
    own_fonts = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return own_fonts.replace("<text ", '<text xml:space="preserve" ')


async def _drawn(pilot: Pilot[None], picture: Picture) -> str:
    for _ in range(int(PATIENCE_S / 0.2)):
        await pilot.pause(0.2)
        drawn = pilot.app.export_screenshot(title="helpdesk")
        if picture.until in _text(drawn):
            return drawn
    raise LookupError(f"{picture.name}: {picture.until!r} is not on it: {_text(drawn)}")


def _text(svg: str) -> str:
    return re.sub(r"<[^>]+>", " ", svg.partition("</style>")[2]).replace("&#160;", " ")


async def main() -> None:
    """Draw all pictures."""
    TO.mkdir(exist_ok=True)
    for picture in PICTURES:
        drawn = await draw(picture)
        (TO / f"{picture.name}.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
