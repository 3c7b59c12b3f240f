"""Style sheets of which nothing is parsed twice."""

from __future__ import annotations

from typing import Final

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

KEPT: Final = 512
"""How many sheets are kept as they were parsed: all of the console's and of Textual's widgets."""


class KeptSheets(Stylesheet):
    """Style sheets that are parsed once for a theme, each when it is first needed.

    Textual's own parse all of them anew whenever a screen brings one along or the theme is looked
    at: three times before the first frame, of which they were half.
    """

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(KEPT)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the colours of a theme; what was parsed with the very same ones stays."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Put together the rules of all sheets; where one is wrong, those that are stay.

        Raises:
            StylesheetParseError: One is wrong.
        """
        self.parse()
