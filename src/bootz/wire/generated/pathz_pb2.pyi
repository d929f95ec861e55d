from bootz.wire.generated import gnmi_pb2 as _gnmi_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_UNSPECIFIED: _ClassVar[Action]
    ACTION_DENY: _ClassVar[Action]
    ACTION_PERMIT: _ClassVar[Action]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_READ: _ClassVar[Mode]
    MODE_WRITE: _ClassVar[Mode]
ACTION_UNSPECIFIED: Action
ACTION_DENY: Action
ACTION_PERMIT: Action
MODE_UNSPECIFIED: Mode
MODE_READ: Mode
MODE_WRITE: Mode

class User(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "users")
    NAME_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, name: _Optional[str] = ..., users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class AuthorizationRule(_message.Message):
    __slots__ = ("id", "user", "group", "path", "action", "mode")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    id: str
    user: str
    group: str
    path: _gnmi_pb2.Path
    action: Action
    mode: Mode
    def __init__(self, id: _Optional[str] = ..., user: _Optional[str] = ..., group: _Optional[str] = ..., path: _Optional[_Union[_gnmi_pb2.Path, _Mapping]] = ..., action: _Optional[_Union[Action, str]] = ..., mode: _Optional[_Union[Mode, str]] = ...) -> None: ...

class AuthorizationPolicy(_message.Message):
    __slots__ = ("rules", "groups")
    RULES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[AuthorizationRule]
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    def __init__(self, rules: _Optional[_Iterable[_Union[AuthorizationRule, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ...) -> None: ...

class UploadRequest(_message.Message):
    __slots__ = ("version", "created_on", "policy")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_on: int
    policy: AuthorizationPolicy
    def __init__(self, version: _Optional[str] = ..., created_on: _Optional[int] = ..., policy: _Optional[_Union[AuthorizationPolicy, _Mapping]] = ...) -> None: ...
