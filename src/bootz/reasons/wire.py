"""Reasons of messages: their form, their bounds, and what cannot be written."""

from bootz.reasons.reason import Fault, Reason

_ASK_VENDOR = "Ask the vendor of the peer; the named field does not conform to the interface."

ROWS = (
    Reason(
        "message-malformed",
        Fault.MALFORMED,
        "The bytes are not a message of the expected type, or contain text that is not UTF-8.",
        "Check that the peer calls the service path of its own release (docs/dialects.md).",
    ),
    Reason(
        "field-too-long",
        Fault.MALFORMED,
        "A field is longer than the interface allows here.",
        _ASK_VENDOR,
    ),
    Reason("field-malformed", Fault.MALFORMED, "A field is malformed.", _ASK_VENDOR),
    Reason(
        "entries-too-many",
        Fault.MALFORMED,
        "A list has more entries than the receiver accepts (64).",
        _ASK_VENDOR,
    ),
    Reason(
        "active-card-missing",
        Fault.MALFORMED,
        "The request does not name the active card.",
        "Check the serial number in the router's hardware data; the router must send it.",
    ),
    Reason(
        "card-serial-missing",
        Fault.MALFORMED,
        "A card is listed without a serial number.",
        "Check the serial numbers in the router's hardware data; an empty slot must not be listed.",
    ),
    Reason(
        "card-repeated",
        Fault.MALFORMED,
        "One card is listed twice.",
        "Check the serial numbers in the router's hardware data.",
    ),
    Reason(
        "fixed-chassis-serial",
        Fault.MALFORMED,
        "The request lists no cards, but the serial numbers of chassis and card differ.",
        "A modular chassis must list its cards, a fixed one use one serial number for both.",
    ),
    Reason(
        "stream-message-empty",
        Fault.MALFORMED,
        "A message of a stream is empty.",
        "Compare the router's release with docs/dialects.md; drafts of streams are not served.",
    ),
    Reason(
        "transport-key-unusable",
        Fault.MALFORMED,
        "The router's transport key is not for the supported cipher suite.",
        "Ask the vendor; only HPKE with X25519, HKDF-SHA256 and AES-256-GCM is supported.",
    ),
    Reason(
        "dialect-unknown",
        Fault.CONFIGURATION,
        "No dialect has that name.",
        "Choose one of the names in docs/dialects.md.",
    ),
    Reason(
        "artifact-unfit",
        Fault.CONFIGURATION,
        "Data for the router does not fit into its message.",
        "Correct the named key of the profile or chassis; `bootz chassis render` shows the result.",
    ),
    Reason(
        "certz-source-unknown",
        Fault.CONFIGURATION,
        "A certz profile names a source instead of a certificate or key, which old releases lack.",
        "Put the certificate and key into the profile, or give this chassis another profile.",
    ),
    Reason(
        "oc-config-unmergeable",
        Fault.CONFIGURATION,
        "Static and dynamic OpenConfig cannot be merged for a release without the dynamic part.",
        "Make both JSON objects; `bootz chassis render --dialect` shows the merged result.",
    ),
)
