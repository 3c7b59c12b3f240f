"""Where in a TOML text a value stands.

`tomllib` forgets lines once it has read them, and an error without its line is no help.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value: `("routes", 1, "steps", 0)`."""

_TOKEN = re.compile(
    r"""(?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"""|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<sign>[\[\]{},=])|(?P<blank>[^\S\n]+)"""
    r"""|(?P<bare>[^\s\[\]{},=\#"']+)""",
    re.DOTALL,
)
_KEY = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'([^']*)'|([A-Za-z0-9_-]+)")
_END = ("", "newline", 0)


def line_of(text: str, path: Path) -> int:
    """Return the line a value stands in, or the nearest table around it; 1 for the whole file.

    Args:
        text: TOML that `tomllib` accepts.
        path: The way to the value; steps that are not in the text are left out from the right.
    """
    places = _Places(text).lines
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return 1


class _Places:
    """A walk over a TOML text that notes the line of every key, table and array element."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._token = next(self._tokens, _END)
        self._tables: Counter[Path] = Counter()
        self._walk()

    def _walk(self) -> None:
        table: Path = ()
        while self._token is not _END:
            word, kind, _ = self._token
            if kind in {"newline", "comment"}:
                self._step()
            elif word == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        line, words, depth = self._token[2], "", 0
        while self._token is not _END and self._token[1] != "newline":
            word, kind, _ = self._step()
            depth += word == "["
            words += "" if kind == "comment" or word in "[]" else word
        names = _names(words)
        path: Path = ()
        for at, name in enumerate(names):
            path = (*path, name)
            if depth == 2 and at == len(names) - 1:
                self._tables[path] += 1
            if self._tables[path]:
                path = (*path, self._tables[path] - 1)
        self.lines.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line, words = self._token[2], ""
        while self._token is not _END and self._token[0] != "=":
            words += self._step()[0]
        self._step()
        path = table
        for name in _names(words):
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._value(path)

    def _value(self, path: Path) -> None:
        opened = self._token[0]
        if opened not in {"[", "{"}:
            while self._token is not _END and self._token[1] in {"string", "bare"}:
                self._step()
            return
        self._step()
        index = 0
        while self._token is not _END and self._token[0] not in {"]", "}"}:
            if self._token[1] in {"newline", "comment"} or self._token[0] == ",":
                self._step()
            elif opened == "{":
                self._pair(path)
            else:
                self.lines[(*path, index)] = self._token[2]
                self._value((*path, index))
                index += 1
        self._step()

    def _step(self) -> tuple[str, str, int]:
        token, self._token = self._token, next(self._tokens, _END)
        return token


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Give (word, kind, line) without blanks."""
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "blank":
            yield match.group(), str(match.lastgroup), line
        line += match.group().count("\n")


def _names(words: str) -> list[str]:
    return ["".join(found) for found in _KEY.findall(words)]
