"""An account in memory; it checks each signature with Duo's own client library."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote

from duo_client.client import sign

from tests.labs.small import Answered, Small
from tests.labs.troubles import Fault

Json = dict[str, Any]
HOST, KEY, SECRET = "127.0.0.1", "DIHELPDESKOFTHELAB00", "secret-key-of-the-lab-0123456789abcdef01"
USER = "DUMAYAOKAFOR00000001"


def phone(name: str = "DPPIXEL8000000000001", **more: Any) -> Json:
    """A telephone with the app."""
    given = {
        "phone_id": name, "name": "", "number": "+447700900321", "type": "Mobile",
        "model": "Google Pixel 8", "platform": "Google Android", "activated": True,
        "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
    }  # fmt: skip
    return given | more


class Account(Small):
    """The account behind HTTP.

    Attributes:
        pushes: What became of each push: `waiting`, `approve`, `deny`, `fraud`.
        rights: What the integration was granted: `read`, `write`, `log`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, Json] = {}
        self.log: list[Json] = []
        self.pushes: dict[str, str] = {}
        self.codes: dict[str, list[str]] = {}
        self.rights = frozenset({"read", "write", "log"})
        self._numbers = count(1)
        self.join(USER, "maya", "Maya Okafor")

    def join(self, name: str, login: str, real: str) -> None:
        """Let somebody join, with a telephone and a token."""
        self.users[name] = {
            "user_id": name, "username": login, "realname": real, "status": "active",
            "email": f"{login}@agency.example", "last_login": 1_777_900_000, "notes": "",
            "phones": [phone()], "webauthncredentials": [], "groups": [], "aliases": {},
            "tokens": [{"token_id": "DHTOKEN0000000000001", "serial": "123456", "type": "h6"}],
        }  # fmt: skip
        self.codes[name] = ["111111111"]

    def tell(self, result: str, reason: str, factor: str = "duo_push", **more: Any) -> None:
        """Write a record into the log."""
        at = datetime.now(UTC) - timedelta(minutes=more.pop("minutes", 3))
        self.log.append(
            {
                "txid": f"tx{next(self._numbers)}", "event_type": "authentication",
                "result": result, "reason": reason, "factor": factor,
                "isotimestamp": at.isoformat(), "timestamp": int(at.timestamp()),
                "user": {"key": USER, "name": "maya", "groups": []},
                "access_device": {"ip": "192.0.2.7", "location": {"city": "Leeds"}},
            }
            | more
        )  # fmt: skip

    def broken(self, fault: Fault) -> Answered:
        """Give a fault in Duo's words."""
        return {
            Fault.FAILS: _failed(500, 50_000, "Internal error"),
            Fault.ORG_LIMIT: _failed(429, 42_901, "Too Many Requests"),
            Fault.NO_RIGHT: _failed(403, 40_301, "Access forbidden", "Wrong integration type"),
        }[fault]

    def reply(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        """Answer one request."""
        params = parse_qs(query, keep_blank_values=True)
        date = headers.get("date", "")
        good = sign(
            KEY, SECRET, method, HOST, path, date, 5, params, body=body.decode()
        )  # fmt: skip
        try:
            sent = parsedate_to_datetime(date)  # Duo's own client writes -0000: without a zone
            sent = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
            age = abs((datetime.now(UTC) - sent).total_seconds())
        except (ValueError, TypeError):
            return _failed(401, 40_104, "Missing request timestamp")
        if age > 300:
            return _failed(401, 40_105, "Bad request timestamp")
        if headers.get("authorization") != good:
            return _failed(401, 40_103, "Invalid signature in request credentials")
        right = "log" if "/logs/" in path else "read" if method == "GET" else "write"
        if right not in self.rights:
            return _failed(403, 40_301, "Access forbidden")
        flat = {key: values[0] for key, values in params.items()}
        given = json.loads(body) if body else {}
        return self._admin(method, unquote(path), flat, given)

    def _admin(self, method: str, path: str, query: Json, body: Json) -> Answered:
        if path == "/admin/v1/users":
            return self._found(query)
        if path == "/admin/v2/logs/authentication":
            return self._logged(query)
        match = re.fullmatch("/admin/v1/webauthncredentials/(.+)", path)
        if match is not None and method == "DELETE":
            return self._keyless(match[1])
        match = re.fullmatch("/admin/v1/users/([^/]+)(/.*)?", path)
        if match is None or match[1] not in self.users:
            return _failed(404, 40_401, "Resource not found")
        return self._one(method, self.users[match[1]], match[2] or "", query | body)

    def _keyless(self, key: str) -> Answered:
        for user in self.users.values():
            kept = [one for one in user["webauthncredentials"] if one["webauthnkey"] != key]
            if len(kept) < len(user["webauthncredentials"]):
                user["webauthncredentials"] = kept
                return _good("")
        return _failed(404, 40_401, "Resource not found")

    def _found(self, query: Json) -> Answered:
        found = [*self.users.values()]
        for name in ("username", "email"):
            if name in query:
                found = [u for u in found if u[name].lower() == query[name].lower()]
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 100)), 300)
        more = {"next_offset": offset + limit} if offset + limit < len(found) else {}
        return _good(found[offset : offset + limit], {"total_objects": len(found), **more})

    def _logged(self, query: Json) -> Answered:
        if not {"mintime", "maxtime"} <= query.keys():
            return _failed(400, 40_002, "Invalid request parameters", "mintime")
        low, high = int(query["mintime"]), int(query["maxtime"])
        rows = [r for r in self.log if low <= r["timestamp"] * 1000 <= high]
        rows = [r for r in rows if query.get("users") in {None, r["user"]["key"]}]
        rows.sort(key=lambda r: -r["timestamp"])
        start = int(query.get("next_offset", "0,x").split(",")[0])
        limit = int(query.get("limit", 100))
        page = rows[start : start + limit]
        on = [f"{start + limit}", "x"] if start + limit < len(rows) else None
        metadata = {"next_offset": on, "total_objects": {"relation": "eq", "value": len(rows)}}
        return _good({"authlogs": page, "metadata": metadata})

    def _one(self, method: str, user: Json, path: str, given: Json) -> Answered:
        name = user["user_id"]
        if path == "" and method == "GET":
            return _good(user)
        if path == "" and method == "POST":
            if "@" not in given.get("email", "@"):
                return _failed(400, 40_002, "Invalid request parameters", "email")
            user.update(given)
            return _good(user)
        match = re.fullmatch("/(phones|tokens)/(.+)", path)
        if match and method == "DELETE":
            own = "phone_id" if match[1] == "phones" else "token_id"
            kept = [one for one in user[match[1]] if one[own] != match[2]]
            if len(kept) == len(user[match[1]]):
                return _failed(404, 40_401, "Resource not found")
            user[match[1]] = kept
            return _good("")
        if path == "/bypass_codes" and method == "POST":
            old = self.codes[name] if given.get("preserve_existing") in {"true", True} else []
            made = [f"{900_000_000 + next(self._numbers)}" for _ in range(int(given["count"]))]
            self.codes[name] = [*old, *made]
            return _good(made)
        if path == "/send_verification_push" and method == "POST":
            push = f"push{next(self._numbers)}"
            self.pushes[push] = "waiting"
            return _good({"push_id": push, "confirmation_code": "830192"})
        if path == "/verification_push_response":
            result = self.pushes.get(given["push_id"])
            if result is None:
                return _failed(404, 40_401, "Resource not found")
            return _good({"push_id": given["push_id"], "result": result})
        return _failed(405, 40_501, "Method not allowed")


def _good(found: Any, metadata: Json | None = None) -> Answered:
    return 200, {"stat": "OK", "response": found} | ({"metadata": metadata} if metadata else {})


def _failed(status: int, code: int, says: str, detail: str = "") -> Answered:
    found: Json = {"stat": "FAIL", "code": code, "message": says, "timestamp": int(time.time())}
    return status, found | ({"message_detail": detail} if detail else {})
