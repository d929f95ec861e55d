"""The file of what was met on the wire is never another one that a link leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootz.dhcp.leases import LeaseLog
from bootz.errors import BootzError


def test_a_link_in_its_place_is_refused_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "of-another"
    target.write_text("kept")
    (tmp_path / "log.jsonl").symlink_to(target)
    with pytest.raises(BootzError) as refused:
        LeaseLog(tmp_path / "log.jsonl").append({"a": 1})
    assert refused.value.reason == "file-unwritable"
    assert target.read_text() == "kept"
