"""``masa.yaml``: one frozen object, validated when it is read, never read below ``app``."""

from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bootz.errors import ConfigError
from bootz.transport.http2.engines import EngineName

CONFIG_NAME: Final = "masa.yaml"
DATABASE_NAME: Final = "masa.db"

_MAX_CONFIG: Final = 1 << 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SigningKey(_Frozen):
    """A key that signs vouchers; file names are relative to the folder of the MASA."""

    certificate: str = Field(description="PEM: the signer's certificate, then up to the root")
    key: str = Field(description="PEM of mode 0600, or a PKCS#11 URI (RFC 7512)")


class TlsFiles(_Frozen):
    """The certificate chain and key of both listeners, PEM."""

    certificate: str = "keys/tls.pem"
    key: str = "keys/tls.key"


class MasaConfig(_Frozen):
    """What a manufacturer sets; keys of ``iens`` are enterprise numbers as text."""

    name: str
    iens: dict[str, SigningKey]
    grpc_listen: list[str] = ["[::1]:50070", "127.0.0.1:50070"]
    http_listen: list[str] = ["[::1]:50071", "127.0.0.1:50071"]
    tls: TlsFiles = TlsFiles()
    assigner_may_grant: bool = False
    cookie_tokens: bool = False
    http2_engine: EngineName = Field("auto", description="auto, ngh2 or h2")
    econtent_type: Literal["anima-json", "pkcs7-data"] = "anima-json"
    revocation_lists: str = Field("", description="folder with CRLs; empty: no check")


def load_config(folder: Path) -> MasaConfig:
    """Read the configuration of a MASA's folder.

    Raises:
        ConfigError: there is no MASA, or a key or value does not fit.
    """
    path = folder / CONFIG_NAME
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_CONFIG + 1)
    except OSError as error:
        raise ConfigError(
            "masa-folder-missing", f"cannot be read: {error.strerror}", where=str(path)
        ) from error
    if len(raw) > _MAX_CONFIG:
        raise ConfigError("masa-config-invalid", "is longer than 1 MiB", where=str(path))
    try:
        config = MasaConfig.model_validate(yaml.safe_load(raw))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("masa-config-invalid", "is not YAML", where=str(path)) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            "masa-config-invalid", str(first["msg"]), where=f"{path}: {place}"
        ) from error
    for ien in config.iens:
        if not ien.isdecimal():
            raise ConfigError(
                "masa-config-invalid", "is not an enterprise number", where=f"{path}: iens.{ien}"
            )
    if not config.iens:
        raise ConfigError("masa-config-invalid", "does not name an IEN", where=f"{path}: iens")
    return config


def write_config(config: MasaConfig) -> bytes:
    """Return the file of a configuration, without what is as it would be anyway."""
    kept = config.model_dump(exclude_defaults=True)
    text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    return text.encode()
