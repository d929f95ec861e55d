"""One tree of errors; each carries a reason code and no transport code.

The class says whose fault it is. ``str(error)`` is one line for a log: the place and the
detail; the reason's row (``bootz.reasons``) has the remedy. Nothing in an error is a secret.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bootz.reasons import Reason

KeyPath = tuple[str | int, ...]
"""Where in a document a value stands: keys, and positions in lists."""


class BootzError(Exception):
    """The root of all errors that leave the package.

    Args:
        reason: a code of ``bootz.reasons.REASONS``.
        detail: what is wrong, for a person; no secrets, no payloads.
        where: the place: a field, a file and row, a serial number.
        expected: for a check, what would have passed.
        seen: for a check, what was there.
        keys: of the document that was given, those that do not fit.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        where: str = "",
        expected: str = "",
        seen: str = "",
        keys: "Sequence[KeyPath]" = (),
    ) -> None:
        # Here, so that a command that succeeds does not load every reason.
        from bootz.reasons import reason_row

        self.row: Reason = reason_row(reason)
        self.detail = detail
        self.where = where
        self.expected = expected
        self.seen = seen
        self.keys = tuple(keys)
        super().__init__(f"{where}: {detail}" if where else detail)

    def within(self, *steps: str | int) -> "Self":
        """Return this error, with its keys as keys of a document around the one that was given."""
        self.keys = tuple((*steps, *key) for key in self.keys)
        return self

    @property
    def reason(self) -> str:
        """The stable code of the reason."""
        return self.row.code

    @property
    def remedy(self) -> str:
        """The next action for a person."""
        return self.row.action


class PeerError(BootzError):
    """The peer sent what must not be sent."""


class WireError(PeerError):
    """Bytes that are not of the form, or over a bound."""


class OrderError(PeerError):
    """A message at a moment when it is not legal."""


class TrustError(PeerError):
    """A proof that does not hold."""


class PolicyError(PeerError):
    """A well-formed, proven request that is not allowed."""


class OperatorError(BootzError):
    """Something the operator gave does not fit."""


class ConfigError(OperatorError):
    """A setting, a file, a row of an import, a template, an argument."""


class OptionError(ConfigError):
    """An option of a command that cannot be, or that does not go with another one."""


class UnknownChassis(OperatorError):
    """The inventory does not know what was asked for."""


class ConflictError(OperatorError):
    """What is to be created exists already, or is in use."""


class Unavailable(BootzError):
    """The world does not answer: a file, a disk, a database, a server, a token."""


def unreadable(path: object, error: OSError) -> Unavailable:
    """Return that a file cannot be read, and why."""
    return Unavailable("file-unreadable", error.strerror or str(error), where=str(path))


def unwritable(path: object, error: OSError) -> Unavailable:
    """Return that a file or folder cannot be written, and why."""
    return Unavailable("file-unwritable", error.strerror or str(error), where=str(path))
