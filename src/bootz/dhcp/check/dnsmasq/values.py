"""The octets of an option's value: dnsmasq tells from its characters what it is.

Source: dnsmasq(8), --dhcp-option.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from bootz.dhcp.check.dnsmasq.lines import octets
from bootz.protocol.dhcp_offer import Family

MOST4: Final = 255


class ValueProblem(Exception):
    """A value that dnsmasq refuses; its text says why."""


class ValueOpen(Exception):
    """A value that is not evaluated here; its text says why."""


@dataclass(frozen=True, slots=True)
class Known:
    """An option that dnsmasq knows: its code, and whether it takes addresses or a name.

    ``width``: octets of a number; ``open``: of another type.
    """

    code: int
    addresses: bool = False
    name: bool = False
    width: int = 0
    open: bool = False
    internal: bool = False


def _table(**rows: str) -> dict[str, Known]:
    found = {}
    for kind, words in rows.items():
        for word in words.split():
            name, code = word.split("=")
            found[name] = Known(
                int(code),
                addresses=kind == "addresses",
                name=kind == "names",
                width={"one": 1, "two": 2, "four": 4}.get(kind, 0),
                open=kind == "others",
                internal=kind == "internal",
            )
    return found


KNOWN: Final = {
    Family.IPV4: _table(
        addresses="netmask=1 router=3 dns-server=6 log-server=7 lpr-server=9 swap-server=16 "
        "policy-filter=21 broadcast=28 router-solicitation=32 static-route=33 nis-server=41 "
        "ntp-server=42 netbios-ns=44 netbios-dd=45 x-windows-fs=48 x-windows-dm=49 "
        "nis+-server=65 mobile-ip-home=68 smtp-server=69 pop3-server=70 nntp-server=71 "
        "irc-server=74 tftp-server-address=150 server-ip-address=255",
        names="domain-name=15 root-path=17 extension-path=18 nis-domain=40 nis+-domain=64 "
        "tftp-server=66 bootfile-name=67 posix-timezone=100 tzdb-timezone=101",
        one="default-ttl=23",
        two="boot-file-size=13 max-datagram-reassembly=22 mtu=26 client-arch=93",
        four="arp-timeout=35 tcp-keepalive=38 ipv6-only=108",
        plain="time-offset=2 ip-forward-enable=19 non-local-source-routing=20 "
        "all-subnets-local=27 router-discovery=31 trailer-encapsulation=34 "
        "ethernet-encap=36 tcp-ttl=37 netbios-nodetype=46 netbios-scope=47 "
        "vendor-class=60 user-class=77 client-interface-id=94 client-machine-id=97 "
        "sip-server=120 classless-static-route=121 vendor-id-encap=125",
        others="T1=58 T2=59 domain-search=119",
        internal="hostname=12 vendor-encap=43 requested-address=50 lease-time=51 "
        "option-overload=52 message-type=53 server-identifier=54 parameter-request=55 "
        "message=56 max-message-size=57 client-id=61 FQDN=81 agent-id=82 subnet-select=118",
    ),
    Family.IPV6: _table(
        addresses="sip-server=22 dns-server=23 nis-server=27 nis+-server=28 sntp-server=31",
        names="posix-timezone=41 tzdb-timezone=42 bootfile-url=59",
        others="sip-server-domain=21 domain-search=24 nis-domain=29 nis+-domain=30 "
        "information-refresh-time=32 ntp-server=56 bootfile-param=60",
        internal="client-id=1 server-id=2 ia-na=3 ia-ta=4 iaaddr=5 oro=6 preference=7 unicast=12 "
        "status=13 rapid-commit=14 user-class=15 vendor-class=16 vendor-opts=17 FQDN=39",
    ),
}
"""The options that a configuration may name."""

_CODES: Final = {
    family: {known.code: known for known in table.values()} for family, table in KNOWN.items()
}


def find_option(text: str, *, matching: bool) -> tuple[Family, Known] | None:
    """Return the option that a part of a line names, None where it names none."""
    if text.isascii() and text.isdigit():
        return Family.IPV4, _by_code(Family.IPV4, int(text))
    for prefix, family in (("option:", Family.IPV4), ("option6:", Family.IPV6)):
        name = text.removeprefix(prefix)
        if name == text:
            continue
        if family is Family.IPV6 and name.isascii() and name.isdigit():
            return family, _by_code(family, int(name))
        known = KNOWN[family].get(name)
        if known is None or (known.internal and not matching):
            raise ValueProblem(f"there is no option {name[:40]}")
        return family, known
    return None


def _by_code(family: Family, code: int) -> Known:
    return _CODES[family].get(code) or Known(code)


def write_value(value: str, known: Known, family: Family) -> bytes:
    """Return the octets of a value, as hex, number, addresses or text.

    Raises:
        ValueProblem: dnsmasq refuses it.
        ValueOpen: it is not told here.
    """
    if known.open:
        raise ValueOpen(f"the value of option {known.code} is not evaluated")
    made = _write(value, known, family)
    if family is Family.IPV4 and len(made) > MOST4:
        raise ValueProblem(f"dnsmasq takes {MOST4} octets of an option, this one has {len(made)}")
    return made


def _write(value: str, known: Known, family: Family) -> bytes:
    six = family is Family.IPV6
    digits = re.search("[0-9]", value) is not None
    address4 = digits and re.fullmatch(r"[0-9., ]+|[0-9.,][0-9., /]*", value) is not None
    address6 = re.fullmatch(r"[0-9A-Fa-f:.,\[\] ]+", value) is not None and ":" in value
    if known.addresses:
        if not six and (not address4 or "." not in value):
            raise ValueProblem(f"{octets(value)[:40]!r} is not an IPv4 address")
        if six and not address6:
            raise ValueProblem(f"{octets(value)[:40]!r} is not an IPv6 address")
    elif known.name:
        return octets(value)
    elif re.fullmatch(r"[0-9A-Fa-f:]+", value) and ":" in value:
        return _hex(value)
    elif re.fullmatch(r"-?[0-9-]+[bsi]?", value):
        return _number(value, known)
    if address4 and not six:
        return _addresses4(value)
    if address6 and six:
        return b"".join(_address6(part) for part in value.split(","))
    return octets(value)


def _hex(value: str) -> bytes:
    # An empty part gives no octet, but its place is counted: what stands there is not told.
    parts = value.split(":")
    if not all(0 < len(part) <= 2 for part in parts):
        raise ValueOpen(f"{value[:40]}: hex that is not in pairs")
    return bytes(int(part, 16) for part in parts)


def _number(value: str, known: Known) -> bytes:
    width = {"b": 1, "s": 2, "i": 4}.get(value[-1], 0)
    found = re.match(r"-?[0-9]{1,10}", value)
    if found is None or (found.group() != value.rstrip("bsi")):
        raise ValueOpen(f"{value[:40]} is not evaluated as a number")
    number = int(found.group()) & 0xFFFFFFFF
    if not width:
        width = known.width or (4 if number >> 16 else 2 if number >> 8 else 1)
    return (number & ((1 << 8 * width) - 1)).to_bytes(width, "big")


def _addresses4(value: str) -> bytes:
    made = b""
    for part in value.split(","):
        text = part.strip(" ")
        if "/" in text:
            raise ValueOpen(f"{text[:40]}: networks are not evaluated")
        try:
            made += IPv4Address(text).packed
        except AddressValueError as error:
            raise ValueProblem(f"{text[:40]!r} is not an IPv4 address") from error
    return made


def _address6(part: str) -> bytes:
    text = part.strip(" ").removeprefix("[").removesuffix("]")
    try:
        return IPv6Address(text).packed
    except AddressValueError as error:
        raise ValueProblem(f"{text[:40]!r} is not an IPv6 address") from error
