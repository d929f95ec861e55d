"""OpenConfig JSON is read strictly, and two documents make one without contradiction."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.device.openconfig import InvalidConfiguration, read_openconfig, union


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"1",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'\xef\xbb\xbf{"a":1',
        b'{"a":"\xff"}',
        b"{} {}",
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"[" * 100_000,
    ],
)
def test_what_is_no_document_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read_openconfig(data, "oc_config")
    assert (caught.value.reason, caught.value.where) == ("config-openconfig", "oc_config")


@pytest.mark.parametrize("data", [b"", b" \n", b"{}"])
def test_nothing_is_an_empty_document(data: bytes) -> None:
    assert read_openconfig(data, "oc_config") == {}


def test_the_union_joins_members_and_lists() -> None:
    first = {"a": {"x": 1, "l": [1, 2]}, "b": True}
    second = {"a": {"y": 2, "l": [2, 3], "x": 1}, "c": None}
    assert union(first, second) == {
        "a": {"x": 1, "y": 2, "l": [1, 2, 3]},
        "b": True,
        "c": None,
    }
    assert first == {"a": {"x": 1, "l": [1, 2]}, "b": True}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        ({"a": {"b": 1}}, {"a": {"b": True}}),
        ({"a": {"b": {}}}, {"a": {"b": []}}),
    ],
)
def test_two_values_for_one_leaf_contradict(
    first: dict[str, object], second: dict[str, object]
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        union(first, second)
    assert caught.value.where == "/a/b"


documents = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@given(documents)
def test_a_document_is_read_as_it_was_written_and_joined_with_itself_is_itself(
    document: dict[str, Any],
) -> None:
    read = read_openconfig(json.dumps(document).encode(), "x")
    assert read == document
    assert union(read, {}) == read


@given(st.binary(max_size=64))
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    try:
        read = read_openconfig(data, "x")
    except InvalidConfiguration:
        return
    assert isinstance(read, dict)
