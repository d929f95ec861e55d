"""The options that Kea defines itself: name, code and type.

Those of the bootstrap servers are not among them: releases before 2.3.6 do not know them.
Source: Kea Administrator Reference Manual, "List of Standard DHCPv4 Options" and "... DHCPv6 ...".
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bootz.protocol.dhcp_offer import Family


@dataclass(frozen=True, slots=True)
class Definition:
    """How an option's data is written: a type, of a record its fields; ``array``: several."""

    name: str
    code: int
    kind: str
    array: bool = False
    fields: tuple[str, ...] = ()
    own: bool = False
    """It is defined by Kea itself, not of the file."""


_FOUR: Final = {
    "binary": (
        "dhcp-client-identifier=61 nwip-suboptions=63 user-class=77 authenticate=90 "
        "geoconf-civic=99"
    ),
    "boolean": (
        "ip-forwarding=19 non-local-source-routing=20 all-subnets-local=27 "
        "perform-mask-discovery=29 mask-supplier=30 router-discovery=31 "
        "trailer-encapsulation=34 ieee802-3-encapsulation=36 tcp-keepalive-garbage=39"
    ),
    "empty": "dhcp-agent-options=82 cablelabs-client-conf=122",
    "fqdn": "v4-lost=137 v4-access-domain=213",
    "fqdn[]": "bcms-controller-names=88 domain-search=119 sip-ua-cs-domains=141",
    "int32": "time-offset=2",
    "internal": "classless-static-route=121 v4-dnr=162",
    "ipv4-address": (
        "subnet-mask=1 swap-server=16 broadcast-address=28 router-solicitation-address=32 "
        "dhcp-requested-address=50 dhcp-server-identifier=54 subnet-selection=118"
    ),
    "ipv4-address[]": (
        "routers=3 time-servers=4 name-servers=5 domain-name-servers=6 log-servers=7 "
        "cookie-servers=8 lpr-servers=9 impress-servers=10 resource-location-servers=11 "
        "policy-filter=21 static-routes=33 nis-servers=41 ntp-servers=42 "
        "netbios-name-servers=44 netbios-dd-server=45 font-servers=48 x-display-manager=49 "
        "nisplus-servers=65 mobile-ip-home-agent=68 smtp-server=69 pop-server=70 nntp-server=71 "
        "www-server=72 finger-server=73 irc-server=74 streettalk-server=75 "
        "streettalk-directory-assistance-server=76 nds-servers=85 bcms-controller-address=89 "
        "associated-ip=92 netinfo-server-address=112 pana-agent=136 capwap-ac-v4=138"
    ),
    "record": (
        "slp-service-scope=79 fqdn=81 client-ndi=94 uuid-guid=97 vivco-suboptions=124 "
        "status-code=151 v4-portparams=159"
    ),
    "record[]": "slp-directory-agent=78 rdnss-selection=146 option-6rd=212",
    "string": (
        "host-name=12 merit-dump=14 domain-name=15 root-path=17 extensions-path=18 "
        "nis-domain=40 netbios-scope=47 dhcp-message=56 vendor-class-identifier=60 "
        "nwip-domain-name=62 nisplus-domain-name=64 tftp-server-name=66 boot-file-name=67 "
        "nds-tree-name=86 nds-context=87 uap-servers=98 pcode=100 tcode=101 "
        "netinfo-server-tag=113 v4-captive-portal=114"
    ),
    "uint16": ("boot-size=13 max-dgram-reassembly=22 interface-mtu=26 dhcp-max-message-size=57"),
    "uint16[]": "path-mtu-plateau-table=25 client-system=93 name-service-search=117",
    "uint32": (
        "path-mtu-aging-timeout=24 arp-cache-timeout=35 tcp-keepalive-interval=38 "
        "dhcp-lease-time=51 dhcp-renewal-time=58 dhcp-rebinding-time=59 "
        "client-last-transaction-time=91 v6-only-preferred=108 vivso-suboptions=125 "
        "base-time=152 start-time-of-state=153 query-start-time=154 query-end-time=155"
    ),
    "uint8": (
        "default-ip-ttl=23 default-tcp-ttl=37 netbios-node-type=46 dhcp-option-overload=52 "
        "dhcp-message-type=53 auto-config=116 dhcp-state=156 data-source=157"
    ),
    "uint8[]": "dhcp-parameter-request-list=55",
}
_SIX: Final = {
    "binary": (
        "clientid=1 serverid=2 relay-msg=9 auth=11 user-class=15 interface-id=18 "
        "subscriber-id=38 relay-id=53 client-linklayer-addr=79 dhcpv4-message=87"
    ),
    "empty": (
        "rapid-commit=14 reconf-accept=20 client-data=45 ntp-server=56 rsoo=66 s46-cont-mape=94 "
        "s46-cont-mapt=95 s46-cont-lw=96 addr-reg-enable=148"
    ),
    "fqdn": "v6-lost=51 v6-access-domain=57 aftr-name=64",
    "fqdn[]": (
        "sip-server-dns=21 domain-search=24 nis-domain-name=29 nisp-domain-name=30 "
        "bcmcs-server-dns=33 sip-ua-cs-list=58"
    ),
    "internal": "v6-dnr=144",
    "ipv6-address": "unicast=12 link-address=80",
    "ipv6-address[]": (
        "sip-server-addr=22 dns-servers=23 nis-servers=27 nisp-servers=28 sntp-servers=31 "
        "bcmcs-server-addr=34 pana-agent=40 lq-client-link=48 capwap-ac-v6=52 "
        "dhcp4o6-server-addr=88 ipv6-address-andsf=143"
    ),
    "ipv6-prefix": "pd-exclude=67",
    "record": (
        "ia-na=3 iaaddr=5 status-code=13 vendor-class=16 ia-pd=25 iaprefix=26 geoconf-civic=36 "
        "remote-id=37 client-fqdn=39 lq-query=44 lq-relay-data=47 nii=62"
    ),
    "record[]": "rdnss-selection=74",
    "string": ("new-posix-timezone=41 new-tzdb-timezone=42 bootfile-url=59 v6-captive-portal=103"),
    "tuple[]": "bootfile-param=60",
    "uint16": "elapsed-time=8 relay-source-port=135",
    "uint16[]": "oro=6 ero=43 client-arch-type=61",
    "uint32": (
        "ia-ta=4 vendor-opts=17 information-refresh-time=32 clt-time=46 solmax-rt=82 inf-max-rt=83"
    ),
    "uint8": "preference=7 reconf-msg=19",
}


def _table(rows: dict[str, str]) -> dict[str, Definition]:
    found = {}
    for kind, words in rows.items():
        for word in words.split():
            name, code = word.split("=")
            array = kind.endswith("[]")
            found[name] = Definition(name, int(code), kind.removesuffix("[]"), array, own=True)
    return found


STANDARD: Final = MappingProxyType({Family.IPV4: _table(_FOUR), Family.IPV6: _table(_SIX)})
"""Kea's own definitions by name."""
