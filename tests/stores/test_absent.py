"""A keyed write that was not there a moment ago is not looked for again, unless it may be there."""

from __future__ import annotations

from helpdesk.stores.sql.absent import Absent


def test_what_was_not_there_is_not_there_while_nobody_else_wrote() -> None:
    known = Absent()

    known.looked("a", 5)

    assert known.is_known("a", 5)


def test_it_is_known_once_only() -> None:
    known = Absent()
    known.looked("a", 5)

    known.is_known("a", 5)

    assert not known.is_known("a", 5)


def test_it_is_not_known_where_others_wrote_since() -> None:
    known = Absent()

    known.looked("a", 5)

    assert not known.is_known("a", 6)


def test_what_was_kept_here_before_or_after_it_was_looked_for_may_be_there() -> None:
    known = Absent()

    known.kept("a", 6)  # not durable yet
    known.looked("a", 5)
    known.looked("b", 5)
    known.kept("b", 6)

    assert not known.is_known("a", 0)
    assert not known.is_known("b", 0)


def test_nothing_is_known_of_the_time_before_what_was_forgotten() -> None:
    known = Absent(most=1)
    known.looked("a", 5)

    known.kept("a", 6)
    known.kept("b", 7)

    assert not known.is_known("a", 0)
