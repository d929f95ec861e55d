from bootz.wire.generated import attestz_pb2 as _attestz_pb2
from bootz.wire.generated import authz_pb2 as _authz_pb2
from bootz.wire.generated import bootz_pb2 as _bootz_pb2
from bootz.wire.generated import pathz_pb2 as _pathz_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertKeyPair(_message.Message):
    __slots__ = ("cert", "key")
    CERT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    cert: str
    key: str
    def __init__(self, cert: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ControlCard(_message.Message):
    __slots__ = ("serial_number", "ownership_voucher", "public_key", "public_key_type", "idevid")
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    OWNERSHIP_VOUCHER_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
    IDEVID_FIELD_NUMBER: _ClassVar[int]
    serial_number: str
    ownership_voucher: str
    public_key: str
    public_key_type: _attestz_pb2.Key
    idevid: CertKeyPair
    def __init__(self, serial_number: _Optional[str] = ..., ownership_voucher: _Optional[str] = ..., public_key: _Optional[str] = ..., public_key_type: _Optional[_Union[_attestz_pb2.Key, str]] = ..., idevid: _Optional[_Union[CertKeyPair, _Mapping]] = ...) -> None: ...

class Chassis(_message.Message):
    __slots__ = ("manufacturer", "control_cards", "hostname", "boot_mode", "streaming_supported", "intended_image", "boot_password_hash", "boot_config", "credentials", "pathz", "authz", "certz_profiles", "skip_idevid_serial_validation")
    MANUFACTURER_FIELD_NUMBER: _ClassVar[int]
    CONTROL_CARDS_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    BOOT_MODE_FIELD_NUMBER: _ClassVar[int]
    STREAMING_SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    INTENDED_IMAGE_FIELD_NUMBER: _ClassVar[int]
    BOOT_PASSWORD_HASH_FIELD_NUMBER: _ClassVar[int]
    BOOT_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    PATHZ_FIELD_NUMBER: _ClassVar[int]
    AUTHZ_FIELD_NUMBER: _ClassVar[int]
    CERTZ_PROFILES_FIELD_NUMBER: _ClassVar[int]
    SKIP_IDEVID_SERIAL_VALIDATION_FIELD_NUMBER: _ClassVar[int]
    manufacturer: str
    control_cards: _containers.RepeatedCompositeFieldContainer[ControlCard]
    hostname: str
    boot_mode: _bootz_pb2.BootMode
    streaming_supported: bool
    intended_image: _bootz_pb2.SoftwareImage
    boot_password_hash: str
    boot_config: _bootz_pb2.BootConfig
    credentials: _bootz_pb2.Credentials
    pathz: _pathz_pb2.UploadRequest
    authz: _authz_pb2.UploadRequest
    certz_profiles: _bootz_pb2.CertzProfiles
    skip_idevid_serial_validation: bool
    def __init__(self, manufacturer: _Optional[str] = ..., control_cards: _Optional[_Iterable[_Union[ControlCard, _Mapping]]] = ..., hostname: _Optional[str] = ..., boot_mode: _Optional[_Union[_bootz_pb2.BootMode, str]] = ..., streaming_supported: _Optional[bool] = ..., intended_image: _Optional[_Union[_bootz_pb2.SoftwareImage, _Mapping]] = ..., boot_password_hash: _Optional[str] = ..., boot_config: _Optional[_Union[_bootz_pb2.BootConfig, _Mapping]] = ..., credentials: _Optional[_Union[_bootz_pb2.Credentials, _Mapping]] = ..., pathz: _Optional[_Union[_pathz_pb2.UploadRequest, _Mapping]] = ..., authz: _Optional[_Union[_authz_pb2.UploadRequest, _Mapping]] = ..., certz_profiles: _Optional[_Union[_bootz_pb2.CertzProfiles, _Mapping]] = ..., skip_idevid_serial_validation: _Optional[bool] = ...) -> None: ...

class Config(_message.Message):
    __slots__ = ("server_address", "trust_anchor", "owner_certificate", "vendor_ca_certs", "chassis", "server_port", "test_mode")
    SERVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRUST_ANCHOR_FIELD_NUMBER: _ClassVar[int]
    OWNER_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    VENDOR_CA_CERTS_FIELD_NUMBER: _ClassVar[int]
    CHASSIS_FIELD_NUMBER: _ClassVar[int]
    SERVER_PORT_FIELD_NUMBER: _ClassVar[int]
    TEST_MODE_FIELD_NUMBER: _ClassVar[int]
    server_address: str
    trust_anchor: CertKeyPair
    owner_certificate: CertKeyPair
    vendor_ca_certs: _containers.RepeatedScalarFieldContainer[str]
    chassis: _containers.RepeatedCompositeFieldContainer[Chassis]
    server_port: str
    test_mode: bool
    def __init__(self, server_address: _Optional[str] = ..., trust_anchor: _Optional[_Union[CertKeyPair, _Mapping]] = ..., owner_certificate: _Optional[_Union[CertKeyPair, _Mapping]] = ..., vendor_ca_certs: _Optional[_Iterable[str]] = ..., chassis: _Optional[_Iterable[_Union[Chassis, _Mapping]]] = ..., server_port: _Optional[str] = ..., test_mode: _Optional[bool] = ...) -> None: ...
