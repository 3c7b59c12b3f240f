"""Duo's own client asks our small Duo: what it reads there, the connector may be tested on."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from duo_client.admin import Admin

from tests.labs.duo.server import KEY, SECRET, USER, Account
from tests.labs.judging import served


def client(address: str, secret: str = SECRET) -> Admin:
    parts = urlsplit(address)
    return Admin(ikey=KEY, skey=secret, host=parts.hostname, port=parts.port, ca_certs="HTTP")


def test_duos_own_client_finds_its_way_around_our_small_duo() -> None:
    account = Account()
    account.tell("denied", "no_response")
    now = int(time.time() * 1000)

    with served(account) as address:
        duo = client(address)
        by_name = duo.get_users_by_name("maya")
        by_mail = duo.get_user_by_email("maya@agency.example")
        whole = duo.get_user_by_id(USER)
        page = duo.get_users(limit=1)
        codes = duo.add_user_bypass_codes(USER, count=2, valid_secs=60, preserve_existing="true")
        push = duo.send_verification_push(USER, whole["phones"][0]["phone_id"])
        answered = duo.get_verification_push_response(USER, push["push_id"])
        duo.delete_user_phone(USER, whole["phones"][0]["phone_id"])
        duo.delete_user_token(USER, whole["tokens"][0]["token_id"])
        changed = duo.update_user(USER, status="active", email="new@agency.example")
        log = duo.get_authentication_log(api_version=2, mintime=now - 900_000, maxtime=now)

    assert [[user["user_id"] for user in found] for found in (by_name, by_mail, page)] == [
        [USER]
    ] * 3
    assert (len(codes), len(account.codes[USER])) == (2, 3)
    assert answered["result"] == "waiting"
    assert (changed["phones"], changed["tokens"], changed["email"]) == (
        [],
        [],
        "new@agency.example",
    )
    assert [row["reason"] for row in log["authlogs"]] == ["no_response"]


def test_duos_own_client_is_refused_with_another_secret_and_for_nobody() -> None:
    with served(Account()) as address:
        with pytest.raises(RuntimeError, match="Received 401 Invalid signature"):
            client(address, "another").get_users()
        with pytest.raises(RuntimeError, match="Received 404"):
            client(address).get_user_by_id("DU no/body")
