"""The check never calls good what serves nobody, nor broken what works: the real servers say so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice

import pytest
from dhcp.differential.oracle import (
    ERROR,
    OPEN,
    USABLE,
    Case,
    Oracle,
    Outcome,
    Verdict,
    generated,
    oracle,
)
from dhcp.differential.servers import REFUSED, Seen, kea_base
from dhcp.differential.table import rows, text_of, wanted

from bootz.dhcp.check.daemons import own_check
from bootz.protocol.dhcp_offer import Family

GENERATED = 6
"""Files of each stream; `make check-dhcp` takes as many as are wanted."""


STREAMS = [(form, version) for form in ("kea", "isc", "dnsmasq") for version in (4, 6)]


LEFT_OPEN = {
    # On the release of Kea; a keyword may be one of a later release, too.
    ("kea", 4, "the name of later releases"),
    ("kea", 4, "a misspelt keyword"),
    ("dnsmasq", 4, "a misspelt word"),
    # On what the router says of its vendor.
    ("kea", 4, "a class by its vendor"),
    ("isc", 4, "a condition on the vendor"),
    ("dnsmasq", 4, "by the vendor"),
    # On whether it adds a NUL to its serial number in the DUID.
    ("kea", 6, "one of two DUIDs"),
    ("dnsmasq", 6, "by a DUID"),
    ("dnsmasq", 6, "a stateless range"),
    # On the prefix of the interface, too.
    ("dnsmasq", 6, "a range of the interface's prefix"),
    # On whether there is a relay.
    ("kea", 6, "no interface"),
}

Servers = Callable[[str, int], Oracle]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A link of its own for each server, one at a time: two would answer the same router."""
    stack = ExitStack()
    opened: dict[tuple[str, int], Oracle] = {}

    def of(form: str, version: int) -> Oracle:
        if (form, version) not in opened:
            opened.clear()
            stack.close()
            keas = (version,) if form == "kea" else ()
            folder = tmp_path_factory.mktemp("differential")
            made = stack.enter_context(oracle(f"df{os.getpid()}", folder, *keas))
            opened[form, version] = made
        return opened[form, version]

    with stack:
        yield of


def told(outcome: Outcome) -> str:
    return f"{outcome.said}\n{outcome.seen}\n{outcome.case.text}"


@pytest.mark.kea
@pytest.mark.parametrize(
    ("form", "version", "name"),
    list(rows()),
    ids=[f"{form}{version} {name}" for form, version, name in rows()],
)
def test_the_table(servers: Servers, form: str, version: int, name: str) -> None:
    family = Family.IPV4 if version == 4 else Family.IPV6
    made = servers(form, version)
    base = kea_base(version, made.keas[version].control) if form == "kea" else {}
    case = Case(name, form, family, text_of(form, version, name, base))
    outcome = made.compare(case)
    # DHCPv6 may answer that there is no address where DHCPv4 would be silent.
    seen = outcome.seen.verdict
    expected = wanted(form, version, name)
    if version == 6 and expected == "silent" and seen == "dhcp-refused":
        seen = "silent"
    assert seen == expected, told(outcome)
    assert not outcome.wrong, told(outcome)
    # What is left open depends on what no file says.
    assert (outcome.said.word == OPEN) is ((form, version, name) in LEFT_OPEN), told(outcome)
    if seen == REFUSED and "no subnet" not in name:
        path = made.folder / "asked.conf"
        path.write_text(case.text)
        found = own_check(form, family, path, case.text.encode())
        assert [each.code for each in found.findings] == ["refused"]


@pytest.mark.kea
@pytest.mark.parametrize(
    ("form", "version"), STREAMS, ids=[f"{form}{version}" for form, version in STREAMS]
)
def test_generated_files(servers: Servers, form: str, version: int) -> None:
    made = servers(form, version)
    for case in islice(generated(form, version, 2026, made), GENERATED):
        outcome = made.compare(case)
        assert not outcome.wrong, told(outcome)


@pytest.mark.parametrize(
    ("said", "seen", "wrong"),
    [
        (USABLE, "usable", False),
        (USABLE, "silent", True),
        (USABLE, "refused", True),
        (USABLE, "dhcp-bad-redirect", True),
        (ERROR, "usable", True),
        (ERROR, "dhcp-no-redirect", False),
        (OPEN, "usable", False),
        (OPEN, "silent", False),
    ],
)
def test_what_counts_as_wrong(said: str, seen: str, wrong: bool) -> None:
    case = Case("", "kea", Family.IPV4, "")
    assert Outcome(case, Verdict(said, ()), Seen(seen)).wrong is wrong
