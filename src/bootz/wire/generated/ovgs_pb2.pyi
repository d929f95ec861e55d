import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_TYPE_UNSPECIFIED: _ClassVar[AccountType]
    ACCOUNT_TYPE_USER: _ClassVar[AccountType]
    ACCOUNT_TYPE_SERVICE_ACCOUNT: _ClassVar[AccountType]

class UserRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_ROLE_UNSPECIFIED: _ClassVar[UserRole]
    USER_ROLE_SUPPORT: _ClassVar[UserRole]
    USER_ROLE_ADMIN: _ClassVar[UserRole]
    USER_ROLE_ASSIGNER: _ClassVar[UserRole]
    USER_ROLE_REQUESTOR: _ClassVar[UserRole]
ACCOUNT_TYPE_UNSPECIFIED: AccountType
ACCOUNT_TYPE_USER: AccountType
ACCOUNT_TYPE_SERVICE_ACCOUNT: AccountType
USER_ROLE_UNSPECIFIED: UserRole
USER_ROLE_SUPPORT: UserRole
USER_ROLE_ADMIN: UserRole
USER_ROLE_ASSIGNER: UserRole
USER_ROLE_REQUESTOR: UserRole

class User(_message.Message):
    __slots__ = ("username", "user_type", "org_id", "user_role")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    USER_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ROLE_FIELD_NUMBER: _ClassVar[int]
    username: str
    user_type: AccountType
    org_id: str
    user_role: UserRole
    def __init__(self, username: _Optional[str] = ..., user_type: _Optional[_Union[AccountType, str]] = ..., org_id: _Optional[str] = ..., user_role: _Optional[_Union[UserRole, str]] = ...) -> None: ...

class Component(_message.Message):
    __slots__ = ("ien", "serial_number")
    IEN_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ien: str
    serial_number: str
    def __init__(self, ien: _Optional[str] = ..., serial_number: _Optional[str] = ...) -> None: ...

class TpmInfo(_message.Message):
    __slots__ = ("endorsement_key", "ek_certificate", "platform_primary_key")
    ENDORSEMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    EK_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_PRIMARY_KEY_FIELD_NUMBER: _ClassVar[int]
    endorsement_key: bytes
    ek_certificate: bytes
    platform_primary_key: bytes
    def __init__(self, endorsement_key: _Optional[bytes] = ..., ek_certificate: _Optional[bytes] = ..., platform_primary_key: _Optional[bytes] = ...) -> None: ...

class GroupList(_message.Message):
    __slots__ = ("group_ids",)
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetComponentsRequest(_message.Message):
    __slots__ = ("group_id",)
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    def __init__(self, group_id: _Optional[str] = ...) -> None: ...

class GetComponentsResponse(_message.Message):
    __slots__ = ("component", "serial")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    component: Component
    serial: GetSerialResponse
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ..., serial: _Optional[_Union[GetSerialResponse, _Mapping]] = ...) -> None: ...

class CreateGroupRequest(_message.Message):
    __slots__ = ("parent", "description")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    parent: str
    description: str
    def __init__(self, parent: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class CreateGroupResponse(_message.Message):
    __slots__ = ("group_id",)
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    def __init__(self, group_id: _Optional[str] = ...) -> None: ...

class DeleteGroupRequest(_message.Message):
    __slots__ = ("group_id",)
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    def __init__(self, group_id: _Optional[str] = ...) -> None: ...

class DeleteGroupResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetGroupRequest(_message.Message):
    __slots__ = ("group_id",)
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    def __init__(self, group_id: _Optional[str] = ...) -> None: ...

class GetGroupResponse(_message.Message):
    __slots__ = ("group_id", "cert_ids", "components", "users", "child_group_ids", "description", "delegated_orgs")
    class DelegatedOrgsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: GroupList
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[GroupList, _Mapping]] = ...) -> None: ...
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CERT_IDS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    CHILD_GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DELEGATED_ORGS_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    cert_ids: _containers.RepeatedScalarFieldContainer[str]
    components: _containers.RepeatedCompositeFieldContainer[Component]
    users: _containers.RepeatedCompositeFieldContainer[User]
    child_group_ids: _containers.RepeatedScalarFieldContainer[str]
    description: str
    delegated_orgs: _containers.MessageMap[str, GroupList]
    def __init__(self, group_id: _Optional[str] = ..., cert_ids: _Optional[_Iterable[str]] = ..., components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., users: _Optional[_Iterable[_Union[User, _Mapping]]] = ..., child_group_ids: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., delegated_orgs: _Optional[_Mapping[str, GroupList]] = ...) -> None: ...

class AddGroupDelegatedOrgRequest(_message.Message):
    __slots__ = ("group_id", "org_id")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    org_id: str
    def __init__(self, group_id: _Optional[str] = ..., org_id: _Optional[str] = ...) -> None: ...

class AddGroupDelegatedOrgResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemoveGroupDelegatedOrgRequest(_message.Message):
    __slots__ = ("group_id", "org_id")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    org_id: str
    def __init__(self, group_id: _Optional[str] = ..., org_id: _Optional[str] = ...) -> None: ...

class RemoveGroupDelegatedOrgResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AddUserRoleRequest(_message.Message):
    __slots__ = ("username", "user_type", "org_id", "group_id", "user_role")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    USER_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ROLE_FIELD_NUMBER: _ClassVar[int]
    username: str
    user_type: AccountType
    org_id: str
    group_id: str
    user_role: UserRole
    def __init__(self, username: _Optional[str] = ..., user_type: _Optional[_Union[AccountType, str]] = ..., org_id: _Optional[str] = ..., group_id: _Optional[str] = ..., user_role: _Optional[_Union[UserRole, str]] = ...) -> None: ...

class AddUserRoleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemoveUserRoleRequest(_message.Message):
    __slots__ = ("username", "user_type", "org_id", "group_id")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    USER_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    username: str
    user_type: AccountType
    org_id: str
    group_id: str
    def __init__(self, username: _Optional[str] = ..., user_type: _Optional[_Union[AccountType, str]] = ..., org_id: _Optional[str] = ..., group_id: _Optional[str] = ...) -> None: ...

class RemoveUserRoleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetUserRoleRequest(_message.Message):
    __slots__ = ("username", "user_type", "org_id")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    USER_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    username: str
    user_type: AccountType
    org_id: str
    def __init__(self, username: _Optional[str] = ..., user_type: _Optional[_Union[AccountType, str]] = ..., org_id: _Optional[str] = ...) -> None: ...

class GetUserRoleResponse(_message.Message):
    __slots__ = ("groups",)
    class GroupsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: UserRole
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[UserRole, str]] = ...) -> None: ...
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.ScalarMap[str, UserRole]
    def __init__(self, groups: _Optional[_Mapping[str, UserRole]] = ...) -> None: ...

class CreateDomainCertRequest(_message.Message):
    __slots__ = ("group_id", "certificate_der", "revocation_checks", "expiry_time")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_DER_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_CHECKS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TIME_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    certificate_der: bytes
    revocation_checks: bool
    expiry_time: _timestamp_pb2.Timestamp
    def __init__(self, group_id: _Optional[str] = ..., certificate_der: _Optional[bytes] = ..., revocation_checks: _Optional[bool] = ..., expiry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateDomainCertResponse(_message.Message):
    __slots__ = ("cert_id",)
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    cert_id: str
    def __init__(self, cert_id: _Optional[str] = ...) -> None: ...

class GetDomainCertRequest(_message.Message):
    __slots__ = ("cert_id",)
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    cert_id: str
    def __init__(self, cert_id: _Optional[str] = ...) -> None: ...

class GetDomainCertResponse(_message.Message):
    __slots__ = ("cert_id", "group_id", "certificate_der", "revocation_checks", "expiry_time")
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_DER_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_CHECKS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TIME_FIELD_NUMBER: _ClassVar[int]
    cert_id: str
    group_id: str
    certificate_der: bytes
    revocation_checks: bool
    expiry_time: _timestamp_pb2.Timestamp
    def __init__(self, cert_id: _Optional[str] = ..., group_id: _Optional[str] = ..., certificate_der: _Optional[bytes] = ..., revocation_checks: _Optional[bool] = ..., expiry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteDomainCertRequest(_message.Message):
    __slots__ = ("cert_id",)
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    cert_id: str
    def __init__(self, cert_id: _Optional[str] = ...) -> None: ...

class DeleteDomainCertResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AddSerialRequest(_message.Message):
    __slots__ = ("component", "group_id")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    component: Component
    group_id: str
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ..., group_id: _Optional[str] = ...) -> None: ...

class AddSerialResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemoveSerialRequest(_message.Message):
    __slots__ = ("component", "group_id")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    component: Component
    group_id: str
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ..., group_id: _Optional[str] = ...) -> None: ...

class RemoveSerialResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSerialRequest(_message.Message):
    __slots__ = ("component",)
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    component: Component
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ...) -> None: ...

class GetSerialResponse(_message.Message):
    __slots__ = ("public_key_der", "group_ids", "mac_addr", "model", "tpm_info")
    PUBLIC_KEY_DER_FIELD_NUMBER: _ClassVar[int]
    GROUP_IDS_FIELD_NUMBER: _ClassVar[int]
    MAC_ADDR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TPM_INFO_FIELD_NUMBER: _ClassVar[int]
    public_key_der: bytes
    group_ids: _containers.RepeatedScalarFieldContainer[str]
    mac_addr: str
    model: str
    tpm_info: TpmInfo
    def __init__(self, public_key_der: _Optional[bytes] = ..., group_ids: _Optional[_Iterable[str]] = ..., mac_addr: _Optional[str] = ..., model: _Optional[str] = ..., tpm_info: _Optional[_Union[TpmInfo, _Mapping]] = ...) -> None: ...

class GetSerialsRequest(_message.Message):
    __slots__ = ("components",)
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    components: _containers.RepeatedCompositeFieldContainer[Component]
    def __init__(self, components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ...) -> None: ...

class GetSerialsResponse(_message.Message):
    __slots__ = ("serials",)
    SERIALS_FIELD_NUMBER: _ClassVar[int]
    serials: _containers.RepeatedCompositeFieldContainer[GetSerialResponse]
    def __init__(self, serials: _Optional[_Iterable[_Union[GetSerialResponse, _Mapping]]] = ...) -> None: ...

class GetOwnershipVoucherRequest(_message.Message):
    __slots__ = ("component", "cert_id", "lifetime")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_FIELD_NUMBER: _ClassVar[int]
    component: Component
    cert_id: str
    lifetime: _timestamp_pb2.Timestamp
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ..., cert_id: _Optional[str] = ..., lifetime: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetOwnershipVoucherResponse(_message.Message):
    __slots__ = ("voucher_cms", "public_key_der", "tpm_info")
    VOUCHER_CMS_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_DER_FIELD_NUMBER: _ClassVar[int]
    TPM_INFO_FIELD_NUMBER: _ClassVar[int]
    voucher_cms: bytes
    public_key_der: bytes
    tpm_info: TpmInfo
    def __init__(self, voucher_cms: _Optional[bytes] = ..., public_key_der: _Optional[bytes] = ..., tpm_info: _Optional[_Union[TpmInfo, _Mapping]] = ...) -> None: ...

class GetOwnershipVouchersRequest(_message.Message):
    __slots__ = ("component", "cert_id", "lifetime")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    CERT_ID_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_FIELD_NUMBER: _ClassVar[int]
    component: _containers.RepeatedCompositeFieldContainer[Component]
    cert_id: str
    lifetime: _timestamp_pb2.Timestamp
    def __init__(self, component: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., cert_id: _Optional[str] = ..., lifetime: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetOwnershipVouchersResponse(_message.Message):
    __slots__ = ("ownership_vouchers",)
    OWNERSHIP_VOUCHERS_FIELD_NUMBER: _ClassVar[int]
    ownership_vouchers: _containers.RepeatedCompositeFieldContainer[GetOwnershipVoucherResponse]
    def __init__(self, ownership_vouchers: _Optional[_Iterable[_Union[GetOwnershipVoucherResponse, _Mapping]]] = ...) -> None: ...
