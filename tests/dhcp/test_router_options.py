"""What ``bootz router boot`` takes about discovery, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from bootz.cli.router.sources import sources
from bootz.errors import ConfigError

GIVEN: dict[str, Any] = {
    "uris": (),
    "dhcp_interfaces": (),
    "dhcp_families": (),
    "dhcp_name_servers": "fail",
    "dhcp_duid": "serial",
    "dhcp_vendor_classes": False,
    "dhcp_strict": False,
    "dhcp6_prefix_length": 128,
    "dhcp_time_scale": 1.0,
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"uris": ("bootz://h",), "dhcp_interfaces": ("eth0",)},
        {"dhcp_interfaces": ("eth0",)},
        {"dhcp_interfaces": ("eth0", "eth0")},
        {"dhcp_interfaces": ("eth0", "eth1"), "dhcp_time_scale": 0.0},
    ],
    ids=["neither", "both", "too few", "one twice", "no time"],
)
def test_each_router_needs_one_way_to_its_server(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        sources(GIVEN | changes, ["one", "two"])
    assert caught.value.reason == "usage"


def test_each_router_gets_a_source_of_its_own() -> None:
    assert len(sources(GIVEN | {"uris": ("bootz://h",)}, ["one", "two"])) == 2
    assert len(sources(GIVEN | {"dhcp_interfaces": ("eth0", "eth1")}, ["one", "two"])) == 2
