"""The version of the tables."""

from typing import Final

SCHEMA_VERSION: Final = 7
"""Rises with every change of a table, which needs a step in ``migrations/`` too."""
