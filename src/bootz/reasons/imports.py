"""Reasons of imports and exports."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "import-file-invalid",
        Fault.CONFIGURATION,
        "An import file is malformed; nothing was changed.",
        "Correct the named line; docs/operator.md describes the formats, and `bootz export` writes "
        "an example.",
    ),
    Reason(
        "import-cell-unreadable",
        Fault.CONFIGURATION,
        "A spreadsheet has changed the value of a cell, so that the original cannot be read back.",
        "Format the column as text and enter the value again; or, if exactly this text is meant, "
        'enter ="TEXT".',
    ),
    Reason(
        "import-refused",
        Fault.CONFIGURATION,
        "An import has errors; nothing was changed.",
        "Correct every listed entry and import again; `--dry-run` shows what would change.",
    ),
    Reason(
        "import-differs",
        Fault.CONFLICT,
        "The inventory has other values than the file.",
        "See the difference with `--dry-run --update`, and import with `--update` to take over "
        "what the file says.",
    ),
    Reason(
        "import-twice",
        Fault.CONFIGURATION,
        "The same entry appears twice in a file.",
        "Remove one of the two.",
    ),
    Reason(
        "import-image-missing",
        Fault.NOT_FOUND,
        "An image that the file names is not in the image store; files carry images by name and "
        "digest only.",
        "Add the file first: `bootz image add FILE --name NAME --version VERSION`.",
    ),
    Reason(
        "export-not-csv",
        Fault.CONFIGURATION,
        "A chassis has data that no column of a CSV table can hold.",
        "Export as yaml or json.",
    ),
    Reason(
        "export-unwritable",
        Fault.CONFIGURATION,
        "The inventory contains a text or number that no file can contain; nothing was written.",
        "Change it in the named entry: `bootz chassis set`, or `bootz profile set`.",
    ),
    Reason(
        "reference-config-invalid",
        Fault.CONFIGURATION,
        "The file is not a valid configuration of the Go reference.",
        "Correct the named line; the file is protobuf text format of the message config.Config.",
    ),
    Reason(
        "reference-image-unmatched",
        Fault.CONFIGURATION,
        "A file given with --image is not the image of any chassis in the configuration.",
        "Give the file whose SHA-256 is in the configuration (`sha256sum FILE`).",
    ),
    Reason(
        "reference-keys-differ",
        Fault.CONFLICT,
        "The configuration has another trust anchor or owner certificate than this site.",
        "Use --take-keys to switch to those of the file, or create a separate site: "
        "`bootz init DIR --from-reference FILE`.",
    ),
)
