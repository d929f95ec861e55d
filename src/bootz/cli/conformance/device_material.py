"""What a router is configured with in the cases, as the options of the command name it."""

from pathlib import Path
from typing import Any, Final

import click

from bootz.conformance.device.answers import DeviceContent, read_content
from bootz.errors import ConfigError, unreadable

MAX_IMAGE_BYTES: Final = 4 << 30
MAX_CONFIG_BYTES: Final = 1 << 20


def read_device_content(options: dict[str, Any], default: DeviceContent) -> DeviceContent:
    """Return the content that the options name, else the default.

    Raises:
        ConfigError: a file cannot be used.
    """
    content = default
    if options["vendor_config"] is not None:
        bad = options["bad_vendor_config"]
        content = read_content(
            _read(options["vendor_config"], MAX_CONFIG_BYTES),
            options["config_marker"],
            None if bad is None else _read(bad, MAX_CONFIG_BYTES),
        )
    if options["image"] is None:
        return content
    if not options["image_version"]:
        raise click.UsageError("--image needs --image-version")
    return content.with_image(
        _read(options["image"], MAX_IMAGE_BYTES), options["image_name"], options["image_version"]
    )


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise ConfigError("conformance-material", "the file is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
