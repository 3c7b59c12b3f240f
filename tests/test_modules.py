"""Modules found with one look."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from helpdesk.modules import Near

SOURCE = "SAID = 'one'\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a module that is compiled."""
    (tmp_path / "thing.py").write_text(SOURCE, "utf-8")
    py_compile.compile(str(tmp_path / "thing.py"))
    return tmp_path


@pytest.fixture
def near() -> Near:
    return Near("/nowhere")


def found_in(near: Near, place: Path, name: str = "helpdesk.thing") -> object:
    spec = near.find_spec(name, [str(place)])
    if spec is None:
        return None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def test_a_compiled_module_is_loaded_as_python_would(near: Near, place: Path) -> None:
    usual = importlib.util.spec_from_file_location("helpdesk.thing", place / "thing.py")
    assert usual is not None

    spec = near.find_spec("helpdesk.thing", [str(place)])

    assert spec is not None
    assert (spec.origin, spec.cached) == (usual.origin, usual.cached)
    assert (spec.has_location, spec.parent) == (usual.has_location, usual.parent)
    assert vars(found_in(near, place))["SAID"] == "one"


def test_a_package_knows_where_its_modules_are(near: Near, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text(SOURCE, "utf-8")
    py_compile.compile(str(inner / "__init__.py"))

    spec = near.find_spec("helpdesk.inner", [str(tmp_path)])

    assert spec is not None
    assert spec.submodule_search_locations == [str(inner)]


def test_a_source_of_another_size_is_left_to_python(near: Near, place: Path) -> None:
    file = place / "thing.py"
    at = file.stat().st_mtime_ns
    file.write_text("SAID = 'another'\n", "utf-8")
    os.utime(file, ns=(at, at))

    assert near.find_spec("helpdesk.thing", [str(place)]) is None


def test_a_source_of_another_time_is_left_to_python(near: Near, place: Path) -> None:
    file = place / "thing.py"
    at = file.stat().st_mtime_ns + 2_000_000_000
    os.utime(file, ns=(at, at))

    assert near.find_spec("helpdesk.thing", [str(place)]) is None


@pytest.mark.parametrize(
    "mode",
    [py_compile.PycInvalidationMode.CHECKED_HASH, py_compile.PycInvalidationMode.UNCHECKED_HASH],
)
def test_what_is_checked_otherwise_is_left_to_python(
    near: Near, place: Path, mode: py_compile.PycInvalidationMode
) -> None:
    py_compile.compile(str(place / "thing.py"), invalidation_mode=mode)

    assert near.find_spec("helpdesk.thing", [str(place)]) is None


def test_what_was_moved_since_it_was_compiled_says_where_it_lies_now(
    near: Near, place: Path, tmp_path: Path
) -> None:
    source = "def where():\n    return where.__code__.co_filename\n"
    (place / "thing.py").write_text(source, "utf-8")
    py_compile.compile(str(place / "thing.py"))
    moved = place.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))

    module = found_in(near, moved)

    assert vars(module)["where"]() == str(moved / "thing.py")


def test_what_stands_before_the_library_is_left_to_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text(SOURCE, "utf-8")
    script = "from helpdesk.modules import hasten; hasten(); import colorsys; print(colorsys.SAID)"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert said.stdout == b"one\n"


@pytest.mark.parametrize("left", [0, 3, 16, 20])
def test_what_is_cut_short_is_left_to_python(near: Near, place: Path, left: int) -> None:
    compiled = Path(importlib.util.cache_from_source(str(place / "thing.py")))
    compiled.write_bytes(compiled.read_bytes()[:left])

    assert near.find_spec("helpdesk.thing", [str(place)]) is None


def test_what_is_not_compiled_is_left_to_python(near: Near, place: Path) -> None:
    (place / "other.py").write_text(SOURCE, "utf-8")

    assert near.find_spec("helpdesk.other", [str(place)]) is None


def test_packages_that_are_not_known_are_left_to_python(near: Near, place: Path) -> None:
    assert near.find_spec("stranger.thing", [str(place)]) is None
    assert near.find_spec("thing") is None


def test_a_namespace_of_two_places_is_left_to_python(near: Near, place: Path) -> None:
    assert near.find_spec("helpdesk.thing", [str(place), str(place)]) is None


def test_a_module_loaded_anew_is_what_its_source_is_now(near: Near, place: Path) -> None:
    spec = near.find_spec("helpdesk.thing", [str(place)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (place / "thing.py").write_text("SAID = 'another'\n", "utf-8")

    spec.loader.exec_module(module)

    assert vars(module)["SAID"] == "another"


def test_the_console_is_loaded_from_the_files_python_would_load_it_from() -> None:
    script = (
        "import sys{}; import helpdesk.tui.app; "
        "print(*(f'{{n}} {{m.__spec__.origin}} {{m.__file__}} {{m.__cached__}}' "
        "for n, m in sys.modules.items() if getattr(m, '__cached__', None)), sep='\\n')"
    )

    usual, hastened = (
        set(
            subprocess.run(
                [sys.executable, "-c", script.format(begin)], capture_output=True, check=True
            ).stdout.splitlines()
        )
        for begin in ("", "; from helpdesk.modules import hasten; hasten()")
    )

    assert len(usual) > 400
    assert usual <= hastened
