"""Modules found with one look each, where they nearly always lie; all others in Python's own way.

name ─▶ compiled beside its source, of just that source ─▶ loaded
anything else ─▶ left to those who look after us

Python asks the directory of a package for every form a module may have before it reads the one
there is: with five hundred of them that is a tenth of loading them. Nothing is loaded that Python
would not load: the same file, held against the same source.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:  # what is loaded before this counts is not found so
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Final

OURS: Final = frozenset({"helpdesk", "rich", "textual"})
"""Packages of plain Python, beside the standard library: each module of one form, in one place."""

_HEAD: Final = MAGIC_NUMBER + bytes(4)  # checked by time and size, as Python does unless told
_TELL: Final = getattr(_imp, "_fix_co_filename", None)
"""What tells a code where its source lies now."""

_END: Final = f".{sys.implementation.cache_tag}.pyc"


class Found(SourceFileLoader):
    """A module whose code is read already."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code: CodeType | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        """Give the code: as it was found, the first time."""
        code, self._code = self._code, None
        return code or super().get_code(fullname)


class Near:
    """Looks where modules nearly always lie, before those who look everywhere.

    Args:
        library: The directory of the standard library.
        shadowed: Names of its modules that lie in a directory where Python looks before.
    """

    def __init__(self, library: str, shadowed: frozenset[str] = frozenset()) -> None:
        self._library, self._shadowed = library, shadowed

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give a module that is compiled as its source is now; None for any other."""
        del target
        package, _, last = name.rpartition(".")
        if package:
            first = name.partition(".")[0]
            is_known = first in OURS or first in sys.stdlib_module_names
            if not is_known or type(path) is not list or len(path) != 1:
                return None
            place = path[0]
        elif name in sys.stdlib_module_names and name not in self._shadowed:
            place = self._library
        else:
            return None
        return _module(name, place, last) or _package(name, f"{place}/{last}")


def hasten() -> None:
    """Find modules so from now on, unless Python was told to keep what it compiles elsewhere."""
    if sys.pycache_prefix is None and not sys.flags.optimize and sys.implementation.cache_tag:
        library = os.path.dirname(os.__file__)  # noqa: PTH120
        sys.meta_path.insert(0, Near(library, _before(library)))


def _before(library: str) -> frozenset[str]:
    """Give the names of modules in directories that stand before the library on the path."""
    found: set[str] = set()
    for place in sys.path:
        if place == library:
            return frozenset(found)
        try:
            found.update(name.partition(".")[0] for name in os.listdir(place or "."))  # noqa: PTH208
        except FileNotFoundError:
            continue
        except OSError:
            break
    return frozenset(sys.stdlib_module_names)  # whether it is looked in at all nobody can tell


def _module(name: str, place: str, last: str) -> ModuleSpec | None:
    return _spec(name, f"{place}/{last}.py", f"{place}/__pycache__/{last}{_END}")


def _package(name: str, place: str) -> ModuleSpec | None:
    found = _spec(name, f"{place}/__init__.py", f"{place}/__pycache__/__init__{_END}")
    if found is not None:
        found.submodule_search_locations = [place]
    return found


def _spec(name: str, source: str, compiled: str) -> ModuleSpec | None:
    """Give the module of a source that is compiled as it is now."""
    try:
        handle = os.open(compiled, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(handle, os.fstat(handle).st_size)
        finally:
            os.close(handle)
        is_of = os.stat(source)  # noqa: PTH116
    except OSError:
        return None
    marks = (int(is_of.st_mtime) & 0xFFFFFFFF, is_of.st_size & 0xFFFFFFFF)
    if data[:16] != _HEAD + b"".join(mark.to_bytes(4, "little") for mark in marks):
        return None
    try:
        code = marshal.loads(memoryview(data)[16:])  # noqa: S302
    except (EOFError, ValueError, TypeError):
        return None  # Python says what is wrong with it
    if getattr(code, "co_filename", "") != source:  # moved since, as pip does with --target
        if _TELL is None:
            return None
        _TELL(code, source)  # as Python does
    spec = ModuleSpec(name, Found(name, source, code), origin=source)
    spec.has_location, spec.cached = True, compiled
    return spec
