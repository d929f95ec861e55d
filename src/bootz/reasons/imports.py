"""Reasons of imports and exports."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "import-file-invalid",
        Fault.CONFIGURATION,
        "A file of an import is not of its form; nothing was changed.",
        "Correct the named line; docs/operator.md describes the forms, and `bootz export` writes "
        "an example.",
    ),
    Reason(
        "import-refused",
        Fault.CONFIGURATION,
        "An import has errors; nothing was changed.",
        "Correct every listed entry, and import again; `--dry-run` shows what would be done.",
    ),
    Reason(
        "import-differs",
        Fault.CONFLICT,
        "What is on record differs from the file.",
        "See the difference with `--dry-run --update`, and import with `--update` to take over "
        "what the file says.",
    ),
    Reason(
        "import-twice",
        Fault.CONFIGURATION,
        "The same thing stands twice in a file.",
        "Take one of the two out.",
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
        "A chassis has something that no column of a table can hold.",
        "Export as yaml or json.",
    ),
    Reason(
        "reference-config-invalid",
        Fault.CONFIGURATION,
        "A file is not a configuration of the Go reference, or something in it does not hold.",
        "Correct the named line; the file is protobuf text format of the message config.Config.",
    ),
    Reason(
        "reference-image-unmatched",
        Fault.CONFIGURATION,
        "A file given with --image is not what any chassis of the configuration intends.",
        "Give the file whose SHA-256 stands in the configuration (`sha256sum FILE`).",
    ),
    Reason(
        "reference-keys-differ",
        Fault.CONFLICT,
        "The configuration has another trust anchor or owner certificate than this site.",
        "Say --take-keys to put those of the file in force, or make a site of its own: "
        "`bootz init DIR --from-reference FILE`.",
    ),
)
