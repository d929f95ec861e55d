"""Where a site's database is: its URL, with the password out of its own file."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bootz.config.serving import DatabaseSettings
from bootz.errors import ConfigError
from bootz.keystore.protected import read_secret


def database_url(root: Path, settings: DatabaseSettings) -> str:
    """Return the URL for ``open_database``; relative paths are below the site's folder.

    Raises:
        ConfigError: it cannot be read, holds a password itself, or the password's file does not
            hold.
    """
    try:
        url = make_url(settings.url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError("database-url-invalid", "cannot be read", where="database.url") from error
    if url.password is not None:
        raise ConfigError(
            "database-url-invalid",
            "contains a password; put it into the file that password_file names",
            where="database.url",
        )
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str((root / url.database).absolute()))
    if settings.password_file is not None:
        secret = read_secret(root / settings.password_file)
        url = url.set(password=secret.decode(errors="surrogateescape"))
    return url.render_as_string(hide_password=False)
