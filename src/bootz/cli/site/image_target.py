"""How the image store spells the URL of a file; no more, so that who opens no key can ask."""

from bootz.images.addresses import ImageAddress


def image_target(sha256: str, file_name: str, url_tag: str) -> str:
    """Return the path and query of a file at the depot."""
    return ImageAddress(sha256, file_name, url_tag).target
