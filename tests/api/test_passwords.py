"""A name without an account takes as long as one with an account and a wrong password."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from bootz.server.api.auth.passwords import NO_PASSWORD, hash_password, password_holds


def test_what_stands_for_no_account_is_verified_at_full_cost() -> None:
    hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
    # A text that is no hash would be refused at once, by another error.
    with pytest.raises(VerifyMismatchError):
        hasher.verify(NO_PASSWORD, "")
    real = hash_password("correct horse battery")
    assert not hasher.check_needs_rehash(NO_PASSWORD)
    assert NO_PASSWORD.split("$")[:4] == real.split("$")[:4]
    assert len(NO_PASSWORD) == len(real)
    assert password_holds(real, "correct horse battery")
    assert not password_holds("", "correct horse battery")
