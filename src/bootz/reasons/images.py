"""Reasons of the image depot."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "image-file-unfit",
        Fault.CONFIGURATION,
        "The file cannot be an image: it is empty, too large, or not a regular file.",
        "Give the vendor's image file itself.",
    ),
    Reason(
        "image-file-changed",
        Fault.CONFLICT,
        "The file was written to while it was being added; nothing was stored.",
        "Wait until the download or build of the file has finished, then add it again.",
    ),
    Reason(
        "image-file-missing",
        Fault.UNAVAILABLE,
        "The image is in the inventory, but its file is missing in the image store.",
        "Remove the image and add it again from the vendor's file.",
    ),
    Reason(
        "image-file-damaged",
        Fault.UNAVAILABLE,
        "The file in the image store is not the one that was added.",
        "Check the disk for errors, then remove the image and add it again.",
    ),
    Reason(
        "image-depot-unwritable",
        Fault.UNAVAILABLE,
        "The folder of the image store cannot be written.",
        "Check the free space and the permissions of the named folder.",
    ),
)
