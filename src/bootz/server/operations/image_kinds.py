"""What the files in the image store are for."""

from enum import Enum


class ImageKind(Enum):
    """What a file is for a router."""

    IMAGE = "image"
    SMU = "smu"
    PATCH = "patch"
