"""Lab server and router on one link: each row of the error table, in both families."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from dhcp.plans import FIRST, SECOND, SUBNETS, device, plan
from dhcp.router import Told, captured, discover, payloads4, payloads6, quick

from bootz.dhcp.lab_faults import BAD_REDIRECTS
from bootz.dhcp.lab_listener import listening
from bootz.dhcp.lab_server import LabServer, LabServerOptions
from bootz.dhcp.records import DhcpDevice, DhcpSubnet
from bootz.errors import ConfigError, Unavailable
from bootz.lab.namespaces import HUB_INTERFACE, Namespace, Network, enter_namespace
from bootz.protocol.dhcp_offer import Family

pytestmark = pytest.mark.kea


@contextmanager
def serving(
    link: Network, *devices: DhcpDevice, **options: Any
) -> Iterator[list[Mapping[str, object]]]:
    """Run a lab's server in the hub; yields its events."""
    with serving_at(link.hub, HUB_INTERFACE, *devices, **options) as events:
        yield events


@contextmanager
def serving_at(
    place: Namespace,
    interface: str,
    *devices: DhcpDevice,
    subnets: tuple[DhcpSubnet, ...] = SUBNETS,
    **options: Any,
) -> Iterator[list[Mapping[str, object]]]:
    """Run a lab's server on an interface of a namespace; yields its events."""
    events: list[Mapping[str, object]] = []
    ready, failures = threading.Event(), list[BaseException]()
    ended: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def story() -> None:
        lab = LabServer(
            replace(plan(*devices), subnets=subnets),
            LabServerOptions(**options),
            lambda: datetime.now(UTC),
            events.append,
        )
        stop = asyncio.Event()
        with listening(lab, [interface]):
            ended.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    def work() -> None:
        try:
            enter_namespace(place.name)
            asyncio.run(story())
        except BaseException as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        assert not failures, failures
        yield events
    finally:
        for loop, stop in ended:
            loop.call_soon_threadsafe(stop.set)
        thread.join()
        assert not failures, failures


REFUSED = {"empty", "half-length", "length-alone", "cut", "length-too-big", "byte-swapped"}
REFUSED |= {"zero-length-only", "not-utf8", "not-ascii", "control-character", "wrong-scheme"}
REFUSED |= {"no-host", "bare-ipv6", "bad-port", "userinfo", "fragment", "too-long", "random"}


@pytest.mark.parametrize("fault", BAD_REDIRECTS)
def test_each_bad_list_in_both_families(link: Network, fault: str) -> None:
    with serving(link, device(uris4=(FIRST,), uris6=(SECOND,)), fault=fault) as events:
        # A list of 2058 octets is too large for any frame of IPv4; the server keeps silent.
        families = (Family.IPV6,) if fault == "too-long" else tuple(Family)
        told = [
            discover(link.routers[0], family, timing=quick(offer_wait=0.05)) for family in families
        ]
    for each in told:
        assert each.account is not None
        if fault in REFUSED:
            assert each.error is not None
            assert each.error.reason == "dhcp-bad-redirect"
            assert each.account.ignored
        else:
            assert each.error is None
            assert each.uris
            assert each.account.ignored
    assert events[-1]["event"] in {"dhcp-release", "dhcp-reply"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("two-name-servers", "dhcp-multiple-name-servers"),
        ("boot-file-only", "dhcp-no-redirect"),
        ("nak", "dhcp-refused"),
        ("silent", "dhcp-no-answer"),
    ],
)
def test_a_server_that_misbehaves_is_told_by_its_reason(
    link: Network, fault: str, reason: str
) -> None:
    timing = quick(offer_wait=0.05, discover=(0.4,), solicit=(0.4,), request=(0.4,))
    with serving(link, fault=fault):
        told = discover(link.routers[0], timing=timing)
    assert told.error is not None
    assert told.error.reason == reason
    if fault == "nak":
        # Over IPv6 it offers no address, which nobody can ask for.
        assert [fields["reason"] for fields in told.named("dhcp-failed")] == [
            "dhcp-refused",
            "dhcp-no-answer",
        ]


def test_a_late_answer_is_waited_for(link: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.dhcp.lab_listener.DELAY_S", 0.5)
    with serving(link, fault="delay"):
        for family in Family:
            began = time.monotonic()
            told = discover(link.routers[0], family)
            assert told.error is None
            # The offer and what follows it, each late.
            assert time.monotonic() >= began + 2 * 0.5


def test_both_routers_of_a_link_and_the_octets_of_the_list(link: Network) -> None:
    with serving(link) as events, captured(link.routers[0]) as frames:
        told = discover(link.routers[0])
        other = discover(link.routers[1], serial="RP1")
        six = discover(link.routers[0], Family.IPV6)
    assert told.uris[0] == FIRST
    assert other.account is not None
    assert other.account.address == "10.0.0.13/24"
    assert six.account is not None
    assert six.account.family == "ipv6"
    lists = {str(event["redirect"]) for event in events if event.get("redirect")}
    sent = b"".join([*payloads4(frames), *payloads6(frames)]).hex()
    assert all(each in sent for each in lists)


def test_no_interface_is_served_that_was_not_named(link: Network) -> None:
    lab = LabServer(plan(), LabServerOptions(), lambda: datetime.now(UTC), lambda _: None)

    async def story(*interfaces: str) -> None:
        with listening(lab, interfaces):
            pass

    with pytest.raises(ConfigError, match="give the interfaces"):
        link.hub.call_inside(lambda: asyncio.run(story()))
    for name in ("*", "any", "eth99"):
        with pytest.raises(Unavailable) as caught:
            link.hub.call_inside(lambda name=name: asyncio.run(story(name)))  # type: ignore[misc]
        assert caught.value.reason == "dhcp-interface"


def test_two_usable_offers_need_no_wait(link: Network) -> None:
    with serving(link) as events:
        told: Told = discover(link.routers[0], Family.IPV4, timing=quick(offer_wait=30))
    assert told.error is None
    assert [event["event"] for event in events][:2] == ["dhcp-offer", "dhcp-ack"]
