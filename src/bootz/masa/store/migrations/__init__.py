"""How a MASA's tables came from version 1 to today's: one file a step, never changed afterwards."""

from typing import Final

from bootz.masa.store.migrations import v2, v3
from bootz.masa.store.schema import META, SCHEMA_VERSION
from bootz.sql.upgrade import Schema

MASA_SCHEMA: Final = Schema(
    meta=META,
    version=SCHEMA_VERSION,
    steps=(v2.STEP, v3.STEP),
    upgrade_command="bootz masa db upgrade",
    other_version="masa-database-version",
    unavailable="masa-database-unavailable",
)
