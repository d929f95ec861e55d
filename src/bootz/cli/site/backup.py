"""``bootz backup``: a site in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bootz.cli.base import EXISTING_FILE, FILE, Cli, verb

if TYPE_CHECKING:
    from pathlib import Path

    from bootz.server.backup.form import Manifest
    from bootz.server.backup.writing import Seal
    from bootz.server.site import Site


@verb("backup")
@click.argument("file", type=FILE)
@click.option("--images", is_flag=True, help="Take the files of images along.")
@click.option(
    "--with-keys",
    is_flag=True,
    help="Take keys and all other files of the site's folder along, encrypted.",
)
@click.option(
    "--passphrase-file",
    type=EXISTING_FILE,
    help="File of mode 0600 with the passphrase for them.",
)
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="age1…",
    help="Who can open them: a recipient of age; repeatable.",
)
@click.pass_obj
def command(
    cli: Cli,
    file: Path,
    passphrase_file: Path | None,
    recipients: tuple[str, ...],
    *,
    images: bool,
    with_keys: bool,
) -> None:
    """Write the site to FILE, while it serves.

    Database and settings always; the database as it is at one moment. The file (mode 0600) appears
    whole or not at all. Keep it as safe as the site: also without keys it has what routers get.
    """
    from bootz.cli.inventory.image_files import shown_progress
    from bootz.images.depot import Depot
    from bootz.server.backup.writing import write_backup
    from bootz.server.site import utc_now
    from bootz.server.store.version import SCHEMA_VERSION

    if with_keys != bool(passphrase_file or recipients):
        raise click.UsageError(
            "--with-keys needs --passphrase-file or --recipient"
            if with_keys
            else "--passphrase-file and --recipient are for --with-keys"
        )
    if passphrase_file is not None and recipients:
        raise click.UsageError("give --passphrase-file or --recipient, not both")
    site = cli.site()
    with shown_progress(f"writing {file.name}") as progress:
        manifest = write_backup(
            site,
            file,
            utc_now(),
            seal=_seal(passphrase_file, recipients) if with_keys else None,
            images=Depot(site.images_folder) if images else None,
            progress=progress,
        )
    # Tables of another version are for their own program to write.
    if manifest.schema_version == SCHEMA_VERSION:
        _note(site, file.name, manifest)
    for line in manifest.left_out:
        cli.output.warning(f"left out: {line}")
    cli.output.record(
        {
            "file": str(file),
            "bytes": file.stat().st_size,
            "made_at": manifest.made_at,
            "schema_version": manifest.schema_version,
            "keys": manifest.sealed_for or "left out",
            "images": sum(name.startswith("images/") for name in manifest.members),
            "left_out": list(manifest.left_out),
        }
    )


def _note(site: Site, name: str, manifest: Manifest) -> None:
    from contextlib import closing

    from bootz.server.operations.audit import note

    keys = manifest.sealed_for or "left out"
    with closing(site.database()) as database, database.write() as connection:
        note(connection, "site.backup", name, after={"keys": keys, "images": manifest.images})


def _seal(passphrase_file: Path | None, recipients: tuple[str, ...]) -> Seal:
    from bootz.keystore.protected import read_secret
    from bootz.server.backup.writing import Seal

    if passphrase_file is None:
        return Seal(recipients=recipients)
    return Seal(passphrase=read_secret(passphrase_file).decode(errors="surrogateescape"))
