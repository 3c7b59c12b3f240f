"""Lists as the small Okta gives them: searched, cut into pages, and made strange on purpose."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.labs.okta.tenant import Factor, Json, Person, Wrong

KEYS = {
    "sms": ("phone", "phone_number", "Phone"),
    "call": ("phone", "phone_number", "Phone"),
    "email": ("email", "okta_email", "Email"),
    "push": ("app", "okta_verify", "Okta Verify"),
    "token:software:totp": ("app", "google_otp", "Google Authenticator"),
}


def minutes(count: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def limit_of(query: Mapping[str, str], usual: int, most: int) -> int:
    """The size of a page, or an error as Okta gives it."""
    said = query.get("limit", f"{usual}")
    if not said.isdigit() or not 0 < int(said) <= most:
        raise Wrong(400, "E0000001", "Api validation failed: limit", "limit: is not valid")
    return int(said)


def cursor(place: int) -> str:
    """A cursor that nobody can build."""
    return base64.urlsafe_b64encode(f"lab:{place}".encode()).decode()


def start_of(after: str | None) -> int:
    """Where a page begins."""
    if after is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(after).decode().removeprefix("lab:"))
    except ValueError as error:
        raise Wrong(400, "E0000001", "Api validation failed: after") from error


def is_found(person: Person, query: Mapping[str, str]) -> bool:
    """Whether a person is found by `q`, a prefix, or by `search`, an expression."""
    if "q" in query:
        said = query["q"].casefold()
        return any(
            v.casefold().startswith(said)
            for v in (person.first, person.last, person.email or person.login)
        )
    if "search" in query:
        return any(_fits(person, part) for part in query["search"].split(" or "))
    return True


def _fits(person: Person, part: str) -> bool:
    match = re.fullmatch(r'([\w.]+) (eq|sw) "((?:[^"\\]|\\.)*)"', part.strip())
    if match is None:
        raise Wrong(400, "E0000031", "Invalid search criteria.")
    name, how, said = match[1], match[2], re.sub(r"\\(.)", r"\1", match[3])
    value = {
        "id": person.id,
        "profile.login": person.login,
        "profile.email": person.email or person.login,
        "profile.firstName": person.first,
        "profile.lastName": person.last,
        "profile.mobilePhone": person.mobile or "",
        "profile.organization": person.organization or "",
    }.get(name)
    if value is None:
        raise Wrong(400, "E0000031", f"Invalid search criteria: {name}")
    same = value.casefold() == said.casefold()
    return same if how == "eq" else value.casefold().startswith(said.casefold())


def logged(rows: list[Json], query: Mapping[str, str]) -> list[Json]:
    """The rows of the log that are asked for, in the order that is asked for."""
    since, until = query.get("since", ""), query.get("until", "9")
    wanted = re.findall(r'(actor|target)\.id eq "([^"]+)"', query.get("filter", ""))
    if query.get("filter") and not wanted:
        raise Wrong(400, "E0000031", "Invalid filter criteria.")
    found = [
        row
        for row in rows
        if since <= row["published"] <= until
        and (not wanted or any(_is_about(row, what, who) for what, who in wanted))
    ]
    found.sort(key=lambda row: str(row["published"]))
    return found[::-1] if query.get("sortOrder") == "DESCENDING" else found


def _is_about(row: Json, what: str, who: str) -> bool:
    if what == "actor":
        return bool(row["actor"]["id"] == who)
    return any(target["id"] == who for target in row["target"])


def enrolment(factor: Factor, org: str, user: str) -> Json:
    """A factor as the Identity Engine lists it: telephone numbers masked."""
    kind, key, name = KEYS.get(factor.kind, ("security_key", "webauthn", "Security Key"))
    number = factor.profile.get("phoneNumber", "")
    profile = {"phoneNumber": f"+44 XXXX XXXX{number[-2:]}"} if number else dict(factor.profile)
    return {
        "type": kind, "id": factor.id, "key": key, "status": factor.status, "name": name,
        "created": "2025-11-02T09:00:00.000Z", "lastUpdated": "2025-11-02T09:00:00.000Z",
        "profile": profile, "nickname": None,
    }  # fmt: skip


def authenticators(has_tac: bool) -> list[Json]:
    """What the organisation can enrol."""
    found = [("autEmail", "email", "okta_email", "Email")]
    found += [("autTac", "tac", "tac", "Temporary Access Code")] if has_tac else []
    return [
        {
            "id": name, "type": kind, "key": key, "status": "ACTIVE", "name": words,
            "created": "2025-11-02T09:00:00.000Z", "lastUpdated": "2025-11-02T09:00:00.000Z",
        }
        for name, kind, key, words in found
    ]  # fmt: skip


def with_more(found: Any) -> Any:
    """Fields that nobody knows, in every object."""
    if isinstance(found, dict):
        return {
            "zzNew": {"a": [1, None]},
            **{k: with_more(v) for k, v in found.items()},
            "_x": None,
        }
    return [with_more(one) for one in found] if isinstance(found, list) else found


def with_nulls(found: Any) -> Any:
    """Null for every value but the ids by which an object is known."""
    if isinstance(found, dict):
        kept = {"id", "eventType", "published", "uuid"}
        return {k: v if k in kept else with_nulls(v) for k, v in found.items()}
    return [with_nulls(one) for one in found] if isinstance(found, list) else None
