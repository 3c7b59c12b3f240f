"""Draws the pictures of the README from the real console on the bundled fixture.

`python -m tests.screenshots` writes them to `.github/`, then `python -m tests.readme` shows them.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.readme import PICTURES, PLAYED
from tests.tui.console import console, demo_desk


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture.

    Attributes:
        name: Its file's name, which is also what the README calls it.
        finds: The user whose case is open: the words, and the id.
        keys: What is pressed then.
        until: What can be read when it is drawn.
    """

    name: str
    finds: tuple[str, str] | None = ("maya okafor", "u1")
    keys: tuple[str, ...] = ()
    until: str
    who: str = "support"
    theme: str = "dark"


DRAWN: Final = (
    Picture(name="1-the-desk", until="superseded by a newer code"),
    Picture(name="2-before-a-code-is-sent", keys=("s",), until="Which factor"),
    Picture(name="3-a-refusal-says-who-may", keys=("R",), until="User Accounts"),
    Picture(name="4-the-card-of-a-product", keys=("c",), until="checked on"),
    Picture(
        name="5-login-loops-in-the-light-theme",
        finds=None,
        keys=("2",),
        until="Rounds",
        theme="light",
    ),
    Picture(name="6-a-verdict-that-says-stop", finds=("4860", "u173"), until="STOP"),
)


async def draw(picture: Picture) -> str:
    """Return one picture as SVG, without fonts from elsewhere."""
    with tempfile.TemporaryDirectory() as place:
        desk = demo_desk(Path(place), picture.who)
        async with console(desk, theme=picture.theme) as agent:
            if picture.finds is not None:
                await agent.find(*picture.finds)
            await agent.press(*picture.keys)
            await agent.sees(picture.until)
            await agent.settles()
            drawn = agent.app.export_screenshot(title="helpdesk")
    own_fonts = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return own_fonts.replace("<text ", '<text xml:space="preserve" ')


async def main() -> None:
    """Draw all pictures that need no server; beside those nothing else stays there."""
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        if old.stem != PLAYED:
            old.unlink()
    for picture in DRAWN:
        (PICTURES / f"{picture.name}.svg").write_text(await draw(picture), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
