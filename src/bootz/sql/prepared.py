"""Statements that are compiled once and run on the driver's own cursor.

SQLAlchemy's execution of a statement that is always the same costs ten times the statement, so
what runs for every call goes this way. It is one of SQLAlchemy's statements all the same, and runs
in the transaction of the connection that it is given.
"""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection
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
        columns: the values of an ``insert``, in any order.
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
        self._columns = list(columns) or None
        self._expanding = expanding
        self._compiled: dict[tuple[str, tuple[int, ...]], tuple[str, tuple[str, ...] | None]] = {}

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        """Run it and return its rows.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        return self._fetched(connection, values)[0]

    def named_rows(self, connection: Connection, values: Values) -> list[Any]:
        """Run it and return its rows, whose values have the names of the columns.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        rows, names = self._fetched(connection, values)
        return list(map(_named(names)._make, rows)) if rows else []

    def _fetched(self, connection: Connection, values: Values) -> tuple[list[Row], tuple[str, ...]]:
        given, lengths = values, []
        if self._expanding:
            given = dict(values)
            for name in self._expanding:
                members = _padded(values[name])
                lengths.append(len(members))
                given |= {f"{name}_{number}": each for number, each in enumerate(members, 1)}
        sql, order = self._text(connection, tuple(lengths))
        cursor = None
        try:
            cursor = driver_of(connection).cursor()
            cursor.execute(sql, _bound(given, order))
            found: list[Row] = cursor.fetchall()
            names = tuple([column[0] for column in cursor.description])
        except connection.dialect.loaded_dbapi.Error as error:
            raise converted_error(connection, sql, error) from error
        finally:
            if cursor is not None:
                cursor.close()
        return found, names

    def run(self, connection: Connection, values: Sequence[Values]) -> None:
        """Run it once for each of the values, which returns nothing.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refuses; without the values.
        """
        sql, order = self._text(connection, ())
        cursor = None
        try:
            cursor = driver_of(connection).cursor()
            cursor.executemany(sql, [_bound(each, order) for each in values])
        except connection.dialect.loaded_dbapi.Error as error:
            raise converted_error(connection, sql, error) from error
        finally:
            if cursor is not None:
                cursor.close()

    def _text(
        self, connection: Connection, lengths: tuple[int, ...]
    ) -> tuple[str, tuple[str, ...] | None]:
        """Return the text, and the order of its parameters where they have no names in it."""
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
                dialect=connection.dialect, column_keys=self._columns, compile_kwargs=options
            )
            order = tuple(compiled.positiontup) if compiled.positional else None
            found = self._compiled[key] = (str(compiled), order)
        return found


@cache
def _named(names: tuple[str, ...]) -> Any:
    """Return the kind of row that has these names; there are as many as statements."""
    kind: Any = namedtuple
    return kind("NamedRow", names)


def _padded(members: Sequence[Any]) -> Sequence[Any]:
    """Return a list of a length that is a power of two, so that few texts are compiled."""
    length = 1 << (len(members) - 1).bit_length()
    return [*members, *(members[-1] for _ in range(length - len(members)))]


def _bound(values: Values, order: Sequence[str] | None) -> Any:
    return values if order is None else [values[name] for name in order]


def driver_of(connection: Connection) -> Any:
    """Return the driver's connection below one of SQLAlchemy's."""
    return connection.connection.dbapi_connection


def converted_error(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return SQLAlchemy's error for one of the driver's; it shows no values."""
    dialect = connection.dialect
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )
