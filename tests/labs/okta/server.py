"""The addresses of the small Okta, as a plain ASGI application, and its faults at a switch."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from tests.connectors.okta.system_log import ADMIN
from tests.labs.okta import lists
from tests.labs.okta.signin import SignIn
from tests.labs.okta.tenant import Json, Person, Tenant, Wrong, stamp
from tests.labs.troubles import Cut, Fault, Troubled, body_of

READ, MANAGE = "okta.users.read", "okta.users.manage"
LOGS, ORGS = "okta.logs.read", "okta.orgs.manage"


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Json


Handler = Callable[["Lab", Asked, tuple[str, ...]], tuple[int, Any]]


@dataclass
class Lab(Troubled):
    """The organisation behind HTTP.

    Attributes:
        asked: What was asked, oldest first: verb and path with its query.
    """

    tenant: Tenant = field(default_factory=Tenant)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sign_in = SignIn(self.tenant.org)
        self._links: list[str] = []

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        body = await body_of(scope, receive, send)
        if body is None:
            return
        headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
        path, query = unquote(scope["raw_path"].decode().partition("?")[0]), scope["query_string"]
        line = f"{scope['method']} {path}" + (f"?{query.decode()}" if query else "")
        self.asked.append(line)
        status, found, more = self._answer(scope["method"], path, query.decode(), body, headers)
        media = more.pop("content-type", "application/json")
        raw = (
            b""
            if found is None
            else found
            if isinstance(found, bytes)
            else json.dumps(found).encode()
        )
        given = [
            *([(b"content-type", media.encode())] if raw else []),
            (b"x-okta-request-id", f"req{len(self.asked)}".encode()),
            *((b"link", link.encode()) for link in self._links),
            *((k.encode(), v.encode()) for k, v in more.items()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": given})
        await send({"type": "http.response.body", "body": raw})

    def _answer(
        self, method: str, path: str, query: str, body: bytes, headers: Json
    ) -> tuple[int, Any, Json]:
        self._links = []
        limits = {
            "x-rate-limit-limit": "600",
            "x-rate-limit-remaining": "599",
            "x-rate-limit-reset": f"{int(time.time()) + 60}",
        }
        fault = self.fault_at(f"{method} {path}")
        if fault is not None:
            limits["x-lab-fault"] = fault.name
        if path == "/oauth2/v1/token":
            status, given, more = self.sign_in.token(headers, body)
            return status, given, limits | more
        try:
            broken = self._broken(fault, limits)
            if broken is not None:
                return broken
            status, found = self._routed(method, path, query, body, headers)
        except Wrong as wrong:
            return wrong.status, _error(wrong), limits
        if fault is Fault.CUT_AFTER:
            raise Cut
        if fault is Fault.UNKNOWN_FIELDS:
            found = lists.with_more(found)
        if fault is Fault.NULLS:
            found = lists.with_nulls(found)
        return status, found, limits

    def _broken(self, fault: Fault | None, limits: Json) -> tuple[int, Any, Json] | None:
        if fault is Fault.CUT:
            raise Cut
        if fault is Fault.NO_RIGHT:
            says = "You do not have permission to perform the requested action"
            raise Wrong(403, "E0000006", says)
        if fault is Fault.FAILS:
            raise Wrong(500, "E0000009", "Internal Server Error")
        if fault is Fault.WEB_PAGE:
            page = b"<!doctype html><title>Sign in</title>"
            return 200, page, limits | {"content-type": "text/html; charset=utf-8"}
        if fault is Fault.BROKEN:
            return 200, b'[{"id": "00u', limits
        if fault in {Fault.ORG_LIMIT, Fault.CONCURRENT_LIMIT}:
            says = "API call exceeded rate limit due to too many requests."
            count = "0" if fault is Fault.CONCURRENT_LIMIT else "600"
            told = {"x-rate-limit-limit": count, "x-rate-limit-remaining": "0"}
            return 429, _error(Wrong(429, "E0000047", says)), limits | told
        return None

    def _routed(
        self, method: str, path: str, query: str, body: bytes, headers: Json
    ) -> tuple[int, Any]:
        for verb, pattern, scope, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                url = f"{self.tenant.org}{path}"
                self.tenant.actor = self.sign_in.check(headers, method, url, scope)
                try:
                    given = json.loads(body) if body else {}
                except ValueError as error:
                    says = "The request body was not well-formed."
                    raise Wrong(400, "E0000003", says) from error
                asked = Asked(method, path, dict(parse_qsl(query)), given, headers)
                return handler(self, asked, match.groups())
        raise Wrong(404, "E0000007", f"Not found: Resource not found: {path}")

    def page(self, asked: Asked, rows: list[Json], usual: int, most: int) -> list[Json]:
        """Cut a list into pages: several `Link` headers, and a cursor nobody can build."""
        limit = lists.limit_of(asked.query, usual, most)
        start = lists.start_of(asked.query.get("after"))
        here = f"{self.tenant.org}{asked.path}"
        self._links = [f'<{here}?{urlencode(asked.query)}>; rel="self"']
        if start + limit < len(rows):
            on = {**asked.query, "limit": limit, "after": lists.cursor(start + limit)}
            self._links.append(f'<{here}?{urlencode(on)}>; rel="next"')
        return rows[start : start + limit]


def _error(wrong: Wrong) -> Json:
    return {
        "errorCode": wrong.code,
        "errorSummary": wrong.summary,
        "errorLink": wrong.code,
        "errorId": "oaeLab0001",
        "errorCauses": [{"errorSummary": cause} for cause in wrong.causes],
    }


def _users(lab: Lab, asked: Asked, _: tuple[str, ...]) -> tuple[int, Any]:
    people = [p for p in lab.tenant.people.values() if p.status != "DEPROVISIONED"]
    found = [p for p in people if lists.is_found(p, asked.query)]
    rows = [p.json(lab.tenant.org) for p in found]
    return 200, lab.page(asked, rows, 10 if "q" in asked.query else 200, 200)


def _user(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    if names[0] == "me":
        return 200, _owner(lab).json(lab.tenant.org)
    person = lab.tenant.person(names[0])
    found = person.json(lab.tenant.org)
    if asked.query.get("expand") == "blocks":
        found["_embedded"] = {"blocks": person.blocks}
    return 200, found


def _owner(lab: Lab) -> Person:
    """The administrator who made the token; an app has none."""
    if lab.tenant.actor != ADMIN:
        raise Wrong(404, "E0000007", "Not found: Resource not found: me (User)")
    return Person(ADMIN, "desk@agency.example", "Help", "Desk")


def _change(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    profile = asked.body.get("profile", {})
    unknown = set(profile) - {"email", "mobilePhone", "secondEmail", "login"}
    if unknown or ("email" in profile and "@" not in str(profile["email"])):
        raise Wrong(400, "E0000001", "Api validation failed: email", "email: Does not match")
    if "email" in profile:  # a factor's address is one of the profile's, so it goes along
        for factor in person.factors:
            if factor.profile.get("email") == (person.email or person.login):
                factor.profile["email"] = profile["email"]
    person.email = profile.get("email", person.email)
    person.mobile = profile.get("mobilePhone", person.mobile)
    changed = ",".join(profile)
    lab.tenant.tell("user.account.update_profile", person.id, changedAttributes=changed)
    return 200, person.json(lab.tenant.org)


def _factors(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    return 200, [f.json(lab.tenant.org, person.id) for f in person.factors if not f.is_hidden]


def _enrolments(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    if not lab.tenant.can_enrolments:
        raise Wrong(401, "E0000015", "You do not have permission to access the feature")
    person = lab.tenant.person(names[0])
    return 200, [lists.enrolment(f, lab.tenant.org, person.id) for f in person.factors]


def _delete(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    lab.tenant.remove(person, lab.tenant.factor(person, names[1]))
    return 204, None


def _verify(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    factor = lab.tenant.factor(person, names[1])
    if "passCode" in asked.body:
        if not isinstance(asked.body["passCode"], str):
            raise Wrong(400, "E0000003", "The request body was not well-formed.")
        return 200, lab.tenant.check(person, factor, asked.body["passCode"])
    return lab.tenant.challenge(person, factor, asked.body)


def _resend(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    factor = lab.tenant.factor(person, names[1])
    if factor.status != "PENDING_ACTIVATION":
        raise Wrong(403, "E0000038", "This operation is not allowed in the user's current status.")
    if asked.body.get("factorType") != factor.kind:
        raise Wrong(400, "E0000001", "Api validation failed: factorType")
    lab.tenant.outbox.append((person.id, factor.id, "enrolment"))
    return 200, factor.json(lab.tenant.org, person.id)


def _transaction(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    found = lab.tenant.pushes.get(names[2])
    if found is None:
        raise Wrong(404, "E0000007", f"Not found: Resource not found: {names[2]}")
    return 200, found


def _reset(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    person.factors = []
    lab.tenant.tell("user.mfa.factor.reset_all", person.id)
    return 200, {}


def _unlock(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    if person.status != "LOCKED_OUT" and not person.blocks:
        raise Wrong(403, "E0000032", "Unlock is not allowed for this user.")
    person.status, person.blocks = "ACTIVE", []
    lab.tenant.tell("user.account.unlock_by_admin", person.id)
    return 200, {}


def _sessions(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    person.sessions = 0
    if asked.query.get("forgetDevices", "true") == "true":
        person.devices_known = False
    lab.tenant.tell("user.session.clear", person.id)
    return 204, None


def _tac(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    person = lab.tenant.person(names[0])
    if asked.body.get("authenticatorId") != "autTac" or not lab.tenant.has_tac:
        raise Wrong(400, "E0000001", "Api validation failed: authenticatorId")
    minutes = int(asked.body["profile"]["ttl"])
    if not 10 <= minutes <= 14_400:
        raise Wrong(400, "E0000001", "Api validation failed: ttl", "ttl: out of range")
    until = stamp(lab.tenant.now + lists.minutes(minutes))[:-5]
    person.tac = {"tac": "n@C*bU26", "multiUse": False, "expiresAt": until}
    return 200, {
        "type": "tac", "id": "tac1", "key": "tac", "status": "ACTIVE",
        "name": "Temporary Access Code", "created": stamp(lab.tenant.now),
        "lastUpdated": stamp(lab.tenant.now), "profile": person.tac,
    }  # fmt: skip


def _authenticators(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    return 200, lists.authenticators(lab.tenant.has_tac)


def _blocks(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    return 200, lab.tenant.person(names[0]).blocks


def _logs(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    rows = lists.logged(lab.tenant.log, asked.query)
    return 200, lab.page(asked, rows, 100, 1000)


def _bounces(lab: Lab, asked: Asked, names: tuple[str, ...]) -> tuple[int, Any]:
    asked_for = [one["emailAddress"] for one in asked.body.get("emailAddresses", [])]
    known = [one for one in asked_for if one in lab.tenant.bounced]
    errors = [
        {"emailAddress": one, "reason": "This email address does not belong to any user."}
        for one in asked_for
        if one not in known
    ]
    lab.tenant.bounced = [one for one in lab.tenant.bounced if one not in known]
    return 200, {"errors": errors}


USER_PATH: Final = r"/api/v1/users/([^/]+)"
FACTOR_PATH: Final = rf"{USER_PATH}/factors/([^/]+)"
ROUTES: Final[tuple[tuple[str, str, str, Handler], ...]] = (
    ("GET", r"/api/v1/users", READ, _users),
    ("GET", r"/api/v1/logs", LOGS, _logs),
    ("GET", r"/api/v1/authenticators", "okta.authenticators.read", _authenticators),
    ("POST", r"/api/v1/org/email/bounces/remove-list", ORGS, _bounces),
    ("GET", USER_PATH, READ, _user),
    ("POST", USER_PATH, MANAGE, _change),
    ("GET", rf"{USER_PATH}/factors", READ, _factors),
    ("GET", rf"{USER_PATH}/blocks", READ, _blocks),
    ("GET", rf"{USER_PATH}/authenticator-enrollments", READ, _enrolments),
    ("POST", rf"{USER_PATH}/authenticator-enrollments/tac", MANAGE, _tac),
    ("DELETE", FACTOR_PATH, MANAGE, _delete),
    ("POST", rf"{FACTOR_PATH}/verify", MANAGE, _verify),
    ("POST", rf"{FACTOR_PATH}/resend", MANAGE, _resend),
    ("GET", rf"{FACTOR_PATH}/transactions/([^/]+)", READ, _transaction),
    ("POST", rf"{USER_PATH}/lifecycle/reset_factors", MANAGE, _reset),
    ("POST", rf"{USER_PATH}/lifecycle/unlock", MANAGE, _unlock),
    ("DELETE", rf"{USER_PATH}/sessions", MANAGE, _sessions),
)
