"""A realm in memory: users, credentials, sessions, the guard against guessing, and events."""

from __future__ import annotations

import json
import re
import secrets
import time
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

from tests.labs.small import Answered, Small
from tests.labs.troubles import Fault

Json = dict[str, Any]
REALM, CLIENT, SECRET = "northwind", "helpdesk", "desk-secret-of-the-lab"
USER = "7f1c5a5e-0001-4000-8000-000000000001"
ROLES = frozenset({"view-users", "manage-users", "view-events"})


def otp(name: str, label: str = "Pixel 8") -> Json:
    """An authenticator as the API gives it: its settings are JSON as words."""
    settings = {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}
    return {
        "id": name, "type": "otp", "userLabel": label, "createdDate": 1_762_074_000_000,
        "credentialData": json.dumps(settings),
    }  # fmt: skip


def passkey(name: str, label: str, kind: str = "webauthn") -> Json:
    """A WebAuthn credential as the API gives it."""
    return {
        "id": name, "type": kind, "userLabel": label, "createdDate": 1_762_074_000_000,
        "credentialData": json.dumps({"aaguid": "00000000-0000-0000-0000-000000000000"}),
    }  # fmt: skip


class Realm(Small):
    """The realm behind HTTP.

    Attributes:
        roles: What the desk's service account may.
        saves: Whether events are saved.
        life_s: Seconds that a token lives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.roles, self.saves, self.life_s = ROLES, True, 60
        self.tokens: dict[str, float] = {}
        self.users: dict[str, Json] = {}
        self.credentials: dict[str, list[Json]] = {}
        self.sessions: dict[str, int] = {}
        self.failures: dict[str, Json] = {}
        self.events: list[Json] = []
        self._numbers = count(1)
        self.join(USER, "maya", "Maya", "Okafor")

    def join(self, name: str, login: str, first: str, last: str) -> None:
        """Let somebody join, with a password and an authenticator."""
        self.users[name] = {
            "id": name, "username": login, "firstName": first, "lastName": last,
            "email": f"{login}@agency.example", "emailVerified": True, "enabled": True,
            "createdTimestamp": 1_762_074_000_000, "totp": True, "notBefore": 0,
            "requiredActions": ["VERIFY_EMAIL"], "attributes": {"office": ["Leeds"]},
        }  # fmt: skip
        password = {"id": f"{login}-p", "type": "password", "createdDate": 1_762_074_000_000}
        self.credentials[name] = [password, otp(f"{login}-o1")]
        self.sessions[name] = 2

    def tell(self, kind: str, user: str = USER, **details: Any) -> Json:
        """Save an event."""
        error = details.pop("error", None)
        row: Json = {
            "id": f"e{next(self._numbers)}", "time": int(time.time() * 1000), "type": kind,
            "realmId": REALM, "clientId": "account", "userId": user, "sessionId": None,
            "ipAddress": "192.0.2.7", "details": details,
        }  # fmt: skip
        self.events.append(row | ({"error": error} if error else {}))
        return row

    def broken(self, fault: Fault) -> Answered:
        """Give a fault in Keycloak's words."""
        return {
            Fault.FAILS: (500, {"error": "unknown_error"}),
            Fault.ORG_LIMIT: (429, {"error": "Too many requests"}),
            Fault.NO_RIGHT: (403, {"error": "HTTP 403 Forbidden"}),
        }[fault]

    def reply(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        """Answer one request."""
        path = unquote(path)
        if path == f"/realms/{REALM}/protocol/openid-connect/token":
            return self._token({k: v[0] for k, v in parse_qs(body.decode()).items()})
        if (
            self.tokens.get(headers.get("authorization", "").removeprefix("Bearer "), 0)
            < time.time()
        ):
            return 401, {"error": "HTTP 401 Unauthorized"}
        base = f"/admin/realms/{REALM}"
        if not path.startswith(base):
            return 404, {"error": "Realm not found."}
        given = json.loads(body) if body else {}
        return self._admin(method, path.removeprefix(base), dict(parse_qsl(query)), given)

    def _token(self, form: dict[str, str]) -> Answered:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            says = "Invalid client or Invalid client credentials"
            return 401, {"error": "unauthorized_client", "error_description": says}
        token = secrets.token_urlsafe(16)
        self.tokens[token] = time.time() + self.life_s
        return 200, {
            "access_token": token, "expires_in": self.life_s, "refresh_expires_in": 0,
            "token_type": "Bearer", "not-before-policy": 0, "scope": "profile email",
        }  # fmt: skip

    def _admin(self, method: str, path: str, query: Json, body: Json) -> Answered:
        needs = "view-events" if path.startswith("/events") else "view-users"
        needs = needs if method == "GET" else "manage-users"
        if needs not in self.roles:
            return 403, {"error": "HTTP 403 Forbidden"}
        if path == "/users":
            return 200, self._found(query)
        if path == "/users/count":
            return 200, len(self.users)
        if path == "/events/config":
            return 200, {"eventsEnabled": self.saves, "eventsListeners": ["jboss-logging"]}
        if path == "/events":
            return 200, self._events(query)
        guard = re.fullmatch("/attack-detection/brute-force/users/(.+)", path)
        if guard:
            return self._guard(method, guard[1])
        match = re.fullmatch("/users/([^/]+)(/.*)?", path)
        if match is None or match[1] not in self.users:
            return 404, {"error": "User not found"}
        return self._one(method, match[1], match[2] or "", body)

    def _found(self, query: Json) -> list[Json]:
        found = [*self.users.values()]
        if "username" in query:
            found = [u for u in found if u["username"] == query["username"].lower()]
        if "search" in query:
            words = query["search"].lower()
            names = ("username", "firstName", "lastName", "email")
            found = [u for u in found if any(words in u[name].lower() for name in names)]
        first = int(query.get("first", 0))
        return found[first : first + int(query.get("max", 100))]

    def _events(self, query: Json) -> list[Json]:
        found = [
            e
            for e in self.events
            if query.get("user") in {None, e["userId"]}
            and e["time"] >= int(query.get("dateFrom", 0))
        ]
        found.sort(key=lambda e: -e["time"])
        first = int(query.get("first", 0))
        return found[first : first + int(query.get("max", 100))] if self.saves else []

    def _guard(self, method: str, user: str) -> Answered:
        if method == "DELETE":
            self.failures.pop(user, None)
            return 204, None
        clear = {"numFailures": 0, "disabled": False, "lastIPFailure": "n/a", "lastFailure": 0}
        return 200, self.failures.get(user, clear)

    def _one(self, method: str, user: str, path: str, body: Json) -> Answered:
        if path == "" and method == "GET":
            return 200, self.users[user]
        if path == "" and method == "PUT":
            if "@" not in str(body.get("email", "@")):
                return 400, {"errorMessage": "error-invalid-email", "field": "email"}
            # A part alone empties the lists that it leaves out.
            lists: Json = {"requiredActions": [], "attributes": {}}
            self.users[user] = {"id": user, "username": "", **lists, **body}
            return 204, None
        if path == "/credentials":
            return 200, self.credentials[user]
        if path.startswith("/credentials/") and method == "DELETE":
            name = path.removeprefix("/credentials/")
            kept = [c for c in self.credentials[user] if c["id"] != name]
            if len(kept) == len(self.credentials[user]):
                return 404, {"error": "Credential not found"}
            self.credentials[user] = kept
            return 204, None
        if path == "/sessions":
            return 200, [{"id": f"s{n}", "userId": user} for n in range(self.sessions[user])]
        if path == "/logout" and method == "POST":
            self.sessions[user] = 0
            return 204, None
        return 405, {"error": "HTTP 405 Method Not Allowed"}
