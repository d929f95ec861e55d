"""What the router keeps on its disk between power-ons: an answer to go on with, a report to send.

An answer is kept as it was received, with the nonce that it answers, and is verified again
before it is used: the disk vouches for nothing. Data that travelled encrypted are kept decrypted
as well, because the key of their stream is gone; for what they say then the disk does vouch.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bootz.errors import ConfigError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import CardState
from bootz.model.chassis import CardStatus


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer with what it takes to verify it. ``nonce`` None: insecure, none was sent."""

    uri: str
    dialect: str
    nonce: str | None = field(repr=False)
    sealed: SealedData

    def write(self) -> bytes:
        """Return the form that is kept."""
        sealed = self.sealed
        return _write(
            {
                "uri": self.uri,
                "dialect": self.dialect,
                "nonce": self.nonce,
                "payload": _text(sealed.payload),
                "signature": sealed.signature,
                "ownership_voucher": _text(sealed.ownership_voucher),
                "owner_certificate": _text(sealed.owner_certificate),
                "encapsulated_key": _text(sealed.encapsulated_key),
                "plaintext": _text(sealed.plaintext or b""),
            }
        )

    @classmethod
    def read(cls, data: bytes) -> "KeptAnswer":
        """Return what ``write`` wrote.

        Raises:
            ConfigError: it is damaged.
        """
        kept = _Record(data)
        nonce = kept.value("nonce")
        return cls(
            kept.text("uri"),
            kept.text("dialect"),
            nonce if isinstance(nonce, str) else None,
            SealedData(
                kept.data("payload"),
                kept.text("signature"),
                kept.data("ownership_voucher"),
                kept.data("owner_certificate"),
                kept.data("encapsulated_key"),
                kept.data("plaintext") or None,
            ),
        )


@dataclass(frozen=True, slots=True)
class KeptReport:
    """The report that is left to send, to whom, and by which anchor (DER) that one is known."""

    uri: str
    dialect: str
    anchor: bytes = field(repr=False)
    states: tuple[CardState, ...]
    message: str

    def write(self) -> bytes:
        """Return the form that is kept."""
        return _write(
            {
                "uri": self.uri,
                "dialect": self.dialect,
                "anchor": _text(self.anchor),
                "states": [[state.serial_number, state.status.name] for state in self.states],
                "message": self.message,
            }
        )

    @classmethod
    def read(cls, data: bytes) -> "KeptReport":
        """Return what ``write`` wrote.

        Raises:
            ConfigError: it is damaged.
        """
        kept = _Record(data)
        return cls(
            kept.text("uri"),
            kept.text("dialect"),
            kept.data("anchor"),
            tuple(kept.states()),
            kept.text("message"),
        )


class _Record:
    def __init__(self, data: bytes) -> None:
        try:
            value = json.loads(data)
        except ValueError as error:
            raise _damaged("document") from error
        if not isinstance(value, dict):
            raise _damaged("document")
        self._members: Mapping[str, object] = value

    def value(self, name: str) -> object:
        return self._members.get(name)

    def text(self, name: str) -> str:
        value = self._members.get(name)
        if not isinstance(value, str):
            raise _damaged(name)
        return value

    def data(self, name: str) -> bytes:
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError as error:
            raise _damaged(name) from error

    def states(self) -> Iterator[CardState]:
        states = self._members.get("states")
        for each in states if isinstance(states, list) else ():
            match each:
                case [str(serial_number), str(status)] if status in CardStatus.__members__:
                    yield CardState(serial_number, CardStatus[status])
                case _:
                    raise _damaged("states")


def _damaged(place: str) -> ConfigError:
    return ConfigError("hardware-damaged", "a stored record is malformed", where=place)


def _write(members: Mapping[str, object]) -> bytes:
    return json.dumps(members, sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
