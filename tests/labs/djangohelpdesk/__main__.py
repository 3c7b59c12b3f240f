"""Start the lab and say how a desk is pointed at it; stop it; remove what it installed."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.labs.djangohelpdesk import installing
from tests.labs.djangohelpdesk.exchanges import RECORDED, answers
from tests.labs.djangohelpdesk.running import lab_in, start, stop


def main(arguments: list[str]) -> int:
    """Do what is asked; return the exit code."""
    verb = arguments[0] if arguments else "start"
    place = installing.home() / "by-hand"
    if verb == "start":
        lab = start(place)
        print(f"# {lab.url}/login/ rex {lab.password}")  # noqa: T201
        print(f"export HELPDESK_SECRET_TICKETS={lab.password}")  # noqa: T201
        print(lab.settings(), end="")  # noqa: T201
    elif verb == "record":
        with tempfile.TemporaryDirectory() as scratch, lab_in(Path(scratch) / "lab") as lab:
            lines = ",\n".join(json.dumps(one) for one in answers(lab.answer))
            RECORDED.write_text(f"[\n{lines}\n]\n", "utf-8")
    elif verb == "stop":
        stop(place)
    elif verb == "remove":
        stop(place)
        shutil.rmtree(installing.home(), ignore_errors=True)
    else:
        sys.stderr.write("start, stop, record or remove\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
