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
        "Put the vendor's file in its place: `bootz image replace`.",
    ),
    Reason(
        "image-file-damaged",
        Fault.UNAVAILABLE,
        "The file in the image store is not the one that was added.",
        "Check the disk for errors, then put the vendor's file in its place "
        "(`bootz image replace`); until then it is not served.",
    ),
    Reason(
        "image-file-unchecked",
        Fault.UNAVAILABLE,
        "The file in the image store was touched since it was added, and its digest is still "
        "being compared.",
        "Wait: it is served, or reported as damaged, when the comparison has ended.",
    ),
    Reason(
        "image-file-fetching",
        Fault.UNAVAILABLE,
        "The file is missing or damaged in this image store, which fetches it from another one.",
        "Wait: the router asks again. If it lasts, the log says at `image-not-fetched` why.",
    ),
    Reason(
        "image-source-failed",
        Fault.UNAVAILABLE,
        "Another image store, named in `images.fetch_from`, did not give a file.",
        "Check that the other server runs, has the file (`bootz image verify` there), can be "
        "reached, and has a TLS certificate for the host in the URL; it is tried again.",
    ),
    Reason(
        "image-source-differs",
        Fault.UNAVAILABLE,
        "What another image store gave is not the recorded file; it was thrown away.",
        "Verify the file there (`bootz image verify`), and that the path between them changes "
        "nothing; it is tried again.",
    ),
    Reason(
        "image-file-other",
        Fault.CONFLICT,
        "The file is not the one that is recorded for this image.",
        "Give the file with the recorded SHA-256 (`bootz image show`). If the recorded one was "
        "wrong, add --other-content: routers that have the old URL ask again.",
    ),
    Reason(
        "image-depot-unwritable",
        Fault.UNAVAILABLE,
        "The folder of the image store cannot be written.",
        "Check the free space and the permissions of the named folder.",
    ),
)
