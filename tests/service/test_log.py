"""Nobody changes the log quietly: each attack is seen, or the tool says that it would not be."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpdesk.domain.actions import Note, ResetAll, Reveal, Unlock
from helpdesk.domain.audit import ERASED
from helpdesk.domain.chain import Entry, canonical, chained, link, log_of, opened, root, sealed
from helpdesk.domain.checkpoints import checkpoint_body, read_checkpoint
from helpdesk.domain.errors import BadFile, BadInput, NeedsMore, Refused, Tampered, Unreachable
from helpdesk.domain.exports import as_csv, as_jsonl
from helpdesk.domain.inspection import Inspection
from helpdesk.domain.search import Query, parse
from helpdesk.service.inspecting import inspected
from helpdesk.service.local import LocalDesk
from helpdesk.stores.keys import Keys
from tests.conftest import Clock
from tests.factories import everything

Open = Callable[..., LocalDesk]
Tables = dict[str, dict[str, Any]]
RESET = ResetAll(user="u2", reason="lost her phone", ticket="4822")


@pytest.fixture
async def busy(desk_as: Open, clock: Clock) -> LocalDesk:
    """A desk that did a few things: ten rows, a dangerous act at the seventh."""
    desk = desk_as("dana", is_gated=False)
    for number in range(6):
        await desk.perform(Note(user="u1", text=f"call {number}"))
    await desk.perform(RESET)
    for number in range(3):
        clock.go_on(seconds=5)
        await desk.perform(Note(user="u1", text=f"after {number}"))
    return desk


def tables_of(file: Path) -> Tables:
    tables: Tables = json.loads(file.read_text("utf-8"))
    return tables


def put(file: Path, tables: Tables) -> None:
    file.write_text(json.dumps(tables, ensure_ascii=False), "utf-8")


# The attacks. Each changes the tables of the file as somebody could who can write it.


def edit(tables: Tables, keys: Keys) -> None:
    """Another agent did it."""
    it = tables["log"]["3"]
    it["row"] = it["row"].replace('"dana"', '"lee"')


def edit_beside(tables: Tables, keys: Keys) -> None:
    """It was about another user; only the clear value is changed."""
    tables["log"]["3"]["clear"]["user"] = "u9"


def delete(tables: Tables, keys: Keys) -> None:
    """It never happened."""
    del tables["log"]["7"]


def insert(tables: Tables, keys: Keys) -> None:
    """Something happened that did not."""
    rows = list(tables["log"].values())
    rows.insert(4, dict(rows[3]))
    tables["log"] = {str(n): each for n, each in enumerate(rows, 1)}


def insert_of_old(tables: Tables, keys: Keys) -> None:
    """A row as those before the chain were, put among the others."""
    old = {"seq": 11, "at": "2026-05-04T14:05:00Z", "agent": "lee", "role": "lead", "act": "note",
           "user": "u1", "result": "done"}  # fmt: skip
    tables["log"]["11"] = old


def swap(tables: Tables, keys: Keys) -> None:
    """Two things happened the other way round."""
    log = tables["log"]
    log["3"], log["4"] = log["4"], log["3"]


def cut(tables: Tables, keys: Keys) -> None:
    """Nothing happened after the fifth row."""
    tables["log"] = {k: v for k, v in tables["log"].items() if int(k) <= 5}
    tables["checkpoints"] = {
        k: v for k, v in tables["checkpoints"].items() if read_checkpoint(v["note"]).size <= 5
    }


def cut_the_rows_only(tables: Tables, keys: Keys) -> None:
    """The same, and the checkpoints are forgotten."""
    tables["log"] = {k: v for k, v in tables["log"].items() if int(k) <= 5}


def made_anew(tables: Tables, key: Any) -> list[Entry]:
    """Return the entries as they are once row 3 is another agent's and all after it fits again."""
    entries = [msgspec.convert(each, Entry) for each in tables["log"].values()]
    forged: list[Entry] = []
    for number, each in enumerate(entries, 1):
        row = chained(each.row)
        if number == 3:
            row = msgspec.structs.replace(row, agent="lee")
        text = canonical(row)
        before = forged[-1].hash if forged else bytes(32).hex()
        forged.append(Entry(row=text, hash=link(before, text), clear=each.clear))
    tables["log"] = {str(n): msgspec.to_builtins(each) for n, each in enumerate(forged, 1)}
    return forged


def recompute(tables: Tables, keys: Keys) -> None:
    """Change a row and make the chain after it anew."""
    made_anew(tables, keys)


def recompute_and_drop(tables: Tables, keys: Keys) -> None:
    """The same, without the checkpoints that tell."""
    made_anew(tables, keys)
    tables["checkpoints"] = {}


def recompute_with_the_key(tables: Tables, keys: Keys) -> None:
    """The same, with checkpoints signed by the stolen key."""
    forged = made_anew(tables, keys)
    origin = log_of(forged[0].row)
    for each in tables["checkpoints"].values():
        size = read_checkpoint(each["note"]).size
        body = checkpoint_body(origin, size, root(entry.row for entry in forged[:size]))
        each["note"] = keys.signed(origin, body)


def change_after_the_last_checkpoint(tables: Tables, keys: Keys) -> None:
    """Change the newest row, which no checkpoint covers yet, and its hash with it."""
    log = tables["log"]
    last, before = log["10"], log["9"]
    last["row"] = last["row"].replace('"dana"', '"lee"')
    last["hash"] = link(before["hash"], last["row"])


def other_log(tables: Tables, keys: Keys) -> None:
    """A log of its own in the place of this one, as long and with the key's signature."""
    before, entries = None, []
    for each in tables["log"].values():
        row = opened(msgspec.convert(each, Entry))
        before = sealed(row, before, keys, salt="00", log="helpdesk/log/other")
        entries.append(before)
    tables["log"] = {str(n): msgspec.to_builtins(each) for n, each in enumerate(entries, 1)}
    size = len(entries)
    note = keys.signed(
        "helpdesk/log/other",
        checkpoint_body("helpdesk/log/other", size, root(entry.row for entry in entries)),
    )
    tables["checkpoints"] = {"1": {"note": note, "made": "2026-11-21T09:00:00Z"}}


def delete_the_first(tables: Tables, keys: Keys) -> None:
    """The log began later."""
    del tables["log"]["1"]


def cut_what_no_checkpoint_covers(tables: Tables, keys: Keys) -> None:
    """Nothing happened after the newest checkpoint."""
    tables["log"] = {k: v for k, v in tables["log"].items() if int(k) <= 7}


def drop_the_checkpoints(tables: Tables, keys: Keys) -> None:
    """Nobody ever signed for any row."""
    tables["checkpoints"] = {}


def forge_a_checkpoint(tables: Tables, keys: Keys) -> None:
    """Say with a signature of one's own what the log was, under the name of the desk's key."""
    newest = list(tables["checkpoints"].values())[-1]
    body, _, line = newest["note"].partition("\n\n")
    mark = line.rstrip()[-12:-8]
    newest["note"] = f"{body}\n\n{line.replace(mark, mark[::-1].swapcase())}"


def write_otherwise(tables: Tables, keys: Keys) -> None:
    """Say the same in other bytes, and make the chain after it anew."""
    entries = list(tables["log"].values())
    before = bytes(32).hex()
    for number, each in enumerate(entries, 1):
        if number == 3:
            each["row"] = each["row"].replace(",", ", ", 1)
        before = each["hash"] = link(before, each["row"])


ATTACKS = [
    # what somebody does               by the file alone             with what this console holds
    # seen: the words it breaks with; not seen: after "?" the words that say so
    (edit,                             "row 3: it was changed",      "row 3: it was changed"),
    (edit_beside,                      "row 3: the user beside",     "row 3: the user beside"),
    (delete,                           "row 8 stands",               "row 8 stands"),
    (delete_the_first,                 "row 2: it was changed",      "row 2: it was changed"),
    (insert,                           "row 4 stands",               "row 4 stands"),
    (insert_of_old,                    "? nothing is proven of",     "? nothing is proven of"),
    (swap,                             "row 4 stands",               "row 4 stands"),
    (cut_the_rows_only,                "rows were cut off",          "rows were cut off"),
    (cut,                              "? a tail cut off together",  "console holds is of 7 rows"),
    (cut_what_no_checkpoint_covers,    "? would not be missed",      "saw last is of 10 rows"),
    (drop_the_checkpoints,             "row 7 (reset-all) has no",   "? came after the newest"),
    (forge_a_checkpoint,               "its signature is not that",  "its signature is not that"),
    (recompute,                        "file (7 rows) is of other",  "console holds is of other"),
    (recompute_and_drop,               "row 7 (reset-all) has no",   "console holds is of other"),
    (write_otherwise,                  "at place 3 is not a row",    "at place 3 is not a row"),
    (recompute_with_the_key,           "? signing key could write",  "console holds is of other"),
    (other_log,                        "? signing key could write",  "another log was put"),
    (change_after_the_last_checkpoint, "? could still change",  "saw last is of other rows"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attack", "alone", "held"), ATTACKS, ids=lambda it: getattr(it, "__name__", None)
)
async def test_each_attack_is_seen_or_named(
    busy: LocalDesk, desk_as: Open, sample_file: Path, places: Path,
    attack: Callable[[Tables, Keys], None], alone: str, held: str,
) -> None:  # fmt: skip
    tables, keys = tables_of(sample_file), Keys(places / "keys")
    attack(tables, keys)
    put(sample_file, tables)

    seen = await inspected(desk_as("ari"))
    for note in (places / "keys" / "seen").iterdir():
        note.unlink()
    seen_alone = await inspected(desk_as("ari"))

    assert told(seen, held)
    assert told(seen_alone, alone)


def told(found: Inspection, words: str) -> bool:
    """Whether an inspection breaks with these words; after `?`, is sound and names its limit so."""
    if words.startswith("? "):
        return found.is_sound and words[2:] in " ".join(found.unproven).lower()
    return not found.is_sound and words in " ".join(found.broken).lower()


async def test_an_older_copy_put_back_is_seen_by_the_console_that_saw_more(
    busy: LocalDesk, desk_as: Open, sample_file: Path
) -> None:
    older = sample_file.read_bytes()
    await busy.perform(Note(user="u1", text="one more"))
    await busy.checkpoint()
    sample_file.write_bytes(older)

    found = await inspected(desk_as("ari"))

    assert "The checkpoint this console holds is of 11 rows, and the log has 10" in found.broken[0]


async def test_an_older_copy_is_seen_with_a_checkpoint_kept_elsewhere_and_else_named(
    busy: LocalDesk, desk_as: Open, sample_file: Path, places: Path
) -> None:
    older = sample_file.read_bytes()
    await busy.perform(Note(user="u1", text="one more"))
    elsewhere = await busy.checkpoint()
    sample_file.write_bytes(older)
    for kept in (places / "keys" / "seen").iterdir():
        kept.unlink()

    alone = await inspected(desk_as("ari"))
    given = await inspected(desk_as("ari"), elsewhere)

    assert told(alone, "? an older copy put back, would not be seen")
    assert told(given, "the checkpoint given is of 11 rows, and the log has 10")


async def test_a_whole_minute_of_rows_without_checkpoints_is_seen(
    desk_as: Open, sample_file: Path, places: Path
) -> None:
    desk = desk_as("dana")
    for number in range(70):
        await desk.perform(Note(user="u1", text=str(number)))
    tables = tables_of(sample_file)
    drop_the_checkpoints(tables, Keys(places / "keys"))
    put(sample_file, tables)

    for kept in (places / "keys" / "seen").iterdir():
        kept.unlink()

    found = await inspected(desk_as("ari"))

    assert told(found, "70 rows have no checkpoint after them")


async def test_a_sound_log_is_told_so_with_its_limits(busy: LocalDesk) -> None:
    found = await inspected(busy)

    assert found.is_sound
    assert found.rows == 10
    assert any("10 rows are bound" in one for one in found.proven)
    assert any("The last 3 rows came after" in one for one in found.unproven)
    assert any("every act was recorded" in one for one in found.unproven)


async def test_a_checkpoint_given_away_shows_what_the_stolen_key_hides(
    busy: LocalDesk, desk_as: Open, sample_file: Path, places: Path
) -> None:
    note = await busy.checkpoint()
    tables = tables_of(sample_file)
    recompute_with_the_key(tables, Keys(places / "keys"))
    put(sample_file, tables)
    for kept in (places / "keys" / "seen").iterdir():
        kept.unlink()

    without = await inspected(desk_as("ari"))
    with_it = await inspected(desk_as("ari"), note)

    assert without.is_sound
    assert not with_it.is_sound


async def test_another_consoles_checkpoint_is_checked_by_its_public_key(
    busy: LocalDesk, places: Path
) -> None:
    note = await busy.checkpoint()
    other = Keys(places / "other")
    theirs = other.signed(read_checkpoint(note).origin, read_checkpoint(note).body)
    key = other.verifier(read_checkpoint(note).origin)

    unknown = await inspected(busy, theirs)
    known = await inspected(busy, theirs, key)
    forged = await inspected(busy, theirs.replace("— helpdesk", "— elpdesk"), key)

    assert any("this console does not know" in one for one in unknown.unproven)
    assert not any("this console does not know" in one for one in known.unproven)
    assert any("this console does not know" in one for one in forged.unproven)
    with pytest.raises(BadInput, match="not a key"):
        await inspected(busy, theirs, "nonsense")


async def test_a_forged_signature_is_broken(busy: LocalDesk) -> None:
    note = await busy.checkpoint()
    body, _, line = note.partition("\n\n")
    mark = line.rstrip()[-12:-8]

    found = await inspected(busy, f"{body}\n\n{line.replace(mark, mark[::-1].swapcase())}")

    assert not found.is_sound


async def test_a_console_says_at_once_that_the_log_is_another(
    busy: LocalDesk, desk_as: Open, sample_file: Path
) -> None:
    tables = tables_of(sample_file)
    cut(tables, Keys(sample_file.parent))
    put(sample_file, tables)

    desk = desk_as("lee")
    await desk.perform(Unlock(user="u4"))

    assert "rows were cut off" in desk.alarm
    with pytest.raises(Tampered, match="rows were cut off"):
        await desk.checkpoint()
    with pytest.raises(Tampered, match="rows were cut off"):
        await desk._recorder.checkpoint()


async def test_a_console_names_file_and_way_back_where_rows_it_saw_are_gone(
    busy: LocalDesk, desk_as: Open, sample_file: Path
) -> None:
    tables = tables_of(sample_file)
    cut_what_no_checkpoint_covers(tables, Keys(sample_file.parent))
    put(sample_file, tables)

    desk = desk_as("lee")
    await desk.watch()

    assert desk.alarm.startswith("What this console saw last is of 10 rows, and the log has ")
    assert f"Put the newest copy of {sample_file} back, or let a lead" in desk.alarm
    assert desk.alarm.endswith("helpdesk log accept.")


async def test_what_was_written_is_done_though_the_console_cannot_keep_what_it_saw(
    busy: LocalDesk, places: Path
) -> None:
    seen = places / "keys" / "seen"
    for kept in seen.iterdir():
        kept.unlink()
    seen.rmdir()
    seen.write_text("no directory", "utf-8")

    await busy.perform(Note(user="u1", text="one more"), key="a-key-of-one-more")
    said = busy.alarm
    seen.unlink()
    await busy.perform(Note(user="u1", text="and one"), key="a-key-of-and-one")

    assert said.startswith("What this console saw of the log could not be kept: ")
    assert busy.alarm == ""


@pytest.mark.parametrize("attack", [recompute_with_the_key, cut, other_log])
async def test_a_console_that_is_open_sees_what_is_changed_under_it(
    busy: LocalDesk, sample_file: Path, places: Path, attack: Callable[[Tables, Keys], None]
) -> None:
    before = busy.alarm
    tables = tables_of(sample_file)
    attack(tables, Keys(places / "keys"))
    put(sample_file, tables)

    await busy.perform(Unlock(user="u4"))

    assert before == ""
    assert "The checkpoint this console holds is of" in busy.alarm


@pytest.mark.parametrize("attack", [recompute_with_the_key, cut_what_no_checkpoint_covers])
async def test_a_console_that_is_open_sees_that_the_right_log_was_put_back(
    busy: LocalDesk, sample_file: Path, places: Path, attack: Callable[[Tables, Keys], None]
) -> None:
    right, tables = tables_of(sample_file), tables_of(sample_file)
    attack(tables, Keys(places / "keys"))
    put(sample_file, tables)
    await busy.case("u4")
    await busy.watch()
    before = busy.alarm
    put(sample_file, right)

    await busy.perform(Unlock(user="u4"))

    assert before
    assert busy.alarm == ""


async def test_a_console_that_saw_nothing_yet_does_not_take_in_what_does_not_fit_itself(
    busy: LocalDesk, desk_as: Open, sample_file: Path, places: Path
) -> None:
    tables = tables_of(sample_file)
    recompute(tables, Keys(places / "keys"))
    put(sample_file, tables)
    for kept in (places / "keys" / "seen").iterdir():
        kept.unlink()

    desk = desk_as("lee")
    await desk.perform(Unlock(user="u4"))

    assert desk.alarm == "A checkpoint in the file does not fit the log: helpdesk log verify."
    assert list((places / "keys" / "seen").iterdir()) == []


async def test_a_dangerous_act_is_covered_at_once_and_the_rest_soon(
    desk_as: Open, clock: Clock
) -> None:
    desk = desk_as("dana", is_gated=False)
    sizes = []

    for act in (Note(user="u1", text="a"), Note(user="u1", text="b"), RESET):
        await desk.perform(act)
        sizes.append(read_checkpoint(await desk._recorder.newest()).size)
    await desk.perform(Note(user="u1", text="c"))
    clock.go_on(seconds=61)
    await desk.perform(Note(user="u1", text="d"))

    assert sizes == [1, 1, 3]
    assert read_checkpoint(await desk._recorder.newest()).size == 5


async def test_every_sixty_fourth_row_is_covered(desk_as: Open) -> None:
    desk = desk_as("dana")

    for number in range(66):
        await desk.perform(Note(user="u1", text=str(number)))

    assert read_checkpoint(await desk._recorder.newest()).size == 65


async def test_what_was_not_kept_is_neither_seen_nor_signed(
    desk_as: Open, sample_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_as("dana")
    await desk.perform(Note(user="u1", text="before"))
    sample_file.parent.chmod(0o500)
    try:
        with pytest.raises(Unreachable):
            async with desk._changing, desk._recorder.transaction():
                await desk._recorder.record(act="note", user="u1", result="done")
                raise Unreachable("as on a full disk")
    finally:
        sample_file.parent.chmod(0o700)

    await desk.perform(Note(user="u1", text="after"))

    assert [row.seq for row in (await desk.log(Query())).rows] == [2, 1]
    assert (await inspected(desk)).is_sound
    assert desk.alarm == ""


async def test_rows_of_the_time_before_the_chain_are_shown_and_not_vouched_for(
    desk_as: Open, sample_file: Path
) -> None:
    tables = tables_of(sample_file)
    insert_of_old(tables, Keys(sample_file.parent))
    put(sample_file, tables)

    desk = desk_as("dana")
    await desk.perform(Unlock(user="u4"))

    assert [row.seq for row in (await desk.log(Query())).rows] == [12, 11]
    found = await inspected(desk)
    assert found.is_sound
    assert any("1 row is from before the chain" in one for one in found.unproven)


# Looking at a person is a row too.


async def test_opening_a_case_is_a_row_once_in_ten_minutes(desk_as: Open, clock: Clock) -> None:
    desk = desk_as("dana")

    for minutes in (0, 4, 5, 2):
        clock.go_on(minutes=minutes)
        await desk.case("u1")
        await desk.settle()
    await desk.case("u2")
    await desk.settle()

    looks = (await desk.log(parse("look", []))).rows
    assert [(row.act, row.user) for row in looks] == [
        ("look", "u2"),
        ("look", "u1"),
        ("look", "u1"),
    ]


async def test_looks_are_listed_only_when_asked_for(desk_as: Open) -> None:
    desk = desk_as("dana")

    await desk.case("u1")
    await desk.settle()

    assert (await desk.log(Query())).total == 0
    assert (await desk.log(parse("look", []))).total == 1
    assert (await desk.case("u1")).log == ()


async def test_an_act_says_already_that_the_case_was_seen(desk_as: Open) -> None:
    desk = desk_as("dana")

    await desk.case("u4")
    await desk.perform(Unlock(user="u4"))
    await desk.settle()

    assert (await desk.log(parse("look", []))).total == 0


async def test_lists_are_no_looks(desk_as: Open) -> None:
    desk = desk_as("dana")

    await desk.find(Query())
    await desk.loops(Query())
    await desk.settle()

    assert (await desk.log(parse("look", []))).total == 0


async def test_a_look_that_cannot_be_written_waits_and_is_said(
    desk_as: Open, sample_file: Path
) -> None:
    desk = desk_as("dana")
    await desk.case("u1")
    good = sample_file.read_bytes()
    sample_file.write_bytes(b"")

    with pytest.raises(BadFile, match="empty"):
        await desk.settle()
    sample_file.write_bytes(good)
    await desk.aclose()

    assert (await desk.log(parse("look", []))).total == 1


async def test_the_end_of_a_desk_writes_what_waits_and_covers_it(desk_as: Open) -> None:
    desk = desk_as("dana", is_gated=False)
    await desk.perform(RESET)
    await desk.case("u1")

    await desk.aclose()

    again = desk_as("ari")
    assert (await again.log(parse("look", []))).total == 1
    assert read_checkpoint(await again._recorder.newest()).size == 2


# Taking it away, and parting it from persons.


async def test_an_export_is_masked(busy: LocalDesk) -> None:
    rows = await everything(busy)

    text = as_jsonl(rows) + as_csv(rows)
    assert len(rows) == 10
    assert not any(word in text for word in ("phone", "call 3", "u1", "u2", "Ada", "900124"))
    assert len({row.user for row in rows}) == 2
    assert all(len(row.hash) == 64 for row in rows)


async def test_the_clear_export_is_for_few_and_recorded(busy: LocalDesk, desk_as: Open) -> None:
    lead = desk_as("lee")

    with pytest.raises(Refused, match="Only a lead or an auditor"):
        await everything(busy, is_clear=True)
    rows = await everything(lead, is_clear=True)

    assert rows[6].user == "u2"
    assert rows[6].reason == "lost her phone"
    assert rows[-1].act == "export-log"


async def test_no_cell_is_a_formula(desk_as: Open) -> None:
    await desk_as("dana").perform(Note(user="u1", text='=HYPERLINK("http://x","y")'))
    await desk_as("dana").perform(Note(user="u1", text="\t@SUM(A1)"))

    table = as_csv(await everything(desk_as("lee"), is_clear=True))

    cells = [cell for line in csv.reader(io.StringIO(table)) for cell in line]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.lstrip()[:1] in {"=", "+", "-", "@"} for cell in cells if cell)


async def test_erasing_leaves_the_rows_and_the_chain(
    busy: LocalDesk, desk_as: Open, clock: Clock, sample_file: Path
) -> None:
    clock.go_on(days=2)
    lead = desk_as("lee")
    await lead.perform(Reveal(user="u4", reason="asked by the customer"))

    with pytest.raises(Refused, match="Only a lead"):
        await busy.erase_log(clock.now)
    erased = await lead.erase_log(clock.now)

    assert erased.rows == 10
    rows = (await lead.log(Query())).rows
    assert [row.user for row in rows[2:]] == [ERASED] * 10
    assert rows[1].user == "u4"
    assert (await inspected(lead)).is_sound
    for file in (sample_file, sample_file.with_name(f"{sample_file.name}.bak")):
        log = json.dumps({k: tables_of(file)[k] for k in ("log", "outbox")})
        assert "lost her phone" not in log
        assert "900124" not in log


# The keys.


async def test_the_keys_are_private_and_never_in_the_file(
    busy: LocalDesk, places: Path, sample_file: Path
) -> None:
    files = sorted((places / "keys").glob("*.key"))

    assert [file.name for file in files] == ["log-hash.key", "log-sign.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    everything = sample_file.read_text("utf-8")
    assert not any(file.read_text("ascii") in everything for file in files)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Keys(tmp_path).mac("once")
    (tmp_path / "log-hash.key").chmod(0o644)

    with pytest.raises(BadFile, match="others can read"):
        Keys(tmp_path).mac("again")


@pytest.mark.parametrize("text", ["", "zz", "ab" * 31])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "log-hash.key").write_text(text, "ascii")
    (tmp_path / "log-hash.key").chmod(0o600)

    with pytest.raises(BadFile, match="holds no key"):
        Keys(tmp_path).mac("it")


def test_two_consoles_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    one, two = Keys(tmp_path), Keys(tmp_path)

    assert one.mac("it") == two.mac("it")


async def test_a_need_is_a_row_that_is_bound_too(desk_as: Open) -> None:
    desk = desk_as("dana")

    with pytest.raises(NeedsMore):
        await desk.perform(ResetAll(user="u2"))

    assert (await inspected(desk)).rows == 1


async def test_the_rest_of_an_export_with_personal_data_rests_on_the_row_that_says_so(
    busy: LocalDesk, desk_as: Open
) -> None:
    lead = desk_as("lee")

    with pytest.raises(NeedsMore, match="Begin the export anew"):
        await lead.export_log(is_clear=True, after=3)
    await lead.export_log(is_clear=True)
    rest = await lead.export_log(is_clear=True, after=3)

    assert rest.rows[0].seq == 4
