"""Configurations of kea, read and judged for each router that they name."""

from pathlib import Path

from bootz.dhcp.check.checking import check_models, uris_of
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.forms import READERS, form_of

_NOWHERE = Path("/nonexistent")


def enter(data: bytes) -> None:
    form_of(data)
    models = READERS["kea"](data, Files(_NOWHERE))
    check_models(models, None, {})
    uris_of(models, None)
