"""The words of the journal: states of an attempt, kinds of its events."""

from enum import Enum


class AttemptState(Enum):
    """How far an attempt has come; the latest word counts."""

    REFUSED = "refused"
    ANSWERED = "answered"
    INSTALLING = "installing"
    """The router has reported INITIATED."""
    SUCCESS = "success"
    FAILURE = "failure"


class EventKind(Enum):
    """What happened."""

    REFUSED = "refused"
    ANSWERED = "answered"
    REPORT = "report"
    DOWNLOAD = "download"
