"""A configuration as `bootz dhcp check` judges it, without its server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dhcp.kea import config4, config6

from bootz.dhcp.check.checking import check_models
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.findings import Finding, Severity
from bootz.dhcp.check.forms import READERS
from bootz.dhcp.records import DhcpPlan

MAC = "02:aa:00:00:00:10"
FILES = Path(__file__).parent / "files"


def check(
    form: str, text: str | bytes, plan: DhcpPlan | None = None, folder: Path = FILES
) -> tuple[Finding, ...]:
    content = text.encode() if isinstance(text, str) else text
    return check_models(READERS[form](content, Files(folder)), plan, {})


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def errors(findings: tuple[Finding, ...]) -> set[str]:
    return {each.code for each in findings if each.severity is Severity.ERROR}


def kea4(reservation: dict[str, Any] | None = None, **more: Any) -> str:
    """A Kea configuration with one router."""
    rows = (
        []
        if reservation is None
        else [{"hw-address": MAC, "ip-address": "10.0.0.12"} | reservation]
    )
    return json.dumps(without(config4(Path("/x"), rows, **more)))


def kea6(reservation: dict[str, Any], **more: Any) -> str:
    row = {"duid": "00:02:00:00:00:09:46", "ip-addresses": ["2001:db8::12"]}
    return json.dumps(without(config6(Path("/x"), [row | reservation], **more)))


def without(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was given as None."""
    return {root: {k: v for k, v in row.items() if v is not None} for root, row in config.items()}


def option(data: str, code: int = 143, **more: Any) -> dict[str, Any]:
    return {"option-data": [{"code": code, "csv-format": False, "data": data, **more}]}


def framed(*uris: str) -> str:
    return b"".join(len(uri).to_bytes(2, "big") + uri.encode() for uri in uris).hex()


def isc(host: str = "", *, before: str = "", subnet: str = "") -> str:
    """A dhcpd configuration with one router; the option is called sztp."""
    return (
        f"option sztp code 143 = string; deny unknown-clients; {before}\n"
        f"subnet 10.0.0.0 netmask 255.255.255.0 {{ {subnet} }}\n"
        f"host a {{ hardware ethernet {MAC}; fixed-address 10.0.0.12; {host} }}\n"
    )


def dnsmasq(*lines: str) -> str:
    """A dnsmasq configuration with one router, whose tag is r."""
    head = ["dhcp-ignore=tag:!known", "dhcp-range=10.0.0.0,static,255.255.255.0"]
    return "\n".join([*head, f"dhcp-host={MAC},set:r,10.0.0.12", *lines]) + "\n"
