"""Settings of the operator's door: where it listens, who logs in, where webhooks may go."""

import ipaddress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from bootz.config.values import BaseUrl, FrozenSettings, Listen, parse_endpoint


class OperatorTlsSettings(FrozenSettings):
    """The certificate of the operator's door: files that are kept elsewhere."""

    certificate: Path = Field(description="File with the certificate and those above it, PEM.")
    key: Path = Field(description="Its key: a file of mode 0600.")


def _check_issuer(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise ValueError("must be https://HOST, with port and path as needed")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must have no user, query or fragment")
    return text


class OidcSettings(FrozenSettings):
    """Logins by an OpenID Connect provider: its groups are roles here."""

    issuer: Annotated[str, AfterValidator(_check_issuer)] = Field(
        description="The provider's name for itself, an https URL."
    )
    client_id: str = Field(
        min_length=1, max_length=256, description="This site's name at the provider."
    )
    client_secret_file: Path | None = Field(
        None, description="File with its secret, mode 0600. Default: none, PKCE alone."
    )
    base_url: BaseUrl = Field(
        description="How browsers reach the door; the provider is given "
        "BASE_URL/api/v1/login/oidc/callback."
    )
    roles: dict[str, Literal["viewer", "operator", "security", "admin"]] = Field(
        min_length=1, max_length=256, description="Group: role. The highest counts."
    )
    groups_claim: str = Field(
        "groups", min_length=1, max_length=256, description="The claim that lists groups."
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "groups"), description="What the provider is asked for."
    )
    ca: Path | None = Field(
        None, description="File of CAs (PEM) that vouch for it, beside the system's."
    )

    @model_validator(mode="after")
    def _asks_for_openid(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        return self


class OperatorSettings(FrozenSettings):
    """The operator's door: the API. A process of its own that opens no key of the owner."""

    listen: tuple[Listen, ...] = Field(
        ("127.0.0.1:15080",), description="Addresses; [] switches the door off."
    )
    metrics: Literal["token", "loopback"] = Field(
        "token",
        description="Who may read /metrics: a token of any role, or also all on this machine.",
    )
    oidc: OidcSettings | None = Field(
        None, description="Logins by an OpenID Connect provider; needs the extra oidc."
    )
    tls: OperatorTlsSettings | None = Field(
        None, description="Needed beyond loopback, where without it nothing is served."
    )

    @model_validator(mode="after")
    def _plain_on_loopback_only(self) -> Self:
        if self.tls is None:
            for text in self.listen:
                host = parse_endpoint(text).host
                try:
                    inside = ipaddress.ip_address(host).is_loopback
                except ValueError:
                    inside = host == "localhost"
                if not inside:
                    raise ValueError(
                        f"{text} is not loopback and needs operator.tls; "
                        "`bootz keys door` issues a certificate"
                    )
        return self


class WebhookSettings(FrozenSettings):
    """Where webhooks may go; each is made by `bootz webhook add`."""

    private_targets: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks that are not the Internet, and to which webhooks may go; "
        "plain http is for these alone.",
    )
    ca: Path | None = Field(
        None, description="File of CAs (PEM) that vouch for receivers, beside the system's."
    )
