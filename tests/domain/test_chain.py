"""The log as a chain: canonical rows, Merkle roots and checkpoints others can read."""

from __future__ import annotations

import base64
import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.domain.agents import Role
from helpdesk.domain.audit import ERASED, LogRow, Result
from helpdesk.domain.chain import (
    START,
    Entry,
    canonical,
    chained,
    link,
    opened,
    root,
    roots,
    sealed,
)
from helpdesk.domain.checkpoints import (
    checkpoint_body,
    read_checkpoint,
    read_verifier_key,
    verifier_key,
)
from helpdesk.domain.errors import BadInput
from tests.factories import NOW

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class Key:
    """A key of tests: hashes, and says its name."""

    name = "0badc0de"

    def mac(self, text: str) -> str:
        return hashlib.sha256(b"key" + text.encode()).hexdigest()


def row(seq: int = 1, **keys: str) -> LogRow:
    given = {"user": "u2", "says": "Reset: SMS •••• 24.", "reason": "lost her phone"}
    return LogRow(
        seq=seq, at=NOW, agent="dana", role=Role.SUPPORT, act="reset-all", result=Result.DONE,
        **given | keys,
    )  # fmt: skip


def entry(seq: int = 1, **keys: str) -> Entry:
    return sealed(row(seq, **keys), None, Key(), salt="5a17", log="helpdesk/log/1")


def test_what_is_bound_is_read_back_whole() -> None:
    assert opened(entry()) == row()


def test_the_bound_part_holds_no_personal_data() -> None:
    bound = entry(user="u-9917", reason="lost her phone", says="Ada", factor="u-9917-f1").row

    assert not any(word in bound for word in ("u-9917", "phone", "Ada"))


def test_without_its_personal_data_a_row_keeps_what_was_done() -> None:
    bare = opened(msgspec.structs.replace(entry(), clear=None))

    assert (bare.user, bare.says, bare.reason) == (ERASED, "", "")
    assert (bare.act, bare.agent, bare.result) == ("reset-all", "dana", Result.DONE)


def test_the_same_text_looks_different_in_every_row() -> None:
    one = sealed(row(), None, Key(), salt="01", log="x")
    two = sealed(row(), None, Key(), salt="02", log="x")

    assert chained(one.row).says != chained(two.row).says
    assert chained(one.row).user == chained(two.row).user


def test_a_hash_is_that_of_the_hash_before_and_the_row() -> None:
    it = entry()

    assert it.hash == hashlib.sha256(START + it.row.encode()).hexdigest()
    assert link("no hash", it.row) == ""


@given(agent=TEXTS, ticket=TEXTS, act=TEXTS)
def test_a_row_is_canonical_json(agent: str, ticket: str, act: str) -> None:
    it = LogRow(
        seq=1, at=NOW, agent=agent, role=Role.LEAD, act=act, user="", result=Result.DONE,
        ticket=ticket,
    )  # fmt: skip

    text = sealed(it, None, Key(), salt="", log="").row

    plain = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert text == plain
    assert canonical(chained(text)) == text


def by_definition(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash as RFC 6962 defines it, slowly."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    left, right = by_definition(leaves[:half]), by_definition(leaves[half:])
    return hashlib.sha256(b"\1" + left + right).digest()


def test_the_roots_are_those_of_the_standard() -> None:
    rows = [f"row {n}" for n in range(70)]

    found = roots(rows, set(range(80)))

    assert found == {n: by_definition([r.encode() for r in rows[:n]]) for n in range(71)}
    assert root(rows) == found[70]


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    body = checkpoint_body("helpdesk/log/1", 3, bytes(32))
    mark = base64.b64encode(bytes(68)).decode()

    read = read_checkpoint(f"{body}\n— helpdesk/log/1 {mark}\n")

    assert (read.origin, read.size, read.root, read.body) == ("helpdesk/log/1", 3, bytes(32), body)
    assert read.signatures[0].signature == bytes(64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "three lines"),
        ("a\n1\nb\n", "three lines"),
        ("a\nmany\nb\n\n— a b\n", "not a number"),
        ("a\n-1\nb\n\n— a b\n", "not a number"),
        ("a\n01\nb\n\n— a b\n", "not a number"),
        ("a\n\nb\n\n— a b\n", "three lines"),
        ("a\n1\nb\n\n— a b\n", "32 bytes"),
        (f"a\n1\n{base64.b64encode(bytes(32)).decode()}\n\nsigned", "no signature"),
    ],
)
def test_what_is_no_checkpoint_is_told_by_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_checkpoint(text)


def test_a_public_key_travels_as_one_line() -> None:
    line = verifier_key("helpdesk/log/1", bytes(32))

    assert read_verifier_key(f"{line}\n") == ("helpdesk/log/1", bytes(32))
    with pytest.raises(BadInput, match="not a key"):
        read_verifier_key(line.replace("/1+", "/2+"))


def test_the_line_of_a_key_is_that_of_the_specification() -> None:
    # The example of the signed-note specification: name, key and hash as printed there.
    line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

    name, public = read_verifier_key(line)

    assert verifier_key(name, public) == line
