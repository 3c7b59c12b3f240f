"""Passkeys at each provider that is served here: shown by name, proving nobody, removed alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.domain.users import FactorKind
from tests.connectors.benches import clock
from tests.connectors.contract.asking import user_of
from tests.connectors.servers import KEY, SERVERS, DuoBench, KeycloakBench, OktaBench

Bench = OktaBench | DuoBench | KeycloakBench


@pytest.fixture(params=SERVERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = SERVERS[request.param](tmp_path)
    yield made
    made.close()


async def test_a_passkey_is_a_factor_with_the_name_of_its_device(bench: Bench) -> None:
    user = await user_of(bench, bench.person("totp", "passkey"))

    assert [factor.kind for factor in user.factors] == [FactorKind.TOTP, FactorKind.PASSKEY]
    assert user.factors[1].to == KEY


async def test_a_passkey_is_removed_and_the_other_factors_stay(bench: Bench) -> None:
    name = bench.person("totp", "passkey", "passkey")
    user = await user_of(bench, name)

    await bench.connector.reset(user, user.factors[1:2], clock())

    left = (await user_of(bench, name)).factors
    assert [factor.id for factor in left] == [user.factors[0].id, user.factors[2].id]


async def test_a_reset_of_all_takes_passkeys_along(bench: Bench) -> None:
    name = bench.person("totp", "passkey")
    user = await user_of(bench, name)

    await bench.connector.reset(user, user.live_factors, clock())
    await bench.connector.reset(user, user.live_factors, clock())

    assert (await user_of(bench, name)).factors == ()
