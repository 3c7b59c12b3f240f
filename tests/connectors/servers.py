"""Benches on our small Okta, Duo and Keycloak: in memory, and what was asked is kept."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from helpdesk.connectors.base import Provider
from helpdesk.domain.users import User
from helpdesk.service.provided import ProvidedDirectory
from tests.connectors.benches import clock, record_at
from tests.connectors.duo.line import connector as duo
from tests.connectors.keycloak.line import connector as keycloak
from tests.connectors.okta.line import connector as okta
from tests.labs.duo.server import Account, phone
from tests.labs.keycloak.server import Realm, otp, passkey
from tests.labs.okta.server import Lab
from tests.labs.okta.tenant import Factor, Person

NAME = "lab"
"""What the settings call each of them; ids of its people begin so."""

KEY = "MacBook Touch ID"
"""What the passkeys of their people are called."""

S = TypeVar("S", bound=Lab | Account | Realm)


class Served(Generic[S]):
    """A provider's small server, and the connector on it.

    Attributes:
        server: It; `strike` lets a fault strike there, `asked` is what was asked.
    """

    product = "constant-contact"

    def __init__(self, server: S, provider: Provider, place: Path) -> None:
        self.server: S = server
        self.connector = provider
        self.file = place / "own" / "lab.json"
        self.store = record_at(self.file)
        self.directory = ProvidedDirectory(provider, self.store)
        self._numbers = itertools.count(900)

    def close(self) -> None:
        self.connector.close()

    def asked(self) -> int:
        return len(self.server.asked)

    async def code(self, user: User, asked: Any = None) -> str:
        raise AssertionError("it sends no codes")

    def app_code(self, factor: str, ahead_s: int = 0) -> str:
        return f"{secrets.randbelow(1_000_000):06}"

    def sent_to(self, address: str) -> int:
        return 0


class OktaBench(Served[Lab]):
    """A small Okta."""

    kinds = ("email", "sms", "totp")

    def __init__(self, place: Path) -> None:
        lab = Lab()
        super().__init__(lab, okta(lab, name=NAME), place)

    def person(self, *kinds: str) -> str:
        number = next(self._numbers)
        name, login = f"00uNumber{number}", f"p{number}"
        mobile, mail = f"+4477009{number:05}", f"{login}@example.test"
        to = {
            "email": ("email", "OKTA", {"email": mail}),
            "sms": ("sms", "OKTA", {"phoneNumber": mobile}),
            "totp": ("token:software:totp", "GOOGLE", {"credentialId": login}),
            "passkey": ("webauthn", "FIDO", {"authenticatorName": KEY, "credentialId": "AHoO"}),
        }
        factors = []
        for n, kind in enumerate(kinds, 1):
            native, vendor, profile = to[kind]
            factors.append(Factor(f"{login}f{n}", native, vendor, profile=dict(profile)))
        self.server.tenant.add(
            Person(
                id=name, login=f"{login}@agency.example", first="Pat", last=f"Number{number}",
                email=mail, mobile=mobile, factors=factors,
            )
        )  # fmt: skip
        return f"{NAME}:{name}"

    async def code(self, user: User, asked: Any = None) -> str:
        native = user.id.partition(":")[2]
        return [code for who, _, code in self.server.tenant.outbox if who == native][-1]

    def app_code(self, factor: str, ahead_s: int = 0) -> str:
        people = self.server.tenant.people.values()
        found = next(f for person in people for f in person.factors if f.id == factor)
        found.code = f"{secrets.randbelow(1_000_000):06}"
        return found.code

    async def lock(self, user: str) -> None:
        person = self.server.tenant.person(user.partition(":")[2])
        person.status = "LOCKED_OUT"
        self.server.tenant.tell("user.account.lock", person.id, actor=person.id)

    def sent_to(self, address: str) -> int:
        return self.server.tenant.sent_to.count(address)


class DuoBench(Served[Account]):
    """A small Duo."""

    kinds = ("sms", "totp")

    def __init__(self, place: Path) -> None:
        account = Account()
        super().__init__(account, duo(account, name=NAME), place)

    def person(self, *kinds: str) -> str:
        number = next(self._numbers)
        name, login = f"DUNUMBER{number:012}", f"p{number}"
        self.server.join(name, login, f"Pat Number{number}")
        mobile = f"+4477009{number:05}"
        named = [*enumerate(kinds, 1)]
        self.server.users[name] |= {
            "phones": [
                phone(f"DP{number}N{n}", number=mobile, capabilities=["sms", "phone"])
                for n, kind in named
                if kind == "sms"
            ],
            "tokens": [
                {"token_id": f"DH{number}N{n}", "serial": f"{number}{n}", "type": "h6"}
                for n, kind in named
                if kind == "totp"
            ],
            "webauthncredentials": [
                {"webauthnkey": f"WA{number}N{n}", "credential_name": KEY, "label": "Touch ID"}
                for n, kind in named
                if kind == "passkey"
            ],
        }
        return f"{NAME}:{name}"

    async def lock(self, user: str) -> None:
        native = user.partition(":")[2]
        self.server.users[native]["status"] = "locked out"
        whose = {"key": native, "name": self.server.users[native]["username"], "groups": []}
        self.server.tell("denied", "locked_out", user=whose)


class KeycloakBench(Served[Realm]):
    """A small Keycloak."""

    product = "lead-gen-crm"
    kinds = ("totp",)

    def __init__(self, place: Path) -> None:
        realm = Realm()
        super().__init__(realm, keycloak(realm, name=NAME), place)

    def person(self, *kinds: str) -> str:
        number = next(self._numbers)
        name, login = f"7f1c5a5e-0002-4000-8000-{number:012}", f"p{number}"
        self.server.join(name, login, "Pat", f"Number{number}")
        password = self.server.credentials[name][:1]
        made = [
            passkey(f"{login}-w{n}", KEY) if kind == "passkey" else otp(f"{login}-o{n}")
            for n, kind in enumerate(kinds, 1)
        ]
        self.server.credentials[name] = [*password, *made]
        return f"{NAME}:{name}"

    async def lock(self, user: str) -> None:
        native = user.partition(":")[2]
        until = int((clock() + timedelta(minutes=5)).timestamp())
        self.server.failures[native] = {
            "numFailures": 5, "numSecondaryAuthFailures": 3, "disabled": True,
            "failedLoginNotBefore": until,
        }  # fmt: skip
        self.server.tell("LOGIN_ERROR", native, error="user_temporarily_disabled")


SERVERS: Mapping[str, Callable[[Path], OktaBench | DuoBench | KeycloakBench]] = {
    "okta": OktaBench,
    "duo": DuoBench,
    "keycloak": KeycloakBench,
}
"""Our own small servers, of providers that cannot be had here."""
