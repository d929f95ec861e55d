"""The log of a service: one line per fact on stderr, JSON unless a person reads it.

Tracebacks are text without the values of variables, which may hold secrets.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import structlog


def configure_log(form: str, level: str, **fields: object) -> None:
    """Set up the log of this process; may be called again to change it.

    Args:
        form: ``json`` or ``console``.
        level: the lowest level that is written.
        fields: what every line tells of this process.
    """

    def tell(
        logger: object, name: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        # One step, because each line takes it: two lines are written for every onboarding.
        structlog.processors.add_log_level(logger, name, event)
        event["at"] = datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z"
        if "exc_info" in event:
            structlog.processors.format_exc_info(logger, name, event)
        event.update(fields)
        return event

    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_dump)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[tell, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_writer,
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard library: what they warn of takes the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, tell],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _writer(*_: object) -> structlog.WriteLogger:
    """Return what writes to stderr, whatever that is now."""
    return _writer_to(sys.stderr)


@lru_cache(maxsize=1)
def _writer_to(stream: TextIO) -> structlog.WriteLogger:
    return structlog.WriteLogger(stream)


@lru_cache(maxsize=1)
def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(default=default)


def _dump(event: object, *, default: Callable[[Any], Any]) -> str:
    """Return JSON as ``json.dumps`` writes it, which would make an encoder for each line."""
    return _encoder(default).encode(event)
