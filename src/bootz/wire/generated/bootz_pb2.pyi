from bootz.wire.generated import attestz_pb2 as _attestz_pb2
from bootz.wire.generated import authz_pb2 as _authz_pb2
from bootz.wire.generated import certz_pb2 as _certz_pb2
from bootz.wire.generated import credentialz_pb2 as _credentialz_pb2
from bootz.wire.generated import pathz_pb2 as _pathz_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BootMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOOT_MODE_UNSPECIFIED: _ClassVar[BootMode]
    BOOT_MODE_INSECURE: _ClassVar[BootMode]
    BOOT_MODE_SECURE: _ClassVar[BootMode]

class HPKECipherSuite(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HPKE_CIPHER_SUITE_UNSPECIFIED: _ClassVar[HPKECipherSuite]
    HPKE_CIPHER_SUITE_NONE: _ClassVar[HPKECipherSuite]
    HPKE_CIPHER_SUITE_X25519_HKDF_SHA256_HKDF_SHA256_AES_256_GCM: _ClassVar[HPKECipherSuite]
BOOT_MODE_UNSPECIFIED: BootMode
BOOT_MODE_INSECURE: BootMode
BOOT_MODE_SECURE: BootMode
HPKE_CIPHER_SUITE_UNSPECIFIED: HPKECipherSuite
HPKE_CIPHER_SUITE_NONE: HPKECipherSuite
HPKE_CIPHER_SUITE_X25519_HKDF_SHA256_HKDF_SHA256_AES_256_GCM: HPKECipherSuite

class ControlCard(_message.Message):
    __slots__ = ("part_number", "serial_number", "slot", "slot_id")
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    SLOT_ID_FIELD_NUMBER: _ClassVar[int]
    part_number: str
    serial_number: str
    slot: int
    slot_id: str
    def __init__(self, part_number: _Optional[str] = ..., serial_number: _Optional[str] = ..., slot: _Optional[int] = ..., slot_id: _Optional[str] = ...) -> None: ...

class ChassisDescriptor(_message.Message):
    __slots__ = ("manufacturer", "part_number", "serial_number", "control_cards")
    MANUFACTURER_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTROL_CARDS_FIELD_NUMBER: _ClassVar[int]
    manufacturer: str
    part_number: str
    serial_number: str
    control_cards: _containers.RepeatedCompositeFieldContainer[ControlCard]
    def __init__(self, manufacturer: _Optional[str] = ..., part_number: _Optional[str] = ..., serial_number: _Optional[str] = ..., control_cards: _Optional[_Iterable[_Union[ControlCard, _Mapping]]] = ...) -> None: ...

class ControlCardState(_message.Message):
    __slots__ = ("serial_number", "status")
    class ControlCardStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CONTROL_CARD_STATUS_UNSPECIFIED: _ClassVar[ControlCardState.ControlCardStatus]
        CONTROL_CARD_STATUS_NOT_INITIALIZED: _ClassVar[ControlCardState.ControlCardStatus]
        CONTROL_CARD_STATUS_INITIALIZED: _ClassVar[ControlCardState.ControlCardStatus]
    CONTROL_CARD_STATUS_UNSPECIFIED: ControlCardState.ControlCardStatus
    CONTROL_CARD_STATUS_NOT_INITIALIZED: ControlCardState.ControlCardStatus
    CONTROL_CARD_STATUS_INITIALIZED: ControlCardState.ControlCardStatus
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    serial_number: str
    status: ControlCardState.ControlCardStatus
    def __init__(self, serial_number: _Optional[str] = ..., status: _Optional[_Union[ControlCardState.ControlCardStatus, str]] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("idevid_cert", "ek_ppk_pub", "tpm20_ek_pub", "tpm20_ppk_pub", "tpm12_ek_pub")
    IDEVID_CERT_FIELD_NUMBER: _ClassVar[int]
    EK_PPK_PUB_FIELD_NUMBER: _ClassVar[int]
    TPM20_EK_PUB_FIELD_NUMBER: _ClassVar[int]
    TPM20_PPK_PUB_FIELD_NUMBER: _ClassVar[int]
    TPM12_EK_PUB_FIELD_NUMBER: _ClassVar[int]
    idevid_cert: str
    ek_ppk_pub: bool
    tpm20_ek_pub: bytes
    tpm20_ppk_pub: bytes
    tpm12_ek_pub: bytes
    def __init__(self, idevid_cert: _Optional[str] = ..., ek_ppk_pub: _Optional[bool] = ..., tpm20_ek_pub: _Optional[bytes] = ..., tpm20_ppk_pub: _Optional[bytes] = ..., tpm12_ek_pub: _Optional[bytes] = ...) -> None: ...

class GetBootstrapDataRequest(_message.Message):
    __slots__ = ("chassis_descriptor", "control_card_state", "nonce", "identity", "aik_pub_digest")
    CHASSIS_DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    CONTROL_CARD_STATE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    AIK_PUB_DIGEST_FIELD_NUMBER: _ClassVar[int]
    chassis_descriptor: ChassisDescriptor
    control_card_state: ControlCardState
    nonce: str
    identity: Identity
    aik_pub_digest: bytes
    def __init__(self, chassis_descriptor: _Optional[_Union[ChassisDescriptor, _Mapping]] = ..., control_card_state: _Optional[_Union[ControlCardState, _Mapping]] = ..., nonce: _Optional[str] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., aik_pub_digest: _Optional[bytes] = ...) -> None: ...

class ReportStatusRequest(_message.Message):
    __slots__ = ("status", "status_message", "states", "identity", "aik_pub_digest")
    class BootstrapStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BOOTSTRAP_STATUS_UNSPECIFIED: _ClassVar[ReportStatusRequest.BootstrapStatus]
        BOOTSTRAP_STATUS_SUCCESS: _ClassVar[ReportStatusRequest.BootstrapStatus]
        BOOTSTRAP_STATUS_FAILURE: _ClassVar[ReportStatusRequest.BootstrapStatus]
        BOOTSTRAP_STATUS_INITIATED: _ClassVar[ReportStatusRequest.BootstrapStatus]
    BOOTSTRAP_STATUS_UNSPECIFIED: ReportStatusRequest.BootstrapStatus
    BOOTSTRAP_STATUS_SUCCESS: ReportStatusRequest.BootstrapStatus
    BOOTSTRAP_STATUS_FAILURE: ReportStatusRequest.BootstrapStatus
    BOOTSTRAP_STATUS_INITIATED: ReportStatusRequest.BootstrapStatus
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    AIK_PUB_DIGEST_FIELD_NUMBER: _ClassVar[int]
    status: ReportStatusRequest.BootstrapStatus
    status_message: str
    states: _containers.RepeatedCompositeFieldContainer[ControlCardState]
    identity: Identity
    aik_pub_digest: bytes
    def __init__(self, status: _Optional[_Union[ReportStatusRequest.BootstrapStatus, str]] = ..., status_message: _Optional[str] = ..., states: _Optional[_Iterable[_Union[ControlCardState, _Mapping]]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., aik_pub_digest: _Optional[bytes] = ...) -> None: ...

class EmptyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBootstrapDataResponse(_message.Message):
    __slots__ = ("signed_response", "ownership_voucher", "ownership_certificate", "response_signature", "serialized_bootstrap_data")
    SIGNED_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    OWNERSHIP_VOUCHER_FIELD_NUMBER: _ClassVar[int]
    OWNERSHIP_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SERIALIZED_BOOTSTRAP_DATA_FIELD_NUMBER: _ClassVar[int]
    signed_response: bytes
    ownership_voucher: bytes
    ownership_certificate: bytes
    response_signature: str
    serialized_bootstrap_data: bytes
    def __init__(self, signed_response: _Optional[bytes] = ..., ownership_voucher: _Optional[bytes] = ..., ownership_certificate: _Optional[bytes] = ..., response_signature: _Optional[str] = ..., serialized_bootstrap_data: _Optional[bytes] = ...) -> None: ...

class BootstrapDataSigned(_message.Message):
    __slots__ = ("responses", "nonce")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[BootstrapDataResponse]
    nonce: str
    def __init__(self, responses: _Optional[_Iterable[_Union[BootstrapDataResponse, _Mapping]]] = ..., nonce: _Optional[str] = ...) -> None: ...

class BootstrapDataResponse(_message.Message):
    __slots__ = ("serial_num", "intended_image", "boot_password_hash", "server_trust_cert", "boot_config", "credentials", "pathz", "authz", "certificates", "certz_profiles")
    SERIAL_NUM_FIELD_NUMBER: _ClassVar[int]
    INTENDED_IMAGE_FIELD_NUMBER: _ClassVar[int]
    BOOT_PASSWORD_HASH_FIELD_NUMBER: _ClassVar[int]
    SERVER_TRUST_CERT_FIELD_NUMBER: _ClassVar[int]
    BOOT_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    PATHZ_FIELD_NUMBER: _ClassVar[int]
    AUTHZ_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    CERTZ_PROFILES_FIELD_NUMBER: _ClassVar[int]
    serial_num: str
    intended_image: SoftwareImage
    boot_password_hash: str
    server_trust_cert: str
    boot_config: BootConfig
    credentials: Credentials
    pathz: _pathz_pb2.UploadRequest
    authz: _authz_pb2.UploadRequest
    certificates: _certz_pb2.UploadRequest
    certz_profiles: CertzProfiles
    def __init__(self, serial_num: _Optional[str] = ..., intended_image: _Optional[_Union[SoftwareImage, _Mapping]] = ..., boot_password_hash: _Optional[str] = ..., server_trust_cert: _Optional[str] = ..., boot_config: _Optional[_Union[BootConfig, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ..., pathz: _Optional[_Union[_pathz_pb2.UploadRequest, _Mapping]] = ..., authz: _Optional[_Union[_authz_pb2.UploadRequest, _Mapping]] = ..., certificates: _Optional[_Union[_certz_pb2.UploadRequest, _Mapping]] = ..., certz_profiles: _Optional[_Union[CertzProfiles, _Mapping]] = ...) -> None: ...

class CertzProfile(_message.Message):
    __slots__ = ("ssl_profile_id", "certz")
    SSL_PROFILE_ID_FIELD_NUMBER: _ClassVar[int]
    CERTZ_FIELD_NUMBER: _ClassVar[int]
    ssl_profile_id: str
    certz: _certz_pb2.UploadRequest
    def __init__(self, ssl_profile_id: _Optional[str] = ..., certz: _Optional[_Union[_certz_pb2.UploadRequest, _Mapping]] = ...) -> None: ...

class CertzProfiles(_message.Message):
    __slots__ = ("profiles",)
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[CertzProfile]
    def __init__(self, profiles: _Optional[_Iterable[_Union[CertzProfile, _Mapping]]] = ...) -> None: ...

class SoftwareImage(_message.Message):
    __slots__ = ("name", "version", "url", "os_image_hash", "hash_algorithm")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    OS_IMAGE_HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    url: str
    os_image_hash: str
    hash_algorithm: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., url: _Optional[str] = ..., os_image_hash: _Optional[str] = ..., hash_algorithm: _Optional[str] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("credentials", "users", "passwords")
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    PASSWORDS_FIELD_NUMBER: _ClassVar[int]
    credentials: _containers.RepeatedCompositeFieldContainer[_credentialz_pb2.AuthorizedKeysRequest]
    users: _containers.RepeatedCompositeFieldContainer[_credentialz_pb2.AuthorizedUsersRequest]
    passwords: _containers.RepeatedCompositeFieldContainer[_credentialz_pb2.PasswordRequest]
    def __init__(self, credentials: _Optional[_Iterable[_Union[_credentialz_pb2.AuthorizedKeysRequest, _Mapping]]] = ..., users: _Optional[_Iterable[_Union[_credentialz_pb2.AuthorizedUsersRequest, _Mapping]]] = ..., passwords: _Optional[_Iterable[_Union[_credentialz_pb2.PasswordRequest, _Mapping]]] = ...) -> None: ...

class BootConfig(_message.Message):
    __slots__ = ("metadata", "vendor_config", "oc_config", "bootloader_config", "dynamic_vendor_config", "dynamic_oc_config")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    VENDOR_CONFIG_FIELD_NUMBER: _ClassVar[int]
    OC_CONFIG_FIELD_NUMBER: _ClassVar[int]
    BOOTLOADER_CONFIG_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_VENDOR_CONFIG_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_OC_CONFIG_FIELD_NUMBER: _ClassVar[int]
    metadata: _struct_pb2.Struct
    vendor_config: bytes
    oc_config: bytes
    bootloader_config: _struct_pb2.Struct
    dynamic_vendor_config: bytes
    dynamic_oc_config: bytes
    def __init__(self, metadata: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., vendor_config: _Optional[bytes] = ..., oc_config: _Optional[bytes] = ..., bootloader_config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., dynamic_vendor_config: _Optional[bytes] = ..., dynamic_oc_config: _Optional[bytes] = ...) -> None: ...

class BootstrapStreamRequest(_message.Message):
    __slots__ = ("bootstrap_request", "response", "report_status_request")
    class Response(_message.Message):
        __slots__ = ("nonce_signed", "hmac_challenge_response")
        NONCE_SIGNED_FIELD_NUMBER: _ClassVar[int]
        HMAC_CHALLENGE_RESPONSE_FIELD_NUMBER: _ClassVar[int]
        nonce_signed: bytes
        hmac_challenge_response: _attestz_pb2.HMACChallengeResponse
        def __init__(self, nonce_signed: _Optional[bytes] = ..., hmac_challenge_response: _Optional[_Union[_attestz_pb2.HMACChallengeResponse, _Mapping]] = ...) -> None: ...
    BOOTSTRAP_REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    REPORT_STATUS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    bootstrap_request: GetBootstrapDataRequest
    response: BootstrapStreamRequest.Response
    report_status_request: ReportStatusRequest
    def __init__(self, bootstrap_request: _Optional[_Union[GetBootstrapDataRequest, _Mapping]] = ..., response: _Optional[_Union[BootstrapStreamRequest.Response, _Mapping]] = ..., report_status_request: _Optional[_Union[ReportStatusRequest, _Mapping]] = ...) -> None: ...

class BootstrapStreamResponse(_message.Message):
    __slots__ = ("challenge", "bootstrap_response", "report_status_response")
    class Challenge(_message.Message):
        __slots__ = ("nonce", "tpm20_hmac_challenge")
        class TPM20HMACChallenge(_message.Message):
            __slots__ = ("key", "hmac_challenge")
            KEY_FIELD_NUMBER: _ClassVar[int]
            HMAC_CHALLENGE_FIELD_NUMBER: _ClassVar[int]
            key: _attestz_pb2.Key
            hmac_challenge: _attestz_pb2.HMACChallenge
            def __init__(self, key: _Optional[_Union[_attestz_pb2.Key, str]] = ..., hmac_challenge: _Optional[_Union[_attestz_pb2.HMACChallenge, _Mapping]] = ...) -> None: ...
        NONCE_FIELD_NUMBER: _ClassVar[int]
        TPM20_HMAC_CHALLENGE_FIELD_NUMBER: _ClassVar[int]
        nonce: str
        tpm20_hmac_challenge: BootstrapStreamResponse.Challenge.TPM20HMACChallenge
        def __init__(self, nonce: _Optional[str] = ..., tpm20_hmac_challenge: _Optional[_Union[BootstrapStreamResponse.Challenge.TPM20HMACChallenge, _Mapping]] = ...) -> None: ...
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    REPORT_STATUS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    challenge: BootstrapStreamResponse.Challenge
    bootstrap_response: GetBootstrapDataResponse
    report_status_response: EmptyResponse
    def __init__(self, challenge: _Optional[_Union[BootstrapStreamResponse.Challenge, _Mapping]] = ..., bootstrap_response: _Optional[_Union[GetBootstrapDataResponse, _Mapping]] = ..., report_status_response: _Optional[_Union[EmptyResponse, _Mapping]] = ...) -> None: ...

class BootstrapStreamRequestV1(_message.Message):
    __slots__ = ("bootstrap_request", "challenge_response", "report_status_request")
    class ChallengeResponseTPM20IDevID(_message.Message):
        __slots__ = ("serialized_transport_key", "signature")
        SERIALIZED_TRANSPORT_KEY_FIELD_NUMBER: _ClassVar[int]
        SIGNATURE_FIELD_NUMBER: _ClassVar[int]
        serialized_transport_key: bytes
        signature: bytes
        def __init__(self, serialized_transport_key: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...
    class ChallengeResponseTPM20HMAC(_message.Message):
        __slots__ = ("serialized_transport_key", "hmac")
        SERIALIZED_TRANSPORT_KEY_FIELD_NUMBER: _ClassVar[int]
        HMAC_FIELD_NUMBER: _ClassVar[int]
        serialized_transport_key: bytes
        hmac: _attestz_pb2.HMACChallengeResponse
        def __init__(self, serialized_transport_key: _Optional[bytes] = ..., hmac: _Optional[_Union[_attestz_pb2.HMACChallengeResponse, _Mapping]] = ...) -> None: ...
    class ChallengeResponseTPM12EK(_message.Message):
        __slots__ = ("serialized_transport_key", "hash")
        SERIALIZED_TRANSPORT_KEY_FIELD_NUMBER: _ClassVar[int]
        HASH_FIELD_NUMBER: _ClassVar[int]
        serialized_transport_key: bytes
        hash: bytes
        def __init__(self, serialized_transport_key: _Optional[bytes] = ..., hash: _Optional[bytes] = ...) -> None: ...
    class ChallengeResponse(_message.Message):
        __slots__ = ("tpm20_idevid", "tpm20_hmac", "tpm12_ek")
        TPM20_IDEVID_FIELD_NUMBER: _ClassVar[int]
        TPM20_HMAC_FIELD_NUMBER: _ClassVar[int]
        TPM12_EK_FIELD_NUMBER: _ClassVar[int]
        tpm20_idevid: BootstrapStreamRequestV1.ChallengeResponseTPM20IDevID
        tpm20_hmac: BootstrapStreamRequestV1.ChallengeResponseTPM20HMAC
        tpm12_ek: BootstrapStreamRequestV1.ChallengeResponseTPM12EK
        def __init__(self, tpm20_idevid: _Optional[_Union[BootstrapStreamRequestV1.ChallengeResponseTPM20IDevID, _Mapping]] = ..., tpm20_hmac: _Optional[_Union[BootstrapStreamRequestV1.ChallengeResponseTPM20HMAC, _Mapping]] = ..., tpm12_ek: _Optional[_Union[BootstrapStreamRequestV1.ChallengeResponseTPM12EK, _Mapping]] = ...) -> None: ...
    BOOTSTRAP_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    REPORT_STATUS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    bootstrap_request: GetBootstrapDataRequest
    challenge_response: BootstrapStreamRequestV1.ChallengeResponse
    report_status_request: ReportStatusRequest
    def __init__(self, bootstrap_request: _Optional[_Union[GetBootstrapDataRequest, _Mapping]] = ..., challenge_response: _Optional[_Union[BootstrapStreamRequestV1.ChallengeResponse, _Mapping]] = ..., report_status_request: _Optional[_Union[ReportStatusRequest, _Mapping]] = ...) -> None: ...

class BootstrapStreamResponseV1(_message.Message):
    __slots__ = ("challenge_request", "bootstrap_response", "report_status_response")
    class ChallengeRequestTPM20IDevID(_message.Message):
        __slots__ = ("nonce",)
        NONCE_FIELD_NUMBER: _ClassVar[int]
        nonce: bytes
        def __init__(self, nonce: _Optional[bytes] = ...) -> None: ...
    class ChallengeRequestTPM20HMAC(_message.Message):
        __slots__ = ("key_type", "hmac_encrypted")
        KEY_TYPE_FIELD_NUMBER: _ClassVar[int]
        HMAC_ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
        key_type: _attestz_pb2.Key
        hmac_encrypted: _attestz_pb2.HMACChallenge
        def __init__(self, key_type: _Optional[_Union[_attestz_pb2.Key, str]] = ..., hmac_encrypted: _Optional[_Union[_attestz_pb2.HMACChallenge, _Mapping]] = ...) -> None: ...
    class ChallengeRequestTPM12EK(_message.Message):
        __slots__ = ("blob_encrypted",)
        BLOB_ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
        blob_encrypted: bytes
        def __init__(self, blob_encrypted: _Optional[bytes] = ...) -> None: ...
    class ChallengeRequest(_message.Message):
        __slots__ = ("tpm20_idevid", "tpm20_hmac", "tpm12_ek")
        TPM20_IDEVID_FIELD_NUMBER: _ClassVar[int]
        TPM20_HMAC_FIELD_NUMBER: _ClassVar[int]
        TPM12_EK_FIELD_NUMBER: _ClassVar[int]
        tpm20_idevid: BootstrapStreamResponseV1.ChallengeRequestTPM20IDevID
        tpm20_hmac: BootstrapStreamResponseV1.ChallengeRequestTPM20HMAC
        tpm12_ek: BootstrapStreamResponseV1.ChallengeRequestTPM12EK
        def __init__(self, tpm20_idevid: _Optional[_Union[BootstrapStreamResponseV1.ChallengeRequestTPM20IDevID, _Mapping]] = ..., tpm20_hmac: _Optional[_Union[BootstrapStreamResponseV1.ChallengeRequestTPM20HMAC, _Mapping]] = ..., tpm12_ek: _Optional[_Union[BootstrapStreamResponseV1.ChallengeRequestTPM12EK, _Mapping]] = ...) -> None: ...
    CHALLENGE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    REPORT_STATUS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    challenge_request: BootstrapStreamResponseV1.ChallengeRequest
    bootstrap_response: StreamBootstrapDataResponse
    report_status_response: EmptyResponse
    def __init__(self, challenge_request: _Optional[_Union[BootstrapStreamResponseV1.ChallengeRequest, _Mapping]] = ..., bootstrap_response: _Optional[_Union[StreamBootstrapDataResponse, _Mapping]] = ..., report_status_response: _Optional[_Union[EmptyResponse, _Mapping]] = ...) -> None: ...

class StreamBootstrapDataResponse(_message.Message):
    __slots__ = ("ownership_voucher", "ownership_certificate", "response_signature", "encrypted_serialized_bootstrap_data", "encapsulated_key")
    OWNERSHIP_VOUCHER_FIELD_NUMBER: _ClassVar[int]
    OWNERSHIP_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_SERIALIZED_BOOTSTRAP_DATA_FIELD_NUMBER: _ClassVar[int]
    ENCAPSULATED_KEY_FIELD_NUMBER: _ClassVar[int]
    ownership_voucher: bytes
    ownership_certificate: bytes
    response_signature: str
    encrypted_serialized_bootstrap_data: bytes
    encapsulated_key: bytes
    def __init__(self, ownership_voucher: _Optional[bytes] = ..., ownership_certificate: _Optional[bytes] = ..., response_signature: _Optional[str] = ..., encrypted_serialized_bootstrap_data: _Optional[bytes] = ..., encapsulated_key: _Optional[bytes] = ...) -> None: ...

class TransportKey(_message.Message):
    __slots__ = ("cipher_suite", "public_key", "nonce")
    CIPHER_SUITE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    cipher_suite: HPKECipherSuite
    public_key: bytes
    nonce: bytes
    def __init__(self, cipher_suite: _Optional[_Union[HPKECipherSuite, str]] = ..., public_key: _Optional[bytes] = ..., nonce: _Optional[bytes] = ...) -> None: ...
