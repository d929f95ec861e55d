"""What a router would refuse in the stored server data, told before it gets them.

Source: docs/protocol/workflow.md S5; docs/templates.md#stored-server-data.
"""

import re
from collections.abc import Iterator
from typing import Final

from bootz.errors import ConfigError, WireError
from bootz.server.operations.profile_document import Content
from bootz.wire.server_data import (
    SERVER_LINE_FORM,
    check_anchor_path,
    check_public_part,
    find_server_data,
)

_MAX_SHOWN: Final = 120
_TEMPLATE: Final = re.compile(r"\{[{%#]")


def check_server_data(content: Content, *, where: str) -> None:
    """Check the stored server data that an operator writes, as far as they are no template.

    Raises:
        ConfigError: ``config-ztp-server``.
    """
    for key, text in _texts(content):
        try:
            for number, line in _plain_lines(text):
                check_public_part(line, f"{key} line {number}")
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


def beyond_public(content: Content) -> Iterator[str]:
    """Return a warning for each line with words that no public document names.

    ``content`` has passed :func:`check_server_data`.
    """
    for key, text in _texts(content):
        for number, line in _plain_lines(text):
            place = f"{key} line {number}"
            if not check_public_part(line, place):
                yield (
                    f"{place}: only a router that knows more than the public keywords takes "
                    f"{line.strip()[:_MAX_SHOWN]!r}; public is {SERVER_LINE_FORM}"
                )


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    if not content.model_fields_set:
        return
    yield "vendor_config", content.vendor_config or ""
    yield "dynamic_vendor_config", content.dynamic_vendor_config or ""


def _plain_lines(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines that no template changes, with their numbers."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not _TEMPLATE.search(line):
            yield number, line


def _without_lines(text: str) -> str:
    """Return a text in which only JSON is left to be read; its lines keep their numbers."""
    return re.sub(r"(?mi)^[ \t]*ztp[ \t]+bootz-server\b.*$", "", text)


def _refused(error: WireError, where: str) -> ConfigError:
    return ConfigError(
        error.reason,
        f"{error.where}: {error.detail}",
        where=where,
        expected=error.expected,
        seen=error.seen,
    )
