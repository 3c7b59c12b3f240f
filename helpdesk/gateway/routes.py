"""Which endpoint an address is of: by what stands between its slashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from helpdesk.gateway.endpoints import Endpoint


class Route(NamedTuple):
    """What an address is used for.

    Attributes:
        ways: The endpoints by their method.
        placed: What stands in its places, by their names.
    """

    ways: Mapping[str, Endpoint]
    placed: Mapping[str, str]


class Routes:
    """Finds the endpoints of addresses."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._plain: dict[str, Route] = {}
        # By where the places are, then by what stands around them.
        self._placed: dict[tuple[int, ...], dict[tuple[str, ...], dict[str, Endpoint]]] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        for one in endpoints:
            if not one.places:
                ways = self._plain.setdefault(one.path, Route({}, {})).ways
                self._plain[one.path] = Route({**ways, one.method: one}, {})
                continue
            parts = one.path.split("/")
            places = tuple(n for n, part in enumerate(parts) if part.startswith("{"))
            around = _around(parts, places)
            self._placed.setdefault(places, {}).setdefault(around, {})[one.method] = one
            self._names[around] = one.places

    def find(self, path: str) -> Route | None:
        """Give what an address is used for; None where it is none of an endpoint."""
        plain = self._plain.get(path)
        if plain is not None:
            return plain
        parts = path.split("/")
        for places, known in self._placed.items():
            if places[-1] >= len(parts):
                continue
            around = _around(parts, places)
            values = [parts[place] for place in places]
            if around in known and all(values):
                return Route(known[around], dict(zip(self._names[around], values, strict=True)))
        return None


def _around(parts: list[str], places: tuple[int, ...]) -> tuple[str, ...]:
    """Return the parts of a path with nothing in its places."""
    return tuple("" if n in places else part for n, part in enumerate(parts))
