"""Settings: helpdesk.toml < environment < flags.

Whatever is wrong is named with its file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import platformdirs
from msgspec import Meta, Struct

from helpdesk.assets import THEMES
from helpdesk.domain.agents import Agent
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.text import clean

DEMO = "demo"
"""The profile that is always there: the bundled fixture."""

CONNECTORS = "connectors"
"""The desk on all providers that the settings name."""


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk with a name: `[profiles.north]`.

    Attributes:
        desk: Its address: a fixture file, or `https://…`.
        agent: The role or agent to work as; empty for the desk's first support agent.
        issuer: Who signs agents in at a desk over HTTP.
        client_id: The console, as the issuer knows it.
        resource: What the issuer must be told the sign-in is for (RFC 8707); empty for nothing.
    """

    desk: str
    agent: str = ""
    issuer: str = ""
    client_id: str = ""
    resource: str = ""


class Behind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider that people are kept at, `[connectors.north]`, or a ticket system, `[tickets]`.

    Its secret stands in HELPDESK_SECRET_NORTH, in a file or in the keyring, never here.

    Attributes:
        kind: What it is: `privacyidea` …, `django-helpdesk`.
        url: Where it is: `https://…`.
        user: The desk's own account there, where it has a name.
        secret_file: A file that only you can read, with the account's password or token.
        options: What only this kind of provider is told.
    """

    kind: str
    url: str
    user: str = ""
    secret_file: str = ""
    options: dict[str, str] = {}


class Placed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the people of a product are: `[products.constant-contact]`.

    Attributes:
        connector: The name of a provider among `[connectors]`.
        within: Which part of its people: a realm, a group …; empty for all.
    """

    connector: str
    within: str = ""


class Mail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How customers are told by mail: `[mail]`; the password is in HELPDESK_MAIL_PASSWORD.

    Attributes:
        server: `smtps://user@server:465`, or `smtp://` with STARTTLS.
        sender: The mail address letters come from.
        contact: How the customer says that it was somebody else, as a sentence begins: `Call …,`.
        authorities: A file of certificates to trust instead of the system's.
    """

    server: str
    sender: str
    contact: str = ""
    authorities: str = ""


class Serving(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `helpdesk serve` needs: `[serve]`.

    Attributes:
        issuer: Who signs agents in: url, audience, client_id, and how its claims are read.
        certificate: A file with the certificate to answer with.
        key: A file with its key.
    """

    issuer: dict[str, Any] = {}
    certificate: str = ""
    key: str = ""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What helpdesk.toml and the environment say.

    Attributes:
        desk: The desk to open: a file, or the name of a profile.
        agent: The role or agent to work as.
        theme: `dark`, `light`, `high-contrast` or `monochrome`; empty for the default.
        prove_callers: Whether dangerous acts wait for proof of the caller and a second person.
            A desk that turns it off says so in its header and beside every command's answer.
        hold_minutes: How long a reset waits before it is carried out, so that it can be undone.
        lock_minutes: Minutes without a key after which a console on a desk elsewhere shows and
            keeps nobody any more and wants a new sign-in; 0 for never.
        serve: How a gateway answers.
        authorities: A file of certificates to trust desks and providers by, instead of the
            system's.
        connectors: Providers that people are kept at; the desk `connectors` opens all of them.
        products: Where the people of each product are; without one they are of no known product.
        agents: Who works at a desk on connectors; a fixture and a gateway bring their own.
        tickets: The ticket system that tickets are kept in; None where desks keep them themselves.
        mail: How customers are told; None where notices stay in the desk's own tray.
    """

    desk: str = DEMO
    agent: str = ""
    theme: str = ""
    profiles: dict[str, Profile] = {}
    prove_callers: bool = True
    hold_minutes: Annotated[int, Meta(ge=0, le=120)] = 0
    lock_minutes: Annotated[int, Meta(ge=0, le=480)] = 15
    mail: Mail | None = None
    tickets: Behind | None = None
    serve: Serving = Serving()
    authorities: str = ""
    connectors: dict[str, Behind] = {}
    products: dict[str, Placed] = {}
    agents: tuple[Agent, ...] = ()


def config_directory() -> Path:
    """Return the directory of helpdesk.toml; `products/` in it holds the user's own cards."""
    return Path(os.environ.get("HELPDESK_CONFIG_DIR") or platformdirs.user_config_path("helpdesk"))


def data_directory() -> Path:
    """Return the directory of the demo's copy, the log's keys and the checkpoints seen."""
    return Path(os.environ.get("HELPDESK_DATA_DIR") or platformdirs.user_data_path("helpdesk"))


def load_config(environment: Mapping[str, str]) -> Config:
    """Return the settings of the file, with those of the environment over them.

    Environment: HELPDESK_DESK, HELPDESK_AS, HELPDESK_THEME.

    Raises:
        BadFile: helpdesk.toml is wrong; the error names the line.
        BadInput: HELPDESK_THEME names no theme.
    """
    config = _read(config_directory() / "helpdesk.toml")
    given = {
        "desk": environment.get("HELPDESK_DESK"),
        "agent": environment.get("HELPDESK_AS"),
        "theme": environment.get("HELPDESK_THEME"),
    }
    if wrong := _no_theme(given["theme"] or ""):
        raise BadInput(f"HELPDESK_THEME: {wrong}")
    return msgspec.structs.replace(config, **{key: value for key, value in given.items() if value})


def _read(path: Path) -> Config:
    try:
        text = path.read_text("utf-8")
        import tomllib  # noqa: PLC0415  (most have no settings)

        config = msgspec.convert(tomllib.loads(text), Config)
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(str(path), "", f"cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        says, _, place = str(error).partition(" (at ")
        raise BadFile(str(path), place.rstrip(")"), says) from error
    except msgspec.ValidationError as error:
        raise BadFile(str(path), _line(text, str(error)), str(error).replace("`$.", "`")) from error
    if wrong := _no_theme(config.theme):
        raise BadFile(str(path), _line(text, "`theme`"), wrong)
    return config


def _no_theme(name: str) -> str:
    """Return the sentence that says that *name* is no theme; empty where it is one, or empty."""
    known = not name or name in THEMES
    return "" if known else f"there is no theme {clean(name)}; there are {', '.join(THEMES)}"


def _line(text: str, says: str) -> str:
    """Find the line of the key an error names; tomllib keeps no lines."""
    keys: list[Any] = re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", says)))
    for key in reversed(keys):
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(rf"\s*\[?[\w.-]*\b{re.escape(key)}\b\s*[=\]]", line):
                return f"line {number}"
    return ""
