"""Random configurations of ISC dhcpd around one router: good, odd, and wrong ones."""

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
    framed,
)

NAMED = {4: "sztp", 6: "dhcp6.sztp"}
SERVERS = {4: "domain-name-servers", 6: "dhcp6.name-servers"}
HEAD = {
    (4, 1): "subnet 10.0.0.0 netmask 255.255.255.0",
    (4, 2): "subnet 10.9.0.0 netmask 255.255.255.0",
    (4, 3): "subnet 10.0.1.0 netmask 255.255.255.0",
    (6, 1): "subnet6 2001:db8::/64",
    (6, 2): "subnet6 2001:db8:9::/64",
    (6, 3): "subnet6 2001:db8:1::/64",
}
RANGE = {4: "range 10.0.0.100 10.0.0.110;", 6: "range6 2001:db8::100 2001:db8::110;"}

TESTS4 = [
    "exists dhcp-client-identifier",
    "exists vendor-class-identifier and not exists sztp",
    "known",
    "not known",
    'substring(option dhcp-client-identifier, 1, 3) = "FOC"',
    f"option dhcp-client-identifier = {bytes.fromhex(CLIENT_ID).hex(':')}",
    f"hardware = 1:{MAC}",
    f"hardware = 1:{OTHER_MAC}",
    f"hardware != 1:{OTHER_MAC}",
    "substring(hardware, 1, 3) = 00:aa:00",
    'substring(option vendor-class-identifier, 0, 5) = "bootz"',
    'substring(option vendor-class-identifier, 0, 5) = "Cisco"',
    "exists agent.circuit-id",
    "exists user-class",
    'suffix(option dhcp-client-identifier, 4) = "5678"',
    'binary-to-ascii(16, 8, ":", hardware) = "1:0:aa:0:0:0:10"',
]
TESTS6 = [
    "exists dhcp6.client-id",
    "exists dhcp6.unknown-16",
    "known",
    "not known",
    'substring(option dhcp6.client-id, 6, 3) = "FOC"',
    f"option dhcp6.client-id = {bytes.fromhex(DUID).hex(':')}",
    "exists dhcp6.unknown-15",
    'substring(option dhcp6.unknown-16, 6, 5) = "bootz"',
]


class IscFiles(Dice):
    """A stream of configurations of one family, always the same for a seed."""

    server = "isc"

    def one(self) -> str:
        version = self.version
        self.classes: list[str] = []
        self.hosts = 0
        self.wild = self.chance(30)
        self.kind = self.pick("string", "string", "string", "text")
        if self.wild:
            self.kind = self.pick(
                "string",
                "{ unsigned integer 16, text }",
                "array of ip-address",
                "array of unsigned integer 8",
                "{ unsigned integer 16, string }",
                "encapsulate other",
            )
        code = 143 if version == 4 else 136
        lines = [f"option {NAMED[version]} code {code} = {self.kind};", "ping-check off;"]
        if self.wild and self.chance(8):
            lines.reverse()
        if self.chance(70):
            lines.append(self.pick(*["deny unknown-clients;"] * 5, "ignore unknown-clients;"))
        lines += self.options(12)
        for name in ("one", "two")[: self.pick(0, 0, 0, 1, 1, 2)]:
            lines += self.client_class(name)
        block = [f"{HEAD[version, 1]} {{", *self.inside(1), "}"]
        if self.chance(20):
            other = [f"{HEAD[version, 3]} {{", *self.inside(3), "}"]
            block = ["shared-network net {", *self.options(25), *block, *other, "}"]
        lines += block
        if self.chance(20):
            lines += [f"{HEAD[version, 2]} {{", *self.inside(2), "}"]
        for _ in range(self.pick(1, 1, 1, 2)):
            host = self.host(1)
            if self.chance(20):
                host = ["group {", *self.options(60), *host, "}"]
            lines += host
        if self.wild and self.chance(25):
            self.spoil(lines)
        return "\n".join(lines) + "\n"

    def options(self, percent: int) -> list[str]:
        lines: list[str] = []
        if self.chance(percent):
            lines.append(self.redirect())
        if self.chance(percent):
            lines.append(self.name_servers())
        if self.chance(percent // 4):
            lines.append(self.pick('filename "x.bin";', "next-server 10.0.0.9;"))
        if self.chance(percent // 6):
            tests = TESTS4 if self.version == 4 else TESTS6
            test = self.pick(*tests)
            if self.chance(30):
                test = f"{test} {self.pick('and', 'or')} {self.pick(*tests)}"
            lines += [f"if {test} {{", *self.options(60), "}"]
            if self.chance(40):
                lines += [f"elsif {self.pick(*tests)} {{", *self.options(50), "}"]
            if self.chance(60):
                lines += ["else {", *self.options(60), "}"]
        return lines

    def redirect(self) -> str:
        name = NAMED[self.version]
        if self.wild and self.chance(6):
            name = self.pick("unknown-143", "dhcp6.unknown-136", "no-such-option")
        good = self.pick(
            f"{bytes.fromhex(framed(FIRST)).hex(':')}",
            f"{bytes.fromhex(framed(FIRST, SECOND)).hex(':')}",
            f'= concat(encode-int(22,16),"{FIRST}")',
            f'= concat(encode-int(22,16),"{FIRST}",encode-int(27,16),"{SECOND}")',
        )
        if self.kind == "text":
            good = self.pick(f'"{FIRST}"', f'"{FIRST},{SECOND}"', f'= "{FIRST}"')
        if self.kind.startswith("{"):
            good = self.pick(f'22 "{FIRST}"', f'23 "{FIRST}"', f'22, "{FIRST}"')
        if self.chance(40 if self.wild else 8):
            good = self.pick(
                f'"{FIRST}"',
                f'"{NAME}"',
                f"{bytes.fromhex(framed(NAME)).hex(':')}",
                f"{bytes.fromhex(framed(FIRST, width=1)).hex(':')}",
                "00:16:62",
                "0:16:62:6f",
                f'= concat(encode-int(22,8),"{FIRST}")',
                f'= concat("\\000\\026","{FIRST}")',
                f'"\\x00\\x16{FIRST}"',
                "= lcase(option host-name)",
                "= option sztp",
                "10.0.0.1",
                "0, 22, 98",
                '""',
            )
        mode = self.pick(*["option"] * 9, "supersede", "default", "append", "prepend")
        return f"{mode} {name} {good};"

    def name_servers(self) -> str:
        few = {4: ["10.0.0.53", "10.0.0.54"], 6: ["2001:db8::53", "2001:db8::54"]}[self.version]
        count = self.pick(1, 1, 1, 1, 1, 2)
        return f"option {SERVERS[self.version]} {', '.join(few[:count])};"

    def client_class(self, name: str) -> list[str]:
        tests = TESTS4 if self.version == 4 else TESTS6
        self.classes.append(name)
        if self.version == 4 and self.chance(35):
            match = self.pick("hardware", "substring(hardware, 1, 3)", "option user-class")
            value = self.pick(f"1:{MAC}", "00:aa:00", f"1:{OTHER_MAC}", '"x"')
            lines = [f'class "{name}" {{', f"match {match};", *self.options(40), "}"]
            inner = self.options(50)
            end = ["{", *inner, "}"] if inner else [";"]
            return [*lines, f'subclass "{name}" {value} {end[0]}', *end[1:]]
        test = f"match if {self.pick(*tests)};"
        return [f'class "{name}" {{', test, *self.options(60), "}"]

    def inside(self, number: int) -> list[str]:
        lines = self.options(35)
        if self.chance(30) and number == 1:
            lines += self.pool()
        if number == 1 and self.chance(30):
            lines += self.host(1)
        elif self.chance(25):
            lines += self.host(number)
        if self.chance(8):
            lines.append(self.pick("allow unknown-clients;", "deny unknown-clients;"))
        return lines

    def pool(self) -> list[str]:
        if self.chance(50):
            return [RANGE[self.version]]
        word = "pool" if self.version == 4 else "pool6"
        permits = []
        if self.chance(60):
            who = self.pick("known-clients", "unknown-clients", "all clients")
            if self.classes and self.chance(40):
                who = f'members of "{self.pick(*self.classes)}"'
            permits = [f"{self.pick('allow', 'allow', 'deny')} {who};"]
        options = self.options(25)
        return [f"{word} {{", RANGE[self.version], *permits, *options, "}"]

    def host(self, number: int) -> list[str]:
        self.hosts += 1
        ours = number == 1 and (self.hosts == 1 or self.chance(25))
        name = f"h{self.hosts}" if not (self.wild and self.chance(3)) else "h1"
        mac = f"hardware ethernet {MAC if ours else OTHER_MAC};"
        names = [mac]
        if ours:
            client = self.pick(
                f"option dhcp-client-identifier {bytes.fromhex(CLIENT_ID).hex(':')};",
                'option dhcp-client-identifier "\\000FOC12345678";',
            )
            if self.version == 6:
                client = f"host-identifier option dhcp6.client-id {bytes.fromhex(DUID).hex(':')};"
            names = self.pick([mac], [client], [client], [mac, client])
            if self.version == 6:
                names = self.pick([client], [client], [mac])
            if self.chance(6):
                names = [names[0].replace("ethernet", "token-ring")]
        address = ADDRESS[self.version] if ours else ADDRESS[self.version].replace("12", "99")
        if number == 3:
            address = "10.0.1.99" if self.version == 4 else "2001:db8:1::99"
        if number == 2:
            address = "10.9.0.99" if self.version == 4 else "2001:db8:9::99"
        fixed = "fixed-address" if self.version == 4 else "fixed-address6"
        place = [f"{fixed} {address};"] if self.chance(92) else []
        if place and self.chance(4):
            place = [f"{fixed} {address.replace('10.0.0', '10.0.7').replace('db8::', 'db8:7::')};"]
        if self.chance(3):
            place.append(self.pick("deny booting;", "allow booting;"))
        return [f"host {name} {{", *names, *place, *self.options(60), "}"]

    def spoil(self, lines: list[str]) -> None:
        """Make something wrong as people do."""
        at = self.random.randrange(len(lines))
        match self.random.randrange(6):
            case 0:
                lines[at] = lines[at].replace(";", "")
            case 1:
                lines.insert(at, "optoin routers 10.0.0.1;")
            case 2:
                lines.insert(at, "option domain-name-servers 10.0.0.x;")
            case 3:
                lines.insert(at, "option no-such-option 1;")
            case 4:
                lines.append("}")
            case _:
                lines.append(f"{HEAD[self.version, 1]} {{ }}")
