"""A sign-in that is needed while the console runs: what the agent is shown and asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct


class SignInPrompt(Struct, frozen=True, kw_only=True):
    """What the agent has to do to be signed in.

    Attributes:
        says: What to do, in sentences.
        url: The address to open; ASCII, https or of this machine; empty where there is none.
        user_code: What to type there; empty where nothing is.
        wants_code: Whether the agent has to type a one-time code here.
        is_first: Whether nobody was signed in before.
    """

    says: str
    url: str = ""
    user_code: str = ""
    wants_code: bool = False
    is_first: bool = False


AskSignIn = Callable[[SignInPrompt], Awaitable[str]]
"""Shows what to do, and gives the one-time code that was typed.

Where none is wanted it waits until it is cancelled: the sign-in is complete. It raises `GaveUp`
where the agent does not go on.
"""
