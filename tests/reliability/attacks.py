"""A gateway under attack, by plain HTTP: who may what, tokens, races, guesses and odd requests."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import random
import socket
import string
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.agents import Role
from helpdesk.gateway import wire
from helpdesk.gateway.devissuer import CLIENT, DevIssuer
from helpdesk.gateway.endpoints import ENDPOINTS, Endpoint
from helpdesk.gateway.issuers import ONE_TIME_GRANT
from helpdesk.gateway.running import Server
from helpdesk.gateway.server import Gateway
from helpdesk.gateway.watch import log_to
from tests.gateway.issuing import IssuerSite, good_claims, signed
from tests.gateway.matrix import AGENTS, BODIES
from tests.gateway.serving import PLENTY, SomeDesks, Words, free_port, gateway, served
from tests.gateway.test_tokens import BAD, KEY, RSA
from tests.reliability import races, withdrawn
from tests.reliability.faulty_line import desk_on, present
from tests.reliability.rows import Tried
from tests.sample import sample, write_sample
from tests.waiting import PATIENCE_S

USERS: Final = tuple(user["id"] for user in sample()["users"].values())
STRANGE: Final = ("u0", "nobody", "*", "u4,u2", "u4 u2", "'; drop table users --")
"""Names of nobody."""

OWN: Final = frozenset(u["id"] for u in sample()["users"].values() if u["account"] == "a3")
OTHERS: Final = tuple(u for u in sample()["users"].values() if u["account"] != "a3")
ALWAYS: Final = frozenset({"weigh"})
"""What answers about anybody, with a no in it."""

LEE: Final = {"Authorization": "Bearer lee"}

Cell = tuple[str, bool]


@contextlib.contextmanager
def _asked() -> Iterator[tuple[httpx.Client, Path]]:
    with tempfile.TemporaryDirectory() as place:
        file = write_sample(Path(place) / "sample.json")
        with (
            gateway(lambda who: desk_on(file, who), present) as (url, _),
            httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
        ):
            yield http, file


# ---------------------------------------------------------------- who may what of whom


def _matrix(seed: int, *, is_quick: bool) -> Iterator[Cell]:
    about = [e for e in ENDPOINTS.values() if "user" in e.places or "{user}" in _body(e)]
    users = (*USERS, *STRANGE)
    dice = random.Random(seed)
    with _asked() as (http, _):
        cells = [(e, who, user) for e in about for who in AGENTS.values() for user in users]
        for endpoint, who, user in dice.sample(cells, 60) if is_quick else cells:
            yield _cell(http, endpoint, who, user)
        acts = [(act, who, user) for act in ACTIONS for who in AGENTS.values() for user in users]
        for act, who, user in dice.sample(acts, 40) if is_quick else acts:
            yield _act(http, act, who, user)
        for endpoint in ENDPOINTS.values():
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
                if not is_quick or dice.random() < 0.2:
                    yield _unsigned(http, endpoint, method)


def _body(endpoint: Endpoint) -> str:
    return json.dumps(BODIES.get(endpoint.name, {}))


def _sent(http: httpx.Client, endpoint: Endpoint, who: str, user: str, body: Any) -> httpx.Response:
    path, _ = wire.placed(endpoint.path, {"user": user})
    headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": f"k{time.monotonic_ns()}"}
    sent = {"json": body} if endpoint.method == "POST" else {}
    while True:
        if endpoint.is_matched:  # as somebody sees it who may see everybody
            seen = http.get(f"/v1/users/{user}/case", headers=LEE).headers.get("etag", '"none"')
            headers["If-Match"] = seen
        answer = http.request(endpoint.method, path, headers=headers, **sent)
        if answer.status_code != 412:  # somebody's look was written down just now
            return answer


def _cell(http: httpx.Client, endpoint: Endpoint, who: str, user: str) -> Cell:
    body = json.loads(_body(endpoint).replace('"{user}"', json.dumps(user)))
    answer = _sent(http, endpoint, who, user, body)
    words = f"{endpoint.name} by {who} of {user!r}: {answer.status_code}"
    return words, _is_well(answer) and _is_let(answer, endpoint.name, who, user)


def _act(http: httpx.Client, act: str, who: str, user: str) -> Cell:
    """An act must be refused to whom its weighing refuses it, who is told of nobody else."""
    action = {"act": act, "user": user}
    weighed = _sent(http, ENDPOINTS["weigh"], who, user, {"action": action})
    answer = _sent(http, ENDPOINTS["perform"], who, user, {"action": action})
    words = f"{act} by {who} of {user!r}: {answer.status_code}, weighed {weighed.status_code}"
    is_refused = weighed.status_code != 200 or weighed.json()["decision"]["weight"] == "refused"
    is_well = _is_well(answer) and _is_well(weighed) and _is_let(answer, "perform", who, user)
    return words, is_well and not (is_refused and answer.status_code == 200)


def _is_well(answer: httpx.Response) -> bool:
    """Whether it is answered, or refused in our form; never a fault, never sent elsewhere."""
    if answer.status_code == 200:
        return True
    is_ours = answer.headers.get("content-type") == "application/problem+json"
    return is_ours and 400 <= answer.status_code < 500


def _is_let(answer: httpx.Response, name: str, who: str, user: str) -> bool:
    """Whether who got an answer may have it."""
    is_there = user in USERS
    if answer.status_code == 200 and name not in ALWAYS | {"whose", "tray"} and not is_there:
        return False
    if who == AGENTS[Role.AUDITOR] and name in {"perform", "ask_proof", "answer_proof", "drift"}:
        return answer.status_code != 200
    if who == AGENTS[Role.PRODUCT_ADMINISTRATOR] and user not in OWN:
        told = any(
            other["name"] in answer.text or other["login"] in answer.text for other in OTHERS
        )
        return not told and (answer.status_code != 200 or name in ALWAYS)
    return True


def _unsigned(http: httpx.Client, endpoint: Endpoint, method: str) -> Cell:
    path, _ = wire.placed(endpoint.path, dict.fromkeys(endpoint.places, "u2"))
    answer = http.request(method, path, headers={"Authorization": "Bearer nobody"})
    wanted = {401} if method == endpoint.method else {401, 404, 405, 204}
    is_empty = method == "OPTIONS" or answer.status_code != 204
    return f"{method} {path} by nobody: {answer.status_code}", (
        answer.status_code in wanted and is_empty
    )


# ---------------------------------------------------------------- tokens


def _tokens() -> Iterator[Cell]:
    """Tokens that are not taken, over HTTP; and one that was, until it was ended."""
    with tempfile.TemporaryDirectory() as place:
        file = write_sample(Path(place) / "sample.json")
        desks = SomeDesks(lambda who: desk_on(file, who))
        site = IssuerSite(KEY, RSA)
        made = Gateway(desks, site.tokens(), allowance=PLENTY, now=present)
        try:
            with served(made.app()) as url, httpx.Client(base_url=url, trust_env=False) as http:
                good = signed(good_claims(), KEY)
                yield _taken(http, "a good token", good, 200)
                for name, (make, _) in BAD.items():
                    token = make()
                    if token.isascii() and token.isprintable() and token:
                        yield _taken(http, name, token, 401)
                for name, header in _headers(good).items():
                    told = http.get("/v1/desk", headers=header).status_code
                    yield f"{name}: {told}", told in {400, 401}
                in_query = http.get("/v1/desk", params={"access_token": good})
                yield f"a token in the address: {in_query.status_code}", in_query.status_code == 401
        finally:
            desks.close()
        yield from _ended(file)


def _headers(good: str) -> dict[str, list[tuple[str, str]]]:
    """A good token where none is read."""
    return {
        "another scheme": [("Authorization", f"Token {good}")],
        "no scheme": [("Authorization", good)],
        "in a cookie": [("Cookie", f"Authorization=Bearer {good}")],
        "two headers, the second good": [
            ("Authorization", "Bearer x"),
            ("Authorization", f"Bearer {good}"),
        ],
        "two in one": [("Authorization", f"Bearer x, Bearer {good}")],
        "for a proxy": [("Proxy-Authorization", f"Bearer {good}")],
        "forwarded": [("X-Forwarded-Authorization", f"Bearer {good}")],
    }


def _taken(http: httpx.Client, name: str, token: str, wanted: int) -> Cell:
    answer = http.get("/v1/desk", headers={"Authorization": f"Bearer {token}"})
    is_told = wanted == 200 or ("Reyes" not in answer.text and token not in answer.text)
    return f"token {name}: {answer.status_code}", answer.status_code == wanted and is_told


def _ended(file: Path) -> Iterator[Cell]:
    """At the desk's own issuer: a sign-in that is ended is refused at once, a code read once."""
    codes: dict[str, list[str]] = {}
    listener = free_port()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    agents = desk_on(file, "lee")._view.store.agents
    dev = DevIssuer(
        f"{url}/issuer",
        agents,
        tell=lambda agent, code: codes.setdefault(agent.id, []).append(code),
    )
    desks = SomeDesks(lambda who: desk_on(file, who))
    made = Gateway(desks, dev.tokens(), allowance=PLENTY, now=present, pages=[dev.router()])
    try:
        with served(made.app(), listener), httpx.Client(base_url=url, trust_env=False) as http:
            first = _granted(http, ONE_TIME_GRANT, code=codes["dana"][-1]).json()
            yield _taken(http, "of the desk's own issuer", first["access_token"], 200)
            again = _granted(http, ONE_TIME_GRANT, code=codes["dana"][0]).status_code
            yield f"a one-time code a second time: {again}", again in {400, 401}
            next_one = _granted(http, "refresh_token", refresh_token=first["refresh_token"]).json()
            yield _taken(http, "that was renewed", next_one["access_token"], 200)
            begun = time.monotonic()
            old = _granted(http, "refresh_token", refresh_token=first["refresh_token"]).status_code
            yield f"a refresh token a second time: {old}", old in {400, 401}
            yield _taken(http, "after its refresh token came twice", next_one["access_token"], 401)
            other = _granted(http, ONE_TIME_GRANT, code=codes["lee"][-1]).json()
            http.post("/issuer/revoke", data={"token": other["refresh_token"], "client_id": CLIENT})
            yield _taken(http, "after signing out", other["access_token"], 401)
            took = time.monotonic() - begun
            yield f"the end of a sign-in is seen after {took:.2f} s", took < 5
            yield from _guessed(http, codes)
    finally:
        desks.close()


def _granted(http: httpx.Client, grant: str, **form: str) -> httpx.Response:
    return http.post("/issuer/token", data={"grant_type": grant, "client_id": CLIENT, **form})


def _guessed(http: httpx.Client, codes: dict[str, list[str]]) -> Iterator[Cell]:
    """Guess one-time codes: twenty are read, then none is for a minute, the right one neither."""
    dice = random.Random(7)
    for _ in range(60):
        guess = "".join(dice.choices(string.ascii_uppercase, k=12))
        told = _granted(http, ONE_TIME_GRANT, code=guess).status_code
        yield f"a guessed one-time code: {told}", told in {400, 401, 429}
    late = _granted(http, ONE_TIME_GRANT, code=codes["sam"][-1]).status_code
    yield f"the right one after sixty guesses: {late}", late in {400, 401, 429}


# ---------------------------------------------------------------- odd requests

PIA: Final = "Authorization: Bearer pia\r\n"
PATHS: Final = (
    "/v1/users/u4/../u2/case", "/v1/users/u4/%2e%2e/u2/case", "/v1/users/u4%2f..%2fu2/case",
    "/v1/users/u4%2f%2e%2e%2fu2/case", "/v1/users/u2/case/", "/v1//users/u2/case",
    "//v1/users/u2/case", "/v1/users/u2//case", "/v1/./users/u2/case", "/V1/USERS/u2/CASE",
    "/v1/users/u2/case;x=1", "/v1/users/u2;/case", "/v1/users/u2%00/case", "/v1/users/%75%32/case",
    "/v1/users/%2575%2532/case", "/v1/users/u2%20/case", "/v1/users/u2%0d%0a/case",
    "/v1/users/u2%0d%0aX-Evil:%201/case", "/v1/users/u2/case?user=u4", "/v1/users/u4/case?user=u2",
    "/v1/users/u4/case?user=u4&user=u2", "/v1/users/u2/case#", "/v1/users/u2/case%23",
    "/v1/users/u2%3F/case", "/v1/users/\u00fc2/case", "/v1/users/%c0%ae%c0%ae/u2/case",
    "/v1/users/%ff/case", "/v1/users/ada@lakes.example/case", "/v1/users/ADA@LAKES.EXAMPLE/case",
    "/healthz/../v1/users/u2/case", "/issuer/../v1/users/u2/case", "/etc/passwd",
    "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1\\users\\u2\\case",
    "http://evil.example/v1/users/u2/case", "https://evil.example:1/v1/users/u2/case", "*", "u2",
    "/" + "a" * 20_000, "/v1/users/" + "u" * 9_000 + "/case", "/" + "%2e%2e/" * 500,
)  # fmt: skip
"""Addresses at which who administers one account must not find a user of another."""

HEADERS: Final = (
    "Host: evil.example", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example",
    "X-Original-URL: /v1/users/u2/case", "X-Rewrite-URL: /v1/users/u2/case",
    "X-HTTP-Method-Override: DELETE", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-User: lee",
    "X-Agent: lee", "Helpdesk-Agent: lee", "Cookie: agent=lee", "Origin: https://evil.example",
    "Content-Length: -1", "Content-Length: 99999999999", "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: 4\r\nContent-Length: 5",
    "Expect: 100-continue", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c",
    "Connection: Authorization", "Range: bytes=0-1", "If-Match: " + "x" * 9_000,
    "X: " + "y" * 70_000, "X-Evil: \x1b]0;owned\x07", "User-Agent: \x1b[2J\x1b]52;c;ZXZpbA==\x07",
    "Idempotency-Key: \x00", "X Y: 1", ": 1", "X\x00Y: 1", "Accept-Encoding: " + "gzip," * 3_000,
)  # fmt: skip

BODIES_SENT: Final = (
    b"", b"{", b"null", b"[" * 60_000, b'{"a":' * 10_000, b'{"query":' + b"9" * 60_000 + b"}",
    b"\xff\xfe", b'{"query":"\\ud800"}', b'{"limit":1e999}', b'{"limit":-1}', b'{"limit":99999999}',
    b'{"query":{"words":["' + b"x" * 60_000 + b'"]}}', b"x" * 65_537, b"x" * 1_000_000,
)  # fmt: skip


def _odd(seed: int, *, is_quick: bool) -> Iterator[Cell]:
    """Odd requests, as bytes on a socket; the log they leave is read too."""
    stream = io.StringIO()
    log = logging.getLogger("helpdesk.gateway")
    before = list(log.handlers)
    log_to(stream)
    try:
        with _real() as port:
            for number, request in enumerate(_requests()):
                if not is_quick or number % 3 == seed % 3:
                    yield _answered(port, request)
            yield from _held(port, 40 if is_quick else 200)
            yield from _slow(port)
            healthy = _raw(
                port, b"GET /healthz HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
            )
            yield "after all that it answers", healthy.startswith(b"HTTP/1.1 200")
    finally:
        log.handlers[:] = before
    lines = stream.getvalue().splitlines()
    yield f"{len(lines)} lines of the log", bool(lines)
    for line in lines:
        yield f"a line of the log: {line!r}"[:160], _is_plain(line)


def _requests() -> Iterator[bytes]:
    close = "Host: desk\r\nConnection: close\r\n"
    for path in PATHS:
        for method in ("GET", "POST"):
            yield f"{method} {path} HTTP/1.1\r\n{close}{PIA}\r\n".encode()
    for header in HEADERS:
        for path in ("/v1/desk", "/v1/users/u2/case"):
            yield f"GET {path} HTTP/1.1\r\n{close}{PIA}{header}\r\n\r\n".encode("latin-1")
    for body in BODIES_SENT:
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        yield f"POST /v1/find HTTP/1.1\r\n{close}{PIA}{length}\r\n".encode() + body
    yield from (
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 4_096,
        b"A" * 100_000,
    )


@contextlib.contextmanager
def _real() -> Iterator[int]:
    """Give the port of what `helpdesk serve` runs, with less patience."""
    with tempfile.TemporaryDirectory() as place:
        file = write_sample(Path(place) / "sample.json")
        desks = SomeDesks(lambda who: desk_on(file, who))
        words = Words(desk_on(file, "lee")._view.store.agents, present)
        made = Gateway(desks, words, allowance=PLENTY, now=present, time_limit_s=1.0)
        with free_port() as listener:
            server = Server(made, silent_s=1.0)
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            try:
                while not server.started and thread.is_alive():
                    time.sleep(0.01)
                yield listener.getsockname()[1]
            finally:
                made.end()
                server.should_exit = True
                thread.join(PATIENCE_S)
                desks.close()


def _raw(port: int, request: bytes) -> bytes:
    """Send bytes, and read until the gateway closes."""
    got = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20) as line:
        line.settimeout(20)
        with contextlib.suppress(OSError):
            line.sendall(request)
        while part := line.recv(65_536):
            got += part
    return got


def _answered(port: int, request: bytes) -> Cell:
    begun = time.monotonic()
    answer = _raw(port, request)
    took = time.monotonic() - begun
    status = answer.split(b" ", 2)[1:2]
    told = any(o["name"].encode() in answer or o["login"].encode() in answer for o in OTHERS)
    is_well = not status or status[0][:1] in b"24"
    is_led = b"\r\nlocation:" in answer.lower() or b"evil" in answer.lower()
    words = f"{request[:70]!r}: {status}, {took:.1f} s"
    return words, is_well and not told and not is_led and took < 15


def _held(port: int, count: int) -> Iterator[Cell]:
    """Hold lines open and say little: all are let go of, and others are answered meanwhile."""
    with contextlib.ExitStack() as stack:
        lines = []
        for number in range(count):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            line.sendall((b"", b"GET /v1/desk HTT", b"GET /healthz HTTP/1.1\r\nX: y")[number % 3])
            lines.append(line)
        begun = time.monotonic()
        ask = b"GET /healthz HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
        yield "another is answered meanwhile", _raw(port, ask).startswith(b"HTTP/1.1 200")
        for line in lines:
            line.settimeout(20)
            with contextlib.suppress(OSError):
                while line.recv(4_096):
                    pass
            took = time.monotonic() - begun
            yield f"a silent line is let go of after {took:.1f} s", took < 15


def _slow(port: int) -> Iterator[Cell]:
    """Say a head or a body a byte at a time: it ends."""
    post = b"POST /v1/find HTTP/1.1\r\nHost: desk\r\n"
    length = b"Content-Length: 9999\r\n\r\n"
    begins = {
        "a head": b"GET /v1/desk HTTP/1.1\r\nHost: desk\r\nX: ",
        "a body": post + PIA.encode() + length,
        "a body of nobody": post + length,
        "chunks": post + PIA.encode() + b"Transfer-Encoding: chunked\r\n\r\n",
    }
    for name, first in begins.items():
        begun, part = time.monotonic(), b"1\r\n \r\n" if name == "chunks" else b"x"
        with socket.create_connection(("127.0.0.1", port), 20) as line:
            line.settimeout(0.05)
            line.sendall(first)
            is_open = True
            while is_open and time.monotonic() - begun < 15:
                try:
                    line.sendall(part)
                    is_open = bool(line.recv(65_536))
                except TimeoutError:
                    continue
                except OSError:
                    is_open = False
        yield f"{name}, a byte at a time: over after {time.monotonic() - begun:.1f} s", not is_open


def _is_plain(line: str) -> bool:
    """Whether a line of the log is one object of ours, and holds nothing that somebody sent."""
    try:
        told = json.loads(line)
    except ValueError:
        return False
    words = ("evil", "owned", "lakes.example", "passwd", "\x1b", "\\u001b", "u2")
    return line.isprintable() and isinstance(told, dict) and not any(w in line for w in words)


def row(seed: int, is_quick: bool) -> Tried:
    """Attack a gateway in each way; give what it should have refused."""
    parts = (
        _matrix(seed, is_quick=is_quick),
        _tokens(),
        races.tries(seed, is_quick=is_quick),
        withdrawn.tries(is_quick=is_quick),
        _odd(seed, is_quick=is_quick),
    )
    told = [each for part in parts for each in part]
    return Tried(len(told), tuple(words for words, is_well in told if not is_well))
