"""The metrics as Prometheus reads them: the text is ``prometheus_client``'s, the numbers ours.

The library's own mode for several processes is not used: it is switched on by an environment
variable when it is imported, holds one folder for a whole process, and keeps the file of every
process that ever was.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bootz.server.metrics.counting import Key
from bootz.server.metrics.families import FAMILIES, MetricFamily, MetricKind
from bootz.server.metrics.of_site import SiteGauges
from bootz.server.operations.webhooks import DEAD, WAITING

CHASSIS: Final = "bootz_chassis"
WEBHOOK_DELIVERED: Final = "bootz_webhook_delivered_total"
WEBHOOK_DELIVERIES: Final = "bootz_webhook_deliveries"
VOUCHER_EXPIRY: Final = "bootz_voucher_expiry_timestamp_seconds"

Numbers = Mapping[Key, tuple[float, ...]]


def exposed(numbers: Numbers, gauges: SiteGauges, accept: str) -> tuple[bytes, str]:
    """Return the text of all metrics and its media type, as the ``Accept`` of a scrape wants it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*_counted(numbers), *_of_site(gauges)]))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Collected(Collector):
    """Gives the library what was collected."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""
        return self._metrics


def _counted(numbers: Numbers) -> Iterator[Metric]:
    for family in FAMILIES:
        series = sorted(
            (key[1:], values) for key, values in numbers.items() if key[0] == family.name
        )
        match family.kind:
            case MetricKind.COUNTER:
                counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
                for labels, values in series:
                    counter.add_metric(labels, values[0])
                yield counter
            case MetricKind.HISTOGRAM:
                yield _histogram(family, series)
            case MetricKind.SUM | MetricKind.EARLIEST:
                gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
                for labels, values in series:
                    gauge.add_metric(labels, values[0])
                yield gauge


def _histogram(
    family: MetricFamily, series: Iterable[tuple[tuple[str, ...], tuple[float, ...]]]
) -> Metric:
    told = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*(str(bound) for bound in family.buckets), "+Inf"]
    for labels, values in series:
        *counts, total = values
        told.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
    return told


def _of_site(gauges: SiteGauges) -> Iterator[Metric]:
    chassis = GaugeMetricFamily(
        CHASSIS, "Chassis on record, by where each stands.", labels=("state", "vendor")
    )
    for state, vendor, count in gauges.chassis:
        chassis.add_metric((state.value, vendor), count)
    yield chassis
    vouchers = GaugeMetricFamily(
        VOUCHER_EXPIRY,
        "When the first voucher in use of a vendor ends, seconds since 1970.",
        labels=("vendor",),
    )
    for vendor, end in gauges.voucher_expiry:
        vouchers.add_metric((vendor,), end.timestamp())
    yield vouchers
    sent = CounterMetricFamily(
        WEBHOOK_DELIVERED, "Messages of webhooks that were acknowledged.", labels=("webhook",)
    )
    left = GaugeMetricFamily(
        WEBHOOK_DELIVERIES,
        "Messages of webhooks that have not arrived: waiting, or dead after a day.",
        labels=("webhook", "state"),
    )
    for webhook in gauges.webhooks:
        sent.add_metric((webhook.name,), webhook.delivered)
        left.add_metric((webhook.name, WAITING), webhook.waiting)
        left.add_metric((webhook.name, DEAD), webhook.dead)
    yield sent
    yield left
