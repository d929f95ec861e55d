"""HTTP/2 below gRPC: both engines, and the head of each call that comes out of them."""

from functools import cache

from bootz.errors import ConfigError
from bootz.transport.grpc.headers import Metadata, read_head
from bootz.transport.grpc.inbox import Inbox
from bootz.transport.http2.engine import ConnectionEnded, DataArrived, EngineLimits, RequestArrived
from bootz.transport.http2.engines import EngineKind, engine_kind

_LIMITS = EngineLimits(max_streams=4, stream_window=70_000, connection_window=140_000)
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@cache
def _kinds() -> tuple[EngineKind, ...]:
    found = [engine_kind("h2")]
    try:
        found.append(engine_kind("ngh2"))
    except ConfigError:
        pass
    return tuple(found)


def enter(data: bytes) -> None:
    whole = _PREFACE + data[1:]
    step = 1 + 4 * (data[0] if data else 0)
    for kind in _kinds():
        engine = kind.make(_LIMITS)
        ended = False
        for at in range(0, len(whole), step):
            engine.receive(whole[at : at + step])
            for event in engine.events():
                if isinstance(event, RequestArrived):
                    read_head(event.headers)
                    list(Metadata(event.headers).items())
                elif isinstance(event, DataArrived):
                    inbox = Inbox()
                    inbox.put(event.data, ended=event.ended)
                    inbox.drop()
                    engine.taken(event.stream_id, len(event.data))
                ended = ended or isinstance(event, ConnectionEnded)
            engine.output()
            if ended:
                break
