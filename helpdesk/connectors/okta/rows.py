"""One event of Okta's System Log, read as far as it can be.

Nearly every field may be null, debug data is no contract, and some values are JSON or Java maps
written as text: whatever cannot be read is as if it were not there.
"""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from helpdesk.connectors.raw import inner, moment, number, rows, text

FACTORS: Final = (
    (r"PASSWORD", "password"),
    (r"PUSH", "push"),
    (r"SIGNED_NONCE|FASTPASS", "fastpass"),
    (r"SMS", "sms"),
    (r"CALL|VOICE", "voice"),
    (r"EMAIL", "email"),
    (r"HARDWARE|YUBIKEY|RSA|SYMANTEC", "hardware"),
    (r"SOFT|TOTP|OTP|GOOGLE", "totp"),
    (r"WEBAUTHN|U2F|FIDO|PASSKEY", "passkey"),
    (r"QUESTION", "question"),
)
"""Okta's many spellings of a factor, the first that fits wins, and what we call it."""

POSITIVE: Final = "POSITIVE"
"""A behaviour was seen: the device, address or place is new to this user."""

RULES: Final = (
    (r"new device", "new-device"),
    (r"new ip", "new-ip"),
    (r"\bgeo|\bcity|\bstate|\bcountry|\blocation", "new-place"),
    (r"velocity", "risk"),
)
"""Behaviours by the names Okta gives them at first, and the rule each stands for."""


class Row:
    """One event.

    Attributes:
        raw: It as it came.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    @cached_property
    def id(self) -> str:
        """Its uuid; empty where there is none."""
        return text(self.raw, "uuid")

    @cached_property
    def kind(self) -> str:
        """Its event type, such as `user.session.start`; empty where there is none."""
        return text(self.raw, "eventType")

    @cached_property
    def at(self) -> datetime | None:
        """When it happened, which is not the order in which events arrive."""
        return moment(self.raw, "published")

    @property
    def result(self) -> str:
        """How it ended, such as SUCCESS, FAILURE or CHALLENGE."""
        return text(self.raw, "outcome", "result").upper()

    @property
    def reason(self) -> str:
        """Why it ended so, in Okta's words."""
        return text(self.raw, "outcome", "reason")

    @property
    def is_good(self) -> bool:
        """Whether it went well."""
        return self.result in {"SUCCESS", "ALLOW"}

    @cached_property
    def contexts(self) -> tuple[str, ...]:
        """What ties it to the other events of one sign-in, the closest tie first."""
        found = (
            text(self.raw, "authenticationContext", "externalSessionId"),
            text(self.raw, "authenticationContext", "rootSessionId"),
            text(self.raw, "transaction", "id"),
        )
        return tuple(dict.fromkeys(f for f in found if f and f.casefold() != "unknown"))

    @property
    def browser(self) -> str | None:
        """The hash of the device cookie, else the fingerprint that Okta made."""
        return self.debug("dtHash") or self.debug("deviceFingerprint") or None

    @property
    def ip(self) -> str | None:
        """The address of the client, else the first of the chain of addresses."""
        chain = rows(self.raw, "request", "ipChain")
        first = text(chain[0], "ip") if chain else ""
        return text(self.raw, "client", "ipAddress") or first or None

    @property
    def place(self) -> str | None:
        """City and country."""
        where = inner(self.raw, "client", "geographicalContext")
        parts = (text(where, "city") or text(where, "state"), text(where, "country"))
        return ", ".join(part for part in parts if part) or None

    @property
    def network(self) -> str | None:
        """`vpn` where Okta takes the address for a proxy's; it knows no other kind."""
        is_proxy = inner(self.raw, "securityContext", "isProxy") is True
        return "vpn" if is_proxy or self.debug("proxyType") or self.debug("tunnels") else None

    @property
    def agent(self) -> str | None:
        """The browser's own name."""
        return text(self.raw, "client", "userAgent", "rawUserAgent") or None

    @property
    def door(self) -> str | None:
        """The page that asked, where the event names it."""
        return self.debug("origin") or None

    @property
    def where(self) -> dict[str, Any]:
        """Address, network, place, browser, agent and door, as a challenge takes them."""
        names = ("ip", "network", "place", "browser", "agent", "door")
        return {name: getattr(self, name) for name in names}

    @property
    def actor(self) -> str:
        """The id of who did it."""
        return text(self.raw, "actor", "id")

    def is_by_another(self, user: str) -> bool:
        """Whether another person did it: an administrator or the desk, to prove a caller."""
        is_person = text(self.raw, "actor", "type").casefold() in {"user", ""}
        return is_person and bool(self.actor) and self.actor != user

    @property
    def targets(self) -> list[dict[str, Any]]:
        """What it was done to."""
        return rows(self.raw, "target")

    def target(self, *types: str) -> str:
        """Give the id of the first target of one of these types; empty where there is none."""
        return next((text(t, "id") for t in self.targets if text(t, "type") in types), "")

    def debug(self, key: str) -> str:
        """Give one word of the debug data; lists give their words with blanks between."""
        found = inner(self.raw, "debugContext", "debugData", key)
        if isinstance(found, list):
            return " ".join(text({"": one}, "") for one in found)
        return text({"": found}, "")

    def seconds(self, key: str) -> float | None:
        """Give a number of the debug data, such as seconds; None where it is none."""
        return number({"": self.debug(key)}, "")

    @cached_property
    def factor(self) -> str | None:
        """The factor it is about: our word where there is one, None where it names none."""
        named = (self.debug("factor"), *(text(t, "displayName") for t in self.targets), self.reason)
        for words in named:
            for pattern, ours in FACTORS:
                if words and re.search(pattern, words.upper().replace(" ", "_")):
                    return ours
        return None

    @cached_property
    def behaviours(self) -> dict[str, bool]:
        """By its name in small letters: whether a behaviour was seen.

        From the three places in which Okta writes them; one that it could not tell is left out.
        """
        found = {
            text(one, "name"): text(one, "result")
            for one in rows(self.raw, "securityContext", "userBehaviors")
        }
        found |= dict(re.findall(r"([^{},=]+)=([A-Z_]+)", self.debug("behaviors")[:4_000]))
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            security = msgspec.json.decode(self.debug("logOnlySecurityData"))
            told = inner(security, "behaviors")
            found |= {str(k): text(told, k) for k in told} if isinstance(told, dict) else {}
        known = {POSITIVE: True, "NEGATIVE": False}
        return {
            name.strip().casefold(): known[said.upper()]
            for name, said in found.items()
            if said.upper() in known
        }

    @property
    def rule(self) -> str | None:
        """The rule that the behaviours hint at; None where none was seen.

        They tell what was new, not which rule of the policy asked: no event says that.
        """
        seen = [name for name, is_seen in self.behaviours.items() if is_seen]
        for pattern, ours in RULES:
            if any(re.search(pattern, name) for name in seen):
                return ours
        return None

    @property
    def is_new_device(self) -> bool:
        """Whether the browser brought no device cookie that Okta knows."""
        return any(seen for name, seen in self.behaviours.items() if "new device" in name)
