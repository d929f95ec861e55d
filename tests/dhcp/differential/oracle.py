"""The check beside the real server: what it says of a file, and what a router gets with it."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from dhcp.differential.isc_files import IscFiles
from dhcp.differential.kea_files import MAC, SERIAL, KeaFiles
from dhcp.differential.servers import (
    REFUSED,
    SILENT,
    RunningKea,
    Seen,
    as_text,
    bring_up,
    dhcpd,
    dnsmasq,
    identity,
    question,
    running_kea,
)
from dhcp.plans import device

from bootz.dhcp.check.checking import check_models
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.findings import Finding, Severity
from bootz.dhcp.check.forms import READERS
from bootz.dhcp.records import DhcpCard, DhcpPlan
from bootz.errors import ConfigError
from bootz.lab.namespaces import Namespace, Network, network
from bootz.protocol.dhcp_offer import Family
from bootz.wire.dhcp_identity import parse_mac

USABLE, ERROR, OPEN = "usable", "error", "not-evaluated"
HUB_ADDRESSES = [ip_interface("10.0.0.1/24"), ip_interface("2001:db8::1/64")]
PLAN = DhcpPlan((device(cards=(DhcpCard(SERIAL, parse_mac(MAC)),)),))
"""One router on record, with everything that it sends."""


@dataclass(frozen=True)
class Case:
    """A configuration: of which server (kea, isc, dnsmasq), for which family."""

    name: str
    form: str
    family: Family
    text: str


@dataclass(frozen=True)
class Verdict:
    """What the check says of a file, in one word, with its findings."""

    word: str
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """The check and the server side by side."""

    case: Case
    said: Verdict
    seen: Seen

    @property
    def wrong(self) -> bool:
        """Whether the check calls good what serves nobody, or broken what works."""
        if self.said.word == OPEN:
            return False
        return (self.said.word == USABLE) is not (self.seen.verdict == "usable")


def verdict(case: Case, plan: DhcpPlan | None = PLAN, folder: Path = Path("/")) -> Verdict:
    """Check a file, without its server's own checker."""
    try:
        models = READERS[case.form](case.text.encode(), Files(folder))
    except ConfigError as error:
        return Verdict(ERROR, (str(error),))
    models = [each for each in models if each.family is case.family]
    return word_of(check_models(models, plan, {}))


def word_of(findings: Sequence[Finding]) -> Verdict:
    """Return findings as one word."""
    told = tuple(
        f"{each.severity.value} {each.code} | {each.where} | {each.detail}" for each in findings
    )
    if any(each.severity is Severity.ERROR for each in findings):
        return Verdict(ERROR, told)
    if any(each.code == "not-evaluated" for each in findings):
        return Verdict(OPEN, told)
    return Verdict(USABLE, told)


@dataclass
class Oracle:
    """Real servers on a link, and one router that asks them."""

    link: Network
    router: Namespace
    folder: Path
    keas: dict[int, RunningKea] = field(default_factory=dict)

    def see(self, case: Case, *, patient: bool = True) -> Seen:
        """Load a configuration into its server and ask as the router."""
        asking = identity(SERIAL, MAC)
        match case.form:
            case "kea":
                refused = self.keas[4 if case.family is Family.IPV4 else 6].load(case.text)
                if refused:
                    return Seen(REFUSED, detail=refused)
                return question(self.router, case.family, asking, patient=patient)
            case "isc":
                with dhcpd(self.link.hub, self.folder, case.text, case.family) as (up, said):
                    if not up:
                        return Seen(REFUSED, detail=said[-600:])
                    return question(self.router, case.family, asking, patient=patient)
            case _:
                with dnsmasq(self.link.hub, self.folder, case.text) as (up, said):
                    if not up:
                        return Seen(REFUSED, detail=said[-600:])
                    return question(self.router, case.family, asking, patient=patient)

    def compare(self, case: Case, **more: Any) -> Outcome:
        """Check a file and see what its server does."""
        said = verdict(case, **more)
        return Outcome(case, said, self.see(case, patient=said.word != ERROR))


@contextmanager
def oracle(prefix: str, folder: Path, *keas: int) -> Iterator[Oracle]:
    """Make a link with a router; start the Keas."""
    with ExitStack() as stack:
        link = stack.enter_context(network(prefix, 1, HUB_ADDRESSES))
        made = Oracle(link, bring_up(link, MAC), folder)
        for version in keas:
            made.keas[version] = stack.enter_context(running_kea(version, link.hub, folder))
        yield made


def generated(form: str, version: int, seed: int, made: Oracle) -> Iterator[Case]:
    """Return an endless stream of files of one server."""
    family = Family.IPV4 if version == 4 else Family.IPV6
    one: Callable[[], str]
    match form:
        case "kea":
            files = KeaFiles(version, seed, made.keas[version].control)
            one = lambda: as_text(files.one())  # noqa: E731
        case "isc":
            one = IscFiles(version, seed).one
        case _:
            from dhcp.differential.dnsmasq_files import DnsmasqFiles

            one = DnsmasqFiles(version, seed).one
    for number in itertools.count():
        yield Case(f"{form}{version}-{seed}-{number}", form, family, one())


Tally = collections.Counter[tuple[str, str]]
__all__ = ["SILENT", "Case", "Oracle", "Outcome", "Tally", "Verdict", "generated", "oracle"]
