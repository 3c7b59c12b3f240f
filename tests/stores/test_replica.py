"""What this machine keeps of a desk elsewhere: durable, private, shared by two consoles, let go."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import Note
from helpdesk.domain.errors import BadFile
from helpdesk.domain.offline import PURGED_AFTER, Fact, Late, State, Wish
from helpdesk.stores.replica import CASES_MOST, ENDED_MOST, Kept, Replica, replica_directory, sweep
from tests.conftest import NOW
from tests.waiting import PATIENCE_S

WRITER = Path(__file__).with_name("outbox_writer.py")
KILLS = 50


def wish(key: str, state: State = State.QUEUED, text: str = "Called back.") -> Wish:
    return Wish(
        key=key,
        agent="dana",
        title="Note",
        user="u1",
        at=NOW,
        state=state,
        late=Late.QUEUED,
        action=Note(user="u1", text=text),
        seen=(Fact(what="flagged", value="no"),),
    )


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    return Replica(tmp_path / "replica" / "one")


async def test_wishes_are_given_in_the_order_in_which_they_came(replica: Replica) -> None:
    for key in ("b", "a", "c"):
        await replica.put(wish(key))
    await replica.put(wish("b", State.UNKNOWN))

    found = await replica.wishes()

    assert [(one.key, one.state) for one in found] == [
        ("b", State.UNKNOWN), ("a", State.QUEUED), ("c", State.QUEUED),
    ]  # fmt: skip
    assert found[1] == wish("a")


async def test_another_console_on_the_directory_sees_the_same(replica: Replica) -> None:
    other = Replica(replica.directory)
    await replica.put(wish("a"))

    await other.put(wish("b"))

    assert await replica.wishes() == await other.wishes() == (wish("a"), wish("b"))


async def test_only_one_of_two_consoles_takes_a_wish_in_hand(replica: Replica) -> None:
    other = Replica(replica.directory)
    for number in range(20):
        await replica.put(wish(f"k{number}"))

    both = [
        asyncio.gather(
            replica.claim(f"k{number}", "one", NOW), other.claim(f"k{number}", "two", NOW)
        )
        for number in range(20)
    ]
    claims = await asyncio.gather(*both)

    assert all(sum(claim is not None for claim in pair) == 1 for pair in claims)
    assert {one.state for one in await replica.wishes()} == {State.SENT}


async def test_what_is_not_queued_cannot_be_claimed(replica: Replica) -> None:
    await replica.put(wish("a", State.UNKNOWN))

    assert await replica.claim("a", "one", NOW) is None
    assert await replica.claim("b", "one", NOW) is None


async def test_of_ended_wishes_only_the_last_ones_stay(replica: Replica) -> None:
    waiting = wish("waits")
    await replica.put(waiting)
    for number in range(ENDED_MOST + 3):
        await replica.put(wish(f"k{number}").ended(State.DONE, "Done.", NOW))

    found = await replica.wishes()

    assert found[0] == waiting
    assert [one.key for one in found[1:]] == [f"k{n}" for n in range(3, ENDED_MOST + 3)]


async def test_a_wish_that_took_long_is_not_let_go_of_before_one_saw_its_end(
    replica: Replica,
) -> None:
    await replica.put(wish("slow", State.UNKNOWN))
    await replica.put(wish("refused").ended(State.REFUSED, "No.", NOW))
    for number in range(ENDED_MOST + 1):
        await replica.put(wish(f"k{number}").ended(State.DONE, "Done.", NOW))

    await replica.put(wish("slow").ended(State.DONE, "Done.", NOW + timedelta(seconds=1)))

    found = {one.key for one in await replica.wishes()}
    assert {"slow", "refused"} <= found
    assert "k0" not in found


async def test_an_ended_wish_keeps_no_words(replica: Replica) -> None:
    await replica.put(wish("a", text="Her new number is 0170 5550123."))
    await replica.put(wish("a").ended(State.DONE, "Done.", NOW))
    await replica.put(wish("b"))

    there = b"".join(file.read_bytes() for file in replica.directory.iterdir())

    assert b"5550123" not in there


async def test_of_cases_only_the_last_seen_ones_stay(replica: Replica) -> None:
    kept = [Kept(name=f"case u{n}", at=NOW, value={"n": n}) for n in range(CASES_MOST + 2)]
    await replica.keep(*kept, Kept(name="queue", at=NOW, value=[1]))
    await replica.keep(kept[5])

    found = await replica.cases()

    assert len(found) == CASES_MOST
    assert found[-1] == kept[5]
    assert await replica.kept("case u0") is None
    assert await replica.kept("queue") == Kept(name="queue", at=NOW, value=[1])


async def test_what_is_gone_at_the_desk_is_let_go(replica: Replica) -> None:
    await replica.keep(Kept(name="case u1", at=NOW, value={}), Kept(name="loops", at=NOW, value=[]))

    await replica.let_go("case u1", "case u9")

    assert await replica.kept("case u1") is None
    assert await replica.kept("loops") is not None


async def test_how_far_it_is_outlasts_the_console(replica: Replica) -> None:
    await replica.note(cursor="c17", contact_at=NOW)
    await replica.note(steps=("queue",))

    mark = await Replica(replica.directory).mark()

    assert (mark.cursor, mark.contact_at, mark.steps) == ("c17", NOW, ("queue",))


async def test_nobody_else_may_read_it(replica: Replica) -> None:
    await replica.put(wish("a"))
    await replica.put(wish("b"))
    await replica.keep(Kept(name="case u1", at=NOW, value={}))

    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode)
        for file in [replica.directory, *replica.directory.iterdir()]
    }

    assert modes.pop(replica.directory.name) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"outbox.json", "outbox.json.bak", "seen.json"} <= modes.keys()


async def test_after_a_purge_nobody_is_left_on_this_machine(replica: Replica) -> None:
    await replica.put(wish("queued", text="Maya Okafor wants a call"))
    await replica.put(wish("open", State.UNKNOWN, text="Maya Okafor was here"))
    await replica.keep(Kept(name="case u1", at=NOW, value={"name": "Maya Okafor"}))
    await replica.keep(Kept(name="queue", at=NOW, value=["Maya Okafor"]))

    await replica.purge()

    there = b"".join(file.read_bytes() for file in replica.directory.iterdir())
    assert b"Okafor" not in there
    states = {one.key: one.state for one in await replica.wishes()}
    assert states == {"queued": State.EXPIRED, "open": State.UNKNOWN}
    assert await replica.cases() == ()


async def test_a_damaged_working_set_is_begun_anew(replica: Replica) -> None:
    await replica.keep(Kept(name="case u1", at=NOW, value={}))
    await replica.put(wish("a"))
    (replica.directory / "seen.json").write_text("{", "utf-8")

    assert await replica.kept("case u1") is None
    await replica.keep(Kept(name="case u2", at=NOW, value={}))

    assert await replica.kept("case u2") is not None
    assert await replica.wishes() == (wish("a"),)


async def test_a_working_set_of_another_version_is_begun_anew(replica: Replica) -> None:
    await replica.keep(Kept(name="case u1", at=NOW, value={}))
    await replica.note(contact_at=NOW)
    path = replica.directory / "seen.json"
    tables = json.loads(path.read_text("utf-8"))
    for table, wrong in (("mark", {"contact_at": 5}), ("cases", {"called": "case u1"})):
        tables[table]["1"]["value"] = wrong
    path.write_text(json.dumps(tables), "utf-8")

    assert (await replica.mark()).contact_at is None
    assert await replica.kept("case u1") is None
    assert await replica.cases() == ()
    await replica.note(contact_at=NOW)
    assert (await replica.mark()).contact_at == NOW


async def test_after_a_purge_a_wish_of_another_version_keeps_no_words_either(
    replica: Replica,
) -> None:
    await replica.put(wish("a", text="canary"))
    path = replica.directory / "outbox.json"
    path.write_text(path.read_text("utf-8").replace('"act":"note"', '"act":"hum"'), "utf-8")

    await replica.purge()

    assert "canary" not in path.read_text("utf-8")
    assert [one.state for one in await replica.wishes()] == [State.EXPIRED]


async def test_replicas_of_desks_that_nobody_opens_any_more_are_let_go_of(tmp_path: Path) -> None:
    old, young, mine = (Replica(tmp_path / "replica" / name) for name in ("old", "young", "mine"))
    ago = {old: PURGED_AFTER, young: PURGED_AFTER / 2, mine: PURGED_AFTER}
    for each, span in ago.items():
        await each.keep(Kept(name="case u1", at=NOW, value={}))
        await each.put(wish("a"))
        await each.note(contact_at=NOW - span)

    sweep(tmp_path, NOW, but=mine.directory)

    left = {each.directory.name: len(await each.cases()) for each in ago}
    assert left == {"old": 0, "young": 1, "mine": 1}
    assert [one.state for one in await old.wishes()] == [State.EXPIRED]


async def test_a_damaged_outbox_is_said_and_not_begun_anew(replica: Replica) -> None:
    await replica.put(wish("a"))
    (replica.directory / "outbox.json").write_text("{", "utf-8")

    with pytest.raises(BadFile, match=r"outbox\.json"):
        await replica.wishes()
    with pytest.raises(BadFile, match=r"outbox\.json"):
        await replica.put(wish("b"))


def test_the_name_of_the_directory_tells_neither_desk_nor_agent(tmp_path: Path) -> None:
    one = replica_directory(tmp_path, "https://desk.example", "dana")

    assert one != replica_directory(tmp_path, "https://desk.example", "lee")
    assert one.parent == tmp_path / "replica"
    assert "dana" not in one.name


async def test_no_kill_loses_a_wish_that_was_taken_or_makes_two_of_it(tmp_path: Path) -> None:
    dice = random.Random(5)
    directory = tmp_path / "replica"
    nursery = subprocess.Popen(
        [sys.executable, str(WRITER), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert nursery.stdin
    assert nursery.stdout
    lines: list[dict[str, Any]] = []
    for _ in range(KILLS):
        nursery.stdin.write("go\n")
        nursery.stdin.flush()
        child, least = 0, dice.randrange(1, 6)
        while not child or least:  # it may tell of its first wish before its birth is told
            told = json.loads(nursery.stdout.readline())
            child, least = told.get("child", child), max(0, least - 1)
            lines.append(told)
        time.sleep(dice.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        lines += map(json.loads, iter(nursery.stdout.readline, "ended\n"))
    taken = [key for told in lines for key in told.get("taken", [])]
    claimed = [key for told in lines for key in told.get("claimed", [])]
    nursery.stdin.close()
    assert nursery.wait(PATIENCE_S) == 0
    nursery.stdout.close()

    found = await Replica(directory).wishes()

    states = {one.key: one.state for one in found}
    assert len(taken) > KILLS
    assert claimed
    assert set(taken) <= states.keys(), "lost"
    assert len(states) == len(found), "twice"
    assert all(states[key] is not State.QUEUED for key in claimed), "would be sent twice"
    assert len(claimed) == len(set(claimed))
    assert len(found) - len(taken) <= KILLS  # at most the one under way at each kill
