"""Why on the desk: the verdict, what the caller says to it, the reply, the loop, the crowd."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from helpdesk.domain.actions import Note
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.diagnosis.verdicts import (
    CallerSaid,
    Evidence,
    NoUse,
    Question,
    RankedCause,
    Reply,
    Strength,
    Verdict,
)
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from helpdesk.tui.screens import telling
from helpdesk.tui.screens.desk import DeskScreen
from tests.tui.console import Console, Slow, console, demo_desk, login_of
from tests.waiting import PATIENCE_S

Demo = Callable[..., LocalDesk]
MAYA, LOCKED = "u1", "u2"
EVIL = "[bold red]x[/] \x1b]52;c;aGk=\x07 \u202eabc $name \n ADMIN"


class Telling(Slow):
    """A desk whose verdicts can be held up, counted and replaced.

    Attributes:
        asked: The users a verdict was asked for, with what was said, in order.
        instead: What to give, or to raise, in a verdict's place.
    """

    def __init__(self, desk: LocalDesk) -> None:
        super().__init__(desk)
        self.asked: list[tuple[str, Sequence[CallerSaid]]] = []
        self.instead: Verdict | Exception | None = None

    async def why(self, user: str, said: Sequence[CallerSaid] = ()) -> Verdict:
        """Give a verdict, once the gate of the user's verdicts is open."""
        self.asked.append((user, tuple(said)))
        await self._pass(f"why {user}")
        if isinstance(self.instead, Exception):
            raise self.instead
        return self.instead or await self._desk.why(user, said)


@dataclass(frozen=True)
class Stories:
    """What the demo holds.

    Attributes:
        verdicts: By user, everybody's verdict.
        undecided: A user whose first cause one reply of the caller's changes.
        key: The number of that reply.
        reply: Its words.
        then: The first cause after it.
    """

    verdicts: dict[str, Verdict]
    undecided: str
    key: str
    reply: str
    then: RankedCause

    def told(self, is_so: Callable[[Verdict], bool]) -> list[str]:
        """Return the users whose verdict is so."""
        return [user for user, verdict in self.verdicts.items() if is_so(verdict)]

    def top(self, cause: str) -> str:
        """Return a user whose first cause is this one."""
        return self.told(lambda verdict: verdict.top is not None and verdict.top.id == cause)[0]

    @property
    def question(self) -> Question:
        """What the undecided user is asked."""
        question = self.verdicts[self.undecided].ask
        assert question is not None
        return question

    @property
    def first(self) -> RankedCause:
        """The undecided user's first cause before any reply."""
        return self.verdicts[self.undecided].causes[0]


async def _stories(desk: LocalDesk) -> Stories:
    rows = (await desk.find(Query(), limit=1_000)).rows
    verdicts = {row.id: await desk.why(row.id) for row in rows}
    for user, verdict in verdicts.items():
        for number, reply in enumerate(verdict.ask.replies if verdict.ask else (), 1):
            said = CallerSaid(ask=verdict.ask.pair if verdict.ask else "", reply=reply.text)
            then = (await desk.why(user, (said,))).top
            is_other = then is not None and verdict.top is not None and then.id != verdict.top.id
            if then and is_other and then.group != "F":
                return Stories(verdicts, user, str(number), reply.text, then)
    raise LookupError("no reply decides anything")


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Everybody's verdict, asked for once."""
    return asyncio.run(_stories(demo_desk(tmp_path_factory.mktemp("stories"))))


async def open_user(agent: Console, user: str) -> None:
    await agent.find(login_of(user), user)
    await agent.loses("weighing")


def why_of(agent: Console) -> str:
    """What stands between *Why* and *Codes*."""
    return agent.flat.partition(" Why ")[2].partition(" Codes ")[0]


async def test_the_first_cause_stands_there_with_strength_evidence_and_reply(demo: Demo) -> None:
    async with console(demo()) as agent:
        await open_user(agent, MAYA)

        await agent.sees("●●● certain D2 superseded by a newer code")
        told = why_of(agent)
        assert "◆ 14:03 refused as superseded" in told
        assert "Use only the newest message, the one from 14:03 UTC" in told
        assert "will not help: yet another code voids the live one" in told


async def test_the_act_that_mends_it_stands_there_with_its_key(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await open_user(agent, LOCKED)

        await agent.sees("D9 locked, and the page does not say so", "u ✓ Unlock Unlock if")
        await agent.click("Unlock if the product")
        await agent.click("✓ Unlock  Unlock if")
        await agent.sees("Cancel Unlock")


async def test_what_is_hostile_says_stop_and_nothing_reassuring(
    demo: Demo, stories: Stories
) -> None:
    hostile = stories.told(lambda verdict: verdict.is_hostile)
    assert len(hostile) >= 3
    async with console(demo()) as agent:
        for user in hostile[:3]:
            await open_user(agent, user)

            await agent.sees("■ STOP Hostile until shown otherwise.")
            assert "Nothing is broken" not in why_of(agent)


async def test_what_asks_by_design_says_that_nothing_is_broken(
    demo: Demo, stories: Stories
) -> None:
    async with console(demo()) as agent:
        await open_user(agent, stories.top("A3"))

        await agent.sees("✓ By design Nothing is broken.", "A3 ")
        assert "STOP" not in why_of(agent)


async def test_a_guess_is_no_all_clear(demo: Demo) -> None:
    desk = Telling(demo())
    desk.instead = Verdict(
        causes=(RankedCause(id="A1", title="asks always", p=0.03, strength=Strength.WEAK),),
        nothing_is_broken=True,
    )
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.sees("●○○ weak A1 asks always")

        assert "Nothing is broken" not in agent.text


async def test_what_cannot_be_told_is_asked_and_the_reply_decides_at_once(
    demo: Demo, stories: Stories
) -> None:
    async with console(demo(), size=(130, 50)) as agent:
        await open_user(agent, stories.undecided)
        await agent.sees("Cannot tell", "because the log has no", "Ask q reply")
        assert stories.question.text in why_of(agent)

        await agent.press("q")
        await agent.sees("Ask the caller", f"{stories.key} ○ {stories.reply}")
        await agent.press(stories.key)

        await agent.sees(f"caller the caller says: {stories.reply}")
        told = why_of(agent)
        first = told.index(f"{stories.then.id} {stories.then.title[:30]}")
        assert first < told.index("the caller says") < len(told)
        assert stories.question.text not in told


async def test_a_reply_can_be_taken_back(demo: Demo, stories: Stories) -> None:
    async with console(demo(), size=(130, 50)) as agent:
        await open_user(agent, stories.undecided)
        await agent.press("q", stories.key)
        await agent.sees("the caller says")

        await agent.press("q")
        await agent.sees(f"{stories.reply} to {stories.question.pair}", "Take the last back")
        await agent.press("backspace")

        await agent.loses("the caller says")
        await agent.sees("Cannot tell", f"{stories.first.id} {stories.first.title}")


async def test_words_nobody_understands_change_nothing_and_say_so(
    demo: Demo, stories: Stories
) -> None:
    async with console(demo()) as agent:
        await open_user(agent, stories.undecided)
        await agent.press("q", "tab")
        await agent.type("[red]hm[/]")
        await agent.press("enter")

        await agent.sees("? caller [red]hm[/] not understood, changes nothing")
        assert f"{stories.first.id} {stories.first.title}" in why_of(agent)


async def test_own_words_arrows_and_mouse_answer_as_well(demo: Demo, stories: Stories) -> None:
    said = f"the caller says: {stories.reply}"
    async with console(demo(), size=(130, 50)) as agent:
        await open_user(agent, stories.undecided)
        await agent.press("q", "tab")
        await agent.type(stories.reply.casefold())
        await agent.press("enter")
        await agent.sees(f"the caller says: {stories.reply.casefold()}")
        await agent.press("q")
        await agent.press_button("Take the last back")
        await agent.loses("the caller says")

        await agent.click("reply")
        await agent.click(stories.reply)
        await agent.sees(said)
        await agent.press("q", "delete")
        await agent.loses("the caller says")
        await agent.press("q", *["down"] * int(stories.key), "enter")

        await agent.sees(said)


async def test_what_one_caller_said_is_none_of_the_next_ones(demo: Demo, stories: Stories) -> None:
    desk = Telling(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await open_user(agent, stories.undecided)
        await agent.press("q", stories.key)
        await agent.sees("the caller says")
        await open_user(agent, MAYA)
        await open_user(agent, stories.undecided)

        await agent.sees(stories.question.text)
        assert desk.asked[-1] == (stories.undecided, ())


async def test_where_the_log_decides_there_is_nothing_to_ask(demo: Demo) -> None:
    async with console(demo()) as agent:
        await open_user(agent, MAYA)

        await agent.press("q")

        await agent.sees("There is nothing to ask: the log alone decides.")


async def test_a_late_verdict_of_another_user_is_dropped_and_no_key_waits(demo: Demo) -> None:
    desk = Telling(demo())
    gate = desk.gates[f"why {MAYA}"] = asyncio.Event()
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("weighing …")
        await agent.press("i")
        await agent.sees("May be done as it is.")
        await agent.press("escape")
        await open_user(agent, LOCKED)
        gate.set()
        await agent.settles()

        assert "D9 locked" in why_of(agent)
        assert "D2" not in why_of(agent).partition("●○○")[0]


async def test_keys_typed_ahead_wait_for_the_verdict_of_the_user_they_mean(demo: Demo) -> None:
    desk = Telling(demo())
    gate = desk.gates[f"why {LOCKED}"] = asyncio.Event()
    async with console(desk) as agent:  # type: ignore[arg-type]
        await open_user(agent, MAYA)
        await agent.find(login_of(LOCKED), LOCKED)
        await agent.press("y", "q", "q")
        assert agent.app.clipboard == ""
        gate.set()
        await agent.sees("Copied.", "There is nothing to ask")

        assert agent.app.clipboard.startswith("You are locked out")


async def test_after_an_act_the_verdict_is_asked_anew(demo: Demo) -> None:
    desk = Telling(demo())
    async with console(desk) as agent:  # type: ignore[arg-type]
        await open_user(agent, MAYA)
        before = len(desk.asked)

        await agent.press("n")
        await agent.sees("Write the note.")
        await agent.type("called")
        await agent.confirm()
        await agent.stands_on_desk()
        await agent.until(lambda: len(desk.asked) > before, "the verdict after the act")

        assert desk.asked[-1][0] == MAYA
    assert isinstance(desk.performed[0], Note)


async def test_y_copies_the_reply_and_shift_y_the_case(demo: Demo) -> None:
    desk = demo()
    async with console(desk) as agent:
        await open_user(agent, MAYA)

        await agent.press("y")
        await agent.sees("Copied.")
        assert agent.app.clipboard == (await desk.why(MAYA)).say
        await agent.press("Y")
        await agent.until(lambda: "Maya Okafor" in agent.app.clipboard, "the case")

        assert "m•••@northwind.example" in agent.app.clipboard


async def test_a_reply_with_controls_in_it_is_copied_clean_and_bounded(demo: Demo) -> None:
    desk = Telling(demo())
    desk.instead = Verdict(say=f"line one\x1b[2J\nline {'x' * 30_000}")
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)
        await agent.until(lambda: desk_of(agent).verdict is not None, "the verdict")
        await agent.press("y")
        await agent.sees("Copied.")

        copied = agent.app.clipboard
        assert copied.startswith("line one␛[2J\nline xxx")
        assert len(copied) <= 20_001


def desk_of(agent: Console) -> DeskScreen:
    """The desk beneath whatever is open."""
    return next(s for s in agent.app.screen_stack if isinstance(s, DeskScreen))


async def test_no_verdict_says_why_there_is_none(demo: Demo) -> None:
    desk = Telling(demo())
    desk.instead = Unreachable("The desk cannot be reached [now].")
    async with console(desk) as agent:  # type: ignore[arg-type]
        await agent.has_case(MAYA)

        await agent.sees("▲ The desk cannot be reached [now].", "LIVE")
        await agent.press("q")
        await agent.sees("There is no verdict yet.")


async def test_what_others_share_is_said_in_each_case(demo: Demo, stories: Stories) -> None:
    async with console(demo()) as agent:
        await open_user(agent, stories.top("D4b"))

        await agent.sees("▲ Others", "users have one offset of")


@pytest.mark.parametrize("size", [(80, 24), (130, 34), (200, 60)], ids=str)
async def test_what_hits_many_stands_once_above_loops_and_challenges(
    demo: Demo, size: tuple[int, int]
) -> None:
    desk = demo()
    found = (await desk.fleet()).findings
    assert {"C5", "D4b", "E2"} <= {one.cause for one in found}
    async with console(desk, size=size) as agent:
        for key in "23":
            await agent.press(key)
            await agent.sees("Lead Gen, reset nobody: 3 users are sent in circles")

            lines = [line for line in agent.lines if "▲" in line]
            assert len(lines) == len(found)
            assert "rows" in agent.focused


async def test_the_loop_list_says_why_for_each_report(demo: Demo) -> None:
    desk = demo()
    rows = (await desk.loops(Query(), limit=5)).rows
    async with console(desk) as agent:
        await agent.press("2")
        await agent.sees("Rounds", "Why")

        for row in rows:
            cause = row.cause
            assert cause is not None
            line = next(line for line in agent.lines if row.name[:8] in line)
            assert f"{cause.strength.value:<7} {cause.id} {cause.title[:20]}" in line


async def test_the_timeline_marks_what_the_first_cause_rests_on(demo: Demo) -> None:
    desk = demo()
    async with console(desk, size=(200, 60)) as agent:
        await open_user(agent, MAYA)
        for _ in range(2):
            refused = [line for line in agent.lines if "answer refused" in line]
            assert [line for line in refused if "◆ 14:0" in line] == refused[:1]
            assert "superseded" in refused[0]

            # Read anew, the same verdict is of new events.
            await desk.perform(Note(user=MAYA, text="called"))
            await agent.press("ctrl+r")
            await agent.sees("› called")
            await agent.settles()


async def test_a_loop_is_drawn_turn_by_turn(demo: Demo) -> None:
    desk = demo()
    report = (await desk.loops(Query(words=("spira",)), limit=1)).rows[0].report
    async with console(desk) as agent:
        await open_user(agent, report.user)

        await agent.sees("↻ LOOP of 3 rounds")
        drawn = [line for line in agent.lines if "no session" in line]
        assert ["▶" in line for line in drawn] == [True, True, True]
        assert "after 5 s" in drawn[-1]


async def test_the_newest_attempt_is_held_against_the_last_good_one(
    demo: Demo, stories: Stories
) -> None:
    async with console(demo(), size=(200, 60)) as agent:
        await open_user(agent, stories.top("F1"))

        await agent.sees("since the last good one", "address 192.0.2", "network office → hosting")


async def test_who_and_why_are_in_sight_at_every_size(demo: Demo, stories: Stories) -> None:
    hostile = stories.told(lambda verdict: verdict.is_hostile)[0]
    async with console(demo()) as agent:
        for user in (MAYA, hostile):
            await open_user(agent, user)
            first = stories.verdicts[user].causes[0]
            for size in ((60, 15), (80, 24), (100, 30), (130, 34), (200, 60), (300, 100)):
                await agent.pilot.resize_terminal(*size)
                desk_of(agent).set_class(True, "-case-open")
                await agent.settles()

                told = agent.flat
                assert f"{first.id} {first.title[:16]}" in told, size
                assert first.strength.value in told, size
                assert "Say y copy" in told, size
                assert "■ STOP" in told or user == MAYA, size
                assert all(cell_len(line) == size[0] for line in agent.lines)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=str)
async def test_hostile_text_in_a_verdict_is_only_text(demo: Demo, size: tuple[int, int]) -> None:
    line = Evidence(says=EVIL, weight=3.0, events=(EVIL,))
    cause = RankedCause(
        id="D2", title=EVIL, p=0.9, strength=Strength.STRONG, evidence=(line,), against=(line,)
    )
    desk = Telling(demo())
    desk.instead = Verdict(
        causes=(cause, replace(cause, id="D1", p=0.1)),
        ask=Question(pair="D1/D2", text=EVIL, lacks=EVIL, replies=(Reply(id="a", text=EVIL),)),
        cannot_tell=EVIL,
        say=EVIL,
        act="send-code",
        act_says=EVIL,
        will_not_help=(NoUse(act=EVIL, why=EVIL),),
        also_others=EVIL,
    )
    async with console(desk, size=size) as agent:  # type: ignore[arg-type]
        await agent.find("okafor", MAYA)
        await agent.sees("[bold red]x[/]")
        await agent.press("q")
        await agent.sees("Ask the caller", "1 ○ [bold red]x[/]")

        assert "\x1b" not in agent.text
        assert "\u202e" not in agent.text
        assert all(cell_len(shown) == size[0] for shown in agent.lines)


async def test_keys_of_the_verdict_are_in_help_and_palette(demo: Demo) -> None:
    async with console(demo(), size=(130, 60)) as agent:
        await open_user(agent, MAYA)
        await agent.press("?")
        await agent.sees("Ask the caller what tells the causes apart", "Measure by how much")
        await agent.press("escape")
        await agent.press("ctrl+p")
        await agent.type("drift")

        await agent.sees("Measure by how much the clock")


async def test_who_administers_one_account_is_told_what_many_share_and_not_who_they_are(
    tmp_path: Path,
) -> None:
    desk = demo_desk(tmp_path, "lead")
    everybody = {user for one in (await desk.fleet()).findings for user in one.users}
    of_one = {user for user in everybody if (await desk.case(user)).account.id == "a1"}
    role = Role.PRODUCT_ADMINISTRATOR
    theirs = demo_desk(tmp_path, agent=Agent(id="pia", name="Pia", role=role, account="a1"))

    found = (await theirs.fleet()).findings

    assert {user for one in found for user in one.users} == of_one
    assert 0 < len(of_one) < len(everybody)
    for user in of_one:
        told = str(await theirs.why(user))
        assert not [other for other in everybody - of_one if f"'{other}'" in told]


async def test_a_case_and_its_verdict_are_laid_out_in_one_go(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "TOGETHER_S", PATIENCE_S)
    async with console(demo()) as agent:
        await agent.has_case(MAYA)
        await agent.settles()
        screen = agent.app.screen
        layouts: list[object] = []
        screen.screen_layout_refresh_signal.subscribe(screen.children[0], layouts.append, True)

        await agent.press("down")
        await agent.until(lambda: agent.case_user not in {"", MAYA}, "the next case")
        await agent.loses("weighing")
        await agent.settles()

        assert len(layouts) == 1
