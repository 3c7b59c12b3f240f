"""The first and the last line of every place: where one is and which keys there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from helpdesk.domain.agents import Agent
from helpdesk.domain.text import clean
from helpdesk.service.rehearsal import TRAINING
from helpdesk.tui.keys import Key
from helpdesk.tui.render.values import LABEL, QUIET, STRONG, WARN, badge, cells, pressable, show

MODES = (("1", "desk", "Desk"), ("2", "loops", "Loops"), ("3", "challenges", "Challenges"),
         ("4", "approvals", "Approvals"), ("5", "log", "Log"))  # fmt: skip


@dataclass
class Go(Message):
    """The agent wants to be in another place."""

    mode: str


@dataclass
class Open(Message):
    """The agent wants the case of a user."""

    user: str


@dataclass
class Pressed(Message):
    """A key of the footer was clicked."""

    key: Key


class HeaderLine(Widget):
    """Shows the places with what waits there, what the data is, and who works.

    Attributes:
        waiting: How many reports wait, by place.
        busy: How many changes are under way.
        fresh: How old what one sees is; empty where it is true now.
    """

    waiting: reactive[dict[str, int]] = reactive({})
    busy: reactive[int] = reactive(0)
    fresh: reactive[str] = reactive("")

    def __init__(self, mode: str, label: str, is_demo: bool, agent: Agent) -> None:
        super().__init__(id="header")
        self._mode = mode
        self._label = clean(label, limit=60)
        self._is_demo = is_demo
        self._agent = agent

    def render(self) -> Content:
        """Places on the left, label and agent on the right: shorter where there is little room."""
        look = "bold $demo-text on $demo" if self._is_demo else LABEL
        label = Content.assemble((f" {self._label} ", look))
        if self.fresh:
            label = Content.assemble(show(f"{self.fresh}  ", WARN), label)
        if self.busy:
            label = Content.assemble(("working …  ", "bold $warn"), label)
        left, who = self._shortened(label)
        right = label if who is None else Content.assemble(label, "  ", who)
        gap = max(1, self.size.width - cells(left) - cells(right))
        return Content.assemble(left, " " * gap, right)

    def _shortened(self, label: Content) -> tuple[Content, Content | None]:
        """The places and the agent as they fit; in a rehearsal the places give way to the role."""
        names, roles = list(self._names()), list(self._roles())
        shapes = [(0, names[2]), (-1, names[2]), (4, names[3]), (2, names[3])]
        wishes = [(letters, roles, roles[-1]) for letters, _ in shapes] if roles else []
        wishes += [(letters, names, least) for letters, least in shapes]
        left, who = self._places(0), None
        for letters, fitting, least in wishes:
            left = self._places(letters)
            room = self.size.width - cells(left) - cells(label) - 2
            who = next((one for one in fitting if cells(one) <= room), None)
            if cells(least) <= room:
                break
        return left, who

    def _places(self, letters: int) -> Content:
        """The places, the others but this one in so many letters; with 0 the console's name too."""
        left = Content.assemble((" " if letters else " helpdesk ", STRONG), " ")
        for key, mode, title in MODES:
            is_here = mode == self._mode
            name = title if is_here or letters <= 0 else title[:letters]
            word = f"{key} {name}{badge(self.waiting.get(mode, 0))}"
            ground = "$live-text on $live" if is_here else ""
            look = f"{ground} bold underline" if is_here else ""
            chip = Content.assemble((" ", ground), (word, look), (" ", ground))
            left = Content.assemble(left, pressable(chip, mode=mode))
        return left

    def _names(self) -> Iterator[Content]:
        """The agent with their role, by full name, by the first of the names, by letters."""
        name = clean(self._agent.name, limit=60)
        first, *others = name.split() or [self._agent.id]
        yield Content.assemble(show(name), (f" · {self._agent.role.words} ", QUIET))
        yield Content.assemble(show(name), " ")
        yield Content.assemble(show(first), " ")
        yield Content.assemble(show("".join(part[:1] for part in (first, *others))), " ")

    def _roles(self) -> Iterator[Content]:
        """In a rehearsal the role one plays, with as much of the name as there is room for."""
        if self._label != TRAINING:
            return
        name, role = clean(self._agent.name, limit=60), self._agent.role.words
        for words in (f"{name} · ", f"{name.partition(' ')[0]} · ", ""):
            yield Content.assemble(show(words), (f"{role} ", QUIET))

    def on_click(self, event: events.Click) -> None:
        """Go to the place that was clicked."""
        mode = event.style.meta.get("mode")
        if isinstance(mode, str):
            self.post_message(Go(mode))


class Banner(Widget):
    """Shows one line below the header when not all is well, and no line when all is.

    Attributes:
        line: What it says.
    """

    line: reactive[Content] = reactive(Content(""))

    def __init__(self) -> None:
        super().__init__(id="banner")
        self.display = False

    def watch_line(self, line: Content) -> None:
        """Take a line of the screen only where there is something to say."""
        self.display = bool(line.plain)

    def render(self) -> Content:
        """The line, cut at the width there is."""
        return self.line


class KeyFooter(Widget):
    """Shows the keys of a place, as many as fit; each can be clicked.

    Attributes:
        goes_back: Whether there is something to go back to, such as the list behind a case.
    """

    goes_back: reactive[bool] = reactive(False)

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(id="footer")
        self._back = [key for key in keys if key.does == "back"]
        self._shown = [key for key in keys if key.is_shown]

    @property
    def _keys(self) -> list[Key]:
        return [*self._back, *self._shown] if self.goes_back else self._shown

    def render(self) -> Content:
        """Keys from the left; help and palette always fit."""
        always = [key for key in self._keys if key.does in {"help", "palette"}]
        others = [key for key in self._keys if key not in always]
        tail = [self._entry(key) for key in always]
        room = self.size.width - sum(map(cells, tail)) - 1
        shown: list[Content] = []
        for key in others:
            entry = self._entry(key)
            if room < cells(entry):
                break
            room -= cells(entry)
            shown.append(entry)
        return Content.assemble(" ", *shown, *tail)

    def _entry(self, key: Key) -> Content:
        content = Content.assemble((key.shown, f"bold {LABEL}"), f" {key.label}  ")
        return pressable(content, key=key.key)

    def on_click(self, event: events.Click) -> None:
        """Do what the clicked key does."""
        name = event.style.meta.get("key")
        key = next((key for key in self._keys if key.key == name), None)
        if key is not None:
            self.post_message(Pressed(key))
