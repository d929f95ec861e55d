"""Reasons of the chain of trust: certificates, CMS, vouchers, owner certificate, signatures."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "certificate-malformed",
        Fault.MALFORMED,
        "An X.509 certificate is malformed.",
        "Check the named field or file with `openssl x509 -text`; its issuer must write strict "
        "DER.",
    ),
    Reason(
        "certificate-anchors-empty",
        Fault.CONFIGURATION,
        "A set of trust anchors is empty.",
        "Give the vendor or owner at least one CA certificate.",
    ),
    Reason(
        "certificate-untrusted",
        Fault.UNAUTHENTICATED,
        "The certificate does not chain to a trusted CA.",
        "Compare its issuer with the configured CAs; add the CA or intermediate that is "
        "missing, or treat the holder as an intruder.",
    ),
    Reason(
        "certificate-expired",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain, possibly the trust anchor, has expired.",
        "Renew the named certificate, and check the clock of this machine.",
    ),
    Reason(
        "certificate-not-yet-valid",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain is not valid yet.",
        "Check the clock of this machine; if it is right, wait or have the certificate reissued.",
    ),
    Reason(
        "certificate-weak-key",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain has a key of an unsupported type or size.",
        "Have it reissued with RSA of 2048 bits or more, P-256, P-384 or P-521.",
    ),
    Reason(
        "certificate-weak-signature",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain is signed with SHA-1, MD5 or another refused algorithm.",
        "Have the named certificate reissued with SHA-256 or better.",
    ),
    Reason(
        "certificate-not-a-ca",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain issued another one without being a CA.",
        "The issuer needs basicConstraints with CA:TRUE, and keyCertSign if it has a keyUsage.",
    ),
    Reason(
        "certificate-path-length",
        Fault.UNAUTHENTICATED,
        "The chain is longer than one of its CAs allows.",
        "Ask the CA's operator for an intermediate whose pathlen allows this chain.",
    ),
    Reason(
        "certificate-critical-extension",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain has an unknown critical extension.",
        "Ask its issuer for a certificate without it; it must not be ignored.",
    ),
    Reason(
        "certificate-explicit-curve",
        Fault.MALFORMED,
        "The EC key of a certificate spells out the parameters of its curve instead of naming it.",
        "Have the certificate issued again for a key that names its curve; RFC 5480 section 2.1.1 "
        "allows nothing else.",
    ),
    Reason(
        "certificate-version",
        Fault.UNAUTHENTICATED,
        "A certificate of the chain is not of X.509 version 3.",
        "Have the named certificate reissued as version 3.",
    ),
    Reason(
        "certificate-refused",
        Fault.UNAUTHENTICATED,
        "The chain breaks a rule of RFC 5280, such as the form of a date, serial number or name.",
        "The detail names the rule; have the certificate reissued accordingly.",
    ),
    Reason(
        "certificate-needs-legacy",
        Fault.UNAUTHENTICATED,
        "The chain holds, but has a form that only the setting `legacy` of a vendor accepts; the "
        "detail names it.",
        "Where it is an IDevID or a voucher's signer, and the vendor cannot issue it again: `bootz "
        "vendor set NAME --legacy`. Anything else needs a new certificate. See docs/accepted.md.",
    ),
    Reason(
        "certificate-serial-missing",
        Fault.FORBIDDEN,
        "The subject of an IDevID has no serial number.",
        "Ask the vendor for IDevIDs with serialNumber (2.5.4.5) in the subject; one in the "
        "subjectAltName does not count. Until then `bootz chassis set SERIAL "
        "--skip-idevid-serial-check` accepts any device of this vendor for the chassis.",
    ),
    Reason(
        "certificate-serial-ambiguous",
        Fault.FORBIDDEN,
        "The serial number in the subject of an IDevID is ambiguous.",
        "Ask the vendor for an IDevID with one serial number, `PID:... SN:...` or plain.",
    ),
    Reason(
        "certificate-unissuable",
        Fault.CONFIGURATION,
        "A certificate cannot be issued as requested.",
        "Correct the named argument: names, addresses, dates or key.",
    ),
    Reason(
        "key-unsupported",
        Fault.CONFIGURATION,
        "The key has an unsupported type or size.",
        "Use RSA of 2048 bits or more, P-256, P-384 or P-521.",
    ),
    Reason(
        "cms-malformed",
        Fault.MALFORMED,
        "A CMS SignedData is malformed.",
        "Check that the file is the raw DER, whole and unaltered.",
    ),
    Reason(
        "cms-too-large",
        Fault.TOO_LARGE,
        "A CMS SignedData is too long.",
        "Ask its issuer why it is so long; a voucher has 64 KiB at most.",
    ),
    Reason(
        "cms-unsupported",
        Fault.MALFORMED,
        "A CMS SignedData uses an unsupported algorithm or option.",
        "Have it signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512.",
    ),
    Reason(
        "cms-bad-signature",
        Fault.UNAUTHENTICATED,
        "The digest or the signature of a CMS SignedData is invalid.",
        "Get it again from its issuer; it was altered or signed with another key.",
    ),
    Reason(
        "ov-missing",
        Fault.UNAUTHENTICATED,
        "A card that verifies ownership did not get a voucher.",
        "Import the card's voucher on the server (`bootz voucher import`).",
    ),
    Reason(
        "ov-malformed",
        Fault.MALFORMED,
        "An ownership voucher is not a valid CMS SignedData.",
        "Check that it is the raw DER file from the vendor (no PEM, no base64), whole.",
    ),
    Reason(
        "ov-bad-signature",
        Fault.UNAUTHENTICATED,
        "The signature of an ownership voucher is invalid.",
        "Get the voucher again from the vendor; it was altered or made with another key.",
    ),
    Reason(
        "ov-algorithm-unsupported",
        Fault.MALFORMED,
        "An ownership voucher is signed with an algorithm, or by a kind of key, that is not "
        "accepted; whether the signature is right was not looked at.",
        "Ask the vendor to sign it with RSA (PKCS #1 v1.5 or PSS) or ECDSA on P-256, P-384 or "
        "P-521, and SHA-256, SHA-384 or SHA-512; see docs/protocol/pki.md#cms.",
    ),
    Reason(
        "ov-untrusted-signer",
        Fault.UNAUTHENTICATED,
        "The signer of an ownership voucher does not chain to the vendor's CAs.",
        "Compare the signer with the vendor's voucher CAs; add the CA or refuse the file.",
    ),
    Reason(
        "ov-signer-expired",
        Fault.UNAUTHENTICATED,
        "An ownership voucher was signed under a CA of the vendor, but the certificate of its "
        "signer, or of a CA above it, has expired.",
        "Ask the vendor for a voucher that is signed with a certificate in force; check the clock "
        "of this machine.",
    ),
    Reason(
        "ov-signer-not-yet-valid",
        Fault.UNAUTHENTICATED,
        "An ownership voucher was signed under a CA of the vendor, but the certificate of its "
        "signer, or of a CA above it, begins in the future.",
        "Check the clock of this machine; if it is right, ask the vendor.",
    ),
    Reason(
        "ov-content",
        Fault.MALFORMED,
        "The content of an ownership voucher does not conform to RFC 8366.",
        "The detail names the leaf; ask the vendor to issue the voucher again.",
    ),
    Reason(
        "ov-wrong-serial",
        Fault.FORBIDDEN,
        "An ownership voucher is for another serial number.",
        "Order the voucher for this card's exact serial number, in the same spelling.",
    ),
    Reason(
        "ov-wrong-issuer",
        Fault.FORBIDDEN,
        "An ownership voucher names another issuer than that of the card's IDevID.",
        "Ask the vendor for a voucher with the Authority Key Identifier of this IDevID.",
    ),
    Reason(
        "ov-expired",
        Fault.FORBIDDEN,
        "An ownership voucher has expired.",
        "Order a new voucher from the vendor and import it.",
    ),
    Reason(
        "ov-not-yet-valid",
        Fault.FORBIDDEN,
        "The creation date of an ownership voucher is in the future.",
        "Check the clocks of this machine and of the vendor's service.",
    ),
    Reason(
        "ov-assertion",
        Fault.FORBIDDEN,
        "The assertion of an ownership voucher is not accepted.",
        "Ask the vendor for a voucher with the assertion `verified`.",
    ),
    Reason(
        "ov-no-pdc",
        Fault.MALFORMED,
        "An ownership voucher does not pin a usable domain certificate.",
        "Ask the vendor to issue it again with your certificate as base64 of one DER.",
    ),
    Reason(
        "ov-pins-other",
        Fault.FORBIDDEN,
        "An ownership voucher pins a certificate that is not this owner's.",
        "Order the voucher for the pinned domain certificate that `bootz keys show` names.",
    ),
    Reason(
        "ov-bundle-malformed",
        Fault.MALFORMED,
        "A bundle of vouchers is not a complete POSIX tar archive.",
        "Pack it again: plain ustar, regular files only, uncompressed.",
    ),
    Reason(
        "ov-bundle-too-large",
        Fault.TOO_LARGE,
        "A bundle of vouchers has too many entries or too large ones.",
        "Send at most 256 vouchers of 64 KiB each, together below 4 MiB.",
    ),
    Reason(
        "ov-bundle-compressed",
        Fault.MALFORMED,
        "A bundle of vouchers is compressed.",
        "Send the tar archive as it is, without gzip.",
    ),
    Reason(
        "oc-malformed",
        Fault.MALFORMED,
        "The owner certificate is not a valid CMS SignedData.",
        "Build it again on the server (restart, or SIGHUP); see `bootz keys show`.",
    ),
    Reason(
        "oc-bad-signature",
        Fault.UNAUTHENTICATED,
        "The CMS of the owner certificate is not signed with the key of that certificate.",
        "Check that certificate and key of the owner belong together.",
    ),
    Reason(
        "oc-algorithm-unsupported",
        Fault.MALFORMED,
        "The CMS of the owner certificate is signed with an algorithm, or by a kind of key, that "
        "is not accepted.",
        "Use an owner key of RSA with 2048 bits or more, P-256, P-384 or P-521.",
    ),
    Reason(
        "oc-not-under-pdc",
        Fault.UNAUTHENTICATED,
        "The owner certificate does not chain to the certificate that the voucher pins.",
        "Compare the two with `bootz keys show`; order a voucher for the right one.",
    ),
    Reason(
        "oc-expired",
        Fault.UNAUTHENTICATED,
        "The owner certificate, or the pinned domain certificate, is out of date.",
        "Rotate the owner certificate (`bootz keys rotate`) or order vouchers for a new one.",
    ),
    Reason(
        "oc-revoked",
        Fault.UNAUTHENTICATED,
        "The voucher requires a revocation check of the owner certificate, which is not available.",
        "Order vouchers with domain-cert-revocation-checks false; no revocation list is read.",
    ),
    Reason(
        "sig-malformed",
        Fault.MALFORMED,
        "The signature over the bootstrapping data is missing or is not base64.",
        "Read the server's log of this answer; the field must be padded base64.",
    ),
    Reason(
        "sig-invalid",
        Fault.UNAUTHENTICATED,
        "A signature does not verify over the received bytes.",
        "Check that certificate and key of the signer belong together, and what is in between.",
    ),
    Reason(
        "transport-key-invalid",
        Fault.MALFORMED,
        "The public key is not a usable X25519 key.",
        "Ask the vendor: the transport key must be 32 fresh bytes for each stream.",
    ),
    Reason(
        "data-undecryptable",
        Fault.UNAUTHENTICATED,
        "Encrypted bootstrapping data cannot be decrypted with this stream's key.",
        "Try again; if it repeats, something between router and server alters the stream.",
    ),
    Reason(
        "data-malformed",
        Fault.MALFORMED,
        "Signed bootstrapping data cannot be read.",
        "Compare the releases of the interface on both sides (docs/dialects.md).",
    ),
    Reason(
        "nonce-mismatch",
        Fault.UNAUTHENTICATED,
        "The nonce in the signed answer is not the one of this request.",
        "Nothing was applied; if it happens again, look for a replay of old answers.",
    ),
    Reason(
        "anchor-malformed",
        Fault.MALFORMED,
        "The server trust certificate in the answer is not a certificate.",
        "Correct the server's trust certificate; it must be base64 of one DER certificate.",
    ),
    Reason(
        "voucher-request-malformed",
        Fault.MALFORMED,
        "A voucher request does not have the documented JSON form.",
        "The detail names the field; write the request with `bootz voucher request`.",
    ),
    Reason(
        "purchase-order-invalid",
        Fault.CONFIGURATION,
        "A purchase order has no column of serial numbers, or a cell that is not a serial number.",
        "Correct the named cell, or name the column with `--column`.",
    ),
    Reason(
        "voucher-request-unfit",
        Fault.FORBIDDEN,
        "A voucher request has an invalid value.",
        "Correct the named field: dates, pinned certificate or serial number.",
    ),
)
