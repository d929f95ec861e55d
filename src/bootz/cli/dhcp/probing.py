"""What ``bootz dhcp probe`` does: asks over each family, and shows the answers."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bootz.cli.base import Cli
from bootz.dhcp.probe import ProbeAnswer, probe
from bootz.dhcp.probes import PROBE_FILE, keep_probes
from bootz.errors import BootzError
from bootz.protocol.dhcp_words import Family
from bootz.wire.dhcp_identity import DhcpIdentity


async def ask_all(
    interface: str, families: Sequence[Family], identity: DhcpIdentity, wait: float
) -> tuple[ProbeAnswer, ...]:
    """Ask over each family at once, and return all answers."""
    parts = await asyncio.gather(*(probe(interface, each, identity, wait) for each in families))
    return tuple(answer for part in parts for answer in part)


def keep(
    cli: Cli,
    serial_number: str,
    interface: str,
    families: Sequence[Family],
    answers: Sequence[ProbeAnswer],
) -> None:
    """Keep what was met in the site's folder, for its preflight; without a site, nothing is."""
    try:
        root = cli.site_folder()
    except BootzError:
        return
    try:
        keep_probes(
            root / PROBE_FILE, serial_number, interface, families, answers, at=datetime.now(UTC)
        )
    except BootzError as error:
        cli.output.warning(f"the preflight will not know of this probe: {error}")


def answer_row(answer: ProbeAnswer) -> dict[str, object]:
    """Return the row of an answer."""
    offer = answer.offer
    return {
        "family": offer.family,
        "server": offer.server_name,
        "sender": answer.sender,
        "address": "" if offer.address is None else f"{offer.address}/{offer.prefix_length}",
        "gateway": str(offer.gateway or ""),
        "name_servers": [str(server) for server in offer.name_servers],
        "seconds": offer.lease_time,
        "shape": offer.redirect.shape if offer.redirect else "",
        "uris": [str(uri) for uri in offer.uris()],
        "ignored": offer.ignored(),
        "boot_file": offer.boot_file,
        "verdict": answer.verdict,
        "detail": "" if answer.fault is None else str(answer.fault),
        "octets": offer.payload.hex(),
    }
