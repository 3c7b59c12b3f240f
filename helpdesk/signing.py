"""Signing an agent in at a desk elsewhere: in the terminal, or wherever the console asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from helpdesk.config import Profile, data_directory
from helpdesk.domain.errors import GaveUp, HelpdeskError
from helpdesk.domain.signing import AskSignIn, SignInPrompt
from helpdesk.domain.text import clean
from helpdesk.service.asking import left_behind

if TYPE_CHECKING:
    from helpdesk.gateway.flows import Prompt
    from helpdesk.gateway.issuers import Provider
    from helpdesk.gateway.signin import SignIn

T = TypeVar("T")


class Signing:
    """Gives the tokens of one desk; finds out who signs agents in there when it is asked first.

    Args:
        url: The desk.
        profile: Its profile in the settings, where it has one.
        authorities: A file of certificates to trust instead of the system's.
        clock: Seconds since 1970.
        is_shared: Whether several agents use this machine's account: then nothing of a sign-in is
            kept, and the browser is the agent's own, elsewhere.
    """

    def __init__(
        self,
        url: str,
        profile: Profile | None,
        authorities: Path | None,
        clock: Callable[[], float] = time.time,
        *,
        is_shared: bool = False,
    ) -> None:
        self._is_shared, self._is_out = is_shared, False
        self._url, self._profile, self._authorities = url, profile, authorities
        self._clock, self._prompter = clock, Prompter()
        self._one_at_a_time = asyncio.Lock()
        self._sign_in: SignIn | None = None

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        """Give a token that is valid now; once signed out, only to who wants a new sign-in."""
        was_out = self._is_out
        if was_out and max_age_s is None:
            raise GaveUp("You are signed out here.")
        token = await (await self._known()).token(max_age_s=max_age_s)
        if was_out:  # who came before they signed out brings nobody back
            self._is_out = False
        return token

    async def sign_out(self) -> None:
        """Forget the sign-in, here and at the issuer.

        Raises:
            Unreachable: The issuer could not be told; here it is forgotten all the same.
        """
        self._is_out = True
        await (await self._known()).sign_out()

    async def _known(self) -> SignIn:
        async with self._one_at_a_time:
            if self._sign_in is None:
                self._sign_in = await self._found()
        return self._sign_in

    def refused(self, token: str) -> None:
        """Take note that the desk did not take a token: another is given next."""
        if self._sign_in is not None:
            self._sign_in.refused(token)

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Let *ask* ask the agent from now on; None for the terminal."""
        self._prompter.ask = ask

    async def _found(self) -> SignIn:
        from helpdesk.gateway.flows import (  # noqa: PLC0415  (only where one signs in)
            Registration,
            Way,
            registration_at,
            usual_way,
        )
        from helpdesk.gateway.keyrings import SafeKeeping, keeping_for  # noqa: PLC0415
        from helpdesk.gateway.signin import SignIn  # noqa: PLC0415

        profile = self._profile
        way = Way.DEVICE if self._is_shared else usual_way(os.environ)
        if profile is not None and profile.issuer:
            known = Registration(
                issuer=profile.issuer, client_id=profile.client_id, resource=profile.resource
            )
        else:  # a desk of this machine: its own issuer takes codes that it said at its start
            known = await registration_at(self._url, self._provider(self._url))
            way = Way.ONE_TIME if known.issuer.startswith(f"{self._url}/") else way
        keeping = SafeKeeping("")
        if not self._is_shared:
            keeping = await asyncio.to_thread(
                keeping_for, self._url, known.issuer, known.client_id, data_directory()
            )
        desk = self._provider(self._url)
        return SignIn(
            known,
            provider=self._provider(known.issuer),
            way=way,
            on_prompt=self._prompter.show,
            ask_code=self._prompter.ask_code,
            through=self._prompter.through,
            worth_it=lambda: desk.get(f"{self._url}/healthz"),
            keeping=keeping,
            clock=self._clock,
        )

    def _provider(self, url: str) -> Provider:
        from helpdesk.gateway.issuers import Provider  # noqa: PLC0415

        return Provider(url, authorities=self._authorities)


class Prompter:
    """Tells an agent how to sign in: in the terminal, or wherever the console asks.

    Attributes:
        ask: How the console asks; None for the terminal. Another thread may set it.
    """

    def __init__(self) -> None:
        self.ask: AskSignIn | None = None
        self._asked: asyncio.Task[None] | None = None
        self._gave_up: asyncio.Future[None] | None = None

    async def through(self, flow: Coroutine[Any, Any, T]) -> T:
        """Bring a sign-in to its end; what was shown for it goes away with it.

        Raises:
            GaveUp: The agent gave up; the sign-in is ended.
        """
        gave_up = self._gave_up = asyncio.get_running_loop().create_future()
        signing = asyncio.ensure_future(flow)
        try:
            await asyncio.wait({signing, gave_up}, return_when=asyncio.FIRST_COMPLETED)
            if gave_up.done() and not signing.done():
                gave_up.result()
            return await signing
        finally:
            begun = [each for each in (signing, self._asked) if each is not None]
            for each in begun:
                each.cancel()
            await asyncio.gather(*begun, return_exceptions=True)
            gave_up.cancel()
            self._asked = self._gave_up = None

    def show(self, prompt: Prompt) -> None:
        """Say how to sign in elsewhere, and open the browser where one signs in there."""
        from helpdesk.gateway.flows import Way  # noqa: PLC0415

        ask = self.ask
        if ask is None:
            show(prompt)
            return
        if prompt.way is Way.BROWSER:
            open_quietly(prompt.url)
            says = "Sign in in the browser that opens. If none does, open this address in one."
        else:
            says = (
                "Open the address in a browser on your own computer and type the code there. It "
                f"lets the console on {clean(socket.gethostname(), limit=60)} work as you: stop "
                "if the page names another place."
            )
        told = SignInPrompt(says=clean(says, limit=1_000), url=prompt.url, user_code=prompt.code)
        self._asked = asyncio.create_task(self._until_given_up(ask, told))

    async def ask_code(self) -> str:
        """Ask for the one-time code."""
        if self.ask is None:
            return await ask_code()
        says = (
            "The desk needs a sign-in of yours. Type the newest one-time code that "
            "`helpdesk serve --dev` said for you."
        )
        return (await self.ask(SignInPrompt(says=says, wants_code=True))).strip()

    async def _until_given_up(self, ask: AskSignIn, told: SignInPrompt) -> None:
        try:
            await ask(told)
        except HelpdeskError as error:
            if self._gave_up is not None and not self._gave_up.done():
                self._gave_up.set_exception(error)


def open_quietly(url: str) -> None:
    """Open a browser that can write nothing into this terminal."""
    command = [sys.executable, "-m", "webbrowser", url]
    quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    threading.Thread(
        target=lambda: subprocess.run(command, check=False, start_new_session=True, **quiet),
        name="browser",
        daemon=True,
    ).start()


def show(prompt: Prompt) -> None:
    """Say how to sign in, and open the browser where one signs in there."""
    from helpdesk.gateway.flows import Way  # noqa: PLC0415

    sys.stderr.write(f"helpdesk: {clean(prompt.says, limit=1_000)}\n")
    if prompt.way is Way.BROWSER:
        import webbrowser  # noqa: PLC0415

        webbrowser.open(prompt.url)


async def ask_code() -> str:
    """Ask for the one-time code, which is not shown; who stops here leaves the terminal as it was.

    Nobody waits for the line that is never typed then.
    """
    says = "The code that `helpdesk serve --dev` said (not shown): "
    read = getpass if sys.stdin.isatty() else lambda _: sys.stdin.readline()
    with _as_it_was():
        return (await left_behind(lambda: read(says), "code")).strip()


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Put the terminal's settings back at the end: a line half read leaves its echo off."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(handle, termios.TCSANOW, before)


@contextlib.contextmanager
def leaving_well() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program in order, with 128 + n, while the terminal asks."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = [signal.Signals[name] for name in names]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number in numbers if before[number] is signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
