"""A class on a page: who comes in, what each of them gets, and what the trainer sees."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from helpdesk.cli import main
from helpdesk.domain.errors import BadInput
from helpdesk.service.rehearsal import AGAIN
from helpdesk.stores.classes import Classbook, begun
from helpdesk.stores.plays import Plays
from helpdesk.web import Wanted, command, origin_of, surroundings
from helpdesk.web.classroom import Classroom, Plan, name_of
from helpdesk.web.pages import Call
from helpdesk.web.play import AGAIN_CODE, OVER_CODE
from tests.conftest import Run
from tests.test_web import said, stand_in
from tests.training.stage import Played, bundled
from tests.waiting import PATIENCE_S

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CALLS = (
    Call(name="the-second-mail", title="The second mail", level="easy", product="partner-portal"),
    Call(
        name="mine", title="<i>Mine</i>", level="fair", product="partner-portal", path="/x/m.toml"
    ),
)
PLAN = Plan(calls=CALLS, seats=3, idle_s=600, memory=0)
WAITS = stand_in('send(b"D", b"drawn")\nos.read(0, 1)')


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A call that was played to full marks."""
    told = bundled("the-second-mail")
    return Played(tmp_path_factory.mktemp("world"), told, told.scenario.model).record


class Visitor:
    """One browser of the class."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, link: str) -> None:
        self.session, self.origin, self.link = session, origin, link
        self.room = ""

    async def ask(self, url: str) -> tuple[int, str]:
        """Give the status and the text of an address; no other is followed."""
        async with self.session.get(url, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def join(self, name: str, **headers: str) -> tuple[int, str]:
        """Type a name; give the status and what the page says."""
        sent = {"Origin": self.origin} | headers
        async with self.session.post(
            self.link, data={"name": name}, headers=sent, allow_redirects=False
        ) as answer:
            self.room = f"{self.origin}{answer.headers.get('Location', '')}"
            return answer.status, await answer.text()

    async def play(self, call: str = "the-second-mail") -> aiohttp.ClientWebSocketResponse:
        """Begin a call."""
        url = f"{self.room}call-{call}/ws?width=130&height=34"
        return await self.session.ws_connect(url, origin=self.origin)


class Class:
    """A class that answers in this process.

    Attributes:
        links: The paths of the trainer's links so far.
    """

    def __init__(self, origin: str, room: Classroom, book: Classbook, links: list[str]) -> None:
        self.origin, self.room, self.book, self.links = origin, room, book, links
        self._open = contextlib.AsyncExitStack()

    async def visitor(self) -> Visitor:
        """Open a browser that has the class link."""
        jar = aiohttp.CookieJar(unsafe=True)
        session = await self._open.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        return Visitor(session, self.origin, f"{self.origin}{self.room.link.path}")

    async def joined(self, name: str) -> Visitor:
        """Open a browser and join by a name."""
        visitor = await self.visitor()
        assert (await visitor.join(name))[0] == 303
        return visitor

    async def trainer(self) -> Visitor:
        """Open the trainer's link."""
        visitor = await self.visitor()
        url = f"{self.origin}{self.links[-1]}"
        async with visitor.session.get(url, allow_redirects=False) as answer:
            visitor.room = f"{self.origin}{answer.headers['Location']}"
        return visitor


@contextlib.asynccontextmanager
async def opened(
    data: Path, play: Callable[[str, str], Sequence[str]] | None = None, plan: Plan = PLAN
) -> AsyncIterator[Class]:
    """Answer a class whose plays are started by these arguments."""
    links: list[str] = []
    with begun(data, NOW) as book, socket.create_server(("127.0.0.1", 0)) as listener:
        origin = origin_of(Wanted(), listener.getsockname()[1])
        start = play or (lambda trainee, call: WAITS)
        room = Classroom(start, surroundings(), origin, links.append, book, plan)
        runner = web.AppRunner(room.app(), access_log=None, shutdown_timeout=5)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        room.door.renew()
        one = Class(origin, room, book, links)
        async with one._open:
            yield one
        await runner.cleanup()


# Who comes in


async def test_all_join_by_one_link_and_each_gets_a_room_of_their_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        kim, robin = await of.joined("Kim"), await of.joined("Robin")
        own = (await kim.ask(kim.room))[0]
        others = [(await kim.ask(f"{robin.room}{part}"))[0] for part in ("", "call-mine", "x.js")]

    assert kim.room != robin.room
    assert (own, others) == (200, [403, 403, 403])
    assert [row.trainee for row in of.book.standings()] == ["Kim", "Robin"]


async def test_the_link_of_a_class_is_needed_and_leads_back_whoever_is_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        kim, stranger = await of.joined("Kim"), await of.visitor()
        stranger.link += "x"

        answers = [(await stranger.ask(stranger.link))[0], (await stranger.join("Sam"))[0]]
        async with kim.session.get(kim.link) as again:
            back = str(again.url)

    assert answers == [403, 403]
    assert back == kim.room


async def test_whoever_opens_the_link_from_a_letter_is_known_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        kim = await of.joined("Kim")

        cookies = [cookie.OutputString() for cookie in kim.session.cookie_jar]

    assert len(cookies) == 2
    assert all("SameSite=Lax" in cookie and "HttpOnly" in cookie for cookie in cookies)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_page_joins_nobody(tmp_path: Path, origin: str) -> None:
    async with opened(tmp_path) as of:
        visitor = await of.visitor()
        status, _ = await visitor.join("Kim", Origin=origin)
        async with visitor.session.post(visitor.link, data={"name": "Kim"}) as answer:
            unsaid = answer.status

    assert (status, unsaid, of.book.standings()) == (403, 403, [])


async def test_a_name_counts_once_and_a_class_can_be_full(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        for name in ("Kim", "Robin"):
            await of.joined(name)
        visitor = await of.visitor()

        taken = await visitor.join("  kim ")
        nobody = await visitor.join(" — ")
        third = await visitor.join("Zoë <b>")
        full = await (await of.visitor()).join("Sam")

    assert (taken[0], "kim is taken. Add something, such as kim 2." in taken[1]) == (200, True)
    assert "it needs a letter or a digit" in nobody[1]
    assert third[0] == 303
    assert "The class is full: 3 are in." in full[1]


async def test_a_name_is_shown_as_text_wherever_it_stands(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        visitor = await of.joined("<script>alert(1)</script> \u202eKim")
        _, own = await visitor.ask(visitor.room)
        trainer = await of.trainer()
        _, table = await trainer.ask(trainer.room)

    for page in (own, table):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert "\u202e" not in page
    assert "<i>Mine" not in own


@pytest.mark.parametrize("typed", ["", "   ", "…", "x" * 41, "\u200b"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        name_of(typed)


async def test_a_name_is_free_again_when_its_trainee_was_away_too_long(tmp_path: Path) -> None:
    plan = Plan(calls=CALLS, seats=1, idle_s=0.0, memory=0)
    async with opened(tmp_path, plan=plan) as of:
        first, again = await of.joined("Kim"), await of.joined("Kim")

        statuses = [(await each.ask(each.room))[0] for each in (first, again)]

    assert statuses == [403, 200]
    assert len(of.book.standings()) == 1


# What each of them gets


async def test_a_play_runs_in_the_place_of_its_seat_and_knows_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_MAIL_PASSWORD", "not for them")
    monkeypatch.setenv("HELPDESK_DESK", "the real one")
    tells = stand_in('send(b"D", json.dumps([os.getcwd(), dict(os.environ), sys.argv]).encode())')
    told = []
    async with opened(tmp_path, lambda trainee, call: [*tells, trainee, call]) as of:
        for name, call in (("Kim", "the-second-mail"), ("Robin", "mine")):
            line = await (await of.joined(name)).play(call)
            told.append(json.loads((await line.receive(timeout=PATIENCE_S)).data))

    for number, (place, environment, arguments) in enumerate(told, 1):
        assert Path(place) == of.book.directory / f"seat-{number:02}"
        assert environment["HELPDESK_DATA_DIR"] == place
        assert not {"HELPDESK_MAIL_PASSWORD", "HELPDESK_DESK"} & set(environment)
        assert arguments[1] == f"seat-{number:02}"
    assert [arguments[2] for _, _, arguments in told] == ["the-second-mail", "/x/m.toml"]


async def test_only_the_calls_of_the_class_can_be_played(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        kim = await of.joined("Kim")
        status = (await kim.ask(f"{kim.room}call-every-morning"))[0]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await kim.play("every-morning")

    assert (status, refused.value.status) == (404, 404)


@pytest.mark.parametrize(
    ("code", "closed"), [(0, OVER_CODE), (AGAIN, AGAIN_CODE), (1, 1000)], ids=str
)
async def test_the_page_is_told_how_a_call_ended(tmp_path: Path, code: int, closed: int) -> None:
    ends = stand_in(f'send(b"M", b"{{}}")\nraise SystemExit({code})')
    async with opened(tmp_path, lambda trainee, call: ends) as of:
        line = await (await of.joined("Kim")).play()
        await line.receive(timeout=PATIENCE_S)

    assert line.close_code == closed


async def test_a_second_tab_takes_the_call_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        kim = await of.joined("Kim")
        first = await kim.play()
        await said(first, "drawn")
        second = await kim.play()
        await said(second, "drawn")

        ended = await first.receive(timeout=PATIENCE_S)

        assert ended.type is aiohttp.WSMsgType.CLOSE
        assert not second.closed


async def test_whoever_takes_a_name_that_is_free_again_ends_the_play_that_was_left(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as one:
        left = await (await one.joined("Kim")).play()
        assert await left.receive_bytes(timeout=PATIENCE_S)
        (seat,) = one.room._seats.values()
        assert seat.console is not None
        seat.seen_at = seat.console.heard_at = time.monotonic() - 2 * PLAN.idle_s
        after = await one.joined("Kim")

        page = await after.play()

        drawn = await page.receive_bytes(timeout=PATIENCE_S)
        ended = await left.receive(timeout=PATIENCE_S)
    assert drawn
    assert ended.type is aiohttp.WSMsgType.CLOSE


async def test_who_presses_no_key_is_ended(tmp_path: Path) -> None:
    plan = Plan(calls=CALLS, seats=1, idle_s=0.2, memory=0)
    async with opened(tmp_path, plan=plan) as of:
        line = await (await of.joined("Kim")).play()
        await said(line, "drawn")

        ended = await line.receive(timeout=PATIENCE_S)

    assert ended.type is aiohttp.WSMsgType.CLOSE


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone bounds another process")
async def test_a_play_has_no_more_memory_than_it_may(tmp_path: Path) -> None:
    body = """
    sys.stdin.buffer.read(1)
    try:
        bytearray(400 << 20)
        send(b"D", b"had it")
    except MemoryError:
        send(b"D", b"no more memory")
    sys.stdin.buffer.read(1)
    """
    plan = Plan(calls=CALLS, seats=1, idle_s=600, memory=200 << 20)
    async with opened(tmp_path, lambda trainee, call: stand_in(body), plan) as of:
        line = await (await of.joined("Kim")).play()
        await line.send_str('["stdin", "x"]')

        drawn = await said(line, "memory")

    assert "no more memory" in drawn


# What the trainer sees


async def test_the_trainers_link_counts_once_and_trainees_see_no_table(tmp_path: Path) -> None:
    async with opened(tmp_path) as of:
        first = of.links[-1]
        trainer, kim = await of.trainer(), await of.joined("Kim")
        statuses = [
            (await kim.ask(f"{of.origin}{first}"))[0],
            (await kim.ask(f"{kim.room}class.csv"))[0],
            (await trainer.ask(f"{trainer.room}class.csv"))[0],
            (await trainer.ask(f"{trainer.room}call-mine"))[0],
        ]

    assert statuses == [403, 403, 200, 404]


async def test_the_trainer_sees_who_plays_what_and_the_marks(record: bytes, tmp_path: Path) -> None:
    first, _ = record.split(b"\n", 1)
    async with opened(tmp_path) as of:
        await of.joined("Kim")
        await of.joined("=Robin")
        places = [of.book.directory / name for name in ("seat-01", "seat-02")]
        kim, robin = (Plays(place / "training", place.name) for place in places)
        with robin.begun("the-second-mail") as (_, write, _):
            write(record)
        with kim.begun("the-second-mail") as (_, write, _):
            write(first + b"\n" + b'{"what":"said","at":80,"says":"x"}\n')
            trainer = await of.trainer()
            _, page = await trainer.ask(trainer.room)
            _, table = await trainer.ask(f"{trainer.room}class.csv")
            _, whole = await trainer.ask(f"{trainer.room}class.json")
            left = of.book.standings()
        after = of.book.standings()

    assert "<td>Kim</td><td>The second mail</td><td>1:20</td>" in page
    assert f"{of.origin}{of.room.link.path}" in page
    (row,) = list(csv.DictReader(io.StringIO(table)))
    assert (row["trainee"], row["total"]) == ("'=Robin", "100")
    assert [one["scenario"] for one in json.loads(whole)["standings"]] == ["the-second-mail", ""]
    assert json.loads(whole)["results"][0]["named"] == "D2"
    assert [one.seconds for one in left] == [80, 0]
    assert [(one.scenario, one.calls, one.total) for one in after] == [("", 0, None), ("", 1, 100)]


# The commands


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--seats", "41"], 2, "--seats 41: a class has 1 to 40 seats."),
        (["--as", "lead"], 2, "leave --desk and --as out"),
        (["--idle", "0"], 2, "give at least one minute"),
        (["--scenario", "nobody"], 4, "There is no scenario nobody."),
        (["--scenario", "nobody.toml"], 2, "cannot be read"),
        (["--host", "0.0.0.0"], 2, "answers on this machine only"),
    ],
    ids=lambda value: str(value)[:16],
)
def test_a_class_that_cannot_be_is_refused_at_the_start(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    found = main(["web", "--training", *arguments])

    err = capsys.readouterr().err
    assert (found, says in err) == (code, True), err


@pytest.mark.parametrize("option", [["--scenario", "the-second-mail"], ["--seats", "3"]])
def test_what_is_meant_for_a_class_opens_no_desk_to_others(
    capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    found = main(["web", *option])

    err = capsys.readouterr().err
    assert (found, "say --training, too" in err) == (2, True), err


def test_the_table_is_of_the_class_that_is_on_or_is_named(run: Run, record: bytes) -> None:
    data = Path(os.environ["HELPDESK_DATA_DIR"])
    with begun(data, NOW) as book:
        place = book.place(1, "Kim")
        with Plays(place / "training", place.name).begun("the-second-mail") as (_, write, _):
            write(record)
        on = run("train", "class")[1]
        now = run("train", "class", "--now")[1]

    assert '"Kim","the-second-mail"' in on
    assert now.endswith("plays nothing · 1 call ended, the last The second mail: 100 of 100\n")
    assert "Kim" not in run("train", "class")[1]
    assert "Kim" in run("train", "class", "--of", "last")[1]
    assert "Kim" in run("train", "class", "--of", "20261122-093000")[1]
    assert run("train", "class", "--of", "../x")[0] == 4
    assert run("train", "class", "--now")[0] == 4


def inet_sockets(process: int) -> list[str]:
    """Give the sockets by which a process could reach anybody."""
    own = Path(f"/proc/{process}")
    held = {str(each.readlink()) for each in own.glob("fd/*") if each.is_symlink()}
    tables = [own / "net" / name for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [row for each in tables if each.exists() for row in each.read_text().splitlines()[1:]]
    return [row for row in rows if f"socket:[{row.split()[9]}]" in held]


def test_the_next_class_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    with begun(tmp_path, NOW) as before:
        left = before.place(1, "Kim") / "training" / "seat-01" / ".world-x"
        left.mkdir(parents=True)

    with begun(tmp_path, NOW.replace(hour=10)):
        is_there = left.exists()

    assert not is_there
    assert [row.trainee for row in before.standings()] == ["Kim"]


async def test_a_trainee_plays_on_the_page_and_the_trainer_sees_it(tmp_path: Path) -> None:
    def play(trainee: str, call: str) -> list[str]:
        return [*command(Wanted()), "train", "--trainee", trainee, "play", call]

    async with opened(tmp_path, play) as of:
        line = await (await of.joined("Kim")).play()
        drawn = await said(line, "On the line")
        (now,) = of.book.standings()
        processes = [seat.console._process for seat in of.room._seats.values() if seat.console]
        ways_out = [inet_sockets(each.pid) for each in processes if each]
        is_seen = bool(inet_sockets(os.getpid())) or not Path("/proc/self/net/tcp").exists()
        worlds = list((of.book.directory / "seat-01").glob("training/seat-01/.world-*"))
        await line.close()

    assert "TRAINING" in drawn
    assert (now.trainee, now.title, now.calls) == ("Kim", "The second mail", 0)
    assert len(worlds) == 1
    assert (ways_out, is_seen) == ([[]], True)  # the page itself has one, the play has none
    # The end of the class ends the play, and its world goes with it.
    assert not worlds[0].exists()


def test_what_a_class_plays_on_can_be_marked_in_another_data_directory(
    record: bytes, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(record)
    root = Path(__file__).parents[1]
    elsewhere = {
        f"HELPDESK_{name}_DIR": str(tmp_path / "new" / name) for name in ("DATA", "CONFIG")
    }

    done = subprocess.run(
        [sys.executable, "-m", "helpdesk", "train", "score", str(kept)],
        cwd=root,
        env=os.environ | elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("The second mail: 100 of 100\n")
    assert not (tmp_path / "new").exists()
