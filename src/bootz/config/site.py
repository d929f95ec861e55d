"""A site's settings as one frozen object.

It contains no secret; it names the files that hold them. Relative paths are below the site.
"""

from pathlib import Path
from typing import Final

from pydantic import Field

from bootz.config.dhcp import DhcpSiteSettings
from bootz.config.operator import OperatorSettings, WebhookSettings
from bootz.config.serving import (
    DatabaseSettings,
    ImageSettings,
    LimitSettings,
    LogSettings,
    ProgressSettings,
    RetentionSettings,
    TelemetrySettings,
    TlsSettings,
    TransportSettings,
)
from bootz.config.sources import Sources
from bootz.config.values import Endpoint, FrozenSettings, Host, Listen, Workers, parse_endpoint

DEFAULT_PORT: Final = 15006


class OwnerKeySettings(FrozenSettings):
    """An owner certificate and its key, kept elsewhere."""

    certificate: Path = Field(
        description="File with the owner certificate, then those between it and the pinned one."
    )
    key: str = Field(
        description="Its key: a file of mode 0600, or a PKCS#11 URI (RFC 7512) "
        "pkcs11:token=T;object=O?module-path=/M.so&pin-source=file:/PIN."
    )
    passphrase_file: Path | None = Field(
        None, description="File of mode 0600 with the passphrase of an encrypted key file."
    )


class OwnerSettings(OwnerKeySettings):
    """Owner certificate and key that are kept elsewhere, in place of those of the site."""

    pinned_domain_certificate: Path = Field(
        description="File with the certificate that vouchers pin."
    )
    p256: OwnerKeySettings | None = Field(
        None,
        description="A P-256 owner certificate and key beside it, for routers whose profile, "
        "vendor or overrides say `owner_key: p256`.",
    )


class SiteConfig(FrozenSettings):
    """Everything an operator sets for a site."""

    organization: str = Field(
        "Bootz owner",
        min_length=1,
        max_length=64,
        description="Name of the owner in certificates that are issued here.",
    )
    listen: tuple[Listen, ...] = Field(
        (f"127.0.0.1:{DEFAULT_PORT}",),
        min_length=1,
        description="Addresses of the Bootz server. 0.0.0.0 and [::] mean all addresses.",
    )
    advertised: tuple[Host, ...] = Field(
        (),
        description="Further names and addresses in the URIs that routers get.",
    )
    database: DatabaseSettings = Field(DatabaseSettings(), description="The database.")
    tls: TlsSettings = Field(TlsSettings(), description="The server's TLS certificate.")
    limits: LimitSettings = Field(
        LimitSettings(), description="Limits that protect against misbehaving peers."
    )
    transport: TransportSettings = Field(
        TransportSettings(), description="How the Bootz port speaks."
    )
    images: ImageSettings = Field(ImageSettings(), description="The image store.")
    dhcp: DhcpSiteSettings = Field(DhcpSiteSettings(), description="DHCP, by `bootz dhcp`.")
    log: LogSettings = Field(LogSettings(), description="The log.")
    progress: ProgressSettings = Field(
        ProgressSettings(), description="When a silent router is shown as stuck."
    )
    operator: OperatorSettings = Field(
        OperatorSettings(), description="The operator's door: the API."
    )
    workers: Workers = Field(
        1,
        description="Processes that serve routers; auto: one per core. "
        "With more than one, the image store has a process of its own.",
    )
    sources: Sources = Field(
        (),
        max_length=20,
        description="Sources of truth (NetBox, Nautobot); docs/source-of-truth.md.",
    )
    retention: RetentionSettings = Field(
        RetentionSettings(), description="How long the journal is kept."
    )
    telemetry: TelemetrySettings = Field(
        TelemetrySettings(), description="Traces for OpenTelemetry."
    )
    webhooks: WebhookSettings = Field(WebhookSettings(), description="Where webhooks may go.")
    drain_timeout: float = Field(
        30.0, ge=0, le=3600, description="Seconds for running calls to finish at SIGTERM."
    )
    owner: OwnerSettings | None = Field(
        None, description="Owner certificate and key kept elsewhere. Default: those in keys/."
    )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """``listen``, parsed."""
        return tuple(parse_endpoint(text) for text in self.listen)
