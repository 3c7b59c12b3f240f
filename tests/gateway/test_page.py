"""The console on a page, on a desk over HTTP: everybody signs in on the page, as themselves."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.gateway.devissuer import CLIENT
from helpdesk.web import Wanted, command, surroundings
from tests import chromium
from tests.gateway.devserve import DevServe, places

pytestmark = pytest.mark.skipif(chromium.program() is None, reason=chromium.MISSING)


@contextlib.contextmanager
def page(home: Path, desk: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run `helpdesk web`; give it, what it says first, and its first link."""
    process = subprocess.Popen(
        [*command(Wanted(desk=desk)), "web", "--port", "0"],
        env=os.environ | surroundings() | places(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        yield process, said, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


async def sign_in(tab: chromium.Tab, code: str) -> str:
    """Type a one-time code into the dialog on the page; give what is shown then."""
    await tab.shows("One-time code, not shown")
    await tab.rest()
    await tab.type(f"{code}\n")
    return await tab.shows("in your queue")


def kept(home: Path) -> bytes:
    """All that lies in the replicas of this machine."""
    files = (home / "data" / "replica").glob("**/*")
    return b"".join(file.read_bytes() for file in files if file.is_file())


async def test_everybody_signs_in_on_the_page_and_nothing_of_one_is_the_others(
    tmp_path: Path,
) -> None:
    with (
        DevServe(tmp_path / "far") as far,
        page(tmp_path, far.url) as (process, said, link),
    ):
        async with chromium.browser() as browser:
            first = await browser.tab()
            await first.goto(link)
            asked = await first.shows("Give up")
            danas = await sign_in(first, far.code("dana"))
            assert process.stdout is not None
            second = await browser.tab()
            await second.goto(process.stdout.readline().strip())
            before = await second.shows("Give up")
            gretas = await sign_in(second, far.code("greta"))
            await second.press_control("q")
            await second.says("The console has ended.")
            await first.press_control("q")
            await first.says("The console has ended.")

    assert f"Whoever opens the link signs in at {far.url}, as themselves." in said
    assert "Sign in" in asked
    assert "Sign in again" not in asked
    assert "Dana" in danas
    assert "Dana" not in before
    assert "Greta" in gretas
    users = json.loads((Path("fixtures") / "demo.json").read_text("utf-8"))["users"].values()
    there = kept(tmp_path)
    assert there
    assert [one["name"] for one in users if one["name"].encode() in there] == []
    assert not list((tmp_path / "data" / "replica").glob("*.desk.json"))


async def test_a_code_shown_on_the_page_signs_in_by_another_tab(tmp_path: Path) -> None:
    with DevServe(tmp_path / "far") as far:
        config = tmp_path / "config"
        config.mkdir()
        (config / "helpdesk.toml").write_text(
            f'[profiles.north]\ndesk = "{far.url}"\n'
            f'issuer = "{far.url}/issuer"\nclient_id = "{CLIENT}"\n'
        )
        with page(tmp_path, "north") as (_, _, link):
            async with chromium.browser() as browser:
                first = await browser.tab()
                await first.goto(link)
                shown = await first.shows("Never type a code that somebody sent you.")
                address = re.search(rf"{far.url}/issuer/\S+", shown)
                code = re.search(r"code +([A-Z]{4}-[A-Z]{4})", shown)
                assert address, shown
                assert code, shown
                other = await browser.tab()
                await other.goto(f"{address[0]}?user_code={code[1]}")
                await other.says("one-time code")
                await other.value(
                    "document.querySelector('[name=one_time]').value = "
                    f"{json.dumps(far.code('dana'))};"
                    "document.querySelector('button[value=sign-in]').click()"
                )
                found = await first.shows("in your queue")

    assert "Dana" in found


async def test_who_gives_up_sees_nobody_and_may_try_again(tmp_path: Path) -> None:
    with (
        DevServe(tmp_path / "far") as far,
        page(tmp_path, far.url) as (_, _, link),
    ):
        async with chromium.browser() as browser:
            tab = await browser.tab()
            await tab.goto(link)
            await tab.shows("Give up")
            await tab.rest()
            await tab.press_escape()
            gave_up = await tab.shows("You did not sign in")
            await tab.type("\n")
            found = await sign_in(tab, far.code("dana"))

    assert "in your queue" not in gave_up
    assert "Dana" in found
