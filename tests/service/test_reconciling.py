"""The log against the provider: what stands alone on either side is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyotp
import pytest

from helpdesk.connectors.base import Supports
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.actions import (
    AnyAction,
    ChangeAddress,
    EndSessions,
    EnrolTotp,
    Note,
    ResetAll,
    ResetFactor,
    ResumeFactor,
    Reveal,
    SuspendFactor,
    TemporaryPass,
    TurnOffMfa,
    TurnOnMfa,
    Unlock,
)
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import Refused
from helpdesk.domain.lacks import Lack
from helpdesk.domain.reconciling import COMPARED, Reconciliation, untold_by
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import User
from helpdesk.service.local import LocalDesk
from helpdesk.stores.keys import Keys
from tests.conftest import Clock
from tests.service.test_log import Tables, put, tables_of

Open = Callable[..., LocalDesk]
MORE = {"reason": "asked", "ticket": "4822"}
ACTS: list[tuple[str, AnyAction]] = [
    ("dana", Unlock(user="u4")),
    ("dana", EndSessions(user="u2", **MORE)),
    ("dana", SuspendFactor(user="u1", factor="u1-f1")),
    ("lee", ResumeFactor(user="u1", factor="u1-f1", reason="asked", ticket="4821")),
    ("dana", ResetFactor(user="u2", factor="u2-f2", **MORE)),
    ("dana", ResetAll(user="u2", **MORE)),
    ("dana", TemporaryPass(user="u2", **MORE)),
    ("sam", TurnOffMfa(user="u1", reason="asked", ticket="4821")),
    ("sam", TurnOnMfa(user="u8", mobile="+44 7700 900199")),
    ("sam", TurnOnMfa(user="u8", save=True)),
    ("lee", ChangeAddress(user="u6", address="new@agency.example", reason="asked", ticket="4824")),
]


@pytest.fixture
async def busy(desk_as: Open, clock: Clock) -> LocalDesk:
    """A desk at which every act that is compared was done; as the auditor."""
    for who, action in ACTS:
        await desk_as(who, is_gated=False).perform(action)
        clock.go_on(minutes=5)
    dana = desk_as("dana", is_gated=False)
    begun = await dana.perform(EnrolTotp(user="u2", **MORE))
    assert begun.handover
    code = pyotp.TOTP(begun.handover.secret).at(clock.now)
    await dana.perform(EnrolTotp(user="u2", code=code, **MORE))
    await dana.perform(Note(user="u1", text="a call"))
    return desk_as("ari")


async def after(busy: LocalDesk, file: Path, change: Callable[[Tables], None]) -> Reconciliation:
    """Reconcile after somebody changed the file."""
    tables = tables_of(file)
    change(tables)
    put(file, tables)
    return await busy.reconcile_log()


def events_of(tables: Tables, user: str) -> list[dict[str, Any]]:
    """Return the timeline of a user, to be changed."""
    events: list[dict[str, Any]] = next(
        row["events"] for row in tables["timelines"].values() if row["user"] == user
    )
    return events


async def test_all_that_a_desk_does_belongs_together(busy: LocalDesk) -> None:
    found = await busy.reconcile_log()

    assert (found.does_match, found.differ) == (True, ())
    assert found.rows == found.effects + 1 == 11
    assert any("1 row is of an enrolment that began" in one for one in found.unknown)
    done = {row.act for row in await busy._view.store.rows() if row.result is Result.DONE}
    assert done >= COMPARED - {"change-mobile"}


class Silent(DemoConnector):
    """A provider that tells nothing of what agents did, as Duo's and Keycloak's logs do not."""

    lacks: tuple[Lack, ...] = ()

    async def supports(self, user: User) -> Supports:
        return Supports(provider="Silent", lacks=self.lacks)

    async def timelines(self, users: Sequence[str]) -> Mapping[str, tuple[AnyEvent, ...]]:
        return {
            user: tuple(
                event
                for event in events
                if getattr(event, "by", None) != "agent" and event.kind != "pass"
            )
            for user, events in (await super().timelines(users)).items()
        }


class SaysSo(Silent):
    """It says that it tells nothing."""

    lacks = (Lack(what="told:acts", why="Silent keeps what is done to itself."),)


async def test_acts_that_a_provider_says_it_does_not_tell_are_not_held_against_the_log(
    busy: LocalDesk, desk_as: Open
) -> None:
    found = await desk_as("ari", connector=SaysSo).reconcile_log()
    suspicious = await desk_as("ari", connector=Silent).reconcile_log()

    assert (found.does_match, found.differ, found.rows) == (True, (), 11)
    assert any(one.startswith("11 rows are of acts that their provider") for one in found.unknown)
    assert len(suspicious.differ) == 9


@pytest.mark.parametrize(
    ("what", "acts"),
    [("told:acts", COMPARED), ("told:pass", {"temporary-pass"}), ("drift", set())],
)
def test_what_is_not_told_is_known_by_what_a_provider_lacks(what: str, acts: set[str]) -> None:
    assert untold_by((Lack(what=what, why="So it is."),)) == acts


async def test_it_still_does_when_rows_and_notices_are_erased(
    busy: LocalDesk, desk_as: Open, clock: Clock
) -> None:
    clock.go_on(days=2)
    await desk_as("lee").erase_log(clock.now)

    found = await busy.reconcile_log()

    assert (found.does_match, found.differ) == (True, ())
    assert found.rows == 11
    assert not any("nobody here knows" in one for one in found.unknown)


async def test_it_still_does_after_a_demo_was_left_alone(
    busy: LocalDesk, desk_as: Open, clock: Clock
) -> None:
    clock.go_on(days=30)
    desk = desk_as("dana", is_gated=False)
    await desk.perform(SuspendFactor(user="u9", factor="u9-f1"))

    found = await desk.reconcile_log()

    assert (found.does_match, found.differ) == (True, ())
    assert (found.rows, found.effects) == (12, 11)


async def test_a_held_reset_is_one_act_when_it_is_carried_out(desk_as: Open, clock: Clock) -> None:
    desk = desk_as("dana", hold_minutes=10, is_gated=False)
    await desk.perform(ResetFactor(user="u2", factor="u2-f2", **MORE))
    waiting = await desk.reconcile_log()
    clock.go_on(minutes=10)
    await desk.carry_out_due()

    done = await desk.reconcile_log()

    assert (waiting.does_match, waiting.rows, waiting.effects) == (True, 0, 0)
    assert (done.does_match, done.rows, done.effects) == (True, 1, 1)


async def test_an_event_that_is_gone_is_named_by_its_row(
    busy: LocalDesk, sample_file: Path
) -> None:
    def drop(tables: Tables) -> None:
        events = events_of(tables, "u1")
        events[:] = [one for one in events if one.get("change") != "turned-off"]

    found = await after(busy, sample_file, drop)

    assert found.differ == (
        "Row 8 (turn-off-mfa of u1): the provider tells of no such change at that time.",
    )
    assert found.agree == ()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"kind": "reset", "ok": True, "by": "agent", "scope": "all"}, "reset of u9"),
        (
            {"kind": "factor", "change": "removed", "by": "agent", "factor": "u9-f1"},
            "removed of u9",
        ),
        ({"kind": "factor", "change": "turned-off", "by": "agent"}, "turned-off of u9"),
        ({"kind": "factor", "change": "number-changed", "by": "agent"}, "number-changed of u9"),
        ({"kind": "factor", "change": "brand-new", "by": "agent"}, "brand-new of u9"),
        ({"kind": "pass", "by": "agent"}, "temporary pass of u9"),
    ],
)
async def test_an_event_of_no_row_is_named(
    busy: LocalDesk, sample_file: Path, event: dict[str, Any], says: str
) -> None:
    def add(tables: Tables) -> None:
        at = tables["meta"]["1"]["now"]
        tables["timelines"]["9"] = {"user": "u9", "events": [event | {"at": at}]}

    found = await after(busy, sample_file, add)

    assert len(found.differ) == 1
    assert f"a change by an agent ({says}, 2026-11-21 09:55:00 UTC)" in found.differ[0]


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "reset", "ok": False, "by": "agent", "scope": "all"},
        {"kind": "reset", "ok": True, "by": "user", "scope": "all"},
        {"kind": "factor", "change": "turned-off", "by": "system"},
        {"kind": "pass", "by": "user"},
        {"kind": "proof", "by": "agent"},
    ],
)
async def test_what_no_agent_changed_needs_no_row(
    busy: LocalDesk, sample_file: Path, event: dict[str, Any]
) -> None:
    def add(tables: Tables) -> None:
        at = tables["meta"]["1"]["now"]
        tables["timelines"]["9"] = {"user": "u9", "events": [event | {"at": at}]}

    found = await after(busy, sample_file, add)

    assert found.does_match


async def test_an_event_of_somebody_else_is_not_the_rows(
    busy: LocalDesk, sample_file: Path
) -> None:
    def move(tables: Tables) -> None:
        events = events_of(tables, "u1")
        gone = [one for one in events if one.get("change") == "turned-off"]
        events[:] = [one for one in events if one not in gone]
        tables["timelines"]["9"] = {"user": "u9", "events": gone}

    found = await after(busy, sample_file, move)

    assert [one[:30] for one in found.differ] == [
        "Row 8 (turn-off-mfa of u1): th",
        "The provider tells of a change",
    ]


async def test_an_event_of_another_kind_is_not_the_rows(busy: LocalDesk, sample_file: Path) -> None:
    def rename(tables: Tables) -> None:
        for one in events_of(tables, "u1"):
            if one.get("change") == "turned-off":
                one["change"] = "suspended"

    found = await after(busy, sample_file, rename)

    assert [one[:30] for one in found.differ] == [
        "Row 8 (turn-off-mfa of u1): th",
        "The provider tells of a change",
    ]


async def test_a_second_event_of_the_same_act_is_named(busy: LocalDesk, sample_file: Path) -> None:
    def twice(tables: Tables) -> None:
        events = events_of(tables, "u1")
        events += [dict(one) for one in events if one.get("change") == "turned-off"]

    found = await after(busy, sample_file, twice)

    assert len(found.differ) == 1
    assert "(turned-off of u1, 2026-11-21 09:35:00 UTC), and no row" in found.differ[0]


async def test_a_row_without_any_effect_is_named(desk_as: Open) -> None:
    desk = desk_as("dana", is_gated=False)
    async with desk._changing, desk._view.store.transaction():
        await desk._recorder.record(act="reset-all", user="u2", result=Result.DONE)

    found = await desk.reconcile_log()

    assert found.differ == (
        "Row 1 (reset-all of u2): the provider tells of no such change at that time.",
        "Row 1 (reset-all of u2): there is no notice of it; nobody was told.",
    )


async def test_rows_that_were_cut_leave_their_effects_and_notices_alone(
    busy: LocalDesk, sample_file: Path
) -> None:
    def cut(tables: Tables) -> None:
        tables["log"] = {key: row for key, row in tables["log"].items() if int(key) <= 7}

    found = await after(busy, sample_file, cut)

    assert [one for one in found.differ if "turned-off of u1" in one]
    assert [one for one in found.differ if "names row 8, which is not in the log" in one]


async def test_a_notice_that_is_gone_is_named(busy: LocalDesk, sample_file: Path) -> None:
    def drop(tables: Tables) -> None:
        tables["outbox"] = {key: one for key, one in tables["outbox"].items() if one["seq"] != 6}

    found = await after(busy, sample_file, drop)

    assert found.differ == ("Row 6 (reset-all of u2): there is no notice of it; nobody was told.",)


async def test_one_of_several_notices_that_is_gone_is_named(
    busy: LocalDesk, sample_file: Path
) -> None:
    def drop(tables: Tables) -> None:
        tables["outbox"] = {
            key: one for key, one in tables["outbox"].items() if one["id"] != "n6-1"
        }

    found = await after(busy, sample_file, drop)

    assert found.differ == ("Row 6 (reset-all of u2): notice 1 of 2 is not there.",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "n99-1", "seq": 99}, "Notice n99-1 (reset-all) names row 99, which is not in"),
        ({"id": "n14-1", "seq": 14}, "Notice n14-1 (reset-all) names row 14, which is no such act"),
        ({"id": "n6-3", "user": "u9"}, "notice n6-3 is of another act or of somebody else"),
        ({"id": "n6-3", "act": "unlock"}, "notice n6-3 is of another act or of somebody else"),
    ],
)
async def test_a_notice_of_no_act_is_named(
    busy: LocalDesk, sample_file: Path, change: dict[str, Any], says: str
) -> None:
    def add(tables: Tables) -> None:
        one = next(one for one in tables["outbox"].values() if one["id"] == "n6-1")
        tables["outbox"]["900"] = one | change

    found = await after(busy, sample_file, add)

    assert len(found.differ) == 1
    assert says in found.differ[0]


async def test_what_was_before_the_log_is_said_and_not_held_against_it(
    desk_as: Open, sample_file: Path
) -> None:
    def add(tables: Tables) -> None:
        events_of(tables, "u1").append(
            {"kind": "reset", "at": "2026-05-03T10:00:00Z", "ok": True, "by": "agent"}
        )

    empty = await after(desk_as("dana", is_gated=False), sample_file, add)
    desk = desk_as("dana", is_gated=False)
    await desk.perform(ResetAll(user="u2", **MORE))
    begun = await desk.reconcile_log()

    for found in (empty, begun):
        assert found.does_match
        assert any(
            "1 change by an agent at the provider is from before" in x for x in found.unknown
        )
    assert (empty.effects, begun.effects) == (0, 1)


async def test_rows_erased_under_another_consoles_key_are_compared_by_time(
    busy: LocalDesk, desk_as: Open, clock: Clock, places: Path
) -> None:
    await desk_as("lee").erase_log(clock.now)
    for key in (places / "keys").glob("*.key"):
        key.unlink()
    Keys(places / "keys").mac("another")

    found = await desk_as("ari").reconcile_log()

    assert found.does_match
    assert any("Of 9 rows nobody here knows" in one for one in found.unknown)


async def test_who_works_for_one_customer_does_not_reconcile(desk_as: Open) -> None:
    with pytest.raises(Refused, match="Only a support agent"):
        await desk_as("pia").reconcile_log()


async def test_a_wall_of_differences_is_cut(desk_as: Open, sample_file: Path) -> None:
    def add(tables: Tables) -> None:
        events_of(tables, "u1").extend(
            {"kind": "reset", "at": f"2026-05-04T15:{n:02}:00Z", "ok": True, "by": "agent"}
            for n in range(60)
        )

    desk = desk_as("dana", is_gated=False)
    await desk.perform(Reveal(user="u4", reason="asked by the customer"))

    found = await after(desk, sample_file, add)

    assert len(found.differ) == 51
    assert found.differ[-1] == "And 10 more."
