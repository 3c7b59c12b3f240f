"""Operations: what became of a write, kept under the key its caller minted for it.

key ──first time──▶ carried out, kept with its answer in the same transaction
 ├──again, same wish──▶ the first answer, nothing changes
 ├──again, other wish──▶ KeyTaken        still running ──▶ StillRunning
 ├──taken back before it came──▶ KeyTaken, whoever carries it here, however late
 └──after seven days───▶ KeyExpired, never carried out anew
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from helpdesk.domain.audit import Result
from helpdesk.domain.decisions import Decision
from helpdesk.domain.errors import BadInput
from helpdesk.domain.users import At

KEPT_FOR: Final = timedelta(days=7)
"""How long the same key gives the first answer; afterwards it gives none and does nothing."""

WITHDRAWN: Final = "withdrawn"
"""In the place of a fingerprint: the write under this key will never be carried out."""

SECRET: Final = frozenset({"answer", "code", "codes"})
"""What a caller reads out: kept nowhere, so not in a fingerprint either; each try has a new key."""

_KEY = re.compile(r"[\x21-\x7e]{16,255}")


class Answered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a write answered, without any secret it gave.

    Attributes:
        says: The sentence that was given; for an error, its words.
        error: The class of the error it ended with, such as `BadInput`; empty where it was done.
        decision: The policy's answer, where that was the error.
        value: What was given, as JSON: an asking, a proof, an approval, a hold, a reading, a count.
        was_once: Whether something was shown that is never shown again.
    """

    says: str = ""
    error: str = ""
    decision: Decision | None = None
    value: msgspec.Raw = msgspec.Raw(b"null")
    was_once: bool = False


class Operation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write that was carried out, or refused, under a key.

    Attributes:
        id: The key; together with the agent it is unique.
        fingerprint: SHA-256 of the wish in canonical form, in hexadecimal; `WITHDRAWN` where it
            was taken back before it came.
        seq: The number of its row in the log; 0 where it has none.
        answer: An `Answered` as JSON. Never a secret.
    """

    id: str
    agent: str
    fingerprint: str
    at: At
    result: Result
    seq: int = 0
    answer: str = "{}"

    def is_kept(self, now: datetime) -> bool:
        """Whether it still answers at *now*."""
        return now < self.at + KEPT_FOR

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back before it came: it was not done, and will not be."""
        return self.fingerprint == WITHDRAWN

    @property
    def answered(self) -> Answered:
        """What was answered."""
        return msgspec.json.decode(self.answer, type=Answered)


def fingerprint(method: str, wish: Mapping[str, Any]) -> str:
    """Return what tells one wish from another: the method and its arguments, but no secret."""
    plain = {key: value for key, value in msgspec.to_builtins(wish).items() if key not in SECRET}
    canonical = msgspec.json.encode([method, plain], order="sorted")
    return hashlib.sha256(canonical).hexdigest()


def check_key(key: str) -> str:
    """Return a key that may be kept.

    Raises:
        BadInput: It is too short to be nobody else's, too long, or has signs of another kind.
    """
    if not _KEY.fullmatch(key):
        raise BadInput("An idempotency key has 16 to 255 letters, digits and signs, no spaces.")
    return key
