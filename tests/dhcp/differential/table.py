"""Configurations that people write, each with what a real server was seen to do with it.

The places of the table are those in which the check was wrong once, and what lies around them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dhcp.differential.kea_files import ADDRESS, CLIENT_ID, CODE, DUID, FIRST, MAC, SECOND, framed

KNOWN_ONLY = [{"name": "DROP", "test": "member('UNKNOWN')"}]
LIST = framed(FIRST)
BOTH = framed(FIRST, SECOND)
COLONS = bytes.fromhex(LIST).hex(":")
GOOD = "usable"
REFUSED, SILENT = "refused", "silent"
NO_LIST, BAD_LIST, SERVERS = "dhcp-no-redirect", "dhcp-bad-redirect", "dhcp-multiple-name-servers"


def kea(version: int = 4, host: Any = None, subnet: Any = None, **top: Any) -> dict[str, Any]:
    """A Kea configuration around one reservation; the socket and the interface come later."""
    address = {4: {"ip-address": ADDRESS[4]}, 6: {"ip-addresses": [ADDRESS[6]]}}[version]
    row = {"hw-address": MAC, **address} | (host or {})
    base: dict[str, Any] = {"id": 1, "subnet": {4: "10.0.0.0/24", 6: "2001:db8::/64"}[version]}
    if version == 6:
        base["interface"] = "bridge0"
    base |= {"reservations": [row], **(subnet or {})}
    made = {"client-classes": KNOWN_ONLY, f"subnet{version}": [base]} | top
    return {key: value for key, value in made.items() if value is not None}


def opt(data: str, version: int = 4, **more: Any) -> dict[str, Any]:
    return {"code": CODE[version], "csv-format": False, "data": data, **more}


def has(data: str, version: int = 4, **more: Any) -> dict[str, Any]:
    return {"option-data": [opt(data, version, **more)]}


def defined(kind: str, data: str, version: int = 4, **more: Any) -> dict[str, Any]:
    row = {"name": "list", "code": CODE[version], "type": kind, **more}
    return {"option-def": [row], "option-data": [{"name": "list", "data": data}]}


def classed(*classes: Mapping[str, Any]) -> dict[str, Any]:
    return {"client-classes": [*classes, *KNOWN_ONLY]}


def dns(*servers: str) -> dict[str, Any]:
    return {"name": "domain-name-servers", "data": ", ".join(servers)}


POOL = {"pools": [{"pool": "10.0.0.100-10.0.0.110"}]}
ONE = dns("10.0.0.53")
TWO = dns("10.0.0.53", "10.0.0.54")
LISTED = {"name": "xr", **has(LIST)}

KEA4: dict[str, tuple[dict[str, Any], str]] = {
    "code and hex": (kea(host=has(LIST)), GOOD),
    "two servers": (kea(host=has(BOTH)), GOOD),
    "colon hex": (kea(host=has(COLONS)), GOOD),
    "hex with blanks": (kea(host=has(COLONS.replace(":", " "))), GOOD),
    "no list": (kea(), NO_LIST),
    "cut list": (kea(host=has("0016")), BAD_LIST),
    "literal in quotes": (kea(host=has(f"'{FIRST}'")), GOOD),
    "no hex": (kea(host=has("zz")), REFUSED),
    "no csv-format in a subnet": (
        kea(subnet={"option-data": [{"code": 143, "data": LIST}]}),
        GOOD,
    ),
    "no csv-format in the global place": (
        kea(**{"option-data": [{"code": 143, "data": LIST}]}),
        REFUSED,
    ),
    "the name of later releases": (
        kea(**{"option-data": [{"name": "v4-sztp-redirect", "data": FIRST}]}),
        REFUSED,
    ),
    "string": (kea(**defined("string", FIRST)), GOOD),
    "string cut at a comma that hides nothing": (
        kea(**defined("string", f"{FIRST},no uri")),
        GOOD,
    ),
    "string cut at a comma that hides the server": (
        kea(**defined("string", f"no uri,{FIRST}")),
        BAD_LIST,
    ),
    "string with an escaped comma": (kea(**defined("string", f"{FIRST}\\,{SECOND}")), GOOD),
    "tuple": (kea(**defined("tuple", FIRST)), GOOD),
    "tuple with an escaped comma": (kea(**defined("tuple", f"{FIRST}\\,{SECOND}")), BAD_LIST),
    "tuple array": (kea(**defined("tuple", f"{FIRST},{SECOND}", array=True)), GOOD),
    "record": (
        kea(**defined("record", f"22, {FIRST}", **{"record-types": "uint16,string"})),
        GOOD,
    ),
    "record with a wrong length": (
        kea(**defined("record", f"99, {FIRST}", **{"record-types": "uint16,string"})),
        BAD_LIST,
    ),
    "array of strings": (kea(**defined("string", FIRST, array=True)), REFUSED),
    "of two options the last": (
        kea(host={"option-data": [opt("0000"), opt(LIST)]}),
        GOOD,
    ),
    "of two options the last, which is wrong": (
        kea(host={"option-data": [opt(LIST), opt("0000")]}),
        BAD_LIST,
    ),
    "another space": (kea(host=has(LIST, space="vendor-9")), NO_LIST),
    "a reservation before its class": (
        kea(host={**has("0000"), "client-classes": ["xr"]}, **classed(LISTED)),
        BAD_LIST,
    ),
    "the class of a reservation": (kea(host={"client-classes": ["xr"]}, **classed(LISTED)), GOOD),
    "the class of another reservation": (kea(**classed(LISTED)), NO_LIST),
    "a class by test": (kea(**classed({**LISTED, "test": "option[61].exists"})), GOOD),
    "a class by a test that fails": (
        kea(**classed({**LISTED, "test": "option[143].exists"})),
        NO_LIST,
    ),
    "a class by another's": (
        kea(**classed({"name": "a", "test": "member('ALL')"}, {**LISTED, "test": "member('a')"})),
        GOOD,
    ),
    "a class by its vendor": (
        kea(**classed({**LISTED, "test": "substring(option[60].hex,0,5) == 'bootz'"})),
        GOOD,
    ),
    "a class by a known router": (kea(**classed({**LISTED, "test": "member('KNOWN')"})), GOOD),
    "a class on demand": (
        kea(
            subnet={"require-client-classes": ["xr"]},
            **classed({**LISTED, "test": "option[61].exists", "only-if-required": True}),
        ),
        GOOD,
    ),
    "a class on demand that no place asks for": (
        kea(**classed({**LISTED, "test": "option[61].exists", "only-if-required": True})),
        NO_LIST,
    ),
    "a class without a test on demand": (
        kea(subnet={"require-client-classes": ["xr"]}, **classed(LISTED)),
        NO_LIST,
    ),
    "a class that is not defined before": (
        kea(**classed({**LISTED, "test": "member('later')"}, {"name": "later"})),
        REFUSED,
    ),
    "dropped by a class": (
        kea(host=has(LIST), **{"client-classes": [{"name": "DROP", "test": "member('ALL')"}]}),
        SILENT,
    ),
    "a subnet for others": (kea(host=has(LIST), subnet={"client-class": "nowhere"}), SILENT),
    "two name-servers": (kea(host={"option-data": [opt(LIST), TWO]}), SERVERS),
    "two name-servers farther away": (
        kea(host={"option-data": [opt(LIST), ONE]}, **{"option-data": [TWO]}),
        GOOD,
    ),
    "two name-servers in a class": (
        kea(
            host=has(LIST),
            **classed({"name": "a", "test": "member('ALL')", "option-data": [TWO]}),
        ),
        SERVERS,
    ),
    "two name-servers in a class behind the subnet's one": (
        kea(
            host=has(LIST),
            subnet={"option-data": [ONE]},
            **classed({"name": "a", "test": "member('ALL')", "option-data": [TWO]}),
        ),
        GOOD,
    ),
    "a name without name-server": (kea(host=has(framed("bootz://h.example"))), BAD_LIST),
    "a boot file that always goes out, from elsewhere": (
        kea(
            host={"option-data": [opt(LIST), {"name": "boot-file-name", "data": "a"}]},
            **{"option-data": [{"name": "boot-file-name", "data": "b", "always-send": True}]},
        ),
        GOOD,
    ),
    "an address twice": (
        kea(
            subnet={
                "reservations": [
                    {"hw-address": MAC, "ip-address": "10.0.0.12", **has(LIST)},
                    {"hw-address": "02:00:00:00:00:99", "ip-address": "10.0.0.12"},
                ]
            }
        ),
        REFUSED,
    ),
    "an address twice, allowed": (
        kea(
            subnet={
                "reservations": [
                    {"hw-address": MAC, "ip-address": "10.0.0.12", **has(LIST)},
                    {"client-id": CLIENT_ID, "ip-address": "10.0.0.12"},
                ]
            },
            **{"ip-reservations-unique": False},
        ),
        GOOD,
    ),
    "the first identifier counts": (
        kea(
            subnet={
                "reservations": [
                    {"hw-address": MAC, "ip-address": "10.0.0.12", **has(LIST)},
                    {"client-id": CLIENT_ID, "ip-address": "10.0.0.12"},
                ]
            },
            **{
                "ip-reservations-unique": False,
                "host-reservation-identifiers": ["client-id", "hw-address"],
            },
        ),
        NO_LIST,
    ),
    "a MAC with hyphens": (
        kea(host={"hw-address": MAC.replace(":", "-"), **has(LIST)}),
        REFUSED,
    ),
    "a MAC without colons": (kea(host={"hw-address": MAC.replace(":", ""), **has(LIST)}), GOOD),
    "identifiers that are not looked at": (
        kea(host=has(LIST), **{"host-reservation-identifiers": ["client-id"]}),
        SILENT,
    ),
    "reservations that are not looked at": (
        kea(host=has(LIST), subnet={"reservations-in-subnet": False}),
        SILENT,
    ),
    "a global reservation": (
        kea(
            subnet={"reservations": [], "reservations-global": True},
            reservations=[{"hw-address": MAC, "ip-address": "10.0.0.12", **has(LIST)}],
        ),
        GOOD,
    ),
    "a global reservation that is not looked at": (
        kea(
            subnet={"reservations": []},
            reservations=[{"hw-address": MAC, "ip-address": "10.0.0.12", **has(LIST)}],
        ),
        SILENT,
    ),
    "a reservation without an address": (
        kea(subnet={"reservations": [{"hw-address": MAC, **has(LIST)}]}),
        SILENT,
    ),
    "a reservation without an address, and a pool": (
        kea(subnet={"reservations": [{"hw-address": MAC, **has(LIST)}], **POOL}),
        GOOD,
    ),
    "a pool for everybody": (
        kea(subnet={"reservations": [], **POOL, **has(LIST)}, **{"client-classes": None}),
        GOOD,
    ),
    "a pool for known routers": (
        kea(
            subnet={
                "reservations": [{"hw-address": MAC, **has(LIST)}],
                "pools": [{"pool": "10.0.0.100-10.0.0.110", "client-class": "KNOWN"}],
            }
        ),
        GOOD,
    ),
    "an address outside": (kea(host={"ip-address": "10.9.9.9", **has(LIST)}), REFUSED),
    "a subnet with the bits of a host": (
        kea(host=has(LIST), subnet={"subnet": "10.0.0.1/24"}),
        GOOD,
    ),
    "a misspelt keyword": (kea(host={**has(LIST), "ip-adress": "10.0.0.12"}), REFUSED),
    "a number as text": (kea(host=has(LIST), **{"valid-lifetime": "3600"}), REFUSED),
    "a shared network": (
        kea(
            subnet4=None,
            **{
                "shared-networks": [
                    {
                        "name": "net",
                        **has(LIST),
                        "subnet4": [
                            {"id": 2, "subnet": "10.0.1.0/24"},
                            {
                                "id": 1,
                                "subnet": "10.0.0.0/24",
                                "reservations": [{"hw-address": MAC, "ip-address": "10.0.0.12"}],
                            },
                        ],
                    }
                ]
            },
        ),
        GOOD,
    ),
    "no subnet": (kea(subnet4=None), SILENT),
}

SIX = {"duid": DUID, "ip-addresses": [ADDRESS[6]]}
NUL = {"duid": f"{DUID}00", "ip-addresses": [ADDRESS[6]]}


def known6(**more: Any) -> dict[str, Any]:
    """Reservations for both DUIDs that the router may send."""
    rows = [{**SIX, **more}, {**NUL, **more}]
    return kea(6, subnet={"reservations": rows}, **{"ip-reservations-unique": False})


KEA6: dict[str, tuple[dict[str, Any], str]] = {
    "code and hex": (known6(**has(LIST, 6)), GOOD),
    "one of two DUIDs": (kea(6, subnet={"reservations": [{**SIX, **has(LIST, 6)}]}), GOOD),
    "a MAC by the link-local address": (kea(6, host=has(LIST, 6)), GOOD),
    "a MAC by the DUID alone": (kea(6, host=has(LIST, 6), **{"mac-sources": ["duid"]}), SILENT),
    "tuple array": (
        known6() | defined("tuple", f"{FIRST},{SECOND}", 6, array=True),
        GOOD,
    ),
    "string": (known6() | defined("string", FIRST, 6), GOOD),
    "no address": (kea(6, subnet={"reservations": []}, **{"client-classes": None}), "dhcp-refused"),
    "two name-servers": (
        known6(
            **{
                "option-data": [
                    opt(LIST, 6),
                    {"name": "dns-servers", "data": "2001:db8::53, 2001:db8::54"},
                ]
            }
        ),
        SERVERS,
    ),
    "no interface": (
        {**(made := known6(**has(LIST, 6))), "subnet6": [
            {key: value for key, value in made["subnet6"][0].items() if key != "interface"}
        ]},
        SILENT,
    ),
}  # fmt: skip

NET4 = "subnet 10.0.0.0 netmask 255.255.255.0"
NET6 = "subnet6 2001:db8::/64"


def isc(host: str = "", *, top: str = "", net: str = "", kind: str = "string") -> str:
    return (
        f"option sztp code 143 = {kind};\nping-check off;\ndeny unknown-clients;\n{top}\n"
        f"{NET4} {{ {net} }}\n"
        f"host a {{ hardware ethernet {MAC}; fixed-address 10.0.0.12; {host} }}\n"
    )


HOST = f"option sztp {COLONS};"

ISC4: dict[str, tuple[str, str]] = {
    "colon hex": (isc(HOST), GOOD),
    "concat": (isc(f'option sztp = concat(encode-int(22,16),"{FIRST}");'), GOOD),
    "record": (isc(f'option sztp 22 "{FIRST}";', kind="{ unsigned integer 16, text }"), GOOD),
    "record with a wrong length": (
        isc(f'option sztp 99 "{FIRST}";', kind="{ unsigned integer 16, text }"),
        BAD_LIST,
    ),
    "text": (isc(f'option sztp "{FIRST}";', kind="text"), GOOD),
    "a host before its subnet": (isc(HOST, net="option sztp 00:00;"), GOOD),
    "a subnet before what is around it": (isc(net=HOST, top="option sztp 00:00;"), GOOD),
    "a condition that holds": (
        isc(net=f"if exists dhcp-client-identifier {{ {HOST} }}"),
        GOOD,
    ),
    "a condition that fails": (isc(net=f"if exists sztp {{ {HOST} }}"), NO_LIST),
    "else": (isc(net=f"if exists sztp {{ option sztp 00:00; }} else {{ {HOST} }}"), GOOD),
    "a condition on the vendor": (
        isc(net=f'if substring(option vendor-class-identifier,0,5)="Cisco" {{ {HOST} }}'),
        NO_LIST,
    ),
    "a class": (isc(top=f'class "c" {{ match if exists dhcp-client-identifier; {HOST} }}'), GOOD),
    "a class for known routers, of which none is known yet": (
        isc(top=f'class "c" {{ match if known; {HOST} }}'),
        NO_LIST,
    ),
    "a subclass": (
        isc(top=f'class "c" {{ match hardware; }} subclass "c" 1:{MAC} {{ {HOST} }}'),
        GOOD,
    ),
    "a group": (
        isc(top=f"group {{ {HOST} host b {{ hardware ethernet 02:00:00:00:00:01; }} }}"),
        NO_LIST,
    ),
    "two name-servers": (
        isc(f"{HOST} option domain-name-servers 10.0.0.5, 10.0.0.6;"),
        SERVERS,
    ),
    "two name-servers that the host replaces": (
        isc(
            f"{HOST} option domain-name-servers 10.0.0.5;",
            top="option domain-name-servers 10.0.0.5, 10.0.0.6;",
        ),
        GOOD,
    ),
    "what the client asks for is replaced": (
        isc(f"{HOST} option dhcp-parameter-request-list 1,3,6;"),
        NO_LIST,
    ),
    "booting is denied": (isc(f"{HOST} deny booting;"), SILENT),
    "an address on no link": (isc(HOST).replace("10.0.0.12", "10.0.9.12"), SILENT),
    "unknown": (isc(net=f"{HOST} range 10.0.0.100 10.0.0.110;").replace(MAC, "02:00:00:00:00:01"),
                SILENT),
    "a pool for everybody": (
        isc(net=f"{HOST} range 10.0.0.100 10.0.0.110; allow unknown-clients;").replace(
            MAC, "02:00:00:00:00:01"
        ),
        GOOD,
    ),
    "used before it is defined": (f"{HOST}\n{isc()}", REFUSED),
    "a host twice": (isc(HOST) + isc(HOST).splitlines()[-1], REFUSED),
    "a semicolon is missing": (isc(HOST).replace("10.0.0.12;", "10.0.0.12"), REFUSED),
    "a misspelt word": (isc(HOST, top="optoin routers 10.0.0.1;"), REFUSED),
    "no subnet": (isc(HOST).replace(NET4, NET4.replace("10.0.0.0", "10.7.0.0")), REFUSED),
}  # fmt: skip


def isc6(host: str = "", *, top: str = "", net: str = "", kind: str = "text") -> str:
    names = "".join(
        f"host {name} {{ host-identifier option dhcp6.client-id {duid.hex(':')};"
        f" fixed-address6 2001:db8::12; {host} }}\n"
        for name, duid in (("a", bytes.fromhex(DUID)), ("b", bytes.fromhex(DUID) + b"\0"))
    )
    return f"option dhcp6.sztp code 136 = {kind};\n{top}\n{NET6} {{ {net} }}\n{names}"


HOST6 = f"option dhcp6.sztp {COLONS};"
TEXT6 = f'option dhcp6.sztp "{FIRST}";'

ISC6: dict[str, tuple[str, str]] = {
    "text on a subnet": (isc6(net=TEXT6), GOOD),
    "colon hex": (isc6(HOST6, kind="string"), GOOD),
    "text in the global place": (isc6(top=TEXT6), GOOD),
    "no list": (isc6(), NO_LIST),
    "no host": (f"option dhcp6.sztp code 136 = text;\n{NET6} {{ {TEXT6} }}\n", "dhcp-refused"),
    "a range": (
        (
            f"option dhcp6.sztp code 136 = text;\n{NET6} {{ {TEXT6} range6 2001:db8::100"
            " 2001:db8::110; }\n"
        ),
        GOOD,
    ),
}

RANGE = "dhcp-range=10.0.0.0,static,255.255.255.0"


def mask(*lines: str, host: str = f"dhcp-host={MAC},set:r,10.0.0.12", known: bool = True) -> str:
    ignore = ["dhcp-ignore=tag:!known"] if known else []
    return "\n".join([*ignore, RANGE, host, *lines]) + "\n"


OPTION = f"143,{COLONS}"

DNSMASQ4: dict[str, tuple[str, str]] = {
    "colon hex": (mask(f"dhcp-option={OPTION}"), GOOD),
    "by the tag of the host": (mask(f"dhcp-option=tag:r,{OPTION}"), GOOD),
    "by another tag": (mask(f"dhcp-option=tag:other,{OPTION}", "tag-if=set:other,tag:!known"),
                       NO_LIST),
    "by a match": (mask("dhcp-match=set:x,61", f"dhcp-option=tag:x,{OPTION}"), GOOD),
    "by a match that fails": (mask("dhcp-match=set:x,143", f"dhcp-option=tag:x,{OPTION}"), NO_LIST),
    "by tags of tags": (mask("tag-if=set:x,tag:r,tag:known", f"dhcp-option=tag:x,{OPTION}"), GOOD),
    "by what is not there": (mask(f"dhcp-option=tag:!x,{OPTION}", "tag-if=set:x,tag:!known"), GOOD),
    "by a MAC": (mask(f"dhcp-mac=set:x,{MAC}", f"dhcp-option=tag:x,{OPTION}"), GOOD),
    "by the vendor": (mask("dhcp-vendorclass=set:x,bootz", f"dhcp-option=tag:x,{OPTION}"), GOOD),
    "a tagged one first": (mask("dhcp-option=143,00:00", f"dhcp-option=tag:r,{OPTION}"), GOOD),
    "of two the last": (mask("dhcp-option=143,00:00", f"dhcp-option={OPTION}"), GOOD),
    "of two the last, which is wrong": (mask(f"dhcp-option={OPTION}", "dhcp-option=143,00:00"),
                                        BAD_LIST),
    "text": (mask(f"dhcp-option=143,{FIRST}"), GOOD),
    "text in quotes": (mask(f'dhcp-option=143,"{FIRST}"'), GOOD),
    "hex in quotes is text": (mask(f'dhcp-option=143,"{COLONS}"'), BAD_LIST),
    "two servers as text": (mask(f"dhcp-option=143,{FIRST},{SECOND}"), GOOD),
    "a number": (mask("dhcp-option=143,22"), BAD_LIST),
    "nothing": (mask("dhcp-option=143"), BAD_LIST),
    "two name-servers": (mask(f"dhcp-option={OPTION}", "dhcp-option=6,10.0.0.5,10.0.0.6"), SERVERS),
    "itself as name-server": (mask("dhcp-option=143," + bytes.fromhex(
        framed("bootz://h.example")).hex(":")), GOOD),
    "no name-server": (mask("dhcp-option=143," + bytes.fromhex(
        framed("bootz://h.example")).hex(":"), "dhcp-option=6"), BAD_LIST),
    "ignored": (mask(f"dhcp-option={OPTION}", host=f"dhcp-host={MAC},ignore"), SILENT),
    "unknown": (mask(f"dhcp-option={OPTION}", host="dhcp-host=02:00:00:00:00:01,10.0.0.12"),
                SILENT),
    "no address": (mask(f"dhcp-option={OPTION}", host=f"dhcp-host={MAC}"), SILENT),
    "a client-id as text": (mask(f"dhcp-option={OPTION}",
                                 host="dhcp-host=id:FOC12345678,10.0.0.12"), GOOD),
    "a range for everybody": (mask("dhcp-range=10.0.0.100,10.0.0.110", f"dhcp-option={OPTION}",
                                   host="", known=False), GOOD),
    "an address twice": (mask(f"dhcp-option={OPTION}", f"dhcp-host=02:00:00:00:00:01,{ADDRESS[4]}"),
                         REFUSED),
    "too long": (mask("dhcp-option=143," + ":".join(["00"] * 256)), REFUSED),
    "a misspelt word": (mask(f"dhcp-optoin={OPTION}"), REFUSED),
}  # fmt: skip

HOST_SIX = f"dhcp-host=id:{bytes.fromhex(DUID).hex(':')},set:r,[2001:db8::12]"
RANGE_SIX = "dhcp-range=2001:db8::,static,64"

DNSMASQ6: dict[str, tuple[str, str]] = {
    "by a MAC": (f"{RANGE_SIX}\ndhcp-host={MAC},[2001:db8::12]\ndhcp-option=option6:136,{COLONS}\n",
                 GOOD),
    "by a DUID": (f"{RANGE_SIX}\n{HOST_SIX}\ndhcp-option=tag:r,option6:136,{COLONS}\n", GOOD),
    "a range of the interface's prefix": (
        (f"dhcp-range=::,static,constructor:bridge0,64\n{HOST_SIX}\n"
        f"dhcp-option=option6:136,{COLONS}\n"),
        GOOD,
    ),
    "the end of an address": (
        f"{RANGE_SIX}\ndhcp-host={MAC},[::12]\ndhcp-option=option6:136,{COLONS}\n",
        GOOD,
    ),
    "a stateless range": (
        f"dhcp-range=2001:db8::,ra-stateless\n{HOST_SIX}\ndhcp-option=option6:136,{COLONS}\n",
        GOOD,
    ),
    "an option of the other family": (f"{RANGE_SIX}\n{HOST_SIX}\ndhcp-option={OPTION}\n", NO_LIST),
}  # fmt: skip

TABLES: dict[tuple[str, int], Mapping[str, tuple[Any, str]]] = {
    ("kea", 4): KEA4,
    ("kea", 6): KEA6,
    ("isc", 4): ISC4,
    ("isc", 6): ISC6,
    ("dnsmasq", 4): DNSMASQ4,
    ("dnsmasq", 6): DNSMASQ6,
}


def rows() -> Iterator[tuple[str, int, str]]:
    """Return the form, the family and the name of every row."""
    for (form, version), table in TABLES.items():
        for name in table:
            yield form, version, name


def text_of(form: str, version: int, name: str, base: Mapping[str, Any]) -> str:
    """Return a file; ``base`` is what Kea needs where it runs."""
    made, _ = TABLES[form, version][name]
    if form != "kea":
        return str(made)
    return json.dumps({f"Dhcp{version}": {**base, **made}}, indent=1)


def wanted(form: str, version: int, name: str) -> str:
    """Return what a router gets."""
    return TABLES[form, version][name][1]
