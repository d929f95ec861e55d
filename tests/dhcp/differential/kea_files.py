"""Random configurations of Kea around one router: good, odd, and wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dhcp.differential.dice import Dice
from dhcp.differential.servers import kea_base

SERIAL = "FOC12345678"
MAC = "00:aa:00:00:00:10"
"""Not locally administered: Kea 6 knows no other by its link-local address."""
OTHER_MAC = "02:aa:00:00:00:99"
CLIENT_ID = "00" + SERIAL.encode().hex()
DUID = "000200000009" + SERIAL.encode().hex()
FIRST, SECOND = "bootz://10.0.0.1:15006", "bootz://[2001:db8::1]:15006"
NAME = "bootz://server.example:15006"

ADDRESS = {4: "10.0.0.12", 6: "2001:db8::12"}
NETWORK = {4: "10.0.0.0/24", 6: "2001:db8::/64"}
ELSEWHERE = {4: "10.9.0.0/24", 6: "2001:db8:9::/64"}
NEAR = {4: "10.0.1.0/24", 6: "2001:db8:1::/64"}
POOL = {4: "10.0.0.100-10.0.0.110", 6: "2001:db8::100-2001:db8::110"}
CODE = {4: 143, 6: 136}
SERVERS = {4: "domain-name-servers", 6: "dns-servers"}
NEWER = {4: "v4-sztp-redirect", 6: "v6-sztp-redirect"}


def framed(*uris: str, width: int = 2) -> str:
    return b"".join(len(u).to_bytes(width, "big") + u.encode() for u in uris).hex()


TESTS4 = [
    "option[61].exists",
    "option[60].exists and not option[143].exists",
    "option[143].exists",
    "option[61].hex == 0x" + CLIENT_ID,
    "substring(option[61].hex, 1, 3) == 'FOC'",
    "substring(option[61].hex, -4, all) == '5678'",
    "substring(option[60].hex,0,5) == 'bootz'",
    "substring(option[60].hex,0,5) == 'Cisco'",
    "pkt4.mac == 0x00aa00000010",
    "pkt4.mac == 0x02aa00000099",
    "not (pkt4.mac == 0x02aa00000099)",
    "member('KNOWN')",
    "member('UNKNOWN')",
    "not member('UNKNOWN')",
    "member('KNOWN') and option[61].exists",
    "relay4[1].exists",
    "option[82].exists or option[61].exists",
    "option[77].exists",
    "pkt4.msgtype == 1",
    "hexstring(pkt4.mac, ':') == '00:aa:00:00:00:10'",
    "concat(substring(option[61].hex,1,2),'C') == 'FOC'",
    "member('ALL')",
]
TESTS6 = [
    "option[1].exists",
    "option[1].hex == 0x" + DUID,
    "substring(option[1].hex, 6, 3) == 'FOC'",
    "option[16].exists",
    "vendor-class[9].exists",
    "substring(option[16].hex,6,5) == 'bootz'",
    "option[136].exists",
    "member('KNOWN')",
    "member('UNKNOWN')",
    "not member('UNKNOWN')",
    "relay6[0].option[18].exists",
    "pkt6.msgtype == 1",
    "option[15].exists",
]


class KeaFiles(Dice):
    """A stream of configurations of one family, always the same for a seed."""

    server = "kea"

    def __init__(self, version: int, seed: int, socket: Path) -> None:
        super().__init__(version, seed)
        self.socket = socket

    def one(self) -> dict[str, Any]:
        version = self.version
        root = kea_base(version, self.socket)
        self.classes: list[str] = []
        self.defined = ""
        # Most files are nearly right: a file with many faults shows none of them.
        self.wild = self.chance(30)
        if self.chance(25 if self.wild else 6):
            root["option-def"] = [self.definition()]
        self.options(root, 12)
        classes = self.client_classes()
        if classes:
            root["client-classes"] = classes
        subnets = [self.subnet(NETWORK[version], 1)]
        if self.chance(25):
            subnets.append(self.subnet(ELSEWHERE[version], 2))
        if self.chance(25):
            beside = [*subnets[:1], self.subnet(NEAR[version], 3)]
            self.random.shuffle(beside)
            shared = {"name": "net", f"subnet{version}": beside}
            self.options(shared, 30)
            self.guards(shared, 8)
            if version == 6 and self.chance(90):
                shared["interface"] = "bridge0"
                for each in beside:
                    each.pop("interface", None)
            self.modes(shared, 10 if self.wild else 2)
            root["shared-networks"] = [shared]
            subnets = subnets[1:]
        root[f"subnet{version}"] = subnets
        if self.chance(20):
            root["reservations"] = [self.host(NETWORK[version], True)]
        self.modes(root, 15 if self.wild else 4)
        if self.chance(25):
            root["ip-reservations-unique"] = False
        if self.chance(30):
            kinds = ["hw-address", "client-id", "duid"] if version == 4 else ["hw-address", "duid"]
            self.random.shuffle(kinds)
            root["host-reservation-identifiers"] = kinds[: self.random.randint(1, len(kinds))]
        if version == 6 and self.chance(20):
            root["mac-sources"] = [self.pick("any", "duid", "ipv6-link-local", "rfc6939")]
        if self.wild and self.chance(25):
            self.spoil(root)
        return {f"Dhcp{version}": root}

    def definition(self) -> dict[str, Any]:
        kind = self.pick("string", "tuple", "binary", "record")
        if self.wild:
            kind = self.pick(kind, "uint8", "fqdn", "uint16", "bad")
        row: dict[str, Any] = {"name": "boot", "code": CODE[self.version], "type": kind}
        if kind == "record":
            row["record-types"] = self.pick("uint16,string", "uint8,tuple", "uint16, binary")
        if self.chance(90 if kind == "tuple" else 30 if self.wild else 0):
            row["array"] = self.chance(80)
        if self.wild and self.chance(6):
            row["code"] = self.pick(200, 67, 6)
        self.defined = kind
        return row

    def options(self, holder: dict[str, Any], percent: int) -> None:
        rows: list[dict[str, Any]] = []
        if self.chance(percent):
            rows.append(self.redirect())
        if self.chance(percent):
            rows.append(self.name_servers())
        if self.chance(percent // 4):
            rows.append({"name": "boot-file-name" if self.version == 4 else "bootfile-url"})
            rows[-1]["data"] = "x.bin"
        if self.chance(percent // 8):
            rows.append(self.redirect())
        for row in rows:
            if self.chance(10):
                row["always-send"] = self.chance(50)
        if rows:
            holder["option-data"] = rows

    def redirect(self) -> dict[str, Any]:
        row: dict[str, Any] = {"code": CODE[self.version]}
        if self.defined and self.chance(60):
            if self.chance(40):
                row = {"name": "boot"}
            row["data"] = self.pick(
                FIRST,
                f"{FIRST},{SECOND}",
                f"{FIRST}\\,{SECOND}",
                f"22,{FIRST}",
                f"22 , {FIRST}, {SECOND}",
                framed(FIRST),
                f"'{FIRST}'",
                f" {FIRST} ",
                "0,22,98",
                "",
                NAME,
            )
            if self.chance(15):
                row["csv-format"] = self.chance(50)
            return row
        data = self.pick(*[framed(FIRST)] * 4, framed(FIRST, SECOND))
        if self.chance(50 if self.wild else 10):
            data = self.pick(*ODD, *(BAD if self.wild else ()))
        if self.chance(20) and set(data) <= set("0123456789abcdef"):
            data = ":".join(data[at : at + 2] for at in range(0, len(data), 2))
        row["data"] = data
        if self.chance(60):
            row["csv-format"] = False
        if self.wild and self.chance(10):
            row["space"] = self.pick("dhcp4", "dhcp6", "other", "vendor-9")
        if self.wild and self.chance(10):
            row["name"] = self.pick(NEWER[self.version], "boot", "other")
        return row

    def name_servers(self) -> dict[str, Any]:
        few = {4: ["10.0.0.53", "10.0.0.54"], 6: ["2001:db8::53", "2001:db8::54"]}[self.version]
        count = self.pick(1, 1, 1, 1, 1, 1, 2, 0)
        row: dict[str, Any] = {"name": SERVERS[self.version], "data": ", ".join(few[:count])}
        if self.chance(15):
            del row["name"]
            row["code"] = 6 if self.version == 4 else 23
        if self.chance(5):
            octets = {4: "0a000035", 6: "20010db8000000000000000000000053"}[self.version]
            row |= {"csv-format": False, "data": octets * self.pick(1, 2)}
        return row

    def client_classes(self) -> list[dict[str, Any]]:
        tests = TESTS4 if self.version == 4 else TESTS6
        rows: list[dict[str, Any]] = []
        for name in ("one", "two", "three")[: self.pick(0, 0, 1, 1, 2, 3)]:
            row: dict[str, Any] = {"name": name}
            if self.chance(75):
                row["test"] = self.pick(*tests)
                if self.chance(15):
                    row["test"] = f"{row['test']} {self.pick('and', 'or')} {self.pick(*tests)}"
                if self.classes and self.chance(30):
                    word = self.pick("member", "not member")
                    row["test"] = f"{word}('{self.pick(*self.classes)}')"
            self.options(row, 60)
            if self.chance(12):
                row["only-if-required"] = True
            self.classes.append(name)
            rows.append(row)
        if self.chance(60):
            strange = tests if self.wild else ()
            rows.append({"name": "DROP", "test": self.pick("member('UNKNOWN')", *strange)})
        return rows

    def guards(self, holder: dict[str, Any], percent: int) -> None:
        if self.chance(percent):
            holder["client-class"] = self.pick("KNOWN", "UNKNOWN", "nowhere", *self.classes)
        if self.classes and self.chance(percent):
            holder["require-client-classes"] = [self.pick(*self.classes)]

    def modes(self, holder: dict[str, Any], percent: int) -> None:
        if self.chance(percent):
            for key in ("reservations-global", "reservations-in-subnet"):
                if self.chance(60):
                    holder[key] = self.chance(60)
        elif self.chance(percent // 3):
            holder["reservation-mode"] = self.pick("all", "disabled", "global", "out-of-pool")

    def subnet(self, network: str, number: int) -> dict[str, Any]:
        row: dict[str, Any] = {"id": number, "subnet": network}
        if self.version == 6 and number == 1 and self.chance(95):
            row["interface"] = "bridge0"
        self.options(row, 35)
        self.guards(row, 6)
        self.modes(row, 6 if self.wild else 1)
        if self.chance(30) and number == 1:
            pool = {"pool": POOL[self.version]}
            self.options(pool, 25)
            self.guards(pool, 15)
            row["pools"] = [pool]
        count = self.pick(1, 1, 1, 1, 2) if number == 1 else self.pick(0, 1)
        hosts = [
            self.host(network, number == 1 and (not index or self.wild)) for index in range(count)
        ]
        if hosts and (number > 1 or self.chance(95)):
            row["reservations"] = hosts
        return row

    def host(self, network: str, ours: bool) -> dict[str, Any]:
        row: dict[str, Any] = {}
        kinds = {"hw-address": MAC, "duid": DUID}
        if self.version == 4:
            kinds = {"hw-address": MAC, "client-id": CLIENT_ID}
        kind = self.pick(*kinds)
        row[kind] = kinds[kind]
        if not ours or self.chance(8):
            row = {"hw-address": OTHER_MAC}
        if self.chance(5) and kind == "duid":
            row[kind] = DUID + "00"
        if self.chance(10) and "hw-address" in row:
            row["hw-address"] = self.pick(
                row["hw-address"].upper(), row["hw-address"].replace(":", ""), "0:aa:0:0:0:10"
            )
        base = network.split("/")[0]
        last = "12" if kind in row and ours else "99"
        address = base[:-1] + last if self.version == 4 else base + last
        if self.chance(93):
            if self.version == 4:
                row["ip-address"] = address
            else:
                row["ip-addresses"] = [address]
        self.options(row, 65)
        if self.classes and self.chance(25):
            row["client-classes"] = [self.pick(*self.classes)]
        if self.chance(5):
            row["hostname"] = "r1"
        if self.chance(4) and self.version == 4:
            row["boot-file-name"] = "y.bin"
        return row

    def spoil(self, root: dict[str, Any]) -> None:
        """Make something wrong as people do."""
        subnets = root[f"subnet{self.version}"]
        holder = self.pick(root, *subnets, *(subnets[:1] and subnets[0].get("reservations", ())))
        match self.random.randrange(8):
            case 0:
                holder["reservatoins"] = []
            case 1:
                holder["valid-lifetime"] = "3600"
            case 2:
                holder["option-data"] = [{"name": "no-such-option", "data": "1"}]
            case 3:
                holder["hw-address"] = self.pick("00-aa-00-00-00-10", "00aa.0000.0010", MAC)
            case 4:
                holder["option-data"] = [{"name": SERVERS[self.version], "data": "10.0.0.x"}]
            case 5 if subnets:
                subnets.append(dict(subnets[0]))
            case 6:
                holder["subnet"] = self.pick("10.0.0.0", "10.0.0.0/33", "10.0.0.1/24", 7)
            case _:
                holder["pools"] = [{"pool": self.pick("10.9.9.1-10.9.9.9", "10.0.0.9-10.0.0.1")}]


ODD = [
    framed(FIRST, SECOND),
    framed(FIRST, NAME),
    framed(NAME),
    framed(FIRST, width=1),
    FIRST.encode().hex(),
    f"'{FIRST}'",
    f"'{FIRST},{SECOND}'",
    framed(f"{FIRST}/grpc"),
    framed(FIRST)[2:],
    framed(FIRST) + "00",
    framed("https://10.0.0.1"),
    "0x" + framed(FIRST),
    framed(*[f"bootz://10.0.0.{n}:15006/{'x' * 30}" for n in range(1, 7)]),
    "0000",
]
BAD = ["", "zz", FIRST, "''"]
