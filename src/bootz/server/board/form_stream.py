"""A form with a large file: its fields are read first, then the file as it comes, never stored.

The file is the last part, so that who sends it, and what it is to become, are known before its
first byte is taken. Source: RFC 7578 section 4.2.
"""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from bootz.errors import WireError

_MAX_FIELDS: Final = 16
_MAX_FIELD: Final = 4096
"""Bytes of a field, or of the headers of a part."""


class FormStream:
    """The form of one request.

    Raises:
        WireError: ``request-invalid``: it is no such form.
    """

    def __init__(self, request: Request) -> None:
        media, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if media != b"multipart/form-data" or not boundary:
            raise _refused("it is not a form with a file")
        self._chunks = request.stream()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._part_data,
                "on_part_end": self._end,
                "on_end": self._form_end,
            },
        )
        self._fields: dict[str, str] = {}
        self._name = ""
        self._value = bytearray()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        self._content: deque[bytes] = deque()
        self._in_file = False
        self._complete = False
        self.file_name: str | None = None
        """The name of the file, None before it begins."""

    async def fields(self) -> Mapping[str, str]:
        """Return the fields, when the file begins or the form ends.

        Raises:
            WireError: the form is malformed, cut off, or has too many or too long fields.
        """
        while self.file_name is None and not self._complete:
            await self._feed()
        return self._fields

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the file as it comes; it is whole when this ends.

        Raises:
            WireError: the form is malformed, or cut off.
        """
        while not self._complete or self._content:
            while self._content:
                yield self._content.popleft()
            if not self._complete:
                await self._feed()

    async def _feed(self) -> None:
        chunk = await anext(self._chunks, b"")
        if not chunk:
            raise _refused("it is cut off")
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise _refused("it is malformed") from error

    def _begin(self) -> None:
        if self.file_name is not None:
            raise _refused("something comes behind the file")
        if len(self._fields) >= _MAX_FIELDS:
            raise _refused("it has too many fields")
        self._disposition = b""
        self._value.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._add(self._header[0], data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._add(self._header[1], data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        name.clear()
        value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = _text(options.get(b"name", b""))
        self._in_file = b"filename" in options
        if self._in_file:
            self.file_name = _text(options[b"filename"])

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._content.append(data[start:end])
        else:
            self._add(self._value, data[start:end])

    def _end(self) -> None:
        if not self._in_file:
            self._fields[self._name] = _text(bytes(self._value))

    def _form_end(self) -> None:
        self._complete = True

    @staticmethod
    def _add(to: bytearray, data: bytes) -> None:
        if len(to) + len(data) > _MAX_FIELD:
            raise _refused("a field is too long")
        to += data


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _refused("a field is not UTF-8") from error


def _refused(words: str) -> WireError:
    return WireError("request-invalid", f"the form cannot be read: {words}", where="body")
