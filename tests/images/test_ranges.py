"""Range and validator headers, by examples of RFC 9110 and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.images.ranges import ByteRange, RangeVerdict, names_tag, parse_range

WHOLE, NONE = RangeVerdict.WHOLE, RangeVerdict.UNSATISFIABLE


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("bytes=0-499", ByteRange(0, 500)),
        ("bytes=500-999", ByteRange(500, 500)),
        ("bytes=-500", ByteRange(9500, 500)),
        ("bytes=9500-", ByteRange(9500, 500)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=-1", ByteRange(9999, 1)),
        ("bytes=-20000", ByteRange(0, 10000)),
        ("bytes=9999-20000", ByteRange(9999, 1)),
        ("Bytes= 1-2 ", ByteRange(1, 2)),
        ("bytes=10000-", NONE),
        ("bytes=10000-10001", NONE),
        ("bytes=-0", NONE),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=2-1", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=", WHOLE),
        ("bytes=1", WHOLE),
        ("bytes=+1-2", WHOLE),
        ("bytes=1_0-2_0", WHOLE),
        ("bytes=٣-٤", WHOLE),
        ("bytes=0x1-0x2", WHOLE),
        ("pages=1-2", WHOLE),
        ("bytes=" + "9" * 5000 + "-", WHOLE),
    ],
)
def test_ranges(header: str, meaning: ByteRange | RangeVerdict) -> None:
    assert parse_range(header, 10000) == meaning


@given(st.text() | st.from_regex(r"bytes=\d*-\d*"), st.integers(1, 1 << 40))
def test_a_range_lies_within_the_file_whatever_was_asked_for(header: str, size: int) -> None:
    part = parse_range(header, size)
    if isinstance(part, ByteRange):
        assert 0 <= part.start < part.start + part.length <= size


@pytest.mark.parametrize(
    ("header", "weak", "named"),
    [
        ('"abc"', False, True),
        ('W/"abc"', False, False),
        ('W/"abc"', True, True),
        ('"x", W/"y" , "abc"', False, True),
        ("*", False, True),
        ("abc", True, False),
        ('"abcd"', True, False),
        ('"abc', True, False),
        ('"abc",', True, False),
        ("", True, False),
    ],
)
def test_tags(header: str, weak: bool, named: bool) -> None:
    assert names_tag(header, "abc", weak=weak) is named


@given(st.text())
def test_a_tag_is_named_only_in_quotes(header: str) -> None:
    if names_tag(header, "abc", weak=True):
        assert '"abc"' in header or header.strip() == "*"
