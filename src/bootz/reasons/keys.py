"""Reasons of key files, certificates of the site, and tokens."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "key-missing",
        Fault.CONFIGURATION,
        "A file with a key, PIN or passphrase is not there or cannot be read.",
        "Restore the named file from a backup, or make the key anew (`bootz keys rotate`).",
    ),
    Reason(
        "key-permissions",
        Fault.CONFIGURATION,
        "A file with a secret can be read or replaced by others, is a link, or belongs to "
        "somebody else.",
        "Make it a regular file that belongs to the user who runs bootz, with mode 0600 "
        "(`chmod 600 FILE`), in a folder that only this user may write; if others could read it, "
        "replace the key.",
    ),
    Reason(
        "key-malformed",
        Fault.CONFIGURATION,
        "A file holds no private key that can be read.",
        "Give the key as PEM, PKCS#8.",
    ),
    Reason(
        "key-encrypted",
        Fault.CONFIGURATION,
        "A private key is encrypted, and no passphrase opens it.",
        "Name a file of mode 0600 that holds its passphrase.",
    ),
    Reason(
        "key-kind",
        Fault.CONFIGURATION,
        "A key is of a kind or size that is not used here.",
        "Use RSA of 2048 bits or more, P-256 or P-384.",
    ),
    Reason(
        "key-mismatch",
        Fault.CONFIGURATION,
        "A private key and a certificate do not belong together.",
        "Name the key whose public half is in the certificate.",
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
        "A file holds no certificate that can be read.",
        "Give certificates as PEM, the leaf first, or one certificate as DER.",
    ),
    Reason(
        "certificate-unfit",
        Fault.CONFIGURATION,
        "A certificate cannot take the part that it was given for.",
        "Give the certificate that the detail describes.",
    ),
    Reason(
        "keys-elsewhere",
        Fault.PRECONDITION,
        "The key that would have to sign this is not kept in the site.",
        "Have the certificate issued where the key is, and bring it with `bootz keys import`.",
    ),
    Reason(
        "keys-arguments",
        Fault.CONFIGURATION,
        "The certificates and keys that were named do not make a whole.",
        "Name the missing file too; `bootz keys import --help` lists what belongs together.",
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
        "There is no earlier trust anchor of this number that is still served.",
        "See `bootz keys show`; the present anchor cannot be retired, only rotated.",
    ),
    Reason(
        "pkcs11-uri-invalid",
        Fault.CONFIGURATION,
        "A PKCS#11 URI does not say which key of which token is meant.",
        "Write pkcs11:token=LABEL;object=LABEL?module-path=/path.so&pin-source=file:/path "
        "(RFC 7512); the PIN itself never stands in it.",
    ),
    Reason(
        "pkcs11-library-missing",
        Fault.CONFIGURATION,
        "The library for tokens cannot be loaded.",
        "Install the extra `bootz[pkcs11]`, and check the path of the token's module.",
    ),
    Reason(
        "pkcs11-token-refused",
        Fault.CONFIGURATION,
        "The token has no such key, or refuses the PIN.",
        "Check the labels of token and key, and the file with the PIN; a wrong PIN may lock it.",
    ),
    Reason(
        "pkcs11-token-unavailable",
        Fault.UNAVAILABLE,
        "The token does not answer, also after it was opened anew.",
        "Check that the token is connected; routers try again by themselves.",
    ),
)
