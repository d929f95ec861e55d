from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class UploadRequest(_message.Message):
    __slots__ = ("version", "created_on", "policy")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_on: int
    policy: str
    def __init__(self, version: _Optional[str] = ..., created_on: _Optional[int] = ..., policy: _Optional[str] = ...) -> None: ...
