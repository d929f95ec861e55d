"""The router's configuration: all of it is judged before any of it is applied (W11).

The result is one document; the running configuration is replaced by exchanging its name in
the router's record. So there is no moment at which half of a configuration applies, and
rolling back means not to exchange it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bootz.device.artifacts import check_authz, check_certz, check_credentials, check_pathz
from bootz.device.openconfig import InvalidConfiguration, read_openconfig, union
from bootz.device.server_data import find_server_data
from bootz.model.bootstrap import BootConfig, BootstrapData
from bootz.trust.certificates import pem_from_der
from bootz.wire.server_data import CardAction, ServerData

SCRIPT_KEY = "pre-configuration-script"
"""Where the metadata of a boot configuration hold a script."""

MAX_PASSWORD_HASH = 1024


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration that is valid. ``document`` is its normal form, JSON with sorted names.

    ``script_sha256`` is empty without a script; the script itself never runs on this host.
    ``server_data`` are the stored server data in it, if any (S5).
    """

    document: bytes = field(repr=False)
    script_sha256: str = ""
    server_data: ServerData | None = None

    @property
    def sha256(self) -> str:
        """The digest of the document."""
        return hashlib.sha256(self.document).hexdigest()


def build_configuration(data: BootstrapData) -> Configuration:
    """Judge verified bootstrapping data and make a configuration of them.

    Raises:
        InvalidConfiguration: some of it cannot be applied, so nothing is.
    """
    boot = data.boot_config
    if boot is None:
        raise InvalidConfiguration(
            "config-missing",
            "there is no boot configuration",
            where="boot_config",
            expected="a boot configuration; it may be empty",
            seen="none",
        )
    script = _script(boot.metadata)
    profiles = data.certz_profiles or ()
    check_certz(profiles)
    for artifact, check in (
        (data.authz, check_authz),
        (data.pathz, check_pathz),
        (data.credentials, check_credentials),
    ):
        # One that is there and empty holds no policy; the Go reference's sample has such.
        if artifact:
            check(artifact)
    vendor = _vendor_text(boot)
    document = {
        "authz": data.authz,
        "boot_password_hash": _password(data.boot_password_hash),
        "bootloader": boot.bootloader_config,
        "certz_profiles": {profile.ssl_profile_id: profile.certz for profile in profiles},
        "credentials": data.credentials,
        "metadata": boot.metadata,
        "openconfig": union(
            read_openconfig(boot.oc_config, "oc_config"),
            read_openconfig(boot.dynamic_oc_config, "dynamic_oc_config"),
        ),
        "pathz": data.pathz,
        "server_trust_cert": pem_from_der([data.server_trust_cert]).decode("ascii"),
        "vendor": vendor,
    }
    return Configuration(
        _normal_form(document),
        hashlib.sha256(script.encode()).hexdigest() if script else "",
        find_server_data(vendor),
    )


def wanted_action(data: BootstrapData) -> CardAction:
    """Return what becomes of a card that fails, while the data that say so are yet to be judged."""
    boot = data.boot_config
    try:
        found = None if boot is None else find_server_data(_vendor_text(boot))
    except InvalidConfiguration:
        found = None
    return CardAction.SHUTDOWN if found is None else found.action


def vendor_text(document: bytes) -> str:
    """Return the vendor configuration in a configuration's normal form."""
    text = json.loads(document).get("vendor", "")
    return text if isinstance(text, str) else ""


def with_vendor_text(document: bytes | None, text: str) -> bytes:
    """Return the normal form of a configuration with another vendor configuration.

    ``document`` None: there is no configuration yet.

    Raises:
        InvalidConfiguration: the text is not one that the router reads.
    """
    find_server_data(text)
    members = {} if document is None else json.loads(document)
    return _normal_form({**members, "vendor": _text(text.encode(), "vendor_config")})


def _normal_form(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, default=_plain, allow_nan=False).encode()


def _vendor_text(boot: BootConfig) -> str:
    """Return static and dynamic vendor configuration as one text."""
    parts = [
        _text(boot.vendor_config, "vendor_config"),
        _text(boot.dynamic_vendor_config, "dynamic_vendor_config"),
    ]
    return "".join(part if part.endswith("\n") else part + "\n" for part in parts if part)


def _text(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidConfiguration(
            "config-vendor", "the configuration is not UTF-8 text", where=f"{where} line {line}"
        ) from error
    for number, line_text in enumerate(text.split("\n"), start=1):
        if not all(mark.isprintable() or mark in "\t\r" for mark in line_text):
            raise InvalidConfiguration(
                "config-vendor", "the line has a control character", where=f"{where} line {number}"
            )
    return text


def _script(metadata: Mapping[str, object]) -> str:
    script = metadata.get(SCRIPT_KEY)
    if script is None:
        return ""
    if not isinstance(script, str) or not script.startswith("#!"):
        raise InvalidConfiguration(
            "config-script",
            "the script does not begin with #!",
            where=f"boot_config.metadata.{SCRIPT_KEY}",
        )
    return script


def _password(text: str) -> str:
    if len(text) > MAX_PASSWORD_HASH or not text.isprintable():
        raise InvalidConfiguration(
            "config-password",
            "the boot password hash is not one printable line",
            where="boot_password_hash",
        )
    return text


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
