"""Two PostgreSQL servers, a primary and its streaming replica, each on a port of its own.

Where a network is given, each is in a place of its own on it.

The primary answers a commit when the replica has it on its disk and has applied it
(`synchronous_commit = remote_apply`): what was acknowledged is on both, so it outlives either, and
whoever then reads the replica sees it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from tests import postgres
from tests.ports import free_port
from tests.reliability.network import Network
from tests.waiting import PATIENCE_S

NAME = "second"
"""What the replica calls itself, and the primary waits for."""


class Pair:
    """A primary and its replica; `promote` ends the first and makes the second take its place.

    Attributes:
        primary: The address of the first, without a database's name.
        replica: The address of the second.
    """

    def __init__(
        self, place: Path, network: Network | None = None, commit: str = "remote_apply"
    ) -> None:
        programs = postgres.programs()
        assert programs is not None, postgres.MISSING
        self._place, self._programs = place, programs
        self._as_whom = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._password = secrets.token_hex(12)
        self._ports = (free_port(), free_port())
        self._network, self._commit = network, commit
        self._hosts = network.hosts if network else ("127.0.0.1", "127.0.0.1")
        self.primary, self.replica = (
            f"postgresql://desk:{self._password}@{host}:{port}"
            for host, port in zip(self._hosts, self._ports, strict=True)
        )

    @property
    def both(self) -> str:
        """The address of whichever takes writes, but for the path: `HOSTS/{database}?…`."""
        each = ",".join(
            f"{host}:{port}" for host, port in zip(self._hosts, self._ports, strict=True)
        )
        return f"postgresql://desk:{self._password}@{each}"

    def begin(self) -> None:
        """Begin both, and wait until the replica follows."""
        secret = self._place / "password"
        secret.write_text(self._password, "utf-8")
        if self._as_whom:
            owner = pwd.getpwnam("postgres").pw_uid
            os.chown(self._place, owner, -1)
            os.chown(secret, owner, -1)
        self._run("initdb", "-D", str(self._data(0)), "-U", "desk", f"--pwfile={secret}", "-A",
                  "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N")  # fmt: skip
        with (self._data(0) / "pg_hba.conf").open("a", encoding="utf-8") as file:
            net = self._network.net if self._network else "127.0.0.1/32"
            file.write(f"host all desk {net} scram-sha-256\n")
            file.write(f"host replication desk {net} scram-sha-256\n")
        self._start(0)
        joined = f"{self.primary}/postgres?application_name={NAME}"
        self._run("pg_basebackup", "-D", str(self._data(1)), "-R", "-X", "stream", "-c", "fast",
                  "-d", joined)  # fmt: skip
        self._start(1)
        with psycopg.connect(f"{self.primary}/postgres", autocommit=True) as line:
            line.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            line.execute(f"ALTER SYSTEM SET synchronous_commit = '{self._commit}'".encode())
            line.execute("SELECT pg_reload_conf()")
            _until(line, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")

    def promote(self, *, is_cut: bool = False) -> None:
        """Kill the primary where it stands, and let the replica take writes, for none but itself.

        It waits for no replica of its own then: there is none, and a commit would wait for ever.
        Where it *is_cut*, the primary lives on behind a line on which nothing arrives any more.
        """
        if is_cut and self._network:
            self._network.cut(0)
        else:
            self.kill(0)
        with psycopg.connect(f"{self.replica}/postgres", autocommit=True) as line:
            line.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            line.execute("SELECT pg_reload_conf()")
            line.execute("SELECT pg_promote(wait => true, wait_seconds => 60)")

    def begin_again(self, number: int) -> None:
        """Begin a server that was killed, as soon as its processes are gone."""
        pid_file = self._data(number) / "postmaster.pid"
        pid = int(pid_file.read_text("utf-8").split()[0])
        ends = time.monotonic() + 30
        while _is_there(pid):
            assert time.monotonic() < ends, "the server does not end"
            time.sleep(0.05)
        for left in (pid_file, *self._place.glob(f".s.PGSQL.{self._ports[number]}*")):
            left.unlink()  # they name a process that nobody may have waited for yet
        self._start(number)

    def wait_until_equal(self) -> None:
        """Wait until the replica has applied all that the primary has written."""
        with psycopg.connect(f"{self.primary}/postgres", autocommit=True) as line:
            _until(line, "SELECT count(*) FROM pg_stat_replication "
                         "WHERE replay_lsn = pg_current_wal_lsn()")  # fmt: skip

    def kill(self, number: int) -> None:
        """Kill a server and all that belongs to it: 0 is the first, 1 the second."""
        pid_file = self._data(number) / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text("utf-8").split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
        for one in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def _data(self, number: int) -> Path:
        return self._place / f"data{number}"

    def _start(self, number: int) -> None:
        settings = [f"listen_addresses={self._hosts[number]}", f"port={self._ports[number]}"]
        settings += [f"unix_socket_directories={self._place}", "max_connections=200"]
        flags = " ".join(f"-c {setting}" for setting in settings)
        log = str(self._place / f"log{number}")
        inside = self._network.inside(number) if self._network else []
        self._run("pg_ctl", "-D", str(self._data(number)), "-w", "-l", log, "-o", flags, "start",
                  inside=inside)  # fmt: skip

    def _run(self, program: str, *arguments: str, inside: Sequence[str] = ()) -> None:
        subprocess.run([*inside, *self._as_whom, str(self._programs / program), *arguments],
                       check=True, cwd="/", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)  # fmt: skip


@contextlib.contextmanager
def pair(network: Network | None = None, commit: str = "remote_apply") -> Iterator[Pair]:
    """Give two servers that run; gone at the end. *commit* is their `synchronous_commit`."""
    place = Path(tempfile.mkdtemp(prefix="helpdesk-pair-", dir="/tmp"))
    both = Pair(place, network, commit)
    try:
        both.begin()
        yield both
    finally:
        for number in (0, 1):
            with contextlib.suppress(OSError, ValueError):
                both.kill(number)
        shutil.rmtree(place, ignore_errors=True)


def _is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _until(line: psycopg.Connection[tuple[int]], question: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not (line.execute(question.encode()).fetchone() or (0,))[0]:
        assert time.monotonic() < ends, "the replica does not follow"
        time.sleep(0.05)
