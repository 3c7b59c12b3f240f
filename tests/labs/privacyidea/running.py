"""The lab's processes: set up once as a template, then copied and started for each run."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.labs.environment import Missing, alone
from tests.labs.privacyidea import installing
from tests.labs.privacyidea.people import DESKS, PASSWORD, PEOPLE
from tests.labs.processes import Processes
from tests.ports import free_port

HERE = Path(__file__).parent
SERVED = "privacyidea.app:create_app(config_name='production', silent=True)"
SMS = "privacyidea.lib.smsprovider.HttpSMSProvider.HttpSMSProvider"


class Lab:
    """A lab that runs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._kept: dict[str, Any] = json.loads((place / "lab.json").read_text("utf-8"))
        self.url = f"http://127.0.0.1:{self._kept['port']}"
        self.sink = f"http://127.0.0.1:{self._kept['sink_port']}"
        self.desk_password: str = self._kept["desk_password"]
        self._token = ""

    @property
    def address(self) -> str:
        """How the console is told of it."""
        return f"privacyidea+http://desk%40desks@127.0.0.1:{self._kept['port']}"

    def told(self) -> dict[str, str]:
        """Give what one needs to look around."""
        return {"url": self.url, "admin": "admin", "password": self._kept["admin_password"]}

    def messages(self) -> list[dict[str, str]]:
        """Give what was sent so far, oldest first."""
        with urllib.request.urlopen(f"{self.sink}/messages", timeout=10) as answer:
            found: list[dict[str, str]] = json.load(answer)
        return found

    def refuse(self, **kinds: bool) -> None:
        """Let mail or SMS be refused, or taken again."""
        _post(f"{self.sink}/refuse", kinds)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Give what privacyIDEA answers its own administrator; the whole envelope."""
        if not self._token:
            wish = {"username": "admin", "password": self._kept["admin_password"]}
            self._token = _post(f"{self.url}/auth", wish)["result"]["value"]["token"]
        given = {"PI-Authorization": self._token, "Accept": "application/json", **headers}
        return _asked(method, self.url + path, body, given)

    def enrol(self, login: str, kind: str, **more: Any) -> Any:
        """Give a user a factor, long enough ago that it proves something; give its detail."""
        wish = {"type": kind, "user": login, "realm": "corp", **more}
        detail = self.call("POST", "/token/init", wish)["detail"]
        self.age(detail["serial"])
        return detail

    def age(self, serial: str) -> None:
        """Let a factor be a year old, in its own record and in the audit."""
        with contextlib.closing(sqlite3.connect(self.place / "pi.sqlite", timeout=30)) as database:
            database.execute(
                "update tokeninfo set Value = '2025-11-01T09:00:00+00:00' where Key in "
                "('creation_date', 'assignment_date') and token_id = "
                "(select id from token where serial = ?)",
                (serial,),
            )
            database.execute(
                "update pidea_audit set date = '2025-11-01 09:00:00' where serial = ?", (serial,)
            )
            database.commit()

    def sign_in(self, login: str, told: str, **more: str) -> Any:
        """Give what privacyIDEA answers an application for which somebody signs in."""
        wish = {"user": login, "realm": "corp", "pass": told, **more}
        headers = {"Accept": "application/json", "User-Agent": "shop/1"}
        return _asked("POST", f"{self.url}/validate/check", wish, headers)


def start(place: Path) -> Lab:
    """Give a lab in a place of its own, started; one that runs there is taken as it is.

    Raises:
        Missing: It cannot be installed or does not start; the sentence says why.
    """
    bin_ = installing.installed()
    if not (place / "lab.json").exists():
        template = _template(bin_)
        shutil.copytree(template, place, dirs_exist_ok=True)
    if not _processes(place).runs("server"):
        _launch(bin_, place)
        lab = Lab(place)
        _point_at_sink(lab)
    return Lab(place)


def stop(place: Path) -> None:
    """End what was started in a place; what it wrote stays."""
    _processes(place).end("server", "sink")


@contextlib.contextmanager
def lab_in(place: Path) -> Iterator[Lab]:
    """Give a lab that ends with the block."""
    try:
        yield start(place)
    finally:
        stop(place)


def prepare() -> None:
    """Do once what takes long: install, and set a lab up that others are copies of.

    Raises:
        Missing: It cannot be done here; the sentence says why.
    """
    _template(installing.installed())


def _template(bin_: Path) -> Path:
    """Return the data of a lab that is set up and does not run; made once for these files."""
    parts = sorted(HERE.glob("*.py"))
    mark = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]
    ready = installing.home() / f"template-{mark}"
    with alone(installing.home() / "template.lock"):
        if not ready.exists():
            making = installing.home() / f"making-{mark}"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(mode=0o700)
            _set_up(bin_, making)
            making.rename(ready)
            for old in set(installing.home().glob("template-*")) - {ready}:
                shutil.rmtree(old, ignore_errors=True)
    return ready


def _set_up(bin_: Path, place: Path) -> None:
    kept = {
        "key": secrets.token_hex(16),
        "pepper": secrets.token_hex(16),
        "admin_password": secrets.token_hex(16),
        "desk_password": secrets.token_hex(16),
        "port": 0,
        "sink_port": 0,
        "mail_port": 0,
    }
    (place / "lab.json").write_text(json.dumps(kept), "utf-8")
    manage = str(bin_ / "pi-manage")
    for step in (("setup", "create_enckey"), ("setup", "create_audit_keys"),
                 ("setup", "create_tables"), ("admin", "add", "admin", "-p", kept["admin_password"])):  # fmt: skip  # noqa: E501
        command = [manage, *map(str, step)]
        done = subprocess.run(command, env=_environment(place), capture_output=True, check=False)
        if done.returncode:
            raise Missing(f"pi-manage {step[1]} failed: {done.stderr.decode()[-200:]}")
    with contextlib.closing(sqlite3.connect(place / "pi.sqlite")) as database:
        database.execute("pragma journal_mode=wal")
    _make_people(place, "corp", [(*person, PASSWORD) for person in PEOPLE])
    desks = [(n, n.title(), "Desk", f"{n}@example.test", "", kept["desk_password"]) for n in DESKS]
    _make_people(place, "desks", desks)
    _launch(bin_, place)
    try:
        _configure(Lab(place))
    finally:
        stop(place)


def _make_people(place: Path, realm: str, people: list[Any]) -> None:
    with contextlib.closing(sqlite3.connect(place / f"{realm}.sqlite")) as database:
        database.execute(
            "create table users (id integer primary key, username text unique collate nocase, "
            "givenname text, surname text, email text, mobile text, password text)"
        )
        for login, given, surname, mail, mobile, password in people:
            database.execute(
                "insert into users (username, givenname, surname, email, mobile, password) "
                "values (?, ?, ?, ?, ?, ?)",
                (login, given, surname, mail, mobile, _hashed(password)),
            )
        database.commit()


def _hashed(password: str) -> str:
    salt = os.urandom(16)
    digest = hashlib.sha256(password.encode() + salt).digest()
    return "{SSHA256}" + base64.b64encode(digest + salt).decode()


def _configure(lab: Lab) -> None:
    """Tell a fresh privacyIDEA of realms, users and policies, over its own API."""
    columns = ("username", "givenname", "surname", "email", "mobile", "password")
    for realm in ("corp", "desks"):
        resolver = {
            "type": "sqlresolver", "Driver": "sqlite", "Server": "", "Table": "users",
            "Database": f"{lab.place}/{realm}.sqlite", "Limit": "500", "Editable": "1",
            "Password_Hash_Type": "SSHA256",
            "Map": json.dumps({"userid": "id", **{c: c for c in columns}}),
        }  # fmt: skip
        lab.call("POST", f"/resolver/{realm}", resolver)
        lab.call("POST", f"/realm/{realm}", {"resolvers": realm})
    lab.call("POST", "/defaultrealm/corp")
    lab.call("POST", "/system/setConfig", {
        "email.identifier": "sink", "email.validtime": "300", "sms.identifier": "sink",
        "sms.providerTimeout": "300", "DefaultChallengeValidityTime": "300",
        "DefaultMaxFailCount": "5",
        # a sign-in may name its own address: tests need many
        "OverrideAuthorizationClient": "127.0.0.1>0.0.0.0/0",
    })  # fmt: skip
    # As soon as there is one policy for administrators, all that is not granted is refused.
    defined = lab.call("GET", "/policy/defs/admin")["result"]["value"]
    every = ", ".join(name for name, what in defined.items() if what["type"] == "bool")
    _policy(lab, "all", "admin", every, adminuser="admin")
    for name, rights in DESKS.items():
        _policy(lab, name, "admin", ", ".join(rights), adminrealm="desks", adminuser=name)
    _policy(lab, "sign-in", "authentication", "otppin=userstore, challenge_response=hotp totp "
            "email sms push, emailtext='Your code is {otp}', smstext='Your code is {otp}', "
            "push_allow_polling=allow, push_text_on_mobile='Sign in?'")  # fmt: skip
    _policy(lab, "enrol", "enrollment", "push_firebase_configuration=poll only, push_ttl=10, "
            f"push_ssl_verify=0, push_registration_url={lab.url}/ttype/push, tokenissuer=Lab, "
            "registration.length=12, registration.contents=[23456789ABCDEFGHJKLMNPQRSTUVWXYZ]")  # fmt: skip  # noqa: E501
    _policy(lab, "session", "webui", "jwt_validity=28800")


def _policy(lab: Lab, name: str, scope: str, action: str, **more: Any) -> None:
    wish = {"scope": scope, "action": action, "active": True, **more}
    lab.call("POST", f"/policy/{name}", wish)


def _point_at_sink(lab: Lab) -> None:
    """Tell it where mail and SMS go this time, and where its people lie."""
    kept = json.loads((lab.place / "lab.json").read_text("utf-8"))
    for realm in ("corp", "desks"):
        place = {"type": "sqlresolver", "Database": f"{lab.place}/{realm}.sqlite"}
        there = lab.call("GET", f"/resolver/{realm}")["result"]["value"][realm]["data"]
        lab.call("POST", f"/resolver/{realm}", {**there, **place})
    mail = {"server": "127.0.0.1", "port": kept["mail_port"], "sender": "mfa@example.test",
            "timeout": 5}  # fmt: skip
    lab.call("POST", "/smtpserver/sink", mail)
    sms = {"name": "sink", "module": SMS, "option.HTTP_METHOD": "POST",
           "option.URL": f"{lab.sink}/sms", "option.CHECK_SSL": "no",
           "option.SEND_DATA_AS_JSON": "yes", "option.to": "{phone}", "option.text": "{otp}"}  # fmt: skip  # noqa: E501
    lab.call("POST", "/smsgateway", sms)


def _launch(bin_: Path, place: Path) -> None:
    kept = json.loads((place / "lab.json").read_text("utf-8"))
    kept |= {name: free_port() for name in ("port", "sink_port", "mail_port")}
    (place / "lab.json").write_text(json.dumps(kept), "utf-8")
    sink = [str(bin_ / "python"), str(HERE / "sink.py"), str(kept["mail_port"]),
            str(kept["sink_port"])]  # fmt: skip
    running, environment = _processes(place), _environment(place)
    running.begin("sink", sink, environment)
    server = [str(bin_ / "gunicorn"), "--no-control-socket", "-w", "1", "-k", "gthread",
              "--threads", "4", "--keep-alive", "75", "-b", f"127.0.0.1:{kept['port']}", SERVED]  # fmt: skip  # noqa: E501
    running.begin("server", server, environment)
    try:
        running.answers("sink", f"http://127.0.0.1:{kept['sink_port']}/")
        running.answers("server", f"http://127.0.0.1:{kept['port']}/healthz/readyz")
    except Missing:
        stop(place)
        raise


def _processes(place: Path) -> Processes:
    return Processes(place, str(installing.home()))


def _environment(place: Path) -> dict[str, str]:
    kept = json.loads((place / "lab.json").read_text("utf-8"))
    return {
        "PATH": f"{installing.home() / 'venv' / 'bin'}:{os.environ.get('PATH', '')}",
        "TZ": "UTC",
        "HOME": str(place),
        "LAB_DATA": str(place),
        "LAB_KEY": kept["key"],
        "LAB_PEPPER": kept["pepper"],
        "PRIVACYIDEA_CONFIGFILE": str(HERE / "settings.py"),
        "PI_CONFIG_NAME": "production",
    }


def _post(url: str, body: Any) -> Any:
    return _asked("POST", url, body, {"Accept": "application/json"})


def _asked(method: str, url: str, body: Any, headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(url, method=method, headers=dict(headers))
    if method == "POST":
        request.data = json.dumps(body or {}).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        says = error.read().decode("utf-8", "replace")[:300]
        raise Missing(f"{method} {url}: {error.code} {says}") from error
