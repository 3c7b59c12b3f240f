"""A desk over HTTP, as settings and command line name it, with whoever signs in at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Struct

from helpdesk.config import Config, Profile, data_directory
from helpdesk.domain.errors import HelpdeskError, Unreachable
from helpdesk.domain.signing import AskSignIn
from helpdesk.extras import lacks
from helpdesk.signing import Signing, leaving_well

if TYPE_CHECKING:
    from helpdesk.gateway.remote import RemoteDesk
    from helpdesk.gateway.wire import Info
    from helpdesk.service.desk import Desk
    from helpdesk.service.offline import OfflineDesk

SOON_S: Final = 0.05
"""Seconds after which a console asks first, where what is here is shown meanwhile.

Whatever asks is loaded then: beside the first frame that would take as long as the frame.
"""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a desk elsewhere is reached for.

    Attributes:
        keeps: Whether this machine keeps what the agent works with, for when the line is down.
        reads: Whether it is only read from: what is kept will do where the desk is not reached.
        is_shared: Whether several agents use this machine's account, as on a page: nothing of one
            is shown to the next, and each signs in anew.
        ask: How the agent is asked to sign in; None for the terminal.
    """

    keeps: bool = False
    reads: bool = False
    is_shared: bool = False
    ask: AskSignIn | None = None


def named(config: Config, desk: str) -> tuple[str, Profile | None]:
    """Return the address that the name of a desk stands for, and the profile of that name."""
    name = desk or config.desk
    profile = config.profiles.get(name)
    return (profile.desk if profile else name), profile


def elsewhere(config: Config, desk: str = "") -> str:
    """Return the address of the desk that is named, where it is reached over HTTP; else nothing."""
    address, _ = named(config, desk)
    return address if address.startswith(("http://", "https://")) else ""


@contextlib.contextmanager
def reach(
    config: Config, url: str, profile: Profile | None, wanted: Wanted | None = None
) -> Iterator[Desk]:
    """Give the desk at an address; the agent signs in where they have not.

    Where this machine keeps what the agent works with, it begins with that and asks nobody first.

    Args:
        config: The settings.
        url: The address.
        profile: Its profile in the settings, where it has one.
        wanted: What it is reached for.

    Raises:
        BadInput: It is neither https nor of this machine, or the extra is not installed.
        Unreachable, Unauthorised: It does not answer, or not to this agent.
    """
    wanted, address = wanted or Wanted(), checked(url)
    from helpdesk.gateway.line import Line  # noqa: PLC0415  (of an extra that is there)
    from helpdesk.gateway.remote import RemoteDesk  # noqa: PLC0415

    authorities = Path(config.authorities).expanduser() if config.authorities else None
    signing = Signing(address, profile, authorities, is_shared=wanted.is_shared)
    signing.prompt_with(wanted.ask)
    words = Introduction(address, is_kept=not wanted.is_shared)
    begins_with = words.read() if wanted.keeps else None
    line = Line(address, signing, authorities=authorities)
    try:
        with leaving_well():
            desk = RemoteDesk(line, begins_with, words.heed)
    except Unreachable as error:
        info = words.read() if wanted.reads else None
        if info is None:
            raise _nothing_kept(error) if wanted.keeps else error from error
        yield away(info, address, error)
        return
    try:
        if wanted.keeps:
            with _left(kept_here(desk, address, words), is_left=wanted.is_shared) as kept:
                yield kept
        else:
            yield desk
    finally:
        desk.close()


@contextlib.contextmanager
def _left(desk: OfflineDesk, *, is_left: bool) -> Iterator[OfflineDesk]:
    """Give a desk; at its end, where others come after this agent, nothing of it stays."""
    try:
        yield desk
    finally:
        if is_left:
            with contextlib.suppress(HelpdeskError):
                asyncio.run(desk.lock())


def checked(url: str) -> str:
    """Return a desk's address, where it may be one and what reaches it is installed.

    Raises:
        BadInput: It is neither https nor of this machine, or the extra is not installed.
    """
    try:
        from helpdesk.gateway.line import desk_url  # noqa: PLC0415
    except ImportError as error:
        raise lacks("A desk over HTTP", "gateway", error) from error
    return desk_url(url)


class Introduction:
    """What a desk says of itself, as it is kept on this machine.

    Args:
        address: The desk.
        is_kept: Whether it is kept at all.
    """

    def __init__(self, address: str, *, is_kept: bool = True) -> None:
        from helpdesk.stores.known import Known  # noqa: PLC0415

        self._known, self._is_kept = Known(data_directory(), address), is_kept

    def read(self) -> Info | None:
        """Give it; None where there is none, or another version wrote it."""
        from helpdesk.gateway.wire import Info  # noqa: PLC0415

        words = self._known.read() if self._is_kept else None
        try:
            return None if words is None else msgspec.json.decode(words, type=Info)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def heed(self, info: Info | None) -> None:
        """Keep what the desk says now; nothing where somebody else signed in."""
        if not self._is_kept:
            return
        if info is None:
            self.forget()
        else:  # what is wrong with its log today is said by its answers of today
            self._known.write(msgspec.json.encode(msgspec.structs.replace(info, alarm="")))

    def forget(self) -> None:
        """Keep it no longer."""
        self._known.forget()


class Seat:
    """The agent's place at a desk elsewhere, left when the console is locked.

    Args:
        desk: The desk.
        words: What this machine keeps of it.
    """

    def __init__(self, desk: RemoteDesk, words: Introduction | None) -> None:
        self._desk, self._words = desk, words

    async def leave(self) -> None:
        """Sign out; where the issuer is not reached, the sign-in is forgotten here all the same."""
        if self._words is not None:
            self._words.forget()
        with contextlib.suppress(HelpdeskError):
            await self._desk.sign_out()

    async def take(self) -> None:
        """Let the agent sign in anew.

        Raises:
            HelpdeskError: They did not, or somebody else did; nobody is signed in.
        """
        try:
            await self._desk.sign_in()
        except HelpdeskError:
            await self.leave()
            raise


def kept_here(desk: RemoteDesk, address: str, words: Introduction | None = None) -> OfflineDesk:
    """Return a desk that goes on working while the line is down; it keeps its own in a replica."""
    from helpdesk.service.offline import OfflineDesk  # noqa: PLC0415
    from helpdesk.stores.replica import Replica, replica_directory, sweep  # noqa: PLC0415

    replica = Replica(replica_directory(data_directory(), address, desk.agent.id))
    sweep(data_directory(), datetime.now(UTC), but=replica.directory)
    offline = OfflineDesk(
        desk, replica, lambda: datetime.now(UTC), skew=desk.skew, seat=Seat(desk, words)
    )
    offline.asks_after_s = SOON_S
    asyncio.run(offline.open())
    return offline


def away(info: Info, address: str, error: Unreachable) -> Desk:
    """Return what this machine keeps of a desk that was not reached, to be read."""
    from helpdesk.service.away import Away  # noqa: PLC0415
    from helpdesk.service.offline import OfflineDesk  # noqa: PLC0415
    from helpdesk.stores.replica import Replica, replica_directory  # noqa: PLC0415

    desk = Away(
        label=info.label,
        is_demo=info.is_demo,
        is_gated=info.is_gated,
        agent=info.agent,
        cards={card.id: card for card in info.cards},
        why=str(error),
    )
    replica = Replica(replica_directory(data_directory(), address, info.agent.id))
    offline = OfflineDesk(cast("Desk", desk), replica, lambda: datetime.now(UTC))
    asyncio.run(offline.open())
    return offline


def _nothing_kept(error: Unreachable) -> Unreachable:
    return Unreachable(
        f"{error} This machine keeps nothing of this desk yet that it could show meanwhile."
    )
