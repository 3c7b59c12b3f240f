"""The only file that names concrete parts: from settings to a desk of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from helpdesk import opening
from helpdesk.assets import DEMO as BUNDLED
from helpdesk.config import DEMO as DEMO_PROFILE
from helpdesk.config import Config, config_directory, data_directory
from helpdesk.connectors.base import Connector, Provider, Sender
from helpdesk.connectors.demo import DemoConnector
from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.errors import NotFound, Unreachable
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.products import load_cards
from helpdesk.progress import ProgressLine
from helpdesk.providing import is_provided, provided
from helpdesk.reaching import elsewhere, named
from helpdesk.service.ages import Ages, since_boot
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from helpdesk.service.ticketing import Ticketing
from helpdesk.stores.base import Directory, Store
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.installing import install
from helpdesk.stores.keys import Keys
from helpdesk.stores.seen import Seen
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from helpdesk.ticketed import ticketed


def clock() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


@contextlib.contextmanager
def open_here(config: Config, address: str, who: str) -> Iterator[Desk]:
    """Give the desk of this machine at an address, for an agent or a role.

    Args:
        config: The settings.
        address: A fixture file, `connectors`, or a provider's address (`privacyidea+https://…`).
        who: A role or an agent's id.

    Raises:
        BadFile, BadInput, NotFound, Unreachable: It cannot be opened; the sentence says why.
    """
    if is_provided(address):
        with _provided_desk(config, address, who) as provided:
            yield provided
        return
    path, is_bundled = fixture_path(address)
    progress = ProgressLine(sys.stderr)
    file = TinyFile(path, clock, data_directory() / "read", partial(_tell, progress, path))
    store = TinyStore(file)
    try:
        store.load()
        file.people()
    finally:
        if opening.before() is None:  # a new line would push the empty frame up
            progress.end()
    parts = Parts(
        cards=load_cards(config_directory() / "products", data_directory() / "cards.kept"),
        connector=DemoConnector(file),
        store=store,
        directory=TinyDirectory(file, store),
        path=path,
        label="DEMO DATA" if is_bundled else f"FIXTURE {path.name}",
        is_bundled=is_bundled,
        is_demo=is_bundled or store.is_invented,
    )
    with _local(config, who, parts) as local:
        yield local


def _tell(progress: ProgressLine, path: Path, share: float) -> None:
    """Say how far a file is read that takes long, which it does the first time."""
    name = clean(path.name, limit=20)
    progress.tell(f"{name} is read for the first time, or after many changes: {share:.0%}")


@contextlib.contextmanager
def examined(config: Config, desk: str = "") -> Iterator[Provider | None]:
    """Give the provider that a desk stands on, to be examined; None where it stands on none.

    Raises:
        BadInput: The settings are wrong.
    """
    address, _ = named(config, desk)
    if not is_provided(address):
        yield None
        return
    with provided(config, address, load_cards(config_directory() / "products")) as (_, provider):
        yield provider


@contextlib.contextmanager
def _provided_desk(config: Config, address: str, who: str) -> Iterator[Desk]:
    """Give a desk whose people are kept elsewhere; our own record is a file of this machine."""
    from helpdesk.service.provided import ProvidedDirectory  # noqa: PLC0415
    from helpdesk.stores.own import own_record  # noqa: PLC0415

    cards = load_cards(config_directory() / "products")
    with provided(config, address, cards) as (name, provider):
        path = data_directory() / "providers" / f"{name}.json"
        store = TinyStore(own_record(path, config.agents, clock))
        store.load()
        parts = Parts(
            cards=cards,
            connector=provider,
            store=store,
            directory=ProvidedDirectory(provider, store),
            path=path,
            label=clean(name, limit=40).upper(),
        )
        with _local(config, who, parts) as local:
            yield local


class Parts(NamedTuple):
    """What one kind of desk of this machine is made of, and another is not.

    Attributes:
        path: The file its record is in.
        is_bundled: Whether nobody real belongs to it: then no letter and no ticket ever leaves.
    """

    cards: Mapping[str, Product]
    connector: Connector
    store: TinyStore
    directory: Directory
    path: Path
    label: str
    is_bundled: bool = False
    is_demo: bool = False


@contextlib.contextmanager
def _local(config: Config, who: str, parts: Parts) -> Iterator[LocalDesk]:
    """Give a desk of this machine, open until the block ends."""
    store, directory, is_bundled = parts.store, parts.directory, parts.is_bundled
    with kept_tickets(config, store, directory, is_invented=is_bundled) as ticketing:
        local = LocalDesk(
            agent=agent_named(who, store.agents),
            cards=parts.cards,
            connector=parts.connector,
            store=store,
            directory=directory,
            clock=clock,
            label=parts.label,
            is_demo=parts.is_demo,
            keys=Keys(data_directory()),
            witness=Seen(data_directory(), parts.path),
            sender=None if is_bundled else mail_sender(config),
            contact=config.mail.contact if config.mail else "",
            is_gated=config.prove_callers,
            hold=timedelta(minutes=config.hold_minutes),
            ticketing=ticketing,
            ages=Ages(since_boot),
        )
        asyncio.run(_open(local))
        try:
            yield local
        finally:
            local.close()


@contextlib.contextmanager
def kept_tickets(
    config: Config, store: Store, directory: Directory, *, is_invented: bool = False
) -> Iterator[Ticketing | None]:
    """Give what takes in the tickets of the system that the settings name; None without one.

    Invented people have no tickets there.
    """
    if config.tickets is None or is_invented:
        yield None
        return
    with ticketed(config) as system:
        yield Ticketing(system, store, directory, clock) if system else None


async def _open(desk: LocalDesk) -> None:
    """Do what waited while nobody was at the desk, and hold its log against what was seen."""
    await desk.carry_out_due()
    await desk.watch()


def mail_sender(config: Config) -> Sender | None:
    """Return what sends letters; None where the settings name no mail server.

    Raises:
        BadInput: The settings of the mail server are wrong.
    """
    mail = config.mail
    if mail is None:
        return None
    from helpdesk.connectors.smtp import SmtpSender  # noqa: PLC0415  (most desks send nothing)

    return SmtpSender(
        mail.server,
        mail.sender,
        password=os.environ.get("HELPDESK_MAIL_PASSWORD", ""),
        authorities=Path(mail.authorities).expanduser() if mail.authorities else None,
    )


def fixture_path(address: str) -> tuple[Path, bool]:
    """Return the file a desk's address means, and whether it is the user's copy of the bundled one.

    The bundled fixture is never opened itself: the first use copies it into the data directory.

    Raises:
        Unreachable: There is no such file, or the copy cannot be made.
    """
    path = BUNDLED if address == DEMO_PROFILE else Path(address).expanduser()
    if not _is_there(path):
        raise Unreachable(
            f"There is no desk {clean(address)}: no file and no profile of that name."
        )
    if BUNDLED.exists() and path.samefile(BUNDLED):
        copy = demo_copy()
        if not copy.exists():
            install(BUNDLED, copy, is_first=True)
        return copy, True
    return path, False


def _is_there(path: Path) -> bool:
    """Return whether there is a file; what can be the name of none, as it is too long, is not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def takes_tickets(config: Config, desk: str = "") -> bool:
    """Return whether a desk would take in the tickets of the system that the settings name.

    One over HTTP has a system of its own, and the people of the demo have no tickets there.
    """
    address, _ = named(config, desk)
    if elsewhere(config, desk):
        return False
    return is_provided(address) or not fixture_path(address)[1]


def forget_replicas() -> int:
    """Let go of all this machine keeps of desks elsewhere; give how many that were."""
    from helpdesk.stores.known import forget_all  # noqa: PLC0415  (most desks have none)
    from helpdesk.stores.replica import Replica  # noqa: PLC0415

    forget_all(data_directory())
    found = sorted((data_directory() / "replica").glob("*/outbox.json"))
    for one in found:
        Replica(one.parent).forget()
    return len(found)


def demo_copy() -> Path:
    """Return where the user's own copy of the demo fixture lies."""
    return data_directory() / "demo.json"


def reset_demo() -> Path:
    """Start over: put a fresh copy of the bundled fixture in the place of the user's.

    Give its path.
    """
    install(BUNDLED, demo_copy())
    Seen(data_directory(), demo_copy()).forget()
    return demo_copy()


def agent_named(name: str, agents: Sequence[Agent]) -> Agent:
    """Return the agent with this id or name, or, for a role, the first of that role.

    A role nobody here has is taken without a person.

    Raises:
        NotFound: It is neither a role nor an agent; the sentence lists both.
    """
    wanted = name.casefold()
    person = next((a for a in agents if wanted in {a.id.casefold(), a.name.casefold()}), None)
    if person is not None:
        return person
    first = next((a for a in agents if a.role.value == wanted), None)
    # A role alone stands for the administrators of whatever account is meant, not for one of them.
    if first is not None and first.account is None:
        return first
    if wanted in {role.value for role in Role}:
        return _role(Role(wanted))
    there = ", ".join([*(role.value for role in Role), *(clean(a.id) for a in agents)])
    raise NotFound(f"{clean(name)} is neither a role nor an agent. There are {there}.")


def _role(role: Role) -> Agent:
    return Agent(id=role.value, name=role.words.capitalize(), role=role)
