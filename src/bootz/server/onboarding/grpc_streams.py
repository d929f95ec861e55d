"""The gRPC door of the streams: message by message, within bounds, errors become statuses.

Source: docs/protocol/wire.md#calls; docs/streams.md#order-of-messages.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from bootz.errors import BootzError, WireError
from bootz.log import get_logger
from bootz.server.onboarding.attempt import Caller
from bootz.server.onboarding.open_streams import OpenStream, OpenStreams
from bootz.server.onboarding.streaming import StreamConversation, StreamService
from bootz.transport.limits import ListenerLimits
from bootz.transport.messages import receive_bounded
from bootz.transport.peer import peer_info
from bootz.transport.status import grpc_error
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM_FLOWS, StreamFlow

log = get_logger()


def stream_methods(
    service: StreamService, limits: ListenerLimits, streams: OpenStreams
) -> Mapping[str, Handler]:
    """Return the method table of both streaming calls, to be used with that of the unary ones."""
    return {
        f"{CURRENT.path}/{flow.method}": _streaming(service, flow, limits, streams)
        for flow in STREAM_FLOWS
    }


def _streaming(
    service: StreamService, flow: StreamFlow, limits: ListenerLimits, streams: OpenStreams
) -> Handler:
    async def handle(stream: Stream[Any, Any]) -> None:
        peer = peer_info(stream)
        conversation = service.open(flow, Caller(peer.address, peer.reached_at))
        try:
            with streams.entered() as place:
                await _converse(stream, conversation, place, limits)
        except TimeoutError as error:
            log.info("request-timeout", peer=peer.address, rpc=flow.method)
            raise GRPCError(Status.DEADLINE_EXCEEDED, "request-timeout") from error
        except BootzError as error:
            raise grpc_error(error) from error
        except asyncio.CancelledError:
            service.abandon(conversation)
            raise
        except GRPCError:
            raise
        except Exception as error:
            # A defect of ours: bland outside, the traceback inside.
            log.exception("call-failed", rpc=flow.method)
            raise GRPCError(Status.INTERNAL, "internal") from error

    return Handler(handle, Cardinality.STREAM_STREAM, bytes, bytes)


async def _converse(
    stream: Stream[Any, Any],
    conversation: StreamConversation,
    place: OpenStream,
    limits: ListenerLimits,
) -> None:
    while True:
        try:
            message = await place.receive(
                receive_bounded(stream, limits.max_message_bytes),
                proven=conversation.proven is not None,
            )
        except BootzError as error:
            await _unreceived(conversation, error)
            raise
        if message is None:
            await conversation.ended()
            return
        async with asyncio.timeout(limits.request_timeout):
            answer = await conversation.take(message)
            await stream.send_message(answer)
        conversation.sent()


async def _unreceived(conversation: StreamConversation, error: BootzError) -> None:
    """Put on record who was challenged and fell silent, and who sent what no state accepts.

    On an idle stream without a challenge nothing was asked, or all has been answered.
    """
    if conversation.challenged or isinstance(error, WireError):
        await conversation.refuse(error)
