from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Key(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_UNSPECIFIED: _ClassVar[Key]
    KEY_EK: _ClassVar[Key]
    KEY_PPK: _ClassVar[Key]
KEY_UNSPECIFIED: Key
KEY_EK: Key
KEY_PPK: Key

class HMACChallenge(_message.Message):
    __slots__ = ("hmac_pub_key", "duplicate", "in_sym_seed")
    HMAC_PUB_KEY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    IN_SYM_SEED_FIELD_NUMBER: _ClassVar[int]
    hmac_pub_key: bytes
    duplicate: bytes
    in_sym_seed: bytes
    def __init__(self, hmac_pub_key: _Optional[bytes] = ..., duplicate: _Optional[bytes] = ..., in_sym_seed: _Optional[bytes] = ...) -> None: ...

class HMACChallengeResponse(_message.Message):
    __slots__ = ("iak_pub", "iak_certify_info", "iak_certify_info_signature")
    IAK_PUB_FIELD_NUMBER: _ClassVar[int]
    IAK_CERTIFY_INFO_FIELD_NUMBER: _ClassVar[int]
    IAK_CERTIFY_INFO_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    iak_pub: bytes
    iak_certify_info: bytes
    iak_certify_info_signature: bytes
    def __init__(self, iak_pub: _Optional[bytes] = ..., iak_certify_info: _Optional[bytes] = ..., iak_certify_info_signature: _Optional[bytes] = ...) -> None: ...
