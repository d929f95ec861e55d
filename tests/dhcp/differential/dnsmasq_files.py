"""Random configurations of dnsmasq around one router: good, odd, and wrong ones."""

from __future__ import annotations

from dhcp.differential.dice import Dice
from dhcp.differential.kea_files import (
    ADDRESS,
    CLIENT_ID,
    DUID,
    FIRST,
    MAC,
    NAME,
    OTHER_MAC,
    SECOND,
    SERIAL,
    framed,
)


def colons(digits: str) -> str:
    return bytes.fromhex(digits).hex(":")


class DnsmasqFiles(Dice):
    """A stream of configurations with one family, always the same for a seed."""

    server = "dnsmasq"

    def one(self) -> str:
        self.wild = self.chance(30)
        self.tags = ["one", "two", "net"]
        lines = [self.range()]
        if self.chance(10):
            lines.append(self.range())
        if self.chance(70):
            lines.append("dhcp-ignore=tag:!known")
        elif self.chance(20):
            lines.append(f"dhcp-ignore={self.tag()}")
        if self.chance(15):
            lines.append("port=0")
        for _ in range(self.pick(0, 0, 1, 1, 2)):
            lines.append(self.match())
        hosts = 1 if self.chance(85) else 2
        for number in range(hosts):
            lines.append(self.host(ours=number == 0 or self.chance(30)))
        for _ in range(self.pick(1, 1, 1, 2, 2, 3)):
            lines.append(self.redirect())
        for _ in range(self.pick(0, 1, 1, 2)):
            lines.append(self.name_servers())
        if self.chance(15):
            lines.append("dhcp-boot=x.bin")
        if self.wild and self.chance(25):
            lines.append(self.spoiled())
        if self.chance(50):
            self.random.shuffle(lines)
        if self.chance(20):
            lines.insert(1, "# a comment")
        return "\n".join(lines) + "\n"

    def tag(self) -> str:
        name = self.pick(*self.tags, "known", "!known", *(f"!{tag}" for tag in self.tags))
        if self.wild and self.chance(10):
            name = self.pick("bridge0", "known-othernet", "dhcpv6", "nowhere")
        return f"tag:{name}"

    def tagged(self, percent: int) -> str:
        if not self.chance(percent):
            return ""
        return ",".join(self.tag() for _ in range(self.pick(1, 1, 1, 2))) + ","

    def range(self) -> str:
        sets = f"set:{self.pick('net', 'net', 'one')}," if self.chance(30) else ""
        needs = self.tagged(4)
        if self.version == 6:
            kind = self.pick("2001:db8::,static,64", "2001:db8::,static,64,1h", "2001:db8::,static")
            if self.chance(25):
                kind = "2001:db8::100,2001:db8::110,64"
            if self.wild and self.chance(10):
                kind = self.pick("2001:db8:9::,static,64", "::,static,constructor:bridge0,64")
            return f"dhcp-range={needs}{sets}{kind}"
        kind = self.pick("10.0.0.0,static,255.255.255.0", "10.0.0.0,static", "10.0.0.0,static,1h")
        if self.chance(25):
            kind = self.pick("10.0.0.100,10.0.0.110,255.255.255.0", "10.0.0.100,10.0.0.110,2h")
        if self.wild and self.chance(10):
            kind = self.pick("10.9.0.0,static,255.255.255.0", "10.0.0.0,static,255.255.0.0")
        return f"dhcp-range={needs}{sets}{kind}"

    def match(self) -> str:
        tag = self.pick("one", "two")
        if self.chance(20):
            return f"tag-if=set:{tag},{self.tag()}"
        if self.chance(15):
            mac = self.pick(MAC, OTHER_MAC, "00:aa:00:*:*:*")
            return f"dhcp-mac=set:{tag},{mac}"
        if self.chance(15):
            prefix = "enterprise:9," if self.version == 6 else ""
            return f"dhcp-vendorclass=set:{tag},{prefix}{self.pick('bootz', 'Cisco')}"
        if self.version == 6:
            what = self.pick(
                "option6:1", "option6:16", "option6:15", f"option6:1,{colons(DUID)}", "option6:136"
            )
        else:
            what = self.pick(
                "61", "option:client-id", "60", "77", "143", f"61,{colons(CLIENT_ID)}", "61,00:46"
            )
        return f"dhcp-match=set:{tag},{what}"

    def host(self, *, ours: bool) -> str:
        six = self.version == 6
        mac = MAC if ours else OTHER_MAC
        names = [mac]
        if ours:
            client = f"id:{colons(DUID if six else CLIENT_ID)}"
            names = self.pick([mac], [client], [client], [mac, client])
            if not six and self.chance(10):
                names = [f"id:{SERIAL}"]
            if self.wild and self.chance(10):
                names = [
                    self.pick("00:aa:00:*:*:*", "00-aa-00-00-00-10", "00aa00000010:", MAC.upper())
                ]
        address = ADDRESS[self.version] if ours else ADDRESS[self.version].replace("12", "99")
        place = f"[{address}]" if six else address
        parts = [*names]
        if self.chance(40):
            parts.append(f"set:{self.pick(*self.tags)}")
        if self.chance(4):
            parts.append(self.tag())
        if self.chance(93):
            parts.append(place)
        if self.chance(10):
            parts.append(self.pick("r1", "2h", "infinite"))
        if self.chance(3):
            parts.append("ignore")
        return "dhcp-host=" + ",".join(parts)

    def redirect(self) -> str:
        value = self.pick(*[colons(framed(FIRST))] * 4, colons(framed(FIRST, SECOND)))
        if self.chance(40 if self.wild else 10):
            value = self.pick(
                FIRST,
                f'"{FIRST}"',
                f"{FIRST},{SECOND}",
                colons(framed(NAME)),
                colons(framed(FIRST, width=1)),
                colons(framed(FIRST)) + ":00",
                f'"{colons(framed(FIRST))}"',
                "22",
                "10.0.0.1",
                "",
                "0x0016",
                "1:2",
                colons(framed(*[f"bootz://10.0.0.{n}:15006" for n in range(1, 12)])),
            )
        key = self.pick("dhcp-option", "dhcp-option", "dhcp-option", "dhcp-option-force")
        option = "option6:136" if self.version == 6 else "143"
        tail = f",{value}" if value else ""
        return f"{key}={self.tagged(35)}{option}{tail}"

    def name_servers(self) -> str:
        few = {4: ["10.0.0.53", "10.0.0.54"], 6: ["[2001:db8::53]", "[2001:db8::54]"]}[self.version]
        count = self.pick(1, 1, 1, 1, 2, 0)
        option = self.pick("option6:dns-server", "option6:23")
        if self.version == 4:
            option = self.pick("option:dns-server", "6")
        return f"dhcp-option={self.tagged(35)}{','.join([option, *few[:count]])}"

    def spoiled(self) -> str:
        return self.pick(
            "dhcp-optoin=143,00",
            "dhcp-option=option:no-such,1",
            "dhcp-host=00:aa:00:00:00:zz,10.0.0.50",
            "dhcp-range=10.0.0.x,static",
            "dhcp-option=option:dns-server,10.0.0.x",
            f"dhcp-host={OTHER_MAC},{ADDRESS[4]}",
            "dhcp-authoritative=yes",
            "dhcp-host",
            'dhcp-option=143,"bootz',
            "dhcp-option=tag:one",
            "tag-if=set:one",
            "tag-if=tag:one",
            "dhcp-match=set:one",
        )
