"""Acts of several parts: one after the other; where it breaks off, what is done and what is not.

part ─▶ done, or was so already ─▶ the next
     ─▶ its answer was lost ─▶ looked at: done ─▶ the next · not done, or nobody knows ─▶ breaks off
     ─▶ refused ─▶ breaks off: the error itself where nothing is done yet, else `BrokeOff`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from msgspec import Struct

from helpdesk.connectors.exchange import LOOK_AGAIN
from helpdesk.connectors.raw import text
from helpdesk.domain.errors import BrokeOff, HelpdeskError, NotFound, Unreachable, Unsettled
from helpdesk.domain.text import clean
from helpdesk.domain.users import Factor

LONGEST: Final = 300
"""Characters of the sentence that an agent reads; the log has the lists in full."""

NAMES: Final = 80
"""Characters that the names of one list may take in it; of a longer list the ends are said."""


class Part(Struct, frozen=True, kw_only=True):
    """One part of an act.

    Attributes:
        id: What `still` knows it by.
        words: Its name in the sentence.
        do: Does it; what is done already is no error, or `NotFound`.
    """

    id: str
    words: str
    do: Callable[[], Awaitable[Any]]


def removals(
    factors: Sequence[Factor], remove: Callable[[Factor], Awaitable[Any]]
) -> tuple[Part, ...]:
    """Return the removals of factors, in their order."""
    return tuple(
        Part(id=one.id, words=told(one), do=lambda one=one: remove(one))  # type: ignore[misc]
        for one in factors
    )


def ids_of(raws: Sequence[Any], *keys: str) -> set[str]:
    """Return the ids that rows have under one of these keys.

    Raises:
        Unreachable: One has none: what is left cannot be told.
    """
    found = [next((name for key in keys if (name := text(raw, key))), "") for raw in raws]
    if not all(found):
        raise Unreachable("The provider did not say which are left.")
    return {*found}


def told(factor: Factor) -> str:
    """Return a factor by kind and id."""
    return clean(f"{factor.kind.words} {factor.id}", limit=80)


def held_against(
    act: str, factors: Sequence[Factor], left: Collection[str], error: HelpdeskError
) -> BrokeOff:
    """Return the error of a reset in one call whose answer was lost, by what is left now."""
    known = {factor.id for factor in factors}
    parts = {factor.id: told(factor) for factor in factors}
    parts |= {name: clean(name, limit=80) for name in sorted({*left} - known)}
    gone, rest = (
        [words for name, words in parts.items() if (name in left) is is_left]
        for is_left in (False, True)
    )
    return _broke_off(act, "Gone", "", gone, rest, "", error)


async def one_by_one(
    act: str,
    parts: Sequence[Part],
    *,
    verb: str = "Done",
    still: Callable[[], Awaitable[Collection[str]]] | None = None,
    before: str = "",
) -> None:
    """Do the parts of an act.

    Args:
        act: The act, as a sentence begins with it: `The reset`.
        parts: In order.
        verb: What a part is that is done: `Gone`.
        still: Gives the ids of those that are not done, asked of the provider; None where it
            cannot be asked.
        before: What was done already before the first part, a sentence; empty for nothing.

    Raises:
        BrokeOff: It broke off; what is done, what is left, and what nobody knows.
        HelpdeskError: It broke off, and nothing at all was done.
    """
    names = [part.words for part in parts]
    for at, part in enumerate(parts):
        try:
            await part.do()
        except NotFound:
            pass  # somebody was quicker
        except Unsettled as error:
            found = await _looked(still)
            if found is None:
                done, left = names[:at], names[at + 1 :]
                raise _broke_off(act, verb, before, done, left, part.words, error) from error
            if part.id in found:
                done, left = _parted(parts, found)
                raise _broke_off(act, verb, before, done, left, "", error) from error
        except HelpdeskError as error:
            if not at and not before:
                raise
            found = await _looked(still)  # one part may take another along
            done, left = (names[:at], names[at:]) if found is None else _parted(parts, found)
            raise _broke_off(act, verb, before, done, left, "", error) from error


async def _looked(
    still: Callable[[], Awaitable[Collection[str]]] | None,
) -> Collection[str] | None:
    """Give what is not done; None where nobody can tell."""
    try:
        return await still() if still else None
    except HelpdeskError:
        return None


def _parted(parts: Sequence[Part], left: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the names of what is done and of what is left."""
    done = [part.words for part in parts if part.id not in left]
    return done, [part.words for part in parts if part.id in left]


def _broke_off(
    act: str,
    verb: str,
    before: str,
    done: Sequence[str],
    left: Sequence[str],
    unsure: str,
    error: HelpdeskError,
) -> BrokeOff:
    cause = str(error).replace(LOOK_AGAIN, "").strip()
    doubt = f" Not known: {unsure}." if unsure else ""

    def says(names: Callable[[Sequence[str]], str]) -> str:
        rest = f" Left: {names(left)}." if left else ""
        return f"{before} {act} broke off. {verb}: {names(done)}.{doubt}{rest} Do it again.".strip()

    short = says(_shown)
    short = clean(f"{short} {clean(cause, limit=max(60, LONGEST - len(short) - 1))}", limit=LONGEST)
    return BrokeOff(short, f"{says(_all)} {cause}")


def _all(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _shown(names: Sequence[str]) -> str:
    whole = _all(names)
    if len(whole) <= NAMES or len(names) < 2:
        return whole
    return f"{len(names)}, {clean(names[0], limit=32)} to {clean(names[-1], limit=32)}"
