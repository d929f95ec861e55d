from google.protobuf import any_pb2 as _any_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertificateType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_TYPE_UNSPECIFIED: _ClassVar[CertificateType]
    CERTIFICATE_TYPE_X509: _ClassVar[CertificateType]

class CertificateEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_ENCODING_UNSPECIFIED: _ClassVar[CertificateEncoding]
    CERTIFICATE_ENCODING_PEM: _ClassVar[CertificateEncoding]
    CERTIFICATE_ENCODING_DER: _ClassVar[CertificateEncoding]
    CERTIFICATE_ENCODING_CRT: _ClassVar[CertificateEncoding]
CERTIFICATE_TYPE_UNSPECIFIED: CertificateType
CERTIFICATE_TYPE_X509: CertificateType
CERTIFICATE_ENCODING_UNSPECIFIED: CertificateEncoding
CERTIFICATE_ENCODING_PEM: CertificateEncoding
CERTIFICATE_ENCODING_DER: CertificateEncoding
CERTIFICATE_ENCODING_CRT: CertificateEncoding

class Certificate(_message.Message):
    __slots__ = ("type", "encoding", "certificate", "private_key", "raw_certificate", "cert_source", "raw_private_key", "key_source")
    class CertSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CERT_SOURCE_UNSPECIFIED: _ClassVar[Certificate.CertSource]
        CERT_SOURCE_OIDEVID: _ClassVar[Certificate.CertSource]
        CERT_SOURCE_IDEVID: _ClassVar[Certificate.CertSource]
        CERT_SOURCE_SELFSIGNED: _ClassVar[Certificate.CertSource]
    CERT_SOURCE_UNSPECIFIED: Certificate.CertSource
    CERT_SOURCE_OIDEVID: Certificate.CertSource
    CERT_SOURCE_IDEVID: Certificate.CertSource
    CERT_SOURCE_SELFSIGNED: Certificate.CertSource
    class KeySource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KEY_SOURCE_UNSPECIFIED: _ClassVar[Certificate.KeySource]
        KEY_SOURCE_IDEVID_TPM: _ClassVar[Certificate.KeySource]
        KEY_SOURCE_GENERATED: _ClassVar[Certificate.KeySource]
        KEY_SOURCE_SELFSIGNED: _ClassVar[Certificate.KeySource]
    KEY_SOURCE_UNSPECIFIED: Certificate.KeySource
    KEY_SOURCE_IDEVID_TPM: Certificate.KeySource
    KEY_SOURCE_GENERATED: Certificate.KeySource
    KEY_SOURCE_SELFSIGNED: Certificate.KeySource
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    RAW_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CERT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    RAW_PRIVATE_KEY_FIELD_NUMBER: _ClassVar[int]
    KEY_SOURCE_FIELD_NUMBER: _ClassVar[int]
    type: CertificateType
    encoding: CertificateEncoding
    certificate: bytes
    private_key: bytes
    raw_certificate: bytes
    cert_source: Certificate.CertSource
    raw_private_key: bytes
    key_source: Certificate.KeySource
    def __init__(self, type: _Optional[_Union[CertificateType, str]] = ..., encoding: _Optional[_Union[CertificateEncoding, str]] = ..., certificate: _Optional[bytes] = ..., private_key: _Optional[bytes] = ..., raw_certificate: _Optional[bytes] = ..., cert_source: _Optional[_Union[Certificate.CertSource, str]] = ..., raw_private_key: _Optional[bytes] = ..., key_source: _Optional[_Union[Certificate.KeySource, str]] = ...) -> None: ...

class CertificateChain(_message.Message):
    __slots__ = ("certificate", "parent")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    certificate: Certificate
    parent: CertificateChain
    def __init__(self, certificate: _Optional[_Union[Certificate, _Mapping]] = ..., parent: _Optional[_Union[CertificateChain, _Mapping]] = ...) -> None: ...

class TrustBundle(_message.Message):
    __slots__ = ("pkcs7_block",)
    PKCS7_BLOCK_FIELD_NUMBER: _ClassVar[int]
    pkcs7_block: str
    def __init__(self, pkcs7_block: _Optional[str] = ...) -> None: ...

class CertificateRevocationList(_message.Message):
    __slots__ = ("type", "encoding", "certificate_revocation_list", "id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REVOCATION_LIST_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    type: CertificateType
    encoding: CertificateEncoding
    certificate_revocation_list: bytes
    id: str
    def __init__(self, type: _Optional[_Union[CertificateType, str]] = ..., encoding: _Optional[_Union[CertificateEncoding, str]] = ..., certificate_revocation_list: _Optional[bytes] = ..., id: _Optional[str] = ...) -> None: ...

class CertificateRevocationListBundle(_message.Message):
    __slots__ = ("certificate_revocation_lists",)
    CERTIFICATE_REVOCATION_LISTS_FIELD_NUMBER: _ClassVar[int]
    certificate_revocation_lists: _containers.RepeatedCompositeFieldContainer[CertificateRevocationList]
    def __init__(self, certificate_revocation_lists: _Optional[_Iterable[_Union[CertificateRevocationList, _Mapping]]] = ...) -> None: ...

class AuthenticationPolicy(_message.Message):
    __slots__ = ("serialized",)
    SERIALIZED_FIELD_NUMBER: _ClassVar[int]
    serialized: _any_pb2.Any
    def __init__(self, serialized: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...

class ExistingEntity(_message.Message):
    __slots__ = ("ssl_profile_id", "entity_type")
    class EntityType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ENTITY_TYPE_UNSPECIFIED: _ClassVar[ExistingEntity.EntityType]
        ENTITY_TYPE_CERTIFICATE_CHAIN: _ClassVar[ExistingEntity.EntityType]
        ENTITY_TYPE_TRUST_BUNDLE: _ClassVar[ExistingEntity.EntityType]
        ENTITY_TYPE_CERTIFICATE_REVOCATION_LIST_BUNDLE: _ClassVar[ExistingEntity.EntityType]
        ENTITY_TYPE_AUTHENTICATION_POLICY: _ClassVar[ExistingEntity.EntityType]
    ENTITY_TYPE_UNSPECIFIED: ExistingEntity.EntityType
    ENTITY_TYPE_CERTIFICATE_CHAIN: ExistingEntity.EntityType
    ENTITY_TYPE_TRUST_BUNDLE: ExistingEntity.EntityType
    ENTITY_TYPE_CERTIFICATE_REVOCATION_LIST_BUNDLE: ExistingEntity.EntityType
    ENTITY_TYPE_AUTHENTICATION_POLICY: ExistingEntity.EntityType
    SSL_PROFILE_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ssl_profile_id: str
    entity_type: ExistingEntity.EntityType
    def __init__(self, ssl_profile_id: _Optional[str] = ..., entity_type: _Optional[_Union[ExistingEntity.EntityType, str]] = ...) -> None: ...

class Entity(_message.Message):
    __slots__ = ("version", "created_on", "certificate_chain", "trust_bundle", "certificate_revocation_list_bundle", "authentication_policy", "existing_entity", "trust_bundle_pcks7", "trust_bundle_pkcs7")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_ON_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    TRUST_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_REVOCATION_LIST_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_POLICY_FIELD_NUMBER: _ClassVar[int]
    EXISTING_ENTITY_FIELD_NUMBER: _ClassVar[int]
    TRUST_BUNDLE_PCKS7_FIELD_NUMBER: _ClassVar[int]
    TRUST_BUNDLE_PKCS7_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_on: int
    certificate_chain: CertificateChain
    trust_bundle: CertificateChain
    certificate_revocation_list_bundle: CertificateRevocationListBundle
    authentication_policy: AuthenticationPolicy
    existing_entity: ExistingEntity
    trust_bundle_pcks7: TrustBundle
    trust_bundle_pkcs7: TrustBundle
    def __init__(self, version: _Optional[str] = ..., created_on: _Optional[int] = ..., certificate_chain: _Optional[_Union[CertificateChain, _Mapping]] = ..., trust_bundle: _Optional[_Union[CertificateChain, _Mapping]] = ..., certificate_revocation_list_bundle: _Optional[_Union[CertificateRevocationListBundle, _Mapping]] = ..., authentication_policy: _Optional[_Union[AuthenticationPolicy, _Mapping]] = ..., existing_entity: _Optional[_Union[ExistingEntity, _Mapping]] = ..., trust_bundle_pcks7: _Optional[_Union[TrustBundle, _Mapping]] = ..., trust_bundle_pkcs7: _Optional[_Union[TrustBundle, _Mapping]] = ...) -> None: ...

class UploadRequest(_message.Message):
    __slots__ = ("entities",)
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    entities: _containers.RepeatedCompositeFieldContainer[Entity]
    def __init__(self, entities: _Optional[_Iterable[_Union[Entity, _Mapping]]] = ...) -> None: ...
