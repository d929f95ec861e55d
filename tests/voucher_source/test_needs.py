"""When a voucher is renewed, and when somebody should look."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from store.world import NOW

from bootz.server.operations.vouchers.needs import CardVoucher, Held

SERIALS = st.text("ABC0123456789", min_size=1, max_size=12)


def card(held: Held | None, serial: str = "FX1") -> CardVoucher:
    return CardVoucher("Acme", 1, serial, serial, held)


@given(SERIALS, st.timedeltas(timedelta(minutes=1), timedelta(days=36500)))
def test_renewal_begins_with_a_third_of_the_life_left(serial: str, life: timedelta) -> None:
    ends = datetime.max.replace(tzinfo=NOW.tzinfo) - timedelta(days=1)
    found = card(Held(ends - life, ends), serial)
    at = found.renew_at()
    assert at is not None
    assert life * 0.3 - timedelta(seconds=1) <= ends - at <= life / 3 + timedelta(seconds=1)
    # The same after a restart, and well before the voucher is stale.
    assert at == card(found.held, serial.lower()).renew_at()
    assert not found.is_stale(at)
    assert found.is_stale(ends)


def test_a_day_or_a_tenth_before_the_end_is_too_late() -> None:
    year = card(Held(NOW, NOW + timedelta(days=365)))
    assert not year.is_stale(NOW + timedelta(days=363))
    assert year.is_stale(NOW + timedelta(days=364))
    hour = card(Held(NOW, NOW + timedelta(minutes=60)))
    assert not hour.is_stale(NOW + timedelta(minutes=53))
    assert hour.is_stale(NOW + timedelta(minutes=54))


def test_without_a_voucher_at_once_and_with_an_endless_one_never() -> None:
    nothing, endless = card(None), card(Held(NOW, None))
    assert nothing.renew_at() is not None
    assert nothing.renew_at() < NOW  # type: ignore[operator]
    assert nothing.is_stale(NOW)
    assert endless.renew_at() is None
    assert not endless.is_stale(NOW)
