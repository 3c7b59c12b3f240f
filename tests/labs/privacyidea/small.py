"""A privacyIDEA in memory, its answers in the shapes that a running one gave."""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from helpdesk.connectors.privacyidea.abilities import READS, RIGHTS
from tests.labs.small import Answered, Small
from tests.labs.troubles import Fault

Json = dict[str, Any]
ADMIN, SECRET = "desk@helpdesk", "desk-password-of-the-lab"
LOGIN, REALM = "maya", "corp"
CODE = "123456"
"""The code that is always right here."""

ALL = frozenset(right for rights in RIGHTS.values() for right in rights) | {*READS}


def token(serial: str, kind: str, **more: Any) -> Json:
    """A token as the API gives it."""
    to = {"email": {"email": "maya@agency.example"}, "sms": {"phone": "+447700900321"}}
    info = {"creation_date": "2025-11-21T17:51:12+00:00", **to.get(kind, {})}
    return {
        "serial": serial, "tokentype": kind, "active": True, "failcount": 0, "maxfail": 10,
        "revoked": False, "locked": False, "rollout_state": "enrolled", "username": LOGIN,
        "user_realm": REALM, "realms": [REALM], "resolver": "people", "description": "",
        "info": info,
    } | more  # fmt: skip


class SmallPi(Small):
    """The server behind HTTP.

    Attributes:
        tokens: By serial.
        sent: What was sent, oldest first: the serial.
        waiting: Open challenges, oldest first.
        log: The sign-in log; `audit` is the audit.
        rights: Of the desk's account.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {
            "PIEM1": token("PIEM1", "email", failcount=2),
            "PISM1": token("PISM1", "sms"),
            "TOTP1": token("TOTP1", "totp", active=False),
            "PIPU1": token("PIPU1", "push", active=False),
        }
        self.tokens["TOTP1"]["info"]["helpdesk"] = "pending"
        self.sent: list[str] = []
        self.waiting: list[Json] = []
        self.log: list[Json] = []
        self.audit: list[Json] = []
        self.lock: Json = {}
        self.rights = ALL
        self._numbers = count(2)

    def tell(self, kind: str, **more: Any) -> None:
        """Write a row into the sign-in log."""
        number = next(self._numbers)
        at = datetime.now(UTC) - timedelta(minutes=5)
        self.log.append(
            {
                "id": number, "timestamp": at.isoformat(), "event_type": kind, "reasons": [],
                "username": LOGIN, "realm": REALM, "serial": "PIEM1", "transaction_id": "t1",
                "attempt_id": f"a{number}", "source_ip": "192.0.2.7", "client_label": "shop/1",
                "endpoint": "/validate/check",
            }
            | more
        )  # fmt: skip

    def note(self, action: str, serial: str = "PIEM1") -> None:
        """Write a row into the audit, dated by a clock without a zone."""
        at = datetime.now(UTC).replace(tzinfo=None)
        self.audit.append(
            {
                "number": next(self._numbers), "date": at.isoformat(), "action": action,
                "success": 1, "serial": serial, "token_type": "email", "administrator": "desk",
                "user": LOGIN, "realm": REALM, "client": "192.0.2.9", "action_detail": "",
            }
        )  # fmt: skip

    def broken(self, fault: Fault) -> Answered:
        """Give a fault in privacyIDEA's words."""
        return {
            Fault.FAILS: _failed(500, -500, "an internal error"),
            Fault.ORG_LIMIT: (429, {"detail": None}),
            Fault.NO_RIGHT: _failed(403, 303, "Admin actions are defined, but not this one!"),
        }[fault]

    def reply(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        """Answer one request."""
        given = dict(parse_qsl(query)) | (json.loads(body) if body else {})
        if path == "/auth":
            return self._signed(given)
        if not headers.get("pi-authorization", "").startswith("e30."):
            return _failed(401, 4033, "Authentication failure. Your token is not valid.")
        for verb, pattern, name in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                found: Answered = getattr(self, name)(given, *match.groups())
                return found
        return _failed(404, 601, f"Not found: {method} {path}")

    def _signed(self, given: Json) -> Answered:
        if (given.get("username"), given.get("password")) != (ADMIN, SECRET):
            return _failed(401, 4031, "Authentication failure. Wrong credentials")
        claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + 28_800}).encode())
        value = {
            "token": f"e30.{claims.decode().rstrip('=')}.sig", "role": "admin",
            "username": "desk", "realm": "helpdesk", "rights": sorted(self.rights),
        }  # fmt: skip
        return _good(value)

    def _users(self, given: Json) -> Answered:
        person = {
            "username": LOGIN, "realm": REALM, "givenname": "Maya", "surname": "Okafor",
            "email": "maya@agency.example", "mobile": "+447700900321", "phone": "",
            "resolver": "people", "editable": True, "userid": "1",
        }  # fmt: skip
        return _good([person] if given.get("username", LOGIN).strip("*") in LOGIN else [])

    def _listed(self, given: Json) -> Answered:
        found = [
            one
            for one in self.tokens.values()
            if given.get("type", one["tokentype"]) == one["tokentype"]
            and given.get("serial", one["serial"]) == one["serial"]
        ]
        return self._page(given, found, "pagesize", "tokens")

    def _page(self, given: Json, found: list[Json], size: str, key: str) -> Answered:
        page, each = int(given.get("page", 1)), int(given.get(size, 15))
        shown = found[(page - 1) * each : page * each]
        on = page + 1 if page * each < len(found) else None
        prev = page - 1 or None
        return _good({"count": len(found), "current": page, "next": on, "prev": prev, key: shown})

    def _logged(self, given: Json) -> Answered:
        return self._page(given, self.log[::-1], "page_size", "auth_logs")

    def _audited(self, given: Json) -> Answered:
        verb = given.get("action", "").rstrip("*")
        found = [row for row in self.audit[::-1] if row["action"].startswith(verb)]
        return self._page(given, found, "page_size", "auditdata")

    def _challenges(self, given: Json, serial: str = "") -> Answered:
        found = [one for one in self.waiting[::-1] if one["serial"] == (serial or one["serial"])]
        return self._page(given, found, "pagesize", "challenges")

    def _locked(self, given: Json) -> Answered:
        return _good(self.lock or None)

    def _lifted(self, given: Json) -> Answered:
        self.lock = {}
        return _good(True)

    def _triggered(self, given: Json) -> Answered:
        serial = given["serial"]
        if serial not in self.tokens:
            return _good(0)
        now = datetime.now(UTC)
        self.sent.append(serial)
        self.waiting.append(
            {
                "serial": serial, "transaction_id": f"{next(self._numbers):020}",
                "timestamp": format_datetime(now, usegmt=True), "challenge": "", "data": "",
                "expiration": format_datetime(now + timedelta(minutes=2), usegmt=True),
            }
        )  # fmt: skip
        return _good(1, "CHALLENGE", message="please enter otp:")

    def _polled(self, given: Json, transaction: str) -> Answered:
        return _good(True, "ACCEPT", challenge_status="accept")

    def _checked(self, given: Json) -> Answered:
        is_right = given.get("pass") in {CODE, ""}
        self.waiting = [w for w in self.waiting if w["serial"] != given["serial"] or not is_right]
        return _good(is_right, "ACCEPT" if is_right else "REJECT")

    def _made(self, given: Json) -> Answered:
        serial = f"{given['type'][:4].upper()}{next(self._numbers)}"
        self.tokens[serial] = token(serial, given["type"])
        detail: Json = {"serial": serial}
        if given["type"] == "registration":
            detail["registrationcode"] = "kX7pQ2"
        else:
            detail |= {
                "otpkey": {"value_b32": "JBSWY3DPEHPK3PXP"},
                "googleurl": {"value": f"otpauth://totp/{serial}?secret=JBSWY3DPEHPK3PXP"},
            }
        return _good(True, **detail)

    def _lost(self, given: Json, serial: str) -> Answered:
        self.tokens[serial]["active"] = False
        made = f"lost{serial}"
        self.tokens[made] = token(made, "pw")
        value = {"serial": made, "password": "Xk4.pQz7", "disable": 1, "init": True, "user": True}
        return _good(value)

    def _set(self, given: Json) -> Answered:
        self.tokens[given["serial"]]["info"]["validity_period_end"] = given["validity_period_end"]
        return _good(1)

    def _deleted(self, given: Json, serial: str) -> Answered:
        if self.tokens.pop(serial, None) is None:
            return _failed(404, 601, f"Token with serial {serial} not found")
        return _good(1)

    def _changed(self, given: Json, verb: str, serial: str) -> Answered:
        found = self.tokens.get(serial)
        if found is None:
            return _failed(404, 601, f"Token with serial {serial} not found")
        if verb in {"enable", "disable"}:
            found["active"] = verb == "enable"
        elif verb == "reset":
            found["failcount"] = 0
        elif verb == "resync":
            found["info"]["timeShift"] = "90"
            return _good(True)
        else:
            found["info"] |= {key: given[key] for key in ("email", "phone") if key in given}
        return _good(1)

    def _marked(self, given: Json, serial: str, key: str) -> Answered:
        self.tokens[serial]["info"][key] = given["value"]
        return _good(1)

    def _unmarked(self, given: Json, serial: str, key: str) -> Answered:
        self.tokens[serial]["info"].pop(key, None)
        return _good(1)


ROUTES = (
    ("GET", "/user/", "_users"),
    ("GET", "/token/", "_listed"),
    ("GET", "/authenticationlog/", "_logged"),
    ("GET", "/audit/", "_audited"),
    ("GET", "/token/challenges/", "_challenges"),
    ("GET", "/token/challenges/([^/]+)", "_challenges"),
    ("GET", "/conditionalaccess/lock/user", "_locked"),
    ("DELETE", "/conditionalaccess/lock/user", "_lifted"),
    ("POST", "/validate/triggerchallenge", "_triggered"),
    ("GET", "/validate/polltransaction/([^/]+)", "_polled"),
    ("POST", "/validate/check", "_checked"),
    ("POST", "/token/init", "_made"),
    ("POST", "/token/lost/([^/]+)", "_lost"),
    ("POST", "/token/set", "_set"),
    ("DELETE", "/token/info/([^/]+)/([^/]+)", "_unmarked"),
    ("DELETE", "/token/([^/]+)", "_deleted"),
    ("POST", "/token/info/([^/]+)/([^/]+)", "_marked"),
    ("POST", "/token/(enable|disable|reset|set|resync)/([^/]+)", "_changed"),
)


def _good(value: Any, said: str = "", **detail: Any) -> Answered:
    result: Json = {"status": True, "value": value} | ({"authentication": said} if said else {})
    return 200, {
        "detail": detail or None, "id": 1, "jsonrpc": "2.0", "result": result,
        "signature": "rsa_sha256_pss:00", "time": time.time(), "version": "privacyIDEA 3.14",
        "versionnumber": "3.14",
    }  # fmt: skip


def _failed(status: int, code: int, says: str) -> Answered:
    error = {"status": False, "error": {"code": code, "message": f"ERR{code}: {says}"}}
    return status, {"detail": None, "id": 1, "jsonrpc": "2.0", "result": error}
