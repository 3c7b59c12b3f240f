"""Lines that fail, cheat and lead astray, each tried with the product's own clients.

What must hold: it ends in time, in a sentence; memory grows by at most 50 MB; no token goes to
anybody but whom it is for; nothing lives longer than it should, whoever sets the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.x509.oid import ExtendedKeyUsageOID

from helpdesk.connectors.exchange import Request, next_link
from helpdesk.connectors.http import Http
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.issuers import Provider
from helpdesk.gateway.line import Line
from tests.gateway.serving import Spoken
from tests.reliability.hostile import HOUR, YEAR, Authority, Hostile, head, said
from tests.reliability.rows import Tried
from tests.reliability.stepping import tries as clock_tries

TOKEN: Final = "the-one-secret-of-this-line"
"""What no stranger may hear."""

TOTAL_S: Final = 0.3
"""Seconds one try may take here."""

ENDS_S: Final = 8.0
"""Seconds in which all is over, several tries and the waits between them included."""

MOST_MB: Final = 50.0
"""MB by which a process may grow, whatever it is sent."""

MB: Final = 1_048_576

Asks = Callable[[str, Path | None], Awaitable[object]]
"""Asks a server at an address, as a part of the product does; trusts a file of certificates."""


async def _signed(_: Request) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


async def _by_http(url: str, authorities: Path | None, *, is_act: bool = False) -> object:
    with contextlib.closing(
        Http(url, "Northern", signs=_signed, authorities=authorities, total_s=TOTAL_S, tries=2)
    ) as http:
        answer = await http.ask("POST" if is_act else "GET", "/things", is_act=is_act)
        return answer.read(dict[str, Any])


async def _acted(url: str, authorities: Path | None) -> object:
    return await _by_http(url, authorities, is_act=True)


async def _paged(url: str, authorities: Path | None) -> object:
    with contextlib.closing(
        Http(url, "Northern", signs=_signed, authorities=authorities, total_s=TOTAL_S, tries=2)
    ) as http:
        answer = await http.ask("GET", "/things")
        led = next_link(answer) or answer.read(dict[str, Any])["next"]
        return (await http.ask("GET", str(led))).read(dict[str, Any])


def _line(url: str, authorities: Path | None) -> Line:
    return Line(url, Spoken(TOKEN), authorities=authorities, total_s=TOTAL_S, budget_s=2.0, tries=2)


async def _asked(url: str, authorities: Path | None) -> object:
    line = _line(url, authorities)
    try:
        return json.loads((await line.ask("GET", "/v1/desk", values={})).body)
    finally:
        await line.close()


async def _wrote(url: str, authorities: Path | None) -> object:
    line = _line(url, authorities)
    try:
        return await line.ask("POST", "/v1/actions", values={"a": 1}, is_write=True)
    finally:
        await line.close()


async def _followed(url: str, authorities: Path | None) -> object:
    line = _line(url, authorities)
    try:
        async with line.stream("/v1/events", {}) as lines:
            async with asyncio.timeout(TOTAL_S * 4):
                return [each async for each in lines]
    finally:
        await line.close()


async def _signed_in(url: str, authorities: Path | None) -> object:
    return await Provider(url, authorities=authorities).metadata()


async def _renewed(url: str, authorities: Path | None) -> object:
    status, body = await Provider(url, authorities=authorities).post(
        f"{url}/token", {"refresh_token": TOKEN}
    )
    if status != 200:
        raise HelpdeskError(f"{status}")
    return body


CLIENTS: Final[dict[str, Asks]] = {
    "a question to a provider": _by_http,
    "an act at a provider": _acted,
    "a question to the desk": _asked,
    "a write to the desk": _wrote,
    "a stream of the desk": _followed,
    "a refresh at an issuer": _renewed,
}


def _drips(first: bytes, wait_s: float = 0.02, part: bytes = b"x") -> Any:
    """Return what says something at once, and the rest a byte at a time without end."""

    def answer(line: Any, _: bytes, over: threading.Event) -> None:
        line.sendall(first)
        while not over.wait(wait_s):
            line.sendall(part)

    return answer


def _pours(first: bytes, part: bytes, times: int) -> Any:
    def answer(line: Any, _: bytes, over: threading.Event) -> None:
        line.sendall(first)
        for _time in range(times):
            if over.is_set():
                return
            line.sendall(part)

    return answer


SLOW: Final[dict[str, Any]] = {
    "says nothing": _drips(b"", part=b""),
    "drips its status": _drips(b"HT", part=b"T"),
    "drips its headers": _drips(b"HTTP/1.1 200 OK\r\nA", part=b"a"),
    "drips header after header": _drips(b"HTTP/1.1 200 OK\r\n", part=b"a: b\r\n"),
    "drips its body": _drips(head(content_length="99999"), part=b" "),
    "drips without a length": _drips(head(), part=b" "),
    "drips chunks": _drips(head(transfer_encoding="chunked"), part=b"1\r\n \r\n"),
    "drips early hints": _drips(b"", part=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "stops in the middle": _drips(head(content_length="99") + b'{"a":', part=b""),
    "asks for an hour": said(b"{}", 429, retry_after="3600"),
    "asks to wait without end": said(b"{}", 503, retry_after="9" * 400),
    "asks to be asked at once, for ever": said(b"{}", 429, retry_after="0"),
}
"""Each must end in a sentence within the time; but a stream of the desk may drip."""

DRIPPING: Final = frozenset({"drips without a length", "drips its body", "drips chunks"})


def _slow(seed: int, *, is_quick: bool) -> Iterator[tuple[str, bool]]:
    for client, asks in CLIENTS.items():
        for fault, answers in SLOW.items():
            if client == "a stream of the desk" and fault in DRIPPING:
                continue
            if client == "a refresh at an issuer" or (
                is_quick and (hash_of(client, fault, seed) % 6)
            ):
                continue
            yield _ended(client, asks, fault, answers)


def hash_of(*words: object) -> int:
    """Return a number that is the same for the same words, in every process."""
    return zlib.crc32(repr(words).encode())


def _ended(client: str, asks: Asks, fault: str, answers: Any) -> tuple[str, bool]:
    """Whether it ended within the time, in a sentence of ours."""
    with Hostile(answers).standing() as url:
        begun = time.monotonic()
        told = asyncio.run(_told(asks(url, None)))
        took = time.monotonic() - begun
    return f"{client} of one who {fault}: {told}, {took:.1f} s", (
        told.startswith("sentence") and took < ENDS_S
    )


async def _told(asked: Awaitable[object]) -> str:
    """Say what became of a question: an answer, a sentence of ours, or what should never be."""
    try:
        async with asyncio.timeout(ENDS_S * 2):
            await asked
    except HelpdeskError as error:
        return f"sentence {error}"
    except TimeoutError:
        return "no end"
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
        return f"{type(error).__name__} {error}"
    return "answer"


# ---------------------------------------------------------------- strangers


def _strangers(seed: int, *, is_quick: bool) -> Iterator[tuple[str, bool]]:
    """Lead each client to another server: it must never be heard from there."""
    statuses = (301, 302, 303, 307, 308)
    for client, asks in CLIENTS.items():
        for status in statuses:
            if not is_quick or hash_of(client, status, seed) % 3 == 0:
                yield _led(client, asks, status)
    for words in LEADS if not is_quick else LEADS[::3]:
        yield _led_on(words)
    yield from _environment()


def _led(client: str, asks: Asks, status: int) -> tuple[str, bool]:
    stranger = Hostile(said())
    with stranger.standing() as elsewhere:
        there = f"{elsewhere}/things"
        with Hostile(
            said(b"{}", status, location=there, refresh=f"0; url={there}")
        ).standing() as u:
            told = asyncio.run(_told(asks(u, None)))
    return f"{client} sent elsewhere by {status}: {told}", (
        not stranger.lines and told.startswith("sentence")
    )


LEADS: Final = (
    "{there}/things", "//{where}/things", "http:{there}/things", "{own}@{where}/things",
    "{there}\\@{own}", "\\\\{where}/things", "/\\{where}/things", "http://{where}#@{own}",
    "{own}:80@{where}/", "{own}.{where}/", "HTTP://{where}/x", " {there}/things",
    "\t{there}/things", "http:///{where}/things", "{there}?{own}", "http://a:b@{where}/",
)  # fmt: skip
"""What a provider may name as its next page; *where* is a stranger."""


def _led_on(words: str) -> tuple[str, bool]:
    stranger = Hostile(said())
    with stranger.standing() as there:
        where = there.removeprefix("http://")
        own = ""

        def answer(line: Any, request: bytes, _: threading.Event) -> None:
            led = words.format(there=there, where=where, own=own)
            if hash_of(words) % 2:
                body = json.dumps({"next": led}).encode()
                line.sendall(head(content_length=str(len(body))) + body)
            else:
                link = f'<{led}>; rel="next"'
                line.sendall(head(content_length="2", link=link) + b"{}")

        with Hostile(answer).standing() as url:
            own = url
            told = asyncio.run(_told(_paged(url, None)))
    return f"led on to {words!r}: {told}", not stranger.lines


PROXIES: Final = (
    "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy",
)  # fmt: skip


def _environment() -> Iterator[tuple[str, bool]]:
    """Whoever sets variables of the environment learns nothing, and stops nothing."""
    stranger = Hostile(said())
    with stranger.standing() as there, tempfile.TemporaryDirectory() as place:
        netrc = Path(place) / "netrc"
        netrc.write_text("machine 127.0.0.1 login spy password spy\n", "utf-8")
        netrc.chmod(0o600)
        given = dict.fromkeys(PROXIES, there) | {"NETRC": str(netrc)}
        with _variables({**given, "NO_PROXY": "", "no_proxy": ""}):
            for client, asks in CLIENTS.items():
                friend = Hostile(said(b"{}"))
                with friend.standing() as url:
                    told = asyncio.run(_told(asks(url, None)))
                whole = b"".join(friend.heard)
                yield (
                    f"{client} with proxies named: {told}",
                    (not stranger.lines and bool(friend.heard) and b"Basic " not in whole),
                )


@contextlib.contextmanager
def _variables(given: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ |= {name: value} if value is not None else {}


# ---------------------------------------------------------------- certificates

ODD: Final[dict[str, dict[str, Any]]] = {
    "expired an hour ago": {"begins": -YEAR, "ends": -HOUR},
    "valid from tomorrow on": {"begins": timedelta(days=1), "ends": YEAR},
    "for another host": {"hosts": ("desk.example",)},
    "for another address": {"hosts": ("127.0.0.2",)},
    "for no host": {"hosts": ("*",)},
    "signed by itself": {"by_itself": True},
    "for clients": {"usage": ExtendedKeyUsageOID.CLIENT_AUTH},
    "with an old TLS": {"is_old": True},
}


def _certificates(*, is_quick: bool) -> Iterator[tuple[str, bool]]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        ours, other = Authority(place, "ours"), Authority(place, "other")
        shown = {name: ours.server(f"c{n}", **odd) for n, (name, odd) in enumerate(ODD.items())}
        shown["signed by a stranger"] = other.server("stranger")
        for client, asks in [*CLIENTS.items()][:: 2 if is_quick else 1]:
            for name, tls in shown.items():
                yield _shown(client, asks, name, tls, ours.file)
            good = Hostile(said(b"{}"), ours.server("good"))
            with good.standing() as url:
                told = asyncio.run(_told(asks(url, ours.file)))
            yield f"{client} of one with a good certificate: {told}", bool(good.heard)


def _shown(
    client: str, asks: Asks, name: str, tls: ssl.SSLContext, authorities: Path
) -> tuple[str, bool]:
    liar = Hostile(said(b"{}"), tls)
    with liar.standing() as url:
        told = asyncio.run(_told(asks(url, authorities)))
    return f"{client} of one with a certificate {name}: {told}", (
        not liar.heard and told.startswith("sentence")
    )


# ---------------------------------------------------------------- memory


def _packed(form: str) -> Any:
    """300 MB of zeros, packed three times over a window, said to be so."""
    small = gzip.compress(bytes(MB), 9)
    body = small * 300
    return said(body, content_encoding=form)


def _nested(opens: bytes, mb: int) -> bytes:
    return opens * (mb * MB // len(opens))


def _records(mb: int) -> bytes:
    """Give a list of people, as a provider tells of them, of so many MB."""
    one = {"id": "u1", "name": "Maya Okafor", "profile": {"login": "maya@northwind.example"},
           "factors": [{"id": "f1", "type": "sms", "to": "+447700900321"}], "n": 1}  # fmt: skip
    text = json.dumps(one).encode()
    return b"[" + b",".join([text] * (mb * MB // (len(text) + 1))) + b"]"


BIG: Final[dict[str, Callable[[], Any]]] = {
    "300 MB in gzip": lambda: _packed("gzip"),
    "300 MB in gzip that is not said": lambda: said(gzip.compress(bytes(MB)) * 300),
    "300 MB in br": lambda: _packed("br"),
    "300 MB of gzip, as identity and gzip": lambda: _packed("identity, gzip"),
    "300 MB as it is": lambda: _pours(head(content_length=str(300 * MB)), bytes(MB), 300),
    "300 MB without a length": lambda: _pours(head(), bytes(MB), 300),
    "300 MB of chunks": lambda: _pours(
        head(transfer_encoding="chunked"), b"100000\r\n" + bytes(MB) + b"\r\n", 300
    ),
    "300 MB of headers": lambda: _pours(
        b"HTTP/1.1 200 OK\r\n", b"a: " + b"b" * 997 + b"\r\n", 300_000
    ),
    "300 MB of one header": lambda: _pours(b"HTTP/1.1 200 OK\r\na: ", bytes(b"b" * MB), 300),
    "300 MB of an error": lambda: _pours(head(500, content_length=str(300 * MB)), bytes(MB), 300),
    "10 MB of people": lambda: said(_records(10)),
    "10 MB of unknown keys": lambda: said(b'{"x":' + _records(10) + b"}"),
    "10 MB of brackets": lambda: said(_nested(b"[", 10)),
    "10 MB of braces": lambda: said(_nested(b'{"a":', 10)),
    "10 MB of one string": lambda: said(b'{"a":"' + b"x" * (10 * MB) + b'"}'),
    "10 MB of one number": lambda: said(b'{"n":' + b"9" * (10 * MB) + b"}"),
    "10 MB of empty objects": lambda: said(b"[" + b"{}," * (10 * MB // 3) + b"{}]"),
    "10 MB of escapes": lambda: said(b'{"a":"' + b"\\u0001" * (10 * MB // 6) + b'"}'),
}  # fmt: skip
"""What is sent; each is made when its turn comes."""

READERS: Final = ("provider", "desk", "issuer")


def _memory(seed: int, *, is_quick: bool) -> Iterator[tuple[str, bool]]:
    for number, reader in enumerate(READERS[:2] if is_quick else READERS):
        # Of the names that are left over for CI each seed takes others.
        for name in [*BIG][(seed + 9 * number) % len(BIG) :][:1] if is_quick else BIG:
            yield _grown(reader, name, BIG[name]())


def _grown(reader: str, name: str, answers: Any) -> tuple[str, bool]:
    """Ask in a process of its own, and say by how much it grew."""
    with Hostile(answers).standing() as url:
        run = [sys.executable, "-m", "tests.reliability.growing", reader, url]
        ended = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    try:
        told = json.loads(ended.stdout)
    except ValueError:
        return f"{name} to the client of a {reader}: {ended.stderr[-300:]}", False
    grew, took = float(told["mb"]), float(told["s"])
    says = f"{name} to the client of a {reader}: + {grew:.0f} MB, {took:.1f} s, {told['says']}"
    return says, grew <= MOST_MB and took < 30 and told["is_ours"]


def row(seed: int, is_quick: bool) -> Tried:
    """Try all lines; give what failed."""
    parts = (
        _slow(seed, is_quick=is_quick),
        _strangers(seed, is_quick=is_quick),
        _certificates(is_quick=is_quick),
        _memory(seed, is_quick=is_quick),
        clock_tries(seed, is_quick=is_quick),
    )
    told = [each for part in parts for each in part]
    return Tried(len(told), tuple(words for words, is_well in told if not is_well))
