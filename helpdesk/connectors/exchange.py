"""One exchange with another machine: what is sent, what came back, and how it is read.

Every part that speaks HTTP stands on this, a connector's and the gateway's line alike.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urljoin

import msgspec
from msgspec import Struct

from helpdesk.connectors.bare_httpx import httpx
from helpdesk.domain.errors import DeskRefused, HelpdeskError, OfProvider, Unreachable, Unsettled
from helpdesk.domain.text import clean

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of an answer that are read."""

MOST_UNPACKED: Final = 48 * 1024 * 1024
"""Bytes that an answer may take in memory while it is read, as far as one sees beforehand.

Ten megabytes take forty on their way here; of empty objects they took 267 once read.
"""

LONGEST_S: Final = 86_400.0
"""Seconds beyond which a wait that is asked for is not believed."""

LOOK_AGAIN: Final = "It may be done or not: look at the user again before you repeat it."


T = TypeVar("T")


class Lost(Unreachable):
    """A write was sent, or may have been, and no answer came that says what became of it.

    Attributes:
        told: What was said instead, if anything: it took too long, it could not write.
    """

    def __init__(self, says: str, told: HelpdeskError | None = None) -> None:
        self.told = told
        super().__init__(says)


class NotSignedIn(DeskRefused):
    """The desk's own account or app is not signed in: to ask once more would be of no use."""


class NoRight(OfProvider):
    """The desk's own account may not do that, or the organisation does not have it."""


class Busy(Unreachable):
    """The provider takes no more questions for now.

    Attributes:
        wait_s: Seconds until it does; None where it does not say.
    """

    def __init__(self, says: str, wait_s: float | None = None) -> None:
        self.wait_s = wait_s
        super().__init__(says)


class Request(Struct, frozen=True, kw_only=True):
    """What is sent, for whoever must sign it; *url* is whole, with its query."""

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]


class Answer(Struct, frozen=True, kw_only=True):
    """What came back, of whatever status.

    Attributes:
        who: The provider's name, as a sentence begins with it.
        headers: By lower-case name; of several with one name the values with a comma between.
        request_id: The provider's own number of this exchange, for its support; may be empty.
        is_act: Whether it answers an act: one that cannot be read may have been done.
    """

    who: str
    status: int
    url: str
    body: bytes
    headers: Mapping[str, str]
    request_id: str = ""
    is_act: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether it is a success, by its status."""
        return 200 <= self.status < 300

    @property
    def media(self) -> str:
        """What it says itself that its body is; empty where it does not say."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def ref(self) -> str:
        """The request id as the end of a sentence; empty where there is none."""
        return f" (request {clean(self.request_id, limit=80)})" if self.request_id else ""

    def read(self, kind: type[T]) -> T:
        """Return the JSON of the body as *kind*; keys that nobody asked for are let be.

        Raises:
            Unreachable: It is no JSON, or not of that form; the sentence names the place.
                `Unsettled` where it answers an act.
        """
        self.check_media()
        if unpacked(self.body) > MOST_UNPACKED:
            raise self.odd("with more than can be read at once")
        try:
            return msgspec.json.decode(self.body, type=kind, strict=False)
        except msgspec.ValidationError as error:
            says = clean(str(error), limit=120)
            raise self.odd(f"in a form unknown here: {says}") from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise self.odd("with broken data") from error

    def told(self) -> Any:
        """Return the JSON of the body, whatever it says it is; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def listed(self, *path: str, of: Any = None) -> list[Any]:
        """Return the list that lies at a path of keys; *of* is the body where it was read already.

        Raises:
            Unreachable: There is none.
        """
        found = self.read(object) if of is None else of
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, list):
            raise self.odd("in a form unknown here: no list")
        return found

    def check_media(self) -> None:
        """Raise, as `read` does, where it says itself that it is no JSON."""
        media = self.media
        if media and not (media == "application/json" or media.endswith("+json")):
            what = "a web page" if media == "text/html" else clean(media, limit=60)
            raise self.odd(f"{self.status} with {what}, not data")

    def odd(self, how: str) -> Unreachable:
        """Return the error of an answer that nothing can be learnt from: *how* it answered."""
        says = f"{self.who} answered {how}{self.ref}."
        return Unsettled(f"{says} {LOOK_AGAIN}") if self.is_act else Unreachable(says)


def unpacked(body: bytes) -> int:
    """Return about how many bytes a JSON text takes once it is read, by the values it may hold."""
    return 4 * len(body) + 240 * body.count(b"{") + 80 * body.count(b"[") + 64 * body.count(b",")


def not_taken(
    who: str, why: str, ref: str = "", *, kind: type[DeskRefused] = DeskRefused
) -> DeskRefused:
    """Return the error of a provider that does not take the desk's own account.

    Args:
        who: The provider.
        why: What it says, or what is known; may be empty.
        ref: The end of the sentence that names the request.
        kind: `NotSignedIn` where to ask once more would be of no use.
    """
    reason = clean(why, limit=120).rstrip(".")
    told = f"{who} refused the desk's own account{f': {reason}' if reason else ''}{ref}."
    return kind(f"{told} Tell whoever runs the desk; your own sign-in is not the matter.")


def lines_for(tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return a pool of lines that does not follow the environment."""
    from helpdesk.connectors.sockets import Lines  # noqa: PLC0415  (loads what httpx asks with)

    return Lines(tls)


def client_for(lines: httpx.AsyncBaseTransport, total_s: float) -> httpx.AsyncClient:
    """Return a client that follows neither a redirect nor the environment."""
    return httpx.AsyncClient(
        trust_env=False, follow_redirects=False, timeout=total_s, transport=lines
    )


def trust(authorities: Path | None = None) -> ssl.SSLContext:
    """Return what certificates are held against: the system's, or a file of our own."""
    return ssl.create_default_context(cafile=str(authorities) if authorities else None)


async def read_within(answer: httpx.Response, most: int, who: str = "The desk") -> bytes:
    """Read a body within bounds.

    Raises:
        Unreachable: It is too long, or in a form that was not asked for.
    """
    check_form(answer, who)
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > most:
            raise Unreachable(
                f"{who} answered with too much: more than {max(1, most // 1_048_576)} MB."
            )
    return bytes(body)


def check_form(answer: httpx.Response, who: str = "The desk") -> None:
    """Raise `Unreachable` where an answer is packed: nobody knows how long it is unpacked."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unreachable(f"{who} answered in a form that was not asked for.")


def retry_after(answer: Answer) -> float | None:
    """Return the seconds of `Retry-After`, as a number or as a date; None where it is absent."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:6]), LONGEST_S)
    try:
        at = parsedate_to_datetime(text)
        return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_S)
    except (ValueError, TypeError, OverflowError):
        return None


def next_link(answer: Answer) -> str | None:
    """Return the address of the next page by `Link: <…>; rel="next"`, among several; or None."""
    for address, marks in _LINK.findall(answer.headers.get("link", "")):
        if "rel=next" in marks.replace('"', "").replace(" ", "").lower().split(";"):
            return str(urljoin(answer.url, address))
    return None


_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;[^,<]*)*)")
