"""A typing error in a serial number is answered with those that may be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations.shell import Shell
from store.world import maker, owner

from bootz.model.nearest import MOST, did_you_mean, nearest_serials


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("FXO1I", ("FX011",)),
        ("fx0ii", ("FX011",)),
        ("FX01l", ("FX011",)),
        ("FX0111", ("FX011",)),
        ("FX01", ("FX011",)),
        ("XF011", ("FX011",)),
        ("FX911", ("FX011",)),
        ("FY911", ()),
        ("", ()),
        ("Q", ()),
    ],
)
def test_the_nearest_are_found(typed: str, found: tuple[str, ...]) -> None:
    assert nearest_serials(typed, ["FX011", "ZZZZZZ"]) == found


def test_what_looks_alike_is_offered_alone_and_few_are_offered() -> None:
    known = ["AB10", "AB11", "AB12", "AB13", "AB1Q", "ABIO"]
    assert nearest_serials("ABl0", known) == ("AB10", "ABIO")
    assert len(nearest_serials("AB19", known)) == MOST
    assert did_you_mean("ABl0", ["AB10", "ABIO"]) == "; did you mean AB10 or ABIO?"
    assert did_you_mean("other", known) == ""
    assert did_you_mean("ab10", ["AB10", "ABIO"]) == ""


LETTERS = "ABCDEFGH0123456789"


@given(st.text(LETTERS, min_size=3, max_size=12), st.data())
def test_one_slip_is_always_found(serial: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(serial) - 1))
    letter = data.draw(st.sampled_from(LETTERS))
    for typed in (
        serial[:at] + serial[at + 1 :],
        serial[:at] + letter + serial[at + 1 :],
        serial[:at] + letter + serial[at:],
        serial[:at] + serial[at : at + 2][::-1] + serial[at + 2 :],
    ):
        assert nearest_serials(typed, [serial]) == (() if typed == serial else (serial,))


def test_every_command_that_looks_a_serial_number_up_offers_them(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX01", "--vendor", "Acme")
    cards = ("--modular", "--card", "RP01:0", "--card", "RP11:1")
    shell.ok("chassis", "add", "CH01", "--vendor", "Acme", *cards)
    folder = shell.root / "delivery"
    folder.mkdir()
    (folder / "FX01.vcj").write_bytes(maker().voucher("FX01", owner().der))
    shell.ok("voucher", "import", str(folder))
    for words in (
        ("chassis", "show", "FXOI"),
        ("chassis", "set", "FXO1", "--hostname", "x"),
        ("chassis", "remove", "fxoi"),
        ("chassis", "hold", "FXOI"),
        ("chassis", "release", "FXOI"),
        ("chassis", "slots", "FX0I"),
        ("chassis", "render", "FXOI"),
        ("voucher", "show", "FXO1"),
        ("voucher", "remove", "FXO1"),
        ("voucher", "fetch", "FX0I"),
        ("voucher", "renew", "FX0I"),
        ("voucher", "export", "FXOI", "--to", str(shell.root / "out")),
        ("voucher", "bundle", "FXOI", "--to", str(shell.root / "out")),
        ("attempts", "FXOI"),
    ):
        code, _, err = shell.run(*words)
        assert code == 1, (words, err)
        assert "did you mean FX01?" in err, (words, err)
    code, _, err = shell.run("chassis", "show", "RPO1")
    assert "did you mean RP01?" in err
    code, _, err = shell.run("chassis", "show", "RPX1")
    assert "did you mean RP01 or RP11?" in err
    code, out, err = shell.run("voucher", "list", "--serial", "FXOI")
    assert (code, out.count("FX")) == (0, 0)
    assert "'FXOI' is not on record; did you mean FX01?" in err
    assert "did you mean" not in shell.run("voucher", "list", "--serial", "FX01")[2]
    code, _, err = shell.run("chassis", "set", "CH01", "--mac", "RPO1=02:00:00:00:00:01")
    assert code == 2
    assert "the chassis has no card 'RPO1'; did you mean RP01?" in err
    code, _, err = shell.run("chassis", "show", "QQ")
    assert "did you mean" not in err


def test_a_serial_number_is_not_offered_in_place_of_itself() -> None:
    assert nearest_serials("fx1", ["FX1", "FXI"]) == ("FXI",)
