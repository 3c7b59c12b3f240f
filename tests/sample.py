"""A small fixture whose every record a test can name: one account a product, and the people a story needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NOW = "2026-05-04T14:05:00Z"


def _table(*documents: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(number): document for number, document in enumerate(documents, 1)}


def _sms(user: str, number: str, **more: Any) -> dict[str, Any]:
    since = "2026-01-04T09:00:00Z"
    return {
        "id": f"{user}-f1",
        "kind": "sms",
        "state": "active",
        "to": number,
        "since": since,
    } | more


def sample() -> dict[str, dict[str, Any]]:
    """Give the tables of the sample fixture."""
    return {
        "meta": _table({"format": "helpdesk-fixture/1", "now": NOW, "seed": 0, "note": "throw-away"}),
        "agents": _table(
            {"id": "dana", "name": "Dana Reyes", "role": "support", "login": "dana@lakes.example"},
            {"id": "sam", "name": "Sam Osei", "role": "account-manager"},
            {"id": "lee", "name": "Lee Park", "role": "lead"},
            {"id": "tess", "name": "Tess Ito", "role": "trainer"},
            {"id": "ari", "name": "Ari Stone", "role": "auditor"},
            {"id": "pia", "name": "Pia Berg", "role": "product-administrator", "account": "a3"},
        ),
        "accounts": _table(
            {"id": "a1", "name": "Rao Retail", "product": "sms-2fa", "manager": "sam"},
            {"id": "a2", "name": "Lakes", "product": "constant-contact"},
            {"id": "a3", "name": "Northwind Travel", "product": "lead-gen-crm", "administrators": ["u5"]},
            {"id": "a4", "name": "Agency Nine", "product": "partner-portal", "kind": "agency"},
            {"id": "a5", "name": "Solo Mail", "product": "activecampaign"},
            {"id": "a6", "name": "Other CRM", "product": "lead-gen-crm", "administrators": []},
        ),
        "users": _table(
            {
                "id": "u1", "name": "Mayank Rao", "login": "mayank@rao.example", "account": "a1",
                "product": "sms-2fa", "role": "main-user", "mobile": "+447700900123",
                "factors": [_sms("u1", "+447700900123")], "sessions": 2, "remembered": 3,
                "seen_at": "2026-05-04T14:04:01Z",
            },
            {
                "id": "u2", "name": "Ada O'Brien", "login": "ada@lakes.example", "account": "a2",
                "product": "constant-contact", "role": "user", "mobile": "+447700900124",
                "factors": [
                    _sms("u2", "+447700900124"),
                    {"id": "u2-f2", "kind": "totp", "state": "active", "to": "Google Authenticator"},
                ],
                "seen_at": "2026-05-04T10:00:00Z",
            },
            {
                "id": "u3", "name": "Dana Reyes", "login": "dana@lakes.example", "account": "a2",
                "product": "constant-contact", "role": "user", "factors": [_sms("u3", "+447700900125")],
            },
            {
                "id": "u4", "name": "Maya Okafor", "login": "maya@northwind.example", "account": "a3",
                "product": "lead-gen-crm", "role": "sales-manager",
                "factors": [_sms("u4", "+447700900126", state="locked", failures=5)],
                "locked_until": "2026-05-04T14:25:00Z",
            },
            {
                "id": "u5", "name": "Priya Shah", "login": "priya@northwind.example", "account": "a3",
                "product": "lead-gen-crm", "role": "administrator",
                "factors": [{"id": "u5-f1", "kind": "push", "state": "active", "to": "Pixel 8"}],
            },
            {
                "id": "u6", "name": "Ngọc Ánh", "login": "anh@agency.example", "account": "a4",
                "product": "partner-portal", "role": "agency-member",
                "notification_address": "mfa@agency.example",
                "factors": [{"id": "u6-f1", "kind": "email", "state": "active", "to": "mfa@agency.example"}],
                "seen_at": "2026-05-04T14:00:01Z",
            },
            {
                "id": "u7", "name": "Åse Ødegård", "login": "ase@solo.example", "account": "a5",
                "product": "activecampaign", "role": "user",
                "factors": [{"id": "u7-f1", "kind": "email", "state": "suspended", "to": "ase@solo.example"}],
            },
            {
                "id": "u8", "name": "陳美玲", "login": "chen@rao.example", "account": "a1",
                "product": "sms-2fa", "role": "managed-user", "mfa": "off", "mobile": "+447700900128",
            },
            {
                "id": "u9", "name": "Zoë Quist", "login": "zoe@othercrm.example", "account": "a6",
                "product": "lead-gen-crm", "role": "salesperson",
                "factors": [_sms("u9", "+447700900129")],
            },
        ),
        "timelines": {
            "1": {"user": "u1", "events": [
                {"id": "e1", "at": "2026-05-04T14:04:00Z", "kind": "challenge", "challenge": "c1",
                 "rule": "new-ip", "factor": "sms", "x-raw": {"kept": True},
                 "raw": {"uuid": "n-17", "by": "maya.rao@rao.example", "passcode": "918274", "reason": "NEW_IP"}},
                {"id": "e2", "at": "2026-05-04T14:04:01Z", "kind": "send", "challenge": "c1", "send": "s1",
                 "channel": "sms", "to": "•••• 23"},
            ]},
            "6": {"user": "u6", "events": [
                {"id": "e1", "at": "2026-05-04T14:00:00Z", "kind": "challenge", "challenge": "c6",
                 "rule": "every-login", "factor": "email"},
                {"id": "e2", "at": "2026-05-04T14:00:01Z", "kind": "send", "challenge": "c6", "send": "s6",
                 "channel": "email", "to": "m•••@agency.example", "expires_at": "2026-05-04T14:05:01Z"},
            ]},
        },
        "tickets": _table(
            {"id": "4821", "user": "u1", "subject": "Turn it off, please", "opened_at": "2026-05-04T13:00:00Z",
             "complaint": "turn-off"},
            {"id": "4822", "user": "u2", "subject": "Lost my phone", "opened_at": "2026-05-04T13:30:00Z",
             "complaint": "lost-factor", "on_phone": True},
            {"id": "4823", "user": "u4", "subject": "Locked", "opened_at": "2026-05-04T13:40:00Z", "agent": "lee"},
            {"id": "4824", "user": "u6", "subject": "Change the mailbox", "opened_at": "2026-05-04T13:50:00Z",
             "agent": "dana"},
            {"id": "4825", "user": "u7", "subject": "No code", "opened_at": "2026-05-04T13:55:00Z"},
            {"id": "4826", "user": "u8", "subject": "Turn it on", "opened_at": "2026-05-04T13:56:00Z"},
        ),
        "loops": _table(
            {"id": "l1", "user": "u6", "at": "2026-05-04T14:01:00Z", "rounds": 6, "seconds": 90},
            {"id": "l2", "user": "u1", "at": "2026-05-04T14:02:00Z", "rounds": 2, "seconds": 40},
        ),
        "secrets": {},
        "log": {},
    }  # fmt: skip


def write_sample(path: Path, tables: Mapping[str, Any] | None = None) -> Path:
    """Write the sample fixture, or what was made of it, and give its path."""
    path.write_text(json.dumps(tables or sample(), ensure_ascii=False), "utf-8")
    return path
