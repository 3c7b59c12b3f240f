"""The plots by cause, what each wants of its stage, and what the customer says about it."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.bench.world import plots_ab, plots_c, plots_d, plots_ef, plots_none, plots_two
from tests.bench.world.products import ALL, MAIL, RULES, TEXTS
from tests.bench.world.stage import Stage

Plot = Callable[[Stage], None]

PLOTS: dict[str, Plot] = {
    **{f"A{n}": getattr(plots_ab, f"a{n}") for n in range(1, 8)},
    **{f"B{n}": getattr(plots_ab, f"b{n}") for n in range(1, 9)},
    **{f"C{n}": getattr(plots_c, f"c{n}") for n in range(1, 15)},
    **{f"D{n}": getattr(plots_d, f"d{n}") for n in range(1, 11)},
    "D4b": plots_d.d4b,
    **{f"E{n}": getattr(plots_ef, f"e{n}") for n in range(1, 7)},
    **{f"F{n}": getattr(plots_ef, f"f{n}") for n in range(1, 5)},
}
"""One plot for each of the fifty causes."""

CONTROLS: dict[str, tuple[tuple[str, ...], Plot]] = {
    "lost-phone": (TEXTS, plots_none.lost_phone),
    "lost-mailbox": (MAIL, plots_none.lost_mailbox),
    "own-change": (TEXTS, plots_none.own_change),
    "healthy": (ALL, plots_none.healthy),
    "turn-off": (ALL, plots_none.turn_off),
    "after-reset": (ALL, plots_none.after_reset),
}
"""Plots with no cause at all, and their products: the truth is empty."""

TWO: dict[str, tuple[tuple[str, ...], tuple[str, ...], Plot]] = plots_two.TWO
"""Plots with two causes, or with one in another way: (truth, main first), products, plot."""

SENT = frozenset({"email", "sms", "voice"})

FACTORS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("C1", "C2", "C4", "C9", "D7", "D8", "C5/mail"), frozenset({"email"})),
    **dict.fromkeys(("C3", "C5"), frozenset({"email", "sms"})),
    **dict.fromkeys(("C6", "C13", "C14"), frozenset({"sms"})),
    **dict.fromkeys(("C7",), frozenset({"sms", "voice"})),
    **dict.fromkeys(("C8", "F2"), frozenset({"push"})),
    **dict.fromkeys(("C12", "D4", "D4b", "D5", "D6"), frozenset({"totp"})),
    **dict.fromkeys(("C10", "D1", "D2", "B7", "F1", "F4"), SENT),
    **dict.fromkeys(("D3", "D9", "D10", "F3", "E1"), SENT | {"totp"}),
    "lost-phone": frozenset({"sms", "voice", "push", "totp"}),
    "lost-mailbox": frozenset({"email"}),
    "own-change": frozenset({"sms"}),
}
"""The factors a cause can befall; those not named befall any."""

MODES: dict[str, str] = {
    "A1": "every-login",
    "A6": "policy",
    **dict.fromkeys(("A2", "A3", "A4", "A7", "B1", "B2", "B3", "B5"), "device"),
    "D6": "every-login",
}
"""The way of asking a cause needs, where the product has several."""

SAYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("A1", "A2", "A3", "A4", "A6", "A7"), ("keeps-asking",)),
    "A5": ("keeps-asking", "keeps-asking", "unasked-codes"),
    **dict.fromkeys(("B1", "B2", "B3", "B5"), ("keeps-asking",)),
    "B4": ("keeps-asking", "loop"),
    "B6": ("keeps-asking", "no-code", "loop"),
    "B7": ("code-refused",),
    "B8": ("keeps-asking", "loop"),
    **{f"C{n}": ("no-code",) for n in range(1, 13)},
    "C13": ("code-refused",),
    "C14": ("no-code", "keeps-asking"),
    **{f"D{n}": ("code-refused",) for n in range(1, 9)},
    "D4b": ("code-refused",),
    "D9": ("code-refused", "locked"),
    "D10": ("locked", "code-refused"),
    **dict.fromkeys(("E1", "E2", "E3"), ("loop", "keeps-asking", "loop")),
    "E4": ("loop", "no-code"),
    "E5": ("locked", "code-refused"),
    "E6": ("no-code", "loop"),
    "F1": ("unasked-codes",),
    "F2": ("unasked-codes",),
    "F3": ("lost-factor", "lost-factor", "turn-off", "no-code"),
    "F4": ("no-code", "unasked-codes", "locked"),
    "lost-phone": ("lost-factor",),
    "lost-mailbox": ("lost-factor", "no-code"),
    "own-change": ("keeps-asking", "lost-factor"),
    "healthy": ("keeps-asking", "no-code"),
    "turn-off": ("turn-off",),
    "after-reset": ("keeps-asking", "code-refused", "no-code"),
}
"""What the customer says: often this, sometimes nothing, sometimes something else."""

EVERYTHING = ("keeps-asking", "no-code", "code-refused", "loop", "locked")


def setting(cause: str, product: str, rng: random.Random) -> tuple[str, str]:
    """The way of asking and the factor of a stage for this cause."""
    rules = RULES[product]
    wanted = FACTORS.get(cause)
    factors = [f for f in rules.factors if wanted is None or f in wanted] or list(rules.factors)
    mode = MODES.get(cause, "")
    if mode and mode != "policy" and mode not in rules.modes:
        mode = ""
    return mode or rng.choice(rules.modes), rng.choice(factors)


def says(cause: str, rng: random.Random) -> str | None:
    """The complaint as this customer puts it."""
    luck = rng.random()
    if luck < 0.1:
        return None
    if luck < 0.18 and not cause.startswith("F") and cause not in CONTROLS:
        return rng.choice(EVERYTHING)
    return rng.choice(SAYS[cause])
