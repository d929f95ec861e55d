"""What a router would refuse in the stored server data, told before it gets them.

Source: docs/protocol/workflow.md S5; docs/templates.md#stored-server-data.
"""

import re
from typing import Final

from bootz.errors import ConfigError, WireError
from bootz.server.operations.profile_document import Content
from bootz.wire.server_data import check_anchor_path, check_public_part, find_server_data

_TEMPLATE: Final = re.compile(r"\{[{%#]")


def check_server_data(content: Content, *, where: str) -> None:
    """Check the stored server data that an operator writes, as far as they are no template.

    Raises:
        ConfigError: ``config-ztp-server``.
    """
    for key in ("vendor_config", "dynamic_vendor_config"):
        text = getattr(content, key) or ""
        try:
            _check_lines(text, key)
            if not _TEMPLATE.search(text):
                find_server_data(_without_lines(text), key)
        except WireError as error:
            raise _refused(error, where) from None
    if content.ta_file:
        check_ta_file(content.ta_file, where=where)


def check_ta_file(path: str, *, where: str) -> None:
    """Check the setting ``ta_file``.

    Raises:
        ConfigError: ``config-ztp-server``: no router can hold a trust anchor there.
    """
    try:
        check_anchor_path(path, "ta_file")
    except WireError as error:
        raise _refused(error, where) from None


def refused_by_router(vendor_config: bytes, dynamic: bytes) -> str:
    """Return what the emulated router would refuse in rendered configuration; empty: nothing."""
    try:
        for key, data in (("vendor_config", vendor_config), ("dynamic_vendor_config", dynamic)):
            find_server_data(data.decode("utf-8", "replace"), key)
    except WireError as error:
        return str(error)
    return ""


def _check_lines(text: str, key: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if not _TEMPLATE.search(line):
            check_public_part(line, f"{key} line {number}")


def _without_lines(text: str) -> str:
    """Return a text in which only JSON is left to be read; its lines keep their numbers."""
    return re.sub(r"(?m)^[ \t]*ztp[ \t]+bootz-server\b.*$", "", text)


def _refused(error: WireError, where: str) -> ConfigError:
    return ConfigError(
        error.reason,
        f"{error.where}: {error.detail}",
        where=where,
        expected=error.expected,
        seen=error.seen,
    )
