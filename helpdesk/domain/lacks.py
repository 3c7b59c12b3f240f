"""What the provider behind a desk cannot do: said before anybody tries."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Lack(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not possible with a provider.

    Attributes:
        what: An act's name; or `drift`; or `lost-factor`, a pass that takes the place of a factor;
            or `prove:` with a method: `prove:push`; or `lift-bounce`, sending again to an address
            that mail came back from. Or a question:
            `factor:` with a kind that nobody there has, `show:` with what is not shown of a user or
            factor (`show:since`, `show:mfa`), `told:` with what no timeline tells: `told:acts` of
            what this desk did, `told:pass`, `told:mail-address`.
        why: The reason, a whole sentence, with the provider's own word where it has one.
        instead: What to do instead; may be empty.
    """

    what: str
    why: str
    instead: str = ""

    @property
    def says(self) -> str:
        """The whole answer to somebody who asks for it."""
        return f"Not possible with this provider. {self.why}"


def lack_of(lacks: Sequence[Lack], what: str) -> Lack | None:
    """Return why something is not possible; None where it is."""
    return next((lack for lack in lacks if lack.what == what), None)
