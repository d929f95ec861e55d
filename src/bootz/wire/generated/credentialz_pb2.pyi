from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_TYPE_UNSPECIFIED: _ClassVar[KeyType]
    KEY_TYPE_ECDSA_P_256: _ClassVar[KeyType]
    KEY_TYPE_ECDSA_P_521: _ClassVar[KeyType]
    KEY_TYPE_ED25519: _ClassVar[KeyType]
    KEY_TYPE_RSA_2048: _ClassVar[KeyType]
    KEY_TYPE_RSA_4096: _ClassVar[KeyType]
    KEY_TYPE_RSA_3072: _ClassVar[KeyType]
    KEY_TYPE_ECDSA_P_384: _ClassVar[KeyType]
KEY_TYPE_UNSPECIFIED: KeyType
KEY_TYPE_ECDSA_P_256: KeyType
KEY_TYPE_ECDSA_P_521: KeyType
KEY_TYPE_ED25519: KeyType
KEY_TYPE_RSA_2048: KeyType
KEY_TYPE_RSA_4096: KeyType
KEY_TYPE_RSA_3072: KeyType
KEY_TYPE_ECDSA_P_384: KeyType

class Option(_message.Message):
    __slots__ = ("name", "id", "value")
    class StandardOption(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STANDARD_OPTION_UNSPECIFIED: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_AGENT_FORWARDING: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_CERT_AUTHORITY: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_COMMAND: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_ENVIRONMENT: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_EXPIRY_TIME: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_FROM: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_AGENT_FORWARDING: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_PORT_FORWARDING: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_PTY: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_USER_RC: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_X11_FORWARDING: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_PERMITLISTEN: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_PERMITOPEN: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_PORT_FORWARDING: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_PRINCIPALS: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_PTY: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_NO_TOUCH_REQUIRED: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_VERIFY_REQUIRED: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_RESTRICT: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_TUNNEL: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_USER_RC: _ClassVar[Option.StandardOption]
        STANDARD_OPTION_X11_FORWARDING: _ClassVar[Option.StandardOption]
    STANDARD_OPTION_UNSPECIFIED: Option.StandardOption
    STANDARD_OPTION_AGENT_FORWARDING: Option.StandardOption
    STANDARD_OPTION_CERT_AUTHORITY: Option.StandardOption
    STANDARD_OPTION_COMMAND: Option.StandardOption
    STANDARD_OPTION_ENVIRONMENT: Option.StandardOption
    STANDARD_OPTION_EXPIRY_TIME: Option.StandardOption
    STANDARD_OPTION_FROM: Option.StandardOption
    STANDARD_OPTION_NO_AGENT_FORWARDING: Option.StandardOption
    STANDARD_OPTION_NO_PORT_FORWARDING: Option.StandardOption
    STANDARD_OPTION_NO_PTY: Option.StandardOption
    STANDARD_OPTION_NO_USER_RC: Option.StandardOption
    STANDARD_OPTION_NO_X11_FORWARDING: Option.StandardOption
    STANDARD_OPTION_PERMITLISTEN: Option.StandardOption
    STANDARD_OPTION_PERMITOPEN: Option.StandardOption
    STANDARD_OPTION_PORT_FORWARDING: Option.StandardOption
    STANDARD_OPTION_PRINCIPALS: Option.StandardOption
    STANDARD_OPTION_PTY: Option.StandardOption
    STANDARD_OPTION_NO_TOUCH_REQUIRED: Option.StandardOption
    STANDARD_OPTION_VERIFY_REQUIRED: Option.StandardOption
    STANDARD_OPTION_RESTRICT: Option.StandardOption
    STANDARD_OPTION_TUNNEL: Option.StandardOption
    STANDARD_OPTION_USER_RC: Option.StandardOption
    STANDARD_OPTION_X11_FORWARDING: Option.StandardOption
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: Option.StandardOption
    value: str
    def __init__(self, name: _Optional[str] = ..., id: _Optional[_Union[Option.StandardOption, str]] = ..., value: _Optional[str] = ...) -> None: ...

class AuthorizedKey(_message.Message):
    __slots__ = ("authorized_key", "options", "key_type", "description")
    AUTHORIZED_KEY_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    authorized_key: bytes
    options: _containers.RepeatedCompositeFieldContainer[Option]
    key_type: KeyType
    description: str
    def __init__(self, authorized_key: _Optional[bytes] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ..., key_type: _Optional[_Union[KeyType, str]] = ..., description: _Optional[str] = ...) -> None: ...

class AccountCredentials(_message.Message):
    __slots__ = ("account", "authorized_keys", "version", "created_on")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZED_KEYS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    account: str
    authorized_keys: _containers.RepeatedCompositeFieldContainer[AuthorizedKey]
    version: str
    created_on: int
    def __init__(self, account: _Optional[str] = ..., authorized_keys: _Optional[_Iterable[_Union[AuthorizedKey, _Mapping]]] = ..., version: _Optional[str] = ..., created_on: _Optional[int] = ...) -> None: ...

class AuthorizedKeysRequest(_message.Message):
    __slots__ = ("credentials",)
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    credentials: _containers.RepeatedCompositeFieldContainer[AccountCredentials]
    def __init__(self, credentials: _Optional[_Iterable[_Union[AccountCredentials, _Mapping]]] = ...) -> None: ...

class SshAuthorizedPrincipal(_message.Message):
    __slots__ = ("authorized_user", "options")
    AUTHORIZED_USER_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    authorized_user: str
    options: _containers.RepeatedCompositeFieldContainer[Option]
    def __init__(self, authorized_user: _Optional[str] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ...) -> None: ...

class SshAuthorizedPrincipals(_message.Message):
    __slots__ = ("authorized_principals",)
    AUTHORIZED_PRINCIPALS_FIELD_NUMBER: _ClassVar[int]
    authorized_principals: _containers.RepeatedCompositeFieldContainer[SshAuthorizedPrincipal]
    def __init__(self, authorized_principals: _Optional[_Iterable[_Union[SshAuthorizedPrincipal, _Mapping]]] = ...) -> None: ...

class UserPolicy(_message.Message):
    __slots__ = ("account", "authorized_principals", "version", "created_on")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZED_PRINCIPALS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    account: str
    authorized_principals: SshAuthorizedPrincipals
    version: str
    created_on: int
    def __init__(self, account: _Optional[str] = ..., authorized_principals: _Optional[_Union[SshAuthorizedPrincipals, _Mapping]] = ..., version: _Optional[str] = ..., created_on: _Optional[int] = ...) -> None: ...

class AuthorizedUsersRequest(_message.Message):
    __slots__ = ("policies",)
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[UserPolicy]
    def __init__(self, policies: _Optional[_Iterable[_Union[UserPolicy, _Mapping]]] = ...) -> None: ...

class CryptoHash(_message.Message):
    __slots__ = ("hash_type", "hash_value")
    class HashType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        HASH_TYPE_UNSPECIFIED: _ClassVar[CryptoHash.HashType]
        HASH_TYPE_CRYPT_MD5: _ClassVar[CryptoHash.HashType]
        HASH_TYPE_CRYPT_SHA_2_512: _ClassVar[CryptoHash.HashType]
    HASH_TYPE_UNSPECIFIED: CryptoHash.HashType
    HASH_TYPE_CRYPT_MD5: CryptoHash.HashType
    HASH_TYPE_CRYPT_SHA_2_512: CryptoHash.HashType
    HASH_TYPE_FIELD_NUMBER: _ClassVar[int]
    HASH_VALUE_FIELD_NUMBER: _ClassVar[int]
    hash_type: CryptoHash.HashType
    hash_value: str
    def __init__(self, hash_type: _Optional[_Union[CryptoHash.HashType, str]] = ..., hash_value: _Optional[str] = ...) -> None: ...

class Password(_message.Message):
    __slots__ = ("plaintext", "crypto_hash")
    PLAINTEXT_FIELD_NUMBER: _ClassVar[int]
    CRYPTO_HASH_FIELD_NUMBER: _ClassVar[int]
    plaintext: str
    crypto_hash: CryptoHash
    def __init__(self, plaintext: _Optional[str] = ..., crypto_hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("account", "password", "version", "created_on")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    account: str
    password: Password
    version: str
    created_on: int
    def __init__(self, account: _Optional[str] = ..., password: _Optional[_Union[Password, _Mapping]] = ..., version: _Optional[str] = ..., created_on: _Optional[int] = ...) -> None: ...

class PasswordRequest(_message.Message):
    __slots__ = ("accounts",)
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[Account]
    def __init__(self, accounts: _Optional[_Iterable[_Union[Account, _Mapping]]] = ...) -> None: ...
