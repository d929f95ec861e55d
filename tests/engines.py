"""The HTTP/2 engines that a test is played on: all of them, and each must be there."""

from __future__ import annotations

ENGINES = ("ngh2", "h2")
