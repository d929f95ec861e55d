"""Words of strangers, made fit for the database: bounded, and without what it cannot hold."""

from typing import Final

MAX_WORD: Final = 256
MAX_WORDS: Final = 4096


def bounded(text: str, most: int = MAX_WORD) -> str:
    """Return a text of at most ``most`` characters; characters no database takes are replaced."""
    if len(text) <= most and text.isascii() and "\x00" not in text:
        return text
    if len(text) > most:
        text = text[: most - 1] + "…"
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
