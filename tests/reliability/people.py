"""Agents and customers to write about: each agent has some of their own, and all share one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.sample import NOW

AGENTS = 6
EACH = 3
"""Customers of an agent's own."""

SHARED = "shared"
LEAD = "lead"


def agents() -> tuple[str, ...]:
    """Give the ids of the agents who write."""
    return tuple(f"w{number}" for number in range(1, AGENTS + 1))


def customers(agent: str) -> tuple[str, ...]:
    """Give the ids of an agent's own customers."""
    return tuple(f"{agent}-c{number}" for number in range(1, EACH + 1))


def write_people(path: Path) -> Path:
    """Write the fixture and give its path."""
    names = [SHARED, *(one for agent in agents() for one in customers(agent))]
    users = [_customer(name, number) for number, name in enumerate(names)]
    tables: dict[str, Any] = {
        "meta": _table([{"format": "helpdesk-fixture/1", "now": NOW, "seed": 0, "note": ""}]),
        "agents": _table(
            [
                {"id": LEAD, "name": "Lee Park", "role": "lead"},
                *({"id": one, "name": f"Agent {one}", "role": "support"} for one in agents()),
            ]
        ),
        "accounts": _table([{"id": "a1", "name": "Lakes", "product": "constant-contact"}]),
        "users": _table(users),
        "timelines": _table([{"user": name, "events": []} for name in names]),
        "tickets": _table(
            [
                {"id": str(4000 + number), "user": name, "subject": "No code",
                 "opened_at": "2026-05-04T13:00:00Z"}
                for number, name in enumerate(names)
            ]
        ),
        "loops": {},
        "secrets": {},
        "log": {},
    }  # fmt: skip
    path.write_text(json.dumps(tables), "utf-8")
    return path


def _table(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(number): document for number, document in enumerate(documents, 1)}


def _customer(name: str, number: int) -> dict[str, Any]:
    mobile = f"+4477009{number:05d}"
    factor = {"id": f"{name}-f1", "kind": "sms", "state": "active", "to": mobile,
              "since": "2026-01-04T09:00:00Z"}  # fmt: skip
    return {
        "id": name, "name": f"Customer {name}", "login": f"{name}@lakes.example", "account": "a1",
        "product": "constant-contact", "role": "user", "mobile": mobile, "factors": [factor],
        "seen_at": "2026-05-04T14:00:00Z",
    }  # fmt: skip
