"""A small django-helpdesk in memory: what the recorded exchanges show of it, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from tests.labs.small import Answered, Small
from tests.labs.troubles import Fault, Trouble

PASSWORD: Final = "hush"
TOKEN: Final = "0123456789abcdef"
ACCOUNTS: Final = {"desk": 1, "rex": 2, "nobody": 3}
STATES: Final = {1: "Open", 2: "Reopened", 3: "Resolved", 4: "Closed", 5: "Duplicate"}
OPENED: Final = datetime(2026, 5, 4, 13, 0, tzinfo=UTC)
URL: Final = "https://tickets.example/helpdesk"

NO_SIGN_IN: Final = (401, {"detail": "Authentication credentials were not provided."})
BAD_SIGN_IN: Final = (401, {"detail": "Invalid username/password."})
BAD_TOKEN: Final = (401, {"detail": "Invalid token."})
NO_RIGHT: Final = (403, {"detail": "You do not have permission to perform this action."})
NO_TICKET: Final = (404, {"detail": "No Ticket matches the given query."})
FAILED: Final = (500, None)


class Server(Small):
    """A django-helpdesk with one queue, the desk's account, a colleague, and a stranger.

    Attributes:
        tickets: As they are shown, by number.
        after: A trouble that begins with the next comment; None for none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[int, dict[str, Any]] = {}
        self.after: Trouble | None = None
        self._follow_ups = 0

    def file(self, title: str, mail: str, text: str = "Please help.") -> str:
        """Let a customer's ticket come in; give its number."""
        return str(self._opened(2, title, mail, text)["id"])

    def move(self, number: str, **more: Any) -> None:
        """Let somebody who works there change a ticket."""
        self.tickets[int(number)] |= more

    def comments(self, number: str) -> list[str]:
        """Give what is written on a ticket, oldest first."""
        return [one["comment"] for one in self.tickets[int(number)]["followup_set"]]

    def broken(self, fault: Fault) -> Answered:
        """Give a fault in its words."""
        return {
            Fault.FAILS: (500, {}),
            Fault.ORG_LIMIT: (429, {"detail": "Request was throttled."}),
            Fault.NO_RIGHT: NO_RIGHT,
        }[fault]

    def reply(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        """Answer one request."""
        account, refusal = _account(headers.get("authorization", ""))
        if refusal is not None:
            return refusal
        place = path.partition("/api/")[2]
        wish = json.loads(body) if body else {}
        if place == "":
            return 200, {name: f"{URL}/api/{name}/" for name in ("tickets", "followups")}
        if account == ACCOUNTS["nobody"]:
            return NO_RIGHT
        match method, place:
            case "GET", "tickets/":
                return self._list(parse_qs(query))
            case "OPTIONS", "tickets/":
                choices = [{"value": n, "display_name": name} for n, name in STATES.items()]
                return 200, {"actions": {"POST": {"status": {"choices": choices}}}}
            case "POST", "tickets/":
                return self._open(account, wish)
            case "POST", "followups/":
                return self._follow_up(account, wish)
        found = re.fullmatch(r"tickets/([0-9]+)/", place)
        ticket = self.tickets.get(int(found.group(1))) if found else None
        if ticket is None:
            return NO_TICKET
        if method == "PATCH":
            ticket |= wish
        return 200, ticket

    def _list(self, query: dict[str, list[str]]) -> Answered:
        wanted = [int(n) for n in query.get("status", [""])[0].split(",") if n]
        known = [number for number in wanted if number in STATES]
        found = [t for t in self.tickets.values() if not known or t["status"] in known]
        size, page = int(query.get("page_size", ["25"])[0]), int(query.get("page", ["1"])[0])
        asked = f"page_size={size}&status={query['status'][0].replace(',', '%2C')}"
        more, first = len(found) > page * size, "" if page == 2 else f"page={page - 1}&"
        return 200, {
            "count": len(found),
            "next": f"{URL}/api/tickets/?page={page + 1}&{asked}" if more else None,
            "previous": f"{URL}/api/tickets/?{first}{asked}" if page > 1 else None,
            "results": found[(page - 1) * size : page * size],
        }

    def _open(self, account: int, wish: dict[str, Any]) -> Answered:
        if str(wish["queue"]) != "1":
            what = f'Invalid pk "{wish["queue"]}" - object does not exist.'
            return 400, {"queue": [what]}
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", wish["submitter_email"]):
            return 400, {"submitter_email": ["Enter a valid email address."]}
        ticket = self._opened(account, wish["title"], wish["submitter_email"], wish["description"])
        return 201, ticket

    def _opened(self, account: int, title: str, mail: str, text: str) -> dict[str, Any]:
        ticket: dict[str, Any] = {
            "id": len(self.tickets) + 1,
            "queue": 1,
            "title": title,
            "description": text,
            "resolution": None,
            "submitter_email": mail,
            "assigned_to": None,
            "status": 1,
            "on_hold": False,
            "priority": 3,
            "due_date": None,
            "merged_to": None,
            "followup_set": [],
        }
        self.tickets[ticket["id"]] = ticket
        opened = self._written(account, ticket, "Ticket Opened", text, is_public=True)
        opened["email_recipients"] = [mail]
        return ticket

    def _follow_up(self, account: int, wish: dict[str, Any]) -> Answered:
        if self.after is not None:
            self.troubles.append(self.after)
            self.after = None
        ticket = self.tickets.get(wish["ticket"])
        if ticket is None:
            what = f'Invalid pk "{wish["ticket"]}" - object does not exist.'
            return 400, {"ticket": [what]}
        text = _rendered(wish.get("comment", ""), ticket)
        if text is None:
            return FAILED
        title, status = wish.get("title") or ticket["title"], wish.get("new_status")
        says = title
        if status and status != ticket["status"]:
            ticket["status"], says = status, f"{title} and {STATES[status]}"
        else:
            status = None
        ticket["title"] = title
        if ticket["status"] == 4 and ticket["resolution"] is None:
            ticket["resolution"] = text
        one = self._written(account, ticket, says, text, is_public=wish.get("public", False))
        one["new_status"] = status
        return 201, one

    def _written(
        self, account: int, ticket: dict[str, Any], title: str, text: str, *, is_public: bool
    ) -> dict[str, Any]:
        self._follow_ups += 1
        one = {
            "id": self._follow_ups,
            "ticket": ticket["id"],
            "user": account,
            "title": title,
            "comment": text,
            "public": is_public,
            "new_status": None,
            "time_spent": None,
            "followupattachment_set": [],
            "date": f"{OPENED + timedelta(minutes=self._follow_ups):%Y-%m-%dT%H:%M:%SZ}",
            "message_id": None,
            "email_recipients": [],
        }
        ticket["followup_set"].append(one)
        return one


def _account(header: str) -> tuple[int, Answered | None]:
    kind, _, told = header.partition(" ")
    if kind == "Token":
        return (1, None) if told == TOKEN else (0, BAD_TOKEN)
    if kind != "Basic":
        return 0, NO_SIGN_IN
    name, _, password = base64.b64decode(told).decode().partition(":")
    is_known = name in ACCOUNTS and password == PASSWORD
    return (ACCOUNTS[name], None) if is_known else (0, BAD_SIGN_IN)


def _rendered(text: str, ticket: dict[str, Any]) -> str | None:
    """Return a comment as it is kept; None where it fails."""
    text = re.sub(r"\{#.*?#\}", "", text)
    inner = re.findall(r"\{\{(.*?)\}\}", text)
    if any(len(one.split()) != 1 for one in inner):
        return None
    known = {"ticket.title": str(ticket["title"])}
    return re.sub(r"\{\{(.*?)\}\}", lambda m: known.get(m.group(1).strip(), ""), text)
