"""Text from outside is never read as markup, and speaks only where it is let: a lint.

Widgets that parse markup may be given a constant, or a value made by one of our own functions;
never a string put together on the spot. The samples below show what it catches and what it lets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).resolve().parent.parent / "helpdesk"

PARSES_MARKUP: Final = (
    "Static Label Button Checkbox RadioButton Option OptionList Select Selection SelectionList "
    "Collapsible Tab Tabs TabPane Placeholder Tree Digits Toast Tooltip Header "
    "from_markup add_option add_options add_row add_rows add_column add_columns update_cell "
    "update_cell_at add_leaf set_label set_options replace_option_prompt notify update"
)
"""Calls whose strings are read as markup."""

PARSED_ATTRIBUTES: Final = "border_title border_subtitle tooltip label prompt"
"""Attributes whose strings are read as markup."""

NAMES_ONLY: Final = "id classes name key action variant severity timeout"
"""Keywords of those calls that are no text."""

MAKES_STRINGS: Final = (
    "str repr ascii format join replace strip rstrip lstrip ljust rjust center upper lower title "
    "capitalize clean expandtabs decode removeprefix removesuffix"
)
"""Calls that give a string, which would then be read as markup; `clean` leaves brackets be."""

MAY_SPEAK: Final = {
    ("saying.py", "say"),
    ("saying.py", "warn"),
    ("saying.py", "fail"),
    ("saying.py", "fault"),
    ("progress.py", "progress"),
    ("progress.py", "__call__"),  # of RowsLine: numbers, and nothing from outside
    ("progress.py", "end"),
    ("signing.py", "show"),
    ("tui/terminal.py", "tell"),
    ("tui/terminal.py", "_sheet_faults"),  # only into a capture, for `tell`
}
"""Where the standard streams are written to: a function that cleans, or needs not."""


class Reader(ast.NodeVisitor):
    """Reads one file and keeps what is forbidden in it, as `line: what`."""

    def __init__(self, file: str) -> None:
        self.found: list[str] = []
        self._file = file
        self._function = ""
        self._composed: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self._function, self._composed
        self._function, self._composed = node.name, set(_composed_names(node))
        self.generic_visit(node)
        self._function, self._composed = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        is_drawn = self._file.startswith("tui/") and name in PARSES_MARKUP.split()
        if is_drawn and not _without_markup(node):
            texts = [
                *node.args,
                *(k.value for k in node.keywords if k.arg not in NAMES_ONLY.split()),
            ]
            for text in texts:
                if self._is_composed(text):
                    self._forbid(text, f"a string put together inside {name}()")
        if name == "from_markup" and not (node.args and isinstance(node.args[0], ast.Constant)):
            self._forbid(node, "from_markup() of what is not a constant")
        may_speak = (self._file, self._function) in MAY_SPEAK
        if name == "print" and not may_speak:
            self._forbid(node, "print()")
        if any(k.arg == "show_locals" and not _is_false(k.value) for k in node.keywords):
            self._forbid(node, "a traceback with locals")
        speaks = name == "write" and ast.unparse(node.func).startswith(("sys.std", "sys.__std"))
        if speaks and not may_speak:
            self._forbid(node, "the standard streams written outside the one place")
        if name == "escape" and not ast.unparse(node.func).startswith(("html.", "re.")):
            self._forbid(node, "escape(), which markup gets around")
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module in {"rich.markup", "textual.markup"}:
            self._forbid(node, f"an import from {node.module}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "markup":
            self._forbid(node, "the markup of a text, which a space in it gets around")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._check_attribute(target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Attribute) and node.target.attr in PARSED_ATTRIBUTES.split():
            self._forbid(node, f"a string put together for {node.target.attr}")
        self.generic_visit(node)

    def _check_attribute(self, target: ast.expr, value: ast.expr) -> None:
        is_parsed = isinstance(target, ast.Attribute) and target.attr in PARSED_ATTRIBUTES.split()
        if is_parsed and self._is_composed(value):
            self._forbid(value, f"a string put together for {ast.unparse(target)}")

    def _is_composed(self, node: ast.expr) -> bool:
        return _is_composed(node, self._composed)

    def _forbid(self, node: ast.AST, what: str) -> None:
        self.found.append(f"{getattr(node, 'lineno', 0)}: {what}")


def _is_composed(node: ast.expr, names: set[str]) -> bool:
    """Whether an expression may give a string that is not a constant, as far as it shows."""
    match node:
        case ast.JoinedStr(values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(left, ast.Add() | ast.Mod() | ast.Mult(), right):
            return any(_is_text(side) or _is_composed(side, names) for side in (left, right))
        case ast.Call(func):
            return _name(func) in MAKES_STRINGS.split()
        case ast.IfExp(_, body, orelse):
            return _is_composed(body, names) or _is_composed(orelse, names)
        case ast.BoolOp(_, parts) | ast.Tuple(parts) | ast.List(parts):
            return any(_is_composed(part, names) for part in parts)
        case ast.ListComp(element) | ast.GeneratorExp(element):
            return _is_composed(element, names)
        case ast.Starred(value) | ast.NamedExpr(_, value):
            return _is_composed(value, names)
        case ast.Name(name):
            return name in names
    return False


def _composed_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Give the local names that a string put together was assigned to."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_composed(node.value, set()):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        if isinstance(node, ast.AnnAssign) and node.value and _is_composed(node.value, set()):
            yield ast.unparse(node.target)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _without_markup(node: ast.Call) -> bool:
    return any(k.arg == "markup" and _is_false(k.value) for k in node.keywords)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
        case ast.Subscript(value):
            return _name(value)
    return ""


def forbidden(source: str, file: str = "tui/sample.py") -> list[str]:
    """Return what is forbidden in *source*, as `line: what`."""
    reader = Reader(file)
    reader.visit(ast.parse(source))
    return reader.found


FILES = sorted(PACKAGE.rglob("*.py"))


def test_there_are_files_to_read() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(PACKAGE).as_posix())
def test_no_text_from_outside_is_read_as_markup(file: Path) -> None:
    name = file.relative_to(PACKAGE).as_posix()

    found = forbidden(file.read_text("utf-8"), name)

    assert found == [], f"helpdesk/{name}"


BAD = [
    'Static(f"Hello {name}")',
    'Label("Hello " + name)',
    'Label(name + "!")',
    'Button("Reset %s" % name)',
    'Static("{}".format(name))',
    "Static(str(name))",
    "Static(clean(name))",
    'Static(" ".join(parts))',
    'self.query_one("#a", Static).update(f"{name}")',
    'Static("a" if x else f"{name}")',
    'Static(x or f"{name}")',
    'Static(content=f"{name}")',
    'Static(f"{name}", markup=True)',
    'def f(name):\n    text = f"{name}"\n    return Static(text)',
    'def f(name):\n    text: str = "a" + name\n    return Label(text)',
    'self.notify(f"Done for {name}")',
    'Content.from_markup(f"[b]{name}[/b]")',
    "Content.from_markup(name)",
    "Text.from_markup(name)",
    'Option(f"{name}", id="a")',
    'options.add_option(f"{name}")',
    "options.add_options([f'{n}' for n in names])",
    "table.add_row(clean(name), Text(clean(login)))",
    'table.add_row("a", f"{name}")',
    'table.add_column("Name of " + user)',
    "table.update_cell(row, column, str(value))",
    'self.border_title = f"Case {name}"',
    'widget.border_subtitle = "Case " + name',
    "widget.border_title += name",
    'button.tooltip = "Reset %s" % name',
    'with Collapsible(title=f"{name}"): pass',
    'with TabPane(f"{name}"): pass',
    'DataTable[str]().add_row(f"{name}")',
    "async def f(name):\n    self.notify(str(name))",
    "self.border_title = Content(name).markup",
    "print(name)",
    "from rich.markup import escape",
    "from textual.markup import escape",
    "Static(escape(name))",
    "install(show_locals=True)",
    "Traceback(show_locals=wanted)",
    "sys.stdout.write(name)",
    "def say(name):\n    sys.__stderr__.write(name)",
]

GOOD = [
    'Static("Hello")',
    'Static("Hello" " there")',
    'Static(f"Hello")',
    "Static(show(name))",
    'Static(show(f"Hello {name}"))',
    'Static(Content(f"Hello {name}"))',
    'Static(f"Hello {name}", markup=False)',
    'Static(Content.assemble("Hello ", show(name)), id=f"row-{number}")',
    'self.notify(f"Done for {name}", markup=False)',
    'Content.from_markup("[b]$name[/b]", name=name)',
    "table.add_row(Text(clean(name)), key=str(number))",
    "table.add_row(*(Text(clean(cell)) for cell in row))",
    'self.border_title = show(f"Case {name}")',
    'widget.title = f"Case {name}"',
    'def f(name):\n    text = show(f"{name}")\n    return Static(text)',
    'def g(name):\n    text = f"{name}"\ndef f(text):\n    return Static(text)',
    "html.escape(name)",
    "re.escape(name)",
    "install(show_locals=False)",
    'button.tooltip = "Reset"',
    "self.count = a + b",
]


@pytest.mark.parametrize("source", BAD)
def test_what_is_forbidden_is_found(source: str) -> None:
    assert forbidden(source) != []


@pytest.mark.parametrize("source", GOOD)
def test_what_is_safe_is_let_be(source: str) -> None:
    assert forbidden(source) == []


def test_only_the_named_functions_of_the_named_files_may_speak() -> None:
    source = "def say(text):\n    sys.stdout.write(text)\n"

    assert forbidden(source, "saying.py") == []
    assert forbidden(source, "answers.py") == [
        "2: the standard streams written outside the one place"
    ]


def test_every_place_that_may_speak_is_there() -> None:
    for file, function in MAY_SPEAK:
        tree = ast.parse((PACKAGE / file).read_text("utf-8"))
        names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}

        assert function in names, f"{file} has no {function}"
