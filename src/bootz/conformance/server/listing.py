"""Devices that list the cards of others beside their own: on every way, for every identity.

The own card is active and proven, so there is nothing to refuse but what is listed. A server that
believes the list hands out the data of any chassis to any genuine device.
"""

from collections.abc import Iterator

from bootz.conformance.server.behaved import CARDS, contact_of, modular, onboarding
from bootz.conformance.server.hostile import DENIED, UNKNOWN
from bootz.conformance.server.player import Disclosed, Player
from bootz.conformance.server.requirements import REQUIREMENTS
from bootz.conformance.server.suite import OWN_ONLY, Play, ServerCase
from bootz.conformance.server.ways import IDEVIDS, WAYS, Way, provers


def listing_cases() -> Iterator[ServerCase]:
    """Return the cases of devices that list what is not theirs."""
    for way in WAYS:
        for lead in provers(way):
            other = f"{lead}-other" if lead in IDEVIDS else "p256-other"
            twins = (onboarding(way, lead), onboarding(way, other))
            for word, listed in (("first", (other, lead)), ("last", (lead, other))):
                yield _case(
                    way,
                    lead,
                    f"foreign-card-{word}",
                    OWN_ONLY,
                    _lists(way, lead, listed, other),
                    twins,
                )
            play = _lists(way, lead, (other,), other)
            yield _case(way, lead, "foreign-card-alone", UNKNOWN, play, twins)
        yield from _modular(way)


def _modular(way: Way) -> Iterator[ServerCase]:
    other = "p384-other"
    twins = (modular(way, "both"), onboarding(way, other))
    play = _lists(way, "active", (*CARDS, other), other)
    yield _case(way, "p384", "foreign-card-in-modular-chassis", OWN_ONLY, play, twins)
    twins = (modular(way, "standby-both-listed"), onboarding(way, other))
    play = _lists(way, "standby", CARDS, "standby", proven=other)
    yield _case(way, "p384", "standby-of-another", DENIED, play, twins)


def _case(
    way: Way, lead: str, word: str, expected: str, play: Play, twins: tuple[str, ...]
) -> ServerCase:
    name = f"hostile/{way.name}/{lead}/{word}"
    about = REQUIREMENTS["foreign-card"]
    return ServerCase(name, expected, play, way, lead, about, twins)


def _lists(way: Way, name: str, listed: tuple[str, ...], foreign: str, *, proven: str = "") -> Play:
    """Ask for a list of cards, and look for what is not due in the answer.

    ``proven`` is the device that proves itself, the asking one if empty.
    """

    async def play(player: Player) -> None:
        serials = tuple(player.serial(each) for each in listed)
        prover = proven or ("active" if name in CARDS else name)
        request = player.request(name, listed=serials)
        contact = contact_of(player, way, prover)
        answered = await player.answered(contact, request, way.dialect)
        serial = player.serial(foreign)
        if serial in answered.serials:
            raise Disclosed(f"the answer has the data of {serial}, a card of another chassis")
        # A voucher alone tells who owns the other, and opens nothing; it is not due either.
        if serial.encode() in answered.voucher:
            raise Disclosed(f"the answer has the voucher of {serial}, a card of another chassis")

    return play
