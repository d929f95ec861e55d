"""Artifacts between their JSON form and their messages, strictly.

The JSON form is that of the proto3 mapping with original field names (lowerCamelCase is read
too). It is not read by ``google.protobuf.json_format``, because that takes broken base64 for
empty, and its errors quote the value, which may be a password. Ours name the key, never more.
"""

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Final, NoReturn, cast

from google.protobuf import json_format, struct_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from bootz.errors import ConfigError, WireError
from bootz.model.bootstrap import JsonObject

MAX_DEPTH: Final = 60
"""Levels of nesting; receivers stop reading at 100, of which every level of JSON costs one or two
and the messages around it some."""

_EXACT_INTEGER: Final = 1 << 53
"""Beyond this a number of a Struct, which is a double, would silently become another."""


def write_json(value: object, message: Message, where: str, depth: int = 0) -> None:
    """Fill an empty message from its JSON form.

    Raises:
        ConfigError: something does not fit; names the key.
    """
    if not isinstance(value, Mapping):
        _unfit("is not an object", where)
    if depth > MAX_DEPTH:
        _unfit("is nested too deeply", where)
    if isinstance(message, struct_pb2.Struct):
        _write_struct(value, message, where, depth)
        return
    if isinstance(message, AnyMessage) and "@type" in value:
        _write_any(value, message, where)
        return
    # An object without keys is there all the same.
    message.SetInParent()
    descriptor = message.DESCRIPTOR
    for number, (key, item) in enumerate(value.items(), 1):
        field = descriptor.fields_by_name.get(key) or descriptor.fields_by_camelcase_name.get(key)
        if field is None:
            # Not named: a template may have made a key of a secret.
            known = ", ".join(descriptor.fields_by_name) or "none"
            _unfit(f"key {number} is not a key of this object, which has {known}", where)
        if item is None:
            continue
        place = f"{where}.{field.name}"
        oneof = field.containing_oneof
        if oneof is not None and message.WhichOneof(oneof.name) is not None:
            _unfit(f"there can be one {oneof.name} only", place)
        _write_field(item, message, cast("FieldDescriptor", field), place, depth)


def _write_field(
    item: object, message: Message, field: FieldDescriptor, place: str, depth: int
) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        if not isinstance(item, Mapping):
            _unfit("is not an object", place)
        target = getattr(message, field.name)
        for number, (name, text) in enumerate(item.items(), 1):
            target[_text(name, place)] = _text(text, f"{place}.<key {number}>")
    elif field.is_repeated:
        if not isinstance(item, list | tuple):
            _unfit("is not a list", place)
        target = getattr(message, field.name)
        for number, element in enumerate(item):
            spot = f"{place}[{number}]"
            if kind is None:
                target.append(_scalar(element, field, spot))
            else:
                write_json(element, target.add(), spot, depth + 1)
    elif kind is None:
        setattr(message, field.name, _scalar(item, field, place))
    else:
        write_json(item, getattr(message, field.name), place, depth + 1)


def _scalar(item: object, field: FieldDescriptor, place: str) -> str | bytes | int:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(item, place)
    if field.type == FieldDescriptor.TYPE_BYTES:
        try:
            return base64.b64decode(_text(item, place), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError("artifact-unfit", "is not base64", where=place) from error
    if field.type == FieldDescriptor.TYPE_ENUM:
        known = field.enum_type
        if known is None:
            raise RuntimeError(f"{field.name} is an enum without a type")
        if isinstance(item, str) and item in known.values_by_name:
            return known.values_by_name[item].number
        if isinstance(item, int) and not isinstance(item, bool) and item in known.values_by_number:
            return item
        _unfit(f"is not a {known.name}", place)
    return _unsigned(item, place)


def _unsigned(item: object, place: str) -> int:
    if isinstance(item, str) and item.isascii() and item.isdecimal() and len(item) <= 20:
        item = int(item)
    if not isinstance(item, int) or isinstance(item, bool) or not 0 <= item < 1 << 64:
        _unfit("is not a number from 0 to 2^64 - 1", place)
    return item


def _text(item: object, place: str) -> str:
    if not isinstance(item, str):
        _unfit("is not a text", place)
    return utf8_text(item, place)


def utf8_text(text: str, where: str) -> str:
    """Return a text that can be written as UTF-8.

    Raises:
        ConfigError: it has half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError("artifact-unfit", "has a lone surrogate", where=where) from error
    return text


def _write_any(value: JsonObject, message: AnyMessage, where: str) -> None:
    try:
        json_format.ParseDict(dict(value), message)
    except (json_format.Error, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError(
            "artifact-unfit",
            "is not a message of a known type; give type_url and value instead",
            where=where,
        ) from error


def _write_struct(value: JsonObject, message: struct_pb2.Struct, where: str, depth: int) -> None:
    message.SetInParent()
    for number, (key, item) in enumerate(value.items(), 1):
        name = _text(key, where)
        _write_value(item, message.fields[name], f"{where}.<key {number}>", depth + 1)


def _write_value(item: object, value: struct_pb2.Value, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        _unfit("is nested too deeply", where)
    match item:
        case None:
            value.null_value = struct_pb2.NULL_VALUE
        case bool():
            value.bool_value = item
        case str():
            value.string_value = utf8_text(item, where)
        case int():
            if abs(item) > _EXACT_INTEGER:
                _unfit("is a number that cannot be sent exactly", where)
            value.number_value = item
        case float():
            if not math.isfinite(item):
                _unfit("is not a finite number", where)
            value.number_value = item
        case Mapping():
            _write_struct(item, value.struct_value, where, depth)
        case list() | tuple():
            value.list_value.SetInParent()
            for number, element in enumerate(item):
                _write_value(
                    element, value.list_value.values.add(), f"{where}[{number}]", depth + 1
                )
        case _:
            _unfit("is not a JSON value", where)


def _unfit(detail: str, where: str) -> NoReturn:
    raise ConfigError("artifact-unfit", detail, where=where)


def read_json(message: Message) -> JsonObject:
    """Return the JSON form of a message; one with a Struct or an Any is not for this."""
    form: JsonObject = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return form


def read_struct(message: struct_pb2.Struct, where: str) -> JsonObject:
    """Return what a Struct holds; whole numbers as int.

    Raises:
        WireError: a number that JSON does not have.
    """
    return {key: _read_value(item, f"{where}.{key}") for key, item in message.fields.items()}


def _read_value(value: struct_pb2.Value, where: str) -> object:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            if not math.isfinite(number):
                raise WireError("field-malformed", "is not a finite number", where=where)
            return int(number) if number.is_integer() else number
        case "struct_value":
            return read_struct(value.struct_value, where)
        case "list_value":
            return [
                _read_value(item, f"{where}[{number}]")
                for number, item in enumerate(value.list_value.values)
            ]
        case _:
            return None
