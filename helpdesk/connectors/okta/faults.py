"""Okta's errors as ours, by its own codes; its request id is part of each sentence."""

from __future__ import annotations

import time
from typing import Any, Final

from helpdesk.connectors.exchange import (
    Answer,
    Busy,
    NoRight,
    NotSignedIn,
    not_taken,
    retry_after,
)
from helpdesk.connectors.raw import number, rows, text
from helpdesk.domain.errors import (
    BadInput,
    Conflict,
    HelpdeskError,
    NotFound,
    Unreachable,
)
from helpdesk.domain.text import clean

AGAIN_S: Final = 30.0
"""Seconds that Okta wants between two messages to one telephone."""


class WrongCode(HelpdeskError):
    """The code that was read back does not fit, or was used before."""


class NothingLocked(Conflict):
    """There is nothing to unlock."""


class WantsProof(Unreachable):
    """The app must prove that its token is its own.

    Attributes:
        nonce: What the proof must hold; empty where none is asked for.
    """

    def __init__(self, says: str, nonce: str = "") -> None:
        self.nonce = nonce
        super().__init__(says)


def error_of(answer: Answer) -> HelpdeskError | None:
    """Give the error that an answer stands for; None for a success, or where Okta says nothing."""
    if answer.is_ok:
        return None
    body = answer.told()
    if text(body, "error") and answer.status in {400, 401}:
        return _oauth(answer, body)
    code, says = text(body, "errorCode"), clean(text(body, "errorSummary"), limit=160)
    if not code:
        return None
    told = f", request {clean(answer.request_id, limit=80)}" if answer.request_id else ""
    ref = f" ({clean(code, limit=20)}{told})"
    if answer.status == 429:
        wait = f"Wait {AGAIN_S:.0f} s."
        return Busy(f"{_BUSY[code]} {wait}{ref}", AGAIN_S) if code in _BUSY else None
    for kind, codes in _CODES:
        if code in codes:
            return kind(f"{codes[code]}{ref}")
    if code in _ACCOUNT or answer.status == 401:
        return not_taken("Okta", _ACCOUNT.get(code, says), ref)
    if answer.status >= 500:
        return None
    causes = [clean(text(row, "errorSummary"), limit=200) for row in rows(body, "errorCauses")]
    told = clean("; ".join(one for one in (says, *causes[:3]) if one), limit=160)
    return (BadInput if answer.status == 400 else Conflict)(f"Okta refused: {told}{ref}")


def wait_of(answer: Answer) -> float | None:
    """Give the seconds until Okta answers again, by its own header; None where it does not say.

    Its limit on questions at once says so with a count of 0: those are over in a moment.
    """
    told = retry_after(answer)
    if told is not None:
        return told
    if answer.headers.get("x-rate-limit-limit", "").strip() == "0":
        return None
    reset = number({"": answer.headers.get("x-rate-limit-reset", "")}, "")
    return None if reset is None else min(max(reset - time.time(), 0.0), 3600.0)


def _oauth(answer: Answer, body: Any) -> HelpdeskError:
    code = text(body, "error")
    says = clean(text(body, "error_description"), limit=160)
    told = says or clean(code, limit=60)
    if code in {"use_dpop_nonce", "invalid_dpop_proof"}:
        return WantsProof(
            f"Okta wants proof: {told}{answer.ref}", answer.headers.get("dpop-nonce", "")
        )
    return not_taken("Okta", told, answer.ref, kind=NotSignedIn)


_BUSY: Final = {
    "E0000109": "Okta sent a text message less than half a minute ago.",
    "E0000133": "Okta called less than half a minute ago.",
}
"""Limits of one telephone, which are not the organisation's."""

_ACCOUNT: Final = {
    "E0000004": "it does not take its sign-in",
    "E0000005": "its session has ended",
    "E0000011": "its token is wrong, ended, or was revoked",
}
"""What is wrong with the desk's own account."""

_CODES: Final[tuple[tuple[type[HelpdeskError], dict[str, str]], ...]] = (
    (
        NoRight,
        {
            "E0000006": "Okta does not let this desk do that: its role or scopes lack the right.",
            "E0000015": "This organisation does not have that part of Okta.",
        },
    ),
    (NotFound, {"E0000007": "Okta knows nothing of that kind."}),
    (
        WrongCode,
        {
            "E0000068": "That code does not fit.",
            "E0000082": "That code was used before: a new one is needed.",
        },
    ),
    (NothingLocked, {"E0000032": "Okta says that there is nothing to unlock."}),
    (
        Conflict,
        {
            "E0000038": "Okta does not allow that in the user's present state.",
            "E0000044": "Okta does not allow that for a factor in this state.",
        },
    ),
)
"""Okta's codes, by our error, each with our sentence."""
