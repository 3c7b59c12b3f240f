"""What a console saw of a log is what it kept last, whatever was cut short."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from helpdesk.stores.seen import MOST, Seen

BODY = "helpdesk/log/1\n{}\nqqqq\n"


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """Of a desk that nobody saw yet."""
    return Seen(tmp_path / "data", tmp_path / "desk.json")


def test_the_rows_that_were_kept_last_are_given(seen: Seen) -> None:
    assert not seen.rows()

    for number in range(MOST // 20):
        seen.keep_rows(BODY.format(number))

        assert seen.rows() == BODY.format(number)
    kept = seen.path.with_suffix(".rows")
    assert kept.stat().st_size < MOST + len(BODY) * 2
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_where_the_last_was_cut_short_the_one_before_counts(seen: Seen, cut: int) -> None:
    for number in (1, 2):
        seen.keep_rows(BODY.format(number))
    kept = seen.path.with_suffix(".rows")

    kept.write_bytes(kept.read_bytes()[:-cut])

    assert seen.rows() == BODY.format(1)
    for number in (3, 4):
        seen.keep_rows(BODY.format(number))
        assert seen.rows() == BODY.format(number)


def test_what_an_older_version_kept_is_given_as_it_is(seen: Seen) -> None:
    seen.path.parent.mkdir(parents=True)

    seen.path.with_suffix(".rows").write_text(BODY.format(7), "utf-8")

    assert seen.rows() == BODY.format(7)


def test_that_a_log_is_begun_anew_is_kept(seen: Seen) -> None:
    seen.keep_rows(BODY.format(1))

    seen.keep_rows("")

    assert not seen.rows()
