"""Reasons of the image depot."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "image-file-unfit",
        Fault.CONFIGURATION,
        "A file that was named as an image cannot be one: empty, too large, or no regular file.",
        "Name the vendor's image file itself.",
    ),
    Reason(
        "image-file-changed",
        Fault.CONFLICT,
        "The file was written to while it was being added; nothing was stored.",
        "Wait until the download or build that writes it is done, then add it again.",
    ),
    Reason(
        "image-file-missing",
        Fault.UNAVAILABLE,
        "The image is on record, but the depot does not hold its file.",
        "Remove the image and add it again from the vendor's file.",
    ),
    Reason(
        "image-file-damaged",
        Fault.UNAVAILABLE,
        "The file in the depot is not the one that was added.",
        "Look for errors of the disk, then remove the image and add it again.",
    ),
    Reason(
        "image-depot-unwritable",
        Fault.UNAVAILABLE,
        "The depot's folder cannot be written.",
        "Check the free space and who may write the named folder.",
    ),
)
