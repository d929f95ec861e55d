"""Roles, and the one table of what each may do."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class OperatorRole(Enum):
    """What a person or a program may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Reads everything but secrets."""
    OPERATOR = "operator"
    """Changes chassis, profiles, images, vouchers and replacements; holds and releases."""
    SECURITY = "security"
    """Changes vendors and their CAs, and turns checks off; sees secrets."""
    ADMIN = "admin"
    """Keeps users, tokens and webhooks."""

    def may(self, needed: "OperatorRole") -> bool:
        """Return whether this role includes another."""
        return _RANK[self] >= _RANK[needed]


_RANK: Final = {role: rank for rank, role in enumerate(OperatorRole)}

_READ: Final = (
    "vendor.list",
    "vendor.show",
    "chassis.list",
    "chassis.show",
    "chassis.render",
    "chassis.check",
    "profile.list",
    "profile.show",
    "image.list",
    "image.show",
    "voucher.list",
    "voucher.show",
    "replacement.list",
    "attempt.list",
    "attempt.show",
    "event.list",
    "stranger.list",
    "keys.list",
    "status.show",
    "source.list",
    "source.show",
    "metrics.read",
    "export.run",
)
_OPERATE: Final = (
    "chassis.add",
    "chassis.set",
    "chassis.remove",
    "chassis.hold",
    "chassis.release",
    "profile.add",
    "profile.set",
    "profile.remove",
    "image.add",
    "image.remove",
    "voucher.import",
    "voucher.fetch",
    "voucher.remove",
    "stranger.claim",
    "stranger.ignore",
    "chassis.probe",
    "replacement.accept",
    "replacement.reject",
    "import.run",
    "source.check",
    "source.sync",
    "source.release",
)
_SECURE: Final = (
    "vendor.add",
    "vendor.set",
    "vendor.remove",
    "chassis.insecure",
    "secret.read",
    "audit.list",
    "audit.verify",
)
_ADMINISTER: Final = (
    "user.list",
    "user.add",
    "user.set",
    "user.remove",
    "token.list",
    "token.add",
    "token.revoke",
    "webhook.list",
    "webhook.add",
    "webhook.set",
    "webhook.remove",
    "webhook.resend",
    "webhook.test",
)

NEEDED: Final[Mapping[str, OperatorRole]] = MappingProxyType(
    {
        **dict.fromkeys(_READ, OperatorRole.VIEWER),
        **dict.fromkeys(_OPERATE, OperatorRole.OPERATOR),
        **dict.fromkeys(_SECURE, OperatorRole.SECURITY),
        **dict.fromkeys(_ADMINISTER, OperatorRole.ADMIN),
    }
)
"""The role that each verb needs.

``chassis.insecure`` is asked beside ``chassis.add``, ``chassis.set`` and ``import.run`` where a
chassis would be served without proofs: in insecure mode, or without the check of its serial number.
``chassis.probe`` is asked where a preflight is to ask image URLs and DHCP over the network.
``secret.read`` is asked where secrets would be shown: without it, they are fingerprints.
"""

SCOPED: Final = frozenset(
    {
        *("chassis.list", "chassis.show", "chassis.render", "chassis.check", "chassis.probe"),
        *("chassis.add", "chassis.set", "chassis.remove", "chassis.hold", "chassis.release"),
        *("attempt.list", "attempt.show", "stranger.list", "stranger.claim"),
        *("vendor.list", "vendor.show", "profile.list", "profile.show"),
        *("image.list", "image.show", "keys.list", "status.show"),
    }
)
"""The verbs of a token that is limited to chassis with certain labels, as far as its role goes.

Those on chassis leave all others out; the rest only read, and name no chassis. Everything else
would reach beyond its chassis: a profile is given to others too, a new token has no such limit.
"""
