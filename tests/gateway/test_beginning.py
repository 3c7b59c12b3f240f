"""A console that begins before its desk answers: with what this machine keeps, asking nobody."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.errors import NotFound, OtherAgent, Unreachable
from helpdesk.domain.search import Query
from helpdesk.gateway.devissuer import CLIENT
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from helpdesk.gateway.wire import Info
from helpdesk.service.local import LocalDesk
from helpdesk.stores.known import Known, forget_all
from tests.conftest import Clock
from tests.gateway.devserve import DevServe, helpdesk, places
from tests.gateway.lossy import Lossy
from tests.gateway.serving import Spoken, gateway
from tests.tui.pseudo import Terminal, needs_pty, python

KEY = "k-0123456789abcdef"


@pytest.fixture
def url(desk_as: Callable[..., LocalDesk], clock: Clock) -> Iterator[str]:
    """The address of a gateway of the sample."""
    with gateway(lambda who: desk_as(who, is_gated=False), clock) as (address, _):
        yield address


def introduced(url: str, who: str = "dana") -> Info:
    """Give what the desk says of itself."""
    heard: list[Info | None] = []
    RemoteDesk(Line(url, Spoken(who)), heed=heard.append).close()
    assert heard[0] is not None
    return heard[0]


async def test_with_what_it_said_another_day_nothing_is_asked_first(url: str) -> None:
    known = introduced(url)
    lossy = Lossy(["refuse"] * 4)

    desk = RemoteDesk(Line(url, Spoken("dana"), transport=lossy), known)

    assert lossy.seen == []
    assert (desk.agent, desk.label) == (known.agent, known.label)
    assert [card.id for card in desk.cards.values()] == [card.id for card in known.cards]
    with pytest.raises(Unreachable):
        await desk.queue()
    desk.close()


async def test_what_it_says_of_itself_is_asked_anew_once_it_answers(url: str) -> None:
    now = introduced(url)
    old = msgspec.structs.replace(now, cards=now.cards[:1], label="OLD")
    told = asyncio.Event()
    heard: list[Info | None] = []
    loop = asyncio.get_running_loop()

    def heed(info: Info | None) -> None:
        heard.append(info)
        loop.call_soon_threadsafe(told.set)

    desk = RemoteDesk(Line(url, Spoken("dana")), old, heed)
    before = list(desk.cards)

    await desk.queue()
    await asyncio.wait_for(told.wait(), 30)

    assert before == [now.cards[0].id]
    assert list(desk.cards) == [card.id for card in now.cards]
    assert heard == [now]
    desk.close()


async def test_somebody_else_who_signs_in_works_on_nobodys_console(url: str) -> None:
    heard: list[Info | None] = []
    desk = RemoteDesk(Line(url, Spoken("lee")), introduced(url, "dana"), heard.append)

    with pytest.raises(OtherAgent, match="You signed in as lee"):
        await desk.queue()
    with pytest.raises(OtherAgent):
        await desk.perform(Note(user="u1", text="x"), key=KEY)
    with pytest.raises(OtherAgent):
        await desk.changed("")
    desk.close()

    assert None in heard
    lee = RemoteDesk(Line(url, Spoken("lee")))
    with pytest.raises(NotFound):
        await lee.operation(KEY)
    assert [row for row in (await lee.log(Query())).rows if row.act == "note"] == []
    lee.close()


def test_what_is_kept_of_a_desk_is_nobody_elses_to_read_and_goes(tmp_path: Path) -> None:
    known = Known(tmp_path, "https://desk.example")
    nothing = known.read()
    known.write(b"{}")
    mode = next((tmp_path / "replica").iterdir()).stat().st_mode & 0o777
    kept, of_another = known.read(), Known(tmp_path, "https://other.example").read()

    forget_all(tmp_path)

    assert (nothing, kept, of_another, known.read()) == (None, b"{}", None, None)
    assert mode == 0o600


# The whole, over a real socket


@pytest.fixture
def far(tmp_path: Path) -> Iterator[DevServe]:
    """A desk that was brought over to this machine once."""
    with DevServe(tmp_path / "far") as desk:
        done = helpdesk(tmp_path, "sync", "--desk", desk.url, types=f"{desk.code()}\n")
        assert done.returncode == 0, done.stderr
        yield desk


def test_a_desk_never_seen_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    with DevServe(tmp_path / "far") as desk:
        desk.kill()
        done = helpdesk(tmp_path, "sync", "--desk", desk.url)

    assert done.returncode == 5
    assert "cannot be reached" in done.stderr
    assert "keeps nothing of this desk yet" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_who_gives_no_code_is_told_so(tmp_path: Path) -> None:
    with DevServe(tmp_path / "far") as desk:
        none, wrong = (helpdesk(tmp_path, "find", "--desk", desk.url, types=t) for t in ("", "x\n"))

    assert (none.returncode, wrong.returncode) == (8, 8)
    assert "No code was given." in none.stderr
    assert "The code was not taken." in wrong.stderr


def test_commands_that_read_answer_from_this_machine_and_say_so(
    far: DevServe, tmp_path: Path
) -> None:
    far.kill()

    found = helpdesk(tmp_path, "find", "--desk", far.url)
    as_json = helpdesk(tmp_path, "find", "--json", "--desk", far.url)
    unseen = helpdesk(tmp_path, "log", "--desk", far.url)
    act = helpdesk(tmp_path, "perform", "note", "u1", "--set", "text=x", "--desk", far.url)

    assert found.returncode == 0
    assert len(found.stdout.splitlines()) > 5
    assert re.search(r"cannot be reached\. .*as of \d\d:\d\d, not live\.", found.stderr)
    assert [each.returncode for each in (as_json, unseen, act)] == [5, 5, 5]
    assert json.loads(as_json.stdout)["result"] == "failed"
    assert unseen.stdout == act.stdout == ""


def console(home: Path, url: str) -> Terminal:
    """Give the console in a terminal."""
    return Terminal(
        python("helpdesk", "--desk", url),
        home,
        environment=places(home),
        size=(130, 34),
        patience_s=60,
    )


LOADED = """
import sys
import helpdesk.door, helpdesk.service.offline, helpdesk.service.syncing, helpdesk.stores.replica
from helpdesk.connectors.bare_httpx import httpx
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
line = Line("http://127.0.0.1:1", None)
print(*sorted(sys.modules))
httpx.URL
print(*sorted(sys.modules))
"""


def test_who_works_elsewhere_does_not_wait_for_what_a_desk_of_this_machine_takes() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True).stdout

    before, loaded = (set(line.split()) for line in told.decode().splitlines())

    assert not {"httpx", "httpcore", "anyio", "h11"} & before
    assert {"helpdesk.gateway.remote", "httpx"} <= loaded
    assert not {"helpdesk.service.local", "helpdesk.wiring", "tenacity"} & loaded
    assert not {"httpx._main", "click", "pygments", "rich"} & loaded


@needs_pty
def test_a_desk_that_says_nothing_holds_up_neither_the_first_frame_nor_the_end(
    far: DevServe, tmp_path: Path
) -> None:
    far.kill()
    with (
        socket.create_server(("127.0.0.1", far.port)),
        console(tmp_path, far.url) as terminal,
    ):
        terminal.until("in your queue")
        terminal.until(lambda: bool(re.search(r"as of \d\d:\d\d, asking", terminal.shown)))
        terminal.send(b"\x11")
        code = terminal.end()

    assert code == 0
    assert "Traceback" not in terminal.shown


@needs_pty
def test_the_first_frame_comes_while_the_line_is_down_and_the_sign_in_when_it_is_back(
    far: DevServe, tmp_path: Path
) -> None:
    far.kill()
    with console(tmp_path, far.url) as terminal:
        terminal.until(lambda: bool(re.search(r"as of \d\d:\d\d, not live", terminal.shown)))
        terminal.until("in your queue")
        down = terminal.shown
        far.begin()
        terminal.until("Sign in again")
        terminal.rest(1.0)  # a dialog hears no key for 0.8 s
        terminal.send(f"{far.code()}\r".encode())
        seen = len(terminal.shown)
        terminal.until(lambda: "in your queue" in terminal.shown[seen:])
        terminal.send(b"\x11")
        code = terminal.end()

    assert "Sign in again" not in down
    assert "DEV SIGN-IN" in down
    assert code == 0
    assert "Traceback" not in terminal.shown


@needs_pty
@pytest.mark.parametrize("how", ["ctrl+q", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("profile", "ssh", "wanted"),
    [
        ("here", "", "One-time code, not shown"),
        ("there", "over ssh", "Never type a code that somebody sent you."),
        ("there", "", "Sign in in the browser"),
    ],
    ids=["one-time", "device", "browser"],
)
def test_who_leaves_while_a_sign_in_is_asked_for_is_let_go(
    far: DevServe, tmp_path: Path, how: str, profile: str, ssh: str, wanted: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "helpdesk.toml").write_text(
        f'[profiles.here]\ndesk = "{far.url}"\n[profiles.there]\ndesk = "{far.url}"\n'
        f'issuer = "{far.url}/issuer"\nclient_id = "{CLIENT}"\n'
    )
    with Terminal(
        python("helpdesk", "--desk", profile),
        tmp_path,
        environment=places(tmp_path) | {"BROWSER": "true", "SSH_CONNECTION": ssh},
        size=(130, 34),
        patience_s=60,
    ) as terminal:
        terminal.until(wanted)
        if how == "ctrl+q":
            terminal.rest(1.0)  # a dialog hears no key for 0.8 s
            terminal.send(b"\x11")
        else:
            terminal.signal(signal.Signals[how])
        code = terminal.end()
        settings = terminal.settings

    assert code == (0 if how == "ctrl+q" else 128 + signal.Signals[how])
    assert settings == terminal.before
    assert "Traceback" not in terminal.shown


@needs_pty
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_who_leaves_the_question_in_the_terminal_leaves_it_as_it_was(
    tmp_path: Path, name: str
) -> None:
    with DevServe(tmp_path / "far") as desk, console(tmp_path, desk.url) as terminal:
        terminal.until("not shown")
        terminal.signal(signal.Signals[name])
        code = terminal.end()
        settings = terminal.settings

    assert code == 128 + signal.Signals[name]
    assert settings == terminal.before
    assert "Traceback" not in terminal.shown
