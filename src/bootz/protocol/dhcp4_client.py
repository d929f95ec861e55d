"""The router's side of DHCPv4: what it sends, and what the answers mean. Pure.

Source: RFC 2131 sections 3 and 4.4; docs/protocol/dhcp.md#the-routers-client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from bootz.protocol.dhcp_offer import DEFAULT_LEASE, Family, Offer, read_redirect
from bootz.wire.dhcp4 import (
    BROADCAST_FLAG,
    Message4,
    MessageType4,
    Op,
    Option4,
    addresses4,
)
from bootz.wire.dhcp_identity import DhcpIdentity

CLIENT_PORT: Final = 68
SERVER_PORT: Final = 67

MAX_MESSAGE_SIZE: Final = 1472
"""What option 57 says: an MTU of 1500 less 28. Without it dhcpd leaves 143 out silently."""

_ASKED: Final = (
    Option4.SUBNET_MASK,
    Option4.ROUTERS,
    Option4.NAME_SERVERS,
    Option4.HOST_NAME,
    Option4.DOMAIN_NAME,
    Option4.LEASE_TIME,
    Option4.SERVER_ID,
    Option4.REDIRECT,
)


@dataclass(frozen=True, slots=True)
class Client4:
    """A router's DHCPv4. In secure mode it does not ask for boot files; ``strict``: for the list.

    ``with_vendor_classes``: option 124 too.
    """

    identity: DhcpIdentity
    secure: bool = True
    strict: bool = False
    with_vendor_classes: bool = False

    def discover(self, xid: int, secs: int = 0) -> Message4:
        """Return a DISCOVER."""
        return self._message(MessageType4.DISCOVER, xid, {}, secs)

    def request(self, xid: int, offer: Offer, secs: int = 0) -> Message4:
        """Return the REQUEST that selects an offer; ``xid`` is that of the DISCOVER."""
        address = offer.address
        assert isinstance(address, IPv4Address)  # noqa: S101 -- best_offer returns no other
        return self._message(
            MessageType4.REQUEST,
            xid,
            {Option4.REQUESTED_ADDRESS: address.packed, Option4.SERVER_ID: offer.server},
            secs,
        )

    def renew(self, xid: int, address: IPv4Address, secs: int = 0) -> Message4:
        """Return the REQUEST that renews or rebinds; it needs no broadcast back."""
        return self._message(MessageType4.REQUEST, xid, {}, secs, address)

    def release(self, xid: int, address: IPv4Address, server: bytes) -> Message4:
        """Return a RELEASE."""
        options: dict[int, bytes] = {
            Option4.MESSAGE_TYPE: bytes([MessageType4.RELEASE]),
            Option4.SERVER_ID: server,
            Option4.CLIENT_ID: self.identity.client_id,
        }
        return Message4(Op.REQUEST, xid, self.identity.mac, options, client=address)

    def read(self, message: Message4, xid: int) -> Offer | None:
        """Return what an OFFER, ACK or NAK means; None for what is not for this router.

        A NAK is an offer with a ``failure``.
        """
        kinds = {MessageType4.OFFER, MessageType4.ACK, MessageType4.NAK}
        if message.op is not Op.REPLY or message.xid != xid or message.type not in kinds:
            return None
        if message.hardware_address != self.identity.mac:
            return None
        return self._offer(message)

    def _offer(self, message: Message4) -> Offer:
        options = message.options
        redirect, warnings = read_redirect(options.get(Option4.REDIRECT), strict=self.strict)
        if message.bad_overload:
            warnings.append("option 52 is bad-overload and ignored")
        name_servers: tuple[IPv4Address, ...] = ()
        if Option4.NAME_SERVERS in options:
            found = addresses4(options[Option4.NAME_SERVERS])
            name_servers = found or ()
            if found is None:
                warnings.append("the list of name-servers has an invalid length and is ignored")
        routers = addresses4(options.get(Option4.ROUTERS, b"")) or (None,)
        lease = message.number(Option4.LEASE_TIME) or DEFAULT_LEASE
        failure = ""
        if message.type is MessageType4.NAK:
            text = options.get(Option4.MESSAGE, b"")[:100].decode("ascii", "replace")
            failure = f"NAK {text}".strip()
        return Offer(
            Family.IPV4,
            options.get(Option4.SERVER_ID, b""),
            None if int(message.yours) == 0 else message.yours,
            _prefix(message.address(Option4.SUBNET_MASK)),
            routers[0],
            name_servers,
            lease,
            message.number(Option4.RENEWAL_TIME) or lease // 2,
            message.number(Option4.REBINDING_TIME) or lease * 7 // 8,
            redirect,
            options.get(Option4.REDIRECT, b""),
            _boot_file(message),
            failure=failure,
            warnings=tuple(warnings),
        )

    def _message(
        self,
        kind: MessageType4,
        xid: int,
        more: Mapping[int, bytes],
        secs: int,
        client: IPv4Address | None = None,
    ) -> Message4:
        asked = [*_ASKED] if self.secure else [*_ASKED, Option4.TFTP_SERVER_NAME, Option4.BOOT_FILE]
        options: dict[int, bytes] = {
            Option4.MESSAGE_TYPE: bytes([kind]),
            **more,
            Option4.PARAMETER_REQUEST_LIST: bytes(asked),
            Option4.MAX_MESSAGE_SIZE: MAX_MESSAGE_SIZE.to_bytes(2, "big"),
            Option4.VENDOR_CLASS: self.identity.vendor_class,
            Option4.CLIENT_ID: self.identity.client_id,
        }
        if self.with_vendor_classes:
            options[Option4.VENDOR_CLASSES] = self.identity.vendor_classes4
        return Message4(
            Op.REQUEST,
            xid,
            self.identity.mac,
            options,
            min(secs, 0xFFFF),
            BROADCAST_FLAG if client is None else 0,
            client or IPv4Address(0),
        )


def _prefix(mask: IPv4Address | None) -> int:
    if mask is None:
        return 32
    try:
        return IPv4Network(f"0.0.0.0/{mask}").prefixlen
    except ValueError:
        return 32


def _boot_file(message: Message4) -> str:
    words = [
        message.options.get(Option4.BOOT_FILE, b"").rstrip(b"\0"),
        message.options.get(Option4.TFTP_SERVER_NAME, b"").rstrip(b"\0"),
        message.file,
        message.server_name,
    ]
    return " ".join(word[:200].decode("ascii", "replace") for word in words if word)
