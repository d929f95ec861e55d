"""Reasons of key files, certificates of the site, and tokens."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "key-missing",
        Fault.CONFIGURATION,
        "A file with a key, PIN or passphrase is missing or cannot be read.",
        "Restore the named file from a backup, or create a new key (`bootz keys rotate`).",
    ),
    Reason(
        "key-permissions",
        Fault.CONFIGURATION,
        "A file with a secret can be read or replaced by others, is a link, or belongs to "
        "another user.",
        "Make it a regular file that belongs to the user who runs bootz, with mode 0600 "
        "(`chmod 600 FILE`), in a folder that only this user may write; if others could read it, "
        "replace the key.",
    ),
    Reason(
        "key-malformed",
        Fault.CONFIGURATION,
        "The file does not contain a readable private key.",
        "Give the key as PEM, PKCS#8.",
    ),
    Reason(
        "key-encrypted",
        Fault.CONFIGURATION,
        "The private key is encrypted, and the passphrase is missing or wrong.",
        "Give a file of mode 0600 that contains its passphrase.",
    ),
    Reason(
        "key-kind",
        Fault.CONFIGURATION,
        "The key has an unsupported type or size.",
        "Use RSA of 2048 bits or more, P-256 or P-384.",
    ),
    Reason(
        "key-mismatch",
        Fault.CONFIGURATION,
        "The private key does not belong to the certificate.",
        "Give the private key of this certificate.",
    ),
    Reason(
        "clock-behind",
        Fault.CONFIGURATION,
        "The system clock shows a time before the certificates in use begin.",
        "Set the system clock (NTP), then try again. If the clock is right, the certificate is "
        "meant to begin later: replace it (for a site `bootz keys rotate`, or bring another).",
    ),
    Reason(
        "file-unwritable",
        Fault.UNAVAILABLE,
        "A file or folder cannot be written.",
        "Check that the folder exists, that this user may write in it, and the free space.",
    ),
    Reason(
        "certificate-file-invalid",
        Fault.CONFIGURATION,
        "The file does not contain a readable certificate.",
        "Give certificates as PEM, the leaf first, or one certificate as DER.",
    ),
    Reason(
        "certificate-unfit",
        Fault.CONFIGURATION,
        "A certificate cannot be used for the purpose it was given for.",
        "Give the certificate that the detail describes.",
    ),
    Reason(
        "keys-elsewhere",
        Fault.PRECONDITION,
        "The key that must sign this is not stored in the site.",
        "Have the certificate issued where the key is, and add it with `bootz keys import`.",
    ),
    Reason(
        "keys-arguments",
        Fault.CONFIGURATION,
        "The given certificates and keys are incomplete.",
        "Give the missing file too; `bootz keys import --help` lists what belongs together.",
    ),
    Reason(
        "keyring-damaged",
        Fault.CONFIGURATION,
        "The list of the site's keys is missing or cannot be read.",
        "Restore keys/keyring.json from a backup.",
    ),
    Reason(
        "trust-anchor-not-listed",
        Fault.NOT_FOUND,
        "There is no earlier trust anchor with this number that is still accepted.",
        "See `bootz keys show`; the present trust anchor cannot be retired, only rotated.",
    ),
    Reason(
        "owner-p256-not-listed",
        Fault.NOT_FOUND,
        "The site has no P-256 owner key beside its first one.",
        "See `bootz keys show`; `bootz keys rotate owner-p256` issues one.",
    ),
    Reason(
        "pkcs11-uri-invalid",
        Fault.CONFIGURATION,
        "The PKCS#11 URI does not identify one key in one token.",
        "Write pkcs11:token=LABEL;object=LABEL?module-path=/path.so&pin-source=file:/path "
        "(RFC 7512); the PIN itself must not be in it.",
    ),
    Reason(
        "pkcs11-library-missing",
        Fault.CONFIGURATION,
        "The PKCS#11 library cannot be loaded.",
        "Install the extra `bootz[pkcs11]`, and check the path of the token's module.",
    ),
    Reason(
        "pkcs11-token-refused",
        Fault.CONFIGURATION,
        "The token has no such key, or refuses the PIN.",
        "Check the labels of token and key, and the PIN file; a wrong PIN may lock the token.",
    ),
    Reason(
        "pkcs11-token-unavailable",
        Fault.UNAVAILABLE,
        "The token does not answer, even after it was reopened.",
        "Check that the token is connected; routers try again by themselves.",
    ),
)
