"""Okta's own client takes the small Okta for an Okta; slow, since it is installed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs.judging import served, verdict
from tests.labs.okta.server import Lab

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "labs" / "okta" / "judge.py"


def test_oktas_own_client_takes_the_small_okta_for_one(tmp_path: Path) -> None:
    lab = Lab()

    with served(lab) as address:
        lab.tenant.org = lab.sign_in.org = address
        said = verdict(
            "okta==3.4.6", SCRIPT, address, tmp_path, OKTA_TESTING_TESTINGDISABLEHTTPSCHECK="true"
        )

    assert "9 questions and acts" in said
    assert lab.tenant.people["00uMayaOkafor0001d6"].factors == []
