"""The keys of the log, in the data directory: one hashes personal data, one signs checkpoints.

They never stand in a fixture: who copies the file gets neither.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from helpdesk.domain.checkpoints import Checkpoint, key_hash, signature_line, verifier_key
from helpdesk.domain.errors import BadFile, Unreachable
from helpdesk.stores.private import write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BYTES: Final = 32

LOCK_WAIT_S: Final = 10.0
"""How long to wait for another console that makes the same key."""


class Keys:
    """Two keys of 32 bytes in files of mode 0600, made at first use.

    Raises, from any use:
        BadFile: A key's file can be read by others, or holds no key.
        Unreachable: It cannot be read or made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def mac(self, text: str) -> str:
        """Return the keyed hash of a text: HMAC with SHA-256, in hexadecimal."""
        keyed = self._keyed.copy()  # a third of the work of beginning with the key each time
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    def signed(self, name: str, body: str) -> str:
        """Return *body* as a signed note, by the key of this console."""
        line = signature_line(name, self._public, self._sign_key.sign(body.encode()))
        return f"{body}\n{line}"

    def verifier(self, name: str) -> str:
        """Return the public key as a line to give away."""
        return verifier_key(name, self._public)

    def vouches(self, checkpoint: Checkpoint, public: bytes | None = None) -> bool | None:
        """Whether a checkpoint is signed by this console's key, or by *public*.

        None where only other keys signed it: nothing can be said then. False where a signature
        claims this key and is not by it.
        """
        own = public or self._public
        name = key_hash(checkpoint.origin, own)
        for signature in checkpoint.signatures:
            if signature.key == name and signature.name == checkpoint.origin:
                return verifies(own, signature.signature, checkpoint.body)
        return None

    @cached_property
    def _keyed(self) -> hmac.HMAC:
        return hmac.new(self._mac_key, digestmod=hashlib.sha256)

    @cached_property
    def name(self) -> str:
        """Which key hashes, in eight characters that do not tell it."""
        return hashlib.sha256(b"name\0" + self._mac_key).hexdigest()[:8]

    @cached_property
    def _mac_key(self) -> bytes:
        return _key(self._directory / "log-hash.key")

    @cached_property
    def _sign_key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PrivateKey,  # not on the way to the first frame
        )

        return Ed25519PrivateKey.from_private_bytes(_key(self._directory / "log-sign.key"))

    @cached_property
    def _public(self) -> bytes:
        return self._sign_key.public_key().public_bytes_raw()


def verifies(public: bytes, signature: bytes, body: str) -> bool:
    """Whether an Ed25519 signature is that of a public key over a text."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BadFile(str(path), "", "is a key that others can read: chmod 600, or remove it")
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError as error:
        raise BadFile(str(path), "", "holds no key") from error
    except TimeoutError as error:
        raise Unreachable(f"{path} is made by another console for too long.") from error
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror}.") from error
    if len(key) != BYTES:
        raise BadFile(str(path), "", "holds no key")
    return key


def _make(path: Path) -> None:
    """Make a key under a lock: of two consoles that begin at once, both take the first's key."""
    from filelock import FileLock  # noqa: PLC0415  (once for each key)

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_WAIT_S, mode=0o600):
        if not path.exists():
            write_private(path, secrets.token_bytes(BYTES).hex().encode())
