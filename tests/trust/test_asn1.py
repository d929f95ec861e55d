"""The TLV reader and the DER writer: strict on every length, and each other's inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.trust.asn1 import (
    OCTET_STRING,
    Asn1Error,
    Element,
    Reader,
    encode,
    encode_integer,
    encode_oid,
    normalise,
    read_one,
)


@pytest.mark.parametrize(
    "text",
    ["1f0100", "048500000000" + "0101", "0484", "04810101", "04820080", "0402ff", "04", "0480"],
)
def test_an_element_that_is_none(text: str) -> None:
    with pytest.raises(Asn1Error):
        Reader(bytes.fromhex(text) + bytes(200 if text == "04820080" else 0)).take_any()


@pytest.mark.parametrize(
    ("ber", "der"),
    [
        ("3080" + "0401aa" + "0000", "30030401aa"),
        ("2480" + "0401aa" + "2403" + "0401bb" + "0000", "0402aabb"),
        ("30030401aa", "30030401aa"),
    ],
)
def test_ber_becomes_der(ber: str, der: str) -> None:
    assert normalise(bytes.fromhex(ber)).hex() == der


@pytest.mark.parametrize(
    "ber",
    [
        "3080" + "0401aa" + "0000" + "00",
        "3002" + "0401" + "aa",
        "3080" + "3003" + "0405" + "0000" + "0000",
        "3080" + "0401aa" + "00",
        "3080" + "0401aa",
        "0480" + "0000",
        "2480" + "0201aa" + "0000",
    ],
)
def test_ber_that_is_none(ber: str) -> None:
    with pytest.raises(Asn1Error):
        normalise(bytes.fromhex(ber))


@pytest.mark.parametrize("content", ["", "0001", "ff80"])
def test_an_integer_that_is_none(content: str) -> None:
    raw = bytes.fromhex(content)
    with pytest.raises(Asn1Error):
        Element(0x02, b"", raw).integer()


@pytest.mark.parametrize("content", ["", "80", "2a80", "2a8001", "2a" * 65])
def test_an_object_identifier_that_is_none(content: str) -> None:
    with pytest.raises(Asn1Error):
        Element(0x06, b"", bytes.fromhex(content)).oid()


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_come_back(value: int) -> None:
    assert read_one(encode_integer(value), 0x02).integer() == value


@given(
    st.tuples(st.integers(0, 1), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 999)),
    st.lists(st.integers(0, 1 << 40), max_size=6),
)
def test_object_identifiers_come_back(first: tuple[int, int], others: list[int]) -> None:
    dotted = ".".join(str(arc) for arc in (*first, *others))
    assert read_one(encode_oid(dotted), 0x06).oid() == dotted


@given(st.integers(0, 70_000))
def test_lengths_come_back(size: int) -> None:
    assert len(read_one(encode(OCTET_STRING, bytes(size)), OCTET_STRING).content) == size


@given(st.binary(max_size=60))
def test_any_bytes_are_normal_or_refused(data: bytes) -> None:
    try:
        first = normalise(data)
    except Asn1Error:
        return
    assert normalise(first) == first
