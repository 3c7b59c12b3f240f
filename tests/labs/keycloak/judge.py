"""`python-keycloak` against a server that claims to be Keycloak: `judge.py http://127.0.0.1:…`.

Not imported by anything: it runs in an environment that has the client, which asserts each status.
"""

from __future__ import annotations

import sys
from typing import Any

USER = "7f1c5a5e-0001-4000-8000-000000000001"


def main(address: str) -> None:
    from keycloak import KeycloakAdmin  # type: ignore[import-not-found]  # noqa: PLC0415
    from keycloak.exceptions import (  # type: ignore[import-not-found]  # noqa: PLC0415
        KeycloakGetError,
    )

    admin: Any = KeycloakAdmin(
        server_url=address,
        realm_name="northwind",
        client_id="helpdesk",
        client_secret_key="desk-secret-of-the-lab",
    )
    assert [user["id"] for user in admin.get_users({"search": "oka"})] == [USER]
    assert admin.get_user_id("maya") == USER
    assert admin.users_count() == 1
    status = 0
    try:
        admin.get_user("nobody")
    except KeycloakGetError as error:
        status = error.response_code
    assert status == 404, status
    kinds = [one["type"] for one in admin.get_credentials(USER)]
    assert kinds == ["password", "otp"], kinds
    admin.delete_credential(USER, "maya-o1")
    whole = admin.get_user(USER)
    admin.update_user(USER, {**whole, "requiredActions": ["CONFIGURE_TOTP"]})
    assert admin.get_user(USER)["requiredActions"] == ["CONFIGURE_TOTP"]
    assert len(admin.get_sessions(USER)) == 2
    admin.user_logout(USER)
    assert admin.get_sessions(USER) == []
    assert admin.get_bruteforce_detection_status(USER)["disabled"] is False
    admin.clear_bruteforce_attempts_for_user(USER)
    assert [event["type"] for event in admin.get_events({"user": USER})] == ["LOGIN"]
    sys.stdout.write("13 questions and acts\n")


if __name__ == "__main__":
    main(sys.argv[1])
