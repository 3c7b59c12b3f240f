"""The real console, its agent signed in by a word: `python -m tests.bench.peers.signed WORD …`.

A system's keyring, where a sign-in outlasts a console, is not on every machine that measures; all
else is what `helpdesk` runs with the arguments that follow.
"""

from __future__ import annotations

import runpy
import sys

from helpdesk import signing
from helpdesk.domain.signing import AskSignIn


class Word:
    """Gives the same word for every sign-in."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def __call__(self, *, max_age_s: int | None = None) -> str:
        """Give it."""
        return WORD

    def refused(self, token: str) -> None:
        """Have no other."""

    def prompt_with(self, ask: AskSignIn | None) -> None:
        """Ask nobody."""

    async def sign_out(self) -> None:
        """Forget nothing."""


if __name__ == "__main__":
    WORD = sys.argv.pop(1)
    signing.Signing = Word  # type: ignore[misc,assignment]
    runpy.run_module("helpdesk", run_name="__main__")
