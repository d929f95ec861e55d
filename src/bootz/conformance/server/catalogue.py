"""Every case of the suite, in the order in which they are played."""

from bootz.conformance.server.behaved import behaved_cases
from bootz.conformance.server.challenge_answers import challenge_cases, restart_cases
from bootz.conformance.server.hostile import hostile_cases
from bootz.conformance.server.hostile_streams import hostile_stream_cases
from bootz.conformance.server.listing import listing_cases
from bootz.conformance.server.suite import ServerCase


def all_cases() -> list[ServerCase]:
    """Return all cases; those that need a restart are the last."""
    return [
        *behaved_cases(),
        *hostile_cases(),
        *listing_cases(),
        *hostile_stream_cases(),
        *challenge_cases(),
        *restart_cases(),
    ]
