"""The check never calls good what serves nobody, nor broken what works: the real servers say so."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path

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

LINKS = 4
"""Links of their own that a stream's rows are asked on at once."""


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


def told(outcome: Outcome) -> str:
    return f"{outcome.said}\n{outcome.seen}\n{outcome.case.text}"


def compared(form: str, version: int, names: Sequence[str], folder: Path) -> list[Outcome]:
    """Return what a server of its own says of each row, on a link of its own."""
    family = Family.IPV4 if version == 4 else Family.IPV6
    with opened(form, version, folder) as made:
        base = kea_base(version, made.keas[version].control) if form == "kea" else {}
        texts = [(name, text_of(form, version, name, base)) for name in names]
        return [made.compare(Case(name, form, family, text)) for name, text in texts]


def opened(form: str, version: int, folder: Path) -> AbstractContextManager[Oracle]:
    folder.mkdir()
    return oracle(f"{folder.name}-{os.getpid()}", folder, *((version,) if form == "kea" else ()))


STREAM = pytest.mark.parametrize(
    ("form", "version"), STREAMS, ids=[f"{form}{version}" for form, version in STREAMS]
)


@pytest.mark.kea
@STREAM
def test_the_table(tmp_path: Path, subtests: pytest.Subtests, form: str, version: int) -> None:
    # Most of the time is spent waiting for servers that stay silent: several wait at once.
    names = [name for *stream, name in rows() if stream == [form, version]]
    with ThreadPoolExecutor(LINKS) as pool:
        parts = [
            pool.submit(compared, form, version, names[at::LINKS], tmp_path / f"df{at}")
            for at in range(LINKS)
        ]
        outcomes = [outcome for part in parts for outcome in part.result()]
    assert sorted(outcome.case.name for outcome in outcomes) == sorted(names)
    for outcome in outcomes:
        with subtests.test(outcome.case.name):
            judge(outcome, version, tmp_path)


def judge(outcome: Outcome, version: int, folder: Path) -> None:
    case = outcome.case
    # DHCPv6 may answer that there is no address where DHCPv4 would be silent.
    seen = outcome.seen.verdict
    expected = wanted(case.form, version, case.name)
    if version == 6 and expected == "silent" and seen == "dhcp-refused":
        seen = "silent"
    assert seen == expected, told(outcome)
    assert not outcome.wrong, told(outcome)
    # What is left open depends on what no file says.
    left_open = (case.form, version, case.name) in LEFT_OPEN
    assert (outcome.said.word == OPEN) is left_open, told(outcome)
    if seen == REFUSED and "no subnet" not in case.name:
        path = folder / "asked.conf"
        path.write_text(case.text)
        found = own_check(case.form, case.family, path, case.text.encode())
        assert [each.code for each in found.findings] == ["refused"]


@pytest.mark.kea
@STREAM
def test_generated_files(tmp_path: Path, form: str, version: int) -> None:
    with opened(form, version, tmp_path / "df") as made:
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
