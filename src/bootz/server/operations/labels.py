"""Labels of chassis: what operators group and choose them by (``site``, ``rack``, ``batch``).

A key is compared without case and written in lower case, so that a table whose first row is in
capitals means the same labels. Source: docs/operator.md#labels.
"""

import re
from collections.abc import Mapping
from typing import Final

from bootz.errors import ConfigError
from bootz.server.operations.texts import MAX_NAME, checked_text

MAX_LABELS: Final = 64
"""Labels of one chassis."""

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}")


def fold_key(key: str) -> str:
    """Return the form of a label's key under which two spellings are the same label."""
    return key.strip().casefold()


def checked_labels(
    labels: Mapping[str, str], *, reason: str = "chassis-invalid", where: str
) -> dict[str, str]:
    """Return labels with their keys folded, by key.

    Raises:
        ConfigError: with ``reason``: a key or value does not fit, or there are too many.
    """
    if len(labels) > MAX_LABELS:
        raise ConfigError(reason, f"labels: over {MAX_LABELS}", where=where)
    checked: dict[str, str] = {}
    for key, value in labels.items():
        folded = fold_key(key)
        if not _KEY.fullmatch(folded):
            raise ConfigError(
                reason,
                "labels: a key has up to 63 letters, digits and . _ / -, and begins with a letter "
                "or digit",
                where=where,
                seen=key[:80],
                keys=(("labels", key),),
            )
        if folded in checked:
            raise ConfigError(
                reason, f"labels: {folded} appears twice", where=where, keys=(("labels", key),)
            )
        checked[folded] = checked_text(
            value,
            f"label {folded}",
            reason=reason,
            where=where,
            most=MAX_NAME,
            least=1,
            key=("labels", key),
        )
    return dict(sorted(checked.items()))
