"""Every fault, on every question and act of every provider, over a real socket that breaks.

answered well ─▶ an act is done     a sentence ─▶ it is not done, or it says that nobody knows
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from helpdesk.connectors.exchange import NoRight
from helpdesk.connectors.parts import LONGEST
from helpdesk.domain.errors import (
    BrokeOff,
    DeskRefused,
    HelpdeskError,
    Unauthorised,
    Unsettled,
)
from helpdesk.domain.text import clean
from tests.connectors.plants import (
    ACTS,
    PLANTS,
    QUESTIONS,
    Ask,
    Plant,
    give_events,
    give_factors,
    planted,
)
from tests.labs.faulty import Break, Strike, answer, data, page
from tests.labs.troubles import Fault

EVER = 10**9
NOW = datetime.now(UTC)
RUBBISH = b"Sat, 21 Nov 2026 99999999999999999999:56:48 GMT"
"""No moment; the standard library overflows over it."""


def _cut_in_head(whole: bytes) -> bytes:
    return whole[: whole.index(b"\r\n") + 12]


def _cut_in_body(whole: bytes) -> bytes:
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = [one for one in head.split(b"\r\n") if not one.startswith(b"content-length")]
    return b"\r\n".join([*lines, b"content-length: %d" % (len(body) + 9)]) + b"\r\n\r\n" + body


def _always(whole: bytes, *, is_taken: bool = False) -> Break:
    return Break("", is_taken, lambda _: whole)


CUTS: Mapping[str, Break] = {
    "cut before it is taken": Break("", False, lambda _: b""),
    "cut before the answer": Break("", True, lambda _: b""),
    "reset before the answer": Break("", True, lambda _: b"", is_reset=True),
    "cut in the head": Break("", True, _cut_in_head),
    "cut in the body": Break("", True, _cut_in_body),
    "no HTTP": Break("", True, lambda _: b"220 smtp.example ESMTP\r\n"),
    "an endless head": Break("", True, lambda _: b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000),
}
"""The line breaks."""

REFUSALS: Mapping[str, Break] = {
    "429 without a word": _always(page(429)),
    "429 with seconds": _always(page(429, (b"retry-after", b"38"))),
    "429 with a date": _always(page(429, (b"retry-after", b"Sat, 21 Nov 2099 17:56:48 GMT"))),
    "429 with rubbish": _always(page(429, (b"retry-after", RUBBISH))),
    "429 of the organisation": _always(
        data(
            b'{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit","code":42901}',
            429,
            (b"x-rate-limit-limit", b"600"),
            (b"x-rate-limit-reset", b"99999999999"),
        )
    ),
    "429 of too many at once": _always(data(b"{}", 429, (b"x-rate-limit-limit", b"0"))),
    "429 of one telephone": _always(data(b'{"errorCode":"E0000109","errorSummary":"wait"}', 429)),
    "401 of a proxy": _always(page(401)),
    "403 of a proxy": _always(page(403)),
    "404 of a proxy": _always(page(404)),
    "redirect": _always(answer(302, b"", (b"location", b"https://evil.example/"))),
}
"""Whoever answers so did nothing."""

FAILURES: Mapping[str, Break] = {
    "500 page": _always(page(500), is_taken=True),
    "500 data": _always(data(b'{"error":"unknown_error","message":"no"}', 500), is_taken=True),
    "502 page": _always(page(502), is_taken=True),
    "503 with seconds": _always(page(503, (b"retry-after", b"60"))),
    "504 empty": _always(answer(504), is_taken=True),
    "a page for an answer": _always(page(200)),
    "a page after it was taken": _always(page(200), is_taken=True),
    "packed": _always(
        data(gzip.compress(b"{}"), 200, (b"content-encoding", b"gzip")), is_taken=True
    ),
}

ODD: Mapping[str, Break] = {
    "cut data": _always(data(b'{"id": "00u'), is_taken=True),
    "null": _always(data(b"null"), is_taken=True),
    "a list": _always(data(b"[]"), is_taken=True),
    "a list of nulls": _always(data(b"[null, 3, [], {}]"), is_taken=True),
    "an object": _always(data(b"{}"), is_taken=True),
    "a word": _always(data(b'"\\u202e<b>x"'), is_taken=True),
    "a huge number": _always(data(b'{"response": 1%s}' % (b"0" * 5000)), is_taken=True),
    "depth": _always(data(b'{"result": ' + b"[" * 9_000), is_taken=True),
    "no text": _always(data(b'{"id": "\xff"}'), is_taken=True),
    "nothing": _always(data(b""), is_taken=True),
    "nulls within": _always(
        data(b'{"result": {"status": null, "value": null}, "response": null, "stat": null}'),
        is_taken=True,
    ),
}
"""What is no answer, though it says 200."""

FAULTS = {**CUTS, **REFUSALS, **FAILURES, **ODD}
UNASKED = frozenset({"supports", "refresh", "inspect"})
"""Questions that may be answered without asking, or that say what is wrong as their answer."""


@dataclass
class Cell:
    """What became of one fault on one question or act."""

    name: str
    error: Exception | None
    before: str
    after: str
    asked: int


async def _tried(
    provider: str, ask: Ask, name: str, *strikes: Strike, is_act: bool, secret: str = ""
) -> Cell:
    async with planted(provider, secret) as plant:
        user = await plant.person()
        before = plant.state()
        plant.line.mark(*strikes)
        error: Exception | None = None
        try:
            await ask(plant.connector, user)
        except Exception as caught:  # noqa: BLE001  (whatever it is: the cell is judged by it)
            error = caught
        count = plant.line.count
        plant.line.mark()
        cell = Cell(name, error, before, plant.state(), count)
        judge(plant, cell, is_act=is_act)
        return cell


def judge(plant: Plant, cell: Cell, *, is_act: bool) -> None:
    """Hold what became of a cell against what is at the provider's."""
    where = f"{plant.name}: {cell.name}: {cell.error!r}"
    error = cell.error
    assert error is None or isinstance(error, HelpdeskError), where
    if error is not None:
        check_sentence(f"{error}", plant.who, plant.secret)
        assert not isinstance(error, Unauthorised), where
    if not is_act:
        return
    is_changed = cell.before != cell.after
    if error is None:
        assert is_changed, f"{where} said done"
    elif isinstance(error, BrokeOff):
        if "reset broke off" in str(error):
            _check_parts(str(error), cell.after, where)
    elif not isinstance(error, Unsettled):
        assert not is_changed, f"{where} said not done"


def check_sentence(says: str, who: str, secret: str) -> None:
    """Hold a sentence against the house's rules."""
    assert re.search(rf"{who}|provider|There is no user", says), says
    assert len(says) <= LONGEST, f"{len(says)}: {says}"
    assert secret not in says, "a secret"
    assert not re.search(r"[<>{}]|Traceback|doctype|errorCode", says), says
    assert says == clean(says), says
    assert says[0].isupper() or says.startswith(who), says
    assert says.rstrip("…").rstrip()[-1] in ".)!?" or says.endswith("…"), says


def _check_parts(says: str, state: str, where: str) -> None:
    """What is said to be gone is gone, and what is said to be left is there."""
    for word, is_there in (("Gone", False), ("Left", True)):
        found = re.search(rf"{word}: (?!nothing|\d)(.*?)\. ", says)
        for one in found[1].split(", ") if found else ():
            name = one.split()[-1].removeprefix("token-")
            assert (f"'{name}'" in state) is is_there, f"{where} said {word}"


# -- every fault on everything ---------------------------------------------------------------------

USUAL = frozenset(
    {"cut before it is taken", "cut in the body", "429 with seconds", "a page for an answer"}
)
"""The faults of the default run; all others are `slow`."""

CELLS = [
    pytest.param(provider, fault, marks=[] if fault in USUAL else pytest.mark.slow)
    for provider in PLANTS
    for fault in FAULTS
]


@pytest.mark.parametrize(("provider", "fault"), CELLS)
async def test_a_fault_is_a_sentence_whatever_was_asked(provider: str, fault: str) -> None:
    broken = FAULTS[fault]

    cells = await _together(
        _tried(provider, ask, name, Strike(broken, 0, EVER), is_act=False)
        for name, ask in QUESTIONS.items()
    )

    unsaid = {cell.name for cell in cells if cell.error is None and cell.asked}
    if fault in {*CUTS, *REFUSALS, *FAILURES} - {"404 of a proxy", "403 of a proxy"}:
        assert unsaid <= UNASKED, f"{unsaid} are silent"


@pytest.mark.parametrize(("provider", "fault"), CELLS)
async def test_a_fault_leaves_no_act_done_in_silence(provider: str, fault: str) -> None:
    broken = FAULTS[fault]

    lengths = [(name, await _length(provider, name)) for name in ACTS[provider]]
    cells = await _together(
        _tried(provider, ACTS[provider][name], name, Strike(broken, at, at), is_act=True)
        for name, length in lengths
        for at in range(length)
    )

    assert cells


async def _together(tries: Iterable[Awaitable[Cell]]) -> list[Cell]:
    """Give what became of cells that are tried side by side; all that fell short is said."""
    found = await asyncio.gather(*tries, return_exceptions=True)
    short = [f"{one}".partition("\n")[0] for one in found if isinstance(one, BaseException)]
    assert not short, "\n".join(short)
    return [one for one in found if isinstance(one, Cell)]


_LENGTHS: dict[tuple[str, str], int] = {}


async def _length(provider: str, name: str) -> int:
    """How many requests an act takes where nothing goes wrong."""
    if (provider, name) not in _LENGTHS:
        cell = await _tried(provider, ACTS[provider][name], name, is_act=True)
        assert cell.error is None, f"{provider}: {name}: {cell.error!r}"
        _LENGTHS[provider, name] = cell.asked
    return _LENGTHS[provider, name]


# -- wrong credentials, missing rights -------------------------------------------------------------


@pytest.mark.parametrize("provider", PLANTS)
async def test_the_desks_own_account_that_is_refused_is_said_so_and_nothing_is_done(
    provider: str,
) -> None:
    async with planted(provider) as good, planted(provider, "not-the-secret") as plant:
        user, before = await good.person(), plant.state()
        asks = {**QUESTIONS, **ACTS[provider]}
        found = await asyncio.gather(
            *(ask(plant.connector, user) for ask in asks.values()), return_exceptions=True
        )

        assert plant.state() == before
        for name, error in zip(asks, found, strict=True):
            if name in {"supports", "refresh"} and not isinstance(error, BaseException):
                continue
            assert isinstance(error, DeskRefused), f"{name}: {error!r}"
            assert f"{plant.who} refused the desk's own account" in str(error)
            check_sentence(str(error), plant.who, plant.secret)


@pytest.mark.parametrize("secret", ["p\u00e4ssword", "two\nlines", "a\x00b"])
async def test_a_secret_that_no_header_can_hold_is_a_sentence(secret: str) -> None:
    async with planted("okta") as good, planted("okta", secret) as plant:
        user = await good.person()

        for ask in (QUESTIONS["people"], ACTS["okta"]["end-sessions"]):
            with pytest.raises(DeskRefused, match="a character that cannot be sent"):
                await ask(plant.connector, user)

        assert plant.line.count == 0


@pytest.mark.parametrize(
    ("provider", "act"), [(provider, act) for provider, acts in ACTS.items() for act in acts]
)
async def test_an_act_without_its_right_is_refused_and_not_done(provider: str, act: str) -> None:
    async with planted(provider) as plant:
        user, before = await plant.person(), plant.state()
        verbs = ("POST", "PUT", "DELETE")
        for verb in verbs:
            plant.server.strike(Fault.NO_RIGHT, verb, times=9)

        # The number was changed by an act before it.
        kind = BrokeOff if act == "confirm-mobile" else NoRight
        with pytest.raises(kind) as caught:
            await ACTS[provider][act](plant.connector, user)

        assert plant.state() == before
        check_sentence(str(caught.value), plant.who, plant.secret)


# -- strange answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PLANTS)
async def test_fields_that_nobody_knows_change_no_answer(provider: str) -> None:
    async with planted(provider) as plant:
        user = await plant.person()
        asks = {name: ask for name, ask in QUESTIONS.items() if name not in UNASKED}
        plain = [await ask(plant.connector, user) for ask in asks.values()]
        plant.server.strike(Fault.UNKNOWN_FIELDS, times=10_000)

        strange = [await ask(plant.connector, user) for ask in asks.values()]

        for name, one, other in zip(asks, plain, strange, strict=True):
            assert _bare(one) == _bare(other), name


def _bare(found: Any) -> Any:
    """What was read, without the raw rows beside it."""
    found = msgspec.to_builtins(found)
    if isinstance(found, dict):
        strange = {"extra", "raw", "zzNew", "_x"}
        return {key: _bare(value) for key, value in found.items() if key not in strange}
    return [_bare(one) for one in found] if isinstance(found, list | tuple) else found


@pytest.mark.parametrize("provider", PLANTS)
@pytest.mark.parametrize("fault", [Fault.NULLS, Fault.UNKNOWN_FIELDS])
async def test_nulls_and_unknown_fields_everywhere_break_nothing(
    provider: str, fault: Fault
) -> None:
    async def tried(name: str, ask: Ask, *, is_act: bool) -> None:
        async with planted(provider) as plant:
            user, before = await plant.person(), plant.state()
            plant.server.strike(fault, times=10_000)
            error = await _error_of(ask(plant.connector, user))
            judge(plant, Cell(name, error, before, plant.state(), 1), is_act=is_act)

    asked = [tried(name, ask, is_act=False) for name, ask in QUESTIONS.items()]
    told = [tried(name, ask, is_act=True) for name, ask in ACTS[provider].items()]
    found = await asyncio.gather(*asked, *told, return_exceptions=True)

    assert not [f"{one}" for one in found if one is not None]


async def _error_of(asked: Awaitable[Any]) -> Exception | None:
    try:
        msgspec.json.encode(await asked)
    except Exception as error:  # noqa: BLE001  (whatever it is: who asks judges it)
        return error
    return None


# -- many and none ---------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PLANTS)
@pytest.mark.parametrize("count", [0, 300])
async def test_a_user_with_no_factor_or_with_hundreds_is_shown(provider: str, count: int) -> None:
    async with planted(provider) as plant:
        give_factors(plant, count)

        user = await plant.person()

        assert len(user.factors) == count
        assert (await plant.connector.supports(user)).provider == plant.who


@pytest.mark.parametrize(
    ("provider", "read"),
    [
        ("privacyidea", 1_000),
        pytest.param("okta", 10_000, marks=pytest.mark.slow),
        pytest.param("duo", 10_000, marks=pytest.mark.slow),
        pytest.param("keycloak", 10_000, marks=pytest.mark.slow),
    ],
)
async def test_ten_thousand_events_are_read_to_their_bound_and_it_ends(
    provider: str, read: int
) -> None:
    async with planted(provider) as plant:
        give_events(plant, 10_100)

        events = await plant.connector.timeline(plant.user)
        seen = await plant.connector.since(datetime.now(UTC) - timedelta(hours=9), limit=5)

        assert len({event.at for event in events}) >= read
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert seen == [plant.user]


# -- a reset that breaks off -----------------------------------------------------------------------

BROKEN = [
    pytest.param(
        provider, count, at,
        marks=[] if count < 300 or provider == "keycloak" else pytest.mark.slow,
    )
    for provider in PLANTS
    for count, at in ((1, 0), (3, 0), (3, 1), (3, 2), (300, 3))
]  # fmt: skip


@pytest.mark.parametrize(("provider", "count", "at"), BROKEN)
async def test_a_reset_that_is_cut_says_what_is_gone_and_left_and_goes_on(
    provider: str, count: int, at: int
) -> None:
    async with planted(provider) as plant:
        names = give_factors(plant, count + 1)[:count]
        user = await plant.person()
        wanted = user.live_factors[:count]
        plant.server.strike(Fault.CUT, f"{names[at]}")
        with pytest.raises(BrokeOff) as caught:
            await plant.connector.reset(user, wanted, NOW)
        left = {factor.id for factor in (await plant.person()).factors}

        await plant.connector.reset(user, wanted, NOW)

        check_sentence(str(caught.value), plant.who, plant.secret)
        assert left == {*names[at:], f"F{count:03}"}
        gone, still = _lists(caught.value.whole)
        assert (gone, still) == (names[:at], names[at:])
        assert [f.id for f in (await plant.person()).factors] == [f"F{count:03}"]
        sent = [
            line.split()[1].rpartition("/")[2] for line in plant.server.asked if "DELETE" in line
        ]
        assert sent == [*names[: at + 1], *names]
        if count <= 3:
            assert _lists(str(caught.value)) == (gone, still)
        else:
            assert "Gone: " in str(caught.value)
            assert f"Left: {count - at}, " in str(caught.value)


def _lists(says: str) -> tuple[list[str], list[str]]:
    """Give the ids that a sentence says are gone, and those that it says are left."""
    found = [re.search(rf"{word}: (.*?)\. ", says) for word in ("Gone", "Left")]
    gone, left = ([] if one is None else re.findall(r"F\d{3}", one[1]) for one in found)
    return gone, left


@pytest.mark.parametrize("provider", PLANTS)
async def test_a_reset_whose_answer_and_look_are_lost_says_that_nobody_knows(provider: str) -> None:
    async with planted(provider) as plant:
        give_factors(plant, 4)
        user = await plant.person()
        second = 2 if provider == "keycloak" else 1  # it looks before it begins
        lost, gone = CUTS["cut before the answer"], CUTS["cut before it is taken"]
        plant.line.mark(Strike(lost, second, second), Strike(gone, second + 1, EVER))

        with pytest.raises(BrokeOff) as caught:
            await plant.connector.reset(user, user.live_factors[:3], NOW)

        said = str(caught.value)
        check_sentence(said, plant.who, plant.secret)
        assert re.search(r"Gone: [^.]*F000\. Not known: [^.]*F001\. Left: [^.]*F002\.", said)


@pytest.mark.parametrize("provider", PLANTS)
async def test_a_removal_whose_answer_alone_was_lost_is_looked_at_and_goes_on(
    provider: str,
) -> None:
    async with planted(provider) as plant:
        give_factors(plant, 4)
        user = await plant.person()
        plant.server.strike(Fault.CUT_AFTER, "F001")

        await plant.connector.reset(user, user.live_factors[:3], NOW)

        assert [factor.id for factor in (await plant.person()).factors] == ["F003"]
        sent = [line for line in plant.server.asked if line.startswith("DELETE")]
        assert len(sent) == 3
