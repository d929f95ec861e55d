"""Reasons of the bootstrap server: why a router was refused, and what a person does about it."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "servers-disagree",
        Fault.CONFIGURATION,
        "Servers on one database have different certificates, or another setting that must agree.",
        "Give this server the pinned domain certificate and trust anchor of the others "
        "(`bootz keys show` there, `bootz init --join` or `bootz keys import` here; "
        "docs/several-servers.md).",
    ),
    Reason(
        "tracing-library-missing",
        Fault.CONFIGURATION,
        "Traces need a library that is not installed.",
        "Install the extra: `pip install bootz[otel]`, or remove `telemetry.otlp_endpoint`.",
    ),
    Reason(
        "tls-certificate-refused",
        Fault.UNAUTHENTICATED,
        "The client certificate failed the TLS handshake.",
        "Compare the certificate's issuer with the vendor's CA bundle (`bootz vendor show`); "
        "add the missing CA, or ask the vendor why the certificate is out of date.",
    ),
    Reason(
        "tls-certificate-purpose",
        Fault.UNAUTHENTICATED,
        "TLS refused a client certificate for its usages: its extendedKeyUsage lacks clientAuth "
        "(anyExtendedKeyUsage alone does not count), or its keyUsage lacks digitalSignature.",
        "Every TLS library refuses it. Let the router use a stream (BootstrapStream or "
        "BootstrapStreamV1), which needs no client certificate (the IDevID signs a challenge); "
        "else ask the vendor for IDevIDs with clientAuth, or without extendedKeyUsage.",
    ),
    Reason(
        "client-certificate-missing",
        Fault.UNAUTHENTICATED,
        "A unary call came without a client certificate.",
        "Check that the router has its IDevID and presents it in TLS, or that it uses a stream.",
    ),
    Reason(
        "client-certificate-unreadable",
        Fault.UNAUTHENTICATED,
        "The client certificate passed TLS but is not valid DER.",
        "Ask the vendor for an IDevID that is valid DER; the detail names the error.",
    ),
    Reason(
        "chassis-unknown",
        Fault.NOT_FOUND,
        "No chassis in the inventory has the card that sent the request.",
        "Compare the serial number with the purchase order and add the chassis "
        "(`bootz chassis add`), or find out whose router this is.",
    ),
    Reason(
        "chassis-ambiguous",
        Fault.NOT_FOUND,
        "Chassis of several manufacturers have a card with this serial number.",
        "Add the name that the router sends as an alias of the vendor (`bootz vendor set "
        "--alias`).",
    ),
    Reason(
        "chassis-serial-contradicts",
        Fault.FORBIDDEN,
        "The chassis serial number in the request differs from the inventory.",
        "Check whether the card was moved to another chassis, and correct the inventory.",
    ),
    Reason(
        "idevid-untrusted",
        Fault.UNAUTHENTICATED,
        "The IDevID does not chain to a CA of the chassis's manufacturer, is out of date, or "
        "breaks a rule for certificates.",
        "The failed check says what was seen. Check the vendor's CA bundle and the clock; if both "
        "are right and no rule is named, treat the router as an intruder.",
    ),
    Reason(
        "idevid-serial-foreign",
        Fault.FORBIDDEN,
        "A genuine device sent a request for a chassis to which it does not belong.",
        "Check whether the card was replaced; if the chassis never had it, investigate the router.",
    ),
    Reason(
        "nonce-missing",
        Fault.PRECONDITION,
        "A chassis in secure mode sent a request without a nonce.",
        "Enable secure mode on the router; allow insecure mode for the chassis only in a lab.",
    ),
    Reason(
        "cards-unknown",
        Fault.NOT_FOUND,
        "None of the cards in the request belongs to this chassis.",
        "Compare the slots with the inventory; accept the replacement card or correct the record.",
    ),
    Reason(
        "voucher-missing",
        Fault.PRECONDITION,
        "No valid ownership voucher is stored for a card that needs one.",
        "Import the voucher (`bootz voucher import`); until then the router keeps asking.",
    ),
    Reason(
        "voucher-expired",
        Fault.PRECONDITION,
        "The ownership voucher that is stored for a card has ended.",
        "Fetch a new one (`bootz voucher renew`) or import it (`bootz voucher import`); until then "
        "the router keeps asking. Check this machine's clock if the date is not past.",
    ),
    Reason(
        "report-status-unspecified",
        Fault.MALFORMED,
        "A status report has no status.",
        "Ask the vendor: the router sends a status that the interface does not define.",
    ),
    Reason(
        "report-without-cards",
        Fault.MALFORMED,
        "A status report names no card.",
        "Ask the vendor: the router must list the state of its cards.",
    ),
    Reason(
        "report-card-foreign",
        Fault.FORBIDDEN,
        "A status report names a card that does not belong to the proven chassis.",
        "Nothing was recorded; find out why this router reports for a card of another chassis.",
    ),
    Reason(
        "request-timeout",
        Fault.DEADLINE,
        "The peer did not finish its request in time.",
        "Check the network between router and server; the router tries again by itself.",
    ),
    Reason(
        "owner-identity-unusable",
        Fault.UNAVAILABLE,
        "The owner certificate or its key cannot be used, so nothing can be signed.",
        "See `bootz keys show`; correct the named file, then send SIGHUP to the server.",
    ),
    Reason(
        "owner-p256-unusable",
        Fault.UNAVAILABLE,
        "The P-256 owner certificate or its key cannot be used; the first key signs in its place.",
        "See `bootz keys show`; correct the named file, then send SIGHUP to the server.",
    ),
)
