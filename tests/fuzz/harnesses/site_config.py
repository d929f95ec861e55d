"""The site's configuration, ``bootz.yaml``."""

from bootz.config.reading import parse_config


def enter(data: bytes) -> None:
    parse_config(data)
