"""Reasons of the owner's side of vouchers: sources, and what they give."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "masa-unreachable",
        Fault.UNAVAILABLE,
        "The manufacturer's voucher service cannot be reached.",
        "Check `--ovgs` (`bootz vendor show NAME`) and the route to it. Stored vouchers "
        "are still used; the server tries again by itself.",
    ),
    Reason(
        "masa-broken",
        Fault.UNAVAILABLE,
        "The connection to the manufacturer's voucher service broke before the answer arrived.",
        "The server tries again by itself. If it happens every time, ask the manufacturer.",
    ),
    Reason(
        "masa-deadline",
        Fault.DEADLINE,
        "The manufacturer's voucher service did not answer in time.",
        "The server tries again by itself. If it happens every time, ask the manufacturer.",
    ),
    Reason(
        "masa-untrusted",
        Fault.UNAUTHENTICATED,
        "The voucher service's TLS certificate does not chain to the configured roots.",
        "Set the roots of the manufacturer (`bootz vendor set NAME --tls-roots FILE`), "
        "and use the host name in its certificate.",
    ),
    Reason(
        "masa-refused",
        Fault.PRECONDITION,
        "The manufacturer's voucher service refused a call; its message is in the detail.",
        "FAILED_PRECONDITION: it does not know the serial number or the certificate id; "
        "PERMISSION_DENIED: ask its ADMIN for a role; INVALID_ARGUMENT: compare IEN and lifetime.",
    ),
    Reason(
        "masa-token-refused",
        Fault.UNAUTHENTICATED,
        "The voucher service does not accept the token, even after it was read again.",
        "Ask the manufacturer for a new token and put it into the token file; no restart is "
        "needed.",
    ),
    Reason(
        "masa-token-unusable",
        Fault.CONFIGURATION,
        "The token for the voucher service is missing or malformed.",
        "Put only the token into the file that `--token-file` names, mode 0600.",
    ),
    Reason(
        "masa-suspended",
        Fault.UNAVAILABLE,
        "The voucher service failed several times in a row and is not called for 30 seconds.",
        "Wait; the server tries again by itself. See the failures before it in the log.",
    ),
    Reason(
        "masa-answer-invalid",
        Fault.MALFORMED,
        "The answer of the voucher service violates OVGS.",
        "Report it to the manufacturer; the detail says what is wrong.",
    ),
    Reason(
        "masa-pins-other",
        Fault.CONFIGURATION,
        "The certificate registered under this id is not this site's pinned domain "
        "certificate, or its registration has expired.",
        "Register this site's (`bootz keys show`) with the manufacturer, and set the new id with "
        "`bootz vendor set NAME --cert-id ID`.",
    ),
    Reason(
        "voucher-source-missing",
        Fault.CONFIGURATION,
        "The vendor has no voucher source.",
        "Set one: `bootz vendor set NAME --ovgs HOST:PORT …`, or import vouchers "
        "(`bootz voucher import FILE`).",
    ),
    Reason(
        "voucher-source-lacks",
        Fault.NOT_FOUND,
        "The vendor's source has no voucher for this serial number.",
        "Put the manufacturer's voucher into the folder; `bootz voucher request` writes a request.",
    ),
    Reason(
        "voucher-fetches-too-many",
        Fault.CONFLICT,
        "Too many requests for vouchers wait for the server, or are under way.",
        "Wait for one to end (`bootz voucher fetches`); requests wait as long as no `bootz serve` "
        "runs.",
    ),
    Reason(
        "voucher-fetch-incomplete",
        Fault.PRECONDITION,
        "Vouchers could not be fetched for one or more cards; the others were stored.",
        "See the reason next to each of them.",
    ),
    Reason(
        "voucher-card-unknown",
        Fault.NOT_FOUND,
        "No card in the inventory has this serial number.",
        "See `bootz chassis list`; vouchers are fetched for cards in the inventory.",
    ),
    Reason(
        "tpm-ek-untrusted",
        Fault.UNAUTHENTICATED,
        "A TPM's endorsement key certificate does not chain to the configured roots.",
        "Add the TPM vendor's root to `ek_roots`, or ask the manufacturer about this card.",
    ),
)
