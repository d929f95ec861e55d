"""What dhcpd sends a router: its host declaration, its address, and the statements in their order.

Statements are executed from the outermost block inwards: global, shared network, subnet, pool,
then classes, then the host; the last one counts. Blocks that were executed for the subnet are not
executed again for the host (seen in 4.4.3).
Source: dhcpd.conf(5); docs/dhcp.md#what-the-servers-do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from bootz.dhcp.check.answers import CheckedAnswer, Sent
from bootz.dhcp.check.clients import Address, Client, Unclear
from bootz.dhcp.check.doubts import World
from bootz.dhcp.check.isc.expressions import Facts, data_of, holds
from bootz.dhcp.check.isc.nouns import (
    Action,
    Choice,
    HostGroup,
    IscClass,
    IscHost,
    Mode,
    Opaque,
    Permit,
    Pool,
    SetBoot,
    SetOption,
    SetParameter,
    Shared,
    Subnet,
)
from bootz.dhcp.check.isc.reading import IscConfig
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import mac_of_duid

_BOOT = {Family.IPV4: (67, 66), Family.IPV6: (59,)}
_REQUESTED = 55
"""The option by which a configuration changes what a client asks for."""

MOST_CANDIDATES = 8
"""Host declarations that are tried for a router of which no name is known."""


@dataclass(slots=True)
class _State:
    options: dict[int, Sent] = field(default_factory=dict)
    rules: dict[str, tuple[bool, str]] = field(default_factory=dict)
    boot: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """One question of one router, in one world."""

    config: IscConfig
    client: Client
    world: World
    known: bool = False
    classes: list[tuple[str, HostGroup]] = field(default_factory=list)
    state: _State = field(default_factory=_State)

    def answer(self) -> CheckedAnswer:
        """Return what the router gets."""
        subnet = self._subnet()
        if subnet is None:
            return CheckedAnswer("global", silence="no subnet is for its link")
        link = subnet.shared
        host = self._host(link)
        fixed = self._fixed(host, link) if host is not None else None
        six = self.config.family is Family.IPV6
        if six and host is not None and fixed is None and host.has_fixed:
            host = self._without_fixed(host)
        self._classify()
        pool: Pool | None = None
        if fixed is not None:
            place, address, by = fixed
            host = by
        else:
            found = self._lease(link)
            if found is None:
                return self._nothing(subnet, host)
            pool, address = found
            place = next((each for each in link.subnets if address in each.network), subnet)
            host = self._plain_host() if not six else host
        self._execute(place, pool, host)
        where = host.group.where if host is not None else (pool or place).group.where
        if not six:
            silence, place_of_rule = self._forbidden(host)
            if silence:
                return CheckedAnswer(place_of_rule or where, silence=silence)
        return self._answer(where, address)

    def _subnet(self) -> Subnet | None:
        subnets = [subnet for link in self.config.links for subnet in link.subnets]
        link = self.client.link
        if link is not None:
            return next((each for each in subnets if link in each.network), None)
        for each in subnets[:-1]:
            if self.world.holds(f"{self.client.name} is on {each.group.where}", each.group.where):
                return each
        return subnets[-1] if subnets else None

    def _named(self, kind: str, value: bytes | Unclear | None) -> IscHost | None:
        """Return the first host declaration of an identifier."""
        if not isinstance(value, bytes) or not value or self.client.stranger:
            return None
        return self.config.first.get((kind, value))

    def _host(self, link: Shared) -> IscHost | None:
        """Return the declaration that dhcpd finds first, whatever address it has."""
        client = self.client
        six = self.config.family is Family.IPV6
        uid = client.duid if six else client.client_id
        found = self._named("uid", uid)
        if found is not None:
            self.known = True
            return found
        if not six:
            found = self._named("mac", client.mac)
        else:
            relayed = self._named("mac", client.mac)
            if relayed is not None and self.world.holds(
                f"a relay tells the MAC address of {client.name}", relayed.group.where
            ):
                found = relayed
        found = found or self._by_option()
        if found is None and six and isinstance(client.duid, bytes):
            found = self._named("mac", mac_of_duid(client.duid))
        found = found or self._perhaps(link)
        self.known = found is not None
        return found

    def _by_option(self) -> IscHost | None:
        for host in self.config.by_option:
            if host.by_option is None or self.client.stranger:
                continue
            code, octets = host.by_option
            value = self.client.option(code) if code >= 0 else None
            unclear = code < 0 or isinstance(value, Unclear)
            if (unclear and self._may_be(host)) or (not unclear and value == octets):
                return host
        return None

    def _perhaps(self, link: Shared) -> IscHost | None:
        """Return a declaration that may be the router's, of which no MAC address is on record."""
        if not self.client.mac_wanted or self.client.stranger:
            return None
        others = self.client.others
        link_of = self.client.link
        free = (
            each
            for each in self.config.hosts
            if each.mac
            and each.mac not in others
            and (not each.fixed or link_of is None or link_of in each.fixed)
        )
        return next((each for each in islice(free, MOST_CANDIDATES) if self._may_be(each)), None)

    def _may_be(self, host: IscHost) -> bool:
        fits = not host.fixed or self.client.link is None or self.client.link in host.fixed
        words = f"{host.group.where} is that of {self.client.name}"
        return fits and self.world.holds(words, host.group.where)

    def _fixed(self, host: IscHost, link: Shared) -> tuple[Subnet, Address, IscHost] | None:
        """Return the fixed address on a link, of a declaration or those chained behind it."""
        each: IscHost | None = host
        while each is not None:
            for address in each.fixed:
                subnet = next((s for s in link.subnets if address in s.network), None)
                if subnet is not None:
                    return subnet, address, each
            for name in each.names:
                words = f"{name} has an address on the link"
                if link.subnets and self.world.holds(words, each.group.where):
                    return link.subnets[0], link.subnets[0].network[1], each
            each = each.next
        return None

    @staticmethod
    def _without_fixed(host: IscHost) -> IscHost | None:
        """Return the declaration of a chain that names no address."""
        found, each = None, host
        while each is not None:
            if not each.has_fixed:
                found = each
            if each.next is None:
                break
            each = each.next
        return found

    def _plain_host(self) -> IscHost | None:
        """Return the declaration without an address, whose statements count beside a lease."""
        for kind, value in (("uid", self.client.client_id), ("mac", self.client.mac)):
            each = self._named(kind, value)
            while each is not None:
                if not each.has_fixed:
                    return each
                each = each.next
        return None

    def _classify(self) -> None:
        for made in self.config.classes:
            group = self._membership(made)
            if group is not None:
                self.classes.append((made.name, group))

    def _membership(self, made: IscClass) -> HostGroup | None:
        where = made.group.where
        # Classes are decided before hosts are looked for: none is known then.
        names = [name for name, _ in self.classes]
        facts = Facts(self.client, self.world, where, known=False, classes=names)
        if made.open:
            words = f"{self.client.name} is in class {made.name!r} ({made.open})"
            return made.group if self.world.holds(words, where) else None
        if made.condition is not None:
            return made.group if holds(made.condition, facts) else None
        if made.match is None:
            return None
        value = data_of(made.match, facts)
        for octets, group in made.subclasses:
            if isinstance(value, Unclear):
                if self.world.holds(f"{made.match.text} is {octets.hex(':')}", group.where):
                    return group
            elif value == octets:
                return group
        return None

    def _lease(self, link: Shared) -> tuple[Pool, Address] | None:
        allowed = [pool for pool in link.pools if pool.ranges and self._permitted(pool)]
        for pool in allowed[:-1]:
            if self.world.holds(f"the address is one of {pool.group.where}", pool.group.where):
                return pool, pool.ranges[0][0]
        return (allowed[-1], allowed[-1].ranges[0][0]) if allowed else None

    def _permitted(self, pool: Pool) -> bool:
        denied = [each for each in pool.permits if not each.allowed]
        allowed = [each for each in pool.permits if each.allowed]
        if any(self._is(each, pool) for each in denied):
            return False
        return not allowed or any(self._is(each, pool) for each in allowed)

    def _is(self, permit: Permit, pool: Pool) -> bool:
        match permit.who:
            case "known-clients":
                return self.known
            case "unknown-clients":
                return not self.known
            case "all-clients":
                return True
            case "dynamic-bootp-clients":
                return False
            case "members":
                return any(name == permit.name for name, _ in self.classes)
            case _:
                words = f"{self.client.name} is one of {permit.name}"
                return self.world.holds(words, pool.group.where)

    def _execute(self, place: Subnet, pool: Pool | None, host: IscHost | None) -> None:
        self._run(place.group, ())
        limit: HostGroup = place.group
        if pool is not None:
            self._run(pool.group, tuple(place.shared.group.chain()))
            limit = pool.group
        around = (*limit.chain(), *place.group.chain())
        for _, group in reversed(self.classes):
            self._run(group, tuple(limit.chain()))
        if host is not None:
            self._run(host.group, around if pool is None else tuple(limit.chain()))

    def _run(self, group: HostGroup, done: Sequence[HostGroup]) -> None:
        """Execute a block and those around it, but none that was executed before."""
        chain: list[HostGroup] = []
        for each in group.chain():
            if any(each is known for known in done):
                break
            chain.append(each)
        for each in reversed(chain):
            self._actions(each.actions)

    def _actions(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case SetOption():
                    self._option(action)
                case SetParameter():
                    self.state.rules[action.name] = (action.value, action.where)
                case SetBoot():
                    self.state.boot.append((action.words, action.where))
                case Choice():
                    self._choose(action)
                case Opaque():
                    for code in action.codes:
                        if self.world.holds(f"{action.why}: option {code}", action.where):
                            self.state.options[code] = Sent(None, action.where, action.why)

    def _choose(self, choice: Choice) -> None:
        names = [name for name, _ in self.classes]
        for branch in choice.branches:
            facts = Facts(self.client, self.world, branch.where, self.known, names)
            if branch.open:
                chosen = self.world.holds(branch.open, branch.where)
            else:
                chosen = branch.condition is None or holds(branch.condition, facts)
            if chosen:
                self._actions(branch.actions)
                return

    def _option(self, action: SetOption) -> None:
        options, sent = self.state.options, action.sent
        if action.data is not None:
            facts = Facts(self.client, self.world, sent.where, self.known)
            value = data_of(action.data, facts)
            if value is None:
                options.pop(action.code, None)
                return
            if not isinstance(value, Unclear):
                sent = Sent(value, sent.where)
        before = options.get(action.code)
        if action.mode is Mode.DEFAULT and before is not None:
            return
        if before is not None and action.mode in {Mode.APPEND, Mode.PREPEND}:
            parts = [before.octets, sent.octets]
            if action.mode is Mode.PREPEND:
                parts.reverse()
            if None in parts:
                sent = Sent(None, sent.where, sent.why or before.why)
            else:
                sent = Sent(b"".join(part or b"" for part in parts), sent.where)
        options[action.code] = sent

    def _forbidden(self, host: IscHost | None) -> tuple[str, str]:
        rules = self.state.rules
        allowed, where = rules.get("unknown-clients", (True, ""))
        if host is None and not allowed:
            return "unknown clients are denied", where
        allowed, where = rules.get("booting", (True, ""))
        if not allowed:
            return "booting is denied", where
        late, where = rules.get("min-secs", (False, ""))
        if late and not self.world.holds(f"{self.client.name} asks for long enough", where):
            return "it must ask for longer (min-secs)", where
        return "", ""

    def _nothing(self, subnet: Subnet, host: IscHost | None) -> CheckedAnswer:
        where = host.group.where if host is not None else subnet.group.where
        words = "no address is declared for it on its link, and no pool has one"
        if self.config.family is Family.IPV4:
            return CheckedAnswer(where, silence=words)
        # DHCPv6 answers that there is none, with what stands in the outermost block.
        self._actions(self.config.top.actions)
        return self._answer(where, None)

    def _answer(self, where: str, address: Address | None) -> CheckedAnswer:
        options = dict(self.state.options)
        asked = options.get(_REQUESTED) if self.config.family is Family.IPV4 else None
        if asked is not None:
            for code in list(options):
                if asked.octets is None:
                    words = f"{asked.where} changes what the router asks for"
                    options[code] = Sent(None, options[code].where, words)
                elif code not in asked.octets:
                    del options[code]
        boot = self.state.boot[-1] if self.state.boot else ("", "")
        for code in _BOOT[self.config.family]:
            sent = options.get(code)
            if sent is not None and not boot[0]:
                boot = ((sent.octets or b"?").decode("latin-1"), sent.where)
        return CheckedAnswer(where, address, options=options, boot_file=boot)
