"""The options of ``bootz chassis add`` and ``set``; ``changes`` says what they make of a record."""

from __future__ import annotations

from typing import Final

import click

from bootz.cli.base import PATH, RELEASE, one_of, together
from bootz.cli.names import IMAGE, PROFILE
from bootz.model.kinds import BootMode, DynamicConfigPolicy, VoucherDelivery

_TPM_FILES: Final = {
    "ek": "Endorsement key",
    "ppk": "Platform primary key",
    "key": "EK or PPK, if you do not know which of the two,",
    "ek_certificate": "Certificate of the endorsement key",
}
_OF_CARD: Final = "SERIAL=VALUE names a card of a modular chassis; '' removes the value."

chassis_options: Final = together(
    click.option("--part-number", help="Part number of the chassis."),
    click.option("--hostname", help="Host name of the router."),
    click.option("--profile", type=PROFILE, help='Profile of the chassis; "" removes it.'),
    click.option(
        "--boot-mode",
        type=one_of(BootMode),
        help="Default: secure. insecure: data is sent unsigned; for labs only.",
    ),
    click.option("--modular/--fixed", default=None, help="Whether the chassis has slots."),
    click.option(
        "--card",
        "cards",
        multiple=True,
        metavar="SERIAL[:SLOT[:PART]]",
        help="Card of a modular chassis; repeatable. A card in a slot LC… is a line card.",
    ),
    click.option(
        "--release",
        type=RELEASE,
        help="Release of its software: of IOS XR, of openconfig/bootz, or a dialect.",
    ),
    click.option(
        "--streaming/--no-streaming", default=None, help="Whether it may use the streaming calls."
    ),
    click.option(
        "--skip-idevid-serial-check/--check-idevid-serial",
        "skip_idevid_serial_check",
        default=None,
        help="For IDevIDs without a serial number; any device of the vendor may then request its "
        "data.",
    ),
    click.option(
        "--voucher-delivery",
        type=one_of(VoucherDelivery),
        help="How several vouchers are delivered.",
    ),
    click.option(
        "--dynamic-config",
        type=one_of(DynamicConfigPolicy),
        help="What to do with dynamic configuration in older dialects.",
    ),
    click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="KEY=VALUE",
        help="Label to group and choose chassis by, such as site=oslo; repeatable.",
    ),
    click.option(
        "--var",
        "variables",
        multiple=True,
        metavar="KEY=VALUE",
        help="Variable for templates; repeatable.",
    ),
    click.option(
        "--override-file",
        type=PATH,
        metavar="YAML",
        help="File with the profile keys that differ for this chassis.",
    ),
    click.option(
        "--image", type=IMAGE, metavar="NAME/VERSION", help="Image, if not that of the profile."
    ),
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
        for name, words in _TPM_FILES.items()
    ),
    click.option("--forget-tpm", is_flag=True, help="Remove all TPM keys first."),
)
"""Say what a chassis is and gets."""
