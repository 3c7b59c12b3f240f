from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk import providing
from helpdesk.config import load_config
from helpdesk.domain.errors import BadInput
from helpdesk.products import load_cards, own_card
from helpdesk.providing import Given, is_provided, provided
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock, Run
from tests.connectors.elsewhere import Elsewhere


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, sample_file: Path, clock: Clock) -> Iterator[list[Given]]:
    """Add a kind of provider, and give what each of it is made of."""
    found: list[Given] = []

    def make(given: Given) -> Elsewhere:
        found.append(given)
        return Elsewhere(TinyFile(sample_file, clock), name=given.name)

    monkeypatch.setitem(providing.KINDS, "northern", make)
    return iter([found])


@pytest.fixture
def settings(places: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        (places / "config").mkdir(exist_ok=True)
        (places / "config" / "helpdesk.toml").write_text(text, "utf-8")

    return write


def test_an_address_names_kind_server_and_account(made: Iterator[list[Given]]) -> None:
    cards = load_cards()

    with provided(load_config({}), "northern+https://desk%40hq@mfa.example:8443/x", cards) as (
        name,
        _,
    ):
        (given,) = next(made)

    assert (given.settings.url, given.settings.user) == ("https://mfa.example:8443/x", "desk@hq")
    assert name == "northern-mfa.example-8443-x"
    assert (given.products, "own" in cards) == ({"": "own"}, True)


def test_a_password_in_an_address_is_refused(made: Iterator[list[Given]]) -> None:
    with (
        pytest.raises(BadInput, match="A password does not belong"),
        provided(load_config({}), "northern+https://desk:hush@mfa.example", {}),
    ):
        pass


@pytest.mark.parametrize("address", ["connectors", "okta+https://a.example", "x+http://localhost"])
def test_addresses_of_providers_are_known(address: str) -> None:
    assert is_provided(address)


@pytest.mark.parametrize("address", ["https://desk.example", "demo", "north.json", "a+b.json"])
def test_other_addresses_are_none(address: str) -> None:
    assert not is_provided(address)


def test_the_product_decides_which_connector(
    made: Iterator[list[Given]],
    settings: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings("""
        [connectors.one]
        kind = "northern"
        url = "https://one.example"
        [connectors.two]
        kind = "northern"
        url = "https://two.example"
        [connectors.idle]
        kind = "northern"
        url = "https://idle.example"
        [products.constant-contact]
        connector = "one"
        [products.sms-2fa]
        connector = "two"
        within = "corp"
        [products.partner-portal]
        connector = "two"
        within = "agencies"
    """)
    monkeypatch.setenv("HELPDESK_SECRET_TWO", "hush")

    with provided(load_config({}), "connectors", load_cards()) as (name, _):
        one, two = next(made)

    assert name == "connectors"
    assert (one.name, one.products) == ("one", {"": "constant-contact"})
    assert two.products == {"corp": "sms-2fa", "agencies": "partner-portal"}
    assert two.secret() == "hush"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "No product names a connector"),
        ('[products.sms-2fa]\nconnector = "gone"', "there is no connector gone"),
        (
            '[connectors.a]\nkind = "sun"\nurl = "https://a.example"\n'
            '[products.sms-2fa]\nconnector = "a"',
            "There is no kind of provider sun",
        ),
        (
            '[connectors.a]\nkind = "northern"\nurl = "https://a.example"\n'
            '[products.moon]\nconnector = "a"',
            "there is no card of that product",
        ),
        (
            '[connectors.a]\nkind = "northern"\nurl = "https://a.example"\n'
            '[products.sms-2fa]\nconnector = "a"\n[products.moon]\nconnector = "a"',
            "is of another product already",
        ),
    ],
)
def test_settings_that_do_not_fit_are_said(
    made: Iterator[list[Given]], settings: Callable[[str], None], text: str, says: str
) -> None:
    settings(text)

    with (
        pytest.raises(BadInput, match=says),
        provided(load_config({}), "connectors", load_cards()),
    ):
        pass


def test_the_card_of_no_document_says_that_nothing_is_documented() -> None:
    card = own_card()

    assert all(not act.documented for act in card.acts.values())
    assert not card.codes.life_s.is_documented


OKTA = """
    [connectors.cc]
    kind = "okta"
    url = "https://northwind.okta.example"
    {more}
    [products.constant-contact]
    connector = "cc"
"""


@pytest.mark.parametrize(
    "more", ["", 'user = "0oaApp"', '[connectors.cc.options]\nforget_devices = "no"']
)
def test_an_okta_is_opened_by_its_settings_without_asking_for_its_secret_yet(
    settings: Callable[[str], None], more: str
) -> None:
    settings(OKTA.replace("{more}", more))

    with provided(load_config({}), "connectors", load_cards()) as (_, provider):
        name = provider.name

    assert name == "cc"


@pytest.mark.parametrize(
    ("option", "says"),
    [("forget = 'no'", "no option forget"), ("forget_devices = 'perhaps'", "is yes or no")],
)
def test_an_option_that_okta_does_not_have_is_said(
    settings: Callable[[str], None], option: str, says: str
) -> None:
    settings(OKTA.replace("{more}", f"[connectors.cc.options]\n{option}"))

    with (
        pytest.raises(BadInput, match=says),
        provided(load_config({}), "connectors", load_cards()),
    ):
        pass


KEYCLOAK = """
    [connectors.kc]
    kind = "keycloak"
    url = "https://id.example"
    {more}
    [products.lead-gen-crm]
    connector = "kc"
    {within}
"""
REALM = 'user = "helpdesk"\n[connectors.kc.options]\nrealm = "northwind"'


def test_a_keycloak_is_opened_by_its_settings(settings: Callable[[str], None]) -> None:
    settings(KEYCLOAK.format(more=REALM, within=""))

    with provided(load_config({}), "connectors", load_cards()) as (_, provider):
        name = provider.name

    assert name == "kc"


@pytest.mark.parametrize(
    ("more", "within", "says"),
    [
        ("", "", "name the realm"),
        ('[connectors.kc.options]\nrealm = "x"', "", "user is the desk's own client"),
        (REALM, 'within = "x"', "all people of kc are of one product"),
    ],
)
def test_settings_of_a_keycloak_that_lack_something_are_said(
    settings: Callable[[str], None], more: str, within: str, says: str
) -> None:
    settings(KEYCLOAK.format(more=more, within=within))

    with (
        pytest.raises(BadInput, match=says),
        provided(load_config({}), "connectors", load_cards()),
    ):
        pass


def test_the_doctor_of_a_file_says_that_it_opens(run: Run) -> None:
    code, out, _ = run("doctor")

    assert (code, out) == (0, "The desk FIXTURE sample.json opens; 9 users can be found at it.\n")


def test_the_doctor_says_what_a_provider_says(made: Iterator[list[Given]], run: Run) -> None:
    code, out, _ = run("doctor", "--json", desk="northern+https://mfa.example")

    assert (code, json.loads(out)) == (0, {"says": ["It answers."]})


@pytest.mark.parametrize(
    ("more", "says"), [('user = "DI1"', ""), ("", "user is the integration key")]
)
def test_a_duo_is_opened_by_its_settings(
    settings: Callable[[str], None], more: str, says: str
) -> None:
    settings(KEYCLOAK.replace('"keycloak"', '"duo"').format(more=more, within=""))
    opened = provided(load_config({}), "connectors", load_cards())

    if says:
        with pytest.raises(BadInput, match=says), opened:
            pass
    else:
        with opened as (_, provider):
            assert provider.name == "kc"
