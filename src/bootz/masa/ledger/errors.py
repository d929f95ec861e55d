"""The error of the ledger, and its shapes that occur in more than one place."""

from bootz.errors import PeerError
from bootz.masa.ledger.nouns import ComponentName


class LedgerError(PeerError):
    """A call of the OVGS interface that is answered with an error of its specification."""


def missing(field: str) -> LedgerError:
    """Return the error for an argument that is empty."""
    return LedgerError("ovgs-argument-missing", "is empty", where=field)


def invalid(field: str, detail: str) -> LedgerError:
    """Return the error for an argument that cannot be right."""
    return LedgerError("ovgs-argument-invalid", detail, where=field)


def unknown_group(group_id: str) -> LedgerError:
    """Return the error for a group that is not there."""
    return LedgerError("ovgs-group-unknown", "there is no such group", where=group_id)


def unknown_component(name: ComponentName) -> LedgerError:
    """Return the error for a component that is not on record."""
    return LedgerError("ovgs-component-unknown", "there is no such component", where=str(name))


def unknown_certificate(cert_id: str) -> LedgerError:
    """Return the error for a domain certificate that is not registered."""
    return LedgerError("ovgs-cert-unknown", "there is no such domain certificate", where=cert_id)


def denied(where: str, detail: str = "your role does not allow this") -> LedgerError:
    """Return the error for a caller without the power that a call needs."""
    return LedgerError("ovgs-permission-denied", detail, where=where)
