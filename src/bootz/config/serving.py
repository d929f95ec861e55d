"""Settings of what serves routers: database, TLS, limits, transport, images, log, waiting times."""

import ipaddress
import math
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bootz.config.file import DEFAULT_DATABASE
from bootz.config.values import (
    AddressOrNetwork,
    BaseUrl,
    FrozenSettings,
    Listen,
    StoreUrl,
    check_base_url,
)
from bootz.transport.http2.engines import EngineName
from bootz.transport.limits import ListenerLimits, StreamLimits

_LIMITS: Final = ListenerLimits()


_STREAMS: Final = StreamLimits()


class DatabaseSettings(FrozenSettings):
    """Where inventory, vouchers and journal are kept."""

    url: str = Field(
        DEFAULT_DATABASE,
        description="sqlite:///FILE or postgresql://USER@HOST/NAME, without a password.",
    )
    password_file: Path | None = Field(
        None, description="File with the PostgreSQL password, mode 0600."
    )


class TlsSettings(FrozenSettings):
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


class LimitSettings(FrozenSettings):
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


class TransportSettings(FrozenSettings):
    """How the Bootz port speaks, and who speaks for routers."""

    http2_engine: EngineName = Field(
        "auto",
        description="ngh2 (compiled), h2 (pure Python), or auto: ngh2 where it is installed.",
    )
    proxy_protocol_from: tuple[AddressOrNetwork, ...] = Field(
        (),
        description="Addresses or networks of load balancers: their connections to the Bootz port "
        "and the image store begin with a header of the PROXY protocol, version 2.",
    )

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The load balancers, as listeners take them."""
        return tuple(ipaddress.ip_network(text) for text in self.proxy_protocol_from)


class ImageSettings(FrozenSettings):
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
    fetch_from: tuple[StoreUrl, ...] = Field(
        (),
        description="Image stores of other servers (https://HOST:PORT), from which files are "
        "fetched that are on record and lacking here; tried in this order.",
    )
    fetch_ca: Path | None = Field(
        None,
        description="PEM file with the CAs of these stores' TLS certificates. "
        "Default: the site's trust anchor.",
    )


class LogSettings(FrozenSettings):
    """The log, on stderr."""

    format: Literal["json", "console"] = Field("json", description="json or console.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error."
    )


class ProgressSettings(FrozenSettings):
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


class RetentionSettings(FrozenSettings):
    """How long the journal is kept. Days; 0: for ever.

    The last attempt of each chassis always stays.
    """

    attempts_days: int = Field(0, ge=0, le=36500, description="Since the last call of an attempt.")
    events_days: int = Field(0, ge=0, le=36500, description="Since an event.")


class TelemetrySettings(FrozenSettings):
    """Traces of routers' calls."""

    otlp_endpoint: Annotated[str, AfterValidator(check_base_url)] | None = Field(
        None,
        description="URL of a receiver of OpenTelemetry's traces (OTLP over HTTP), such as "
        "http://127.0.0.1:4318/v1/traces; needs the extra otel. Default: no traces.",
    )
