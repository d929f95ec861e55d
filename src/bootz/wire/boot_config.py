"""The boot configuration: writing, reading, and merging for releases without dynamic parts."""

import json
from collections.abc import Mapping
from dataclasses import replace

from bootz import strict_json
from bootz.errors import ConfigError
from bootz.model.bootstrap import BootConfig
from bootz.wire.dialects import Dialect
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.json_form import read_struct, write_json


def merge_dynamic_config(config: BootConfig) -> BootConfig:
    """Return the configuration with its dynamic parts merged into the static ones.

    Vendor configuration is text: the dynamic lines follow the static ones on a new line, as an
    operator would paste them. OpenConfig is JSON: objects are merged key by key, and anything
    else in the dynamic part, lists too, replaces what the static part has (gNMI
    ``union_replace`` lets the later origin win). A part that stands alone stays byte for byte.

    Raises:
        ConfigError: OpenConfig is in both parts, and one of them is not a JSON object.
    """
    if not (config.dynamic_vendor_config or config.dynamic_oc_config):
        return config
    vendor = config.vendor_config
    if vendor and config.dynamic_vendor_config and not vendor.endswith(b"\n"):
        vendor += b"\n"
    openconfig = config.oc_config or config.dynamic_oc_config
    if config.oc_config and config.dynamic_oc_config:
        merged = _merge(
            _read_object(config.oc_config, "boot_config.oc_config"),
            _read_object(config.dynamic_oc_config, "boot_config.dynamic_oc_config"),
        )
        openconfig = json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(
        config,
        vendor_config=vendor + config.dynamic_vendor_config,
        oc_config=openconfig,
        dynamic_vendor_config=b"",
        dynamic_oc_config=b"",
    )


def write_boot_config(config: BootConfig, message: pb.BootConfig, dialect: Dialect) -> None:
    """Fill the message, which is there also if the configuration is empty.

    Raises:
        ConfigError: metadata or bootloader keys do not fit, or parts cannot be merged.
    """
    if not dialect.dynamic_config:
        config = merge_dynamic_config(config)
    message.SetInParent()
    if config.metadata:
        write_json(config.metadata, message.metadata, "boot_config.metadata")
    message.vendor_config = config.vendor_config
    message.oc_config = config.oc_config
    if config.bootloader_config:
        write_json(
            config.bootloader_config, message.bootloader_config, "boot_config.bootloader_config"
        )
    message.dynamic_vendor_config = config.dynamic_vendor_config
    message.dynamic_oc_config = config.dynamic_oc_config


def read_boot_config(message: pb.BootConfig, dialect: Dialect) -> BootConfig:
    """Return the configuration; a release without dynamic parts does not see them.

    Raises:
        WireError: metadata or bootloader keys that JSON does not have.
    """
    config = BootConfig(
        read_struct(message.metadata, "boot_config.metadata"),
        message.vendor_config,
        message.oc_config,
        read_struct(message.bootloader_config, "boot_config.bootloader_config"),
    )
    if not dialect.dynamic_config:
        return config
    return replace(
        config,
        dynamic_vendor_config=message.dynamic_vendor_config,
        dynamic_oc_config=message.dynamic_oc_config,
    )


def _merge(static: Mapping[str, object], dynamic: Mapping[str, object]) -> dict[str, object]:
    merged = dict(static)
    for key, item in dynamic.items():
        own = merged.get(key)
        if isinstance(own, Mapping) and isinstance(item, Mapping):
            merged[key] = _merge(own, item)
        else:
            merged[key] = item
    return merged


def _read_object(data: bytes, where: str) -> Mapping[str, object]:
    try:
        value = strict_json.loads(data)
    except ValueError as error:
        raise ConfigError("oc-config-unmergeable", "is not JSON", where=where) from error
    if not isinstance(value, dict):
        raise ConfigError("oc-config-unmergeable", "is not a JSON object", where=where)
    return value
