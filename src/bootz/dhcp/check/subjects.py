"""Which routers a configuration is judged for: those of the inventory, and those that it names."""

from collections.abc import Iterator
from dataclasses import dataclass

from bootz.dhcp.check.answers import Model
from bootz.dhcp.check.clients import Address, Client, Host, client_of_host, clients_of_card
from bootz.dhcp.check.findings import Finding
from bootz.dhcp.records import DhcpDevice, DhcpPlan


@dataclass(frozen=True, slots=True)
class Subject:
    """A router to be judged, with every way in which it may ask.

    ``recorded``: it is in the inventory; otherwise it is known from a line of the file alone.
    """

    name: str
    where: str
    variants: tuple[Client, ...]
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Subjects:
    """The routers to be judged, and what is to be said of those that are not."""

    judged: tuple[Subject, ...]
    findings: tuple[Finding, ...]


def subjects_of(model: Model, plan: DhcpPlan | None) -> Subjects:
    """Return the routers for which a configuration is to be judged."""
    owners = _owners(model, plan)
    judged: list[Subject] = []
    findings: list[Finding] = []
    macs = frozenset(card.mac for device in plan.devices for card in device.cards) if plan else ()
    lines_of: dict[int, list[Host]] = {}
    for host, known in zip(model.hosts, owners, strict=True):
        for number in {id(device) for device in known}:
            lines_of.setdefault(number, []).append(host)
    for device in plan.devices if plan else ():
        found = list(_device(model, device, lines_of.get(id(device), []), frozenset(macs)))
        judged += [each for each in found if isinstance(each, Subject)]
        findings += [each for each in found if isinstance(each, Finding)]
    for host, known in zip(model.hosts, owners, strict=True):
        if known:
            continue
        if plan is not None:
            told = ", ".join(f"{kind} {value}" for kind, value in host.names)
            words = f"{told} is not a card in the inventory"
            findings.append(Finding("unknown-client", host.where, words))
        client = client_of_host(host, model.family)
        judged.append(Subject(host.where, host.where, (client,)))
    return Subjects(tuple(judged), tuple(findings))


def stranger(model: Model) -> Subject:
    """Return a router that no line of a configuration names."""
    client = Client("a router that no line names", model.family, stranger=True)
    return Subject(client.name, model.name, (client,))


def _owners(model: Model, plan: DhcpPlan | None) -> list[list[DhcpDevice]]:
    """Return for each line the devices of the inventory that it names."""
    names: dict[tuple[str, str], list[DhcpDevice]] = {}
    for device in plan.devices if plan else ():
        for card in device.cards:
            told = [("client-id", card.sent_client_id)]
            told += [("hw-address", card.mac)] if card.mac else []
            told += [("duid", duid) for duid in card.sent_duids]
            for kind, octets in told:
                names.setdefault((kind, octets.hex()), []).append(device)
    return [[each for name in host.names for each in names.get(name, ())] for host in model.hosts]


def _device(
    model: Model, device: DhcpDevice, lines: list[Host], macs: frozenset[bytes]
) -> Iterator[Subject | Finding]:
    """Return the cards of a device, or why they are not this server's."""
    address = device.address(model.family)
    link: Address | None = next((line.link for line in lines if line.link is not None), None)
    if address is not None and model.serves(address.ip):
        link = address.ip
    elif not lines:
        other = device.ipv4 or device.ipv6
        if address is not None or other is None:
            told = "no address" if address is None else f"{address}, which is in no subnet here"
            words = f"{device.row} has {told}, and no reservation"
            yield Finding("device-missing", model.name, words)
        return
    elif address is not None:
        words = f"{device.row} has {address} on record, which is in no subnet here"
        yield Finding("not-evaluated", lines[0].where, words)
    for card in device.cards:
        name = device.row
        if len(device.cards) > 1:
            name = f"{name} card {card.serial_number}"
        client = Client(
            name,
            model.family,
            link=link,
            mark=device.mark,
            mac_wanted=not card.mac,
            others=macs,
        )
        variants = tuple(clients_of_card(client, card))
        where = lines[0].where if lines else model.name
        yield Subject(name, where, variants, recorded=True)
