"""Reading a whole list in pages, so that nothing is lost when entries go in between.

By cursor where the source has one; else pages overlap by one entry, which must be the same in
both. Source: docs/source-of-truth.md#paging.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from bootz.errors import ConfigError, Unavailable
from bootz.server.sources.client import Params, SourceClient
from bootz.server.sources.pulled import MAX_DEVICES
from bootz.server.sources.shapes import slim

_TRIES: Final = 3
MAX_ROWS: Final = 10 * MAX_DEVICES
"""Entries of a list: modules and interfaces are more than devices."""
_LARGEST_ID: Final = (1 << 63) - 1
_LONGEST_ID: Final = 64
"""Characters; a UUID has 36."""

Entry = Mapping[str, Any]
_Kept = TypeVar("_Kept")


class _Moved(Exception):
    """The list changed while it was read."""


async def read_list(
    client: SourceClient, path: str, params: Params = (), *, cursor: bool, most: int = MAX_ROWS
) -> list[Entry]:
    """Return all entries of a list, as ``read_kept``."""
    return await read_kept(client, path, params, _itself, cursor=cursor, most=most)


async def read_kept(
    client: SourceClient,
    path: str,
    params: Params,
    keep: Callable[[Entry], _Kept],
    *,
    cursor: bool,
    most: int = MAX_ROWS,
) -> list[_Kept]:
    """Return what is kept of each entry of a list: of a long one, a page at a time is in memory.

    Raises:
        ConfigError: ``source-too-big``, or as ``SourceClient.get``.
        Unavailable: ``source-unstable``, or as ``SourceClient.get``.
    """
    size = client.settings.page_size
    if cursor:
        return await _by_cursor(client, path, params, keep, size, most)
    for _ in range(_TRIES):
        try:
            return await _by_offset(client, path, params, keep, size, most)
        except _Moved:
            continue
    raise Unavailable(
        "source-unstable", f"the list changed {_TRIES} times while it was read", where=path
    )


def _itself(entry: Entry) -> Entry:
    return entry


async def _by_cursor(
    client: SourceClient,
    path: str,
    params: Params,
    keep: Callable[[Entry], _Kept],
    size: int,
    most: int,
) -> list[_Kept]:
    found: list[_Kept] = []
    start = 0
    while True:
        page = await _page(client, path, [*params, ("start", str(start)), ("limit", str(size))])
        entries = _entries(page, path)
        found += map(keep, entries)
        _check_bound(len(found), most, path)
        # The product bounds pages by itself, and says nothing: only an empty one is the last.
        if not entries:
            return found
        keys = [entry["id"] for entry in entries]
        if not all(isinstance(key, int) for key in keys):
            raise _not_listed(path)
        last = max(keys)
        # Entries that were there before would be asked for without end.
        if last < start:
            raise _not_listed(path)
        start = last + 1


async def _by_offset(
    client: SourceClient,
    path: str,
    params: Params,
    keep: Callable[[Entry], _Kept],
    size: int,
    most: int,
) -> list[_Kept]:
    found: list[_Kept] = []
    keys: list[object] = []
    count: int | None = None
    while True:
        offset = max(0, len(found) - 1)
        page = await _page(client, path, [*params, ("limit", str(size)), ("offset", str(offset))])
        entries = _entries(page, path)
        told = page.get("count")
        if not isinstance(told, int) or isinstance(told, bool):
            raise _not_listed(path)
        _check_bound(told, most, path)
        if count is not None and told != count:
            raise _Moved
        count = told
        if found:
            if not entries or entries[0]["id"] != keys[-1]:
                raise _Moved
            entries = entries[1:]
        found += map(keep, entries)
        keys += (entry["id"] for entry in entries)
        if len(found) >= count:
            if len(set(keys)) != count:
                raise _Moved
            return found
        if not entries:
            raise _Moved


async def _page(client: SourceClient, path: str, params: Params) -> Mapping[str, Any]:
    answer = await client.get(path, params)
    if answer.status == 404 or not isinstance(answer.body, Mapping):
        raise _not_listed(path)
    return answer.body


def _entries(page: Mapping[str, Any], path: str) -> Sequence[Entry]:
    entries = page.get("results")
    if isinstance(entries, list):
        entries = [slim(entry) for entry in entries]
    if not isinstance(entries, list) or not all(
        isinstance(entry, Mapping) and _is_id(entry.get("id")) for entry in entries
    ):
        raise _not_listed(path)
    return entries


def _is_id(value: object) -> bool:
    match value:
        case bool():
            return False
        case int():
            return 0 <= value <= _LARGEST_ID
        case str():
            return 0 < len(value) <= _LONGEST_ID
        case _:
            return False


def _check_bound(count: int, most: int, path: str) -> None:
    if count > most:
        raise ConfigError(
            "source-too-big", "there are too many", where=path, expected=str(most), seen=str(count)
        )


def _not_listed(path: str) -> ConfigError:
    return ConfigError("source-not-json", "the answer is not a list of the API", where=path)
