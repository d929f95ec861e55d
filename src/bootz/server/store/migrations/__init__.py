"""How a site's tables came from version 4 to today's: one file a step, never changed afterwards.

A change of ``schema.py`` needs a step here, and a dump of the version it leaves under
``tests/store/schemas``: a test compares upgraded tables with those that a new site gets.
"""

from typing import Final

from bootz.server.store.migrations import v5, v6, v7
from bootz.server.store.schema import META
from bootz.server.store.version import SCHEMA_VERSION
from bootz.sql.upgrade import Schema

SITE_SCHEMA: Final = Schema(
    meta=META,
    version=SCHEMA_VERSION,
    steps=(v5.STEP, v6.STEP, v7.STEP),
    upgrade_command="bootz db upgrade",
    other_version="database-version",
    unavailable="database-unavailable",
)
