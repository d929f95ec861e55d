"""By which states and words cards are reported."""

from collections.abc import Sequence

from bootz.device.state import CardCondition, CardNote
from bootz.model.bootstrap import CardState
from bootz.model.chassis import CardStatus

NOT_ANSWERED = "card-not-answered"

_FAILED = frozenset({CardCondition.SHUT_DOWN, CardCondition.FAILED})


def describe_notes(notes: Sequence[CardNote]) -> tuple[tuple[CardState, ...], tuple[str, ...]]:
    """Return the states and the words by which cards are reported (S9).

    A card that the server did not answer is named in words only: it may be no card that the server
    knows, and a report that names one of those does not count.
    """
    states: list[CardState] = []
    words: list[str] = []
    for note in notes:
        fine = note.condition not in _FAILED
        fate = "is shut down" if note.condition is CardCondition.SHUT_DOWN else "is left running"
        if fine or note.answered:
            status = CardStatus.INITIALIZED if fine else CardStatus.NOT_INITIALIZED
            states.append(CardState(note.serial_number, status))
        if fine:
            continue
        named = f"card {note.serial_number} in slot {note.slot}"
        if note.reason == NOT_ANSWERED:
            words.append(f"{named} got no answer and {fate}")
        else:
            words.append(f"{named} {fate}: {note.reason}")
    if not words:
        words.append("the router is operational")
    else:
        words.insert(0, "the router is operational on the other cards")
    return tuple(states), tuple(words)
