"""Every place that text comes from, with hostile text in it: files, providers, ticket systems.

valid document ─▶ one text in the place of one of its texts, or of all ─▶ read ─▶ a sentence, or a
value that can be shown
"""

from __future__ import annotations

import itertools
import json
import os
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from msgspec.structs import replace

from helpdesk import products
from helpdesk.assets import asset
from helpdesk.config import load_config
from helpdesk.connectors.tickets.djangohelpdesk import DjangoHelpdesk
from helpdesk.domain.diagnosis.casefile import case_verdict, decode_case
from helpdesk.domain.errors import HelpdeskError
from helpdesk.domain.events import encode_event
from helpdesk.domain.text import clean
from helpdesk.domain.training.prompting import notes
from helpdesk.domain.users import User
from helpdesk.fixture.check import check
from helpdesk.fixture.training import read_scenario
from helpdesk.plain.case import case_text, event_text, verdict_text
from helpdesk.products import read_card
from helpdesk.reaching import checked
from helpdesk.tui.render.manual import card_page
from helpdesk.tui.render.values import hanging
from tests import factories
from tests.connectors.plants import PLANTS, QUESTIONS, planted
from tests.labs.djangohelpdesk.server import PASSWORD, URL, Server
from tests.labs.faulty import Break, Strike, answer
from tests.labs.small import Wire
from tests.reliability.hostile_words import LONG, unsafe_in
from tests.reliability.spoiled import CARDS, Spoiler
from tests.sample import sample

EVER: Final = 10**9

CONFIG: Final = {
    "desk": "evening",
    "agent": "tomasz",
    "theme": "light",
    "profiles": {"evening": {"desk": "evening.json", "agent": "tomasz"}},
    "mail": {"server": "smtps://desk@mail.example:465", "sender": "desk@mail.example",
             "contact": "Call the help desk,"},
    "connectors": {"lab": {"kind": "privacyidea", "url": "https://x.example", "user": "d"}},
    "products": {"sms-2fa": {"connector": "lab", "within": "corp"}},
    "agents": [{"id": "dana", "name": "Dana", "role": "support", "login": "dana@x.example"}],
}  # fmt: skip
"""Settings with a text of every kind."""

Cell = tuple[str, str]
"""Where a text was, and what was wrong; nothing where nothing was."""


def leaves(value: Any) -> int:
    """Count the texts in a document, those that are keys aside."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else isinstance(value, str)


def spoilt(value: Any, text: str, which: int | None = None) -> Any:
    """Give a document with a text in the place of one of its texts by number, or of all."""
    numbers = itertools.count()

    def walk(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: walk(each) for key, each in one.items()}
        if isinstance(one, list):
            return [walk(each) for each in one]
        if isinstance(one, str):
            return text if which in {None, next(numbers)} else one
        return one

    return walk(value)


def toml(value: Any) -> str:
    """Give a value as TOML; a table as an inline one."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).replace(" ", "T")  # a moment


def written(place: Path, document: Mapping[str, Any]) -> Path:
    """Write a document as TOML, or as JSON by its name; half characters as they are."""
    text = (
        json.dumps(document)
        if place.suffix == ".json"
        else "".join(f"{json.dumps(k)} = {toml(v)}\n" for k, v in document.items())
    )
    place.write_bytes(text.encode("utf-8", "surrogatepass"))
    return place


def judged(name: str, read: Callable[[], str]) -> Cell:
    """Read something; a sentence of ours is as good as a value, where both can be shown."""
    try:
        said = read()
    except HelpdeskError as error:
        said = clean(str(error))
    except Exception as error:  # noqa: BLE001  (the row says it and goes on)
        return name, f"{error!r:.200}"
    return name, f"says {unsafe_in(said)}" if unsafe_in(said) else ""


def files(place: Path, text: str, turn: int, count: int) -> Iterator[Cell]:
    """Read every kind of file with the text in it; *count* texts of each are replaced in turn."""
    text = text[:LONG]
    for name, document, path, read in _kinds(place):
        total = leaves(document)
        numbers = [None, *((turn * count + n) % total for n in range(count))]
        for which in numbers:
            written(path, spoilt(document, text, which))
            yield judged(f"{name}, text {which} of {total}", read)
    events = [encode_event(event) for event in Spoiler(text, turn)._timeline()]
    case: dict[str, Any] = {
        "format": "helpdesk-case/1",
        "product": "lead-gen-crm",
        "timeline": events,
    }
    case["user"] = {"id": text, "name": text, "login": text, "account": text, "role": text}
    case["answers"] = [{"ask": text, "reply": text}]
    raw = json.dumps(case, default=str).encode()
    yield judged("a case file", lambda: _case(raw))
    yield judged("a hostname", lambda: clean(checked(f"https://{text}/")))
    yield judged("an address", lambda: clean(checked(text)))


_CARD: Final = tomllib.loads(
    (Path(products.__file__).parent / "lead-gen-crm.toml").read_text("utf-8")
)
_SCENARIO: Final = tomllib.loads(asset("fixtures/training/the-second-mail.toml").read_text("utf-8"))


def _kinds(place: Path) -> list[tuple[str, dict[str, Any], Path, Callable[[], str]]]:
    card, scenario = _CARD, _SCENARIO
    card_at, told_at = place / "lead-gen-crm.toml", place / "a-call.toml"
    config_at, desk_at = place / "helpdesk.toml", place / "desk.json"
    return [
        ("a card", card, card_at, lambda: hanging(card_page(read_card(card_at)), 100).plain),
        ("a scenario", scenario, told_at, partial(_scenario, told_at)),
        ("the settings", dict(CONFIG), config_at, partial(_settings, place)),
        ("a fixture", sample(), desk_at, lambda: str(check(desk_at))),
    ]


def _scenario(path: Path) -> str:
    told = read_scenario(path, CARDS)
    return "\n".join(clean(f"{note}") for note in notes(told.scenario))


def _settings(place: Path) -> str:
    before = os.environ.get("HELPDESK_CONFIG_DIR")
    os.environ["HELPDESK_CONFIG_DIR"] = str(place)
    try:
        return clean(str(load_config({})))
    finally:
        if before is None:
            del os.environ["HELPDESK_CONFIG_DIR"]
        else:
            os.environ["HELPDESK_CONFIG_DIR"] = before


def _case(raw: bytes) -> str:
    return verdict_text(case_verdict(decode_case(raw), CARDS))


# -- what providers and ticket systems answer ------------------------------------------------------


def _lies(text: str, which: int | None) -> Callable[[bytes], bytes]:
    """Make of an answer the same with the text in it."""

    def sends(whole: bytes) -> bytes:
        head, _, body = whole.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        try:
            told = json.loads(body)
        except ValueError:
            return whole
        number = None if which is None else which % max(1, leaves(told))
        raw = json.dumps(spoilt(told, text, number)).encode()
        return answer(status, raw, (b"content-type", b"application/json"))

    return sends


async def providers(texts: Sequence[tuple[str, str]], count: int) -> AsyncIterator[Cell]:
    """Ask every provider everything while it answers with each text, in all places or in one."""
    for provider in PLANTS:
        async with planted(provider) as plant:
            user = await plant.person()
            for turn, (_, text) in enumerate(texts):
                for which in (None, *(turn * count + n for n in range(count))):
                    lie = Break("", is_taken=True, sends=_lies(text[:LONG], which))
                    for name, ask in QUESTIONS.items():
                        plant.line.mark(Strike(lie, 0, EVER))
                        where = f"{provider}, {name}, text {which}, {text[:40]!r}"
                        yield await _answered(where, ask(plant.connector, user))
            for turn, (_, text) in enumerate(texts):
                for status in (400, 401, 403, 404, 409, 429, 500)[turn % 7 :: 7]:
                    raw = json.dumps(_FAULT | dict.fromkeys(_FAULT, text[:LONG])).encode()
                    kind = (b"content-type", b"application/json")
                    lie = Break(
                        "", is_taken=True, sends=partial(_instead, answer(status, raw, kind))
                    )
                    plant.line.mark(Strike(lie, 0, EVER))
                    where = f"{provider}, error {status}, {text[:40]!r}"
                    yield await _answered(where, QUESTIONS["people"](plant.connector, user))


_FAULT: Final = dict.fromkeys(
    (
        "error",
        "error_description",
        "errorMessage",
        "errorSummary",
        "errorCode",
        "message",
        "detail",
    ),
    "",
)
"""The keys under which providers say what was wrong."""


def _instead(said: bytes, _: bytes) -> bytes:
    return said


async def _answered(where: str, asked: Any) -> Cell:
    try:
        found = await asked
    except HelpdeskError as error:
        return judged(where, partial(clean, str(error)))
    except Exception as error:  # noqa: BLE001  (the row says it and goes on)
        return where, f"{error!r:.200}"
    return judged(where, lambda: "\n".join(_shown(found)))


def _shown(found: Any) -> Iterator[str]:
    """Give an answer as it is shown."""
    if isinstance(found, Mapping):
        for one in found.values():
            yield from _shown(one)
    elif isinstance(found, User):
        known = replace(found, product="sms-2fa")  # whichever product the connector is for
        yield case_text(factories.case(known), CARDS["sms-2fa"])
    elif hasattr(found, "kind") and hasattr(found, "at"):
        yield event_text(found)
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _shown(one)
    else:
        yield clean(str(found))


class _Lying(httpx.AsyncBaseTransport):
    """A ticket system that answers with one text."""

    def __init__(self, server: Server) -> None:
        self._inner, self.text, self.which = Wire(server), "", 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, and spoil what comes back."""
        told = await self._inner.handle_async_request(request)
        try:
            found = json.loads(await told.aread())
        except ValueError:
            return told
        which = self.which % max(1, leaves(found)) if self.which % 3 else None
        raw = json.dumps(spoilt(found, self.text, which)).encode()
        kind = {"content-type": "application/json"}
        stream = httpx.ByteStream(raw)
        return httpx.Response(told.status_code, stream=stream, headers=kind, request=request)


async def tickets(texts: Sequence[tuple[str, str]]) -> AsyncIterator[Cell]:
    """Ask a ticket system everything while it answers with each text."""
    server = Server()
    number = server.file("It keeps asking", "maya@customers.example")
    line = _Lying(server)
    system = DjangoHelpdesk("north", URL, "desk", lambda: PASSWORD, transport=line, queue="1")
    for turn, (_, text) in enumerate(texts):
        line.text, line.which = text[:LONG], turn
        for name, asked in (
            ("open tickets", system.open_tickets()),
            ("one ticket", system.ticket(number)),
            ("inspect", system.inspect()),
        ):
            yield await _answered(f"tickets, {name}, text {turn}, {text[:40]!r}", asked)
    system.shut()
