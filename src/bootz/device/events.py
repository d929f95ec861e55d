"""How a router tells what happens in it, to whoever runs it."""

from collections.abc import Callable, Mapping

Notify = Callable[[str, Mapping[str, object]], None]
"""Told each event as it happens: a name and fields, none of them secret."""
