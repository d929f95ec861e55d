"""Reasons of the owner's inventory, journal and database."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "vendor-not-found",
        Fault.NOT_FOUND,
        "No vendor has this name or alias.",
        "See `bootz vendor list`; correct the name, or add the vendor (`bootz vendor add`).",
    ),
    Reason(
        "vendor-exists",
        Fault.CONFLICT,
        "There is already a vendor with this name or alias; case does not matter.",
        "Change that one with `bootz vendor set`, or choose another name.",
    ),
    Reason(
        "vendor-in-use",
        Fault.CONFLICT,
        "The vendor still has chassis or vouchers.",
        "Remove the vendor's chassis first (`bootz chassis list --vendor NAME`).",
    ),
    Reason(
        "vendor-invalid",
        Fault.CONFIGURATION,
        "A value for the vendor is invalid.",
        "Correct the named field; a CA bundle is PEM or one DER certificate.",
    ),
    Reason(
        "profile-not-found",
        Fault.NOT_FOUND,
        "No profile has this name.",
        "See `bootz profile list`; correct the name, or add the profile (`bootz profile add`).",
    ),
    Reason(
        "profile-exists",
        Fault.CONFLICT,
        "There is already a profile with this name; case does not matter.",
        "Change that one with `bootz profile set`, or choose another name.",
    ),
    Reason(
        "profile-in-use",
        Fault.CONFLICT,
        "Chassis use this profile.",
        "Give those chassis another profile first (`bootz chassis list --profile NAME`).",
    ),
    Reason(
        "profile-invalid",
        Fault.CONFIGURATION,
        "A value for the profile is invalid.",
        "Correct the named field.",
    ),
    Reason(
        "document-invalid",
        Fault.CONFIGURATION,
        "A profile, or the overrides of a chassis, has an unknown key or invalid value.",
        "Correct the named keys; docs/templates.md lists them all.",
    ),
    Reason(
        "chassis-not-found",
        Fault.NOT_FOUND,
        "No chassis in the inventory has this serial number, neither its own nor a card's.",
        "See `bootz chassis list`; serial numbers are compared without case.",
    ),
    Reason(
        "where-matches-none",
        Fault.NOT_FOUND,
        "No chassis has all that `--where` asks for; nothing was changed.",
        "See `bootz chassis list`, which shows vendors, profiles and labels; values of labels are "
        "compared exactly.",
    ),
    Reason(
        "chassis-name-ambiguous",
        Fault.CONFLICT,
        "Chassis of several vendors have this serial number.",
        "Choose one with `--vendor`.",
    ),
    Reason(
        "chassis-invalid",
        Fault.CONFIGURATION,
        "A value for the chassis is invalid.",
        "Correct the named field.",
    ),
    Reason(
        "serial-taken",
        Fault.CONFLICT,
        "Another chassis or card of this manufacturer already has the serial number.",
        "See `bootz chassis show SERIAL`; correct the number, or remove it there first.",
    ),
    Reason(
        "image-not-found",
        Fault.NOT_FOUND,
        "There is no image with this kind, name and version.",
        "See `bootz image list`; add it with `bootz image add FILE --name NAME --version VERSION`.",
    ),
    Reason(
        "image-exists",
        Fault.CONFLICT,
        "There is already an image with this kind, name and version.",
        "Choose another version, or remove the existing one (`bootz image remove`). Where its file "
        "is damaged or missing, put the file in its place with `bootz image replace`.",
    ),
    Reason(
        "image-in-use",
        Fault.CONFLICT,
        "Profiles or chassis use this image.",
        "Give those another image first; the detail names them.",
    ),
    Reason(
        "image-invalid",
        Fault.CONFIGURATION,
        "A value for the image is invalid.",
        "Correct the named field.",
    ),
    Reason(
        "voucher-not-found",
        Fault.NOT_FOUND,
        "No voucher is stored for this serial number.",
        "See `bootz voucher list`; import it with `bootz voucher import FILE`.",
    ),
    Reason(
        "voucher-ambiguous",
        Fault.CONFLICT,
        "Vouchers of several manufacturers are stored for this serial number.",
        "Name the manufacturer with `--vendor`.",
    ),
    Reason(
        "voucher-vendor-unknown",
        Fault.CONFIGURATION,
        "The voucher is not signed under the CA of any vendor in the inventory.",
        "Give the vendor with `--vendor` to see which check fails, or add its voucher CA "
        "(`bootz vendor set NAME --voucher-ca FILE`).",
    ),
    Reason(
        "voucher-file-invalid",
        Fault.CONFIGURATION,
        "The file is not a voucher, a folder or a tar of vouchers, or exceeds a limit.",
        "Give .vcj files (DER, PEM or base64), folders, .tar or .tar.gz.",
    ),
    Reason(
        "voucher-import-refused",
        Fault.CONFIGURATION,
        "One or more vouchers were refused; the good ones were stored.",
        "See the reason next to each refused voucher.",
    ),
    Reason(
        "voucher-verify-failed",
        Fault.CONFIGURATION,
        "One or more of several vouchers do not hold.",
        "See the reason next to each one that is wrong.",
    ),
    Reason(
        "attempt-not-found",
        Fault.NOT_FOUND,
        "The journal has no attempt under this serial number.",
        "See `bootz attempts` for the latest; check that the router reaches the server at all.",
    ),
    Reason(
        "device-reported-failure",
        Fault.PRECONDITION,
        "The router accepted the answer and reported that it could not apply it.",
        "Read the router's message next to it; correct image or configuration "
        "(`bootz chassis render SERIAL`). The router tries again by itself.",
    ),
    Reason(
        "device-cards-failed",
        Fault.PRECONDITION,
        "The router came up and reported cards that are not initialized.",
        "Read the router's message; check the vouchers and the hardware of the named cards.",
    ),
    Reason(
        "database-missing",
        Fault.UNAVAILABLE,
        "The database that the site's settings name does not exist.",
        "Create the site with `bootz init`, or correct the database in bootz.yaml.",
    ),
    Reason(
        "database-in-use",
        Fault.CONFLICT,
        "The database already belongs to another site; nothing was changed in it.",
        "Create an empty database, and use it with `bootz init --database`.",
    ),
    Reason(
        "replacement-not-found",
        Fault.NOT_FOUND,
        "No card with this serial number is waiting for a decision.",
        "List the waiting cards: `bootz chassis replacements list --all`.",
    ),
    Reason(
        "replacement-ambiguous",
        Fault.CONFLICT,
        "Several chassis report a card with this serial number.",
        "Choose the manufacturer with --vendor; if it is the same, one of the cards is a forgery.",
    ),
    Reason(
        "chassis-on-hold",
        Fault.PRECONDITION,
        "The chassis is on hold: it is refused until it is released, even with a valid proof.",
        "Release it when it may onboard: `bootz chassis release SERIAL`.",
    ),
    Reason(
        "chassis-stuck",
        Fault.DEADLINE,
        "The router began to onboard and has been silent longer than its step may last.",
        "Look at the router's console. It asks again after a power cycle; `bootz attempts SERIAL` "
        "shows how far it came.",
    ),
    Reason(
        "preflight-no-go",
        Fault.PRECONDITION,
        "At least one check of the preflight has failed.",
        "Correct each failed check; its row names the reason and the next step.",
    ),
    Reason(
        "audit-broken",
        Fault.INTERNAL,
        "The audit is not as it was written: an entry was changed, removed or put in.",
        "Compare with an export or a digest kept elsewhere; whoever can write to the database can "
        "change the audit. Entries before the named one hold.",
    ),
    Reason(
        "database-version",
        Fault.CONFIGURATION,
        "The tables of the database are of another version than this program reads and writes.",
        "Stop the site's servers and run `bootz db upgrade`; for tables newer than this program, "
        "install the newer program. `bootz db status` shows both versions.",
    ),
    Reason(
        "database-unavailable",
        Fault.UNAVAILABLE,
        "The database does not answer, or returns an error.",
        "Check disk space, permissions and, for PostgreSQL, the server; the detail says more.",
    ),
    Reason(
        "database-url-invalid",
        Fault.CONFIGURATION,
        "The database URL has an unsupported form.",
        "Use sqlite:////absolute/path or postgresql://…; PostgreSQL needs the extra "
        "`bootz[postgresql]`.",
    ),
    Reason(
        "journal-overloaded",
        Fault.UNAVAILABLE,
        "Too many calls are waiting for the journal to be written.",
        "Check the speed of the database's disk; routers try again by themselves.",
    ),
)
