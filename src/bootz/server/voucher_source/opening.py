"""From a vendor's record to a fetcher that is ready to be used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bootz.keystore.files import load_certificates
from bootz.server.operations.vendors import VendorRecord
from bootz.server.store.database import Database
from bootz.server.voucher_source.fetching import Fetcher
from bootz.server.voucher_source.source import open_source
from bootz.server.voucher_source.tpm import EkIssuers
from bootz.trust.certificates import AnchorSet


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all fetchers of a site share.

    ``root`` is what relative paths are below; ``environ`` may hold tokens.
    """

    database: Database
    root: Path
    clock: Callable[[], datetime]
    environ: Mapping[str, str]


def open_fetcher(
    vendor: VendorRecord, pinned_domain_cert: bytes, around: Surroundings
) -> Fetcher | None:
    """Return the fetcher of a vendor, None where it has no source; nothing is called yet.

    Raises:
        ConfigError: the EK roots or intermediates cannot be loaded.
    """
    source = open_source(
        vendor,
        root=around.root,
        pinned_domain_cert=pinned_domain_cert,
        clock=around.clock,
        environ=around.environ,
    )
    if source is None:
        return None
    settings = vendor.settings.voucher_source
    ek_issuers = None
    if settings is not None and settings.ek_roots:
        ek_issuers = EkIssuers(
            AnchorSet.from_der(load_certificates(around.root / settings.ek_roots)),
            load_certificates(around.root / settings.ek_intermediates)
            if settings.ek_intermediates
            else (),
        )
    return Fetcher(
        vendor.name,
        source,
        vendor_key=vendor.key,
        database=around.database,
        pinned_domain_cert=pinned_domain_cert,
        ek_issuers=ek_issuers,
        clock=around.clock,
    )
