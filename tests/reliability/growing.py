"""By how much a client grows while it reads one answer: run in a process of its own.

python -m tests.reliability.growing provider|desk|issuer URL
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from helpdesk.connectors.http import Http
from helpdesk.domain.errors import HelpdeskError
from helpdesk.gateway.issuers import Provider
from helpdesk.gateway.line import Line
from helpdesk.gateway.remote import RemoteDesk
from tests.gateway.serving import Spoken

TOTAL_S = 20.0


def _provider(url: str) -> None:
    http = Http(url, "Northern", total_s=TOTAL_S, tries=1)
    try:
        asyncio.run(http.ask("GET", "/people")).listed()
    finally:
        http.close()


def _desk(url: str) -> None:
    RemoteDesk(Line(url, Spoken("dana"), total_s=TOTAL_S, budget_s=TOTAL_S, tries=1)).close()


def _issuer(url: str) -> None:
    asyncio.run(Provider(url).metadata())


READERS = {"provider": _provider, "desk": _desk, "issuer": _issuer}


def _peak_kb(name: str) -> int:
    text = Path("/proc/self/status").read_text("ascii")
    return next(int(row.split()[1]) for row in text.splitlines() if row.startswith(name))


def main() -> None:
    """Ask once, and say by how many MB the process grew at most."""
    reads, url = READERS[sys.argv[1]], sys.argv[2]
    _try(reads, "http://127.0.0.1:9")  # what is read in once is no part of it
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew
    before, begun = _peak_kb("VmRSS"), time.monotonic()
    says, is_ours = _try(reads, url)
    took = time.monotonic() - begun
    told = {"mb": (_peak_kb("VmHWM") - before) / 1_024, "s": took, "says": says, "is_ours": is_ours}
    sys.stdout.write(json.dumps(told))


def _try(reads: object, url: str) -> tuple[str, bool]:
    assert callable(reads)
    try:
        reads(url)
    except HelpdeskError as error:
        return str(error), True
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
        return f"{type(error).__name__}: {error}"[:200], False
    return "answer", True


if __name__ == "__main__":
    main()
