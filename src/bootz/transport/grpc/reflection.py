"""Shows the schema of a listener's services, v1 and v1alpha.

Both versions have the same messages under different names.

Source: gRPC server reflection protocol.
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from grpclib.reflection.v1 import reflection_pb2 as v1
from grpclib.reflection.v1alpha import reflection_pb2 as v1alpha

from bootz.errors import WireError
from bootz.transport.grpc.call import Call, Method
from bootz.transport.status import Status

_VERSIONS: Final[Mapping[str, ModuleType]] = {
    "grpc.reflection.v1.ServerReflection": v1,
    "grpc.reflection.v1alpha.ServerReflection": v1alpha,
}
_METHOD: Final = "ServerReflectionInfo"

_MAX_REQUEST: Final = 4096
"""Bytes of a request: it holds one name."""

_MAX_REQUESTS: Final = 1000
"""Requests of one stream."""


class Reflection:
    """Shows the services of a listener and their schema.

    Args:
        services: full names of the services.
        pool: holds their schema.
        idle_timeout: seconds until the next request must be there.
    """

    def __init__(
        self, services: Sequence[str], *, pool: DescriptorPool, idle_timeout: float
    ) -> None:
        self._services = services
        self._pool: Any = pool
        self._idle_timeout = idle_timeout

    @property
    def methods(self) -> Mapping[str, Method]:
        """The method table."""
        return {
            f"/{service}/{_METHOD}": self._answering(messages)
            for service, messages in _VERSIONS.items()
        }

    def _answering(self, messages: Any) -> Method:
        async def answer(call: Call) -> None:
            for _ in range(_MAX_REQUESTS):
                async with asyncio.timeout(self._idle_timeout):
                    raw = await call.receive(_MAX_REQUEST)
                if raw is None:
                    return
                try:
                    request = messages.ServerReflectionRequest.FromString(raw)
                except DecodeError as error:
                    raise WireError("message-malformed", "is no such request") from error
                response = self._response(request, messages)
                response.valid_host = request.host
                response.original_request.CopyFrom(request)
                await call.send(response.SerializeToString())

        return answer

    def _response(self, request: Any, messages: Any) -> Any:
        response = messages.ServerReflectionResponse()
        asked = request.WhichOneof("message_request")
        if asked == "list_services":
            for name in self._services:
                response.list_services_response.service.add(name=name)
            return response
        try:
            match asked:
                case "file_by_filename":
                    _show(response, self._pool.FindFileByName(request.file_by_filename))
                case "file_containing_symbol":
                    symbol = request.file_containing_symbol
                    _show(response, self._pool.FindFileContainingSymbol(symbol))
                case "file_containing_extension":
                    wanted = request.file_containing_extension
                    extended = self._pool.FindMessageTypeByName(wanted.containing_type)
                    number = wanted.extension_number
                    _show(response, self._pool.FindExtensionByNumber(extended, number).file)
                case "all_extension_numbers_of_type":
                    extended = self._pool.FindMessageTypeByName(
                        request.all_extension_numbers_of_type
                    )
                    told = response.all_extension_numbers_response
                    told.base_type_name = extended.full_name
                    told.extension_number.extend(
                        extension.number for extension in self._pool.FindAllExtensions(extended)
                    )
                case _:
                    response.error_response.error_code = Status.INVALID_ARGUMENT
                    response.error_response.error_message = "nothing was asked"
        except KeyError:
            response.error_response.error_code = Status.NOT_FOUND
            response.error_response.error_message = "not found"
        return response


def _show(response: Any, file: FileDescriptor) -> None:
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    response.file_descriptor_response.file_descriptor_proto.append(proto.SerializeToString())
