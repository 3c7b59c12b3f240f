"""Okta's own Python client against a server that claims to be Okta: `judge.py http://127.0.0.1:…`.

Not imported by anything: it runs in an environment that has the client.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

USER = "00uMayaOkafor0001d6"


async def main(address: str) -> None:
    from okta.client import Client  # type: ignore[import-not-found]  # noqa: PLC0415

    client: Any = Client({"orgUrl": address, "token": "00aDeskTokenOfTheLab"})
    users, _, error = await client.list_users(q="may")
    assert error is None, error
    assert [user.id for user in users] == [USER], users
    user, _, error = await client.get_user("maya@agency.example")
    assert error is None, error
    assert user.profile.login == "maya@agency.example"
    _, _, error = await client.get_user("nobody@agency.example")
    assert "E0000007" in str(error), error
    factors, _, error = await client.list_factors(USER)
    assert error is None, error
    assert len(factors) == 6, factors
    _, _, error = await client.unenroll_factor(USER, "emf1")
    assert error is None, error
    *_, error = await client.reset_factors(USER)
    assert error is None, error
    factors, _, error = await client.list_factors(USER)
    assert error is None, error
    assert factors == [], factors
    *_, error = await client.revoke_user_sessions(USER)
    assert error is None, error
    rows, _, error = await client.list_log_events()
    assert error is None, error
    kinds = [row.event_type for row in rows]
    assert "user.mfa.factor.reset_all" in kinds, kinds
    sys.stdout.write(f"9 questions and acts; {len(rows)} rows of the log\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
