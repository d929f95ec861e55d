"""The log of a process that has not set one up: words on stderr.

Stdout has only the data that was asked for. A service sets up its own (``cli/logs.py``).
"""

import sys

import structlog

__all__ = ["get_logger"]

if not structlog.is_configured():
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

get_logger = structlog.get_logger
"""A logger that takes the form which the process has chosen, whenever it chooses it."""
