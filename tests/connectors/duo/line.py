"""The connector on the small Duo, with as good as nothing kept between two questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpdesk.connectors.duo.api import Duo
from helpdesk.connectors.duo.connector import DuoConnector
from helpdesk.connectors.duo.signing import Signature
from tests.labs.duo.server import KEY, SECRET, Account
from tests.labs.small import Wire


def connector(
    account: Account,
    secret: str = SECRET,
    name: str = "duo",
    elapsed: Callable[[], float] | None = None,
    **more: Any,
) -> DuoConnector:
    """The connector on an account; *more* is what its signature takes."""
    signer = Signature(KEY, lambda: secret, **more)
    api = Duo("http://127.0.0.1:9", signer, transport=Wire(account), patience_s=0.0)
    ticks = iter(range(10**9))
    return DuoConnector(
        api, name=name, product="constant-contact", elapsed=elapsed or (lambda: 9.0 * next(ticks))
    )
