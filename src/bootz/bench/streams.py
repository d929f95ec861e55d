"""Onboarding over a stream, as the router of this project does it: a challenge instead of TLS."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bootz.device.grpc_client import Dialer, Timeouts
from bootz.device.prover import IdevidProver
from bootz.device.stream_contact import StreamContact
from bootz.errors import BootzError
from bootz.trust.certificates import parse_certificates
from bootz.trust.signature import sign_hashed
from bootz.wire.flows import STREAM_FLOWS


class Streams:
    """The routers of one process on one flow; keys are read once, since that is dear."""

    def __init__(self, flow_name: str) -> None:
        self._flow = next(flow for flow in STREAM_FLOWS if flow.name == flow_name)
        self._contacts: dict[Path, StreamContact] = {}

    def contact(self, identity: Path) -> StreamContact:
        """Return the way in which the router with this identity (PEM, chain and key) speaks.

        Raises:
            BootzError: it holds no key of a kind that signs.
        """
        contact = self._contacts.get(identity)
        if contact is None:
            pem = identity.read_bytes()
            # Its own maker made it; a check of 0.2 s would take the core from who is measured.
            key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
            if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
                raise BootzError("bench-onboarding-failed", "no key", where=str(identity))
            chain = parse_certificates(pem[: pem.rindex(b"-----BEGIN PRIVATE KEY")])
            prover = IdevidProver(chain, sign_hashed(key))
            contact = StreamContact(self._flow, prover, Dialer(Timeouts()))
            self._contacts[identity] = contact
        return contact
