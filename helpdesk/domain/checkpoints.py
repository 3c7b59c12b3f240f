"""Checkpoints: a few lines that say how the log was, signed, to give away.

The text is a signed note and a checkpoint of the C2SP specifications (signed-note,
tlog-checkpoint):

    helpdesk/log/5f2c…          which log
    42                          how many rows
    base64                      the Merkle tree root of these rows

    — helpdesk/log/5f2c… base64 who signed: four bytes that name the key, then Ed25519
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean, counted

ORIGIN: Final = "helpdesk/log/"
"""How the name of a log begins."""

ED25519: Final = b"\1"
"""The signature type of the specification."""

_LIMIT: Final = 10_000


class Signature(Struct, frozen=True):
    """One signature line: the signer's name, four bytes that name the key, the signature."""

    name: str
    key: bytes
    signature: bytes


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A checkpoint, read.

    Attributes:
        body: The signed part of the text.
        root: The Merkle tree root of the first `size` rows.
    """

    origin: str
    size: int
    root: bytes
    body: str
    signatures: tuple[Signature, ...] = ()


def checkpoint_body(origin: str, size: int, root: bytes) -> str:
    """Return the three lines that are signed, each ended."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def signature_line(name: str, public: bytes, signature: bytes) -> str:
    """Return the line of one signature, ended."""
    told = base64.b64encode(key_hash(name, public) + signature).decode()
    return f"— {name} {told}\n"


def key_hash(name: str, public: bytes) -> bytes:
    """Return the four bytes by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """Return a public key as one line: what others check signatures with."""
    told = base64.b64encode(ED25519 + public).decode()
    return f"{name}+{key_hash(name, public).hex()}+{told}"


def read_verifier_key(text: str) -> tuple[str, bytes]:
    """Return the name and the public key that such a line tells.

    Raises:
        BadInput: It is no such line, or tells another key than its own hash.
    """
    name, _, rest = text.strip().partition("+")
    told_hash, _, told = rest.partition("+")
    raw = _decoded(told)
    if len(raw) != 33 or raw[:1] != ED25519 or key_hash(name, raw[1:]).hex() != told_hash:
        raise BadInput(f"{clean(text, limit=80)} is not a key of a checkpoint's signer.")
    return name, raw[1:]


def read_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a text holds.

    Raises:
        BadInput: It is none; the sentence says what is missing.
    """
    body, blank, signed = text[:_LIMIT].replace("\r\n", "\n").partition("\n\n")
    if not blank:
        raise BadInput("A checkpoint has three lines, an empty one, and its signature.")
    signatures = tuple(
        Signature(name, raw[:4], raw[4:])
        for line in signed.split("\n")
        if line.startswith("— ")
        for name, _, told in [line[2:].rpartition(" ")]
        if len(raw := _decoded(told)) > 4
    )
    found = read_body(f"{body}\n")
    if not signatures:
        raise BadInput("The checkpoint has no signature.")
    return replace(found, signatures=signatures)


def read_body(text: str) -> Checkpoint:
    """Return what the three lines tell, signed by nobody.

    Raises:
        BadInput: They are none; the sentence says what is missing.
    """
    lines = text[:_LIMIT].split("\n")
    if len(lines) < 4:
        raise BadInput("A checkpoint has three lines, an empty one, and its signature.")
    origin, size, root = lines[:3]
    if (
        not size.isascii()
        or not size.isdigit()
        or len(size) > 15
        or (size[0] == "0" and size != "0")
    ):
        raise BadInput(f"The checkpoint's second line is not a number of rows: {clean(size)}.")
    if len(_decoded(root)) != 32:
        raise BadInput("The checkpoint's third line is not a root of 32 bytes.")
    return Checkpoint(origin=origin, size=int(size), root=_decoded(root), body=text)


def misfit(
    checkpoint: Checkpoint, by: str, there: int, origin: str, known: Mapping[int, bytes]
) -> str:
    """Return why a log of *there* rows is not the one of a checkpoint; empty if it is.

    *known* are its roots by size, that of the checkpoint's size among them if it is as long.
    """
    size = checkpoint.size
    if size > there:
        return (
            f"{by} is of {counted(size, 'row')}, and the log has {there}: rows were cut off, an "
            "older copy was put back, or another log was put in its place."
        )
    if size and checkpoint.origin != origin:
        return (
            f"{by} is of the log {clean(checkpoint.origin, limit=60)}, and this is "
            f"{clean(origin, limit=60) or 'one without a name'}: another log was put in its place."
        )
    if known.get(size) != checkpoint.root:
        return (
            f"{by} is of other rows: at least one of the first {size} was changed, added or "
            "taken away since, and what follows was made to fit."
        )
    return ""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
