"""A site's settings: one frozen object out of ``bootz.yaml``, validated at birth.

It contains no secret; it names the files that hold them. Relative paths are below the site.
"""

import ipaddress
import math
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bootz.config_file import CONFIG_NAME, DEFAULT_DATABASE, parse_settings, read_settings
from bootz.config_sources import Sources
from bootz.errors import ConfigError, WireError
from bootz.transport.http2.engines import EngineName
from bootz.transport.limits import ListenerLimits, StreamLimits
from bootz.wire.uri import parse_bootz_uri

DEFAULT_PORT: Final = 15006

_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LIMITS: Final = ListenerLimits()
_STREAMS: Final = StreamLimits()
_END: Final = "...\n"
"""What PyYAML writes after a plain value that stands alone."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port; an IPv6 address stands without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pair(self) -> tuple[str, int]:
        """As listeners take it."""
        return (self.host, self.port)


def parse_endpoint(text: str) -> Endpoint:
    """Read ``ADDRESS:PORT``; IPv6 in brackets, port 0 lets the system choose.

    Raises:
        ValueError: it has another form.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not ADDRESS:PORT")
    if bracketed != (":" in host):
        raise ValueError(f"{text!r}: an IPv6 address must be in brackets")
    return Endpoint(check_host(host), int(port))


def check_host(text: str) -> str:
    """Return a DNS name or IP address as it is.

    Raises:
        ValueError: it is neither.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # Digits and dots alone are an address that was mistyped, never a name.
        if _DNS_NAME.fullmatch(text) is None or text.replace(".", "").isdecimal():
            raise ValueError(f"{text!r} is neither a DNS name nor an IP address") from None
    return text


def _check_listen(text: str) -> str:
    parse_endpoint(text)
    return text


def _check_base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be http://HOST or https://HOST, with port and path as needed")
    return text.rstrip("/")


def _check_bootz_uri(text: str) -> str:
    try:
        return str(parse_bootz_uri(text))
    except WireError as error:
        raise ValueError(error.detail) from error


Listen = Annotated[str, AfterValidator(_check_listen)]
Host = Annotated[str, AfterValidator(check_host)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
BootzUriText = Annotated[str, AfterValidator(_check_bootz_uri)]


class _Frozen(BaseModel):
    # hide_input: what stands in the file may be a secret put in the wrong place.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DatabaseSettings(_Frozen):
    """Where inventory, vouchers and journal are kept."""

    url: str = Field(
        DEFAULT_DATABASE,
        description="sqlite:///FILE or postgresql://USER@HOST/NAME, without a password.",
    )
    password_file: Path | None = Field(
        None, description="File with the PostgreSQL password, mode 0600."
    )


class TlsSettings(_Frozen):
    """The server's TLS certificate, which the server issues to itself under the trust anchor."""

    validity_days: int = Field(
        90, ge=2, le=825, description="Validity of a new certificate, in days."
    )
    renew_before_days: int = Field(
        30, ge=1, le=800, description="Days before its expiry at which it is replaced."
    )

    @model_validator(mode="after")
    def _renews_in_time(self) -> Self:
        if self.renew_before_days >= self.validity_days:
            raise ValueError("renew_before_days must be smaller than validity_days")
        return self


class LimitSettings(_Frozen):
    """What one router, and all together, may cost. Times in seconds, sizes in bytes."""

    max_message_bytes: int = Field(
        _LIMITS.max_message_bytes, ge=4096, le=64 << 20, description="Longest message accepted."
    )
    max_connections: int = Field(
        _LIMITS.max_connections, ge=1, le=1 << 20, description="Connections in total."
    )
    max_connections_per_address: int = Field(
        _LIMITS.max_connections_per_address, ge=1, description="Connections per client address."
    )
    max_handshakes: int = Field(
        _LIMITS.max_handshakes,
        ge=1,
        le=4096,
        description="Connections in their handshake or first call at a time; others wait.",
    )
    max_waiting: int = Field(
        _LIMITS.max_waiting,
        ge=1,
        le=1 << 20,
        description="Connections that wait; one address may have seven eighths of them.",
    )
    max_streams_per_connection: int = Field(
        _LIMITS.max_streams_per_connection,
        ge=1,
        le=1000,
        description="Concurrent calls per connection.",
    )
    handshake_timeout: float = Field(
        _LIMITS.handshake_timeout, gt=0, le=600, description="Seconds for the TLS handshake."
    )
    idle_timeout: float = Field(
        _LIMITS.idle_timeout,
        gt=0,
        le=86400,
        description="Seconds without a call before a connection is closed.",
    )
    request_timeout: float = Field(
        _LIMITS.request_timeout, gt=0, le=3600, description="Seconds for one call."
    )
    max_open_streams: int = Field(
        _STREAMS.max_open, ge=1, le=1 << 20, description="Open streams in total."
    )
    stream_idle_timeout: float = Field(
        _STREAMS.idle_timeout, gt=0, le=86400, description="Seconds between messages of a stream."
    )

    def share(self, processes: int) -> Self:
        """Return the part of one process, of so many that keep them together."""
        shared = (
            "max_connections",
            "max_connections_per_address",
            "max_handshakes",
            "max_waiting",
            "max_open_streams",
        )
        return self.model_copy(
            update={name: math.ceil(getattr(self, name) / processes) for name in shared}
        )

    def listener(self) -> ListenerLimits:
        """Return them as listeners take them."""
        return ListenerLimits(
            **self.model_dump(exclude={"max_open_streams", "stream_idle_timeout"})
        )

    def streams(self) -> StreamLimits:
        """Return those of the streaming calls."""
        return StreamLimits(self.max_open_streams, self.stream_idle_timeout)


class TransportSettings(_Frozen):
    """How the Bootz port speaks."""

    http2_engine: EngineName = Field(
        "auto",
        description="ngh2 (compiled), h2 (pure Python), or auto: ngh2 where it is installed.",
    )


class ImageSettings(_Frozen):
    """The image store."""

    folder: Path = Field(Path("images"), description="Folder of the image files.")
    http: tuple[Listen, ...] = Field(
        ("127.0.0.1:15007",), description="Addresses that serve images over HTTP."
    )
    https: tuple[Listen, ...] = Field(
        ("127.0.0.1:15008",), description="Addresses that serve images over HTTPS."
    )
    check_hours: float = Field(
        24.0,
        ge=0,
        le=8760,
        description="Hours after which all files are compared with their digests again; 0: never.",
    )
    base_url: BaseUrl | None = Field(
        None,
        description="What image URLs begin with. "
        "Default: http, the address at which the router reached the server, the first HTTP port.",
    )


class LogSettings(_Frozen):
    """The log, on stderr."""

    format: Literal["json", "console"] = Field("json", description="json or console.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error."
    )


class ProgressSettings(_Frozen):
    """How long a router may be silent in each step before it is shown as stuck. Minutes.

    A vendor's settings may say otherwise for its routers.
    """

    first_byte_minutes: int = Field(
        10, ge=1, le=10080, description="From the answer to the first byte of the image."
    )
    image_minutes: int = Field(
        5, ge=1, le=10080, description="While the image is loaded, without a byte."
    )
    applying_minutes: int = Field(
        45, ge=1, le=10080, description="While image and configuration are applied."
    )


class OperatorTlsSettings(_Frozen):
    """The certificate of the operator's door: files that are kept elsewhere."""

    certificate: Path = Field(description="File with the certificate and those above it, PEM.")
    key: Path = Field(description="Its key: a file of mode 0600.")


def _check_issuer(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise ValueError("must be https://HOST, with port and path as needed")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must have no user, query or fragment")
    return text


class OidcSettings(_Frozen):
    """Logins by an OpenID Connect provider: its groups are roles here."""

    issuer: Annotated[str, AfterValidator(_check_issuer)] = Field(
        description="The provider's name for itself, an https URL."
    )
    client_id: str = Field(
        min_length=1, max_length=256, description="This site's name at the provider."
    )
    client_secret_file: Path | None = Field(
        None, description="File with its secret, mode 0600. Default: none, PKCE alone."
    )
    base_url: BaseUrl = Field(
        description="How browsers reach the door; the provider is given "
        "BASE_URL/api/v1/login/oidc/callback."
    )
    roles: dict[str, Literal["viewer", "operator", "security", "admin"]] = Field(
        min_length=1, max_length=256, description="Group: role. The highest counts."
    )
    groups_claim: str = Field(
        "groups", min_length=1, max_length=256, description="The claim that lists groups."
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "groups"), description="What the provider is asked for."
    )
    ca: Path | None = Field(
        None, description="File of CAs (PEM) that vouch for it, beside the system's."
    )

    @model_validator(mode="after")
    def _asks_for_openid(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        return self


class OperatorSettings(_Frozen):
    """The operator's door: the API. A process of its own that opens no key of the owner."""

    listen: tuple[Listen, ...] = Field(
        ("127.0.0.1:15080",), description="Addresses; [] switches the door off."
    )
    metrics: Literal["token", "loopback"] = Field(
        "token",
        description="Who may read /metrics: a token of any role, or also all on this machine.",
    )
    oidc: OidcSettings | None = Field(
        None, description="Logins by an OpenID Connect provider; needs the extra oidc."
    )
    tls: OperatorTlsSettings | None = Field(
        None, description="Needed beyond loopback, where without it nothing is served."
    )

    @model_validator(mode="after")
    def _plain_on_loopback_only(self) -> Self:
        if self.tls is None:
            for text in self.listen:
                host = parse_endpoint(text).host
                try:
                    inside = ipaddress.ip_address(host).is_loopback
                except ValueError:
                    inside = host == "localhost"
                if not inside:
                    raise ValueError(f"{text} is not loopback, and has no tls")
        return self


class WebhookSettings(_Frozen):
    """Where webhooks may go; each is made by `bootz webhook add`."""

    private_targets: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks that are not the Internet, and to which webhooks may go; "
        "plain http is for these alone.",
    )
    ca: Path | None = Field(
        None, description="File of CAs (PEM) that vouch for receivers, beside the system's."
    )


class RetentionSettings(_Frozen):
    """How long the journal is kept. Days; 0: for ever.

    The last attempt of each chassis always stays.
    """

    attempts_days: int = Field(0, ge=0, le=36500, description="Since the last call of an attempt.")
    events_days: int = Field(0, ge=0, le=36500, description="Since an event.")


class TelemetrySettings(_Frozen):
    """Traces of routers' calls."""

    otlp_endpoint: Annotated[str, AfterValidator(_check_base_url)] | None = Field(
        None,
        description="URL of a receiver of OpenTelemetry's traces (OTLP over HTTP), such as "
        "http://127.0.0.1:4318/v1/traces; needs the extra otel. Default: no traces.",
    )


class DhcpSubnetSettings(_Frozen):
    """A link on which DHCP serves routers: at most one name-server, which Bootz demands."""

    subnet: IPv4Network | IPv6Network
    gateway: IPv4Address | None = None
    name_server: IPv4Address | IPv6Address | None = None
    interface: Annotated[str, Field(max_length=15)] = ""


class DhcpSiteSettings(_Frozen):
    """What `bootz dhcp` writes for all chassis; addresses stand with each chassis."""

    subnets: tuple[DhcpSubnetSettings, ...] = Field(
        (),
        description="Subnets: subnet, and optionally gateway, name_server (one), interface. "
        "Default: those of the chassis's addresses.",
    )
    uris: tuple[BootzUriText, ...] = Field(
        (),
        max_length=16,
        description="bootz URIs handed out to routers, in order. "
        "Default: the advertised names and addresses.",
    )
    lease_seconds: int = Field(3600, ge=60, le=1 << 31, description="Lease time in seconds.")
    kea4: str = Field(
        "", description="Kea's DHCPv4 control channel: a socket, or http://HOST:PORT."
    )
    kea6: str = Field(
        "", description="Kea's DHCPv6 control channel: a socket, or http://HOST:PORT."
    )


class OwnerSettings(_Frozen):
    """Owner certificate and key that are kept elsewhere, in place of those of the site."""

    pinned_domain_certificate: Path = Field(
        description="File with the certificate that vouchers pin."
    )
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


class SiteConfig(_Frozen):
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
    workers: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = Field(
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


def parse_config(content: bytes, *, where: str = CONFIG_NAME) -> SiteConfig:
    """Return the settings of a file; an empty one is valid.

    Raises:
        ConfigError: not YAML, an unknown key, or a value that does not fit; all are named.
    """
    document = parse_settings(content, where=where)
    try:
        return SiteConfig.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        told = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {_words(fault['msg'])}"
            for fault in faults[:20]
        )
        raise ConfigError("site-config-invalid", told, where=where) from error


def load_config(path: Path) -> SiteConfig:
    """Return the settings of a site's file.

    Raises:
        ConfigError: it cannot be read, or does not hold.
    """
    return parse_config(read_settings(path), where=str(path))


def write_config(config: SiteConfig) -> bytes:
    """Return a file of these settings, in which every key is explained.

    Keys at their default are commented out, so that the file says what was chosen.
    """
    lines = ["# Settings of a Bootz site. Lines that are commented out show the default."]
    _explain(config, lines, indent="", commented=False)
    return ("\n".join(lines) + "\n").encode()


def _explain(model: BaseModel, lines: list[str], *, indent: str, commented: bool) -> None:
    chosen = model.model_fields_set
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        default = commented or name not in chosen or value == field.default
        mark = "# " if default else ""
        if not indent:
            lines.append("")
        lines.append(f"{indent}# {field.description}")
        if isinstance(value, BaseModel):
            lines.append(f"{mark}{indent}{name}:")
            _explain(value, lines, indent=indent + "  ", commented=default)
        else:
            plain = model.model_dump(mode="json", include={name})[name]
            text = yaml.safe_dump(plain, default_flow_style=True, width=1000)
            lines.append(f"{mark}{indent}{name}: {text.removesuffix(_END).strip()}")


def _words(message: str) -> str:
    return message.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "there is no such key"
    )
