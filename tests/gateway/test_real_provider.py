"""Signing in at a real OIDC provider: `oidc-provider` from npm, driven through its own pages."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import platformdirs
import pytest
from filelock import FileLock
from joserfc.jwk import ECKey, Key, RSAKey

from helpdesk.domain.agents import Role
from helpdesk.domain.errors import Unauthorised
from helpdesk.gateway.flows import Prompt, Registration, Way
from helpdesk.gateway.issuers import Issuer, Provider
from helpdesk.gateway.keyrings import Kept, SafeKeeping
from helpdesk.gateway.signin import SignIn
from helpdesk.gateway.tokens import Tokens
from tests.gateway.test_signin import Ring

PACKAGE: Final = "oidc-provider@9.13.3"
RESOURCE: Final = "https://desk.example"
CLIENT: Final = "helpdesk-console"


@pytest.fixture(scope="module")
def package() -> Path:
    """The folder of the package, installed once for this machine, outside the repository."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("Node.js and npm are not here, so no real OIDC provider can be started.")
    folder = platformdirs.user_cache_path("helpdesk-tests") / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        found = folder / "node_modules" / "oidc-provider"
        if not (folder / "is-whole").exists():
            flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
            try:
                subprocess.run(
                    [npm, "install", *flags, PACKAGE], check=True, capture_output=True, timeout=120
                )
            except (OSError, subprocess.SubprocessError):
                pytest.skip("npm could not install oidc-provider, so there is none to sign in at.")
            (folder / "is-whole").touch()
    return found


@pytest.fixture(scope="module")
def issuer(package: Path) -> Iterator[str]:
    """The url of a running provider."""
    keys: list[Key] = [
        ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"}),
        RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"}),
    ]
    script = Path(__file__).with_name("real_provider.mjs")
    node = shutil.which("node") or ""
    with subprocess.Popen(
        [node, str(script), str(package)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        json.dump({"keys": [key.as_dict(private=True) for key in keys]}, running.stdin)
        running.stdin.close()
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


class Desk:
    """A console at the real provider, and an agent with a browser that keeps its cookies."""

    def __init__(self, url: str) -> None:
        self.registration = Registration(issuer=url, client_id=CLIENT, resource=RESOURCE)
        self.issuer = Issuer(
            url=url,
            audience=RESOURCE,
            client_id=CLIENT,
            roles_claim="groups",
            role_map={"hd-agents": Role.SUPPORT, "hd-leads": Role.LEAD},
        )
        self.ring = Ring()
        self.prompts: asyncio.Queue[Prompt] = asyncio.Queue()
        self.is_done = asyncio.Event()
        self.browser = httpx.AsyncClient(trust_env=False, follow_redirects=True)
        self.seen: list[str] = []

    def console(self, way: Way) -> SignIn:
        """A console that signs in."""
        return SignIn(
            self.registration,
            provider=Provider(self.registration.issuer),
            way=way,
            on_prompt=self.prompts.put_nowait,
            keeping=SafeKeeping("real", self.ring),
            sleep=self._sleep,
        )

    async def _sleep(self, _: float) -> None:
        """Ask once too early, then when the agent is done: no test waits for the interval."""
        if self.seen:
            await self.is_done.wait()

    async def sign_in(self, change: Callable[[dict[str, str]], None] = lambda _: None) -> str:
        """Go through the provider's pages as they come; give the text of the last one."""
        prompt = await self.prompts.get()
        address = f"{prompt.url}?user_code={prompt.code}" if prompt.code else prompt.url
        self.seen.append(prompt.way)
        page = await self.browser.get(address)
        while form := form_of(page):
            action, fields = form
            self.seen.append(fields.get("prompt", "confirm" if "confirm" in fields else "form"))
            fields |= {"login": "dana", "password": "any"} if fields.get("prompt") else {}
            change(fields)
            page = await self.browser.post(action, data=fields)
        self.is_done.set()
        return page.text

    async def cancel(self) -> None:
        """Open what the console shows, and follow the link that cancels."""
        prompt = await self.prompts.get()
        page = await self.browser.get(prompt.url)
        link = re.search(r'<a href="([^"]*/abort)"', page.text)
        assert link is not None
        await self.browser.get(urljoin(str(page.url), unescape(link[1])))

    async def token(self, console: SignIn, **given: Any) -> str:
        """The console's token, while the agent signs in."""
        token, _ = await asyncio.gather(console.token(**given), self.sign_in())
        return token


@pytest.fixture
async def desk(issuer: str) -> Any:
    """A console at the real provider."""
    desk = Desk(issuer)
    async with desk.browser:
        yield desk


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]] | None:
    """Return where a page's form goes and what stands in it; None where there is none."""
    action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
    if action is None:
        return None
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    where = urljoin(str(page.url), unescape(action[1]))
    return where, {name: unescape(value) for name, value in fields}


def kept(desk: Desk) -> dict[str, Any]:
    """What the keyring keeps."""
    return dict(json.loads(next(iter(desk.ring.entries.values()))))


async def test_the_code_flow_passes(desk: Desk) -> None:
    token = await desk.token(desk.console(Way.BROWSER))

    found = await Tokens(desk.issuer).agent(token)
    assert (found.agent.id, found.agent.role) == ("dana", Role.SUPPORT)
    assert found.agent.login == "dana@desk.example"
    assert found.authenticated_at.timestamp() == kept(desk)["authenticated_at"]
    assert desk.seen == ["browser", "login", "consent"]


async def test_the_device_flow_passes(desk: Desk) -> None:
    token = await desk.token(desk.console(Way.DEVICE))

    found = await Tokens(desk.issuer).agent(token)
    assert (found.agent.id, found.agent.role) == ("dana", Role.SUPPORT)
    assert desk.seen == ["device", "form", "confirm", "login", "consent"]


async def test_who_cancels_in_the_browser_is_not_signed_in(desk: Desk) -> None:
    with pytest.raises(Unauthorised, match="The sign-in was refused"):
        await asyncio.gather(desk.console(Way.BROWSER).token(), desk.cancel())


async def test_who_refuses_the_device_is_not_signed_in(desk: Desk) -> None:
    def refuse(fields: dict[str, str]) -> None:
        if fields.pop("confirm", ""):
            fields["abort"] = "yes"
            desk.is_done.set()

    async def person() -> None:
        prompt = await desk.prompts.get()
        page = await desk.browser.get(prompt.url, params={"user_code": prompt.code})
        for _ in range(2):
            form = form_of(page)
            assert form is not None
            refuse(form[1])
            page = await desk.browser.post(form[0], data=form[1])

    with pytest.raises(Unauthorised, match="The sign-in was refused"):
        await asyncio.gather(desk.console(Way.DEVICE).token(), person())


async def test_the_next_console_renews_and_the_refresh_token_rotates(desk: Desk) -> None:
    first = await desk.token(desk.console(Way.BROWSER))
    before = kept(desk)

    second = await desk.console(Way.BROWSER).token()

    assert second != first
    assert kept(desk)["refresh"] != before["refresh"]
    assert kept(desk)["authenticated_at"] == before["authenticated_at"]
    assert (await Tokens(desk.issuer).agent(second)).agent.id == "dana"
    assert desk.prompts.empty()


async def test_an_old_refresh_token_makes_the_provider_ask_the_agent_again(desk: Desk) -> None:
    await desk.token(desk.console(Way.BROWSER))
    old = Kept(refresh=kept(desk)["refresh"])
    await desk.console(Way.BROWSER).token()
    await SafeKeeping("real", desk.ring).write(old)

    token = await desk.token(desk.console(Way.BROWSER))

    assert (await Tokens(desk.issuer).agent(token)).agent.id == "dana"
    assert desk.seen.count("browser") == 2


async def test_a_step_up_asks_for_the_password_again_though_the_browser_remembers(
    desk: Desk,
) -> None:
    console = desk.console(Way.BROWSER)
    first = await desk.token(console)
    desk.seen.clear()

    second = await desk.token(console, max_age_s=5)

    tokens = Tokens(desk.issuer)
    before, after = await tokens.agent(first), await tokens.agent(second)
    assert desk.seen == ["browser", "login", "consent"]
    assert after.authenticated_at >= before.authenticated_at


async def test_signing_out_ends_the_sign_in_at_the_provider(desk: Desk) -> None:
    console = desk.console(Way.BROWSER)
    await desk.token(console)
    refresh = kept(desk)["refresh"]

    await console.sign_out()

    provider = Provider(desk.registration.issuer)
    status, body = await provider.post(
        (await provider.metadata()).token_endpoint,
        {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": refresh},
    )
    assert (status, json.loads(body)["error"]) == (400, "invalid_grant")
    assert desk.ring.entries == {}


@pytest.mark.parametrize("way", [Way.BROWSER, Way.DEVICE])
async def test_no_secret_of_a_sign_in_is_in_any_log(
    desk: Desk, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpx", "httpcore"):  # a console in this process has quietened them
        caplog.set_level(logging.DEBUG, logger=name)
    console = desk.console(way)

    token = await desk.token(console)
    refresh = kept(desk)["refresh"]
    renewed = await desk.console(way).token()
    await console.sign_out()

    assert "/token" in caplog.text
    for secret in (token, renewed, refresh, token.rpartition(".")[2]):
        assert secret not in caplog.text


async def test_a_token_for_this_desk_is_refused_by_another(desk: Desk) -> None:
    token = await desk.token(desk.console(Way.BROWSER))
    other = Issuer(url=desk.issuer.url, audience="https://payroll.example", client_id=CLIENT)

    with pytest.raises(Unauthorised, match="meant for another service"):
        await Tokens(other).agent(token)
