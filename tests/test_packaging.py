"""The program as it is shipped: built once, installed in an empty place, run from there.

Slow, since it builds and installs: `python -m pytest -m slow tests/test_packaging.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from helpdesk import __version__

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Built:
    """What one build gave.

    Attributes:
        wheel: Built from the sdist, as `build` does it.
        direct: Built from the checkout.
    """

    sdist: Path
    wheel: Path
    direct: Path


@dataclass(frozen=True)
class Installed:
    """A wheel in an empty environment, run from outside the checkout."""

    bin: Path
    home: Path

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with a home of its own."""
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "HELPDESK", "PY"))}
        return subprocess.run(
            [str(self.bin / command), *arguments],
            cwd=self.home,
            env=keep | {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def build(out: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "build", "--outdir", str(out), *arguments, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def only(paths: Sequence[Path]) -> Path:
    assert len(paths) == 1, paths
    return paths[0]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    both, direct = tmp_path_factory.mktemp("both"), tmp_path_factory.mktemp("direct")
    build(both)
    build(direct, "--wheel")
    return Built(
        sdist=only(list(both.glob("*.tar.gz"))),
        wheel=only(list(both.glob("*.whl"))),
        direct=only(list(direct.glob("*.whl"))),
    )


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("empty")
    venv.create(place, with_pip=True)
    here = Installed(bin=place / "bin", home=tmp_path_factory.mktemp("home"))
    done = here.run("python", "-m", "pip", "install", "-q", str(built.wheel))
    assert done.returncode == 0, done.stderr[-2000:]
    return here


def shipped(archive: Path) -> set[str]:
    """Return the files of a wheel or an sdist, below its own top."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name for name in wheel.namelist() if ".dist-info/" not in name}
    with tarfile.open(archive) as sdist:
        return {str(PurePosixPath(*PurePosixPath(n).parts[1:])) for n in sdist.getnames()}


def ours(folder: str) -> set[str]:
    """Return the files of a folder of the checkout that are meant to be shipped."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_the_styles_and_the_fixtures_and_nothing_else(
    built: Built,
) -> None:
    beside = {f"helpdesk/{name}" for name in ours("styles") | ours("fixtures")}

    files = shipped(built.wheel)

    assert files == ours("helpdesk") | beside


def test_the_wheel_is_the_same_from_the_checkout_and_from_the_sdist(built: Built) -> None:
    assert shipped(built.direct) == shipped(built.wheel)


def test_the_sdist_holds_what_the_wheel_and_the_tests_need(built: Built) -> None:
    files = shipped(built.sdist)

    wanted = set().union(*map(ours, ("helpdesk", "styles", "fixtures", "tests")))
    assert wanted <= files
    assert {"pyproject.toml", "README.md"} <= files
    assert not [name for name in files if name.endswith(".pyc")]


def test_the_installed_program_says_its_version_either_way(installed: Installed) -> None:
    script = installed.run("helpdesk", "--version")
    module = installed.run("python", "-m", "helpdesk", "--version")

    assert script.stdout == module.stdout == f"helpdesk {__version__}\n"
    assert script.returncode == module.returncode == 0


def test_the_installed_program_says_what_it_can(installed: Installed) -> None:
    done = installed.run("helpdesk", "--help")

    assert done.returncode == 0
    assert "perform" in done.stdout


def test_the_installed_program_finds_a_user_of_the_bundled_fixture(installed: Installed) -> None:
    done = installed.run("helpdesk", "find", "maya", "--json")

    assert done.returncode == 0, done.stderr
    assert "Maya Okafor" in {row["name"] for row in json.loads(done.stdout)["rows"]}


def test_the_installed_program_has_its_styles_and_fixtures_inside(installed: Installed) -> None:
    code = "from helpdesk.assets import asset; print(asset('styles')); print(asset('fixtures'))"

    done = installed.run("python", "-c", code)

    for line in done.stdout.splitlines():
        assert Path(line).is_relative_to(installed.bin.parent)
        assert Path(line).is_dir()
    assert done.stdout.count("\n") == 2


def test_the_installed_program_without_a_terminal_says_so(installed: Installed) -> None:
    done = installed.run("helpdesk")

    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr
