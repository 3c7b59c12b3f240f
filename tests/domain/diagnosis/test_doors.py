"""Which product a page belongs to is read from its address, by names and not by whole addresses."""

from __future__ import annotations

import pytest

from helpdesk.domain.diagnosis.doors import is_of
from tests.domain.diagnosis.stories import AC, CC, LG, PP, SMS
from tests.domain.diagnosis.telling import Told, ids, row, settled
from tests.factories import CARDS


@pytest.mark.parametrize(
    ("product", "door"),
    [
        (AC, "https://www.activecampaign.com/partner/login"),
        (CC, "https://app.sharpspring.com/login"),
        (CC, "https://leadgen.constantcontact.com/login"),
        (CC, "https://crm.constantcontact.com/"),
        (LG, "https://login.constantcontact.com/login/"),
        (SMS, "https://www.activecampaign.com/login"),
        (PP, "https://affiliates.activecampaign.com/dashboard"),
        (PP, "https://www.activecampaign.com/affiliate/login"),
    ],
)
def test_a_password_refused_at_the_door_of_another_product_is_the_wrong_door(
    product: str, door: str
) -> None:
    tries = [row(9 - n, "password", ok=False, door=door) for n in range(3)]
    told = Told(product, "no-code", tries)

    verdict = told.verdict

    assert ids(verdict, 1) == ["E6"]


@pytest.mark.parametrize(
    ("product", "door"),
    [
        (PP, "https://www.activecampaign.com/login"),
        (PP, "https://www.activecampaign.com/partner/login"),
        (AC, "https://riverbend.activehosted.com/admin/"),
        (CC, "https://login.constantcontact.com/login/"),
        (LG, "https://app.sharpspring.com/login"),
        (LG, "https://leadgen.constantcontact.com/login"),
        (SMS, "https://login.mailplatform.example/"),
        (SMS, ""),
    ],
)
def test_the_product_s_own_doors_belong_to_no_other(product: str, door: str) -> None:
    others = [card.id for card in CARDS.values() if is_of(door, card, CARDS[product])]

    assert not others


def test_a_refused_password_at_the_own_door_is_no_wrong_door() -> None:
    door = "https://login.constantcontact.com/login/"
    told = Told(
        CC,
        "no-code",
        [*settled(door=door), *[row(n, "password", ok=False, door=door) for n in (9, 8)]],
    )

    verdict = told.verdict

    assert ids(verdict, 1) == ["C11"]
