"""Providers that people are kept at, as settings and command line name them.

privacyidea+https://desk@server   one provider, by its address
connectors                        all that [products.*] name, each with its part of the people
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from helpdesk.config import CONNECTORS, Behind, Config, config_directory
from helpdesk.connectors.base import Provider
from helpdesk.domain.errors import BadInput
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.products import load_cards, own_card


def clock() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


class Given(Struct, frozen=True, kw_only=True):
    """All that a connector is made of.

    Attributes:
        name: What the settings call it; ids of its users begin with it.
        secret: Gives the password or the token, when it is first needed.
        products: By part of its people (realm, group …; empty for all) the product they are of.
        authorities: A file of certificates to trust instead of the system's.
    """

    name: str
    settings: Behind
    secret: Callable[[], str]
    products: Mapping[str, str]
    authorities: Path | None


def _okta(given: Given) -> Provider:
    from helpdesk.connectors.okta.api import Okta  # noqa: PLC0415
    from helpdesk.connectors.okta.connector import OktaConnector  # noqa: PLC0415
    from helpdesk.connectors.okta.signing import (  # noqa: PLC0415
        SCOPES,
        ApiToken,
        ServiceApp,
        Signer,
    )

    options = _options(given, "forget_devices", "scopes")
    scopes = options.get("scopes", "").split() or SCOPES
    app = given.settings.user
    signer: Signer = ServiceApp(app, given.secret, scopes) if app else ApiToken(given.secret)
    return OktaConnector(
        Okta(given.settings.url, signer, authorities=given.authorities),
        name=given.name,
        products=given.products,
        forgets_devices=_is_yes(given, "forget_devices", usually=True),
    )


def _keycloak(given: Given) -> Provider:
    from helpdesk.connectors.keycloak.api import Keycloak, ServiceAccount  # noqa: PLC0415
    from helpdesk.connectors.keycloak.connector import KeycloakConnector  # noqa: PLC0415

    realm = _options(given, "realm").get("realm", "")
    if not realm:
        raise BadInput(f"[connectors.{given.name}.options]: name the realm.")
    if not given.settings.user:
        raise BadInput(f"[connectors.{given.name}]: user is the desk's own client there.")
    account = ServiceAccount(given.settings.user, given.secret, realm)
    api = Keycloak(given.settings.url, realm, account, authorities=given.authorities)
    return KeycloakConnector(api, name=given.name, product=_only_product(given))


def _duo(given: Given) -> Provider:
    from helpdesk.connectors.duo.api import Duo  # noqa: PLC0415
    from helpdesk.connectors.duo.connector import DuoConnector  # noqa: PLC0415
    from helpdesk.connectors.duo.signing import Signature  # noqa: PLC0415

    _options(given)
    if not given.settings.user:
        raise BadInput(f"[connectors.{given.name}]: user is the integration key.")
    signer = Signature(given.settings.user, given.secret)
    api = Duo(given.settings.url, signer, authorities=given.authorities)
    return DuoConnector(api, name=given.name, product=_only_product(given))


def _only_product(given: Given) -> str:
    """Give the product of a provider whose people are all of one.

    Raises:
        BadInput: The settings part them.
    """
    product = given.products.get("")
    if product is None:
        raise BadInput(f"[products]: all people of {given.name} are of one product, no within.")
    return product


def _options(given: Given, *known: str) -> dict[str, str]:
    """Give what only this kind of provider is told.

    Raises:
        BadInput: One of them is unknown.
    """
    unknown = given.settings.options.keys() - set(known)
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise BadInput(
            f"[connectors.{given.name}]: there is no option {clean(min(unknown))}; "
            f"there is {there}."
        )
    return given.settings.options


def _is_yes(given: Given, option: str, *, usually: bool) -> bool:
    said = given.settings.options.get(option, "yes" if usually else "no").strip().lower()
    if said not in {"yes", "no"}:
        raise BadInput(f"[connectors.{given.name}]: {option} is yes or no.")
    return said == "yes"


def _privacyidea(given: Given) -> Provider:
    from helpdesk.connectors.http import Http  # noqa: PLC0415
    from helpdesk.connectors.privacyidea.connector import PrivacyIdea  # noqa: PLC0415
    from helpdesk.connectors.privacyidea.line import WHO, PiLine, error_of  # noqa: PLC0415

    _options(given)
    url = given.settings.url
    http = Http(url, WHO, errs=error_of, authorities=given.authorities)
    line = PiLine(http, given.settings.user, given.secret, clock)
    return PrivacyIdea(given.name, line, given.products, clock)


KINDS: Final[dict[str, Callable[[Given], Provider]]] = {
    "duo": _duo,
    "keycloak": _keycloak,
    "okta": _okta,
    "privacyidea": _privacyidea,
}
"""What makes a connector, by kind; each imports what it needs when it is called."""


def is_provided(address: str) -> bool:
    """Whether a desk's address means providers: `connectors`, or `kind+https://…`."""
    return address == CONNECTORS or bool(_DIRECT.match(address))


_DIRECT = re.compile(r"([a-z][a-z0-9-]*)\+(https?://.*)", re.DOTALL)


@contextlib.contextmanager
def provided(
    config: Config, address: str, cards: dict[str, Product]
) -> Iterator[tuple[str, Provider]]:
    """Give the provider that an address means, and the name of the desk's own record.

    A product that no card describes gets the desk's own card, which is put among *cards*.

    Raises:
        BadInput: The settings are wrong, or there is no such kind of provider.
    """
    behind, placed = _settings(config, address)
    name = CONNECTORS if address == CONNECTORS else _record_name(behind)
    made = [_made(config, one, behind[one], placed[one], cards) for one in behind]
    provider = made[0]
    if len(made) > 1:
        from helpdesk.connectors.several import Several  # noqa: PLC0415

        provider = Several(made)
    try:
        yield name, provider
    finally:
        provider.close()


class People(Struct, frozen=True, kw_only=True):
    """People that are kept at a provider.

    Attributes:
        name: What the desk's own record of them is called.
        cards: Those of the products they are of, and all others.
    """

    name: str
    provider: Provider
    cards: dict[str, Product]


@contextlib.contextmanager
def people_at(config: Config, desk: str) -> Iterator[People]:
    """Give the people of a desk that is served: by a provider's address, `connectors`, a profile.

    Raises:
        BadInput: The settings are wrong, or it is no desk of a provider's.
    """
    profile = config.profiles.get(desk)
    address = profile.desk if profile else desk
    if not is_provided(address):
        raise BadInput(
            f"serve --desk takes a provider or connectors, not {clean(address, limit=200)}: a "
            "fixture is taken in with --import, and a desk over HTTP is served already."
        )
    cards = load_cards(config_directory() / "products")
    with provided(config, address, cards) as (name, provider):
        yield People(name=name, provider=provider, cards=cards)


def _settings(config: Config, address: str) -> tuple[dict[str, Behind], dict[str, dict[str, str]]]:
    """Return the connectors that are meant, and what product each part of their people is of."""
    direct = _DIRECT.match(address)
    if direct:
        kind, url = direct.groups()
        return {kind: _direct(kind, url)}, {kind: {}}
    placed: dict[str, dict[str, str]] = {}
    for product, place in config.products.items():
        parts = placed.setdefault(place.connector, {})
        if place.within in parts:
            part = f"{clean(place.connector)}{f', {clean(place.within)}' * bool(place.within)}"
            raise BadInput(f"[products.{clean(product)}]: {part} is of another product already.")
        parts[place.within] = product
    unknown = placed.keys() - config.connectors.keys()
    if unknown:
        raise BadInput(f"[products]: there is no connector {clean(min(unknown))}.")
    if not placed:
        raise BadInput(
            "No product names a connector: [products.<product>] connector = … in helpdesk.toml."
        )
    return {name: config.connectors[name] for name in placed}, placed


def _direct(kind: str, url: str) -> Behind:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInput(f"{clean(url, limit=200)} is no address: {clean(str(error))}.") from error
    if parts.password is not None:
        raise BadInput("A password does not belong into an address, which others can see.")
    bare = f"[{host}]" if ":" in host else host
    place = f"{bare}:{port}" if port else bare
    plain = urlunsplit((parts.scheme, place, parts.path, "", ""))
    return Behind(kind=kind, url=plain, user=unquote(parts.username or ""))


def _record_name(behind: Mapping[str, Behind]) -> str:
    """Return what the record of a provider that was named by its address is called."""
    ((kind, settings),) = behind.items()
    place = urlsplit(settings.url)
    return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{kind}-{place.netloc}{place.path}").strip("-")[:100]


def _made(
    config: Config,
    name: str,
    settings: Behind,
    placed: dict[str, str],
    cards: dict[str, Product],
) -> Provider:
    from helpdesk.connectors.secrets import secret_of  # noqa: PLC0415

    if settings.kind not in KINDS:
        there = ", ".join(sorted(KINDS)) or "none yet"
        raise BadInput(f"There is no kind of provider {clean(settings.kind)}; there is {there}.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise BadInput(f"[connectors.{clean(name)}]: a name has small letters, digits and dashes.")
    missing = [product for product in placed.values() if product not in cards]
    if missing:
        raise BadInput(f"[products.{clean(missing[0])}]: there is no card of that product.")
    if not placed:
        own = own_card()
        cards.setdefault(own.id, own)
        placed = {"": own.id}
    file = Path(settings.secret_file).expanduser() if settings.secret_file else None
    given = Given(
        name=name,
        settings=settings,
        secret=lambda: secret_of(name, os.environ, file),
        products=placed,
        authorities=Path(config.authorities).expanduser() if config.authorities else None,
    )
    return KINDS[settings.kind](given)
