"""Traces: one span for each call of a router, with its checks as events; for OpenTelemetry.

Nothing in a span is a secret: it has what the journal keeps of a call. What a router sends of
traces is not taken over; it is not trusted. Source: docs/tracing.md.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from bootz import __version__
from bootz.config.serving import TelemetrySettings
from bootz.errors import BootzError, ConfigError
from bootz.server.ports import CallRecord, Journal
from bootz.transport.grpc.call import Call, Method
from bootz.transport.status import EndCall, Status, end_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_QUEUE: Final = 8192
"""Spans that wait to be sent; further ones are lost, and no router waits."""
_EXPORT_S: Final = 5

_SPAN: "ContextVar[Span | None]" = ContextVar("span", default=None)


class Tracing:
    """Makes a span of each call.

    Args:
        tracer: OpenTelemetry's.
        close: sends what waits, and ends; blocks.
    """

    def __init__(self, tracer: "Tracer", close: Callable[[], None]) -> None:
        self._tracer = tracer
        self._close = close

    def traced_calls(self, methods: Mapping[str, Method]) -> Mapping[str, Method]:
        """Return the method table with a span around each call."""
        return {path: self._traced(path, method) for path, method in methods.items()}

    def traced_journal(self, journal: Journal) -> Journal:
        """Return the journal; what it is told is added to the span of the call, too."""
        return _TracedJournal(journal)

    async def close(self) -> None:
        """Send what waits, and end."""
        await asyncio.to_thread(self._close)

    def _traced(self, path: str, method: Method) -> Method:
        from opentelemetry.trace import SpanKind, StatusCode

        service, _, rpc = path.strip("/").rpartition("/")
        fixed = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": rpc}

        async def handle(call: Call) -> None:
            attributes = {**fixed, "client.address": call.peer.host}
            span = self._tracer.start_span(
                path.strip("/"), kind=SpanKind.SERVER, attributes=attributes
            )
            token = _SPAN.set(span)
            status, words = Status.OK, ""
            try:
                await method(call)
            except EndCall as end:
                status, words = end.status, end.words
                raise
            except BootzError as error:
                status, words = end_of(error).status, error.reason
                raise
            except asyncio.CancelledError:
                status, words = Status.CANCELLED, "cancelled"
                raise
            except Exception as error:
                status, words = Status.INTERNAL, type(error).__name__
                raise
            finally:
                _SPAN.reset(token)
                span.set_attribute("rpc.grpc.status_code", int(status))
                if status is not Status.OK:
                    span.set_status(StatusCode.ERROR, words)
                span.end()

        return handle


class _TracedJournal:
    """Fills the port ``Journal``: another one, with the checks told to the span."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def record(self, call: CallRecord) -> None:
        """Store one call, as the port says."""
        span = _SPAN.get()
        if span is not None:
            _describe(span, call)
        await self._journal.record(call)


def _describe(span: "Span", call: CallRecord) -> None:
    span.set_attributes(
        {
            "bootz.dialect": call.dialect,
            "bootz.vendor": call.vendor,
            "bootz.serial_number": call.proven_serial or call.claimed_serial,
            "bootz.proven": bool(call.proven_serial),
        }
    )
    if call.reason:
        span.set_attribute("bootz.reason", call.reason)
    if call.report is not None:
        span.set_attribute("bootz.status", call.report.status.name)
    for check in call.checks:
        span.add_event(
            check.name,
            {
                "outcome": check.outcome.value,
                "expected": check.expected,
                "seen": check.seen,
            },
        )


def open_tracing(settings: TelemetrySettings) -> Tracing | None:
    """Return what makes spans, None where no receiver of them is set.

    Raises:
        ConfigError: ``tracing-library-missing``.
    """
    if settings.otlp_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            "tracing-library-missing", f"there is no {error.name}", where="telemetry"
        ) from error
    resource = Resource.create({"service.name": "bootz", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint, timeout=_EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_QUEUE))
    return Tracing(provider.get_tracer("bootz", __version__), provider.shutdown)
