"""Documents of a long file: read from their places, and the same as where it is read whole."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.domain.errors import BadFile
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.domain.users import Account, User
from helpdesk.stores.atomic import AtomicStorage
from helpdesk.stores.form import written
from helpdesk.stores.journal import FROM
from helpdesk.stores.shelf import Handle, Places, Shelf, laid_out
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock

USERS = 480
"""Enough for a file that is long."""

LONG = FROM


def read(path: Path) -> dict[str, dict[str, object]]:
    """All of a file, by way of the places of its documents."""
    handle = Handle(path)
    found = laid_out(handle)
    assert found is not None
    return {table: dict(Shelf(table, handle, places).items()) for table, places in found.items()}


def test_what_is_read_from_its_place_is_what_stands_in_the_file(made: Path) -> None:
    assert read(made) == json.loads(made.read_text("utf-8"))


@pytest.mark.parametrize(
    ("table", "kind"),
    [("users", User), ("accounts", Account), ("tickets", Ticket), ("loops", LoopReport)],
)
def test_values_are_moved_into_the_present_as_their_documents_are(
    made: Path, clock: Clock, table: str, kind: type[User]
) -> None:
    file = TinyFile(made, clock)

    values = [*file.values(table, kind)]

    assert values == [file.decoded(table, key, row, kind) for key, row in file.rows(table)]
    assert len(values) > 10


def test_a_change_is_seen_and_the_rest_is_as_it_was(long_file: Path, clock: Clock) -> None:
    ours, theirs = TinyFile(long_file, clock), TinyFile(long_file, clock)
    before = dict(theirs.rows("users"))

    for name in ("Ada", "Ida"):  # the first change writes the file whole, the next one does not
        with ours.transaction():
            ours.put("users", 7, before[7] | {"name": name})
            ours.put("users", 9_999, before[7] | {"id": "u9999"})
    after = dict(theirs.rows("users"))

    assert after == before | {
        7: before[7] | {"name": "Ida"},
        9_999: before[7] | {"id": "u9999"},
    }
    assert [*after] == [*before, 9_999]
    assert dict(TinyFile(long_file, clock).rows("users")) == after
    assert theirs.row("users", 7) == after[7]
    assert theirs.row("users", 10_000) is None


def test_a_file_that_is_written_whole_holds_every_document_as_it_was(
    long_file: Path, clock: Clock
) -> None:
    before = json.loads(long_file.read_text("utf-8"))
    file = TinyFile(long_file, clock)
    for number in (1, 2):
        with file.transaction():
            file.put("log", number, {"by": str(number)})

    AtomicStorage(str(long_file)).settle()

    after = json.loads(long_file.read_text("utf-8"))
    assert after.pop("log") == {"1": {"by": "1"}, "2": {"by": "2"}}
    assert [after.pop("meta"), before.pop("meta"), before.pop("log")]
    assert after == before
    assert read(long_file)["users"] == after["users"]


def test_where_documents_lie_is_known_of_a_file_before_it_is_written(long_file: Path) -> None:
    handle = Handle(long_file)
    laid = laid_out(handle)
    assert laid is not None
    before = dict(Shelf("users", handle, laid["users"]).items())
    last = len(before)
    put = {str(key): {"id": f"ö{key}"} for key in (last + 1, 1, 7, 8, last)}
    tables = {table: Shelf(table, handle, places) for table, places in laid.items()}
    changed = tables | {"users": tables["users"] | put, "none": tables["users"], "log": {}}
    places: dict[str, Places] = {}

    long_file.write_bytes(b"".join(written(changed, {"log": "{}"}, places)))

    told, read_anew = laid_out(Handle(long_file)), read(long_file)
    assert told == {table: Places(*map(array, "qQQ", each)) for table, each in places.items()}
    assert read_anew["users"] == before | put
    assert [*read_anew["users"]] == [*before, str(last + 1)]
    assert read_anew["none"] == before


def test_a_file_cut_short_while_it_is_open_is_not_written_as_it_was(long_file: Path) -> None:
    handle = Handle(long_file)
    laid = laid_out(handle)
    assert laid is not None
    os.truncate(long_file, long_file.stat().st_size // 2)

    with pytest.raises(OSError, match="cut short"):
        [*written({table: Shelf(table, handle, one) for table, one in laid.items()}, {}, {})]


def test_who_reads_a_file_goes_on_reading_it_while_another_takes_its_name(
    long_file: Path, clock: Clock
) -> None:
    file = TinyFile(long_file, clock)
    rows = file.rows("timelines")
    first = next(rows)

    with TinyFile(long_file, clock).transaction():
        pass
    found = [first, *rows]

    assert len(found) == USERS


@pytest.mark.parametrize(
    "otherwise",
    [
        lambda text: json.dumps(json.loads(text)),
        lambda text: json.dumps(json.loads(text), indent=1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace('\n"2": {', '\n"1": {', 1),
        lambda text: text.replace('\n"2": {', '\n"02": {', 1),
        lambda text: text.replace('\n"2": {', '\n"2":  {', 1),
        lambda text: text.replace('\n"2": {"id"', '\n"2": ["id"', 1),
        lambda text: text.replace("},\n", "}\n", 3),
        lambda text: text.replace("}\n}", "},\n}", 1),
        lambda text: text[:-3],
        lambda text: text + "\n",
        lambda text: text + text,
    ],
)
def test_a_file_that_stands_otherwise_has_no_places(
    made: Path, tmp_path: Path, otherwise: Callable[[str], str]
) -> None:
    path = tmp_path / "other.json"
    path.write_text(otherwise(made.read_text("utf-8")), "utf-8")

    assert laid_out(Handle(path)) is None


def test_half_a_character_in_a_long_file_is_named_when_it_is_opened(
    long_file: Path, clock: Clock
) -> None:
    data = long_file.read_bytes()
    at = data.index(b'"timelines"')
    at = data.index(b'"kind":"p', at) + 8
    long_file.write_bytes(data[:at] + b"\xff" + data[at + 1 :])

    with pytest.raises(BadFile, match="is damaged or cut short"):
        TinyFile(long_file, clock).row("users", 1)


def test_a_document_that_is_damaged_after_the_file_was_opened_is_named(made: Path) -> None:
    handle = Handle(made)
    places = (laid_out(handle) or {})["users"]
    cut = places._replace(ends=[end - 1 for end in places.ends])

    with pytest.raises(BadFile, match="is damaged") as caught:
        Shelf("users", handle, cut)["7"]

    assert caught.value.place == "users.7"


def test_a_file_is_let_go_of_when_nobody_reads_it_any_more(made: Path) -> None:
    handle = Handle(made)
    number = handle.number

    del handle

    with pytest.raises(OSError, match="Bad file"):
        os.fstat(number)
