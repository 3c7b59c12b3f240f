"""What is seen first: the console's empty frame, painted before anything else is loaded.

    paint ─▶ alternate screen, no echo ─┬─▶ take: the console goes on from there, nothing blinks
                                        └─▶ give_back: the shell's screen, as it was

Nobody's data is in it. It is painted for a desk that is a file: any other may first ask, at the
terminal, who one is. It loads nothing that Python has not loaded by itself, not even `typing`:
every module here is waited for before the first frame.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Final, TextIO

ENTER: Final = "\x1b[?1049h"
"""What begins the alternate screen; the console's driver would write the same."""

_BEGIN: Final = f"{ENTER}\x1b[?7l\x1b[?25l"
_LEAVE: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"

SAYS: Final = "Opening …"

_ENDING: Final = ("SIGTERM", "SIGHUP", "SIGQUIT")
_OPTIONS: Final = {"--desk": "desk", "--as": "who", "--theme": "theme"}
_FULL: Final = {"truecolor", "24bit"}

Colour = tuple[int, int, int, int]
"""Red, green and blue, and the nearest of the 256 that a smaller terminal has."""

LOOKS: Final[dict[str, dict[str, Colour]]] = {
    "dark": {
        "background": (16, 20, 27, 16), "panel": (42, 52, 66, 23),
        "foreground": (221, 227, 236, 189), "quiet": (147, 160, 177, 109),
    },
    "light": {
        "background": (251, 252, 253, 231), "panel": (223, 229, 236, 189),
        "foreground": (23, 32, 42, 16), "quiet": (86, 100, 115, 241),
    },
    "high-contrast": {
        "background": (0, 0, 0, 16), "panel": (48, 48, 48, 236),
        "foreground": (255, 255, 255, 231), "quiet": (230, 230, 230, 254),
    },
    "monochrome": {
        "background": (16, 16, 16, 233), "panel": (48, 48, 48, 236),
        "foreground": (214, 214, 214, 252), "quiet": (156, 156, 156, 246),
    },
}  # fmt: skip
"""What the empty frame has of each theme's colours, which cannot be loaded yet; dark is first."""


class Wish:
    """What a command line without a command says.

    Attributes:
        desk: Which desk; empty for that of the settings.
        who: As whom; empty for that of the settings.
        theme: How it looks; empty for that of the settings.
    """

    def __init__(self, desk: str = "", who: str = "", theme: str = "") -> None:
        self.desk, self.who, self.theme = desk, who, theme


class _Lent:
    """The terminal of this process while the empty frame is on it.

    Attributes:
        before: How it was set; None where nothing is painted on it, or somebody took it over.
        signals: What was done on a signal before, by its number.
    """

    before: list[Any] | None = None
    signals: Final[dict[int, Any]] = {}


def wished(arguments: Sequence[str]) -> Wish | None:
    """Give what is wished where it is the console, told in full; None for the whole parser."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in _OPTIONS or not (equals or rest):
            return None
        value = value if equals else rest.pop(0)
        if value.startswith("-") or not value.isprintable():
            return None
        found[_OPTIONS[name]] = value
    return Wish(**found) if found.get("theme", "dark") in LOOKS else None


def paint(wish: Wish, environment: Mapping[str, str]) -> bool:
    """Paint the empty frame where there is a terminal for it and the desk is a file.

    Return whether it was painted.
    """
    out = sys.__stderr__  # where the console itself is drawn
    said = settings(environment)
    desk = wish.desk or environment.get("HELPDESK_DESK") or said.get("desk") or "demo"
    if out is None or not _is_fit(environment) or not (desk == "demo" or os.path.isfile(desk)):  # noqa: PTH113  (pathlib is not loaded)
        return False
    theme = wish.theme or environment.get("HELPDESK_THEME") or said.get("theme") or ""
    try:
        columns, lines = os.get_terminal_size(out.fileno())
        _Lent.before = _hush()
    except OSError:
        return False
    colours = LOOKS.get(theme, LOOKS["dark"])
    _write(out, _BEGIN + frame(columns, lines, colours, depth(environment)))
    _heed()
    return True


def frame(columns: int, lines: int, colours: Mapping[str, Colour], deep: int) -> str:
    """Give what paints the empty frame: a bar at the top and one at the bottom, and one word.

    Args:
        columns: How wide the terminal is.
        lines: How high it is.
        colours: Those of a theme.
        deep: How many colours the terminal has; with less than 256 it is painted without.
    """

    def on(ground: str, text: str) -> str:
        return f"\x1b[0m{_sets(48, colours[ground], deep)}{_sets(38, colours[text], deep)}"

    says = f"{SAYS[:columns]:^{columns}}"
    rows = [on("panel", "foreground"), f"\x1b[1;1H\x1b[1m{' helpdesk':<{columns}.{columns}}"]
    rows.append(on("background", "quiet"))
    for row in range(2, lines):
        rows.append(f"\x1b[{row};1H{says if row == lines // 2 else ' ' * columns}")
    rows.append(f"{on('panel', 'quiet')}\x1b[{lines};1H{' ' * columns}\x1b[0m")
    return "".join(rows)


def depth(environment: Mapping[str, str]) -> int:
    """Give how many colours the terminal has, where they are wished: as the console finds out."""
    if environment.get("NO_COLOR"):
        return 0
    if environment.get("COLORTERM", "").strip().lower() in _FULL:
        return 1 << 24
    return 256 if environment.get("TERM", "").endswith(("-256color", "-kitty")) else 0


def take() -> list[Any] | None:
    """Take the terminal over: give how it was set before; None where nothing is painted on it."""
    before, _Lent.before = _Lent.before, None
    return before


def before() -> list[Any] | None:
    """Give how the terminal was set before; None where nothing is painted on it."""
    return _Lent.before


def give_back() -> None:
    """Give the terminal back to the shell, where something is painted that nobody took over."""
    before, out = take(), sys.__stderr__
    if before is None or out is None:
        return
    import termios  # noqa: PLC0415

    _write(out, _LEAVE)
    try:
        termios.tcsetattr(0, termios.TCSANOW, before)
    except termios.error:
        return  # it has gone
    finally:
        _heed_no_more()


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the desk and the theme of helpdesk.toml: what is wrong in it is told later.

    Its directory is `config.config_directory`, found without what that needs.
    """
    directory = environment.get("HELPDESK_CONFIG_DIR")
    if not directory and sys.platform != "linux":
        from helpdesk.config import config_directory  # noqa: PLC0415  (rather late than wrong)

        directory = str(config_directory())
    if not directory:
        base = environment.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
        directory = os.path.join(os.path.expanduser(base), "helpdesk")  # noqa: PTH111, PTH118
    found: dict[str, str] = {}
    try:
        with open(os.path.join(directory, "helpdesk.toml"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            for line in file:
                if line.lstrip().startswith("["):
                    break
                name, _, value = line.partition("=")
                quoted = value.replace("'", '"').split('"')
                if name.strip() in {"desk", "theme"} and len(quoted) > 2:
                    found[name.strip()] = quoted[1]
    except (OSError, ValueError):
        return {}
    return found


def _is_fit(environment: Mapping[str, str]) -> bool:
    """Return whether this is a terminal that can be painted on, and the console will be there."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return (
        sys.platform != "win32"
        and environment.get("TERM", "dumb") not in {"", "dumb", "unknown"}
        and not environment.get("TEXTUAL_DRIVER")  # helpdesk web
        and all(stream is not None and stream.isatty() for stream in streams)
    )


def _hush() -> list[Any]:
    """Set the terminal so that keys struck now wait for the console; give how it was before.

    Nothing is echoed, and Enter stays Enter; but Ctrl+C still ends.

    Raises:
        OSError: It cannot be set.
    """
    import termios  # noqa: PLC0415  (not on every system)

    try:
        before, hushed = termios.tcgetattr(0), termios.tcgetattr(0)
        hushed[0] &= ~(termios.ICRNL | termios.IXON)
        hushed[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(0, termios.TCSANOW, hushed)
    except termios.error as error:
        raise OSError(*error.args) from error
    return before


def _sets(which: int, colour: Colour, deep: int) -> str:
    red, green, blue, nearest = colour
    if deep > 256:
        return f"\x1b[{which};2;{red};{green};{blue}m"
    return f"\x1b[{which};5;{nearest}m" if deep else ""


def _write(out: TextIO, text: str) -> None:
    try:
        out.buffer.write(
            text.encode("utf-8" if "utf" in out.encoding.lower() else "ascii", "replace")
        )
        out.buffer.flush()
    except OSError:
        return  # it has gone


def _heed() -> None:
    """Give the terminal back before a signal ends the process; let none stop it meanwhile."""
    import signal  # noqa: PLC0415  (only now: the frame is painted)

    def end(number: int, _frame: object) -> None:
        give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    wishes: list[tuple[int, Callable[[int, object], None] | signal.Handlers]]
    wishes = [(getattr(signal, name), end) for name in _ENDING]
    for number, does in [*wishes, (signal.SIGTSTP, signal.SIG_IGN)]:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, does)
            _Lent.signals[number] = does


def _heed_no_more() -> None:
    import signal  # noqa: PLC0415

    for number, ours in _Lent.signals.items():
        if signal.getsignal(number) is ours:
            signal.signal(number, signal.SIG_DFL)
    _Lent.signals.clear()
