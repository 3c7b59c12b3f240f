from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from helpdesk.domain.errors import BadInput
from helpdesk.web import Wanted, command, origin_of, surroundings
from helpdesk.web.console import TALLEST, WIDEST
from helpdesk.web.site import CONSOLES, Site
from tests import chromium
from tests.conftest import Run
from tests.waiting import PATIENCE_S

STAND_IN = """
import json, sys, os

def send(kind, data):
    os.write(1, kind + len(data).to_bytes(4, "big") + data)

os.write(1, b"__GANGLION__\\n")
{body}
"""
"""A program that speaks with the page as a console does."""


class Open:
    """A page that answers in this process, and a caller of it."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, links: list[str]) -> None:
        self.session, self.origin, self._links = session, origin, links

    @property
    def link(self) -> str:
        """The link that was said last."""
        return f"{self.origin}{self._links[-1]}"

    async def status(self, url: str, **headers: str) -> int:
        """Ask for an address; give the answer's status."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(url, headers=names, allow_redirects=False) as answer:
            await answer.read()
            return answer.status

    async def enter(self) -> str:
        """Open the link; give the address of the room."""
        async with self.session.get(self.link, allow_redirects=False) as answer:
            return f"{self.origin}{answer.headers['Location']}"

    async def console(self, room: str, size: str = "") -> aiohttp.ClientWebSocketResponse:
        """Open a console in the room."""
        return await self.session.ws_connect(f"{room}ws{size}", origin=self.origin)


@contextlib.asynccontextmanager
async def opened(arguments: Sequence[str]) -> AsyncIterator[Open]:
    """Answer with consoles started by these arguments."""
    links: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = origin_of(Wanted(), listener.getsockname()[1])
        site = Site(arguments, surroundings(), origin, links.append)
        runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=5)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        site.door.renew()
        jar = aiohttp.CookieJar(unsafe=True)  # which is what it calls a host that is an address
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield Open(session, origin, links)
        await runner.cleanup()


def stand_in(body: str) -> list[str]:
    """Return the arguments that run this in the place of a console."""
    return [sys.executable, "-c", STAND_IN.format(body=textwrap.dedent(body))]


async def said(line: aiohttp.ClientWebSocketResponse, wanted: str) -> str:
    """Wait until the console drew these words; give all it drew."""
    drawn = b""
    async with asyncio.timeout(PATIENCE_S):
        while wanted.encode() not in drawn:
            message = await line.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, (message, drawn[-2000:])
            drawn += message.data
    return drawn.decode("utf-8", "replace")


# The command


def test_without_the_extra_it_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)

    code, _, err = run("web")

    assert (code, "pip install '.[web]'" in err) == (2, True)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.7", "desk.example", "127.0.0.1.example"]
)
def test_it_refuses_to_answer_other_machines(run: Run, host: str) -> None:
    code, _, err = run("web", "--host", host)

    assert code == 2
    assert f"{host}: helpdesk web answers on this machine only." in err


def test_a_desk_or_agent_that_is_not_there_is_said_at_the_start(run: Run) -> None:
    assert run("web", desk="nowhere.json")[0] == 5
    assert run("web", "--as", "nobody")[0] == 4


def test_at_a_desk_over_http_nobody_works_as_somebody(run: Run) -> None:
    code, _, err = run("web", "--as", "lead", desk="https://desk.example")

    assert (code, "you work as whoever signs in" in err) == (2, True)


def test_a_desk_in_clear_on_another_machine_is_refused(run: Run) -> None:
    code, _, err = run("web", desk="http://desk.example")

    assert (code, "a desk is reached by https" in err) == (2, True)


def test_the_shell_completes_it(run: Run) -> None:
    _, out, _ = run("completion", "bash")

    options = "-h --help --desk --as --host --port --url --training"
    assert f"_shtab_helpdesk_web_option_strings=({options}" in out


def test_a_port_in_use_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run("web", "--port", str(taken.getsockname()[1]))

    assert code == 5
    assert err.endswith("cannot be listened at: Address already in use. Another port: --port.\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example",
        "desk.example",
        "https://",
        "https://desk.example/sub",
        "https://a@desk.example",
        "https://desk.example?x",
        "https://desk.example:port",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_no_proxy_with_a_certificate_has_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match=r"^--url .*https://desk\.example"):
        origin_of(Wanted(url=url), 8766)


@pytest.mark.parametrize(
    ("wanted", "port", "origin"),
    [
        (Wanted(), 8766, "http://127.0.0.1:8766"),
        (Wanted(host="::1"), 8766, "http://[::1]:8766"),
        (Wanted(), 80, "http://127.0.0.1"),
        (Wanted(url="https://Desk.example/"), 8766, "https://desk.example"),
        (Wanted(url="https://desk.example:443"), 8766, "https://desk.example"),
        (Wanted(url="https://desk.example:8443"), 8766, "https://desk.example:8443"),
    ],
)
def test_the_origin_is_written_as_browsers_write_it(wanted: Wanted, port: int, origin: str) -> None:
    assert origin_of(wanted, port) == origin


def test_a_console_is_started_with_the_desk_agent_and_theme_of_the_page() -> None:
    desk = "a b'\"$(touch x);--as=lead.json"

    started = command(Wanted(desk=desk, who="lead", theme="light"))

    assert started == [
        *(sys.executable, "-P", "-m", "helpdesk"),
        *(f"--desk={desk}", "--as=lead", "--theme=light"),
    ]


def test_a_console_is_this_installation_whatever_lies_in_the_working_directory(
    tmp_path: Path,
) -> None:
    (tmp_path / "helpdesk").mkdir()
    (tmp_path / "helpdesk" / "__main__.py").write_text("print('another')")

    done = subprocess.run(
        [*command(Wanted()), "--version"],
        cwd=tmp_path,
        env=os.environ | surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("helpdesk ")


# Who may come in


async def test_without_the_link_nothing_is_given() -> None:
    async with opened(stand_in("")) as page:
        answers = [
            await page.status(f"{page.origin}{path}")
            for path in ("/", "/room/", "/room/ws", "/room/textual.js", "/open/", "/open/key", "/x")
        ]

    assert answers == [403] * 7


async def test_a_link_counts_once_and_the_next_is_said() -> None:
    async with opened(stand_in("")) as page:
        first = page.link
        statuses = [
            await page.status(first),
            await page.status(first),
            await page.status(page.link),
        ]

    assert statuses == [303, 403, 303]


async def test_a_browser_that_looks_ahead_does_not_use_the_link_up() -> None:
    async with opened(stand_in("")) as page:
        ahead = await page.status(page.link, Sec_Purpose="prefetch;prerender")
        by_hand = await page.status(page.link)

    assert (ahead, by_hand) == (403, 303)


async def test_the_address_of_the_room_is_not_enough_without_its_cookie() -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        with_it = await page.status(room)
        async with aiohttp.ClientSession() as stranger:
            page.session, own = stranger, page.session
            without = [await page.status(f"{room}{part}") for part in ("", "ws", "textual.js")]
            page.session = own

    assert (with_it, without) == (200, [403, 403, 403])


async def test_the_cookie_is_for_its_room_alone_and_for_no_script_or_other_site() -> None:
    async with (
        opened(stand_in("")) as page,
        page.session.get(page.link, allow_redirects=False) as answer,
    ):
        cookie = answer.headers["Set-Cookie"]
        room = answer.headers["Location"]

    assert {f"Path={room}", "HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", ""])
async def test_another_name_for_this_machine_leads_nowhere(host: str) -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        statuses = [await page.status(room, Host=host), await page.status(page.link, Host=host)]

    assert statuses == [403, 403]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:1", None])
async def test_another_page_cannot_open_a_console(origin: str | None) -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.session.ws_connect(f"{room}ws", origin=origin)

    assert refused.value.status == 403


async def test_another_page_cannot_read_this_one() -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        status = await page.status(room, Origin="https://evil.example")

    assert status == 403


@pytest.mark.parametrize("name", ["site.py", "..%2fsite.py", "%2e%2e%2fdoor.py", "app_index.html"])
async def test_no_file_but_the_pages_own_is_given(name: str) -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        async with page.session.get(f"{room}{name}") as answer:
            status = answer.status

    assert status in {403, 404}


async def test_every_answer_forbids_the_page_to_load_or_open_anything_else() -> None:
    async with opened(stand_in("")) as page:
        room = await page.enter()
        policies = []
        for url in (room, f"{room}textual.js", f"{room}none", page.origin):
            async with page.session.get(url) as answer:
                policies.append(answer.headers["Content-Security-Policy"])

    assert len(set(policies)) == 1
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "sandbox allow-scripts"):
        assert rule in policies[0]
    assert not {"allow-popups", "allow-modals", "allow-downloads"} & set(policies[0].split())


# What a console may do to the page, and the page to a console


async def test_a_console_opens_no_address_and_gives_no_file() -> None:
    body = """
    for asked in (
        {"type": "open_url", "url": "https://evil.example", "new_tab": False},
        {"type": "deliver_file_start", "key": "k", "path": "/etc/passwd", "open_method": "browser",
         "mime_type": "text/html", "encoding": ""},
    ):
        send(b"M", json.dumps(asked).encode())
    send(b"P", b"l11:deliver_chunk1:k1:xe")
    send(b"D", b"drawn")
    sys.stdin.read()
    """
    async with opened(stand_in(body)) as page:
        line = await page.console(await page.enter())
        first = await line.receive(timeout=PATIENCE_S)
        await line.close()

    assert (first.type, first.data) == (aiohttp.WSMsgType.BINARY, b"drawn")


async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    words = ["a b", "$(touch made)", "; touch made", "'\"", "`touch made`"]
    body = """
    send(b"D", json.dumps(sys.argv[1:]).encode())
    os.read(0, 1)
    """
    async with opened([*stand_in(body), *words]) as page:
        line = await page.console(await page.enter())
        first = await line.receive(timeout=PATIENCE_S)
        await line.close()

    assert json.loads(first.data) == words
    assert not (tmp_path / "made").exists()


async def test_the_page_is_told_when_a_console_cannot_start() -> None:
    async with opened([sys.executable, "-c", "raise SystemExit(3)"]) as page:
        line = await page.console(await page.enter())
        ended = await line.receive(timeout=PATIENCE_S)

    assert ended.type is aiohttp.WSMsgType.CLOSE


async def test_what_is_no_key_and_no_size_is_dropped_and_sizes_are_bounded() -> None:
    body = """
    send(b"D", os.environ["COLUMNS"].encode() + b"x" + os.environ["ROWS"].encode() + b"\\n")
    while kind := sys.stdin.buffer.read(1):
        data = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big"))
        send(b"D", kind + data + b"\\n")
        if b"quit" in data:
            break
    """
    wrong = [
        *("", "{", "[]", "{}", '["stdin"]', '["stdin", 1]', '["stdin", "\\ud800"]', "[" * 100_000),
        *('["resize", {}]', '["resize", {"width": "9", "height": 9}]', '["open", "x"]', "null"),
    ]
    async with opened(stand_in(body)) as page:
        line = await page.console(await page.enter(), "?width=99999&height=99999")
        for text in (*wrong, '["resize", {"width": 99999, "height": -4}]', '["stdin", "end"]'):
            await line.send_str(text)
        drawn = await said(line, "Dend\n")
        await line.close()

    resized = {"type": "resize", "width": WIDEST, "height": 1}
    assert drawn == f"{WIDEST}x{TALLEST}\nM{json.dumps(resized)}\nDend\n"


async def test_a_console_too_many_is_refused() -> None:
    async with opened(stand_in("os.read(0, 1)")) as page:
        room = await page.enter()
        lines = [await page.console(room) for _ in range(CONSOLES)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.console(room)
        for line in lines:
            await line.close()

    assert refused.value.status == 503


async def test_pasted_text_presses_no_key_on_the_page_either(sample_file: Path) -> None:
    async with opened(command(Wanted(desk=str(sample_file)))) as page:
        line = await page.console(await page.enter(), "?width=120&height=40")
        await said(line, "in your queue")
        await line.send_str('["stdin", "/"]')
        await line.send_str(json.dumps(["stdin", "\x1b[200~ma\x1b2\x1b[201~"]))
        drawn = await said(line, "␛2")
        await line.close()

    assert "ma" in drawn


# The whole


@contextlib.contextmanager
def served(desk: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `helpdesk web` as a process of its own; give it and its first link."""
    process = subprocess.Popen(
        [*command(Wanted(desk=str(desk))), "web", "--port", "0", *more],
        env=os.environ | surroundings(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert "Whoever opens the link works as Dana" in process.stdout.readline()
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes that a process has started and that still run."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = each.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process.pid and state != "Z":
                found.append(int(each.parent.name))
    return found


def is_running(number: int) -> bool:
    """Whether a process of this number is there and has not ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(numbers: Sequence[int]) -> bool:
    """Wait until none of these processes runs any more; whether that came."""
    end = time.monotonic() + PATIENCE_S
    while any(map(is_running, numbers)):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find processes in")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_no_console_outlives_the_page(sample_file: Path, how: signal.Signals) -> None:
    with served(sample_file) as (process, link):
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            origin = link.partition("/open/")[0]
            async with session.get(link, allow_redirects=False) as answer:
                room = answer.headers["Location"]
            line = await session.ws_connect(f"{origin}{room}ws", origin=origin)
            await said(line, "in your queue")
            consoles = children(process)

            process.send_signal(how)

            assert await gone(consoles)
            await line.close()
        code = await asyncio.to_thread(process.wait, PATIENCE_S)

    assert len(consoles) == 1
    assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)


async def take_ticket(tab: chromium.Tab, about: str, file: Path) -> None:
    """Take a new ticket, with the user whose case is open, and wait until it is in the file."""
    await tab.type("k")
    await tab.shows("New ticket about")
    await asyncio.sleep(1.5)  # a dialog that has just come hears nothing
    await tab.type(f"{about}\n")
    async with asyncio.timeout(2 * PATIENCE_S):
        while about not in await asyncio.to_thread(file.read_text, "utf-8"):
            await asyncio.sleep(1.5)  # nor does its button, and longer where keys come late
            if "New ticket about" in str(await tab.value(chromium.READ_TERMINAL)):
                await tab.type("\n")


@pytest.mark.skipif(chromium.program() is None, reason=chromium.MISSING)
async def test_an_agent_works_in_a_browser_with_two_tabs_on_one_desk(sample_file: Path) -> None:
    with served(sample_file) as (_, link):
        async with chromium.browser() as browser:
            first = await browser.tab()
            await first.goto(link)
            await first.shows("in your queue")
            await first.type("/maya okafor")
            await first.shows("maya okafor")
            await first.type("\n")
            case = await first.shows("May I")
            room = await first.value("window.location.href")

            second = await browser.tab()
            await second.goto(room)
            await second.shows("in your queue")
            await take_ticket(first, "the first tab", sample_file)
            await second.type("/maya okafor\n")
            told = await second.shows("the first tab")
            await take_ticket(second, "the second tab", sample_file)

            third = await browser.tab()
            await third.goto(link)
            refused = await third.says("Each link counts once")
            opens = await second.value("[window.open('https://evil.example'), confirm('leave?')]")
            await second.press_control("q")
            ended = await second.says("The console has ended.")
            addresses = await browser.addresses()

    assert "Maya Okafor" in case
    assert "Maya Okafor" in told
    assert all(
        words in sample_file.read_text("utf-8") for words in ("the first tab", "the second tab")
    )
    assert "in your queue" not in refused
    assert opens == [None, False]
    assert "Open it anew" in ended
    assert all("evil" not in each for each in addresses)
