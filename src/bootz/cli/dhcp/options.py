"""The options of ``bootz chassis add`` and ``set`` that are for DHCP."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from pydantic import ValidationError

from bootz.model.chassis import fold_serial
from bootz.server.operations.chassis_record import CardRecord
from bootz.server.operations.dhcp_settings import DhcpSettings
from bootz.server.operations.texts import faults_of

_OF_CARD = "SERIAL=VALUE names a card of a modular chassis; '' removes the value."
_NAMES = {"macs": "mac", "client_ids": "client_id", "duids": "duid"}

DHCP_OPTIONS = (
    click.option(
        "--mac",
        "macs",
        multiple=True,
        metavar="[SERIAL=]MAC",
        help=f"MAC address of the management port. {_OF_CARD}",
    ),
    click.option(
        "--client-id",
        "client_ids",
        multiple=True,
        metavar="[SERIAL=]ID",
        help="DHCP client-id, as text or 00:46:4f. Default: the serial number.",
    ),
    click.option(
        "--duid",
        "duids",
        multiple=True,
        metavar="[SERIAL=]HEX",
        help="DHCPv6 DUID, as 00:03:... Default: that of the serial number.",
    ),
    click.option(
        "--ipv4", metavar="ADDRESS/LENGTH", help="IPv4 address handed out by DHCP; '' removes it."
    ),
    click.option(
        "--ipv6", metavar="ADDRESS/LENGTH", help="IPv6 address handed out by DHCPv6; '' removes it."
    ),
    click.option("--gateway", help="Gateway, if not that of its subnet; '' removes it."),
    click.option(
        "--dhcp-uri",
        "dhcp_uris",
        multiple=True,
        metavar="bootz://HOST:PORT",
        help="Bootstrap server handed out instead of the site's; repeatable; '' restores the "
        "site's.",
    ),
)


def with_identifiers(
    cards: tuple[CardRecord, ...], options: Mapping[str, Any]
) -> tuple[CardRecord, ...]:
    """Return cards with the names that the options give; what they do not name stays.

    Raises:
        BadParameter: an option names no card of the chassis.
    """
    for option, field in _NAMES.items():
        for text in options[option]:
            hint = f"--{field.replace('_', '-')}"
            serial, equals, value = text.partition("=")
            if not equals:
                serial, value = "", text
            cards = _changed(cards, serial, hint, field, value)
    return cards


def with_dhcp(settings: DhcpSettings, options: Mapping[str, Any]) -> DhcpSettings:
    """Return settings with everything that the options give.

    Raises:
        BadParameter: a value does not fit.
    """
    changed: dict[str, Any] = dict(settings.to_json())
    for name in ("ipv4", "ipv6", "gateway"):
        if options[name] is not None:
            changed[name] = options[name] or None
    if options["dhcp_uris"]:
        changed["uris"] = [uri for uri in options["dhcp_uris"] if uri]
    try:
        return DhcpSettings.model_validate(changed)
    except ValidationError as error:
        raise click.BadParameter(faults_of(error), param_hint="DHCP") from None


def _changed(
    cards: tuple[CardRecord, ...], serial: str, hint: str, field: str, value: str
) -> tuple[CardRecord, ...]:
    folded = fold_serial(serial)
    named = [
        card
        for card in cards
        if (fold_serial(card.serial_number) == folded if serial else len(cards) == 1)
    ]
    if not named:
        raise click.BadParameter("name the card: SERIAL=VALUE", param_hint=hint)
    change: dict[str, Any] = {field: value}
    return tuple(replace(card, **change) if card in named else card for card in cards)
