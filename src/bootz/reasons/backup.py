"""Reasons of backups and of what is restored from them."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "backup-invalid",
        Fault.CONFIGURATION,
        "The file is not a whole backup, or is damaged; nothing was restored.",
        "Take another copy of it, or an earlier backup; `bootz restore FILE --check` tries a file.",
    ),
    Reason(
        "backup-sealed",
        Fault.CONFIGURATION,
        "The keys in the backup cannot be opened.",
        "Give the passphrase, or the identity of a recipient, that the backup was made for; "
        "`--without-keys` restores the rest.",
    ),
    Reason(
        "backup-recipient",
        Fault.CONFIGURATION,
        "A recipient or identity is not of the age form.",
        "Make a pair with `age-keygen`; the recipient begins with age1.",
    ),
    Reason(
        "backup-too-much",
        Fault.CONFIGURATION,
        "The site's folder has too many or too large files beside its own.",
        "Move the named file out of the site's folder, earlier backups too.",
    ),
    Reason(
        "backup-database",
        Fault.CONFIGURATION,
        "The place of the restored database is not known.",
        "Give it with `--database URL`: an empty PostgreSQL database, or sqlite:///bootz.db.",
    ),
)
