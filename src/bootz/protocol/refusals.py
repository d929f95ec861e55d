"""Why the owner's side refuses, as classes: whose fault it is."""

from bootz.errors import OperatorError, PolicyError, TrustError


class UnprovenPeer(TrustError):
    """The peer has not shown that it is a device of the manufacturer."""


class ForeignChassis(PolicyError):
    """A proven peer asks for what is another chassis's."""


class MissingRecord(OperatorError):
    """The inventory does not know what the peer is or asks for."""


class UnmetCondition(PolicyError):
    """The request is right, the state of chassis or server is not."""
