"""The options that dhcpd defines itself: name, code and the types of their fields.

``[]`` behind the types: they come again; ``other``: a type that is not evaluated here.
Source: dhcp-options(5).
"""

from types import MappingProxyType
from typing import Final

from bootz.protocol.dhcp_offer import Family

_FOUR: Final = {
    "boolean": (
        "ip-forwarding=19 non-local-source-routing=20 all-subnets-local=27 "
        "perform-mask-discovery=29 mask-supplier=30 router-discovery=31 "
        "trailer-encapsulation=34 ieee802-3-encapsulation=36 tcp-keepalive-garbage=39"
    ),
    "integer 16": (
        "boot-size=13 max-dgram-reassembly=22 interface-mtu=26 dhcp-max-message-size=57"
    ),
    "integer 16[]": "path-mtu-plateau-table=25",
    "integer 32": (
        "time-offset=2 path-mtu-aging-timeout=24 arp-cache-timeout=35 tcp-keepalive-interval=38 "
        "dhcp-lease-time=51 dhcp-renewal-time=58 dhcp-rebinding-time=59 "
        "client-last-transaction-time=91 v6-only-preferred=108 loader-reboottime=211"
    ),
    "integer 8": (
        "default-ip-ttl=23 default-tcp-ttl=37 netbios-node-type=46 dhcp-option-overload=52 "
        "dhcp-message-type=53 auto-config=116"
    ),
    "integer 8, integer 8, integer 16": "v4-portparams=159",
    "integer 8, integer 8, integer 8": "pxe-interface-id=94",
    "integer 8, integer 8, integer 8, integer 8": "pxelinux-magic=208",
    "integer 8, string": "pxe-client-id=97",
    "integer 8[]": "dhcp-parameter-request-list=55",
    "ip-address": (
        "subnet-mask=1 swap-server=16 broadcast-address=28 router-solicitation-address=32 "
        "dhcp-requested-address=50 dhcp-server-identifier=54 subnet-selection=118"
    ),
    "ip-address, ip-address[]": "policy-filter=21 static-routes=33",
    "ip-address[]": (
        "routers=3 time-servers=4 ien116-name-servers=5 domain-name-servers=6 log-servers=7 "
        "cookie-servers=8 lpr-servers=9 impress-servers=10 resource-location-servers=11 "
        "nis-servers=41 ntp-servers=42 netbios-name-servers=44 netbios-dd-server=45 "
        "font-servers=48 x-display-manager=49 nisplus-servers=65 mobile-ip-home-agent=68 "
        "smtp-server=69 pop-server=70 nntp-server=71 www-server=72 finger-server=73 "
        "irc-server=74 streettalk-server=75 streettalk-directory-assistance-server=76 "
        "nds-servers=85 ipv4-address-andsf=142"
    ),
    "other": (
        "vendor-encapsulated-options=43 nwip-suboptions=63 slp-directory-agent=78 "
        "slp-service-scope=79 fqdn=81 relay-agent-information=82 bcms-controller-names=88 "
        "bcms-controller-address=89 associated-ip=92 pxe-system-type=93 "
        "netinfo-server-address=112 name-service-search=117 domain-search=119 vivco=124 "
        "vivso=125 pana-agent=136 v4-lost=137 capwap-ac-v4=138 sip-ua-cs-domains=141 "
        "rdnss-selection=146 tftp-server-address=150 option-6rd=212 v4-access-domain=213"
    ),
    "string": "vendor-class-identifier=60 dhcp-client-identifier=61 geoconf-civic=99",
    "text": (
        "host-name=12 merit-dump=14 domain-name=15 root-path=17 extensions-path=18 "
        "nis-domain=40 netbios-scope=47 dhcp-message=56 nwip-domain=62 nisplus-domain=64 "
        "tftp-server-name=66 bootfile-name=67 user-class=77 nds-tree-name=86 nds-context=87 "
        "uap-servers=98 pcode=100 tcode=101 netinfo-server-tag=113 default-url=114 "
        "v4-captive-portal=160 loader-configfile=209 loader-pathprefix=210"
    ),
}
_SIX: Final = {
    "integer 16": "elapsed-time=8 relay-source-port=135",
    "integer 16[]": "oro=6 ero=43 client-arch-type=61",
    "integer 32": "clt-time=46 solmax-rt=82 inf-max-rt=83",
    "integer 8": "preference=7",
    "integer 8, integer 8, integer 8": "nii=62",
    "ip6-address": "unicast=12 link-address=80",
    "ip6-address, string": "lq-relay-data=47",
    "ip6-address[]": (
        "sip-servers-addresses=22 name-servers=23 nis-servers=27 nisp-servers=28 "
        "sntp-servers=31 bcms-server-a=34 pana-agent=40 lq-client-link=48 "
        "dhcp4-o-dhcp6-server=88 ipv6-address-andsf=143"
    ),
    "other": (
        "status-code=13 rapid-commit=14 vendor-opts=17 reconf-msg=19 reconf-accept=20 "
        "sip-servers-names=21 domain-search=24 nis-domain-name=29 nisp-domain-name=30 "
        "info-refresh-time=32 bcms-server-d=33 fqdn=39 v6-lost=51 capwap-ac-v6=52 "
        "v6-access-domain=57 sip-ua-cs-list=58 aftr-name=64 erp-local-domain-name=65 "
        "rdnss-selection=74"
    ),
    "string": (
        "client-id=1 server-id=2 ia-na=3 ia-ta=4 ia-addr=5 relay-msg=9 interface-id=18 ia-pd=25 "
        "ia-prefix=26 geoconf-civic=36 remote-id=37 subscriber-id=38 lq-query=44 client-data=45 "
        "relay-id=53 bootfile-param=60 client-linklayer-addr=79 dhcpv4-msg=87"
    ),
    "text": ("new-posix-timezone=41 new-tzdb-timezone=42 bootfile-url=59 v6-captive-portal=103"),
}

STANDARD: Final = MappingProxyType({Family.IPV4: _FOUR, Family.IPV6: _SIX})
"""For each family, the types with the options that have them, as ``name=code``."""
