"""A fixture of a million people: those of a smaller one again and again, under other ids."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO

_LINE = re.compile(rb'"(\d+)": (.*?)(,?)\n')


def multiply(source: Path, target: Path, times: int) -> None:
    """Write a fixture with everybody of another one so many times; copies have done nothing yet.

    Tickets, loops and the log stay with the first of each.
    """
    with source.open("rb") as old, target.open("wb") as new:
        table = b""
        lines: list[bytes] = []
        for line in old:
            if line.endswith(b": {\n") and not line.startswith(b'"1"'):
                table = line.split(b'"')[1]
            if table in {b"users", b"timelines"} and (found := _LINE.fullmatch(line)):
                lines.append(found[1] + b" " + found[2])
            elif lines:
                _write(new, table, lines, times)
                new.write(line)
                lines = []
            else:
                new.write(re.sub(rb'"users":\d+', b'"users":0', line) if table == b"meta" else line)


def _write(new: IO[bytes], table: bytes, lines: list[bytes], times: int) -> None:
    count, before = len(lines), b""
    for copy in range(times):
        for line in lines:
            key, _, body = line.partition(b" ")
            if copy:
                body = _copied(table, body, b"-%d" % copy)
            new.write(b'%b"%d": %b' % (before, int(key) + copy * count, body))
            before = b",\n"
    new.write(b"\n")


def _copied(table: bytes, body: bytes, ending: bytes) -> bytes:
    if table == b"timelines":
        user = body.split(b'"', 4)[3]
        return b'{"user":"%b%b","events":[]}' % (user, ending)
    renamed = re.sub(rb'^\{"id":"([^"]*)"', rb'{"id":"\1' + ending + b'"', body)
    return re.sub(rb'"login":"', b'"login":"%b.' % ending[1:], renamed, count=1)
