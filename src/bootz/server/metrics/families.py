"""The metrics that processes count: one row each. Base units; no serial number, no hostname.

Source: Prometheus documentation, "Metric and label naming"; docs/metrics.md.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class MetricKind(Enum):
    """How the values of several processes become one."""

    COUNTER = "counter"
    """Added, those of ended processes too."""
    HISTOGRAM = "histogram"
    """As counters, bucket by bucket."""
    SUM = "sum"
    """A gauge of the running processes, added."""
    EARLIEST = "earliest"
    """A gauge of the running processes, the smallest."""


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A metric. ``buckets`` are the upper bounds of a histogram, in seconds, without +Inf."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers one series takes: of a histogram its buckets, +Inf and the sum."""
        return len(self.buckets) + 2 if self.buckets else 1


_CALL_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
_ONBOARDING_BUCKETS: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)
_JOURNAL_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_SIGNATURE_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0)

CALLS: Final = MetricFamily(
    "bootz_calls_total",
    MetricKind.COUNTER,
    "gRPC calls that ended, by the dialect of their path and their status.",
    ("rpc", "dialect", "code"),
)
CALL_SECONDS: Final = MetricFamily(
    "bootz_call_seconds",
    MetricKind.HISTOGRAM,
    "Seconds from the begin of a call to its end; a stream's include the router's own time.",
    ("rpc",),
    _CALL_BUCKETS,
)
ATTEMPTS: Final = MetricFamily(
    "bootz_attempts_total",
    MetricKind.COUNTER,
    "Requests and reports put on record, by what they made of the router's attempt.",
    ("flow", "outcome", "reason"),
)
ONBOARDING_SECONDS: Final = MetricFamily(
    "bootz_onboarding_seconds",
    MetricKind.HISTOGRAM,
    "Seconds from the first call of an attempt to the report of its success.",
    ("vendor",),
    _ONBOARDING_BUCKETS,
)
CHALLENGE_FAILURES: Final = MetricFamily(
    "bootz_challenge_failures_total",
    MetricKind.COUNTER,
    "Challenges of streams that were not met, by the identity that was challenged.",
    ("kind", "reason"),
)
CERTIFICATE_EXPIRY: Final = MetricFamily(
    "bootz_certificate_expiry_timestamp_seconds",
    MetricKind.EARLIEST,
    "When a certificate in use ends, seconds since 1970.",
    ("role",),
)
IMAGE_BYTES: Final = MetricFamily(
    "bootz_image_bytes_total", MetricKind.COUNTER, "Bytes of images that the image store has sent."
)
IMAGE_DOWNLOADS: Final = MetricFamily(
    "bootz_image_downloads", MetricKind.SUM, "Downloads from the image store that are under way."
)
CONNECTIONS: Final = MetricFamily(
    "bootz_connections",
    MetricKind.SUM,
    "Connections of the Bootz port that are open or wait to be.",
)
HANDSHAKES: Final = MetricFamily(
    "bootz_handshakes_total",
    MetricKind.COUNTER,
    "Connections to the Bootz port: done, refused (the certificate or protocol of the router), "
    "failed (lost, silent or too slow), turned-away (over a limit).",
    ("outcome",),
)
PROXY_REFUSED: Final = MetricFamily(
    "bootz_proxy_headers_refused_total",
    MetricKind.COUNTER,
    "Connections whose header of the PROXY protocol was missing, invalid or not believed: to the "
    "Bootz port (bootz) or the image store (images).",
    ("port",),
)
BOUNDS_MET: Final = MetricFamily(
    "bootz_connection_bounds_met_total",
    MetricKind.COUNTER,
    "Times that a bound of connections was met, so that others waited.",
)
LONG_WAITS: Final = MetricFamily(
    "bootz_connection_long_waits_total",
    MetricKind.COUNTER,
    "Connections that waited over a second for their turn.",
)
QUEUE_OVERFLOWS: Final = MetricFamily(
    "bootz_listen_queue_overflows_total",
    MetricKind.COUNTER,
    "Connections that the kernel dropped before they were accepted.",
)
SLOWED: Final = MetricFamily(
    "bootz_connections_slowed_total",
    MetricKind.COUNTER,
    "Times that a connection was read more slowly, as its HTTP/2 frames cost more than they moved.",
)
FRUITLESS: Final = MetricFamily(
    "bootz_connections_without_call_total",
    MetricKind.COUNTER,
    "Connections to the Bootz port that had their turn and ended without a call.",
)
MADE_ROOM: Final = MetricFamily(
    "bootz_connections_made_room_total",
    MetricKind.COUNTER,
    "Idle connections to the Bootz port that were closed because others needed their places.",
)
JOURNAL_SECONDS: Final = MetricFamily(
    "bootz_journal_seconds",
    MetricKind.HISTOGRAM,
    "Seconds until an entry of the journal was durable.",
    (),
    _JOURNAL_BUCKETS,
)
JOURNAL_WAITING: Final = MetricFamily(
    "bootz_journal_waiting", MetricKind.SUM, "Entries that wait for the journal."
)
SIGNATURE_SECONDS: Final = MetricFamily(
    "bootz_signature_seconds",
    MetricKind.HISTOGRAM,
    "Seconds of a signature with the owner's key, by where the key is: file or pkcs11.",
    ("store",),
    _SIGNATURE_BUCKETS,
)
BUILD_INFO: Final = MetricFamily(
    "bootz_build_info",
    MetricKind.SUM,
    "Running server processes, by their version.",
    ("version", "python", "http2_engine"),
)

FAMILIES: Final = (
    CALLS,
    CALL_SECONDS,
    ATTEMPTS,
    ONBOARDING_SECONDS,
    CHALLENGE_FAILURES,
    CERTIFICATE_EXPIRY,
    IMAGE_BYTES,
    IMAGE_DOWNLOADS,
    CONNECTIONS,
    HANDSHAKES,
    PROXY_REFUSED,
    BOUNDS_MET,
    LONG_WAITS,
    QUEUE_OVERFLOWS,
    SLOWED,
    FRUITLESS,
    MADE_ROOM,
    JOURNAL_SECONDS,
    JOURNAL_WAITING,
    SIGNATURE_SECONDS,
    BUILD_INFO,
)
BY_NAME: Final = {family.name: family for family in FAMILIES}
