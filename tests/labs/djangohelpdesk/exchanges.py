"""What a django-helpdesk is asked, one after the other, so that two of them can be held together.

python -m tests.labs.djangohelpdesk record     writes down what the real one answers
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).with_name("recorded.json")

Asked = Callable[[str, str, Any, str], tuple[int, Any]]
"""Gives status and answer to verb, path, body and account; `+` after an account: another password.
"""

_NEW: Final = {"queue": 1, "title": "No code", "description": "Help.", "priority": 3}
_MAIL: Final = "ann@customers.example"
_LIST: Final = "tickets/?status=1,2&page_size=2"

ASKS: Final[tuple[tuple[str, str, Any, str], ...]] = (
    ("GET", "tickets/", None, ""),
    ("GET", "tickets/", None, "desk+"),
    ("GET", "tickets/", None, "nobody"),
    ("OPTIONS", "tickets/", None, "desk"),
    ("POST", "tickets/", {**_NEW, "submitter_email": _MAIL}, "rex"),
    ("POST", "tickets/", {**_NEW, "submitter_email": "ann"}, "rex"),
    ("POST", "tickets/", {**_NEW, "submitter_email": _MAIL, "queue": 99}, "rex"),
    ("POST", "followups/", {"ticket": 1, "comment": "No title.", "public": False}, "desk"),
    ("POST", "followups/", {"ticket": 1, "comment": "{{ ticket.title }} {# a #} {% b %}"}, "desk"),
    ("POST", "followups/", {"ticket": 1, "comment": "{{ a b }}"}, "desk"),
    ("POST", "followups/", {"ticket": 1, "comment": "{ { a b }} { # c #} # 1"}, "desk"),
    ("POST", "followups/", {"ticket": 99, "comment": "Nowhere."}, "desk"),
    ("POST", "followups/", {"ticket": 1, "comment": "Hm.", "title": "Another title"}, "desk"),
    ("GET", "tickets/1/", None, "desk"),
    ("PATCH", "tickets/1/", {"assigned_to": 1}, "desk"),
    ("POST", "followups/", {"ticket": 1, "comment": "Done.", "new_status": 4}, "desk"),
    ("GET", "tickets/1/", None, "desk"),
    ("GET", "tickets/99/", None, "desk"),
    ("POST", "tickets/", {**_NEW, "submitter_email": _MAIL}, "rex"),
    ("POST", "tickets/", {**_NEW, "submitter_email": _MAIL}, "rex"),
    ("POST", "tickets/", {**_NEW, "submitter_email": _MAIL}, "rex"),
    ("GET", _LIST, None, "desk"),
    ("GET", f"{_LIST}&page=2", None, "desk"),
    ("GET", "tickets/?status=9&page_size=1", None, "desk"),
)


def answers(asked: Asked) -> list[dict[str, Any]]:
    """Give what is answered to each, without dates, hosts and what nobody here reads."""
    found = []
    for method, path, body, account in ASKS:
        status, answer = asked(method, path, body, account)
        told = {"asked": f"{method} {path}", "by": account, "body": body, "status": status}
        found.append(told | {"answer": _plain(answer) if status < 500 else None})
    return found


def recorded() -> list[dict[str, Any]]:
    """Give what the real one answered when it was last written down."""
    found: list[dict[str, Any]] = json.loads(RECORDED.read_text("utf-8"))
    return found


def _plain(answer: Any) -> Any:
    if isinstance(answer, dict) and "actions" in answer:
        return {"actions": {"POST": {"status": {"choices": _choices(answer)}}}}
    text = re.sub(r"https?://[^/\"]+", "", json.dumps(answer))
    return json.loads(re.sub(r'"date": "[^"]*"', '"date": ""', text))


def _choices(answer: Any) -> Any:
    return answer["actions"]["POST"]["status"]["choices"]
