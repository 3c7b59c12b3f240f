"""Duo's signature, version 5: HMAC over the whole request, in a Basic header.

date, METHOD, host, path, sorted parameters, hash of the body, hash of X-Duo headers ─▶ SHA-512
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, quote, urlsplit

from helpdesk.connectors.exchange import Request


class Signature:
    """Signs each request with the integration's key.

    Args:
        key: The integration key, which names it.
        secret: Gives the secret key when it is first needed.
        clock: The present; Duo takes a date of the last five minutes.
    """

    def __init__(
        self,
        key: str,
        secret: Callable[[], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key, self._secret, self._clock = key, secret, clock

    async def __call__(self, request: Request) -> Mapping[str, str]:
        """Give the headers for one request."""
        date = format_datetime(self._clock().astimezone(UTC))
        return {"Date": date, "Authorization": self.of(request, date)}

    def of(self, request: Request, date: str) -> str:
        """Give the Authorization header of a request at a date."""
        signed = hmac.new(self._secret().encode(), canon(request, date).encode(), hashlib.sha512)
        return f"Basic {base64.b64encode(f'{self._key}:{signed.hexdigest()}'.encode()).decode()}"


def canon(request: Request, date: str) -> str:
    """Give the lines that are signed."""
    parts = urlsplit(request.url)
    pairs = [
        (quote(key, safe="~"), quote(value, safe="~"))
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    lines = (
        date,
        request.method.upper(),
        (parts.hostname or "").lower(),
        parts.path,
        "&".join(f"{key}={value}" for key, value in sorted(pairs)),
        hashlib.sha512(request.body).hexdigest(),
        hashlib.sha512(b"").hexdigest(),
    )
    return "\n".join(lines)
