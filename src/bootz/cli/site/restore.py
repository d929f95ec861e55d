"""``bootz restore``: the site of a backup, in another place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import EXISTING_FILE, FOLDER, Cli, verb

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.server.backup.restoring import Open


@verb("restore")
@click.argument("file", type=EXISTING_FILE)
@click.argument("folder", metavar="DIR", type=FOLDER, required=False)
@click.option("--check", is_flag=True, help="Read the whole file and compare it; restore nothing.")
@click.option(
    "--passphrase-file", type=EXISTING_FILE, help="File of mode 0600 with the passphrase."
)
@click.option(
    "--identity-file",
    type=EXISTING_FILE,
    help="File of mode 0600 with the identity of a recipient, as age-keygen writes it.",
)
@click.option("--without-keys", is_flag=True, help="Restore the rest.")
@click.option(
    "--database",
    metavar="URL",
    help="Where the database is to be: an empty PostgreSQL database, or sqlite:///bootz.db. "
    "Default: as in the settings, if it was a file in the site's folder.",
)
@click.pass_obj
def command(
    cli: Cli,
    file: Path,
    folder: Path | None,
    passphrase_file: Path | None,
    identity_file: Path | None,
    database: str | None,
    *,
    check: bool,
    without_keys: bool,
) -> None:
    """Make the site of a backup in DIR, which does not exist yet or is empty.

    All of it or nothing: the file is read to its end, and compared, before DIR has anything.
    Tables of an older version are upgraded.
    """
    from bootz.cli.base import acting_user
    from bootz.cli.inventory.image_files import shown_progress
    from bootz.server.backup.reading import read_backup
    from bootz.server.backup.restoring import restore
    from bootz.server.site import utc_now

    if check == (folder is not None):
        raise click.UsageError("give DIR, or --check without it")
    if folder is None:
        with shown_progress(f"reading {file.name}") as progress:
            manifest = read_backup(file, progress=progress).manifest
        cli.output.record(
            {
                "file": str(file),
                "made_at": manifest.made_at,
                "bootz": manifest.bootz,
                "schema_version": manifest.schema_version,
                "engine": manifest.engine,
                "organization": manifest.organization,
                "keys": manifest.sealed_for or "left out",
                "images": sum(name.startswith("images/") for name in manifest.members),
                "left_out": list(manifest.left_out),
            }
        )
        return
    if [passphrase_file is None, identity_file is None, not without_keys].count(False) != 1:
        raise click.UsageError("give --passphrase-file, --identity-file or --without-keys: one")
    with shown_progress(f"reading {file.name}") as progress:
        restored = restore(
            file,
            folder,
            utc_now(),
            open_private=_open(passphrase_file, identity_file),
            database=database,
            actor=acting_user(),
            progress=progress,
        )
    if not restored.with_keys:
        cli.output.warning(
            f"the backup's keys are not in {restored.root}: the site serves once keys/ is there, "
            "with the files that its settings name"
        )
    cli.output.record(
        {
            "site": str(restored.root),
            "made_at": restored.manifest.made_at,
            "database": restored.database,
            "upgraded_from": restored.upgraded_from,
            "keys": restored.with_keys,
            "left_out": list(restored.manifest.left_out),
        }
    )


def _open(passphrase_file: Path | None, identity_file: Path | None) -> Open | None:
    from bootz.keystore.protected import read_protected, read_secret
    from bootz.server.backup.sealing import open_by, open_with

    if passphrase_file is not None:
        passphrase = read_secret(passphrase_file).decode(errors="surrogateescape")
        return lambda content: open_by(passphrase, content)
    if identity_file is not None:
        identities = read_protected(identity_file).decode(errors="replace")
        return lambda content: open_with(identities, content)
    return None
