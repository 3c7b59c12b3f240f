"""Start the lab and say how to open the console on it; stop it; remove what it installed.

`install` only does what takes long, so that what starts it later need not wait.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.labs.environment import Missing
from tests.labs.privacyidea import installing
from tests.labs.privacyidea.running import prepare, start, stop


def main(arguments: list[str]) -> int:
    """Do what is asked; return the exit code."""
    try:
        return _do(arguments[0] if arguments else "start", installing.home() / "by-hand")
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1


def _do(verb: str, place: Path) -> int:
    if verb == "start":
        lab = start(place)
        print(json.dumps(lab.told(), indent=2))  # noqa: T201
        print(f"export HELPDESK_SECRET_PRIVACYIDEA={lab.desk_password}")  # noqa: T201
        print(f"helpdesk --desk {lab.address}")  # noqa: T201
    elif verb == "install":
        prepare()
    elif verb == "stop":
        stop(place)
    elif verb == "remove":
        stop(place)
        shutil.rmtree(installing.home(), ignore_errors=True)
    else:
        sys.stderr.write("start, install, stop or remove\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
