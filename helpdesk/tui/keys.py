"""The keys: one table, one line a key, read by the footer, the palette, the help and the README."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct
from textual.binding import Binding, BindingType

from helpdesk.domain.actions import ACTIONS, summary


class Where(StrEnum):
    """A place, by the name of its mode."""

    DESK = "desk"
    LOOPS = "loops"
    CHALLENGES = "challenges"
    APPROVALS = "approvals"
    LOG = "log"


ALL: Final = frozenset(Where)
DESK: Final = frozenset({Where.DESK})
LISTS: Final = frozenset(Where)


class Key(Struct, frozen=True, kw_only=True):
    """One key: what it is called, what it does and where.

    Attributes:
        key: Textual's name of it.
        label: One or two words for the footer.
        says: The sentence for help, palette and README.
        does: The screen's action.
        act: The act's name where the key is a wish to act on the user.
        is_shown: Whether the footer shows it.
    """

    key: str
    label: str
    says: str
    does: str
    where: frozenset[Where] = ALL
    act: str = ""
    is_shown: bool = False

    @property
    def shown(self) -> str:
        """The key as it is printed: `/`, `^p`, `Esc`."""
        return _PRINTED.get(self.key, self.key.replace("ctrl+", "^"))


_PRINTED = {
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "escape": "Esc",
    "enter": "Enter",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "tab": "Tab",
}


def _act(key: str, act: str, label: str = "", *, is_shown: bool = False) -> Key:
    return Key(
        key=key,
        label=label or ACTIONS[act].title,
        says=f"{summary(ACTIONS[act])}.",
        does=f"act('{act}')",
        where=DESK,
        act=act,
        is_shown=is_shown,
    )


def _go(key: str, mode: Where, label: str, says: str) -> Key:
    return Key(key=key, label=label, says=says, does=f"go('{mode.value}')")


KEYS: Final[tuple[Key, ...]] = (
    _go("1", Where.DESK, "Desk", "Go to the desk: find a user, see the case, act."),
    _go("2", Where.LOOPS, "Loops", "Go to the login-loop reports."),
    _go("3", Where.CHALLENGES, "Challenges", "Go to the recent challenges of everybody."),
    _go("4", Where.APPROVALS, "Approvals", "Go to what waits for a second person."),
    _go("5", Where.LOG, "Log", "Go to the log: who did what to whom."),
    Key(key="slash", label="Find", says="Find: type a name, login, number, account or ticket.",
        does="find", where=LISTS, is_shown=True),
    _act("s", "send-code", "Send", is_shown=True),
    _act("r", "reset-factor", "Reset", is_shown=True),
    _act("R", "reset-all", "Reset all"),
    _act("o", "turn-off-mfa", "Turn off", is_shown=True),
    _act("O", "turn-on-mfa", "Turn on"),
    _act("a", "change-address", "Address"),
    _act("m", "change-mobile", "Mobile"),
    _act("u", "unlock", "Unlock", is_shown=True),
    _act("e", "end-sessions", "Sessions"),
    _act("z", "suspend-factor", "Suspend"),
    _act("Z", "resume-factor", "Resume"),
    _act("p", "temporary-pass", "Pass"),
    _act("t", "enrol-totp", "Enrol app"),
    _act("w", "route", "Route", is_shown=True),
    Key(key="v", label="Verify", says="Verify the caller: prove who is on the line.",
        does="verify", where=DESK, is_shown=True),
    Key(key="q", label="Ask", says="Ask the caller what tells the causes apart; take a reply back.",
        does="ask", where=DESK, is_shown=True),
    Key(key="d", label="Drift", says="Measure by how much the clock of the caller's phone is off.",
        does="drift", where=DESK, is_shown=True),
    Key(key="y", label="Copy reply", says="Copy what to say, as a reply to the customer.",
        does="copy", where=DESK, is_shown=True),
    Key(key="U", label="Undo", says="Undo an act that is held and waits to be carried out.",
        does="undo", where=DESK),
    Key(key="b", label="Bundle", says="Write what the ticket needs into three files, masked.",
        does="bundle", where=DESK, is_shown=True),
    _act("n", "note", "Note", is_shown=True),
    _act("k", "take-ticket", "Take", is_shown=True),
    _act("K", "close-ticket", "Close"),
    _act("f", "flag", "Flag"),
    _act("x", "reveal", "Reveal", is_shown=True),
    Key(key="i", label="May I", says="Show every act with the reason why or why not.",
        does="reasons", where=DESK, is_shown=True),
    Key(key="M", label="More",
        says="Show all: of the verdict, of what hits many users, of the verified log.",
        does="more", where=ALL - {Where.APPROVALS}),
    Key(key="c", label="Card", says="Show the product's card: its rules and where they come from.",
        does="card", where=DESK, is_shown=True),
    Key(key="E", label="Event",
        says="Show an event of the timeline as its provider wrote it, the topmost in sight first.",
        does="event", where=DESK),
    Key(key="Y", label="Copy case", says="Copy the case in a few masked lines, for the ticket.",
        does="copy_case", where=DESK),
    Key(key="g", label="Alarm", says="Open the user of the newest alarm.",
        does="alarm", where=frozenset({Where.LOG}), is_shown=True),
    Key(key="v", label="Verify",
        says="Verify the log: whether a row was changed, added or taken away. Esc cancels.",
        does="verify", where=frozenset({Where.LOG}), is_shown=True),
    Key(key="W", label="Without MFA", says="List who is without MFA, and since when.",
        does="without", where=DESK),
    Key(key="S", label="Sort", says="Sort the list by the next order.", does="sort", where=DESK),
    Key(key="right_square_bracket", label="Down", says="Scroll the case down.",
        does="roll(1)", where=DESK),
    Key(key="left_square_bracket", label="Up", says="Scroll the case up.",
        does="roll(-1)", where=DESK),
    Key(key="ctrl+r", label="Again", says="Ask the desk again: list and case.",
        does="again", is_shown=True),
    Key(key="exclamation_mark", label="Waiting",
        says="Show what waits to be sent, what is unknown, and what is in conflict.",
        does="outbox"),
    Key(key="ctrl+l", label="Lock",
        says="Lock: forget all users this machine keeps of a desk elsewhere, and quit.",
        does="lock"),
    Key(key="T", label="Theme", says="Next theme: dark, light, high contrast, monochrome.",
        does="theme", is_shown=True),
    Key(key="escape", label="Back", says="Go back: clear the search, or back to the list.",
        does="back"),
    Key(key="question_mark", label="Help", says="Show the keys of where you are.", does="help",
        is_shown=True),
    Key(key="ctrl+p", label="Palette", says="Find any act or command by its name.",
        does="palette", is_shown=True),
    Key(key="ctrl+q", label="Quit", says="Quit.", does="quit", is_shown=True),
)  # fmt: skip
"""Every key of the console outside dialogs, in the order help lists them."""

IN_DIALOGS: Final[tuple[tuple[str, str], ...]] = (
    ("Tab", "Go to the next field or button; Shift+Tab goes back."),
    ("1 … 9", "Choose the line with that number."),
    (
        "Enter",
        "In a field: go to the next empty one, from the last one to the button. There: press it.",
    ),
    ("PgUp PgDn", "Scroll what does not fit."),
    ("v", "In an act that needs proof: verify the caller, and come back to it."),
    ("F9", "While a caller is verified, on demo data: look at the customer's telephone."),
    ("w", "After a refusal: route the customer to whoever may."),
    ("Backspace", "At the question to the caller: take the last reply back."),
    ("Esc", "Cancel: nothing is done."),
)
"""Keys that every dialog understands, with what they do."""

ON_STAGE: Final[tuple[tuple[str, str, str], ...]] = (
    ("F8", "next step", "Play the next step of the model answer; while one is played: hurry."),
    ("F5", "view", "See the next of: what was said, why, the codes, the desk as it is."),
    ("F7", "from the start", "Begin the demo anew, from the exact start, at any moment."),
)
"""Keys of the presenter of `helpdesk demo`: as printed, in a word or two, and what they do."""

IN_LISTS: Final[tuple[tuple[str, str], ...]] = (
    ("↑ ↓ PgUp PgDn", "Move in the list; resting on a user opens the case. Home and End too."),
    ("Enter", "Open the case."),
    ("Tab", "Go from search to list to case."),
)
"""Keys that move in lists, with what they do."""


def keys_of(where: Where) -> tuple[Key, ...]:
    """Return the keys that do something in a place, in the table's order."""
    return tuple(key for key in KEYS if where in key.where)


def bindings(where: Where) -> list[BindingType]:
    """Return the table's lines of a place as Textual wants them.

    Find comes before all others, so that letters typed in one go with it are not taken for acts.
    """
    return [
        Binding(key.key, key.does, key.label, show=False, priority=key.does == "find")
        for key in keys_of(where)
    ]


def key_of(act: str) -> str:
    """Return the printed key of an act; empty where it has none."""
    return next((key.shown for key in KEYS if key.act == act), "")


def markdown(keys: Iterable[Key] = KEYS) -> str:
    """Return the key table of the README: one row a key, and those of lists and dialogs below."""
    rows = [f"| `{key.shown}` | {key.label} | {key.says} |" for key in keys]
    lists = [f"| `{shown}` | in lists | {says} |" for shown, says in IN_LISTS]
    dialogs = [f"| `{shown}` | in dialogs | {says} |" for shown, says in IN_DIALOGS]
    stage = [f"| `{shown}` | in a demo | {says} |" for shown, _, says in ON_STAGE]
    return "\n".join(["| Key | | What it does |", "|---|---|---|", *rows, *lists, *dialogs, *stage])
