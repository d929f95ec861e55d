"""A payload as a person reads it: the fields that stand on the wire, configurations as text."""

import base64

from google.protobuf import json_format, struct_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from bootz.model.bootstrap import JsonObject
from bootz.wire import bounds
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.json_form import read_struct


def preview_payload(payload: bytes) -> JsonObject:
    """Return the fields of signed data under their own names.

    Bytes that are text are shown as text, others as ``base64:…``.

    Raises:
        WireError: it is not a payload.
    """
    signed = bounds.parse(pb.BootstrapDataSigned, payload, limit=bounds.MAX_ANSWER_BYTES)
    return _message(signed)


def _message(message: Message) -> dict[str, object]:
    return {field.name: _field(field, value) for field, value in message.ListFields()}


def _field(field: FieldDescriptor, value: object) -> object:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return dict(value)  # type: ignore[call-overload]
    if field.is_repeated:
        return [_value(field, each) for each in value]  # type: ignore[attr-defined]
    return _value(field, value)


def _value(field: FieldDescriptor, value: object) -> object:
    match value:
        case struct_pb2.Struct():
            return read_struct(value, field.name)
        case AnyMessage():
            return json_format.MessageToDict(value, preserving_proto_field_name=True)
        case Message():
            return _message(value)
        case bytes():
            return _text(value)
        case int() if field.enum_type is not None:
            named = field.enum_type.values_by_number.get(value)
            return value if named is None else named.name
        case _:
            return value


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if all(letter.isprintable() or letter in "\t\r\n" for letter in text) and (text or not data):
        return text
    return f"base64:{base64.b64encode(data).decode()}"
