"""The settings that the README shows for gateway and agent, at a real OIDC provider."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.gateway.devserve import PATIENCE_S, places
from tests.gateway.test_real_provider import form_of, issuer, package  # noqa: F401  (fixtures)

README = Path(__file__).parents[2] / "README.md"


def shown(table: str) -> str:
    """Give the settings of the README in which a table stands."""
    found = re.findall(r"```toml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return str(next(one for one in found if f"[{table}]" in one))


def written(home: Path, settings: str) -> Path:
    """Write settings as somebody would; give the home they are in."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "helpdesk.toml").write_text(settings, "utf-8")
    return home


@contextlib.contextmanager
def begun(home: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Begin a command as a process of its own, killed at the end where it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "helpdesk", *arguments],
        env=os.environ | places(home) | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def sign_in(address: str, code: str) -> list[str]:
    """Go through the provider's pages with a device code; give what was asked there."""
    asked = []
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        page = browser.get(address, params={"user_code": code})
        while form := form_of(page):
            action, fields = form
            asked.append(fields.get("prompt", "confirm" if "confirm" in fields else "form"))
            fields |= {"login": "dana", "password": "any"} if fields.get("prompt") else {}
            page = browser.post(urljoin(str(page.url), action), data=fields)
    return asked


@pytest.mark.usefixtures("package")
def test_an_agent_signs_in_with_the_settings_of_the_readme(
    tmp_path: Path,
    issuer: str,  # noqa: F811
) -> None:
    serving = shown("serve.issuer").replace("https://login.example", issuer)
    serving = re.sub(r"^(certificate|key) = .*\n", "", serving, flags=re.MULTILINE)
    with begun(written(tmp_path / "far", serving), "serve", "--port", "0") as gateway:
        assert gateway.stdout is not None
        url = gateway.stdout.readline().split()[4].rstrip(".")
        profile = shown("profiles.north").replace("https://login.example", issuer)
        profile = profile.replace('desk = "https://desk.example"', f'desk = "{url}"')
        home = written(tmp_path / "near", profile)
        with begun(home, "sync", "--desk", "north", SSH_CONNECTION="over ssh") as console:
            assert console.stderr is not None
            told = console.stderr.readline()
            found = re.search(r"Open (\S+) in a browser .* type the code (\S+)\. ", told)
            assert found is not None, told

            asked = sign_in(found[1], found[2])
            out, err = console.communicate(timeout=PATIENCE_S * 2)

    assert asked == ["form", "confirm", "login", "consent"]
    assert console.returncode == 0, err
    assert out.startswith("Up to date: ")
