from __future__ import annotations

from collections.abc import Iterator

import pytest
from conformance.lab import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("conformance"))
    yield made
    made.close()
