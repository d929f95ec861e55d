"""``bootz.yaml`` to settings and back: all faults named, every key explained."""

from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bootz.config.file import CONFIG_NAME, parse_settings, read_settings
from bootz.config.site import SiteConfig
from bootz.errors import ConfigError

_END: Final = "...\n"
"""What PyYAML writes after a plain value that stands alone."""


def parse_config(content: bytes, *, where: str = CONFIG_NAME) -> SiteConfig:
    """Return the settings of a file; an empty one is valid.

    Raises:
        ConfigError: not YAML, an unknown key, or a value that does not fit; all are named.
    """
    document = parse_settings(content, where=where)
    try:
        return SiteConfig.model_validate(document)
    except ValidationError as error:
        faults = _own(error.errors(include_input=False, include_url=False, include_context=False))
        told = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {_words(fault['msg'])}"
            for fault in faults[:20]
        )
        raise ConfigError("site-config-invalid", told, where=where) from error


def _own(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the faults without those that follow from another: a list lacks what was wrong."""
    places = [fault["loc"] for fault in faults]
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(
            len(place) > len(fault["loc"]) and place[: len(fault["loc"])] == fault["loc"]
            for place in places
        )
    ]


def load_config(path: Path) -> SiteConfig:
    """Return the settings of a site's file.

    Raises:
        ConfigError: it cannot be read, or does not hold.
    """
    return parse_config(read_settings(path), where=str(path))


def write_config(config: SiteConfig) -> bytes:
    """Return a file of these settings, in which every key is explained.

    Keys at their default are commented out, so that the file says what was chosen.
    """
    lines = ["# Settings of a Bootz site. Lines that are commented out show the default."]
    _explain(config, lines, indent="", commented=False)
    return ("\n".join(lines) + "\n").encode()


def _explain(model: BaseModel, lines: list[str], *, indent: str, commented: bool) -> None:
    chosen = model.model_fields_set
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        default = commented or name not in chosen or value == field.default
        mark = "# " if default else ""
        if not indent:
            lines.append("")
        lines.append(f"{indent}# {field.description}")
        if isinstance(value, BaseModel):
            lines.append(f"{mark}{indent}{name}:")
            _explain(value, lines, indent=indent + "  ", commented=default)
        else:
            plain = model.model_dump(mode="json", include={name})[name]
            text = yaml.safe_dump(plain, default_flow_style=True, width=1000)
            lines.append(f"{mark}{indent}{name}: {text.removesuffix(_END).strip()}")


def _words(message: str) -> str:
    return message.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "there is no such key"
    )
