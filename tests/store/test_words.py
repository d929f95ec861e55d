"""The journal's texts: bounded, and the same JSON in whatever way it is made."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store.world import call

from bootz.model.checks import Check, Outcome
from bootz.server.operations.texts import dump_json
from bootz.server.store.entries import checks_data
from bootz.server.store.words import bounded, words_json

# Lone surrogates too, which UTF-8 cannot hold.
_WORDS = st.text(st.characters(codec=None), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(_VALUES, max_size=4) | st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_json_is_the_same_in_whatever_way_it_is_made(
    value: list[object] | dict[str, object],
) -> None:
    assert words_json(value) == dump_json(value)


@pytest.mark.parametrize("word", ["\x7f", "\x00", "é", "\ud800", "\u2028", "\\u0000", '"', "/"])
def test_json_of_rare_characters_is_the_same(word: str) -> None:
    assert words_json([word, {word: word}]) == dump_json([word, {word: word}])


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 1500), st.integers(0, 1500))))
def test_each_word_of_a_check_has_its_own_bound(sizes: list[tuple[str, int, int]]) -> None:
    checks = tuple(
        Check("nonce", Outcome.FAILED, text + "e" * expected, "s" * seen)
        for text, expected, seen in sizes
    )
    assert checks_data(replace(call(), checks=checks)) == [
        ["nonce", "failed", bounded(check.expected, 1024), bounded(check.seen, 1024)]
        for check in checks
    ]
