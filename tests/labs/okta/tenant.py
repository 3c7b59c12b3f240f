"""An organisation in memory: people, their factors, what was sent to them, and its System Log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.connectors.okta.system_log import ADMIN, USER, log
from tests.factories import NOW

Json = dict[str, Any]

SENDS = {
    "sms": "system.sms.send_factor_verify_message",
    "call": "system.voice.send_mfa_challenge_call",
    "email": "system.email.send_factor_verify_message",
}
"""The event of a message, by the kind of factor; only those of telephones name where it went."""

AGAIN_S = 30
"""Seconds between two messages to one device."""


class Wrong(Exception):
    """An error as Okta answers it: status, code and summary."""

    def __init__(self, status: int, code: str, summary: str, *causes: str) -> None:
        self.status, self.code, self.summary, self.causes = status, code, summary, causes
        super().__init__(summary)


def stamp(at: datetime) -> str:
    """A moment as Okta writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Factor:
    """One factor of one person.

    Attributes:
        code: What was sent last, or what the app shows; empty where nothing is out.
        used: The code that was taken last.
        sent_at: When a message left last.
        is_hidden: Whether the policy as the desk's network zone sees it leaves it out.
    """

    id: str
    kind: str
    provider: str = "OKTA"
    status: str = "ACTIVE"
    profile: Json = field(default_factory=dict)
    code: str = ""
    used: str = ""
    sent_at: datetime | None = None
    is_hidden: bool = False

    def json(self, org: str, user: str) -> Json:
        """The factor as the API gives it."""
        here = f"{org}/api/v1/users/{user}/factors/{self.id}"
        links: Json = {
            "self": {"href": here, "hints": {"allow": ["GET", "DELETE"]}},
            "verify": {"href": f"{here}/verify", "hints": {"allow": ["POST"]}},
            "user": {"href": f"{org}/api/v1/users/{user}", "hints": {"allow": ["GET"]}},
        }
        if self.status == "PENDING_ACTIVATION":
            again = {"name": self.kind, "href": f"{here}/resend", "hints": {"allow": ["POST"]}}
            links["resend"] = [again]
        return {
            "id": self.id, "factorType": self.kind, "provider": self.provider,
            "vendorName": self.provider, "status": self.status,
            "created": "2025-11-02T09:00:00.000Z", "lastUpdated": "2025-11-02T09:00:00.000Z",
            "profile": dict(self.profile), "_links": links,
        }  # fmt: skip


@dataclass
class Person:
    """One user."""

    id: str
    login: str
    first: str
    last: str
    status: str = "ACTIVE"
    email: str = ""
    mobile: str | None = None
    organization: str | None = "Northwind Travel"
    factors: list[Factor] = field(default_factory=list)
    sessions: int = 1
    devices_known: bool = True
    tac: Json | None = None
    blocks: list[Json] = field(default_factory=list)

    def json(self, org: str) -> Json:
        """The user as the API gives it."""
        return {
            "id": self.id, "status": self.status,
            "created": "2025-11-02T09:00:00.000Z", "activated": None, "statusChanged": None,
            "lastLogin": None, "lastUpdated": "2026-05-04T09:00:00.000Z", "passwordChanged": None,
            "type": {"id": "otyexample"},
            "profile": {
                "firstName": self.first, "lastName": self.last, "login": self.login,
                "email": self.email or self.login, "mobilePhone": self.mobile,
                "secondEmail": None, "organization": self.organization,
            },
            "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
            "_links": {"self": {"href": f"{org}/api/v1/users/{self.id}"}},
        }  # fmt: skip


class Tenant:
    """The organisation.

    Attributes:
        org: Its address.
        now: The time there.
        log: Its System Log, oldest first.
        outbox: What was sent: (user id, factor id, code).
        actor: Who asks: the administrator whose token it is, or an app by its client id.
        sent_to: Where messages went, oldest first.
        can_enrolments: Whether it has the Identity Engine's list of enrolments.
        pushes: What the person at the device does with each push: factorResult by transaction.
        bounced: Addresses that no mail is sent to any more.
    """

    def __init__(self, org: str = "http://127.0.0.1:9") -> None:
        self.org, self.now = org, datetime.now(UTC)
        self.actor = ADMIN
        self.people: dict[str, Person] = {}
        self.log: list[Json] = []
        self.outbox: list[tuple[str, str, str]] = []
        self.sent_to: list[str] = []
        self.can_enrolments = True
        self.has_tac = True
        self.pushes: dict[str, Json] = {}
        self.bounced: list[str] = []
        self._numbers = count(1)
        self.add(maya())

    def add(self, *people: Person) -> None:
        """Let people join."""
        self.people |= {person.id: person for person in people}

    def tell(self, kind: str, who: str, result: str = "SUCCESS", **more: Any) -> None:
        """Write a row into the log: whoever asked did it, to this user, unless *more* says."""
        more.setdefault("actor", self.actor)
        ago = (NOW - self.now).total_seconds() / 60
        row = log(ago, kind, result, tick=f"{next(self._numbers)}", **more)
        row["actor"]["type"] = "User" if row["actor"]["id"].startswith("00u") else "PublicClientApp"
        row["target"] = [{"id": who, "type": "User", "alternateId": None, "displayName": None}]
        self.log.append(row)

    def person(self, name: str) -> Person:
        """The user of an id or a login."""
        found = self.people.get(name) or next(
            (p for p in self.people.values() if p.login.casefold() == name.casefold()), None
        )
        if found is None:
            raise Wrong(404, "E0000007", f"Not found: Resource not found: {name} (User)")
        return found

    def factor(self, person: Person, name: str) -> Factor:
        """A factor of a user."""
        found = next((f for f in person.factors if f.id == name), None)
        if found is None:
            raise Wrong(404, "E0000007", f"Not found: Resource not found: {name} (UserFactor)")
        return found

    def challenge(self, person: Person, factor: Factor, body: Json) -> tuple[int, Json]:
        """Send what a factor is proven by, or begin a push."""
        if factor.status != "ACTIVE":
            raise Wrong(403, "E0000044", "This operation is not allowed in the current state.")
        if factor.kind == "push":
            return 201, self._push(person, factor, bool(body.get("useNumberMatchingChallenge")))
        if factor.kind not in {"sms", "call", "email"}:
            raise Wrong(400, "E0000001", "Api validation failed: passCode", "passCode: required")
        self._wait(factor)
        factor.code, factor.sent_at = f"{100_000 + 7919 * next(self._numbers) % 900_000}", self.now
        self.outbox.append((person.id, factor.id, factor.code))
        number = factor.profile.get("phoneNumber")
        self.sent_to.append(number or factor.profile["email"])
        debug = {"phoneNumber": number} if number else {}
        self.tell(SENDS[factor.kind], person.id, **debug)
        verify = f"{self.org}/api/v1/users/{person.id}/factors/{factor.id}/verify"
        return 200, {
            "factorResult": "CHALLENGE",
            "profile": dict(factor.profile),
            "_links": {"verify": {"href": verify, "hints": {"allow": ["POST"]}}},
        }

    def _wait(self, factor: Factor) -> None:
        soon = factor.sent_at and self.now - factor.sent_at < timedelta(seconds=AGAIN_S)
        if soon and factor.kind == "sms":
            says = "An SMS message was recently sent. Please wait 30 seconds before trying again."
            raise Wrong(429, "E0000109", says)
        if soon and factor.kind == "call":
            says = "A call was recently made. Please wait 30 seconds before trying again."
            raise Wrong(429, "E0000133", says)

    def _push(self, person: Person, factor: Factor, is_matching: bool) -> Json:
        name = f"v2mst.{next(self._numbers)}"
        here = f"{self.org}/api/v1/users/{person.id}/factors/{factor.id}/transactions/{name}"
        found: Json = {
            "factorResult": "WAITING",
            "expiresAt": stamp(self.now + timedelta(minutes=5)),
            "_links": {
                "poll": {"href": here, "hints": {"allow": ["GET"]}},
                "cancel": {"href": here, "hints": {"allow": ["DELETE"]}},
            },
        }
        if is_matching:
            found["_embedded"] = {"challenge": {"correctAnswer": 72}}
        self.pushes[name] = found
        self.outbox.append((person.id, factor.id, name))
        return found

    def check(self, person: Person, factor: Factor, code: str) -> Json:
        """Take a code that was read back."""
        if factor.used and code == factor.used:
            says = "Each code can only be used once. Please wait for a new code and try again."
            raise Wrong(403, "E0000082", says)
        if not factor.code or code != factor.code:
            self.tell(
                "user.authentication.auth_via_mfa",
                person.id,
                "FAILURE",
                reason="INVALID_CREDENTIALS",
            )
            raise Wrong(403, "E0000068", "Invalid Passcode/Answer", "Your code doesn't match.")
        factor.used = factor.code
        if factor.kind != "token:software:totp":
            factor.code = ""
        return {"factorResult": "SUCCESS"}

    def remove(self, person: Person, factor: Factor) -> None:
        """Take a factor away; a push takes the app's codes with it."""
        gone = {factor.id}
        if factor.kind == "push":
            kinds = {"token:software:totp", "signed_nonce"}
            gone |= {f.id for f in person.factors if f.kind in kinds and f.provider == "OKTA"}
        person.factors = [f for f in person.factors if f.id not in gone]
        self.tell("user.mfa.factor.deactivate", person.id, factor=factor.kind)


def maya(**keys: Any) -> Person:
    """A user with a factor of each kind that the product knows."""
    factors = [
        Factor("sms1", "sms", profile={"phoneNumber": "+447700900321"}),
        Factor("clf1", "call", profile={"phoneNumber": "+447700900321"}),
        Factor("emf1", "email", profile={"email": "mfa@northwind.example"}),
        Factor("opf1", "push", profile={"credentialId": "maya@agency.example", "name": "Pixel 8"}),
        Factor("ost1", "token:software:totp", profile={"credentialId": "maya@agency.example"}),
        Factor(
            "gtf1", "token:software:totp", "GOOGLE", profile={"credentialId": "maya@agency.example"}
        ),
    ]
    given: Json = {
        "id": USER, "login": "maya@agency.example", "first": "Maya", "last": "Okafor",
        "mobile": "+447700900321", "factors": factors,
    }  # fmt: skip
    return Person(**given | keys)
