"""The parts of the README that are made from the code, and the commands it promises.

`python -m tests.readme` writes the made parts anew.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from helpdesk.cli import parser
from helpdesk.domain.actions import ACTIONS, summary
from helpdesk.domain.agents import Role
from helpdesk.domain.policies import DESK_ACTS
from helpdesk.domain.products import Product
from helpdesk.domain.text import NOT_DOCUMENTED
from helpdesk.products import load_cards
from helpdesk.tui.keys import markdown
from tests.connectors import showing

README = Path(__file__).resolve().parent.parent / "README.md"

PICTURES = README.parent / ".github"

PLAYED = "7-a-call-on-a-live-privacyidea"
"""The picture that `tests.connectors.privacyidea_journey` draws; the others need no server."""

LETTERS = {
    Role.SUPPORT: "S",
    Role.ACCOUNT_MANAGER: "M",
    Role.PRODUCT_ADMINISTRATOR: "P",
    Role.LEAD: "L",
    Role.TRAINER: "T",
    Role.AUDITOR: "A",
}
"""How the table of acts writes the roles."""

GOES_TO = {
    "login-address-or-mobile": "login address or mobile",
    "notification-address": "notification address",
    "own-device": "the user's device",
    "mobile": "mobile",
}


def products() -> str:
    """Return what the cards say, one column a product."""
    cards = list(load_cards().values())
    rows: list[tuple[str, Callable[[Product], str]]] = [
        ("Second proof", lambda card: str(card.mandatory)),
        ("Factors", lambda card: ", ".join(factor.name for factor in card.factors)),
        ("Codes go to", lambda card: GOES_TO.get(str(card.codes.goes_to), str(card.codes.goes_to))),
        ("Asked", lambda card: ", ".join(asked.rule for asked in card.asked)),
        ("Remembered by", lambda card: str(card.memory.by)),
        ("A code lives", lambda card: _span(card.codes.life_s.value)),
        ("Wait before the next", lambda card: _span(card.codes.resend_wait_s.value)),
        ("A newer code voids", lambda card: _yes(card.codes.newest_only.value)),
        ("Others read the mailbox", lambda card: _yes(card.codes.shared.value)),
    ]
    lines = [_row("", *(card.name for card in cards)), _row(*["---"] * (len(cards) + 1))]
    lines += [_row(f"**{name}**", *(tell(card) for card in cards)) for name, tell in rows]
    return "\n".join(lines)


def acts() -> str:
    """Return who may do what, one column a product; a star where only the desk's rule says so."""
    cards = list(load_cards().values())
    ours = {name: kind for name, kind in ACTIONS.items() if kind in DESK_ACTS}
    lines = [_row("Act", *(card.short for card in cards)), _row(*["---"] * (len(cards) + 1))]
    for name in ACTIONS:
        if name not in ours:
            lines.append(_row(f"`{name}`", *(_who(card, name) for card in cards)))
    lines.append("")
    lines += [
        f"- `{name}`: {', '.join(LETTERS[r] for r in Role if r in DESK_ACTS[kind])}. "
        f"{summary(kind)}."
        for name, kind in ours.items()
    ]
    return "\n".join(lines)


def commands() -> str:
    """Return the commands with what each does, as `--help` says it."""
    lines = [_row("Command", "What it does"), _row("---", "---")]
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                lines.append(_row(f"`helpdesk {choice.dest}`", f"{choice.help}."))
    return "\n".join(lines)


def screens() -> str:
    """Return the pictures that are there, in the order of their names."""
    pictures = sorted(PICTURES.glob("*.svg"))
    return "\n\n".join(f"![{_told(file)}](.github/{file.name})" for file in pictures)


def _told(picture: Path) -> str:
    """Return a picture's name in words: `1-the-desk.svg` is *the desk*."""
    return picture.stem.lstrip("0123456789-").replace("-", " ")


MADE: dict[str, Callable[[], str]] = {
    "screens": screens,
    "keys": markdown,
    "products": products,
    "acts": acts,
    "commands": commands,
    "lacking": showing.lacking,
    "shown": showing.table,
}
"""The made parts by the name between their markers."""


def with_made_parts(text: str) -> str:
    """Return *text* with every made part as it should be now."""
    for name, make in MADE.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if begin not in text:
            raise LookupError(f"the README has no {begin}")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def command(holding: str) -> str:
    """Return the one line of the README's code blocks that holds these words.

    Raises:
        LookupError: There is none, or more than one.
    """
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    lines = [str(line) for block in blocks for line in block.splitlines() if holding in line]
    if len(lines) != 1:
        raise LookupError(f"{len(lines)} lines of the README hold {holding!r}")
    return lines[0]


def _who(card: Product, name: str) -> str:
    act = card.acts.get(name)
    if act is None or not act.who:
        return "–"
    letters = " ".join(LETTERS[role] for role in Role if role in act.who)
    return letters if act.documented else f"{letters} \\*"


def _span(seconds: int | None) -> str:
    if seconds is None:
        return NOT_DOCUMENTED
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _yes(value: bool | None) -> str:
    return NOT_DOCUMENTED if value is None else ("yes" if value else "no")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    if sys.argv[1:2] == ["command"]:
        sys.stdout.write(f"{command(sys.argv[2])}\n")
    else:
        README.write_text(with_made_parts(README.read_text("utf-8")), "utf-8")
