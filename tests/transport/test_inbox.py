"""Messages out of a body, wherever it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import WireError
from bootz.transport.grpc.inbox import Inbox, framed


@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(1, 40))
def test_messages_come_out_as_they_went_in(messages: list[bytes], step: int) -> None:
    body = b"".join(map(framed, messages))
    inbox = Inbox()
    found = []
    for begin in range(0, len(body), step):
        inbox.put(body[begin : begin + step], ended=begin + step >= len(body))
        while (message := inbox.take(50)) is not None:
            found.append(message)
    assert found == messages


@given(st.binary(max_size=60), st.integers(0, 20))
def test_any_body_gives_messages_within_the_bound_or_one_clear_error(
    body: bytes, most: int
) -> None:
    inbox = Inbox()
    inbox.put(body, ended=True)
    rest = body
    try:
        while (message := inbox.take(most)) is not None:
            assert len(message) <= most
            assert rest.startswith(framed(message))
            rest = rest[5 + len(message) :]
    except WireError:
        assert inbox.drop() == len(rest)
    else:
        assert not rest


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\1\0\0\0\0", "message-compressed"),
        (b"\0\0\0\0\x0b", "message-too-large"),
        (b"\0\0\0\0\x05abcd", "message-cut"),
        (b"\0\0", "message-cut"),
    ],
)
def test_what_is_wrong_is_told_by_its_prefix(body: bytes, reason: str) -> None:
    inbox = Inbox()
    inbox.put(body, ended=True)
    with pytest.raises(WireError) as caught:
        inbox.take(10)
    assert caught.value.reason == reason


def test_a_message_that_is_not_whole_is_waited_for() -> None:
    inbox = Inbox()
    inbox.put(b"\0\0\0\0\x02a", ended=False)
    assert inbox.take(10) is None
    inbox.put(b"b", ended=False)
    assert inbox.take(10) == b"ab"
    assert not inbox.ended
