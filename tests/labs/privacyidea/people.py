"""Who is in the lab, and what each desk account may do there."""

from __future__ import annotations

from typing import NamedTuple

PASSWORD = "Correct-Horse-9"
"""Everybody's own, in the lab."""


class Person(NamedTuple):
    """One user of the realm `corp`."""

    login: str
    given: str
    surname: str
    mail: str
    mobile: str


PEOPLE = (
    Person("alice", "Alice", "Nguyen", "alice@example.test", "+447700900201"),
    Person("bob", "Bob", "Okafor", "bob@example.test", "+447700900202"),
    Person("carol", "Carol", "Meyer", "carol@example.test", "+447700900203"),
    Person("dave", "Dave", "Silva", "dave@example.test", "+447700900204"),
    Person("erin", "Erin", "O'Brien", "erin@example.test", "+447700900205"),
    Person("zoë", "Zoë", "Ångström", "zoe@example.test", "+46700900206"),
    Person("nora", "Nora", "Bare", "nora@example.test", ""),
    *(
        Person(f"p{n:03}", "Pat", f"Number{n:03}", f"p{n:03}@example.test", f"+4477009{n:05}")
        for n in range(1, 251)
    ),
)
"""The people by name, and as many without a story as tests want one each."""

READ = (
    "userlist", "tokenlist", "auditlog", "authentication_log_read", "getchallenges",
    "user_lock_read", "blocklist_read",
)  # fmt: skip
"""Rights of an account that only looks."""

ACT = (
    "enable", "disable", "reset", "resync", "delete", "set", "settokeninfo", "setdescription",
    "losttoken", "triggerchallenge", "cancelchallenge", "user_lock_set", "user_lock_reset",
    "enrollpin", "enrollHOTP", "enrollTOTP", "enrollSMS", "enrollEMAIL", "enrollPUSH",
    "enrollREGISTRATION", "enrollPW",
)  # fmt: skip
"""Rights of the desk's own account beside those."""

DESKS = {"desk": (*READ, *ACT), "viewer": READ}
"""The accounts of desks and their rights."""
