"""Where a vendor's vouchers come from: its OVGS service, or a folder; a vendor's setting.

Source: docs/protocol/ovgs.md#the-client (1, 2); docs/protocol/ovgs.md#authentication.
"""

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bootz.server.operations.defaults import DEFAULT_LIFETIME_DAYS
from bootz.server.operations.texts import STRICT

_ENDPOINT: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(:[0-9]{1,5})"
)
_LOOPBACK: Final = re.compile(r"(127(\.[0-9]{1,3}){3}|\[::1\]|localhost):[0-9]+")
_METADATA_KEY: Final = re.compile(r"[a-z0-9_.-]{1,64}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")

_Text = Annotated[str, Field(max_length=1024)]


def _check_endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    if text and (match is None or not 0 < int(match[2][1:]) <= 65535):
        raise ValueError("must be HOST:PORT, an IPv6 address in brackets")
    return text


def _check_metadata_key(text: str) -> str:
    # gRPC takes keys that end in -bin for binary, and keeps grpc- for itself.
    if not _METADATA_KEY.fullmatch(text) or text.endswith("-bin") or text.startswith("grpc-"):
        raise ValueError("must be a lower-case name of letters, digits and _ . -")
    return text


def _check_template(text: str) -> str:
    if text.count("{token}") != 1 or not text.isascii() or not text.isprintable():
        raise ValueError("must contain {token} once, among printable ASCII characters")
    return text


class VoucherSourceSettings(BaseModel):
    """Either ``ovgs`` with what it needs, or ``folder``. Paths are absolute, or below the site.

    ``lifetime_days`` is what is asked for; the manufacturer's registration may allow less.
    ``token_variable`` names an environment variable of the server. ``tls_roots`` and ``ek_roots``
    are files of certificates: of the service's TLS (none: the system's), and of those who certify
    EKs; ``ek_intermediates`` are the CAs between these and the EKs, for services that do not send
    them along.
    """

    model_config = STRICT

    ovgs: Annotated[str, AfterValidator(_check_endpoint)] = ""
    cert_id: _Text = ""
    token_file: _Text = ""
    token_variable: Annotated[str, Field(max_length=128)] = ""
    tls_roots: _Text = ""
    lifetime_days: Annotated[int, Field(ge=1, le=36500)] = DEFAULT_LIFETIME_DAYS
    metadata_key: Annotated[str, AfterValidator(_check_metadata_key)] = "authorization"
    metadata_template: Annotated[str, Field(max_length=256), AfterValidator(_check_template)] = (
        "Bearer {token}"
    )
    plaintext: bool = False
    ek_roots: _Text = ""
    ek_intermediates: _Text = ""
    folder: _Text = ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if bool(self.ovgs) == bool(self.folder):
            raise ValueError("must have exactly one of ovgs and folder")
        if self.folder and self.model_fields_set != {"folder"}:
            raise ValueError("a folder takes no other key")
        if self.ovgs and not self.cert_id:
            raise ValueError(
                "ovgs needs cert_id, the registration of the pinned domain certificate"
            )
        if self.ovgs and bool(self.token_file) == bool(self.token_variable):
            raise ValueError("ovgs needs one of token_file and token_variable")
        if self.ek_intermediates and not self.ek_roots:
            raise ValueError("ek_intermediates needs ek_roots")
        if self.token_variable and not _VARIABLE.fullmatch(self.token_variable):
            raise ValueError("token_variable is not a valid name of an environment variable")
        if self.plaintext and not _LOOPBACK.fullmatch(self.ovgs):
            raise ValueError("plaintext is only allowed for a loopback address")
        return self
