"""What ``init --from-reference`` and ``import --format reference`` share: files of images, keys."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from bootz.cli.base import Cli
from bootz.errors import ConfigError, unreadable
from bootz.images.addresses import is_file_name
from bootz.images.depot import Depot, StoredFile
from bootz.server.importing.applying import Applied, Terms, apply_items
from bootz.server.importing.items import ReadFile
from bootz.server.importing.reference.items import TakenImage, intended_image, reference_items
from bootz.server.importing.reference.reading import Reference
from bootz.server.operations.images import list_images
from bootz.server.operations.vendors import list_vendors
from bootz.server.site import Site
from bootz.server.store.database import Database

_F = TypeVar("_F", bound=Callable[..., Any])
_CHUNK = 1 << 20


def import_reference(
    site: Site,
    database: Database,
    reference: Reference,
    paths: Sequence[Path],
    *,
    pinned_domain_cert: bytes,
    update: bool = False,
    dry_run: bool = False,
    keys: Callable[[], None] | None = None,
) -> Applied:
    """Import a configuration in one transaction; undone if anything has a fault, or for a dry run.

    ``keys`` puts its keys in force, after everything else has held.

    Raises:
        BootzError: a file does not fit, or the keys do not hold.
    """
    now = site.clock()
    depot = Depot(site.images_folder)
    with _taken(depot, database, reference, paths, dry_run=dry_run) as images:
        digests = {image.sha256 for image in images}
        terms = Terms(
            now=now,
            pinned_domain_cert=pinned_domain_cert,
            has_image=lambda sha256: sha256 in digests or depot.holds(sha256),
            update=update,
            # CAs are added to those that a vendor has.
            always=frozenset({"vendors"}),
        )
        with database.write() as connection:
            vendors = list_vendors(connection)
            items = reference_items(reference, vendors=vendors, images=images, now=now)
            applied = apply_items(connection, [ReadFile(items)], terms)
            if applied.faults or dry_run:
                connection.rollback()
            elif keys is not None:
                keys()
    return applied


def warn_of_reference(cli: Cli, reference: Reference) -> None:
    """Say once what an operator must know of such a file."""
    cli.output.warning(
        f"{reference.where} contains private keys without encryption; they are now in the site's "
        "key store: move the file away, and destroy it if it is not needed"
    )
    insecure = [
        card.serial_number
        for chassis in reference.config.chassis
        if chassis.boot_mode.value == "insecure"
        for card in chassis.cards[:1]
    ]
    if insecure:
        cli.output.warning(f"in insecure mode, as in the file: {', '.join(insecure)}")


@contextmanager
def _taken(
    depot: Depot,
    database: Database,
    reference: Reference,
    paths: Sequence[Path],
    *,
    dry_run: bool,
) -> Iterator[tuple[TakenImage, ...]]:
    """Put files into the store; those that no record names in the end are removed again."""
    added: list[StoredFile] = []
    try:
        images: list[TakenImage] = []
        for path in paths:
            if not is_file_name(path.name):
                raise ConfigError(
                    "image-invalid", "the file name cannot be used in a URL", where=str(path)
                )
            digest, size = _digest(path)
            image = intended_image(reference, digest, str(path))
            if not dry_run:
                added.append(depot.add(path))
            images.append(TakenImage(image.name, image.version, path.name, size, digest))
        yield tuple(images)
    finally:
        if added:
            with database.write() as connection:
                named = {record.sha256 for record in list_images(connection)}
                for stored in added:
                    if stored.sha256 not in named:
                        depot.remove(stored.sha256)


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    return digest.hexdigest(), size
