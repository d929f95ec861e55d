"""How long is waited before something is tried again."""


def backoff(tries: int, chance: float, *, first: float, most: float) -> float:
    """Return the seconds to wait after so many tries: full jitter over a doubling bound.

    Without it, all who failed together would come back together.

    Args:
        tries: how many have failed, at least one.
        chance: random in [0, 1).
        first: the bound after the first failure, in seconds.
        most: the bound never grows beyond it.
    """
    # The exponent is bounded too: a float overflows at 2^1024.
    return chance * min(most, first * 2.0 ** min(tries - 1, 64))
