"""A site with commands, and a manufacturer that serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from operations.shell import shell
from voucher_source.party import Manufacturer, found_manufacturer, serving

__all__ = ["shell"]


@pytest.fixture
def manufacturer(tmp_path: Path) -> Iterator[Manufacturer]:
    made = found_manufacturer(tmp_path / "maker", ["FX1", "FX2", "FX3"])
    with serving(made):
        yield made
    made.folder.close()
