"""Forms are learned before threads read them."""

from __future__ import annotations

import subprocess
import sys

READ = """
import sys, threading
from helpdesk.domain.cases import Case
from helpdesk.domain.learning import learn
from helpdesk.gateway import wire

learn(wire.FORMS)
sys.setswitchinterval(1e-6)
go, told = threading.Event(), []

def read():
    go.wait()
    try:
        wire.from_wire(b"{}", Case)
    except wire.msgspec.ValidationError as error:
        told.append(str(error))

threads = [threading.Thread(target=read) for _ in range(6)]
for thread in threads:
    thread.start()
go.set()
for thread in threads:
    thread.join()
assert len(told) == 6, told
"""


def test_many_threads_read_a_form_at_once_that_was_learned_before() -> None:
    for _ in range(5):
        ended = subprocess.run(
            [sys.executable, "-c", READ], capture_output=True, text=True, check=False
        )

        assert ended.returncode == 0, ended.stderr
