"""The gRPC door of the streams: message by message, within bounds.

Source: docs/protocol/wire.md#calls; docs/streams.md#order-of-messages.
"""

import asyncio
from collections.abc import Mapping

from bootz.errors import BootzError, WireError
from bootz.server.onboarding.attempt import Caller
from bootz.server.onboarding.open_streams import OpenStream, OpenStreams
from bootz.server.onboarding.streaming import StreamConversation, StreamService
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM_FLOWS, StreamFlow


def stream_methods(
    service: StreamService, limits: ListenerLimits, streams: OpenStreams
) -> Mapping[str, Method]:
    """Return the method table of both streaming calls, for use with that of the unary ones."""
    return {
        f"{CURRENT.path}/{flow.method}": _streaming(service, flow, limits, streams)
        for flow in STREAM_FLOWS
    }


def _streaming(
    service: StreamService, flow: StreamFlow, limits: ListenerLimits, streams: OpenStreams
) -> Method:
    async def handle(call: Call) -> None:
        peer = call.peer
        conversation = service.open(flow, Caller(peer.address, peer.reached_at))
        try:
            with streams.entered() as place:
                await _converse(call, conversation, place, limits)
        except asyncio.CancelledError:
            service.abandon(conversation)
            raise

    return handle


async def _converse(
    call: Call,
    conversation: StreamConversation,
    place: OpenStream,
    limits: ListenerLimits,
) -> None:
    while True:
        try:
            message = await place.receive(
                call.receive(limits.max_message_bytes),
                proven=conversation.proven is not None,
            )
        except BootzError as error:
            await _unreceived(conversation, error)
            raise
        if message is None:
            await conversation.ended()
            return
        with place.waits.within(limits.request_timeout):
            answer = await conversation.take(message)
            await call.send(answer)
        conversation.sent()


async def _unreceived(conversation: StreamConversation, error: BootzError) -> None:
    """Put on record who was challenged and fell silent, and who sent what no state accepts.

    On an idle stream without a challenge nothing was asked, or all has been answered.
    """
    if conversation.challenged or isinstance(error, WireError):
        await conversation.refuse(error)
