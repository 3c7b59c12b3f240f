"""Each provider's small server behind a socket that can break, and every question and act on it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from helpdesk.connectors.duo.api import Duo
from helpdesk.connectors.duo.connector import DuoConnector
from helpdesk.connectors.duo.signing import Signature
from helpdesk.connectors.http import Http
from helpdesk.connectors.keycloak.api import Keycloak, ServiceAccount
from helpdesk.connectors.keycloak.connector import KeycloakConnector
from helpdesk.connectors.okta.api import Okta
from helpdesk.connectors.okta.connector import OktaConnector
from helpdesk.connectors.okta.signing import ApiToken
from helpdesk.connectors.privacyidea.connector import PrivacyIdea
from helpdesk.connectors.privacyidea.line import WHO, PiLine, error_of
from helpdesk.domain.proofs import Asking, Grade, Method
from helpdesk.domain.users import Factor, FactorKind, User
from tests.connectors.okta import system_log
from tests.factories import CARDS
from tests.labs.duo import server as duo
from tests.labs.faulty import Faulty, listening
from tests.labs.keycloak import server as keycloak
from tests.labs.okta.server import Lab
from tests.labs.okta.signin import TOKEN
from tests.labs.okta.tenant import Factor as Enrolled
from tests.labs.okta.tenant import Tenant, stamp
from tests.labs.privacyidea import small as pi

Ask = Callable[[Any, User], Awaitable[Any]]
"""Asks or tells a connector something about a user."""


@dataclass
class Plant:
    """A provider's server, and the connector on it.

    Attributes:
        server: The application: `strike` lets its own faults strike.
        line: Its socket.
        user: The id of the user that all is about.
        state: Gives all that acts change, as one value.
        secret: What no sentence may show.
    """

    name: str
    who: str
    server: Any
    line: Faulty
    connector: Any
    user: str
    state: Callable[[], str]
    secret: str

    async def person(self) -> User:
        """Give the user, read now."""
        found: Mapping[str, User] = await self.connector.people([self.user])
        return found[self.user]


def _transport() -> httpx.AsyncHTTPTransport:
    """The network; no certificates are read for it."""
    return httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _ticks() -> Callable[[], float]:
    ticks = iter(range(10**9))
    return lambda: 9.0 * next(ticks)


@contextlib.asynccontextmanager
async def _okta(secret: str) -> AsyncIterator[Plant]:
    lab = Lab()
    async with listening(lab) as (url, line):
        lab.__init__(tenant=Tenant(url))  # type: ignore[misc]
        maya = lab.tenant.people[system_log.USER]
        maya.status = "LOCKED_OUT"
        lab.tenant.tell("user.session.start", maya.id, actor=maya.id)
        lab.tenant.tell("user.mfa.factor.activate", maya.id, actor=maya.id, factor="sms")
        lab.tenant.factor(maya, "gtf1").code = "123456"
        api = Okta(url, ApiToken(lambda: secret or TOKEN), transport=_transport(), patience_s=0.0)
        made = OktaConnector(api, name="okta", products={"": "constant-contact"}, elapsed=_ticks())
        tenant = lab.tenant

        def state() -> str:
            return repr((tenant.people, tenant.outbox))

        yield Plant("okta", "Okta", lab, line, made, f"okta:{maya.id}", state, secret or TOKEN)
        made.close()


@contextlib.asynccontextmanager
async def _duo(secret: str) -> AsyncIterator[Plant]:
    account = duo.Account()
    account.users[duo.USER]["status"] = "locked out"
    account.tell("success", "user_approved")
    account.tell("denied", "user_mistake")
    async with listening(account) as (url, line):
        signer = Signature(duo.KEY, lambda: secret or duo.SECRET)
        api = Duo(url, signer, transport=_transport(), patience_s=0.0)
        made = DuoConnector(api, name="duo", product="constant-contact", elapsed=_ticks())

        def state() -> str:
            return repr((account.users, account.codes, account.pushes))

        user = f"duo:{duo.USER}"
        yield Plant("duo", "Duo", account, line, made, user, state, secret or duo.SECRET)
        made.close()


@contextlib.asynccontextmanager
async def _keycloak(secret: str) -> AsyncIterator[Plant]:
    realm = keycloak.Realm()
    realm.failures[keycloak.USER] = {
        "numFailures": 5, "disabled": True, "failedLoginNotBefore": 4_000_000_000,
    }  # fmt: skip
    realm.credentials[keycloak.USER].append(keycloak.otp("maya-o2"))
    realm.tell("LOGIN", code_id="s1")
    realm.tell("LOGIN_ERROR", error="invalid_user_credentials", credential_type="otp")
    async with listening(realm) as (url, line):
        hush = secret or keycloak.SECRET
        account = ServiceAccount(keycloak.CLIENT, lambda: hush, keycloak.REALM)
        api = Keycloak(url, keycloak.REALM, account, transport=_transport(), patience_s=0.0)
        made = KeycloakConnector(api, name="kc", product="lead-gen-crm", elapsed=_ticks())

        def state() -> str:
            return repr((realm.users, realm.credentials, realm.sessions, realm.failures))

        user = f"kc:{keycloak.USER}"
        yield Plant("keycloak", "Keycloak", realm, line, made, user, state, hush)
        made.close()


@contextlib.asynccontextmanager
async def _privacyidea(secret: str) -> AsyncIterator[Plant]:
    server = pi.SmallPi()
    server.tell("CHALLENGE_TRIGGERED")
    server.tell("LOGIN_SUCCESS")
    server.note("POST /token/init")
    server.note("DELETE /token/<serial>", "GONE1")
    server.lock = {"permanent": True}
    async with listening(server) as (url, line):
        hush = secret or pi.SECRET
        http = Http(url, WHO, errs=error_of, transport=_transport(), patience_s=0.0)

        def clock() -> datetime:
            return datetime.now(UTC)

        made = PrivacyIdea(
            "pi", PiLine(http, pi.ADMIN, lambda: hush, clock), {"": "own"}, clock, fresh_s=0
        )

        def state() -> str:
            return repr((server.tokens, server.sent, server.waiting, server.lock))

        user = f"pi:{pi.LOGIN}@{pi.REALM}"
        yield Plant("privacyidea", WHO, server, line, made, user, state, hush)
        made.close()


PLANTS: Mapping[str, Callable[[str], contextlib.AbstractAsyncContextManager[Plant]]] = {
    "privacyidea": _privacyidea,
    "okta": _okta,
    "duo": _duo,
    "keycloak": _keycloak,
}
"""By provider: its plant, with a secret of its own instead of the right one."""


def planted(name: str, secret: str = "") -> contextlib.AbstractAsyncContextManager[Plant]:
    """Give a provider's plant."""
    return PLANTS[name](secret)


def give_factors(plant: Plant, count: int) -> list[str]:
    """Let the user have so many factors instead; give their ids at the provider."""
    names = [f"F{number:03}" for number in range(count)]
    server = plant.server
    if plant.name == "okta":
        made = [Enrolled(name, "sms", profile={"phoneNumber": "+447700900321"}) for name in names]
        server.tenant.people[system_log.USER].factors = made
    elif plant.name == "duo":
        server.users[duo.USER] |= {"phones": [duo.phone(name) for name in names], "tokens": []}
    elif plant.name == "keycloak":
        server.credentials[keycloak.USER] = [keycloak.otp(name) for name in names]
    else:
        server.tokens = {name: pi.token(name, "sms") for name in names}
    return names


def give_events(plant: Plant, count: int) -> None:
    """Let so many things have happened to the user, seconds apart."""
    server, now = plant.server, _now()
    if plant.name == "okta":
        row = server.tenant.log[0]
        server.tenant.log = [
            row | {"uuid": f"e{n}", "published": stamp(now - timedelta(seconds=n))}
            for n in range(count)
        ]
    elif plant.name == "duo":
        row = server.log[0]
        at = int(now.timestamp())
        server.log = [
            row | {"txid": f"e{n}", "timestamp": at - n, "isotimestamp": None} for n in range(count)
        ]
    elif plant.name == "keycloak":
        row = server.events[0]
        at = int(now.timestamp() * 1000)
        server.events = [row | {"id": f"e{n}", "time": at - n * 1000} for n in range(count)]
    else:
        row = server.log[0]
        server.log = [
            row | {"id": count - n, "timestamp": (now - timedelta(seconds=n)).isoformat()}
            for n in reversed(range(count))
        ]


# -- what is asked and told ------------------------------------------------------------------------

QUESTIONS: Mapping[str, Ask] = {
    "people": lambda on, user: on.people([user.id]),
    "timeline": lambda on, user: on.timeline(user.id),
    "timelines": lambda on, user: on.timelines([user.id]),
    "find-anybody": lambda on, user: on.find([], limit=5),
    "find": lambda on, user: on.find(["maya"], limit=5),
    "named": lambda on, user: on.named(user.login),
    "since": lambda on, user: on.since(_now() - timedelta(hours=1), limit=5),
    "supports": lambda on, user: on.supports(user),
    "inspect": lambda on, user: on.inspect(),
    "refresh": lambda on, user: on.refresh(),
}


def _now() -> datetime:
    return datetime.now(UTC)


def first(user: User, kind: FactorKind) -> Factor:
    """Give a user's first factor of a kind."""
    return next(factor for factor in user.factors if factor.kind is kind)


def _asking(user: User, kind: FactorKind, method: Method) -> Asking:
    return Asking(
        id="p1", user=user.id, agent="dana", ticket="1", method=method, grade=Grade.STRONG,
        channel=first(user, kind).id, at=_now() - timedelta(seconds=1),
    )  # fmt: skip


def _proof(kind: FactorKind, method: Method) -> Ask:
    return lambda on, user: on.ask_proof(user, _asking(user, kind, method), _now())


def _send(on: Any, user: User) -> Awaitable[Any]:
    return on.send_code(  # type: ignore[no-any-return]
        user, first(user, FactorKind.EMAIL), CARDS["constant-contact"], _now()
    )


def _one(on: Any, user: User) -> Awaitable[Any]:
    return on.reset(user, user.live_factors[:1], _now())  # type: ignore[no-any-return]


def _all(on: Any, user: User) -> Awaitable[Any]:
    return on.reset(user, user.live_factors, _now())  # type: ignore[no-any-return]


def _some(on: Any, user: User) -> Awaitable[Any]:
    return on.reset(user, user.live_factors[:-1], _now())  # type: ignore[no-any-return]


COMMON: Mapping[str, Ask] = {
    "reset-one": _one,
    "reset-all": _all,
    "change-address": lambda on, user: on.change_address(user, "new@agency.example", _now()),
    "unlock": lambda on, user: on.unlock(user, _now()),
}
SESSIONS: Mapping[str, Ask] = {"end-sessions": lambda on, user: on.end_sessions(user, _now())}
PASS: Mapping[str, Ask] = {
    "temporary-pass": lambda on, user: on.make_pass(user, _now(), _now() + timedelta(hours=1))
}
PUSH: Mapping[str, Ask] = {"prove-push": _proof(FactorKind.PUSH, Method.PUSH)}
CODE: Mapping[str, Ask] = {
    "send-code": _send,
    "prove-code": _proof(FactorKind.EMAIL, Method.CODE),
}

ACTS: Mapping[str, Mapping[str, Ask]] = {
    "privacyidea": {
        **COMMON, **PASS, **PUSH, **CODE,
        "reset-some": _some,
        "confirm-mobile": lambda on, user: on.send_confirmation(user, "+447700900111", _now()),
        "change-mobile": lambda on, user: on.change_mobile(user, "+447700900111", _now()),
        "replace-lost": lambda on, user: on.replace_lost(
            user, first(user, FactorKind.EMAIL), _now(), _now() + timedelta(days=3)
        ),
        "suspend": lambda on, user: on.suspend(user, first(user, FactorKind.EMAIL), _now()),
        "resume": lambda on, user: on.resume(user, first(user, FactorKind.PUSH), _now()),
        "enrol": lambda on, user: on.begin_totp(user, "Own", _now()),
        "confirm": lambda on, user: on.confirm_totp(user, pi.CODE, _now()),
        "drift": lambda on, user: on.drift(
            user, first(user, FactorKind.TOTP), ["111111", "222222"], _now(), []
        ),
    },
    "okta": {**COMMON, **SESSIONS, **PASS, **PUSH, **CODE, "reset-some": _some},
    "duo": {**COMMON, **PASS, **PUSH},
    "keycloak": {**COMMON, **SESSIONS},
}  # fmt: skip
"""By provider, every act that it can do."""
