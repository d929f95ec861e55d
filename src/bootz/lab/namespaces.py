"""Network namespaces for a lab: made, wired with virtual Ethernet, entered, removed.

A namespace is known to the whole machine by its name, as ``ip netns`` has it, so that a process
(``command_inside``) and a thread (``call_inside``) can enter it. Source: ip-netns(8), setns(2).
"""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path
from typing import Final, TypeVar

from bootz.errors import Unavailable

_FOLDER: Final = Path("/run/netns")
_CLONE_NEWNET: Final = 0x40000000
_TIMEOUT: Final = 20.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace by its name."""

    name: str

    def command_inside(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` in here."""
        return ["ip", "netns", "exec", self.name, *command]

    def call_inside(self, function: Callable[[], _T]) -> _T:
        """Call a function in here, and return or raise what it does.

        It runs in a thread of its own; sockets that it opens stay in here for every thread.
        """
        results: list[_T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                enter_namespace(self.name)
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name=f"namespace {self.name}")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def add_address(self, interface: str, address: IPv4Interface | IPv6Interface) -> None:
        """Put an address on an interface in here, ready at once.

        Raises:
            Unavailable: ``namespaces-not-permitted``.
        """
        more = ["nodad"] if address.version == 6 else []
        _ip("-n", self.name, "address", "add", str(address), "dev", interface, *more)

    def bring_up(self, interface: str) -> None:
        """Set an interface in here up.

        Raises:
            Unavailable: ``namespaces-not-permitted``.
        """
        _ip("-n", self.name, "link", "set", interface, "up")


def enter_namespace(name: str) -> None:
    """Move this thread into a namespace, for good.

    Raises:
        Unavailable: ``namespaces-not-permitted``.
    """
    try:
        descriptor = os.open(_FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(f"{name}: {error.strerror}") from error
    try:
        # os.setns is there from Python 3.12 on.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise _refused(f"{name}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


@contextmanager
def namespace(name: str) -> Iterator[Namespace]:
    """Make a namespace with its loopback up, and remove it at the end with all its interfaces.

    Raises:
        Unavailable: ``namespaces-not-permitted``; also where the name is taken.
    """
    _ip("netns", "add", name)
    try:
        made = Namespace(name)
        made.bring_up("lo")
        yield made
    finally:
        _ip("netns", "delete", name)


@dataclass(frozen=True, slots=True)
class Network:
    """A link with several routers on it: ``hub`` has a bridge, each of ``routers`` a port."""

    hub: Namespace
    routers: tuple[Namespace, ...]


HUB_INTERFACE: Final = "bridge0"
"""The link, as the hub sees it: servers listen here."""

ROUTER_INTERFACE: Final = "mgmt0"
"""The management port of a router, down and without an address until DHCP."""


@contextmanager
def network(
    prefix: str, routers: int, addresses: Sequence[IPv4Interface | IPv6Interface]
) -> Iterator[Network]:
    """Make the namespaces ``PREFIX-hub`` and ``PREFIX-r0`` on, wired, the hub with addresses.

    Raises:
        Unavailable: ``namespaces-not-permitted``; nothing is left behind.
    """
    with ExitStack() as made:
        hub = made.enter_context(namespace(f"{prefix}-hub"))
        _ip(
            *("-n", hub.name, "link", "add", HUB_INTERFACE, "type", "bridge"),
            *("forward_delay", "0", "mcast_snooping", "0"),
        )
        # A link-local address of our own, ready at once: a DHCPv6 server that starts during
        # duplicate detection listens nowhere, and says so in its log alone.
        _ip("-n", hub.name, "link", "set", HUB_INTERFACE, "addrgenmode", "none")
        hub.bring_up(HUB_INTERFACE)
        hub.add_address(HUB_INTERFACE, IPv6Interface("fe80::1/64"))
        # A pair that is always up keeps the link running while every router is down; a server
        # that starts on a link that does not run listens nowhere.
        _ip("-n", hub.name, "link", "add", "keep0", "type", "veth", "peer", "name", "keep1")
        _ip("-n", hub.name, "link", "set", "keep0", "master", HUB_INTERFACE, "up")
        hub.bring_up("keep1")
        for address in addresses:
            hub.add_address(HUB_INTERFACE, address)
        found: list[Namespace] = []
        for number in range(routers):
            router = made.enter_context(namespace(f"{prefix}-r{number}"))
            port = f"port{number}"
            _ip(
                *("-n", hub.name, "link", "add", port, "type", "veth"),
                *("peer", "name", ROUTER_INTERFACE, "netns", router.name),
            )
            _ip("-n", hub.name, "link", "set", port, "master", HUB_INTERFACE, "up")
            found.append(router)
        yield Network(hub, tuple(found))


def obstacle() -> str:
    """Return why a network cannot be made here, empty where it can; leaves nothing behind.

    A whole one is tried: where namespaces may be made, bridges and veth may not be there yet.
    """
    try:
        with network(f"bootz-try{os.getpid()}", 1, []):
            return ""
    except Unavailable as error:
        return error.detail


def _ip(*arguments: str) -> None:
    program = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        raise _refused("the command `ip` of iproute2 is not installed")
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, and the program is iproute2's
            [program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(str(error)) from error
    if done.returncode:
        raise _refused(f"ip {' '.join(arguments)}: {done.stderr.strip()[:300]}")


def _refused(detail: str) -> Unavailable:
    return Unavailable("namespaces-not-permitted", detail, where="network namespace")
