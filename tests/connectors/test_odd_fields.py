"""Any JSON value in place of any field of every answer: a sentence or a sound reading, no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec
import pytest

from helpdesk.domain.users import User
from tests.connectors.plants import ACTS, PLANTS, QUESTIONS, Ask, Plant, planted
from tests.connectors.test_faults import Cell, check_sentence, judge
from tests.labs.faulty import HEAD_END, Break, Strike

DEEP: Any = None
for _ in range(60):
    DEEP = {"a": [DEEP]}

VALUES: tuple[Any, ...] = (
    None, True, False, -1, 2**53 + 1, 10**30, 1.5e300, "", "null", "x" * 5_000, "9" * 30,
    "\u202e\x1b[31mx", "\ud800", "²", [], {}, [None], {"a": None}, DEEP, [[["a"]]],
    "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00",
    "Sat, 21 Nov 2026 99999999999999999999:56:48 GMT",
)  # fmt: skip
"""What may stand in the place of anything."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Spot:
    """A field of an answer: the question or act that it answers, and the how-manieth it is."""

    name: str
    at: int
    path: Path


def _fields(body: Any, path: Path = ()) -> Iterator[Path]:
    """Give where each value of an answer lies; of a list its first."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(body, dict):
        items = [*body.items()]
    elif isinstance(body, list):
        items = [*enumerate(body[:1])]
    for key, value in items:
        yield (*path, key)
        yield from _fields(value, (*path, key))


def _with(body: Any, path: Path, value: Any) -> Any:
    """Give an answer with another value at a place."""
    if not path:
        return value
    key, *rest = path
    found: Any = dict(body) if isinstance(body, dict) else list(body)
    found[key] = _with(found[key], tuple(rest), value)
    return found


def _strike(spot: Spot, value: Any) -> Strike:
    def sends(whole: bytes) -> bytes:
        head, _, body = whole.partition(HEAD_END)
        raw = json.dumps(_with(json.loads(body), spot.path, value)).encode()
        lines = [one for one in head.split(b"\r\n") if not one.startswith(b"content-length")]
        return b"\r\n".join([*lines, b"content-length: %d" % len(raw)]) + HEAD_END + raw

    return Strike(Break(str(spot), True, sends), spot.at, spot.at)


async def _spots(provider: str, name: str, ask: Ask, seen: set[tuple[str, Path]]) -> list[Spot]:
    """Give the fields of the answers to a question or act that no other showed before."""
    async with planted(provider) as plant:
        user = await plant.person()
        plant.line.mark()
        await ask(plant.connector, user)
        found = []
        for at, (line, body) in enumerate(plant.line.answers):
            where = line.replace(user.id.partition(":")[2], "*")
            for path in _fields(json.loads(body)) if body else ():
                if (where, path) not in seen:
                    seen.add((where, path))
                    found.append(Spot(name, at, path))
        return found


async def _asked(plant: Plant, user: User, ask: Ask, spot: Spot, value: Any) -> None:
    """Ask; what is true at the provider's is not looked at: an odd value may say anything."""
    plant.line.mark(_strike(spot, value))
    error: Exception | None = None
    try:
        msgspec.json.encode(await ask(plant.connector, user))
    except Exception as caught:  # noqa: BLE001  (whatever it is: the spot is judged by it)
        error = caught
    plant.line.mark()
    name = f"{spot} {value!r:.60}"
    judge(plant, Cell(name, error, "", "", 1), is_act=False)


async def _tried(provider: str, *, is_whole: bool) -> int:
    """Put values into fields, all of them or a part; count them."""
    count, seen = 0, set[tuple[str, Path]]()
    async with planted(provider) as plant:
        user = await plant.person()
        for name, ask in QUESTIONS.items():
            for spot in await _spots(provider, name, ask, seen):
                for value in _chosen(spot, is_whole=is_whole):
                    await _asked(plant, user, ask, spot, value)
                    count += 1
    for name, ask in ACTS[provider].items():
        for spot in await _spots(provider, name, ask, seen):
            for value in _chosen(spot, is_whole=is_whole):
                async with planted(provider) as plant:
                    await _asked(plant, await plant.person(), ask, spot, value)
                count += 1
    return count


def _chosen(spot: Spot, *, is_whole: bool) -> tuple[Any, ...]:
    """All values; or, of one field in five, the one that its name chooses."""
    number = crc32(str(spot).encode())
    return VALUES if is_whole else (VALUES[number % len(VALUES)],) if number % 5 == 0 else ()


@pytest.mark.parametrize(
    ("provider", "is_whole"),
    [
        pytest.param(provider, is_whole, marks=pytest.mark.slow if is_whole else [])
        for provider in PLANTS
        for is_whole in (False, True)
    ],
)
async def test_any_value_in_any_field_is_a_sentence_or_a_reading(
    provider: str, is_whole: bool
) -> None:
    count = await _tried(provider, is_whole=is_whole)

    assert count > 5


@pytest.mark.parametrize("provider", ["privacyidea", "keycloak"])
@pytest.mark.parametrize(
    "value",
    [pytest.param(value, marks=[] if at % 8 == 0 else pytest.mark.slow)
     for at, value in enumerate(VALUES)],
    ids=range(len(VALUES)),
)  # fmt: skip
async def test_any_value_in_a_sign_in_is_a_sentence_or_a_sign_in(provider: str, value: Any) -> None:
    async with planted(provider) as plant:
        await plant.person()
        (_, body), *_ = plant.line.answers
    for path in _fields(json.loads(body)):
        async with planted(provider) as plant:
            plant.line.mark(_strike(Spot("sign-in", 0, path), value))
            try:
                await plant.person()
            except KeyError:
                continue  # it signed in, and found nobody
            except Exception as error:  # noqa: BLE001  (as above)
                judge(plant, Cell(f"{path} {value!r:.60}", error, "", "", 1), is_act=False)


def test_a_sentence_with_a_page_in_it_is_found() -> None:
    with pytest.raises(AssertionError):
        check_sentence("Okta said <b>no</b>.", "Okta", "secret")
