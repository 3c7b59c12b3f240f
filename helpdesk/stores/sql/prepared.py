"""Statements that are asked all the time: put together once, and given to the driver as they are.

What stands between a statement and the driver otherwise takes longer than SQLite takes to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, LargeBinary, Select
from sqlalchemy.exc import DBAPIError, NoResultFound

SEVERAL: Final = "names"
"""What stands in a statement for one or several values: it is put together for one."""

_NOTHING: Final[Mapping[str, Any]] = {}

_Make = Callable[[Any], Any]


class _Form(NamedTuple):
    """A statement as one kind of driver takes it.

    Attributes:
        values: In their order: the name, that of what is given, how it is made, what it is unsaid.
        columns: Where a column stands that is read otherwise than it comes, and how.
    """

    text: str
    is_numbered: bool
    values: Sequence[tuple[str, str, _Make | None, Any]]
    columns: Sequence[tuple[int, _Make]]

    def of(self, given: Mapping[str, Any]) -> Any:
        """Give what the driver is given with the text."""
        made = []
        for name, whose, make, unsaid in self.values:
            value = given.get(whose, unsaid)
            made.append((name, value if make is None or value is None else make(value)))
        return [value for _, value in made] if self.is_numbered else dict(made)


class Prepared:
    """A statement for any database, whose form for each is made when it is first asked.

    Where it says `names`, a list stands for it; a list of one is what it is prepared for.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._forms: dict[tuple[str, frozenset[str]], _Form] = {}

    def rows(
        self, connection: Connection, given: Mapping[str, Any] = _NOTHING
    ) -> Sequence[tuple[Any, ...]]:
        """Return what it finds, each row as a tuple; blocking.

        Raises:
            DBAPIError: The database does not answer, or says no.
        """
        if len(given.get(SEVERAL, "1")) != 1:
            return [tuple(row) for row in connection.execute(self._statement, given)]
        form, cursor = self._put(connection, given)
        try:
            found: list[tuple[Any, ...]] = cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise said(connection, error) from error
        finally:
            cursor.close()
        if not form.columns:
            return found
        rows = []
        for row in map(list, found):
            for place, read in form.columns:
                row[place] = read(row[place])
            rows.append(tuple(row))
        return rows

    def column(self, connection: Connection, given: Mapping[str, Any] = _NOTHING) -> Sequence[Any]:
        """Return the first column of what it finds; blocking."""
        return [row[0] for row in self.rows(connection, given)]

    def first(self, connection: Connection, given: Mapping[str, Any] = _NOTHING) -> Any:
        """Return the first value of what it finds; None where it finds nothing; blocking."""
        found = self.rows(connection, given)
        return found[0][0] if found else None

    def one(self, connection: Connection, given: Mapping[str, Any] = _NOTHING) -> tuple[Any, ...]:
        """Return the row that it finds; blocking.

        Raises:
            NoResultFound: It finds none.
        """
        found = self.rows(connection, given)
        if not found:
            raise NoResultFound("a row that must be there is not")
        return found[0]

    def run(self, connection: Connection, given: Mapping[str, Any] = _NOTHING) -> None:
        """Tell the database; what it says back is not waited for where it is told in one go."""
        self._put(connection, given)

    def _put(self, connection: Connection, given: Mapping[str, Any]) -> tuple[_Form, Any]:
        """Give the statement to the driver."""
        dialect = connection.dialect
        key = (dialect.name, frozenset(given))
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _form(self._statement, dialect, given)
        driver: Any = connection.connection.dbapi_connection
        try:
            return form, driver.execute(form.text, form.of(given))
        except dialect.loaded_dbapi.Error as error:
            raise said(connection, error) from error


def said(connection: Connection, error: Exception) -> DBAPIError:
    """Return a driver's own error as all others are raised."""
    driver: Any = connection.connection.dbapi_connection
    is_gone = connection.dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
    return DBAPIError("", None, error, connection_invalidated=is_gone)


def _form(statement: Any, dialect: Dialect, given: Mapping[str, Any]) -> _Form:
    """Put a statement together for a kind of database, to be given values of these names."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=[*given])
    state = compiled.construct_expanded_state(given)
    names = state.positiontup or [*state.parameters]
    one_of = {each: name for name, several in state.parameter_expansion.items() for each in several}
    values = []
    for name in names:
        whose = one_of.get(name, name)
        kind = compiled.binds[whose].type.dialect_impl(dialect)
        make = kind.bind_processor(dialect)
        if whose == SEVERAL:
            make = _only(make)
        # What is not given stands in the statement itself.
        unsaid = None if whose in given else state.parameters[name]
        values.append((name, whose, make, unsaid))
    return _Form(state.statement, bool(state.positiontup), values, _columns(statement, dialect))


def _only(make: _Make | None) -> _Make:
    """Return how a value is made of a list of one."""
    return lambda several: several[0] if make is None else make(several[0])


def _columns(statement: Any, dialect: Dialect) -> Sequence[tuple[int, _Make]]:
    """Return which columns are not what the driver gives; bytes are."""
    if not isinstance(statement, Select):
        return ()
    reads = []
    for place, column in enumerate(statement.selected_columns):
        kind = column.type.dialect_impl(dialect)
        read = kind.result_processor(dialect, None)
        if read is not None and not isinstance(kind, LargeBinary):
            reads.append((place, read))
    return reads
