"""Which causes make which acts vain: one table, read by the verdict, the gate and the previews.

An act may be of no use (the verdict says so under *Not*, and so does its preview), it may be
stopped (the gate refuses it), and it may do harm (it is not advised where its cause is possible).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

RESETS: Final = ("reset-factor", "reset-all")
CODE: Final = ("send-code",)
CODE_AND_RESETS: Final = (*CODE, *RESETS)
HOSTILE: Final = (
    *RESETS, "turn-off-mfa", "send-code", "change-address", "change-mobile", "temporary-pass",
)  # fmt: skip

NO_RESET: Final = "a reset will not help"
NO_CODE: Final = "a new code will not help"


class Vain(Struct, frozen=True):
    """What one cause, or a group of them, says against acts.

    Attributes:
        no_use: Acts that would change nothing, or the wrong thing.
        why: Half a sentence.
        stops: Acts that the gate refuses while this is the likeliest cause and no guess.
        harms: Acts that would do harm; they are not advised while this is so much as possible.
    """

    no_use: tuple[str, ...] = ()
    why: str = ""
    stops: tuple[str, ...] = ()
    harms: tuple[str, ...] = ()


VAIN: Final[dict[str, Vain]] = {
    "A": Vain(RESETS, f"{NO_RESET}: nothing is broken", stops=RESETS, harms=RESETS),
    "B": Vain(RESETS, f"{NO_RESET}: the second proof itself is fine"),
    "C1": Vain(CODE, f"{NO_CODE}: it goes to the same place"),
    "C3": Vain(CODE_AND_RESETS, "wait: a new code may void the one on its way", harms=CODE),
    "C4": Vain(CODE_AND_RESETS, f"{NO_CODE}: nothing leaves for that address"),
    "C5": Vain(
        CODE_AND_RESETS,
        f"{NO_RESET}, nor will a new code: our sender is at fault",
        stops=RESETS,
        harms=CODE_AND_RESETS,
    ),
    "C10": Vain(CODE_AND_RESETS, "wait: more requests only prolong it", harms=CODE),
    "C11": Vain(CODE_AND_RESETS, f"{NO_CODE}: the password comes first"),
    "C12": Vain(CODE_AND_RESETS, "nothing is ever sent for an authenticator app"),
    "D2": Vain(CODE_AND_RESETS, "yet another code voids the live one"),
    "D3": Vain(RESETS, f"{NO_RESET}: it was a typing mistake"),
    "D4": Vain(RESETS, f"{NO_RESET}: the secret is right, the clock is not", harms=RESETS),
    "D4b": Vain(RESETS, f"{NO_RESET}: it is our clock", stops=RESETS, harms=RESETS),
    "D6": Vain(RESETS, f"{NO_RESET}: the next number will do"),
    "D9": Vain(CODE_AND_RESETS, f"{NO_CODE}: while locked, the right one fails too", harms=CODE),
    "D10": Vain(CODE_AND_RESETS, f"{NO_CODE}: while locked, the right one fails too", harms=CODE),
    "E": Vain(RESETS, f"{NO_RESET}: the code is accepted"),
    "E1": Vain(RESETS, f"{NO_RESET}: the code is accepted", stops=RESETS, harms=RESETS),
    "E4": Vain(RESETS, f"{NO_RESET}: a method must be chosen now"),
    "E5": Vain(
        RESETS,
        f"{NO_RESET}: one was done already, and something else blocks",
        stops=RESETS,
        harms=(*RESETS, "unlock"),
    ),
    "E6": Vain(CODE_AND_RESETS, f"{NO_RESET}: this is not the product's door"),
    "F": Vain(
        HOSTILE,
        "hostile until shown otherwise: it could let the attacker in",
        harms=(*HOSTILE, "unlock"),
    ),
}
"""By cause, else by its group. A hostile cause stops nothing: the gate asks a second person."""

NOTHING: Final = Vain()


def vain(cause: str) -> Vain:
    """Return what a cause says against acts; nothing for one that says nothing."""
    return VAIN.get(cause) or VAIN.get(cause[:1], NOTHING)
