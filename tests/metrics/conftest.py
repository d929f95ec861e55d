"""A site made once, and a copy of it for each test."""

from __future__ import annotations

from server.conftest import template, world

__all__ = ["template", "world"]
