"""Where a sign-in outlasts the console: the system's own keyring, or nowhere.

Never a file, an environment variable or a keyring that only looks like one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE: Final = "helpdesk"

REAL: Final = frozenset(
    {
        "keyring.backends.macOS",
        "keyring.backends.Windows",
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
    }
)
"""The modules of keyrings that the system itself guards.

`fail` and `null` keep nothing; those of `keyrings.alt` write files that anybody with them can read.
"""

ANSWER_S: Final = 60.0
"""Seconds a keyring may take; it may ask its owner to unlock it."""

LOCK_WAIT_S: Final = 30.0
"""Seconds to wait for another console that renews the same sign-in."""


class Kept(Struct, frozen=True, kw_only=True):
    """What of a sign-in is kept.

    Attributes:
        refresh: The refresh token.
        authenticated_at: Seconds since 1970 when the agent signed in; None where nobody said.
    """

    refresh: str
    authenticated_at: float | None = None

    def __repr__(self) -> str:
        return "Kept(…)"


class SafeKeeping:
    """One entry of a keyring, or nothing where there is no real one.

    Args:
        name: Which sign-in: issuer and client.
        backend: The keyring; None to keep nothing.
        lock: A file to lock while a sign-in is renewed, so that two consoles of one agent do not
            both spend the one refresh token. It stays empty.
    """

    def __init__(
        self, name: str, backend: KeyringBackend | None = None, lock: Path | None = None
    ) -> None:
        self._name, self._backend, self._lock = name, backend, lock

    @property
    def is_lasting(self) -> bool:
        """Whether a sign-in outlasts this run."""
        return self._backend is not None

    async def read(self) -> Kept | None:
        """Return what is kept; None where nothing is."""
        text = await self._do(lambda ring: ring.get_password(SERVICE, self._name))
        try:
            return msgspec.json.decode(text, type=Kept) if text else None
        except msgspec.DecodeError:
            return None

    async def write(self, kept: Kept) -> None:
        """Keep it; where the keyring does not take it, keep nothing rather than what was before."""
        text = msgspec.json.encode(kept).decode()
        done = await self._do(lambda ring: (ring.set_password(SERVICE, self._name, text), True)[1])
        if not done:
            await self.forget()

    async def forget(self) -> None:
        """Keep nothing any more."""
        await self._do(lambda ring: ring.delete_password(SERVICE, self._name))

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold off other consoles that renew the same sign-in."""
        if self._backend is None or self._lock is None:
            yield
            return
        from filelock import AsyncFileLock, Timeout  # noqa: PLC0415

        lock = AsyncFileLock(self._lock, timeout=LOCK_WAIT_S, mode=0o600)
        try:
            await lock.acquire()
        except (Timeout, OSError):
            yield  # worse than a second sign-in is a console that does not open
            return
        try:
            yield
        finally:
            await lock.release()

    async def _do(self, what: Callable[[KeyringBackend], T]) -> T | None:
        """Return what the keyring answers; None where there is none or it cannot."""
        ring = self._backend
        if ring is None:
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.to_thread(what, ring)
        except Exception:  # noqa: BLE001  (each system's keyring raises what it likes)
            return None


def keeping_for(desk: str, issuer: str, client_id: str, directory: Path) -> SafeKeeping:
    """Return where the sign-in for one desk is kept; looks for a keyring, which takes a while.

    The desk is part of the name: what one desk's issuer gave is never sent to another address.
    A desk of this machine is not kept at all, for whoever listens there next may be another.

    Args:
        desk: Its address.
        issuer: The url of who signs agents in there.
        client_id: The console there.
        directory: Where the file to lock lies.
    """
    name = f"{desk} {issuer} {client_id}"
    if not (desk.startswith("https:") and issuer.startswith("https:")):
        return SafeKeeping(name)
    mark = hashlib.sha256(name.encode()).hexdigest()[:16]
    return SafeKeeping(name, real_keyring(), directory / f".sign-in-{mark}.lock")


def real_keyring() -> KeyringBackend | None:
    """Return the system's keyring; None where there is no real one, as on most ssh hosts."""
    import keyring  # noqa: PLC0415  (looks through every installed package)
    from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415

    chosen = keyring.get_keyring()
    rings = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    return next((ring for ring in rings if type(ring).__module__ in REAL), None)
