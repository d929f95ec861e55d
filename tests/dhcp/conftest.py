"""A link of its own: a hub where servers listen, and a router's namespace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_interface

import pytest

from bootz.lab.namespaces import Network, network

HUB_ADDRESSES = [ip_interface("10.0.0.1/24"), ip_interface("2001:db8::1/64")]


@pytest.fixture(scope="module")
def link() -> Iterator[Network]:
    with network(f"bt{os.getpid()}", 2, HUB_ADDRESSES) as made:
        yield made
