"""Forms are learned before threads read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

READ = """
import sys, threading
from helpdesk.domain.cases import Case
from helpdesk.domain.learning import learn
from helpdesk.gateway import travelling

learn(travelling.FORMS)
sys.setswitchinterval(1e-6)
go, told = threading.Event(), []

def read():
    go.wait()
    try:
        travelling.from_wire(b"{}", Case)
    except travelling.msgspec.ValidationError as error:
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


LISTEN = """
import importlib.util, sys, threading

spec = importlib.util.find_spec("msgspec")
where = spec.submodule_search_locations[0]
utils = importlib.util.spec_from_file_location("msgspec._utils", f"{where}/_utils.py")
module = importlib.util.module_from_spec(utils)
sys.modules["msgspec._utils"] = module
utils.loader.exec_module(module)
learns, told = module.get_class_annotations, set()

def heard(form):
    if threading.current_thread() is not threading.main_thread():
        told.add(getattr(form, "__name__", str(form)))
    return learns(form)

module.get_class_annotations = heard

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from helpdesk.config import Config
from helpdesk.domain.actions import Note, TakeTicket
from helpdesk.domain.search import Query
from helpdesk.service.offline import OfflineDesk
from helpdesk.stores.replica import Replica
from helpdesk.door import open_desk

async def use(desk):
    user = (await desk.queue()).rows[0].id
    await asyncio.gather(
        desk.queue(), desk.case(user), desk.loops(Query()), desk.tickets(Query()), desk.alarms(),
        desk.challenges(Query()), desk.log(Query()), desk.approvals(), desk.holds(), desk.tray(),
        desk.why(user), desk.find(Query()), desk.changes(), desk.fleet(), desk.inspect_log(),
    )
    await desk.perform(Note(user=user, text="x"), key="k" * 20)
    await desk.perform(Note(user=user, text="x"), key="k" * 20)
    await desk.operation("k" * 20)
    await desk.settle()

with open_desk(Config()) as desk:
    asyncio.run(use(desk))

async def away(kept):
    await kept.open()
    await use(kept)

with open_desk(Config()) as desk:
    asyncio.run(away(OfflineDesk(desk, Replica(Path(sys.argv[1])), lambda: datetime.now(UTC))))
    again = OfflineDesk(desk, Replica(Path(sys.argv[1])), lambda: datetime.now(UTC))
    asyncio.run(away(again))

print(sorted(told))
"""
"""Opens desks, uses them, and tells what was first learned outside the first thread."""


def test_a_console_has_learned_every_form_before_its_threads_read_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTEN, str(tmp_path / "replica")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
