"""Which folder is the site: no more than that, so that also who may open no key can ask."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bootz.config.file import CONFIG_NAME
from bootz.errors import ConfigError

SITE_VARIABLE: Final = "BOOTZ_SITE"


def find_site(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the site's folder: the option, else ``BOOTZ_SITE``, else the current directory.

    Raises:
        ConfigError: there is no site.
    """
    named = environ.get(SITE_VARIABLE)
    root = option or (Path(named) if named else cwd)
    root = cwd / root
    if not (root / CONFIG_NAME).is_file():
        raise ConfigError("site-missing", f"there is no {CONFIG_NAME}", where=str(root))
    return root
