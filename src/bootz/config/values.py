"""Values that settings share: endpoints, hosts and URLs, checked when they are read."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from bootz.errors import WireError
from bootz.wire.uri import parse_bootz_uri

MAX_WORKERS: Final = 256
"""Processes that serve routers, at most."""

_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port; an IPv6 address stands without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pair(self) -> tuple[str, int]:
        """As listeners take it."""
        return (self.host, self.port)


def parse_endpoint(text: str) -> Endpoint:
    """Read ``ADDRESS:PORT``; IPv6 in brackets, port 0 lets the system choose.

    Raises:
        ValueError: it has another form.
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not ADDRESS:PORT")
    if bracketed != (":" in host):
        raise ValueError(f"{text!r}: an IPv6 address must be in brackets")
    return Endpoint(check_host(host), int(port))


def check_host(text: str) -> str:
    """Return a DNS name or IP address as it is.

    Raises:
        ValueError: it is neither.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # Digits and dots alone are an address that was mistyped, never a name.
        if _DNS_NAME.fullmatch(text) is None or text.replace(".", "").isdecimal():
            raise ValueError(f"{text!r} is neither a DNS name nor an IP address") from None
    return text


def read_workers(value: object) -> int | str:
    """Return the number of processes that serve routers, or ``auto``.

    Raises:
        ValueError: it is neither.
    """
    if value == "auto":
        return "auto"
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 1 <= value <= MAX_WORKERS:
        raise ValueError(f"must be a number from 1 to {MAX_WORKERS}, or auto")
    return value


def _check_listen(text: str) -> str:
    parse_endpoint(text)
    return text


def check_base_url(text: str) -> str:
    """Return an http or https URL without the slash at its end.

    Raises:
        ValueError: it is another, or has a query or fragment.
    """
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be http://HOST or https://HOST, with port and path as needed")
    return text.rstrip("/")


def _check_store_url(text: str) -> str:
    url = check_base_url(text)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must have no user name or password")
    check_host(parts.hostname or "")
    # Reading it finds out whether it is a port.
    if parts.port == 0:
        raise ValueError("the port must be 1 to 65535")
    return url


def _check_bootz_uri(text: str) -> str:
    try:
        return str(parse_bootz_uri(text))
    except WireError as error:
        raise ValueError(error.detail) from error


def _check_network(text: str) -> str:
    network = ipaddress.ip_network(text)
    if network.prefixlen == 0:
        raise ValueError(f"{text!r} is every address: name those of the load balancers")
    return text


AddressOrNetwork = Annotated[str, AfterValidator(_check_network)]


Workers = Annotated[int | Literal["auto"], BeforeValidator(read_workers)]


Listen = Annotated[str, AfterValidator(_check_listen)]


Host = Annotated[str, AfterValidator(check_host)]


StoreUrl = Annotated[str, AfterValidator(_check_store_url)]


BaseUrl = Annotated[str, AfterValidator(check_base_url)]


BootzUriText = Annotated[str, AfterValidator(_check_bootz_uri)]


class FrozenSettings(BaseModel):
    """The base of all settings: an unknown key is refused, and no value is shown in an error."""

    # hide_input: what stands in the file may be a secret put in the wrong place.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
