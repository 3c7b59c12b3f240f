"""Servers on this machine that answer as no server should, and remember what they were told."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.waiting import PATIENCE_S

Answers = Callable[[socket.socket, bytes, threading.Event], None]
"""Answers a request on a line, until told that all is over."""


class Hostile:
    """A server on a port of its own.

    Attributes:
        heard: The bytes of each request that was read, also of those that are no HTTP.
        lines: How many connections were accepted.
    """

    def __init__(self, answers: Answers, tls: ssl.SSLContext | None = None) -> None:
        self._answers, self._tls = answers, tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])
        self.heard: list[bytes] = []
        self.lines = 0

    @contextlib.contextmanager
    def standing(self) -> Iterator[str]:
        """Listen; give the address."""
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        scheme = "https" if self._tls else "http"
        try:
            yield f"{scheme}://127.0.0.1:{self.port}"
        finally:
            self._over.set()
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for one in (accepting, *self._threads):
                one.join(PATIENCE_S)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.lines += 1
            thread = threading.Thread(target=self._serve, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError, ssl.SSLError), line:
            spoken = self._tls.wrap_socket(line, server_side=True) if self._tls else line
            with spoken:
                while not self._over.is_set():
                    request = _read(spoken)
                    if not request:
                        return
                    self.heard.append(request)
                    self._answers(spoken, request, self._over)


def _read(line: socket.socket) -> bytes:
    """Read the head of a request and its body, by its length."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = line.recv(65_536)
        if not part:
            return got
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    wanted = 0
    for row in head.lower().split(b"\r\n"):
        if row.startswith(b"content-length:"):
            wanted = int(row.partition(b":")[2])
    while len(body) < wanted:
        part = line.recv(65_536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def said(body: bytes = b"{}", status: int = 200, **headers: str) -> Answers:
    """Return what answers so, always."""

    def answer(line: socket.socket, _: bytes, __: threading.Event) -> None:
        line.sendall(head(status, **{"content_length": str(len(body)), **headers}) + body)

    return answer


def head(status: int = 200, **headers: str) -> bytes:
    """Return the head of an answer; JSON where nothing else is said."""
    given = {"content_type": "application/json", **headers}
    rows = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} It\r\n{rows}\r\n".encode()


HOUR: Final = dt.timedelta(hours=1)
YEAR: Final = dt.timedelta(days=300)


class Authority:
    """Somebody who signs certificates.

    Args:
        place: A directory for them.
        name: What it calls itself.
    """

    def __init__(self, place: Path, name: str) -> None:
        self._place, self._name = place, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed(name, self._key, is_ca=True)
        self.file = place / f"{name}.pem"
        self.file.write_bytes(_pem(self._own))

    def server(self, name: str, **given: Any) -> ssl.SSLContext:
        """Return what a server speaks TLS with; *given* says what is odd about its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        by_itself = given.pop("by_itself", False)
        is_old = given.pop("is_old", False)
        signer = key if by_itself else self._key
        issuer = name if by_itself else self._name
        found = self._signed(name, key, signer=signer, issuer=issuer, **given)
        certificate, secret = self._place / f"{name}.crt", self._place / f"{name}.key"
        certificate.write_bytes(_pem(found))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, secret)
        if is_old:
            with warnings.catch_warnings(action="ignore"):  # that it is old is what is wanted
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        signer: ec.EllipticCurvePrivateKey | None = None,
        issuer: str = "",
        hosts: tuple[str, ...] = ("127.0.0.1",),
        begins: dt.timedelta = -HOUR,
        ends: dt.timedelta = YEAR,
        is_ca: bool = False,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(issuer or self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            made = made.add_extension(
                x509.SubjectAlternativeName([_host(one) for one in hosts]), critical=False
            )
        return made.sign(signer or key if is_ca else signer or self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
