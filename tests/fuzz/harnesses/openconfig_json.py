"""OpenConfig documents that a router is given."""

from bootz.device.openconfig import read_openconfig, union


def enter(data: bytes) -> None:
    found = read_openconfig(data, "oc_config")
    union(found, found)
