"""The voucher request: read in its three forms, written, and checked before it is sent."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trust.world import DAY, NOW, at, forge, pdc, rsa_key

from bootz.model.artifacts import Assertion
from bootz.trust.request import (
    VoucherRequest,
    VoucherRequestError,
    check_voucher_request,
    parse_voucher_request,
    write_voucher_requests,
)

PDC64 = base64.b64encode(pdc().der).decode()
FULL = VoucherRequest(
    "FOC1234ABCD",
    pdc().der,
    Assertion.VERIFIED,
    NOW + 14 * DAY,
    b"\x30\x04\x80\x02ab",
    NOW + 365 * DAY,
)
BARE = {"serial-number": "FOC1", "pinned-domain-cert": PDC64}


def test_a_request_comes_back_as_it_was_written() -> None:
    assert parse_voucher_request(write_voucher_requests([FULL])) == FULL
    least = VoucherRequest("FOC1", pdc().der)
    written = json.loads(write_voucher_requests([least]))
    assert written == {**BARE, "assertion": "verified"}


@pytest.mark.parametrize("container", ["ietf-voucher-request:voucher", "ietf-voucher:voucher"])
def test_a_request_is_read_bare_in_a_container_and_as_a_value(container: str) -> None:
    bare = VoucherRequest("FOC1", pdc().der)
    assert parse_voucher_request(json.dumps(BARE).encode()) == bare
    assert parse_voucher_request(json.dumps({container: BARE}).encode()) == bare
    assert parse_voucher_request({container: BARE}) == bare
    assert parse_voucher_request({**BARE, "created-on": "any", "x": 1}) == bare


MALFORMED: dict[str, object] = {
    "nothing": b"",
    "a list": b"[]",
    "not UTF-8": b"\xff",
    "a key twice": b'{"serial-number":"A","serial-number":"B"}',
    "another container": {"voucher": BARE},
    "a container of nothing": {"ietf-voucher:voucher": None},
    "a text": "text",
    "no serial number": {"pinned-domain-cert": PDC64},
    "blank at the end": {**BARE, "serial-number": "FOC1 "},
    "65 characters": {**BARE, "serial-number": "x" * 65},
    "not ASCII": {**BARE, "serial-number": "é"},
    "no certificate": {"serial-number": "FOC1"},
    "an end that is misspelt": {**BARE, "expire-on": "2036-10-21T19:31:42Z"},
    "underscores": {**BARE, "expires_on": "2036-10-21T19:31:42Z"},
    "capitals": {**BARE, "IDevID-Issuer": "AAAA"},
    "the documented placeholder": {**BARE, "pinned-domain-cert": "base64encodedvalue=="},
    "two certificates": {**BARE, "pinned-domain-cert": base64.b64encode(pdc().der * 2).decode()},
    "unknown assertion": {**BARE, "assertion": "sworn"},
    "assertion a list": {**BARE, "assertion": ["verified"]},
    "nonce": {**BARE, "nonce": "AAAAAAAAAAA="},
    "date that is none": {**BARE, "expires-on": "tomorrow"},
    "issuer no base64": {**BARE, "idevid-issuer": "?"},
    "too long": json.dumps({**BARE, "x": "x" * (64 << 10)}).encode(),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_request(data: object) -> None:
    with pytest.raises(VoucherRequestError) as caught:
        parse_voucher_request(data)
    assert caught.value.reason == "voucher-request-malformed"


def test_what_may_be_asked_for() -> None:
    assert check_voucher_request(replace(FULL, last_renewal_date=FULL.expires_on), now=NOW) == ()
    assert check_voucher_request(VoucherRequest("FOC1", pdc().der), now=NOW) == ()
    logged = replace(FULL, assertion=Assertion.LOGGED)
    assert "verified" in check_voucher_request(logged, now=NOW)[0]


OLD = forge("old", rsa_key(3), end=at(NOW - timedelta(hours=1))).der
UNFIT = {
    "an end that is now": (replace(FULL, expires_on=NOW), "expires-on"),
    "an end after the certificate's": (replace(FULL, expires_on=NOW + 366 * DAY), "expires-on"),
    "renewal without end": (replace(FULL, expires_on=None), "last-renewal-date"),
    "renewal before the end": (
        replace(FULL, last_renewal_date=NOW + 13 * DAY),
        "last-renewal-date",
    ),
    "a certificate out of date": (replace(FULL, pinned_domain_cert=OLD), "pinned-domain-cert"),
    "no certificate": (replace(FULL, pinned_domain_cert=b"x"), "pinned-domain-cert"),
    "no serial number": (replace(FULL, serial_number=" x"), "serial-number"),
}


@pytest.mark.parametrize(("request_", "where"), UNFIT.values(), ids=UNFIT)
def test_what_may_not_be_asked_for(request_: VoucherRequest, where: str) -> None:
    with pytest.raises(VoucherRequestError) as caught:
        check_voucher_request(request_, now=NOW)
    assert (caught.value.reason, caught.value.where) == ("voucher-request-unfit", where)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
keys = st.sampled_from([*BARE, "expires-on", "assertion", "idevid-issuer", "last-renewal-date"])


@given(st.dictionaries(keys, values, max_size=4))
def test_any_object_is_a_request_or_refused(changes: dict[str, object]) -> None:
    try:
        read = parse_voucher_request({**BARE, **changes})
    except VoucherRequestError:
        return
    assert read.serial_number == {**BARE, **changes}["serial-number"]


@given(st.binary(max_size=80) | values)
def test_any_bytes_or_value_is_refused(data: object) -> None:
    with pytest.raises(VoucherRequestError):
        parse_voucher_request(data)
