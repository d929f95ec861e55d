"""Statements that are compiled once and run on the driver's own cursor.

SQLAlchemy's execution of a statement that is always the same costs ten times the statement, so
what runs for every call goes this way. It is one of SQLAlchemy's statements all the same, and runs
in the transaction of the connection that it is given.
"""

from collections.abc import Mapping, Sequence
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
        lists = [_padded(values[name]) for name in self._expanding]
        sql, order = self._text(connection, tuple(len(each) for each in lists))
        given = dict(values)
        for name, members in zip(self._expanding, lists, strict=True):
            given |= {f"{name}_{number}": each for number, each in enumerate(members, 1)}
        cursor = None
        try:
            cursor = driver_of(connection).cursor()
            cursor.execute(sql, _bound(given, order))
            found: list[Row] = cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise converted_error(connection, sql, error) from error
        finally:
            if cursor is not None:
                cursor.close()
        return found

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
