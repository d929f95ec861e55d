"""An inventory that has some of everything, as a document."""

from __future__ import annotations

import base64
from typing import Any

from store.world import Maker

from bootz.server.site import Site
from bootz.trust.certificates import pem_from_der

SHA = "ab" * 32


def everything(site: Site, maker: Maker) -> dict[str, Any]:
    pinned = site.pinned_domain_cert()
    return {
        "version": 1,
        "vendors": [
            {
                "name": maker.name,
                "aliases": ["ACME Networks"],
                "ien": "1234",
                "idevid_ca": pem_from_der([maker.ca]).decode(),
                "settings": {"image_hash_format": "colon-hex", "ztp_server_line": "on"},
            }
        ],
        "profiles": [
            {
                "name": "edge",
                "description": "routers at the edge",
                "release": "v0.3",
                "vendor_config": "hostname {{ chassis.hostname }}\n! 0123\n",
                "boot_password_hash": "$6$secret",
                "image": {"name": "xr", "version": "1e5", "url": "http://a.example/xr"},
                "variables": {"site": "on", "vlan": 12, "rate": 1.5, "empty": "", "list": [1, "2"]},
            }
        ],
        "chassis": [
            {
                "vendor": maker.name,
                "serial_number": "0123",
                "hostname": "r1",
                "profile": "edge",
                "boot_mode": "insecure",
                "variables": {"site": "no"},
            },
            {
                "vendor": maker.name,
                "serial_number": "CH1",
                "modular": True,
                "streaming": False,
                "cards": [
                    {"serial_number": "RP0", "slot": "0", "mac": "00:11:22:33:44:55"},
                    {"serial_number": "LC0", "slot": "1", "kind": "line"},
                ],
                "overrides": {"vendor_config": ""},
            },
        ],
        "vouchers": [
            {
                "vendor": maker.name,
                "serial_number": serial,
                "voucher": base64.b64encode(maker.voucher(serial, pinned)).decode(),
            }
            for serial in ("0123", "RP0")
        ],
    }
