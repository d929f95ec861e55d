"""URLs: one form is an address, whatever else a peer may write is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.images.addresses import ImageAddress, is_file_name, parse_target

DIGEST = "0123456789abcdef" * 4
PATH = f"/images/{DIGEST}/"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (f"{PATH}xr.iso", ImageAddress(DIGEST, "xr.iso")),
        (f"{PATH}xr.iso?c=Tag-1_x", ImageAddress(DIGEST, "xr.iso", "Tag-1_x")),
        (f"{PATH}a%20b%C3%A4.iso", ImageAddress(DIGEST, "a bä.iso")),
        (f"{PATH}a+b", ImageAddress(DIGEST, "a+b")),
        (f"http://host:80{PATH}xr.iso?c=t", ImageAddress(DIGEST, "xr.iso", "t")),
        (f"HTTPS://[::1]{PATH}xr.iso", ImageAddress(DIGEST, "xr.iso")),
    ],
)
def test_addresses(target: str, address: ImageAddress) -> None:
    assert parse_target(target) == address


HOSTILE = [
    "/",
    "*",
    "",
    "/images",
    "/images/",
    PATH,
    PATH[:-1],
    f"/images/{DIGEST.upper()}/x",
    f"/images/{DIGEST}0/x",
    f"/Images/{DIGEST}/x",
    f"//images/{DIGEST}/x",
    f"/./images/{DIGEST}/x",
    f"/x/../images/{DIGEST}/x",
    f"{PATH}..",
    f"{PATH}.",
    f"{PATH}../x",
    f"{PATH}..%2fx",
    f"{PATH}%2e%2e",
    f"{PATH}%2E%2E%2Fx",
    f"{PATH}a%2fb",
    f"{PATH}a%5Cb",
    f"{PATH}a\\b",
    f"{PATH}a/b",
    f"{PATH}a%00",
    f"{PATH}a%0d%0aX: y",
    f"{PATH}a%7f",
    f"{PATH}a%e2%80%ae",
    f"{PATH}%ff",
    f"{PATH}%c0%ae%c0%ae",
    f"{PATH}a%",
    f"{PATH}a%2",
    f"{PATH}a%zz",
    f"{PATH}a\n",
    f"{PATH}{'a' * 256}",
    f"{PATH}{'a' * 100_000}",
    f"{PATH}a?",
    f"{PATH}a?c=",
    f"{PATH}a?c=x&d=y",
    f"{PATH}a?d=y",
    f"{PATH}a?c={'x' * 65}",
    f"{PATH}a?c=a%20b",
    f"{PATH}a#f",
    f"{PATH}a;b?c=x#f",
    f"ftp://host{PATH}a",
]


@pytest.mark.parametrize("target", HOSTILE)
def test_everything_else_is_no_address(target: str) -> None:
    assert parse_target(target) is None


@given(st.text(max_size=300))
def test_a_name_survives_its_url_or_is_no_name(name: str) -> None:
    if is_file_name(name):
        address = ImageAddress(DIGEST, name, "tag")
        assert parse_target(address.target) == address


@given(st.text(max_size=50).map(lambda text: PATH + text) | st.text())
def test_what_is_parsed_is_one_printable_step(target: str) -> None:
    address = parse_target(target)
    if address is not None:
        assert is_file_name(address.file_name)
        assert "/" not in address.file_name
