"""Statements that are compiled once and run on the driver's own cursor.

SQLAlchemy's execution of a statement that is always the same costs ten times the statement, so
what runs for every call goes this way. It is one of SQLAlchemy's statements all the same, and runs
in the transaction of the connection that it is given.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ClauseElement

Row = tuple[Any, ...]
Values = Mapping[str, Any]


class Prepared:
    """A statement, compiled for each engine that it meets.

    Values and columns must need no conversion: whole numbers, text, bytes, None; a Boolean comes
    as the driver has it.

    Args:
        statement: what is run.
        columns: the parameters of a statement for ``run``, in the order of the values.
        expanding: the parameter that stands for a list, as ``IN`` wants it. The list must not
            be empty.
    """

    def __init__(
        self,
        statement: ClauseElement,
        *,
        columns: Sequence[str] = (),
        expanding: Sequence[str] = (),
    ) -> None:
        self._statement = statement
        self._columns = tuple(columns)
        self._expanding = expanding
        self._compiled: dict[tuple[str, tuple[int, ...]], _Compiled] = {}

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        """Run it and return its rows.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        return self._fetched(connection, values, named=False)

    def named_rows(self, connection: Connection, values: Values) -> list[Any]:
        """Run it and return its rows, whose values have the names of the columns.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        return self._fetched(connection, values, named=True)

    def _fetched(self, connection: Connection, values: Values, *, named: bool) -> list[Any]:
        lengths: tuple[int, ...] = ()
        if self._expanding:
            values = dict(values)
            for name in self._expanding:
                members = _padded(values[name])
                lengths = (*lengths, len(members))
                for number, member in enumerate(members, 1):
                    values[f"{name}_{number}"] = member
        compiled = self._for(connection, lengths)
        try:
            cursor = driver_of(connection).execute(compiled.sql, compiled.bound(values))
            found: list[Row] = cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise converted_error(connection, compiled.sql, error) from error
        if not named:
            return found
        if compiled.kind is None:
            compiled.kind = _named(column[0] for column in cursor.description)
        return list(map(compiled.kind._make, found))

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once for each of these rows of values, which returns nothing.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        compiled = self._for(connection, ())
        driver = driver_of(connection)
        try:
            if len(rows) == 1:
                driver.execute(compiled.sql, compiled.bound(rows[0]))
            else:
                driver.cursor().executemany(compiled.sql, list(map(compiled.bound, rows)))
        except connection.dialect.loaded_dbapi.Error as error:
            raise converted_error(connection, compiled.sql, error) from error

    def _for(self, connection: Connection, lengths: tuple[int, ...]) -> "_Compiled":
        """Return the statement for the engine, and for lists of these lengths."""
        key = (connection.dialect.name, lengths)
        found = self._compiled.get(key)
        if found is None:
            statement = self._statement
            options = {}
            if lengths:
                members = zip(self._expanding, lengths, strict=True)
                statement = statement.params({name: [0] * length for name, length in members})
                options = {"render_postcompile": True}
            compiled: Any = statement.compile(
                dialect=connection.dialect,
                column_keys=list(self._columns) if isinstance(statement, Insert) else None,
                compile_kwargs=options,
            )
            order = tuple(compiled.positiontup) if compiled.positional else None
            found = self._compiled[key] = _Compiled(str(compiled), _binding(self._columns, order))
        return found


class _Compiled:
    """A text, what makes the driver's parameters of values, and what its rows are made into."""

    __slots__ = ("bound", "kind", "sql")

    def __init__(self, sql: str, bound: Callable[[Any], Any]) -> None:
        self.sql = sql
        self.bound = bound
        self.kind: Any = None


def _binding(columns: tuple[str, ...], order: tuple[str, ...] | None) -> Callable[[Any], Any]:
    """Return what makes parameters of values: of a row of ``columns``, or without them by name.

    ``order`` is that of the parameters where they have no names in the text.
    """
    if order is None:
        return (lambda row: dict(zip(columns, row, strict=True))) if columns else _as_they_are
    if order == columns:
        return _as_they_are
    keys: Sequence[Any] = [columns.index(name) for name in order] if columns else order
    if len(keys) == 1:
        return lambda values: (values[keys[0]],)
    return itemgetter(*keys)


def _as_they_are(values: Any) -> Any:
    return values


def _named(names: Iterable[str]) -> Any:
    """Return the kind of row that has these names."""
    kind: Any = namedtuple
    return kind("NamedRow", names)


def _padded(members: Sequence[Any]) -> Sequence[Any]:
    """Return a list of a length that is a power of two, so that few texts are compiled."""
    more = (1 << (len(members) - 1).bit_length()) - len(members)
    return [*members, *[members[-1]] * more] if more else members


def driver_of(connection: Connection) -> Any:
    """Return the driver's connection below one of SQLAlchemy's."""
    return connection.connection.dbapi_connection


def converted_error(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return SQLAlchemy's error for one of the driver's; it shows no values."""
    dialect = connection.dialect
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )
