"""The lab's process: set up once as a template, then copied and started for each run."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.labs.djangohelpdesk import installing
from tests.labs.environment import Missing, alone
from tests.labs.processes import Processes
from tests.ports import free_port

HERE = Path(__file__).parent
SERVED = "django.core.wsgi:get_wsgi_application()"
ACCOUNTS = ("desk", "rex", "nobody")
"""The desk's own, a person who works there, and one who may nothing; one password for all."""


class Lab:
    """A lab that runs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        kept: dict[str, Any] = json.loads((place / "lab.json").read_text("utf-8"))
        self.url = f"http://127.0.0.1:{kept['port']}/helpdesk"
        self.password: str = kept["password"]
        self.token: str = kept["token"]
        self.queue: int = kept["queue"]

    def settings(self) -> str:
        """Give what helpdesk.toml is told of it."""
        return (
            f'[tickets]\nkind = "django-helpdesk"\nurl = "{self.url}"\nuser = "desk"\n\n'
            f'[tickets.options]\nqueue = "{self.queue}"\n'
        )

    def call(self, method: str, path: str, body: Any = None, account: str = "rex") -> Any:
        """Give what it answers somebody who works there."""
        status, found = self.asked(method, path, body, f"{account}:{self.password}")
        if status >= 400:
            raise Missing(f"{method} {path}: {status} {found}")
        return found

    def asked(self, method: str, path: str, body: Any = None, sign: str = "") -> tuple[int, Any]:
        """Give status and answer; *sign* is an account and its password."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        if sign:
            told = base64.b64encode(sign.encode()).decode()
            request.add_header("Authorization", f"Basic {told}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            raw = error.read()
            is_json = "json" in error.headers.get("Content-Type", "")
            return error.code, json.loads(raw) if is_json else raw.decode()[:40]

    def answer(self, method: str, path: str, body: Any, account: str) -> tuple[int, Any]:
        """Give status and answer to an account; with `+` after it, to another password."""
        name, wrong, _ = account.partition("+")
        return self.asked(method, path, body, name and f"{name}:{self.password}{wrong}")

    def file(self, title: str, mail: str, text: str = "Please help.") -> str:
        """Let a customer's ticket come in; give its number."""
        wish = {"queue": self.queue, "title": title, "description": text, "submitter_email": mail}
        return str(self.call("POST", "tickets/", {**wish, "priority": 3})["id"])

    def letters(self) -> int:
        """Give how many letters it sent to anybody."""
        return len([*(self.place / "mail").glob("*")])


def start(place: Path) -> Lab:
    """Give a lab in a place of its own, started; one that runs there is taken as it is.

    Raises:
        Missing: It cannot be installed or does not start; the sentence says why.
    """
    bin_ = installing.installed()
    running = Processes(place, str(installing.home()))
    if not (place / "lab.json").exists():
        shutil.copytree(_template(bin_), place, dirs_exist_ok=True)
    if not running.runs("server"):
        kept = json.loads((place / "lab.json").read_text("utf-8")) | {"port": free_port()}
        (place / "lab.json").write_text(json.dumps(kept), "utf-8")
        command = [str(bin_ / "gunicorn"), "--no-control-socket", "-w", "1", "-k", "gthread",
                   "--threads", "4", "--keep-alive", "75", "-b", f"127.0.0.1:{kept['port']}",
                   SERVED]  # fmt: skip
        running.begin("server", command, _environment(place))
        try:
            running.answers("server", f"http://127.0.0.1:{kept['port']}/up")
        except Missing:
            stop(place)
            raise
    return Lab(place)


def stop(place: Path) -> None:
    """End what was started in a place; what it wrote stays."""
    Processes(place, str(installing.home())).end("server")


@contextlib.contextmanager
def lab_in(place: Path) -> Iterator[Lab]:
    """Give a lab that ends with the block."""
    try:
        yield start(place)
    finally:
        stop(place)


def _template(bin_: Path) -> Path:
    """Return the data of a lab that is set up and does not run; made once for these files."""
    mark = hashlib.sha256(
        b"".join(part.read_bytes() for part in sorted(HERE.glob("*.py")))
    ).hexdigest()[:12]
    ready = installing.home() / f"template-{mark}"
    with alone(installing.home() / "template.lock"):
        if not ready.exists():
            making = installing.home() / f"making-{mark}"
            shutil.rmtree(making, ignore_errors=True)
            (making / "mail").mkdir(mode=0o700, parents=True)
            _set_up(bin_, making)
            making.rename(ready)
            for old in set(installing.home().glob("template-*")) - {ready}:
                shutil.rmtree(old, ignore_errors=True)
    return ready


def _set_up(bin_: Path, place: Path) -> None:
    kept = {"key": secrets.token_hex(16), "password": secrets.token_hex(16), "port": 0}
    (place / "lab.json").write_text(json.dumps(kept), "utf-8")
    _manage(place, str(bin_ / "django-admin"), "migrate", "-v0")
    told = _manage(place, str(bin_ / "python"), str(HERE / "people.py"))
    (place / "lab.json").write_text(json.dumps(kept | json.loads(told)), "utf-8")


def _manage(place: Path, *command: str) -> str:
    done = subprocess.run(
        command, env=_environment(place), cwd=place, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"{Path(command[0]).name} failed: {done.stderr[-200:]}")
    return done.stdout


def _environment(place: Path) -> dict[str, str]:
    kept = json.loads((place / "lab.json").read_text("utf-8"))
    return {
        "PATH": f"{installing.home() / 'venv' / 'bin'}:{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(place),
        "TZ": "UTC",
        "DJANGO_SETTINGS_MODULE": "settings",
        "LAB_DATA": str(place),
        "LAB_KEY": kept["key"],
        "LAB_PASSWORD": kept["password"],
    }
