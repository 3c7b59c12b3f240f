"""A PostgreSQL of the tests' own: started from the machine's package, gone when they end."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.ports import free_port

GIVEN = "HELPDESK_TEST_POSTGRES"
"""The address of a server to use instead: whoever it names may make databases."""

MISSING = (
    "no PostgreSQL here: install the package postgresql, or name a server in "
    f"{GIVEN}=postgresql://…"
)


def programs() -> Path | None:
    """Return where the server's programs are, of the newest version; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


@contextlib.contextmanager
def server(*options: str) -> Iterator[str]:
    """Give the address of a running server, without a database's name."""
    if given := os.environ.get(GIVEN):
        yield given.rpartition("/")[0] if given.count("/") > 2 else given
        return
    place = Path(tempfile.mkdtemp(prefix="helpdesk-pg-", dir="/tmp"))
    try:
        with running(place, *options, ends="immediate") as address:
            yield address
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def running(place: Path, *options: str, ends: str = "fast") -> Iterator[str]:
    """Give the address of a server that keeps all it has at *place*, for the next time too."""
    binaries = programs()
    assert binaries is not None, MISSING
    data, secret = place / "data", place / "password"
    as_whom = _other_than_root(place)
    if not secret.exists():
        secret.write_text(secrets.token_hex(12), "utf-8")
        if as_whom:
            os.chown(secret, pwd.getpwnam("postgres").pw_uid, -1)
        run = [*as_whom, str(binaries / "initdb"), "-D", str(data), "-U", "desk"]
        run += [f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(run, check=True, capture_output=True, cwd="/")
    password, port = secret.read_text("utf-8"), free_port()
    settings = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={place}"]
    settings += ["max_connections=200", *options]
    flags = " ".join(f"-c {setting}" for setting in settings)
    control = [*as_whom, str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    log = str(place / "log")
    subprocess.run([*control, "-l", log, "-o", flags, "start"], check=True, cwd="/",
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield f"postgresql://desk:{password}@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", ends, "stop"], check=False, cwd="/",
                       stdout=subprocess.DEVNULL)  # fmt: skip


@contextlib.contextmanager
def database(address: str, like: str = "") -> Iterator[str]:
    """Give the address of a database of its own on a server: empty, or a copy of the one *like*."""
    name = f"t{secrets.token_hex(6)}"
    of = f" TEMPLATE {like} STRATEGY FILE_COPY" if like else ""
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{of}".encode())
    try:
        yield f"{address}/{name}"
    finally:
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _other_than_root(place: Path) -> list[str]:
    """The server refuses to be root: then it is the user that its package makes."""
    if os.geteuid() != 0:
        return []
    os.chown(place, pwd.getpwnam("postgres").pw_uid, -1)
    return ["runuser", "-u", "postgres", "--"]
