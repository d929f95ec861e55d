"""Taking a chassis out of its source's hands."""

from sqlalchemy import Connection

from bootz.errors import ConflictError
from bootz.server.operations.audit import note
from bootz.server.operations.chassis import find_chassis
from bootz.server.sources.markers import marker_of, remove_markers


def release_from_source(connection: Connection, serial: str, vendor: str | None = None) -> str:
    """Let no sync change a chassis any more, and return the source that it belonged to.

    Raises:
        ConflictError: ``source-not-owner``: it belongs to none; or several chassis are meant.
        UnknownChassis: there is no such chassis.
    """
    record = find_chassis(connection, serial, vendor)
    marker = marker_of(connection, record.key)
    if marker is None:
        raise ConflictError("source-not-owner", "the chassis belongs to no source", where=serial)
    remove_markers(connection, [record.key])
    note(
        connection,
        "source.release",
        record.name,
        before={"source": marker.source, "device": marker.device},
    )
    return marker.source
