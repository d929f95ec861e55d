"""The options of ``bootz chassis add`` and ``set`` about TPMs, and what they make of the cards."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bootz.cli.inventory.base import read_file
from bootz.model.chassis import fold_serial
from bootz.model.identity import TpmRecord, TpmVersion
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.tpm_record import read_ek_certificate, read_tpm_key

_READERS: Mapping[str, Callable[[bytes, str], bytes]] = {
    "ek": read_tpm_key,
    "ppk": read_tpm_key,
    "key": read_tpm_key,
    "ek_certificate": read_ek_certificate,
}
_WORDS = {
    "ek": "Endorsement key",
    "ppk": "Platform primary key",
    "key": "EK or PPK, if you do not know which of the two,",
    "ek_certificate": "Certificate of the endorsement key",
}

TPM_OPTIONS = (
    click.option(
        "--tpm-version",
        "tpm_versions",
        multiple=True,
        metavar="[SERIAL=]VERSION",
        help="TPM version, 1.2 or 2.0; SERIAL=VALUE names a card of a modular chassis.",
    ),
    *(
        click.option(
            f"--tpm-{name.replace('_', '-')}",
            f"tpm_{name}",
            multiple=True,
            metavar="[SERIAL=]FILE",
            help=f"{words} of its TPM, PEM or DER.",
        )
        for name, words in _WORDS.items()
    ),
    click.option("--forget-tpm", is_flag=True, help="Remove all TPM keys first."),
)


def with_tpm(cards: tuple[CardRecord, ...], options: Mapping[str, Any]) -> tuple[CardRecord, ...]:
    """Return cards with everything that the options give; what they do not name stays.

    Raises:
        BadParameter: an option names no card of the chassis.
        ConfigError: a file holds no key, or no certificate.
        Unavailable: a file cannot be read.
    """
    if options["forget_tpm"]:
        cards = tuple(replace(card, tpm=TpmRecord()) for card in cards)
    for text in options["tpm_versions"]:
        serial, version = _split(text)
        if version not in {each.value for each in TpmVersion}:
            raise click.BadParameter("it is 1.2 or 2.0", param_hint="--tpm-version")
        cards = _changed(cards, serial, "--tpm-version", version=TpmVersion(version))
    for name, read in _READERS.items():
        for text in options[f"tpm_{name}"]:
            serial, file = _split(text)
            data = read(read_file(Path(file)), file)
            hint = f"--tpm-{name.replace('_', '-')}"
            cards = _changed(cards, serial, hint, **{name: data})
    return cards


def _split(text: str) -> tuple[str, str]:
    """Return serial number, empty if none is named, and value."""
    serial, equals, value = text.partition("=")
    return (serial, value) if equals else ("", text)


def _changed(
    cards: tuple[CardRecord, ...], serial: str, hint: str, **change: Any
) -> tuple[CardRecord, ...]:
    named = [
        card
        for card in cards
        if (fold_serial(card.serial_number) == fold_serial(serial) if serial else len(cards) == 1)
    ]
    if not named:
        raise click.BadParameter("name the card: SERIAL=VALUE", param_hint=hint)
    return tuple(
        replace(card, tpm=replace(card.tpm, **change)) if card in named else card for card in cards
    )
