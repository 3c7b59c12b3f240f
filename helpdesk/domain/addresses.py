"""Addresses of other machines: which of them a secret may be sent to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from helpdesk.domain.errors import BadInput
from helpdesk.domain.text import clean


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def server_url(url: str, what: str = "a desk") -> str:
    """Return the address of a server: https, or http to this machine; no slash at its end.

    Raises:
        BadInput: It is another, or holds a password, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if is_plain and is_safe and host:
        return url.rstrip("/")
    raise BadInput(
        f"{clean(url, limit=200)}: {what} is reached by https, or by http on this machine only."
    )
