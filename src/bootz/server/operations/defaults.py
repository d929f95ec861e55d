"""Defaults of what an operator sets, where a help text names them."""

from typing import Final

DEFAULT_LIFETIME_DAYS: Final = 90
"""A voucher cannot be revoked: a short life and cheap renewal take the place of that."""
