"""What a harness may ask of a parser, besides raising our own errors alone."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from bootz.errors import BootzError

T = TypeVar("T")


def stable(value: T, write: Callable[[T], bytes], read: Callable[[bytes], T]) -> None:
    """What was read can be written; that is read again, and written as the same bytes."""
    first = write(value)
    try:
        again = read(first)
    except BootzError as error:
        raise AssertionError(f"what was written is refused: {error.reason}") from error
    assert write(again) == first


def same(value: T, write: Callable[[T], bytes], read: Callable[[bytes], T]) -> None:
    """What was read can be written, and reads as the same value."""
    try:
        again = read(write(value))
    except BootzError as error:
        raise AssertionError(f"what was written is refused: {error.reason}") from error
    assert again == value


def text_of(data: bytes) -> str:
    """A text of any characters: what is not UTF-8 becomes a surrogate, as of a command line."""
    return data.decode("utf-8", "surrogateescape")


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """One loop for all inputs of a process."""
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop
