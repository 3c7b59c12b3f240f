"""Planted secrets are found however they are spelled, and in no flow where they must not be."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.reliability.canaries import Canaries
from tests.reliability.planted import QUICK, run

SECRET = "7KQ2-MXHJ-PW4R-9TYB"
SPELLINGS = {
    "plain": SECRET,
    "small": SECRET.lower(),
    "without dashes": SECRET.replace("-", ""),
    "with spaces": " ".join(SECRET),
    "over two lines of a frame": f"{SECRET[:9]} │\n│ {SECRET[9:]}",
    "backwards": SECRET[::-1],
    "hex": SECRET.encode().hex(":"),
    "in an address": f"/a?b={quote(SECRET)}&c",
    "percent": "".join(f"%{ord(each):02X}" for each in SECRET),
    "escaped": "".join(f"\\u{ord(each):04x}" for each in SECRET),
    **{
        f"base64 behind {n}": base64.b64encode(b"x" * n + SECRET.encode() + b"yz").decode()
        for n in range(4)
    },
    **{
        f"base32 behind {n}": base64.b32encode(b"x" * n + SECRET.encode() + b"yz").decode()
        for n in range(6)
    },
}


@pytest.mark.parametrize("told", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_found_however_it_is_spelled(told: str) -> None:
    seen = Canaries()
    seen.keep("a frame", f"before {told} after", "nothing")

    seen.plant("pass", SECRET)
    seen.search()

    assert seen.failures
    assert all(one.startswith("pass (") and one.endswith("in a frame") for one in seen.failures)


@pytest.mark.parametrize("told", ["code 482913.", "482 913", "4 8 2 9 1 3", "482-913", '"482913"'])
def test_a_code_is_found_among_other_words(told: str) -> None:
    seen = Canaries()
    seen.plant("code", "482913")

    found = list(seen.found(told.encode()))

    assert found == [("482913", "plain")]


@pytest.mark.parametrize("told", ["a482913f", "1482913", "at 09:00:00.482913Z", "482914"])
def test_digits_of_something_else_are_no_code(told: str) -> None:
    seen = Canaries()
    seen.plant("code", "482913")

    found = list(seen.found(told.encode()))

    assert found == []


def test_where_a_secret_is_kept_it_may_stand_and_no_other() -> None:
    seen = Canaries()
    seen.own("the provider", ["key"])
    seen.plant("key", "A" * 20)
    seen.plant("pass", SECRET)

    seen.keep("the provider", "A" * 20, SECRET)
    seen.search()

    assert seen.failures == ["pass (plain) in the provider"]


def test_no_secret_of_any_flow_stands_anywhere_but_where_it_is_handed_over() -> None:
    seen = run(1, is_quick=True)

    assert seen.failures == []
    assert len(seen) >= 200
    handed = [count for kind, count in seen.kinds.items() if kind.startswith("handed over")]
    assert sum(handed) >= 4 * QUICK
    assert seen.tried["raw replies of a gateway"] > 100 * QUICK
