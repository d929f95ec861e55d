"""The stored server data of a router's configuration: command lines and YANG JSON."""

from fuzz.laws import text_of

from bootz.errors import BootzError
from bootz.wire.server_data import (
    find_client,
    find_server_data,
    has_server_data,
    with_server_data,
    without_server_data,
)


def enter(data: bytes) -> None:
    text = text_of(data)
    has_server_data(text)
    try:
        find_client(text)
    except BootzError:
        pass
    found = find_server_data(text)
    assert not has_server_data(without_server_data(text))
    if found is not None:
        assert find_server_data(with_server_data("", found)) == found
