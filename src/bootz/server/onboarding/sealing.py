"""From a proven chassis to sealed data: select cards, find vouchers, render, encrypt, sign.

The flows differ before this point (how the chassis is proven) and after it (how the answer is
spelt); what a chassis gets is the same in all of them. The steps are numbered as
docs/protocol/owner.md#a-request numbers them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from bootz.log import get_logger
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest
from bootz.model.chassis import BootMode, Chassis, fold_serial
from bootz.protocol.selection import Selection, VoucherPlan
from bootz.protocol.server import OwnerSession
from bootz.protocol.steps import known
from bootz.server.onboarding.attempt import Attempt
from bootz.server.ports import Clock, Inventory, OwnerIdentity, Renderer
from bootz.trust.bundle import pack_bundle
from bootz.trust.certificates import fingerprint
from bootz.trust.hpke import seal as encrypt
from bootz.wire.answers import with_nonce
from bootz.wire.dialects import Dialect, written_dialect

log = get_logger()


@dataclass(frozen=True, slots=True)
class OwnerState:
    """What the owner answers with; swapped whole on reload.

    ``identity`` signs for every router, ``p256`` for those that are known to verify its key, if
    there is one; both lead to the same pinned domain certificate. ``trust_anchor`` is DER.
    """

    identity: OwnerIdentity
    trust_anchor: bytes = field(repr=False)
    p256: OwnerIdentity | None = None

    def signer_for(self, chassis: Chassis) -> OwnerIdentity:
        """Return who signs for a chassis: the cheapest key that its routers verify."""
        if chassis.verifies_p256 and self.p256 is not None:
            return self.p256
        return self.identity


class Sealer:
    """Makes what a proven chassis is sent. Arguments as those of ``BootstrapService``."""

    def __init__(
        self,
        *,
        inventory: Inventory,
        renderer: Renderer,
        owner: Callable[[], OwnerState],
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._renderer = renderer
        self._owner = owner
        self._clock = clock

    async def seal(
        self,
        session: OwnerSession,
        request: BootstrapRequest,
        attempt: Attempt,
        *,
        recipient: bytes | None = None,
    ) -> tuple[SealedData, Dialect]:
        """Return the sealed data, and the row they are written in.

        ``recipient`` is the transport key to encrypt for; the signature is then over the
        ciphertext, as the device verifies before it decrypts.

        Raises:
            BootzError: refused, or the owner cannot sign.
        """
        chassis = known(session.proven).chassis
        # 5 and 6. A nonce in secure mode, and a card to answer.
        try:
            selection = session.select()
        finally:
            attempt.take_selection(session.selection)
        # 7. With a nonce, the voucher that must travel.
        owner = self._owner()
        voucher = b""
        if request.nonce:
            voucher = await self._voucher(session, selection, chassis, owner, attempt)
        elif chassis.boot_mode is BootMode.INSECURE:
            log.warning(
                "insecure-chassis-answered-unsigned",
                chassis=attempt.chassis_name,
                serial_number=attempt.claimed_serial,
                peer=attempt.caller.peer,
            )
        # 8. Rendered, encoded once, given the nonce, encrypted, signed as it travels.
        written = written_dialect(attempt.dialect, chassis.release)
        body = await self._renderer.body(
            chassis,
            [card.serial_number for card in selection.answered],
            written,
            trust_anchor=owner.trust_anchor,
            reached_at=attempt.caller.reached_at,
        )
        payload = content = with_nonce(body, request.nonce or None)
        encapsulated_key = b""
        if recipient is not None:
            encrypted = encrypt(content, recipient)
            payload, encapsulated_key = encrypted.ciphertext, encrypted.encapsulated_key
        signed = bool(request.nonce)
        signer = owner.signer_for(chassis)
        sealed = SealedData(
            payload,
            signature=await signer.sign(payload) if signed else "",
            ownership_voucher=voucher,
            owner_certificate=signer.certificate.cms if signed else b"",
            encapsulated_key=encapsulated_key,
        )
        # The nonce comes after the body, so that one pass over it gives the digests of both.
        digest = hashlib.sha256(body)
        attempt.content_sha256 = digest.hexdigest()
        digest.update(content[len(body) :])
        attempt.sent.update(
            payload_sha256=digest.hexdigest(),
            signed="yes" if sealed.signature else "no",
            voucher_sha256=hashlib.sha256(voucher).hexdigest() if voucher else "",
            owner_sha256=fingerprint(signer.certificate.certificate) if signed else "",
        )
        attempt.content = body
        attempt.written = written.name
        return sealed, written

    async def _voucher(
        self,
        session: OwnerSession,
        selection: Selection,
        chassis: Chassis,
        owner: OwnerState,
        attempt: Attempt,
    ) -> bytes:
        cards = [
            card
            for answered in selection.answered
            if (card := chassis.card(answered.serial_number)) is not None
        ]
        stored = await self._inventory.vouchers(
            chassis, cards, owner.identity.pinned_domain_cert, self._clock()
        )
        plan: VoucherPlan = session.plan_vouchers(stored)
        for missing in plan.missing:
            log.warning(
                "voucher-missing-in-bundle", chassis=attempt.chassis_name, serial_number=missing
            )
        if not plan.bundle:
            return stored.valid[plan.serials[0]]
        spelling = {fold_serial(card.serial_number): card.serial_number for card in cards}
        return pack_bundle({spelling[serial]: stored.valid[serial] for serial in plan.serials})
