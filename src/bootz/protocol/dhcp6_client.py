"""The router's side of DHCPv6: what it sends, and what the answers mean. Pure.

Source: RFC 8415 section 18; docs/protocol/dhcp.md#the-routers-client.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from bootz.protocol.dhcp_offer import DEFAULT_LEASE, Family, Offer, read_redirect
from bootz.wire.dhcp6 import (
    IaAddress,
    IaNa,
    Message6,
    MessageType6,
    Option6,
    Options6,
    Status6,
    addresses6,
    decode_ia_na,
    decode_status,
    encode_ia_na,
)
from bootz.wire.dhcp_identity import DhcpIdentity

CLIENT_PORT: Final = 546
SERVER_PORT: Final = 547
ALL_SERVERS: Final = IPv6Address("ff02::1:2")
"""All_DHCP_Relay_Agents_and_Servers."""

IAID: Final = 1


@dataclass(frozen=True, slots=True)
class Client6:
    """A router's DHCPv6. In secure mode it does not ask for boot files."""

    identity: DhcpIdentity
    secure: bool = True
    strict: bool = False

    def solicit(self, transaction: int, elapsed: float = 0) -> Message6:
        """Return a SOLICIT; ``elapsed`` seconds since the first one."""
        return self._message(MessageType6.SOLICIT, transaction, IaNa(IAID), b"", elapsed)

    def request(self, transaction: int, offer: Offer, elapsed: float = 0) -> Message6:
        """Return the REQUEST that selects an offer."""
        return self._asking(MessageType6.REQUEST, transaction, offer, offer.server, elapsed)

    def renew(self, transaction: int, lease: Offer, elapsed: float = 0) -> Message6:
        """Return a RENEW, to the server of the lease."""
        return self._asking(MessageType6.RENEW, transaction, lease, lease.server, elapsed)

    def rebind(self, transaction: int, lease: Offer, elapsed: float = 0) -> Message6:
        """Return a REBIND, to any server."""
        return self._asking(MessageType6.REBIND, transaction, lease, b"", elapsed)

    def release(self, transaction: int, lease: Offer) -> Message6:
        """Return a RELEASE."""
        return self._asking(MessageType6.RELEASE, transaction, lease, lease.server, 0)

    def read(self, message: Message6, transaction: int) -> Offer | None:
        """Return what an ADVERTISE or REPLY means; None for what is not for this router.

        Raises:
            WireError: ``dhcp-malformed``: an association is cut.
        """
        kinds = {MessageType6.ADVERTISE, MessageType6.REPLY}
        if message.type not in kinds or message.transaction != transaction:
            return None
        server = message.option(Option6.SERVER_ID)
        if message.option(Option6.CLIENT_ID) != self.identity.duid or not server:
            return None
        value = message.option(Option6.IA_NA)
        association = IaNa(IAID) if value is None else decode_ia_na(value)
        usable = [
            each
            for each in association.addresses
            if each.valid and each.status == Status6.SUCCESS and association.iaid == IAID
        ]
        return self._offer(message, server, association, usable[0] if usable else None)

    def _offer(
        self, message: Message6, server: bytes, association: IaNa, leased: IaAddress | None
    ) -> Offer:
        payload = message.option(Option6.REDIRECT)
        redirect, warnings = read_redirect(payload, strict=self.strict)
        if message.count(Option6.REDIRECT) > 1:
            warnings.append("option 136 appears twice; the first one is used")
        name_servers: tuple[IPv6Address, ...] = ()
        listed = message.option(Option6.NAME_SERVERS)
        if listed is not None:
            found = addresses6(listed)
            name_servers = found or ()
            if found is None:
                warnings.append("the list of name-servers has an invalid length and is ignored")
        status = decode_status(message.options) or association.status
        failure = ""
        if status != Status6.SUCCESS:
            names = {int(each): each.name for each in Status6}
            failure = f"status {names.get(status, status)}"
        valid = leased.valid if leased else DEFAULT_LEASE
        preferred = leased.preferred if leased else valid
        return Offer(
            Family.IPV6,
            server,
            leased.address if leased else None,
            128,
            None,
            name_servers,
            valid,
            association.t1 or preferred // 2,
            association.t2 or preferred * 4 // 5,
            redirect,
            payload or b"",
            (message.option(Option6.BOOT_FILE) or b"")[:200].decode("ascii", "replace"),
            int.from_bytes((message.option(Option6.PREFERENCE) or b"")[:1], "big"),
            failure,
            tuple(warnings),
        )

    def _asking(
        self, kind: MessageType6, transaction: int, offer: Offer, server: bytes, elapsed: float
    ) -> Message6:
        address = offer.address
        assert isinstance(address, IPv6Address)  # noqa: S101 -- best_offer returns no other
        association = IaNa(IAID, addresses=(IaAddress(address, 0, 0),))
        return self._message(kind, transaction, association, server, elapsed)

    def _message(
        self,
        kind: MessageType6,
        transaction: int,
        association: IaNa,
        server: bytes,
        elapsed: float,
    ) -> Message6:
        codes = [Option6.NAME_SERVERS, Option6.DOMAIN_LIST, Option6.REDIRECT]
        if not self.secure:
            codes.append(Option6.BOOT_FILE)
        options: list[tuple[int, bytes]] = [(Option6.CLIENT_ID, self.identity.duid)]
        if server:
            options.append((Option6.SERVER_ID, server))
        hundredths = min(int(elapsed * 100), 0xFFFF)
        rest: Options6 = (
            (Option6.IA_NA, encode_ia_na(association)),
            (Option6.REQUEST_LIST, b"".join(code.to_bytes(2, "big") for code in codes)),
            (Option6.ELAPSED_TIME, hundredths.to_bytes(2, "big")),
            (Option6.VENDOR_CLASS, self.identity.vendor_class6),
        )
        return Message6(kind, transaction, (*options, *rest))
