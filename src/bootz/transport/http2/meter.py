"""Bounds what the frames of a peer may cost, whichever engine reads them.

HTTP/2 lets a peer ask for work without asking for anything: PING, SETTINGS, PRIORITY, streams
that are reset at once, bodies of one octet a frame. So each frame costs a token. What moves
something earns them back: octets that arrive or leave, answers. An honest peer never runs out. Who
does is not cut but read more slowly, at a rate for the connection and one for its address; the
rest waits in its own system. One that goes on so is looked at ever more seldom: cut, it would come
again, and a handshake costs more than a hundred frames.

Source: RFC 9113 section 10.5.
"""

from typing import Final

ALLOWANCE: Final = 128
"""Frames that a connection may send at once."""

CONNECTION_RATE: Final = 32.0
"""Frames in a second that a connection without an allowance may send."""

ADDRESS_RATE: Final = 128.0
"""The same for all such connections of one address."""

LONGEST_WAIT: Final = 8.0
"""Seconds for which nothing is read of a connection that has run out again and again."""

EARNING_OCTETS: Final = 1024
"""Octets of a body that are worth a frame: DATA of as much costs nothing."""

_STEP: Final = 16.0
"""Frames that are let through at once, so that waking up is worth it."""

_MOST_DOUBLINGS: Final = 10
_PREFACE_BYTES: Final = 24
_HEADER_BYTES: Final = 9
_DATA: Final = 0


class Bucket:
    """Tokens that come back with time. ``now`` is seconds on a clock that only rises.

    Args:
        rate: tokens in a second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(rate, _STEP)
        self._tokens = self._most
        self._at: float | None = None

    def refill(self, now: float) -> float:
        """Return how many tokens there are now."""
        if self._at is not None:
            self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens

    def take(self, amount: float) -> None:
        """Take tokens."""
        self._tokens -= amount

    def seconds_until(self, amount: float) -> float:
        """Return when there will be so many, counted from the last refill."""
        return max(0.0, (min(amount, self._most) - self._tokens) / self._rate)


class FrameMeter:
    """Measures the frames of one connection.

    Args:
        address: tokens of all connections of the peer's address.
    """

    def __init__(self, address: Bucket) -> None:
        self._allowance: float = ALLOWANCE
        self._own = Bucket(CONNECTION_RATE)
        self._address = address
        self._run_out = 0
        self._to_skip = _PREFACE_BYTES
        self._header = b""

    def admit(self, data: bytes, now: float) -> int:
        """Return how many of these octets may be processed now, up to a frame's border.

        Give what is left to the next call again; ``wait`` says when that makes sense.
        """
        position, end = 0, len(data)
        spare = -1.0
        while True:
            if self._to_skip:
                step = min(self._to_skip, end - position)
                self._to_skip -= step
                position += step
            if position >= end:
                self._run_out = 0 if spare < 0 else self._run_out
                return end
            begin = position
            header = self._header + data[position : position + _HEADER_BYTES - len(self._header)]
            position += len(header) - len(self._header)
            if len(header) < _HEADER_BYTES:
                self._header = header
                return end
            length = header[0] << 16 | header[1] << 8 | header[2]
            cost = 0.0 if header[3] == _DATA and length >= EARNING_OCTETS else 1.0
            if self._allowance >= cost:
                self._allowance -= cost
            else:
                if spare < 0:
                    spare = min(self._own.refill(now), self._address.refill(now))
                if spare < cost:
                    # What came of its header in earlier calls has been admitted already.
                    return begin
                spare -= cost
                self._own.take(cost)
                self._address.take(cost)
            self._header = b""
            self._to_skip = length

    def wait(self) -> float:
        """Return in how many seconds more will be admitted; ask after ``admit`` has refused.

        Twice as long each time, until a call is answered or nothing is left to admit.
        """
        enough = max(self._own.seconds_until(_STEP), self._address.seconds_until(_STEP))
        longer = min(LONGEST_WAIT, enough * 2.0**self._run_out)
        self._run_out = min(self._run_out + 1, _MOST_DOUBLINGS)
        return max(enough, longer)

    def earn(self, octets: int) -> None:
        """Say that octets of a body have arrived, or left."""
        self._allowance = min(ALLOWANCE, self._allowance + octets / EARNING_OCTETS)

    def earn_answer(self) -> None:
        """Say that a call was answered, and so was one in earnest."""
        self._run_out = 0
        self._allowance = min(ALLOWANCE, self._allowance + _ANSWER)


_ANSWER: Final = 8.0
"""Frames that an answered call may have had: headers, parts of a body, windows, an end."""
