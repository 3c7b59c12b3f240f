"""A telephone with the push app, as far as the documented push protocol goes."""

from __future__ import annotations

import base64
import json
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Phone:
    """One telephone, registered for one push token.

    Args:
        server: Where privacyIDEA is.
        scanned: The address in the picture that was scanned, `otpauth://pipush/…`.
    """

    def __init__(self, server: str, scanned: str) -> None:
        said = parse_qs(urlsplit(scanned).query)
        self._url, self.serial = f"{server}/ttype/push", said["serial"][0]
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        own = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._told(
            self._url,
            serial=self.serial,
            enrollment_credential=said["enrollment_credential"][0],
            fbtoken="none",
            pubkey=base64.urlsafe_b64encode(own).decode(),
        )

    def asked(self) -> str:
        """Give the newest question that waits for an answer."""
        now = datetime.now(UTC).isoformat()
        wish = {"serial": self.serial, "timestamp": now}
        wish["signature"] = self._signed(f"{self.serial}|{now}")
        found: list[dict[str, str]] = self._told(f"{self._url}?{urlencode(wish)}")
        return found[-1]["nonce"]

    def answer(self, nonce: str, *, declines: str = "") -> None:
        """Confirm a question, or decline it: `unknown_trigger` says that it was not me."""
        more = {"decline": "1", "decline_reason": declines} if declines else {}
        text = f"{nonce}|{self.serial}" + (f"|decline|{declines}" if declines else "")
        signature = self._signed(text)
        self._told(self._url, serial=self.serial, nonce=nonce, signature=signature, **more)

    def _signed(self, text: str) -> str:
        mark = self._key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return base64.b32encode(mark).decode()

    def _told(self, url: str, **form: str) -> Any:
        data = urlencode(form).encode() if form else None
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
            return json.load(answer)["result"]["value"]
