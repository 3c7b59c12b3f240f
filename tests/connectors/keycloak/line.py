"""The connector on the small Keycloak, with nothing kept between two questions."""

from __future__ import annotations

from helpdesk.connectors.keycloak.api import Keycloak, ServiceAccount
from helpdesk.connectors.keycloak.connector import KeycloakConnector
from tests.labs.keycloak.server import CLIENT, REALM, SECRET, Realm
from tests.labs.small import Wire


def connector(realm: Realm, secret: str = SECRET, name: str = "kc") -> KeycloakConnector:
    """The connector on a realm."""
    account = ServiceAccount(CLIENT, lambda: secret, REALM)
    api = Keycloak("http://127.0.0.1:9", REALM, account, transport=Wire(realm), patience_s=0.0)
    ticks = iter(range(10**9))
    return KeycloakConnector(
        api, name=name, product="lead-gen-crm", elapsed=lambda: 9.0 * next(ticks)
    )
