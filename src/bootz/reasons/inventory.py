"""Reasons of the owner's inventory, journal and database."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "vendor-not-found",
        Fault.NOT_FOUND,
        "No vendor on record has this name or alias.",
        "See `bootz vendor list`; correct the name, or add the vendor (`bootz vendor add`).",
    ),
    Reason(
        "vendor-exists",
        Fault.CONFLICT,
        "A vendor of this name or alias is in the inventory already; names are compared without "
        "case.",
        "Change the one on record with `bootz vendor set`, or choose another name.",
    ),
    Reason(
        "vendor-in-use",
        Fault.CONFLICT,
        "Chassis or vouchers of the vendor are on record.",
        "Remove the vendor's chassis first (`bootz chassis list --vendor NAME`).",
    ),
    Reason(
        "vendor-invalid",
        Fault.CONFIGURATION,
        "Something given for the vendor does not fit.",
        "Correct the named field; a CA bundle is PEM or one DER certificate.",
    ),
    Reason(
        "profile-not-found",
        Fault.NOT_FOUND,
        "No profile on record has this name.",
        "See `bootz profile list`; correct the name, or add the profile (`bootz profile add`).",
    ),
    Reason(
        "profile-exists",
        Fault.CONFLICT,
        "A profile of this name is in the inventory already; names are compared without case.",
        "Change the one on record with `bootz profile set`, or choose another name.",
    ),
    Reason(
        "profile-in-use",
        Fault.CONFLICT,
        "Chassis get this profile.",
        "Give those chassis another profile first (`bootz chassis list --profile NAME`).",
    ),
    Reason(
        "profile-invalid",
        Fault.CONFIGURATION,
        "Something given for the profile does not fit.",
        "Correct the named field.",
    ),
    Reason(
        "document-invalid",
        Fault.CONFIGURATION,
        "A profile's document, or a chassis's overrides, has a key or value that does not fit.",
        "Correct the named keys; docs/templates.md lists them all.",
    ),
    Reason(
        "chassis-not-found",
        Fault.NOT_FOUND,
        "No chassis on record has this serial number, as its own or of a card.",
        "See `bootz chassis list`; serial numbers are compared without case.",
    ),
    Reason(
        "chassis-name-ambiguous",
        Fault.CONFLICT,
        "Chassis of several vendors have this serial number.",
        "Say which one is meant with `--vendor`.",
    ),
    Reason(
        "chassis-invalid",
        Fault.CONFIGURATION,
        "Something given for the chassis does not fit.",
        "Correct the named field.",
    ),
    Reason(
        "serial-taken",
        Fault.CONFLICT,
        "A chassis or card of this manufacturer has the serial number already.",
        "See `bootz chassis show SERIAL`; correct the number, or remove it there first.",
    ),
    Reason(
        "image-not-found",
        Fault.NOT_FOUND,
        "No image of this kind, name and version is on record.",
        "See `bootz image list`; add it with `bootz image add FILE --name NAME --version VERSION`.",
    ),
    Reason(
        "image-exists",
        Fault.CONFLICT,
        "An image of this kind, name and version is in the inventory already.",
        "Choose another version, or remove the one on record (`bootz image remove`).",
    ),
    Reason(
        "image-in-use",
        Fault.CONFLICT,
        "Profiles or chassis name this image.",
        "Give those another image first; the detail names them.",
    ),
    Reason(
        "image-invalid",
        Fault.CONFIGURATION,
        "Something given for the image does not fit.",
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
        "The voucher is signed under no vendor's anchors that are on record.",
        "Name the vendor with `--vendor` to see which check fails, or add its voucher CA "
        "(`bootz vendor set NAME --voucher-ca FILE`).",
    ),
    Reason(
        "voucher-file-invalid",
        Fault.CONFIGURATION,
        "A file is not a voucher, nor a folder or tar of vouchers, or goes over a bound.",
        "Give .vcj files (DER, PEM or base64), folders, .tar or .tar.gz.",
    ),
    Reason(
        "voucher-import-refused",
        Fault.CONFIGURATION,
        "One or more vouchers were refused; the good ones were stored.",
        "See the reason beside each refused voucher.",
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
        "The router took the answer and reported that it could not apply it.",
        "Read the router's own message beside it; correct image or configuration "
        "(`bootz chassis render SERIAL`). The router tries again by itself.",
    ),
    Reason(
        "device-cards-failed",
        Fault.PRECONDITION,
        "The router came up, and reported cards that are not initialized.",
        "Read the router's message; check the vouchers and the hardware of the named cards.",
    ),
    Reason(
        "database-missing",
        Fault.UNAVAILABLE,
        "There is no database at the place that the site names.",
        "Make the site with `bootz init`, or correct the database in bootz.yaml.",
    ),
    Reason(
        "database-in-use",
        Fault.CONFLICT,
        "A new site would share a database with another one; nothing was changed in it.",
        "Make an empty database, and name that with `bootz init --database`.",
    ),
    Reason(
        "replacement-not-found",
        Fault.NOT_FOUND,
        "No card of that serial number is waiting for a decision.",
        "List those that do: `bootz chassis replacements list --all`.",
    ),
    Reason(
        "replacement-ambiguous",
        Fault.CONFLICT,
        "Several chassis list a card of that serial number.",
        "Name the manufacturer with --vendor; if both are of one, one of the cards is false.",
    ),
    Reason(
        "chassis-on-hold",
        Fault.PRECONDITION,
        "The chassis is on hold: it is refused, whatever it proves, until it is released.",
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
        "database-version",
        Fault.CONFIGURATION,
        "The tables of the database are of another version than this program reads and writes.",
        "Stop the site's servers and run `bootz db upgrade`; for tables newer than this program, "
        "install the newer program. `bootz db status` shows both versions.",
    ),
    Reason(
        "database-unavailable",
        Fault.UNAVAILABLE,
        "The database does not answer, or refuses.",
        "Check disk space, permissions and, for PostgreSQL, the server; the detail says more.",
    ),
    Reason(
        "database-url-invalid",
        Fault.CONFIGURATION,
        "The database's URL is of no kind that can be used.",
        "Use sqlite:////absolute/path or postgresql://…; PostgreSQL needs the extra "
        "`bootz[postgresql]`.",
    ),
    Reason(
        "journal-overloaded",
        Fault.UNAVAILABLE,
        "More calls wait for the journal than it keeps in memory.",
        "Check how fast the database's disk is; routers try again by themselves.",
    ),
)
