"""The providers that are held to the contract, the lab of one of them, and a certificate."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.connectors.benches import Bench, DemoBench, PiBench
from tests.connectors.servers import SERVERS
from tests.labs.privacyidea.running import Lab, lab_in
from tests.labs.sessions import running


@pytest.fixture(scope="session")
def pi_lab() -> Iterator[Lab]:
    """A privacyIDEA that runs for all tests of this session."""
    yield from running(lab_in)


@pytest.fixture(scope="session")
def pi_people() -> Iterator[int]:
    """Numbers of people in the lab, each given once."""
    return itertools.count(1)


@pytest.fixture(params=["demo", pytest.param("privacyidea", marks=pytest.mark.lab), *SERVERS])
def bench(request: pytest.FixtureRequest, sample_file: Path, tmp_path: Path) -> Iterator[Bench]:
    """One provider after another."""
    if request.param == "demo":
        yield DemoBench(sample_file)
        return
    if request.param in SERVERS:
        served = SERVERS[request.param](tmp_path)
        yield served
        served.close()
        return
    lab, people = request.getfixturevalue("pi_lab"), request.getfixturevalue("pi_people")
    found = PiBench(lab, tmp_path, people)
    yield found
    found.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, with its key; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
