"""Reasons of the owner's side of vouchers: sources, and what they give."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "masa-unreachable",
        Fault.UNAVAILABLE,
        "No connection to the manufacturer's voucher service comes about.",
        "Check `--ovgs` (`bootz vendor show NAME`) and the route to it. Vouchers that are held "
        "go on being served; the server tries again by itself.",
    ),
    Reason(
        "masa-broken",
        Fault.UNAVAILABLE,
        "The connection to the manufacturer's voucher service broke before the answer was there.",
        "The server tries again by itself. If it happens each time, ask the manufacturer.",
    ),
    Reason(
        "masa-deadline",
        Fault.DEADLINE,
        "The manufacturer's voucher service did not answer in time.",
        "The server tries again by itself. If it happens each time, ask the manufacturer.",
    ),
    Reason(
        "masa-untrusted",
        Fault.UNAUTHENTICATED,
        "The voucher service's TLS certificate does not lead to the roots that are set.",
        "Set the roots that the manufacturer names (`bootz vendor set NAME --tls-roots FILE`), "
        "and the host name that its certificate has.",
    ),
    Reason(
        "masa-refused",
        Fault.PRECONDITION,
        "The manufacturer's voucher service refused a call; its own words are in the detail.",
        "FAILED_PRECONDITION: it does not know the serial number or the certificate id; "
        "PERMISSION_DENIED: ask its ADMIN for a role; INVALID_ARGUMENT: compare IEN and lifetime.",
    ),
    Reason(
        "masa-token-refused",
        Fault.UNAUTHENTICATED,
        "The voucher service does not accept the token, also after it was read again.",
        "Ask the manufacturer for a new token and put it into the token file; nothing is to be "
        "restarted.",
    ),
    Reason(
        "masa-token-unusable",
        Fault.CONFIGURATION,
        "The token for the voucher service is missing or is none.",
        "Put the token alone into the file that `--token-file` names, mode 0600.",
    ),
    Reason(
        "masa-suspended",
        Fault.UNAVAILABLE,
        "The voucher service failed several times on end, and is left alone for half a minute.",
        "Wait; the server tries again by itself. See the failures before it in the log.",
    ),
    Reason(
        "masa-answer-invalid",
        Fault.MALFORMED,
        "The voucher service answered with what OVGS does not allow.",
        "Tell the manufacturer; the detail says what is wrong.",
    ),
    Reason(
        "masa-pins-other",
        Fault.CONFIGURATION,
        "The certificate registered there under this id is not this site's pinned domain "
        "certificate, or its registration has expired.",
        "Register this site's (`bootz keys show`) with the manufacturer, and set the new id with "
        "`bootz vendor set NAME --cert-id ID`.",
    ),
    Reason(
        "voucher-source-missing",
        Fault.CONFIGURATION,
        "The vendor has no source of vouchers.",
        "Set one: `bootz vendor set NAME --ovgs HOST:PORT …`, or import vouchers "
        "(`bootz voucher import FILE`).",
    ),
    Reason(
        "voucher-source-lacks",
        Fault.NOT_FOUND,
        "The vendor's source has no voucher for this serial number.",
        "Put the manufacturer's voucher into the folder; see `bootz voucher request` for asking.",
    ),
    Reason(
        "voucher-fetch-incomplete",
        Fault.PRECONDITION,
        "For one or more cards no voucher could be fetched; the others were stored.",
        "See the reason beside each of them.",
    ),
    Reason(
        "voucher-card-unknown",
        Fault.NOT_FOUND,
        "No card on record has this serial number.",
        "See `bootz chassis list`; vouchers are fetched for cards on record.",
    ),
    Reason(
        "tpm-ek-untrusted",
        Fault.UNAUTHENTICATED,
        "A TPM's endorsement key certificate does not lead to the roots that are set for it.",
        "Add the TPM vendor's root to `ek_roots`, or ask the manufacturer about this card.",
    ),
)
