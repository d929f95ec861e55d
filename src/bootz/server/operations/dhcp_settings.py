"""What DHCP hands out to a chassis; its cards' own names for DHCP are kept with the cards."""

from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field, JsonValue

from bootz.errors import ConfigError, WireError
from bootz.server.operations.texts import STRICT
from bootz.wire.redirect import MAX_URIS
from bootz.wire.uri import parse_bootz_uri

MAX_IDENTIFIER: Final = 130
"""Octets of a DUID (RFC 8415 section 11.1), and enough for a client-id."""


def _checked_uri(text: str) -> str:
    try:
        return str(parse_bootz_uri(text))
    except WireError as error:
        raise ValueError(error.detail) from error


class DhcpSettings(BaseModel):
    """Addresses with their prefix lengths, gateway, and bootz URIs other than the site's."""

    model_config = STRICT

    ipv4: IPv4Interface | None = None
    ipv6: IPv6Interface | None = None
    gateway: IPv4Address | None = None
    uris: Annotated[
        tuple[Annotated[str, AfterValidator(_checked_uri)], ...], Field(max_length=MAX_URIS)
    ] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the keys that say something."""
        if not self.model_fields_set:
            return {}
        dumped: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return dumped


NO_DHCP: Final = DhcpSettings()


def normal_identifier(text: str, name: str, *, reason: str, where: str) -> str:
    """Return a client-id or DUID as octets in hex with colons; a text of other form as it is.

    Raises:
        ConfigError: with ``reason``: too long, or not printable.
    """
    stripped = text.strip()
    octets = identifier_octets(stripped)
    if octets is not None:
        if len(octets) > MAX_IDENTIFIER:
            told = f"{name} has over {MAX_IDENTIFIER} octets"
            raise ConfigError(reason, told, where=where, keys=((name,),))
        return octets.hex(":")
    if len(stripped) > MAX_IDENTIFIER or not stripped.isascii() or not stripped.isprintable():
        raise ConfigError(
            reason,
            f"{name} is neither octets in hex nor a short ASCII text",
            where=where,
            keys=((name,),),
        )
    return stripped


def identifier_octets(text: str) -> bytes | None:
    """Return the octets of hex with colons between, None for a text of another form."""
    parts = text.split(":")
    if len(parts) < 2 or not all(len(part) == 2 for part in parts):
        return None
    try:
        return bytes.fromhex("".join(parts))
    except ValueError:
        return None
