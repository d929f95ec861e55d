"""How the router speaks with a bootstrap server: a port for each flow, and the unary flow.

Streams are a second implementation of ``Contact``; the workflow does not notice.
"""

from collections.abc import Callable
from typing import Protocol

from bootz.device.grpc_client import Dialer
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.wire.answers import decode_answer
from bootz.wire.dialects import GET_BOOTSTRAP_DATA, REPORT_STATUS, Dialect
from bootz.wire.reports import encode_report
from bootz.wire.requests import encode_bootstrap_request
from bootz.wire.uri import BootzUri


class Contact(Protocol):
    """One way of asking and reporting."""

    async def ask(
        self,
        uri: BootzUri,
        request: BootstrapRequest,
        *,
        anchor: bytes | None,
        on_sent: Callable[[], None],
    ) -> SealedData:
        """Send a request and return the answer, unverified.

        ``anchor`` None is first contact; ``on_sent`` is called once the server is reached.

        Raises:
            BootzError: no answer, or one that cannot be decoded (``WireError``).
        """
        ...

    async def report(self, uri: BootzUri, report: StatusReport, *, anchor: bytes) -> None:
        """Report over a new connection that ``anchor`` verifies.

        Raises:
            BootzError: the report was not acknowledged.
        """
        ...


class UnaryContact:
    """The unary calls: the identity is proven in TLS."""

    def __init__(self, dialer: Dialer, dialect: Dialect) -> None:
        self._dialer = dialer
        self._dialect = dialect

    async def ask(
        self,
        uri: BootzUri,
        request: BootstrapRequest,
        *,
        anchor: bytes | None,
        on_sent: Callable[[], None],
    ) -> SealedData:
        """Send a request and return the answer, unverified.

        Raises:
            BootzError: no answer, or one that cannot be decoded (``WireError``).
        """
        async with self._dialer.dial(uri, anchor) as client:
            on_sent()
            answer = await client.call(
                f"{self._dialect.path}/{GET_BOOTSTRAP_DATA}",
                encode_bootstrap_request(request, self._dialect),
            )
        return decode_answer(answer, self._dialect)

    async def report(self, uri: BootzUri, report: StatusReport, *, anchor: bytes) -> None:
        """Report over a new connection that ``anchor`` verifies.

        Raises:
            BootzError: the report was not acknowledged.
        """
        async with self._dialer.dial(uri, anchor) as client:
            await client.call(
                f"{self._dialect.path}/{REPORT_STATUS}", encode_report(report, self._dialect)
            )
